//! CHAN-007: registers of those who must not be called are asked, and not long before.

use crate::model::Channel;
use crate::rules::context::{Context, is_sms};
use crate::rules::finding::Out;
use crate::rules::pack::Pack;
use crate::rules::rule::{Basis, In, Mark, rule};

const DAY_MS: i64 = 86_400_000;
/// What names and labels of channels say by which people are rung up.
const CALLS: &[&str] = &["call", "phone", "voice", "电话", "外呼"];
/// How many days an answer of the register counts.
const FRESH: [(Pack, i64); 4] = [(Pack::Sg, 21), (Pack::Uk, 28), (Pack::Au, 30), (Pack::Us, 31)];

rule! {
    CHAN_007 = "CHAN-007", Error, "a do-not-call register that nobody asks";
    packs: &[In::error(Pack::Sg), In::error(Pack::Au), In::error(Pack::Us), In::error(Pack::Uk)],
    basis: &[
        Basis::new(Mark::Secondary, "PDPC (Singapore): a result counts 21 days"),
        Basis::new(Mark::Secondary, "ACMA (Australia): 30 days"),
        Basis::new(Mark::Known, "16 CFR 310.4(b)(3)(iv): 31 days; TPS (United Kingdom): 28 days"),
    ],
    purposes: &["marketing"],
    reads: "`do_not_call within 21 days` of channels by which marketing writes text messages or rings people up: that there is one, and that \
            it is no longer than the strictest pack allows. Whether the provider keeps to it the daemon does not see. Relations that the \
            law exempts want a waiver",
    check: check,
}

fn check(context: &Context, out: &mut Out) {
    let held = FRESH.into_iter().filter(|(pack, _)| context.chosen.packs.contains(pack));
    let Some((days, pack)) = held.map(|(pack, days)| (days, pack)).min() else { return };
    for message in context.messages.iter().filter(|one| one.journey.purpose.as_str() == "marketing") {
        let channel = message.channel;
        if !is_sms(channel) && !rings(channel) {
            continue;
        }
        let headline = match channel.do_not_call {
            None => "asks no register of those who must not be called".to_owned(),
            // A day is 23 hours at least, and clocks are no matter of this rule.
            Some(within) if within.at_least_ms() > days * DAY_MS => {
                format!("relies on answers of a register that are {within} old")
            }
            Some(_) => continue,
        };
        let finding = out
            .at(message.span, format!("marketing by `{}` {headline}", channel.name))
            .label(format!("{}: {days} days at most", pack.place()))
            .also(channel.span, "the channel")
            .help(format!(
                "let its provider ask, and write `do_not_call within {days} days` into the channel"
            ));
        out.push_of([message.journey.name], [message.step], None, finding);
    }
}

fn rings(channel: &Channel) -> bool {
    let text = format!("{} {}", channel.name, channel.label.as_deref().unwrap_or_default()).to_lowercase();
    CALLS.iter().any(|word| text.contains(word))
}
