//! OPTOUT-002: a journey that has heard that somebody leaves sends him no more marketing.

use crate::analysis::order::{Automaton, way};
use crate::analysis::path::Words;
use crate::expr::{Pattern, Source};
use crate::model::Model;
use crate::name::Name;
use crate::rules::context::Context;
use crate::rules::finding::Out;
use crate::rules::flows::Case;
use crate::rules::freq::disturbs;
use crate::rules::pack::Pack;
use crate::rules::reads::Read;
use crate::rules::reward;
use crate::rules::rule::{Basis, In, Mark, Mend, rule};

/// What the name or label of an event says that tells of leaving.
const LEAVES: &[&str] = &[
    "unsubscrib",
    "opt_out",
    "opted_out",
    "consent_withdrawn",
    "consent_revoked",
    "revoked_consent",
    "退订",
    "拒收",
    "撤回同意",
    "撤销同意",
    "取消授权",
];

rule! {
    OPTOUT_002 = "OPTOUT-002", Error, "marketing behind a word that somebody leaves";
    packs: &[In::error(Pack::Core)],
    basis: &[
        Basis::new(Mark::Primary, "个人信息保护法第15条：撤回同意"),
        Basis::new(Mark::Secondary, "47 CFR 64.1200(a)(10)"),
    ],
    purposes: &["marketing"],
    mend: Mend::Words,
    reads: "what a journey hears of, by its entry, its exits and its waits: behind an event whose name or label speaks of leaving (退订, \
            撤回同意, unsubscribed …) no way sends marketing that disturbs. What it does not wait for the gate asks, always: consents are \
            looked at again before every message, and nothing switches that off. The one neutral confirmation that the United States \
            allow is a message of service, of a journey of its own",
    check: check,
}

fn check(context: &Context, out: &mut Out) {
    if !context.model.events.keys().any(|name| leaves(context.model, *name)) {
        return;
    }
    let concerned = |case: &Case| {
        case.reads().iter().any(|read| matches!(read, Read::Event(name) if leaves(context.model, *name)))
    };
    for looked in context.marketing(|case| context.sends_by(case, disturbs) && concerned(case)) {
        let (flow, facts) = (&looked.flow, &looked.facts);
        let forbidden = |at| {
            let message = flow.message(at).filter(|message| message.to.is_none());
            let channel = message.and_then(|message| context.channel(message.channel));
            channel.is_some_and(disturbs)
        };
        let begins = |pattern: &Pattern| matches!(&pattern.source, Source::Event(name) if leaves(context.model, *name));
        let automaton = Automaton { forbidden: &forbidden, begins: &begins, ends: &|_| false };
        let Some(witness) = way(flow, facts, &automaton) else { continue };
        let Some(node) = witness.stops.last().and_then(|stop| flow.node(stop.at)) else { continue };
        let words = Words::of(flow);
        let lines: Vec<String> = words.lines(&witness).into_iter().map(|(_, line)| line).collect();
        let finding = out
            .at(node.span, format!("`{}` goes on with marketing when somebody has left", flow.journey.name))
            .label("behind the word that he leaves")
            .note(format!("the way: {}", lines.join(" → ")))
            .help("write `end left` behind it, or `exit on …`; what confirms it is a message of service");
        out.push_of([flow.journey.name], [node.id], None, finding);
    }
}

/// Whether the event tells that somebody leaves.
fn leaves(model: &Model, event: Name) -> bool {
    let (text, _) = reward::words(model, Read::Event(event));
    LEAVES.iter().any(|word| text.contains(word))
}
