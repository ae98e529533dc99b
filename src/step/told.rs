//! Events that name somebody else: a message of a customer, written in a group, is heard by the group too.
//!
//! The row that the event came to tells the row that it names, with one field more: who it happened to. There it is
//! history, and replies may answer it; nothing else is entered by it.

use std::sync::Arc;

use super::input::{Event, EventKind, MessageKey, RootKey};
use super::occurrence::{self, Occurrence};
use super::post::{self, Errand};
use super::run::Run;
use super::{happen, park};
use crate::name::Name;
use crate::value::Value;

/// The first part of its key.
const TOLD: &str = "wayfare.told";

/// Tells whoever the event names and who listens.
pub(super) fn pass_on(run: &mut Run, event: &Event, name: Name) {
    let index = run.world.index();
    let told = index.told(name);
    let of = index.events.get(&name).map(|declared| index.root_of(declared.subject));
    if told.is_empty() || of != Some(run.root.entity) {
        return;
    }
    for (entity, field) in told {
        let named = event.fields.iter().find(|(known, _)| known == field).map(|(_, value)| value);
        let Some(Value::Text(id)) = named.filter(|id| !matches!(id, Value::Text(id) if id.is_empty())) else {
            continue;
        };
        let to = RootKey { entity: *entity, id: Arc::clone(id) };
        let key = MessageKey {
            journey: TOLD.into(),
            root: run.root.id.clone(),
            child: None,
            entry: occurrence::identity(event),
            step: name.as_str().into(),
        };
        let mut event = Event { child: None, ..event.clone() };
        if event.fields.iter().all(|(known, _)| *known != run.root.entity) {
            event.fields.push((run.root.entity, Value::Text(run.root.id.clone())));
        }
        post::send(run, to, key, Errand::Tell(Box::new(event)));
    }
}

/// An event of another row has come that names this one.
pub(super) fn take(run: &mut Run, event: &Event) {
    let EventKind::Declared(name) = event.kind else { return };
    if !run.state.known {
        return park::park(run, event);
    }
    let occurrence = Occurrence::of_event(event, name, run);
    happen(run, occurrence);
}
