//! FREQ-002: journeys do not set each other off without end.

use crate::analysis::circle::circles;
use crate::name::Name;
use crate::rules::context::Context;
use crate::rules::finding::Out;
use crate::rules::pack::Pack;
use crate::rules::rule::{Basis, In, Mark, rule};

rule! {
    FREQ_002 = "FREQ-002", Error, "journeys that set each other off without end";
    packs: &[In::error(Pack::Core)],
    basis: &[
        Basis::new(Mark::Primary, "民法典第1033条（私人生活安宁）"),
        Basis::new(Mark::Practice, "safety of operation: nothing goes round without time passing"),
    ],
    firm: true,
    reads: "the analysis of circles: `start`, what is granted and tasks that are assigned, to a journey that enters on them and may be entered \
            any number of times, in no time. Within one journey no such loop compiles: every one takes time or counts its rounds (E0452). \
            Tags and attributes are not followed",
    check: check,
}

fn check(context: &Context, out: &mut Out) {
    for round in circles(context.model) {
        let Some(first) = round.first() else { continue };
        let names: Vec<String> = round.iter().map(|link| format!("`{}`", link.journey)).collect();
        let headline = match names.as_slice() {
            [one] => format!("{one} sets itself off without end"),
            all => format!("{} set each other off without end", all.join(" and ")),
        };
        let mut finding = out
            .at(first.span, headline)
            .label(format!("sets off `{}` at once", first.next))
            .help("let time pass on the way, or let one of them be entered a bounded number of times: `reenter per day`");
        for link in round.iter().skip(1) {
            finding = finding.also(link.span, format!("sets off `{}` at once", link.next));
        }
        // Not a journey's alone: it is looked for anew whatever has changed.
        let about = std::iter::once(Name::new("circle")).chain(round.iter().map(|link| link.journey));
        let steps: Vec<Name> = round.iter().map(|link| link.step).collect();
        out.push_of(about, steps, None, finding);
    }
}
