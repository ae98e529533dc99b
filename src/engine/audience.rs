//! Counts of an audience over the whole store, and why somebody is in it or not. Reads beside the engine, a page at a
//! time; nothing is kept.

use std::sync::Arc;

use jiff::Timestamp;

use super::handle::EngineError;
use super::why;
use crate::name::Name;
use crate::step::audience::Audience;
pub use crate::step::audience::Member;
pub use crate::step::horizon::Short;
use crate::step::{RootKey, Sym, World, codec, replay};
use crate::store::{RowKey, StateRow, Store};

/// States read at a time.
const PAGE: usize = 1_000;

/// What `audience` asks of a time before anything is known.
#[must_use]
pub fn short(world: &World, audience: Name, now: Timestamp) -> Vec<Short> {
    Audience::find(world, audience).map(|asked| asked.short(now)).unwrap_or_default()
}

/// How many pass which condition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Funnel {
    pub audience: Name,
    /// What it is of.
    pub subject: Name,
    /// Subjects that are known.
    pub known: u64,
    /// Those in it.
    pub members: u64,
    pub conditions: Vec<Condition>,
    /// Rows that could not be read.
    pub unreadable: u64,
    /// What it asks of a time before anything is known.
    pub short: Vec<Short>,
}

/// One of the conditions that must all hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Condition {
    /// In the author's words.
    pub text: String,
    /// Subjects for whom it holds.
    pub alone: u64,
    /// Subjects for whom it holds with all conditions before it.
    pub together: u64,
}

/// Counts everybody; `None` if no live journey asks the audience.
pub async fn count(
    store: &dyn Store,
    world: &World,
    audience: Name,
    now: Timestamp,
) -> Result<Option<Funnel>, EngineError> {
    let Some(asked) = Audience::find(world, audience) else { return Ok(None) };
    let (subject, root) = asked.subject();
    let conditions = asked.conditions().into_iter();
    let mut funnel = Funnel {
        audience,
        subject,
        known: 0,
        members: 0,
        conditions: conditions.map(|text| Condition { text, alone: 0, together: 0 }).collect(),
        unreadable: 0,
        short: asked.short(now),
    };
    let Some(Sym(kind)) = world.symbols.sym(root) else { return Ok(Some(funnel)) };
    let mut after: Option<RowKey> = None;
    loop {
        let rows = store.scan(kind, after.as_ref(), PAGE).await?;
        for row in &rows {
            funnel.add(world, &asked, row, now);
        }
        if rows.len() < PAGE {
            return Ok(Some(funnel));
        }
        after = rows.last().map(|row| row.key.clone());
    }
}

/// Why the subjects of a row are in an audience or not; `None` if no live journey asks it. The inner `None`: nothing is
/// known of the row.
pub async fn explain(
    store: &dyn Store,
    world: &World,
    audience: Name,
    id: &str,
    now: Timestamp,
) -> Result<Option<Option<Vec<Member>>>, EngineError> {
    let Some(asked) = Audience::find(world, audience) else { return Ok(None) };
    let root = RootKey { entity: asked.subject().1, id: id.into() };
    let Some(mut account) = why::account(store, world, &root).await? else { return Ok(Some(None)) };
    replay::adopt(world, &mut account.state);
    Ok(Some(Some(asked.explain(&root, &account.state, now))))
}

impl Funnel {
    fn add(&mut self, world: &World, asked: &Audience<'_>, row: &StateRow, now: Timestamp) {
        let Ok(mut state) = codec::decode(&row.body) else {
            self.unreadable += 1;
            return;
        };
        replay::adopt(world, &mut state);
        let root = RootKey { entity: asked.subject().1, id: Arc::clone(&row.key.id) };
        for holds in asked.look(&root, &state, now) {
            self.known += 1;
            self.members += u64::from(holds.iter().all(|holds| *holds));
            let mut together = true;
            for (condition, holds) in self.conditions.iter_mut().zip(holds) {
                together &= holds;
                condition.alone += u64::from(holds);
                condition.together += u64::from(together);
            }
        }
    }
}
