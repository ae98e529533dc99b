//! Events on their way in: what is refused at once, and what makes two of them the same.

use std::collections::HashMap;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use ring::digest::{SHA256, digest};

use super::handle::Receipt;
use crate::diagnostic::code;
use crate::step::{Event, RootKey, World};
use crate::store::{Dedup, Quarantined};

/// A source's clock may be this much ahead of ours.
const AHEAD: SignedDuration = SignedDuration::from_mins(5);
/// Slot of events whose time is that of their arrival: sent again they arrive at another.
const UNTIMED: i32 = -1;
/// As the doors have it.
const LONGEST_ID: usize = 512;

/// Why an event is put aside without being looked at by any journey: a stable code and a reason.
pub(super) type Refusal = (&'static str, String);

/// An event with its identity.
pub(super) struct Identified {
    pub root: RootKey,
    pub event: Event,
    pub identity: Dedup,
}

/// Checks that need no state.
pub(super) fn refuse(world: &World, root: &RootKey, event: &Event, now: Timestamp) -> Option<Refusal> {
    if world.symbols.sym(root.entity).is_none() {
        return Some((code::UNKNOWN_ENTITY.as_str(), format!("there is no entity `{}`", root.entity)));
    }
    if root.id.is_empty() || root.id.len() > LONGEST_ID || root.id.chars().any(char::is_control) {
        let rule = format!("an id has 1 to {LONGEST_ID} bytes and no control characters");
        return Some((code::WRONG_SUBJECT.as_str(), rule));
    }
    if event.time.duration_since(now) > AHEAD {
        let reason = format!("its time `{}` is more than 5 minutes ahead", event.time);
        return Some((code::AHEAD_OF_TIME.as_str(), reason));
    }
    None
}

/// The identity of an event: (source, id). The payload leaves out when it happened and arrived, because an event
/// without a time of its own gets another at each arrival. `group`: of the root's bucket.
pub(super) fn identify(group: u16, root: RootKey, event: Event) -> Identified {
    let mut name = Vec::with_capacity(event.source.len() + event.id.len() + 8);
    name.extend_from_slice(&event.source.len().to_le_bytes());
    name.extend_from_slice(event.source.as_bytes());
    name.extend_from_slice(event.id.as_bytes());
    let hash = first_bytes(&name);
    let payload = postcard::to_stdvec(&(&root, &event.kind, &event.child, &event.fields)).unwrap_or_default();
    let payload = u32::from_le_bytes(first_bytes(&payload));
    Identified { root, identity: Dedup { group, slot: slot(&event), hash, payload }, event }
}

/// Where the store may know an event from: the slot of its own time, and the slot of events without one. Which of them
/// it was given hangs on when it arrived, and by which clock.
pub(super) fn places(event: &Identified) -> impl Iterator<Item = Dedup> + use<> {
    let identity = event.identity;
    [UNTIMED, day(&event.event)].into_iter().map(move |slot| Dedup { slot, ..identity })
}

/// The identities known so far: those of the store, and those that came earlier in this batch.
#[derive(Default)]
pub(super) struct Known(HashMap<[u8; 16], u32>);

impl Known {
    pub(super) fn new(stored: &[Dedup]) -> Self {
        Self(stored.iter().map(|seen| (seen.hash, seen.payload)).collect())
    }

    /// `None` for a new event, which is known from now on.
    pub(super) fn repeated(&mut self, identity: &Dedup) -> Option<Receipt> {
        match self.0.get(&identity.hash) {
            None => {
                self.0.insert(identity.hash, identity.payload);
                None
            }
            Some(payload) if *payload == identity.payload => Some(Receipt::Duplicate),
            Some(_) => Some(Receipt::Conflict),
        }
    }
}

/// An event as kept in quarantine, readable and complete: it can be submitted again.
pub(super) fn quarantined(
    root: &RootKey,
    event: &Event,
    code: &str,
    reason: &str,
    now: Timestamp,
) -> Quarantined {
    let body = serde_json::to_vec(&(root, event)).unwrap_or_default();
    Quarantined { at: now, code: code.to_owned(), reason: reason.to_owned(), body }
}

pub(super) fn refused(reason: &str) -> Receipt {
    Receipt::Quarantined(Arc::from(reason))
}

fn slot(event: &Event) -> i32 {
    if event.time == event.received {
        return UNTIMED;
    }
    day(event)
}

fn day(event: &Event) -> i32 {
    i32::try_from(event.time.as_second().div_euclid(86_400)).unwrap_or(UNTIMED)
}

fn first_bytes<const N: usize>(data: &[u8]) -> [u8; N] {
    let mut bytes = [0; N];
    for (to, from) in bytes.iter_mut().zip(digest(&SHA256, data).as_ref()) {
        *to = *from;
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::name::Name;
    use crate::step::EventKind;
    use crate::value::Value;

    fn event(source: &str, id: &str, time: i64, received: i64) -> Event {
        Event {
            source: source.into(),
            id: id.into(),
            kind: EventKind::Declared(Name::new("swiped")),
            child: None,
            time: Timestamp::from_second(time).unwrap(),
            received: Timestamp::from_second(received).unwrap(),
            fields: vec![(Name::new("amount"), Value::Int(5))],
        }
    }

    fn identified(event: Event) -> Identified {
        identify(0, RootKey { entity: Name::new("customer"), id: "c1".into() }, event)
    }

    fn identity(event: Event) -> Dedup {
        identified(event).identity
    }

    #[test]
    fn source_and_id_make_the_identity() {
        let one = identity(event("a", "bc", 0, 9));
        assert_eq!(one, identity(event("a", "bc", 5, 99)));
        assert_ne!(one.hash, identity(event("ab", "c", 0, 9)).hash);
        let mut other = event("a", "bc", 0, 9);
        other.fields.clear();
        let other = identity(other);
        assert_eq!(one.hash, other.hash);
        assert_ne!(one.payload, other.payload);
    }

    #[test]
    fn an_event_without_a_time_is_known_again_on_another_day() {
        let first = identity(event("a", "b", 50, 50));
        for again in [event("a", "b", 90_000, 90_000), event("a", "b", 50, 90_000)] {
            assert!(
                places(&identified(again)).any(|place| (place.slot, place.hash) == (first.slot, first.hash))
            );
        }
    }

    /// A clock that was set back in between made the second arrival that of an event without a time.
    #[test]
    fn an_event_is_known_again_whatever_the_clock_says_of_its_arrival() {
        let first = identity(event("a", "b", 50, 52));
        let again = identified(event("a", "b", 50, 50));
        assert_ne!(first.slot, again.identity.slot);
        assert!(places(&again).any(|place| (place.slot, place.hash) == (first.slot, first.hash)));
    }

    #[test]
    fn repeats_within_a_batch_are_seen() {
        let one = identity(event("a", "b", 0, 9));
        let mut known = Known::new(&[]);
        assert_eq!(known.repeated(&one), None);
        assert_eq!(known.repeated(&one), Some(Receipt::Duplicate));
        assert_eq!(known.repeated(&Dedup { payload: 1, ..one }), Some(Receipt::Conflict));
    }
}
