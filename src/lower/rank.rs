//! Which priority a journey goes by: its own, else the highest among the audiences that everybody who enters is in.

use crate::expr::{BinaryOp, Expr, Pattern};
use crate::model::{Journey, Model};
use crate::name::Name;
use crate::program::Enter;

pub(super) fn priority(model: &Model, journey: &Journey) -> Option<Name> {
    if journey.priority.is_some() {
        return journey.priority;
    }
    let mut conditions: Vec<&Expr> = Vec::new();
    match &journey.enter {
        Enter::Event(patterns) => return shared(model, journey, patterns),
        Enter::Without { trigger, .. } => conditions.extend(&trigger.filter),
        Enter::When { condition, .. } => conditions.push(condition),
        Enter::Date { filter, .. } | Enter::Anchor { filter, .. } | Enter::Every { filter, .. } => {
            conditions.extend(filter);
        }
        Enter::Start | Enter::List => {}
    }
    conditions.into_iter().find_map(|condition| best(model, journey, condition))
}

/// Of several events each must ask for an audience, and the journey goes by the lowest of them.
fn shared(model: &Model, journey: &Journey, patterns: &[Pattern]) -> Option<Name> {
    let mut lowest: Option<Name> = None;
    for pattern in patterns {
        let own = best(model, journey, pattern.filter.as_ref()?)?;
        lowest = lowest.into_iter().chain([own]).max_by_key(|name| place(model, *name));
    }
    lowest
}

/// The highest priority of the audiences that `condition` asks for in any case.
fn best(model: &Model, journey: &Journey, condition: &Expr) -> Option<Name> {
    match condition {
        Expr::Binary(BinaryOp::And, left, right) => {
            let both = [left, right].into_iter().filter_map(|side| best(model, journey, side));
            both.min_by_key(|name| place(model, *name))
        }
        Expr::Def(_, number) => {
            let name = journey.uses.defs.get(usize::from(*number))?;
            model.derived.get(name)?.priority
        }
        _ => None,
    }
}

/// 0 goes first.
fn place(model: &Model, priority: Name) -> usize {
    let mut order = model.policies.values().flat_map(|policy| &policy.order);
    order.position(|known| *known == priority).unwrap_or(usize::MAX)
}
