//! CHAN-003: what covers the screen can be closed, and advertising says that it is.

use std::collections::BTreeSet;

use crate::model::Channel;
use crate::rules::context::Context;
use crate::rules::finding::Out;
use crate::rules::pack::Pack;
use crate::rules::rule::{Basis, In, Mark, rule};

/// Slots that cover the screen.
const COVERS: &[&str] = &["popup", "splash", "interstitial", "弹窗", "开屏", "插屏"];

rule! {
    CHAN_003 = "CHAN-003", Error, "a popup that cannot be closed, an advertisement that does not say so";
    packs: &[In::error(Pack::Cn)],
    basis: &[
        Basis::new(Mark::Primary, "广告法（2021）第14、44条：可识别为广告；弹出广告应当显著标明关闭标志"),
        Basis::new(Mark::Secondary, "金融产品网络营销管理办法（2026-09-30 起施行）：弹窗一键关闭"),
    ],
    purposes: &["marketing"],
    reads: "content of marketing in slots called popup, splash, 弹窗 or 开屏: `close visible`. Copy for advertisers (`kind ads`, `surface \
            paid`) that has text says 广告; an image is not looked into. Whether a popup comes twice in a session is the app's",
    check: check,
}

fn check(context: &Context, out: &mut Out) {
    let mut seen = BTreeSet::new();
    for message in context.messages.iter().filter(|one| one.journey.purpose.as_str() == "marketing") {
        let (content, channel) = (message.content, message.channel);
        if !seen.insert((content.name, channel.name)) {
            continue;
        }
        let variant = content.variants.iter().find(|variant| variant.channel == channel.name);
        let closes = |close: Option<crate::name::Name>| close.is_some_and(|how| how.as_str() == "visible");
        if covers(channel) && variant.is_some_and(|variant| !closes(variant.close)) {
            let place = context.word_in(content.name, channel.name.as_str());
            let finding = out
                .at(place, format!("`{}` covers the screen and does not say how it is closed", content.name))
                .label("no `close visible`")
                .also(channel.span, "a slot that covers the screen")
                .help("write `close visible` into this part of the content");
            out.push(context.about(content), finding);
        }
        if channel.kind.as_str() == "ads" || channel.surface.is_some_and(|surface| surface.as_str() == "paid")
        {
            let copies =
                || context.copies(content.name).filter(|said| said.channel == channel.name && said.is_read());
            let says = copies().any(|said| said.arms.iter().all(|arm| arm.text.contains("广告")));
            if let Some(body) = copies().last().filter(|_| !says) {
                let finding = out
                    .warn(body.span, format!("`{}` does not say that it is an advertisement", content.name))
                    .label("nobody can tell")
                    .also(channel.span, "paid for")
                    .help("begin with `广告｜`");
                out.push(context.about(content), finding);
            }
        }
    }
}

fn covers(channel: &Channel) -> bool {
    let label = channel.label.as_deref().unwrap_or_default();
    channel.kind.as_str() == "slot"
        && COVERS.iter().any(|word| channel.name.as_str().contains(word) || label.contains(word))
}
