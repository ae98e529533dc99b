//! Derived values whose changes are noticed, and the order in which they are looked at.

use std::sync::Arc;

use super::{Index, Loaded};
use crate::expr::{Expr, Source};
use crate::name::Name;
use crate::program::{Bundle, Program};
use crate::step::enter::{Changed, Needs};
use crate::step::symbols::Symbols;

/// A derived value whose changes are noticed.
#[derive(Debug)]
pub(in crate::step) struct Tracked {
    pub name: Name,
    pub subject: Name,
    pub loaded: Arc<Loaded>,
    /// Number of its definition there.
    pub def: u16,
    timed: bool,
    /// `None`: any input may change it.
    needs: Option<Needs>,
}

impl Tracked {
    /// Whether time alone can change it.
    pub(super) fn is_timed(&self) -> bool {
        self.timed
    }

    /// Whether an input that changed this, on a day on which it was looked at or not, may have changed it.
    pub(in crate::step) fn may_differ(&self, changed: &Changed, looked_today: bool) -> bool {
        let may = |needs: &Needs| needs.are_touched_by(changed) || needs.by_day && !looked_today;
        self.needs.as_ref().is_none_or(may)
    }

    /// The values whose changes it looks back on.
    fn behind(&self) -> Vec<Name> {
        let program = &self.loaded.program;
        let mut names = Vec::new();
        if let Some(def) = program.defs.get(usize::from(self.def)) {
            looks_back(&def.value, program, &mut names);
        }
        names
    }
}

impl Index {
    pub(super) fn add_tracked(&mut self, loaded: &Arc<Loaded>, is_live: bool) {
        for tracked in &loaded.program.tracked {
            let crate::program::Tracked { name, subject, def, timed } = tracked.clone();
            let tracked = Tracked { name, subject, loaded: Arc::clone(loaded), def, timed, needs: None };
            match self.tracked.iter_mut().find(|known| known.name == name) {
                Some(known) if is_live => *known = tracked,
                Some(_) => {}
                None => self.tracked.push(tracked),
            }
        }
    }

    pub(super) fn ask_tracked(&mut self, bundle: &Bundle, symbols: &Symbols) {
        for tracked in &mut self.tracked {
            let program = &tracked.loaded.program;
            let value = program.defs.get(usize::from(tracked.def)).map(|def| &def.value);
            tracked.needs = value.and_then(|value| Needs::of_expr(value, program, bundle, symbols));
        }
    }

    /// Who looks back on changes of others finds the newest in their history, so the others are looked at first.
    pub(super) fn sort_tracked(&mut self) {
        let behind: Vec<(Name, Vec<Name>)> = self.tracked.iter().map(|it| (it.name, it.behind())).collect();
        self.tracked.sort_by_cached_key(|it| (depth(it.name, &behind, behind.len()), it.name));
    }
}

/// How many stand behind each other; `most` because versions of a program may look at each other in a ring.
fn depth(name: Name, behind: &[(Name, Vec<Name>)], most: usize) -> usize {
    let own = behind.iter().find(|(known, _)| *known == name).map(|(_, before)| before.as_slice());
    let (Some(before), 1..) = (own, most) else { return 0 };
    before.iter().map(|name| 1 + depth(*name, behind, most - 1)).max().unwrap_or(0)
}

fn looks_back(expr: &Expr, program: &Program, names: &mut Vec<Name>) {
    match expr {
        Expr::History(at) => {
            let feature = program.features.get(usize::from(*at));
            if let Some(Source::Change { attribute, .. }) = feature.map(|feature| &feature.aggregate.source) {
                names.push(*attribute);
            }
        }
        // A definition uses earlier ones only.
        Expr::Def(_, at) => {
            if let Some(def) = program.defs.get(usize::from(*at)) {
                looks_back(&def.value, program, names);
            }
        }
        other => other.parts().into_iter().for_each(|part| looks_back(part, program, names)),
    }
}
