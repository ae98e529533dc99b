//! `if` and `match`.

use super::Flow;
use crate::expr::{BinaryOp, Env, Expr, eval};
use crate::program::{CaseTest, NodeId};
use crate::step::actor::Actor;
use crate::step::because;
use crate::step::scene::Scene;
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

fn passes(test: &CaseTest, value: &Value, scene: &Scene) -> bool {
    match test {
        CaseTest::Any => true,
        CaseTest::Compare(op, bound) => compares(*op, value, bound, scene),
        CaseTest::OneOf(options) => options.iter().any(|option| {
            let op = if matches!(eval(option, scene), Value::Range(_)) { BinaryOp::In } else { BinaryOp::Is };
            compares(op, value, option, scene)
        }),
    }
}

fn compares(op: BinaryOp, value: &Value, bound: &Expr, scene: &dyn Env) -> bool {
    let left = Box::new(Expr::Const(value.clone()));
    eval(&Expr::Binary(op, left, Box::new(bound.clone())), scene) == Value::Bool(true)
}
