//! How late what is waited for may arrive: a timer fires only when the deadline and this have passed.

use super::index::Loaded;
use super::world::World;
use crate::expr::Source;

/// In milliseconds. Message events and changes of attributes are the bank's own and are never late.
pub(super) fn of(source: &Source, world: &World) -> i64 {
    match source {
        Source::Event(name) => world.index().events.get(name).map_or(0, |event| event.late_ms.max(0)),
        _ => 0,
    }
}

/// The greatest of several awaits.
pub(super) fn of_awaits(awaits: impl Iterator<Item = u16>, loaded: &Loaded, world: &World) -> i64 {
    let awaited = awaits.filter_map(|number| loaded.program.awaits.get(usize::from(number)));
    awaited.map(|awaited| of(&awaited.pattern.source, world)).max().unwrap_or(0)
}
