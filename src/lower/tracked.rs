//! Which derived values a program follows: `drop of membership` in a pattern or in a history condition.

use std::collections::BTreeSet;

use crate::expr::{Expr, Source};
use crate::model::Model;
use crate::name::Name;
use crate::program::{Def, Program, Tracked};

/// By name. The program holds the definition of each, because whoever names a change names what changes.
pub(super) fn of(model: &Model, program: &Program) -> Vec<Tracked> {
    let patterns = program.patterns().map(|pattern| &pattern.source);
    let features = program.features.iter().map(|feature| &feature.aggregate.source);
    let names: BTreeSet<Name> = patterns
        .chain(features)
        .filter_map(|source| match source {
            Source::Change { attribute, .. } => Some(*attribute),
            _ => None,
        })
        .collect();
    let tracked = names.into_iter().filter_map(|name| {
        let derived = model.derived.get(&name)?;
        let is_attribute = [program.subject, program.root]
            .iter()
            .any(|entity| model.entities.get(entity).is_some_and(|entity| entity.field(name).is_some()));
        let at = program.defs.iter().position(|def| def.name == name).filter(|_| !is_attribute)?;
        let timed = is_timed(&program.defs.get(at)?.value, &program.defs);
        Some(Tracked { name, subject: derived.subject, def: u16::try_from(at).ok()?, timed })
    });
    tracked.collect()
}

/// Whether the value can change while nothing happens. A definition uses earlier ones only.
fn is_timed(expr: &Expr, defs: &[Def]) -> bool {
    match expr {
        Expr::History(_)
        | Expr::Tag(..)
        | Expr::Now
        | Expr::Today
        | Expr::Span { .. }
        | Expr::Reference { .. }
        | Expr::Anchored { .. } => true,
        Expr::Aggregate(aggregate) => aggregate.exprs().into_iter().any(|part| is_timed(part, defs)),
        Expr::Def(_, at) => {
            let before = defs.get(..usize::from(*at)).unwrap_or_default();
            defs.get(usize::from(*at)).is_some_and(|def| is_timed(&def.value, before))
        }
        other => other.parts().into_iter().any(|part| is_timed(part, defs)),
    }
}
