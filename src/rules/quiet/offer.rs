//! QUIET-003: a message that waits does not leave when its offer is over.

use jiff::ToSpan;
use jiff::civil::Date;

use crate::analysis::entries::longest_ms;
use crate::analysis::flow::Flow;
use crate::name::Name;
use crate::program::Opening;
use crate::rules::context::Context;
use crate::rules::finding::Out;
use crate::rules::flows::Case;
use crate::rules::pack::Pack;
use crate::rules::rule::{Basis, In, Mark, rule};

const DAY_MS: i64 = 86_400_000;

rule! {
    QUIET_003 = "QUIET-003", Warning, "an offer that is over when it arrives";
    packs: &[In::warning(Pack::Core)],
    basis: &[Basis::new(Mark::Secondary, "规范促销行为暂行规定（市场监管总局令第32号）第5、6条：承诺应当真实、兑现")],
    purposes: &["marketing"],
    reads: "messages of marketing whose content `offers` a reward with a last day (`open`): nothing leaves behind that day if the content has no \
            later one of its own (the gate keeps to it), or if the last who enter are through by then, waits, quiet times and caps \
            counted. Rewards that are always open cannot be over; days that copies name are not read",
    check: check,
}

fn check(context: &Context, out: &mut Out) {
    let rewards = &context.model.values.rewards;
    let last_of = |name: Name| match rewards.get(&name)?.open {
        Some(Opening::Days(_, last)) => Some((name, last)),
        _ => None,
    };
    if !rewards.keys().any(|name| last_of(*name).is_some()) {
        return;
    }
    let over =
        |offers: &[Name]| offers.iter().filter_map(|name| last_of(*name)).min_by_key(|(_, last)| *last);
    let concerned = |case: &Case| {
        context.messages_of(case.journey.name).iter().any(|message| over(&message.content.offers).is_some())
    };
    for looked in context.marketing(concerned) {
        let flow = &looked.flow;
        let through = through(flow);
        for message in context.messages_of(flow.journey.name) {
            let Some((reward, last)) = over(&message.content.offers) else { continue };
            let kept = message.content.open.is_some_and(|(_, until)| until <= last);
            if kept || through.is_some_and(|through| through <= last) {
                continue;
            }
            let when = through.map_or("nobody knows how late".to_owned(), |day| format!("as late as {day}"));
            let finding = out
                .at(message.span, format!("`{}` may offer `{reward}` when it is over", message.content.name))
                .label(format!("may leave {when}"))
                .also(context.declared_at(reward), format!("over behind {last}"))
                .help(format!("write `open …..{last}` into the content: it is not sent any more then"));
            out.push_of([flow.journey.name, message.content.name], [message.step], None, finding);
        }
    }
}

/// The last day on which anybody is in the journey, if that can be told.
fn through(flow: &Flow<'_>) -> Option<Date> {
    let Some(Opening::Days(_, last)) = flow.journey.open else { return None };
    let days = longest_ms(flow)?.saturating_add(DAY_MS - 1) / DAY_MS;
    Some(last.saturating_add(days.days()))
}
