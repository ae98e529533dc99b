//! What is proved of every run.

use petgraph::algo::tarjan_scc;
use petgraph::graph::NodeIndex;
use petgraph::visit::EdgeFiltered;

use super::{Claim, Desk, Kind};
use crate::analysis::about;
use crate::analysis::circle::circles;
use crate::analysis::facts::Known;
use crate::analysis::flow::What;
use crate::analysis::order::broken;
use crate::analysis::path::way_to;
use crate::graph::EdgeKind;
use crate::model::govern::Never;
use crate::name::Name;
use crate::program::policy::MARKETING;

pub(super) fn claims(desk: &Desk<'_, '_>) -> Vec<Claim> {
    let mut claims = vec![ends(desk), no_cycle(desk)];
    claims.extend(forbidden(desk));
    claims.extend(shut(desk));
    claims.extend(messages(desk));
    claims
}

fn ends(desk: &Desk<'_, '_>) -> Claim {
    let falls = desk.flow.graph.node_weights().any(|node| matches!(node.what, What::Fall));
    Claim::new(Kind::Sound, "ends", !falls, "every way leads to an end, and every wait has a deadline")
}

/// Cycles over what journeys start are errors of the compiler; over what they give and assign they are looked for.
fn no_cycle(desk: &Desk<'_, '_>) -> Claim {
    let graph = &desk.flow.graph;
    let instant = EdgeFiltered::from_fn(graph, |edge| {
        edge.weight().delay.instant && edge.weight().kind != EdgeKind::Again
    });
    let own = tarjan_scc(&instant).into_iter().any(|part| part.len() > 1);
    let name = desk.flow.journey.name;
    let round = own || circles(desk.flow.model).iter().flatten().any(|link| link.journey == name);
    let says =
        "no way comes back to where it was without taking time, neither inside nor over other journeys";
    Claim::new(Kind::Sound, "no_instant_cycle", !round, says)
}

/// What policies forbid behind an event, where the journey could do it at all.
fn forbidden(desk: &Desk<'_, '_>) -> Vec<Claim> {
    let journey = desk.flow.journey;
    let policies = desk.flow.model.policies.values().flat_map(|policy| &policy.never);
    let could = |never: &&Never| {
        journey.purpose == never.what
            || desk.flow.messages().any(|(_, message)| message.channel == never.what)
    };
    let names = |all: &[Name]| all.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(" or ");
    let claims = policies.filter(could).map(|never| {
        let until = if never.until.is_empty() {
            String::new()
        } else {
            format!(" and before {}", names(&never.until))
        };
        let says = format!(
            "no way sends `{}` behind {}{until}, of what the journey hears",
            never.what,
            names(&never.after)
        );
        let broken = broken(desk.flow, desk.facts, never);
        let claim = Claim::new(Kind::Sound, "never_after", broken.is_none(), says).at(desk.place(never.span));
        match broken {
            Some(witness) => claim.witness(desk.told(&witness)),
            None => claim,
        }
    });
    claims.collect()
}

/// Ways that nobody takes.
fn shut(desk: &Desk<'_, '_>) -> Vec<Claim> {
    let shut = desk.flow.shut.iter().filter_map(|way| {
        let (from, _) = desk.flow.graph.edge_endpoints(*way)?;
        let span = desk.words.span(from)?;
        let says = format!("nobody takes `{}` of `{}`", desk.words.way(*way), desk.words.place(from));
        Some(Claim::new(Kind::Sound, "way_not_taken", true, says).at(desk.place(span)))
    });
    shut.collect()
}

/// What holds where each message is decided.
fn messages(desk: &Desk<'_, '_>) -> Vec<Claim> {
    let mut claims = Vec::new();
    for (at, _) in desk.flow.messages() {
        let Some(known) = desk.facts.known(at) else { continue };
        let facts = lines(desk, known);
        let what = desk.words.place(at);
        let says = if facts.is_empty() {
            let rest =
                if desk.flow.journey.purpose.as_str() == MARKETING { "; it relies on the gate" } else { "" };
            format!("`{what}`: no condition on the way to it is sure to hold still{rest}")
        } else {
            format!("`{what}`: on every way to it {}", facts.join(", "))
        };
        let mut claim = Claim::new(Kind::Sound, "holds_at_message", true, says);
        if let Some(span) = desk.words.span(at) {
            claim = claim.at(desk.place(span));
        }
        claims.push(with_way(desk, claim, at));
    }
    claims
}

fn with_way(desk: &Desk<'_, '_>, claim: Claim, at: NodeIndex) -> Claim {
    match way_to(desk.flow, desk.facts, at) {
        Some(witness) => claim.witness(desk.told(&witness)),
        None => claim,
    }
}

/// Facts with their age, those that hold now first.
fn lines(desk: &Desk<'_, '_>, known: &Known) -> Vec<String> {
    let mut known: Vec<_> = known.iter().map(|(fact, age)| (*age, *fact)).collect();
    known.sort_unstable();
    let mut told: Vec<String> = Vec::new();
    let mut lines = Vec::new();
    for (age, fact) in known {
        let Some((words, _)) = desk.facts.mind.told(fact) else { continue };
        // Said twice, the younger counts.
        if told.contains(&words) {
            continue;
        }
        lines.push(match age {
            0 => words.clone(),
            i64::MAX => format!("{words} (when it was looked at, which may be long ago)"),
            age => format!("{words} (looked at up to {} before)", about(age)),
        });
        told.push(words);
    }
    lines
}
