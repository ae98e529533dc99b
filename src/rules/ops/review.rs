//! OPS-002: what runs without a last day is looked at again.

use jiff::ToSpan;
use jiff::civil::Date;

use crate::model::Journey;
use crate::program::Opening;
use crate::rules::context::Context;
use crate::rules::finding::Out;
use crate::rules::pack::Pack;
use crate::rules::rule::{Basis, In, Mark, Status, rule};

const DAY_MS: i64 = 86_400_000;

rule! {
    OPS_002 = "OPS-002", Warning, "a journey without an end that nobody looks at again";
    packs: &[In::warning(Pack::Core)],
    basis: &[Basis::new(Mark::Practice, "the house: what has no end is looked at again")],
    status: Status::House,
    reads: "where a policy says `review every …`: journeys of any purpose without a last day (`open`) say `reviewed 2026-06-01`, and no \
            longer ago than that. Owners are asked for by E0401; kill switches and the gate are the daemon's and cannot be left out; how \
            people complain is not said anywhere",
    check: check,
}

fn check(context: &Context, out: &mut Out) {
    // Of several policies the one that looks most often.
    let reviews = context.model.policies.values().filter_map(|policy| policy.review);
    let Some((days, said)) = reviews.map(|(every, span)| (every.at_most_ms() / DAY_MS, span)).min() else {
        return;
    };
    for journey in context.journeys().filter(|journey| !has_end(journey)) {
        let finding = match journey.reviewed {
            None => out
                .at(journey.span, format!("`{}` has no last day, and nobody has looked at it", journey.name))
                .label("runs on and on")
                .help("write `reviewed 2026-06-01`, the day of the last review, or `open` with a last day"),
            Some((day, span)) if last(day, days) < context.chosen.as_of => out
                .at(span, format!("`{}` was to be looked at again on {}", journey.name, last(day, days)))
                .label(format!("{days} days are over"))
                .help("look at it, and write the day of that"),
            Some(_) => continue,
        };
        out.push([journey.name], finding.also(said, "a review is due so often"));
    }
}

fn has_end(journey: &Journey) -> bool {
    matches!(journey.open, Some(Opening::Days(..)))
}

/// The day on which the next review is due.
fn last(day: Date, days: i64) -> Date {
    day.saturating_add(days.days())
}
