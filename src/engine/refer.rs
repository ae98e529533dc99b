//! Other roots that journeys look at (employers, branches): loaded when a world goes live, and kept up with what each
//! batch commits. Kinds that no program and no copy reads are not loaded.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde::Serialize;
use serde_json::Value as Json;

use super::handle::EngineError;
use crate::name::Name;
use crate::step::{References, Sym, World, codec};
use crate::store::{Commit, Lease, StateRow, Store};

/// Rows read at a time.
const PAGE: usize = 1_000;
/// Rows of one kind. What is beyond is unknown to journeys, and the log says so.
const MOST: usize = 200_000;

/// Gives `world` what it looks at.
pub(super) async fn load(store: &dyn Store, world: &mut World) -> Result<(), EngineError> {
    let mut references = References::of_kinds(kinds(world));
    for entity in references.kinds().clone() {
        let Some(Sym(kind)) = world.symbols.sym(entity) else { continue };
        let mut after = None;
        let mut read = 0;
        loop {
            let rows = store.scan(kind, after.as_ref(), PAGE).await?;
            rows.iter().for_each(|row| add(world, &mut references, entity, row));
            read += rows.len();
            after = rows.last().map(|row| row.key.clone());
            if rows.len() < PAGE {
                break;
            }
            if read >= MOST {
                tracing::warn!(%entity, MOST, "more rows than journeys can look at");
                break;
            }
        }
    }
    world.references = Arc::new(references);
    Ok(())
}

/// Under which name a worker says that it has written rows that journeys look at, by its first group.
pub(super) fn mark_name(group: u16) -> String {
    format!("refer.{group}")
}

/// Says in `commit` that it writes such rows, so that other workers read them again.
pub(super) fn mark(world: &World, lease: &Lease, commit: &mut Commit) {
    let kinds = world.references.kinds();
    let is_read =
        |row: &StateRow| world.symbols.name(Sym(row.key.kind)).is_some_and(|entity| kinds.contains(&entity));
    let Some((group, epoch)) = lease.groups.first() else { return };
    if !kinds.is_empty() && commit.states.iter().any(is_read) {
        commit.meta.push((mark_name(*group), format!("{epoch} {}", commit.batch)));
    }
}

/// The world after a commit; `None` if nothing that it looks at was written.
pub(super) fn update(world: &World, states: &[StateRow]) -> Option<World> {
    let kinds = world.references.kinds();
    let entity =
        |row: &StateRow| world.symbols.name(Sym(row.key.kind)).filter(|entity| kinds.contains(entity));
    let mut written = states.iter().filter_map(|row| Some((entity(row)?, row))).peekable();
    written.peek()?;
    let mut references = References::clone(&world.references);
    written.for_each(|(entity, row)| add(world, &mut references, entity, row));
    let mut world = world.clone();
    world.references = Arc::new(references);
    Some(world)
}

/// A row that cannot be read is isolated when its own turn comes; here it is only not known.
fn add(world: &World, references: &mut References, entity: Name, row: &StateRow) {
    let Ok(state) = codec::decode(&row.body) else { return };
    let attributes = state.attributes.into_iter();
    let named = attributes.filter_map(|(name, value)| Some((world.symbols.name(name)?, value)));
    references.set(entity, Arc::from(&*row.key.id), named.collect());
}

/// The kinds that programs and copy read through an attribute.
fn kinds(world: &World) -> BTreeSet<Name> {
    let mut kinds = BTreeSet::new();
    world.programs.values().for_each(|program| see(&*program.body, &mut kinds));
    world.bundle.contents.values().for_each(|content| see(&*content.body, &mut kinds));
    kinds
}

/// Looks at the serial form, so that no place of a program is forgotten.
fn see(body: &impl Serialize, kinds: &mut BTreeSet<Name>) {
    let Ok(json) = serde_json::to_value(body) else { return };
    let mut open = vec![&json];
    while let Some(json) = open.pop() {
        match json {
            Json::Object(fields) => {
                for (name, inner) in fields {
                    let entity = match name.as_str() {
                        "Reference" => inner.get("entity"),
                        "Anchored" => inner.get("of").filter(|of| !of.is_null()).and(inner.get("entity")),
                        "Anchor" => inner.get("of").and_then(|of| of.get(1)),
                        _ => None,
                    };
                    kinds.extend(entity.and_then(Json::as_str).map(Name::new));
                    open.push(inner);
                }
            }
            Json::Array(items) => open.extend(items),
            _ => {}
        }
    }
}
