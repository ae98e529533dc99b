//! The names that messages of a `repeat` have in its rounds: all of them are numbered when the program is deployed, so
//! that a step only looks them up.

use std::collections::HashMap;

use crate::name::Name;
use crate::program::{Node, NodeKind, Program, in_rounds};

/// More names than any program that is meant has. What lies beyond has none, and would not be sent.
const MOST_NAMES: usize = 100_000;

/// Step and name in a round, for every step or rung that can have a message in rounds.
pub(super) fn names(program: &Program) -> Vec<(Name, Name)> {
    let numbers: HashMap<u16, (i64, i64)> = program
        .nodes
        .iter()
        .filter_map(|node| match &node.kind {
            NodeKind::Round { slot, numbers, .. } => Some((*slot, *numbers)),
            _ => None,
        })
        .collect();
    let mut names = Vec::new();
    for node in program.nodes.iter().filter(|node| !node.rounds.is_empty()) {
        for step in messages(node) {
            let mut front = vec![Vec::new()];
            for slot in &node.rounds {
                let (first, last) = numbers.get(slot).copied().unwrap_or_default();
                let longer = |front: &Vec<i64>| {
                    (first..=last).map(|number| [front.as_slice(), &[number]].concat()).collect::<Vec<_>>()
                };
                front = front.iter().flat_map(longer).take(MOST_NAMES).collect();
            }
            names.extend(front.iter().map(|numbers| (step, in_rounds(step, numbers))));
        }
    }
    names
}

fn messages(node: &Node) -> Vec<Name> {
    match &node.kind {
        NodeKind::Reach { rungs, .. } => rungs.iter().map(|rung| rung.step).collect(),
        NodeKind::Show(show) => show.slots.iter().map(|slot| slot.step).chain([node.step]).collect(),
        NodeKind::Send { .. } | NodeKind::Assign(_) | NodeKind::Give { .. } => vec![node.step],
        _ => Vec::new(),
    }
}
