//! A message as channels write it: one JSON object, the same bytes at every attempt.

use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

use crate::step::{Delivery, RootKey};

/// `{"message": key, "channel": …, "address": …, "parts": {…}, …}`; parts in the order written. `"addressee"` only
/// where somebody else than the subject's root gets it.
pub(super) struct Payload<'a>(pub(super) &'a Delivery);

struct Parts<'a>(&'a Delivery);

impl Payload<'_> {
    /// The object as text. Names and texts always have one.
    pub(super) fn to_json(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }
}

impl Serialize for Payload<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self(delivery) = self;
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("message", &delivery.message.to_string())?;
        map.serialize_entry("channel", &delivery.channel)?;
        map.serialize_entry("address", &delivery.address)?;
        if delivery.addressee.id != delivery.message.root {
            let RootKey { entity, id } = &delivery.addressee;
            map.serialize_entry("addressee", &format!("{entity}/{id}"))?;
        }
        map.serialize_entry("purpose", &delivery.purpose)?;
        map.serialize_entry("content", &delivery.content)?;
        map.serialize_entry("parts", &Parts(delivery))?;
        map.serialize_entry("program_hash", &delivery.program_hash)?;
        map.serialize_entry("content_hash", &delivery.content_hash)?;
        if let Some(hash) = &delivery.policy_hash {
            map.serialize_entry("policy_hash", hash)?;
        }
        map.end()
    }
}

impl Serialize for Parts<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.parts.iter().map(|(name, text)| (name, text)))
    }
}
