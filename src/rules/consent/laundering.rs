//! CONSENT-008: a message of service, or one that the law asks for, sells nothing.

use std::collections::BTreeSet;

use crate::rules::context::Context;
use crate::rules::finding::Out;
use crate::rules::pack::Pack;
use crate::rules::rule::{Basis, In, Mark, rule};

/// Purposes whose messages are neutral.
const NEUTRAL: &[&str] = &["service", "transactional", "regulatory_notice", "fraud_alert"];

rule! {
    CONSENT_008 = "CONSENT-008", Error, "promotion inside a message of service";
    packs: &[In::error(Pack::Core)],
    basis: &[
        Basis::new(Mark::Secondary, "TCCCPR (India): mixed content is promotional"),
        Basis::new(Mark::Secondary, "FCA and ICO, joint letter: regulatory notices are neutral"),
        Basis::new(Mark::Secondary, "通信短信息服务管理规定（2026-05-01 起施行）"),
    ],
    purposes: NEUTRAL,
    reads: "copies that journeys of such purposes send: words of offers (立减, 红包, 立即申购 …) and `offers`. What has \
            been paid or granted already (已到账) is a fact. Placements that people come to themselves are not looked at",
    check: check,
}

fn check(context: &Context, out: &mut Out) {
    let mut seen = BTreeSet::new();
    for message in &context.messages {
        let (journey, content) = (message.journey, message.content);
        if !NEUTRAL.contains(&journey.purpose.as_str())
            || !seen.insert((journey.name, content.name, message.channel.name))
        {
            continue;
        }
        if let Some(reward) = content.offers.first() {
            let headline =
                format!("`{}` promises `{reward}`, and `{}` is no marketing", content.name, journey.name);
            let finding = out
                .at(message.span, headline)
                .label(format!("sent with the purpose `{}`", journey.purpose))
                .also(content.span, "what it says")
                .help("give the journey `purpose marketing`, which asks for consent, or send the offer in one of its own");
            out.push_of([journey.name, content.name], [message.step], None, finding);
        }
        let copies = context.copies(content.name).filter(|said| said.channel == message.channel.name);
        for said in copies.filter(|said| said.is_read()) {
            for (arm, hit) in said.offers() {
                let headline = format!("`{}` sells, and `{}` is no marketing", hit.entry, journey.name);
                let finding = out
                    .at(said.place(context.sources, arm, &hit.range), headline)
                    .label("an offer")
                    .also(message.span, format!("sent with the purpose `{}`", journey.purpose))
                    .help("leave the offer out, or send it in a journey with `purpose marketing`, which asks for consent");
                out.push_of([journey.name, content.name], [message.step], None, finding);
            }
        }
    }
}
