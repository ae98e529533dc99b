//! HOUSE-001: no way of a journey does what a policy forbids behind an event.

use crate::analysis::order::broken;
use crate::analysis::path::Words;
use crate::model::govern::Never;
use crate::name::Name;
use crate::rules::context::Context;
use crate::rules::finding::Out;
use crate::rules::flows::Case;
use crate::rules::pack::Pack;
use crate::rules::reads::Read;
use crate::rules::rule::{Basis, In, Mark, Status, rule};

rule! {
    HOUSE_001 = "HOUSE-001", Error, "something that a policy forbids behind an event";
    packs: &[In::error(Pack::Core)],
    basis: &[Basis::new(Mark::Practice, "the bank's own policy: `never …` says it")],
    status: Status::House,
    reads: "`never P after E until F` of every policy, against what each journey hears of by its entry, its exits and its waits: no way from \
            an E on, before an F, sends anything of that purpose or by that channel. What happens while a journey does not wait for it, it \
            does not hear: for that there is `suppress`",
    check: check,
}

fn check(context: &Context, out: &mut Out) {
    for policy in context.model.policies.values() {
        for never in &policy.never {
            held(context, never, policy.name, out);
        }
    }
}

fn held(context: &Context, never: &Never, policy: Name, out: &mut Out) {
    let hears_it = |case: &Case| {
        case.reads().iter().any(|read| matches!(read, Read::Event(name) if never.after.contains(name)))
    };
    let sends_it = |case: &Case| {
        let name = case.journey.name;
        case.journey.purpose == never.what
            || context.messages_of(name).iter().any(|message| message.channel.name == never.what)
    };
    for looked in context.flows(|case| sends_it(case) && hears_it(case)) {
        let (flow, facts) = (&looked.flow, &looked.facts);
        let Some(witness) = broken(flow, facts, never) else { continue };
        let Some(node) = witness.stops.last().and_then(|stop| flow.node(stop.at)) else { continue };
        let lines: Vec<String> = Words::of(flow).lines(&witness).into_iter().map(|(_, line)| line).collect();
        let headline = format!("`{}` does what `{policy}` forbids", flow.journey.name);
        let finding = out
            .at(node.span, headline)
            .label(format!("`{}` behind {}", never.what, listed(&never.after)))
            .also(never.span, "forbidden here")
            .note(format!("the way: {}", lines.join(" → ")))
            .help("end the journey there, or wait for what the policy names behind `until`");
        out.push_of([flow.journey.name], [node.id], None, finding);
    }
}

fn listed(events: &[Name]) -> String {
    events.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(" or ")
}
