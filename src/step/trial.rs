//! Experiments as one subject sees them: who counts for an arm, and who has reached what decides.
//!
//! Counted by intention: whoever is in an arm counts for it from the split on, whatever is sent behind it, and once,
//! however often it enters. Whoever is held out counts for none.

use super::actor::Actor;
use super::index::Loaded;
use super::message;
use super::run::Run;
use super::scene::ROOT;
use super::trace::Decision;
use crate::name::Name;
use crate::program::{NodeKind, REACHED, TAKES_PART, Winner, arm_of, tally_of};
use crate::value::Value;

/// The subject has been given its arm.
pub(super) fn take_part(actor: &mut Actor, experiment: Name, arm: Name, winner: Option<&Winner>) {
    if winner.is_none() || message::is_held_out(actor) {
        return;
    }
    let tally = actor.run.sym(tally_of(experiment));
    if actor.run.state.attribute(&ROOT, tally).is_some() {
        return;
    }
    actor.run.state.set_attribute(&ROOT, tally, Value::Int(TAKES_PART));
    let (experiment, arm) = (actor.run.sym(experiment), actor.run.sym(arm));
    actor.trace(Decision::Counts { experiment, arm });
}

/// A goal of `loaded` was reached: what is to be noted of it, where it decides an experiment that the subject is in.
pub(super) fn reached(run: &mut Run, loaded: &Loaded, goal: u16) -> Option<Decision> {
    let name = loaded.program.goals.get(usize::from(goal))?.name;
    let experiment = loaded.program.nodes.iter().find_map(|node| match &node.kind {
        NodeKind::Split { experiment, winner: Some(winner), .. } if winner.goal == name => Some(*experiment),
        _ => None,
    })?;
    let tally = run.sym(tally_of(experiment));
    if run.state.attribute(&ROOT, tally) != Some(&Value::Int(TAKES_PART)) {
        return None;
    }
    let Some(Value::Choice(arm)) = run.state.attribute(&ROOT, run.sym(arm_of(experiment))) else {
        return None;
    };
    let (arm, experiment) = (run.sym(*arm), run.sym(experiment));
    run.state.set_attribute(&ROOT, tally, Value::Int(REACHED));
    Some(Decision::Succeeds { experiment, arm })
}
