//! `split`: a subject's arm follows from its cell, and is kept, so that it stays when shares change or a winner is found.
//! Where one was found, whoever would take part from now on gets its arm.

use super::Flow;
use crate::name::Name;
use crate::program::{NodeId, Winner, arm_of};
use crate::step::actor::Actor;
use crate::step::cell::cell;
use crate::step::scene::ROOT;
use crate::step::trace::Decision;
use crate::step::trial;
use crate::value::Value;

pub(super) struct Split<'n> {
    pub experiment: Name,
    pub arms: &'n [(Name, u16, NodeId)],
    pub next: NodeId,
    pub winner: Option<&'n Winner>,
}

pub(super) fn take(actor: &mut Actor, split: &Split<'_>) -> Flow {
    let Split { experiment, arms, next, winner } = *split;
    let kept = actor.run.sym(arm_of(experiment));
    let of = |wanted: Name| arms.iter().find(|(name, ..)| *name == wanted);
    let known = match actor.run.state.attribute(&ROOT, kept) {
        Some(Value::Choice(arm)) => of(*arm),
        _ => None,
    };
    let own = cell(experiment.as_str(), &actor.run.root.id);
    let by_cell = arms.iter().find(|(_, behind, _)| own < *behind);
    let won = by_cell.and_then(|_| of(*actor.run.world.winners.get(&experiment)?));
    let Some((arm, _, target)) = known.or(won).or(by_cell) else {
        actor.trace(Decision::NoArm { cell: own });
        return Flow::Go(next);
    };
    if known.is_none() {
        actor.run.state.set_attribute(&ROOT, kept, Value::Choice(*arm));
    }
    let syms = (actor.run.sym(experiment), actor.run.sym(*arm));
    actor.trace(Decision::Arm { experiment: syms.0, arm: syms.1, cell: own });
    trial::take_part(actor, experiment, *arm, winner);
    Flow::Go(*target)
}
