//! CONSENT-008: a message of service, or one that the law asks for, sells nothing.

use std::collections::BTreeSet;

use crate::expr::Source;
use crate::model::Journey;
use crate::model::journey::Trigger;
use crate::rules::context::{Context, INVESTMENTS};
use crate::rules::finding::Out;
use crate::rules::pack::Pack;
use crate::rules::rule::{Basis, In, Mark, rule};
use crate::text::Span;

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
            been paid or granted already (已到账) is a fact. A journey of such a purpose with a `holdout`, with a `goal` on a sale (买入, 支用 …), or \
            with an investment as its `product` sells, whatever it says. Placements that people come to themselves are not looked at",
    check: check,
}

/// What names and labels of events say that are a sale.
const SALES: &[&str] =
    &["bought", "purchase", "drawdown", "subscribed", "买入", "购买", "申购", "支用", "投保", "签约", "办理"];

fn check(context: &Context, out: &mut Out) {
    for journey in context.journeys().filter(|one| NEUTRAL.contains(&one.purpose.as_str())) {
        if let Some((span, label)) = aims(context, journey) {
            let finding = out
                .at(context.word_in(journey.name, "purpose"), format!("`{}` sells, and says that it does not", journey.name))
                .label(format!("`{}`", journey.purpose))
                .also(span, label)
                .help("write `purpose marketing`, which asks for consent; a service is measured by whether it helped");
            out.push([journey.name], finding);
        }
    }
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

/// Where a journey says that it is there to sell.
fn aims(context: &Context, journey: &Journey) -> Option<(Span, &'static str)> {
    if journey.holdout > 0 {
        return Some((context.word_in(journey.name, "holdout"), "nobody is held out of a service"));
    }
    let is_sale = |event: crate::name::Name| {
        let label =
            context.model.events.get(&event).and_then(|event| event.label.as_deref()).unwrap_or_default();
        SALES.iter().any(|word| event.as_str().contains(word) || label.contains(word))
    };
    let sale = journey.goals.iter().find(|goal| match &goal.trigger {
        Trigger::On(patterns) => {
            patterns.iter().any(|one| matches!(one.source, Source::Event(event) if is_sale(event)))
        }
        Trigger::When(_) => false,
    });
    if let Some(goal) = sale {
        return Some((goal.span, "its goal is a sale"));
    }
    let product = journey.product.and_then(|name| context.model.products.get(&name))?;
    let class = product.class?;
    let sold = INVESTMENTS.contains(&class.as_str());
    sold.then_some((product.span, "its product is sold, and not kept in order"))
}
