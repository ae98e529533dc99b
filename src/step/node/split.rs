//! `split`: a subject's arm follows from its cell, and is kept, so that it stays when shares change.

use super::Flow;
use crate::name::Name;
use crate::program::{NodeId, arm_of};
use crate::step::actor::Actor;
use crate::step::cell::cell;
use crate::step::scene::ROOT;
use crate::step::trace::Decision;
use crate::value::Value;

pub(super) fn take(actor: &mut Actor, experiment: Name, arms: &[(Name, u16, NodeId)], next: NodeId) -> Flow {
    let kept = actor.run.sym(arm_of(experiment));
    let known = match actor.run.state.attribute(&ROOT, kept) {
        Some(Value::Choice(arm)) => arms.iter().find(|(name, ..)| name == arm),
        _ => None,
    };
    let own = cell(experiment.as_str(), &actor.run.root.id);
    let Some((arm, _, target)) = known.or_else(|| arms.iter().find(|(_, behind, _)| own < *behind)) else {
        actor.trace(Decision::NoArm { cell: own });
        return Flow::Go(next);
    };
    if known.is_none() {
        actor.run.state.set_attribute(&ROOT, kept, Value::Choice(*arm));
    }
    let (experiment, arm) = (actor.run.sym(experiment), actor.run.sym(*arm));
    actor.trace(Decision::Arm { experiment, arm, cell: own });
    Flow::Go(*target)
}
