//! The leaves of a condition with the values they had, for the trace. Numbered in the order written, so that
//! [`super::explain`] finds their words in the pinned program.

use super::scene::{ROOT, Scene};
use super::trace::Because;
use crate::expr::{Expr, Owner, eval};
use crate::name::Name;
use crate::program::Def;
use crate::value::Value;

/// More leaves than anybody reads.
const MOST_LEAVES: usize = 8;
/// What stands for a value of a class that must not be in traces.
const MASKED: &str = "***";

pub(super) fn of(condition: &Expr, scene: &Scene) -> Because {
    of_all(std::slice::from_ref(condition), scene)
}

pub(super) fn of_all(conditions: &[Expr], scene: &Scene) -> Because {
    let leaves = (0_u16..).zip(leaves(conditions, scene.defs)).take(MOST_LEAVES);
    leaves.map(|(number, leaf)| (number, seen(leaf, scene))).collect()
}

/// Everything named that the conditions look at, in the order written; behind a metric or audience of the subject
/// comes what that looks at in turn.
pub(super) fn leaves<'e>(conditions: &'e [Expr], defs: &'e [Def]) -> Vec<&'e Expr> {
    let mut found = Vec::new();
    for condition in conditions {
        collect(condition, defs, &mut found);
    }
    found
}

/// A definition only uses earlier ones, so `defs` gets shorter on the way down.
fn collect<'e>(expr: &'e Expr, defs: &'e [Def], found: &mut Vec<&'e Expr>) {
    match expr {
        Expr::Def(owner, number) => {
            found.push(expr);
            let number = usize::from(*number);
            if let (Owner::Subject, Some(def)) = (owner, defs.get(number)) {
                collect(&def.value, defs.get(..number).unwrap_or_default(), found);
            }
        }
        Expr::Attr(..)
        | Expr::Tag(..)
        | Expr::Local(_)
        | Expr::Param(_)
        | Expr::Field(..)
        | Expr::Reference { .. }
        | Expr::Anchored { .. }
        | Expr::Aggregate(_)
        | Expr::History(_)
        | Expr::Balance(..) => found.push(expr),
        other => other.parts().into_iter().for_each(|part| collect(part, defs, found)),
    }
}

fn seen(leaf: &Expr, scene: &Scene) -> Value {
    match eval(leaf, scene) {
        Value::Missing => Value::Missing,
        _ if is_masked(leaf, scene) => Value::text(MASKED),
        value @ (Value::Record(_) | Value::List(_)) => summary(&value),
        value => value,
    }
}

/// A list or record is named, not copied: it may be long, and may hold what is masked.
fn summary(value: &Value) -> Value {
    match value {
        Value::List(items) if items.iter().all(|item| matches!(item, Value::Choice(_))) => value.clone(),
        Value::List(items) => Value::text(&format!("{} values", items.len())),
        _ => Value::text("known"),
    }
}

pub(super) fn is_masked(leaf: &Expr, scene: &Scene) -> bool {
    let (entity, name) = match leaf {
        Expr::Attr(Owner::Subject, name) => (scene.entity(scene.subject), name),
        Expr::Attr(Owner::Parent, name) => (scene.entity(&ROOT), name),
        Expr::Reference { entity, attribute, .. } => (Some(*entity), attribute),
        _ => return false,
    };
    let entity = entity.and_then(|entity| scene.world.index().entities.get(&entity));
    let class = entity.and_then(|entity| entity.fields.iter().find(|field| field.name == *name)?.class);
    class.is_some_and(masks)
}

/// Data classes whose values never enter a trace.
pub(super) fn masks(class: Name) -> bool {
    matches!(class.as_str(), "identity" | "sensitive" | "protected")
}
