//! Conditions that look further back than anything is known of: the log did not reach as far when they were first asked, or
//! does not tell what they ask for (messages, tasks, changes of derived values).

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::features::{Back, looks_back};
use crate::expr::Expr;
use crate::expr::show::expr as words;
use crate::name::Name;
use crate::program::Program;

/// A condition whose past is not all known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Short {
    pub journey: Name,
    /// In the author's words.
    pub condition: String,
    /// What happened before is not known to it.
    pub from: Timestamp,
}

/// Those of `program`. `since`: of which conditions the past is known from when on, by their id.
#[must_use]
pub fn of(
    program: &Program,
    since: &BTreeMap<Name, Timestamp>,
    zone: &TimeZone,
    now: Timestamp,
) -> Vec<Short> {
    let numbered = program.features.iter().zip(0_u16..);
    let short = numbered.filter_map(|(feature, number)| {
        let from = *since.get(&super::replay::name_of(feature))?;
        let day = |at: Timestamp| at.to_zoned(zone.clone()).date();
        let is_short = match looks_back(&feature.aggregate, day(now)) {
            Back::Ever => true,
            Back::Instance => false,
            Back::Days(days) => {
                day(now).checked_sub(jiff::Span::new().days(days)).is_ok_and(|first| first < day(from))
            }
        };
        let condition = || words(&Expr::History(number), program);
        is_short.then(|| Short { journey: program.journey, condition: condition(), from })
    });
    short.collect()
}

/// Those that `expr` of `program` asks, by their words.
#[must_use]
pub fn asked(program: &Program, expr: &Expr, all: Vec<Short>) -> Vec<Short> {
    let mut conditions = Vec::new();
    let mut open = vec![expr];
    // A definition asks only those before it.
    while let Some(expr) = open.pop() {
        match expr {
            Expr::History(_) => conditions.push(words(expr, program)),
            Expr::Def(_, number) => {
                open.extend(program.defs.get(usize::from(*number)).map(|def| &def.value));
            }
            _ => {}
        }
        open.extend(expr.parts());
    }
    all.into_iter().filter(|short| conditions.contains(&short.condition)).collect()
}
