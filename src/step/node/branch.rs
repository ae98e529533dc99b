//! `if` and `match`.

use super::Flow;
use crate::expr::eval::passes;
use crate::expr::{Expr, eval};
use crate::program::{CaseTest, NodeId};
use crate::step::actor::Actor;
use crate::step::because;
use crate::step::trace::Decision;
use crate::value::Value;

pub(super) fn on(actor: &mut Actor, condition: &Expr, then: NodeId, otherwise: NodeId) -> Flow {
    let scene = actor.scene();
    let holds = scene.admits(Some(condition));
    let because = because::of(condition, &scene);
    let (arm, target) = if holds { (0, then) } else { (1, otherwise) };
    actor.trace(Decision::Branched { arm, because });
    Flow::Go(target)
}

pub(super) fn among(
    actor: &mut Actor,
    subjects: &[Expr],
    cases: &[(Vec<CaseTest>, NodeId)],
    otherwise: NodeId,
) -> Flow {
    let scene = actor.scene();
    let values: Vec<Value> = subjects.iter().map(|subject| eval(subject, &scene)).collect();
    let fits =
        |tests: &[CaseTest]| tests.iter().zip(&values).all(|(test, value)| passes(test, value, &scene));
    let found = (0_u16..).zip(cases).find(|(_, (tests, _))| fits(tests));
    let end = u16::try_from(cases.len()).unwrap_or(u16::MAX);
    let (arm, target) = found.map_or((end, otherwise), |(arm, (_, target))| (arm, *target));
    let because = because::of_all(subjects, &scene);
    actor.trace(Decision::Branched { arm, because });
    Flow::Go(target)
}
