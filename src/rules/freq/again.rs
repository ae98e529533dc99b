//! FREQ-003: nobody enters marketing again at once.

use crate::analysis::told;
use crate::program::Reenter;
use crate::rules::context::Context;
use crate::rules::finding::Out;
use crate::rules::pack::Pack;
use crate::rules::rule::{Basis, In, Mark, rule};

/// Less than this is at once.
const LEAST_MS: i64 = 86_400_000;

rule! {
    FREQ_003 = "FREQ-003", Warning, "marketing that begins again at once";
    packs: &[In::warning(Pack::Core)],
    basis: &[Basis::new(Mark::Practice, "who was in a journey of marketing is left alone for a day at least")],
    purposes: &["marketing"],
    reads: "`reenter after` with less than a day, and `reenter restart`, where the journey writes by a channel that comes to people at its \
            own time. Where a `cap` of the journey or of a policy counts each of these messages it is a note",
    check: check,
}

fn check(context: &Context, out: &mut Out) {
    let again = |reenter: &Reenter| match reenter {
        Reenter::After(length) => length.at_least_ms() < LEAST_MS,
        reenter => matches!(reenter, Reenter::Restart),
    };
    for looked in
        context.marketing(|case| again(&case.journey.reenter) && context.sends_by(case, super::disturbs))
    {
        let (flow, journey) = (&looked.flow, looked.flow.journey);
        let how = match &journey.reenter {
            Reenter::After(length) => format!("{} behind the end", told(length.at_least_ms())),
            _ => "whenever it is triggered again".to_owned(),
        };
        let disturbs = |channel| context.channel(channel).is_some_and(super::disturbs);
        let mut pushed = flow.messages().filter(|(_, message)| disturbs(message.channel));
        let Some((first, one)) = pushed.next() else { continue };
        let capped =
            context.is_capped(journey, &one) && pushed.all(|(_, one)| context.is_capped(journey, &one));
        let place = context.word_in(journey.name, "reenter");
        let headline = format!("`{}` may begin again {how}", journey.name);
        let finding = if capped { out.info(place, headline) } else { out.at(place, headline) };
        let mut finding = finding
            .label("at once")
            .help("write `reenter after 7 days` or so, or a `cap` into the journey or a policy");
        if let Some(node) = flow.node(first) {
            finding = finding.also(node.span, "and writes again");
        }
        out.push([journey.name], finding);
    }
}
