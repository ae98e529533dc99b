//! Journeys that want the same: a lane in which one runs at a time, or a slot that holds so many.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{Circle, Member, place};
use crate::analysis::flow::What;
use crate::analysis::proof::Place;
use crate::expr::Expr;
use crate::model::Model;
use crate::model::journey::{Step, StepKind};
use crate::name::Name;
use crate::text::Sources;
use crate::value::Value;

/// More journeys than there is room for, and one customer who can be in all of them.
#[derive(Clone, Debug, Serialize)]
pub struct Contest {
    /// `lane` or `slot`.
    pub kind: &'static str,
    pub name: String,
    /// How many of one customer's there may be at a time.
    pub room: usize,
    /// Who goes first is first.
    pub rivals: Vec<Rival>,
    /// What becomes of those for whom there is no room.
    pub others: String,
    /// One line for each thing that matters; empty: anybody.
    pub customer: Vec<String>,
    /// Whether it was shown that somebody is let in to all of them.
    pub decided: bool,
}

#[derive(Clone, Debug, Serialize)]
pub struct Rival {
    pub journey: String,
    /// Of a slot; `None`: data decides.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rank: Option<i64>,
    pub place: Place,
}

pub(super) fn of(circle: &Circle<'_, '_>, model: &Model, sources: &Sources) -> Vec<Contest> {
    let mut found = Vec::new();
    for lane in model.policies.values().flat_map(|policy| &policy.lanes) {
        let number = |name: &Name| circle.members.iter().position(|member| member.journey.name == *name);
        let wanted: Vec<(usize, Option<i64>)> =
            lane.journeys.iter().filter_map(number).map(|at| (at, None)).collect();
        let others = match lane.wait {
            Some(wait) => format!("whoever finds it taken waits {wait} at most"),
            None => "whoever finds it taken does not enter".to_owned(),
        };
        found.extend(contest(circle, sources, "lane", (lane.name, 1), &wanted, others));
    }
    for (slot, mut wanted) in shown(circle) {
        // What data decides may be the highest.
        wanted.sort_by_key(|(at, rank)| (rank.is_some(), std::cmp::Reverse(*rank), *at));
        let room = model.channels.get(&slot).and_then(|channel| channel.capacity).map_or(1, usize::from);
        let others = "the lowest rank gives way, or is not placed".to_owned();
        found.extend(contest(circle, sources, "slot", (slot, room), &wanted, others));
    }
    found
}

/// For each slot the journeys that show something in it, with the highest rank at which they do.
fn shown(circle: &Circle<'_, '_>) -> BTreeMap<Name, Vec<(usize, Option<i64>)>> {
    let mut slots: BTreeMap<Name, Vec<(usize, Option<i64>)>> = BTreeMap::new();
    for (at, member) in circle.members.iter().enumerate() {
        for (slot, rank) in places(member) {
            slots.entry(slot).or_default().push((at, rank));
        }
    }
    slots
}

fn places(member: &Member<'_>) -> BTreeMap<Name, Option<i64>> {
    let flow = &member.flow;
    let mut found: BTreeMap<Name, Option<i64>> = BTreeMap::new();
    for at in flow.graph.node_indices().filter(|at| !flow.dead.contains(at)) {
        let What::Step(Step { kind: StepKind::Show(show), .. }) = (match flow.node(at) {
            Some(node) => node.what,
            None => continue,
        }) else {
            continue;
        };
        let rank = match &show.rank {
            None => Some(0),
            Some(Expr::Const(Value::Int(rank))) => Some(*rank),
            Some(_) => None,
        };
        for slot in &show.slots {
            let known = found.entry(slot.channel).or_insert(rank);
            *known = known.zip(rank).map(|(known, rank)| known.max(rank));
        }
    }
    found
}

/// `None`: nobody can be in more of them than there is room for.
fn contest(
    circle: &Circle<'_, '_>,
    sources: &Sources,
    kind: &'static str,
    (name, room): (Name, usize),
    wanted: &[(usize, Option<i64>)],
    others: String,
) -> Option<Contest> {
    // Begins with each in turn, since the first of all may be apart from all others.
    let sets = wanted.iter().map(|(first, _)| {
        let mut chosen: Vec<usize> = vec![*first];
        for (at, _) in wanted {
            if !chosen.contains(at) && chosen.iter().all(|known| !circle.entrants.are_apart(*known, *at)) {
                chosen.push(*at);
            }
        }
        chosen
    });
    let most = sets.rev().max_by_key(Vec::len).filter(|chosen| chosen.len() > room)?;
    let customer = circle.entrants.example(&most);
    let rivals = wanted.iter().filter(|(at, _)| most.contains(at)).filter_map(|(at, rank)| {
        let journey = circle.members.get(*at)?.journey;
        let place = place(sources, journey.span);
        Some(Rival { journey: journey.name.to_string(), rank: rank.filter(|_| kind == "slot"), place })
    });
    Some(Contest {
        kind,
        name: name.to_string(),
        room,
        rivals: rivals.collect(),
        others,
        decided: customer.is_some(),
        customer: customer.unwrap_or_default(),
    })
}
