//! Who is in an audience, condition by condition: for counts of a whole store, and for one subject in words.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::horizon::Short;
use super::index::Loaded;
use super::input::RootKey;
use super::run::zone_of;
use super::scene::Scene;
use super::state::{State, SubjectRef};
use super::world::World;
use super::{because, enter, horizon};
use crate::expr::explain::{Reader, Reason, explain};
use crate::expr::show::{Names, expr as words};
use crate::expr::{Aggregate, BinaryOp, Expr, Owner, eval};
use crate::name::Name;

/// An audience of the live deployment.
pub struct Audience<'w> {
    world: &'w World,
    loaded: &'w Loaded,
    whole: &'w Expr,
    parts: Vec<&'w Expr>,
}

/// Of one subject.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// The child it is; `None`: the root itself.
    pub child: Option<std::sync::Arc<str>>,
    pub is_in: bool,
    /// The conditions that made it so.
    pub because: Vec<Reason>,
}

impl<'w> Audience<'w> {
    /// The audience of this name that some live journey asks; `None`: none does.
    #[must_use]
    pub fn find(world: &'w World, name: Name) -> Option<Self> {
        let live = world.live.values().filter_map(|no| world.index().program(*no));
        let asks = |loaded: &&std::sync::Arc<Loaded>| loaded.program.defs.iter().any(|def| def.name == name);
        // Of a child's journey it may be the parent's: a journey of its own subject is better.
        let loaded =
            live.filter(asks).min_by_key(|loaded| (loaded.of_child, loaded.program.journey.as_str()))?;
        let def = loaded.program.defs.iter().find(|def| def.name == name)?;
        let mut parts = Vec::new();
        split(&def.value, &mut parts);
        Some(Self { world, loaded, whole: &def.value, parts })
    }

    /// Names that [`Self::find`] finds: conditions that live journeys ask by name.
    #[must_use]
    pub fn all(world: &World) -> Vec<Name> {
        let live = world.live.values().filter_map(|no| world.index().program(*no));
        let defs = live.flat_map(|loaded| loaded.program.defs.iter().map(|def| (def, &loaded.program)));
        let mut names: Vec<Name> =
            defs.filter(|(def, _)| is_condition(&def.value)).map(|(def, _)| def.name).collect();
        names.sort_by_key(|name| name.as_str());
        names.dedup();
        names
    }

    /// What it is of, and what the rows are of that hold it.
    #[must_use]
    pub fn subject(&self) -> (Name, Name) {
        (self.loaded.program.subject, self.loaded.program.root)
    }

    /// Its conditions, all of which must hold, in the author's words.
    #[must_use]
    pub fn conditions(&self) -> Vec<String> {
        self.parts.iter().map(|part| words(part, &*self.loaded.program)).collect()
    }

    /// What it asks of a time before anything is known.
    #[must_use]
    pub fn short(&self, now: Timestamp) -> Vec<Short> {
        let program = &self.loaded.program;
        let all = horizon::of(program, &self.world.since, &self.world.zone, now);
        horizon::asked(program, self.whole, all)
    }

    /// Of each subject of the row, which conditions hold.
    #[must_use]
    pub fn look(&self, root: &RootKey, state: &State, now: Timestamp) -> Vec<Vec<bool>> {
        self.each(root, state, now, |scene| self.parts.iter().map(|part| eval::holds(part, scene)).collect())
    }

    /// Of each subject of the row, whether it is in and why.
    #[must_use]
    pub fn explain(&self, root: &RootKey, state: &State, now: Timestamp) -> Vec<Member> {
        self.each(root, state, now, |scene| {
            let told = explain(self.whole, scene, &Asked { loaded: self.loaded, scene });
            let child = scene.subject.0.as_ref().map(|(_, id)| id.clone());
            Member { child, is_in: told.holds, because: told.because }
        })
    }

    fn each<T>(&self, root: &RootKey, state: &State, now: Timestamp, look: impl Fn(&Scene) -> T) -> Vec<T> {
        if !state.known {
            return Vec::new();
        }
        let zone = zone_of(self.world, state);
        let subjects = enter::subjects_in(self.world, root, state, self.loaded.program.subject);
        subjects.iter().map(|subject| look(&self.scene(root, state, subject, &zone, now))).collect()
    }

    fn scene<'s>(
        &'s self,
        root: &'s RootKey,
        state: &'s State,
        subject: &'s SubjectRef,
        zone: &'s TimeZone,
        now: Timestamp,
    ) -> Scene<'s> {
        Scene::of_row(self.world, root, state, zone, now).seen_by(&self.loaded.program, subject)
    }
}

/// What an explanation reads beside the scene.
struct Asked<'a> {
    loaded: &'a Loaded,
    scene: &'a Scene<'a>,
}

impl Names for Asked<'_> {
    fn local(&self, slot: u16) -> Option<Name> {
        self.loaded.program.local(slot)
    }
    fn def(&self, index: u16) -> Option<Name> {
        self.loaded.program.def(index)
    }
    fn feature(&self, index: u16) -> Option<&Aggregate> {
        self.loaded.program.feature(index)
    }
    fn parent(&self) -> Option<Name> {
        self.loaded.program.parent()
    }
}

impl Reader for Asked<'_> {
    fn is_masked(&self, leaf: &Expr) -> bool {
        because::is_masked(leaf, self.scene)
    }
    fn definition(&self, index: u16) -> Option<&Expr> {
        self.loaded.program.defs.get(usize::from(index)).map(|def| &def.value)
    }
}

/// The sides of `and`.
fn split<'e>(expr: &'e Expr, parts: &mut Vec<&'e Expr>) {
    match expr {
        Expr::Binary(BinaryOp::And, left, right) => {
            split(left, parts);
            split(right, parts);
        }
        other => parts.push(other),
    }
}

/// Whether the value can only be true or false, as far as its form says.
fn is_condition(expr: &Expr) -> bool {
    match expr {
        Expr::Binary(op, ..) => !matches!(op, BinaryOp::Add | BinaryOp::Sub | BinaryOp::Mul | BinaryOp::Div),
        Expr::Not(_)
        | Expr::Known(..)
        | Expr::Tag(..)
        | Expr::Def(Owner::Subject | Owner::Parent, _)
        | Expr::History(_)
        | Expr::Attr(..) => true,
        _ => false,
    }
}
