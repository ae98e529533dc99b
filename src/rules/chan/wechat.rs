//! CHAN-002: `WeChat`'s own rules: no promotion in template messages, no gifts for sharing.

use std::collections::BTreeSet;

use crate::model::journey::StepKind;
use crate::rules::context::Context;
use crate::rules::finding::Out;
use crate::rules::pack::Pack;
use crate::rules::reads::{self, Read};
use crate::rules::rule::{Basis, In, Mark, Status, rule};

const SHARING: &[&str] =
    &["分享", "转发", "助力", "关注公众号", "集赞", "shared", "forwarded", "followed_account"];

rule! {
    CHAN_002 = "CHAN-002", Error, "what WeChat forbids";
    packs: &[In::error(Pack::Cn)],
    basis: &[
        Basis::new(Mark::Platform, "微信公众平台关于模板消息滥用的公告"),
        Basis::new(Mark::Secondary, "微信外部链接内容管理规范（2019）：诱导分享"),
    ],
    status: Status::Platform,
    reads: "marketing by a channel that is pushed and called wechat (or 微信) that speaks of offers; steps that give and hang on \
            events of sharing. Customer-initiated conversations are not told apart: a waiver says so",
    check: check,
}

fn check(context: &Context, out: &mut Out) {
    let mut seen = BTreeSet::new();
    for message in context.messages.iter().filter(|message| message.journey.purpose.as_str() == "marketing") {
        let channel = message.channel;
        let label = channel.label.as_deref().unwrap_or_default();
        let is_wechat = channel.name.as_str().contains("wechat") || label.contains("微信");
        if !is_wechat
            || channel.kind.as_str() != "push"
            || !seen.insert((message.journey.name, message.content.name))
        {
            continue;
        }
        let mut copies = context
            .copies(message.content.name)
            .filter(|said| said.channel == channel.name && said.is_read());
        let found = copies.find_map(|said| said.offers().next().map(|(arm, hit)| (said, arm, hit)));
        let Some((said, arm, hit)) = found else { continue };
        let headline = format!("`{}` promotes in a template message of WeChat", message.content.name);
        let finding = out
            .at(said.place(context.sources, arm, &hit.range), headline)
            .label("an offer")
            .also(message.span, "sent as marketing")
            .help("tell what happened and nothing else, or let the customer begin the conversation");
        out.push_of([message.journey.name, message.content.name], [message.step], None, finding);
    }
    for journey in context.cases.iter().filter(|case| case.gives()).map(|case| case.journey) {
        reads::walk(context.model, journey, &mut |step, known| {
            if !matches!(step.kind, StepKind::Give(..)) {
                return;
            }
            let shared = known.iter().find_map(|read| match read {
                Read::Event(name) => context.model.events.get(name).filter(|event| {
                    let label = event.label.as_deref().unwrap_or_default();
                    SHARING.iter().any(|word| label.contains(word) || name.as_str().contains(word))
                }),
                Read::Attribute(..) => None,
            });
            if let Some(event) = shared {
                let finding = out
                    .at(step.span, format!("what is given here hangs on `{}`", event.name))
                    .label("a gift for sharing")
                    .also(event.span, "sharing")
                    .help("let it hang on what the customer does himself");
                out.push_of([journey.name], [step.id], None, finding);
            }
        });
    }
}
