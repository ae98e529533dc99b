//! Reserved types about being written to: `wayfare.consent`, `wayfare.listed`, `wayfare.inbound`, `wayfare.erased`.

use std::sync::Arc;

use jiff::Timestamp;
use serde_json::Value as Json;

use super::event::{Intake, RESERVED, Told, bounded};
use super::value::moment;
use super::{Envelope, MAX_ID, Refusal, did_you_mean, quote};
use crate::diagnostic::code;
use crate::name::Name;
use crate::program::policy::PURPOSES;
use crate::step::EventKind;

impl Intake<'_> {
    pub(super) fn rights(&self, envelope: &Envelope) -> Result<Told, Refusal> {
        let name = self.entity_named(envelope.entity.as_deref())?;
        let subject = self.subject(name, envelope)?;
        if subject.child.is_some() {
            let reason = format!("what has a row of its own is written to, and `{name}` belongs to another");
            return Err(Refusal::new(code::WRONG_SUBJECT, reason));
        }
        let about = || Ok((self.channel(envelope)?, purpose(envelope)?));
        let kind = match envelope.kind.strip_prefix(RESERVED) {
            Some("consent") => {
                let (channel, purpose) = about()?;
                let given = flag(envelope, "given")?.ok_or_else(|| missing("given", "true or false"))?;
                let wording = text(envelope, "wording").unwrap_or_default().into();
                EventKind::Consent { channel, purpose, given, wording }
            }
            Some("listed") => {
                let (channel, purpose) = about()?;
                let list = text(envelope, "list").ok_or_else(|| missing("list", "the name of the list"))?;
                let on = flag(envelope, "on")?.unwrap_or(true);
                EventKind::Listed {
                    list: Arc::from(list),
                    channel,
                    purpose,
                    on,
                    until: self.until(envelope)?,
                }
            }
            Some("inbound") => {
                let channel =
                    self.channel(envelope)?.ok_or_else(|| missing("channel", "where it was written"))?;
                let text = envelope.data.get("text").and_then(Json::as_str);
                let text = text.ok_or_else(|| missing("text", "what was written"))?;
                EventKind::Inbound { channel, text: bounded(text).into() }
            }
            _ => EventKind::Erased,
        };
        Ok((subject, kind, Vec::new()))
    }

    fn channel(&self, envelope: &Envelope) -> Result<Option<Name>, Refusal> {
        let Some(text) = text(envelope, "channel") else { return Ok(None) };
        let channels = &self.world.bundle.channels;
        let found = Name::lookup(text).filter(|name| channels.contains_key(name));
        found.map(Some).ok_or_else(|| {
            let near = did_you_mean(text, channels.keys().map(|name| name.as_str()));
            Refusal::new(code::WRONG_VALUE, format!("there is no channel {}{near}", quote(text)))
        })
    }

    fn until(&self, envelope: &Envelope) -> Result<Option<Timestamp>, Refusal> {
        let Some(text) = text(envelope, "until") else { return Ok(None) };
        let until = moment(text, &self.world.zone);
        until.map(Some).ok_or_else(|| {
            let reason =
                format!("`until` must be RFC 3339 such as 2026-12-01T10:00:00+08:00, found {}", quote(text));
            Refusal::new(code::WRONG_VALUE, reason)
        })
    }
}

fn purpose(envelope: &Envelope) -> Result<Option<Name>, Refusal> {
    let Some(text) = text(envelope, "purpose") else { return Ok(None) };
    if PURPOSES.contains(&text) {
        return Ok(Some(Name::new(text)));
    }
    let near = did_you_mean(text, PURPOSES.into_iter());
    Err(Refusal::new(code::WRONG_VALUE, format!("there is no purpose {}{near}", quote(text))))
}

fn text<'e>(envelope: &'e Envelope, field: &str) -> Option<&'e str> {
    let text = envelope.data.get(field).and_then(Json::as_str)?;
    (!text.is_empty() && text.len() <= MAX_ID).then_some(text)
}

fn flag(envelope: &Envelope, field: &str) -> Result<Option<bool>, Refusal> {
    match envelope.data.get(field) {
        None | Some(Json::Null) => Ok(None),
        Some(Json::Bool(flag)) => Ok(Some(*flag)),
        Some(_) => Err(Refusal::new(code::WRONG_VALUE, format!("`{field}` must be true or false"))),
    }
}

fn missing(field: &str, what: &str) -> Refusal {
    Refusal::new(code::MISSING_FIELD, format!("the field `{field}` is missing: {what}"))
}
