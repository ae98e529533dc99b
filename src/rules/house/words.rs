//! HOUSE-002: no content says what a policy forbids.

use crate::model::govern::Forbidden;
use crate::name::Name;
use crate::rules::context::Context;
use crate::rules::finding::Out;
use crate::rules::pack::Pack;
use crate::rules::rule::{Basis, In, Mark, Status, rule};
use crate::rules::words::Phrases;

rule! {
    HOUSE_002 = "HOUSE-002", Error, "a word that a policy forbids";
    packs: &[In::error(Pack::Core)],
    basis: &[Basis::new(Mark::Practice, "the bank's own policy: `forbid words` says it")],
    status: Status::House,
    reads: "every copy of every content, whatever it is sent for, against the lines of the files that policies name with `forbid words`. \
            Capitals, full-width signs and blanks between Chinese characters make no difference; a word that is denied is said all the \
            same, and lines that begin with `!` are allowed. What a hole prints is not read",
    check: check,
}

fn check(context: &Context, out: &mut Out) {
    for policy in context.model.policies.values() {
        for forbidden in &policy.forbidden {
            held(context, policy.name, forbidden, out);
        }
    }
}

fn held(context: &Context, policy: Name, forbidden: &Forbidden, out: &mut Out) {
    let lists = (forbidden.phrases.iter().map(|one| &**one), forbidden.allowed.iter().map(|one| &**one));
    let Some(phrases) = Phrases::new(lists.0, lists.1) else { return };
    for said in context.said.iter().filter(|said| said.is_read()) {
        for arm in &said.arms {
            for (range, phrase) in phrases.hits(&arm.text) {
                let headline = format!("`{phrase}` is said, which `{policy}` forbids");
                let finding = out
                    .at(said.place(context.sources, arm, &range), headline)
                    .label("not to be said")
                    .also(forbidden.span, "on this list")
                    .help("say it otherwise; where it is not meant, a line `! …` of the list allows what stands around it");
                out.push(context.about(said.content), finding);
            }
        }
    }
}
