//! FAIR-004: no arm of an experiment leaves out what must be said.

use crate::rules::context::Context;
use crate::rules::finding::Out;
use crate::rules::pack::Pack;
use crate::rules::rule::{Basis, In, Mark, rule};
use crate::rules::words::List;

/// What arms have in common, and in which words it is asked for.
const OWED: &[(List, &str)] = &[
    (List::OptOut, "the way out"),
    (List::RiskWarning, "the warning of risk"),
    (List::YearlyCost, "the yearly cost"),
    (List::BenchmarkBasis, "what the rate is"),
    (List::PensionLock, "when the money can be had"),
    (List::Machine, "that a machine speaks"),
    (List::Human, "the way to a person"),
];

rule! {
    FAIR_004 = "FAIR-004", Error, "an arm that leaves out what must be said";
    packs: &[In::error(Pack::Core)],
    basis: &[Basis::new(Mark::Practice, "derived from every rule on what must be said: it holds for whoever gets that arm")],
    reads: "every copy with parts of an experiment in it: what one arm says of ways out, risk, cost and machines, the others say too. Price, \
            eligibility and quiet times cannot differ between arms of a copy",
    check: check,
}

fn check(context: &Context, out: &mut Out) {
    for said in context.said.iter().filter(|said| said.is_read() && said.arms.len() > 1) {
        for (list, what) in OWED {
            let with = said.arms.iter().filter(|arm| arm.has(*list)).count();
            if with == 0 || with == said.arms.len() {
                continue;
            }
            let finding = out
                .at(said.span, format!("some arms of `{}` leave out {what}", said.content.name))
                .label(format!("{with} of {} say it", said.arms.len()))
                .help("write it outside of the part under experiment");
            out.push(context.about(said.content), finding);
        }
    }
}
