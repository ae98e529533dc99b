//! An envelope and the schema make a typed event for one root, as `architecture.md` 2 maps them.
//!
//! `type` names a declared event or one of the reserved types: `wayfare.attributes` sets attributes and makes a
//! subject known; `wayfare.merged` says that the subject is the same as another; `wayfare.closed` says that the days of a daily attribute are complete for a period;
//! `wayfare.delivered`, `.failed`, `.opened`, `.clicked`, `.replied` and `.shown` report on a message, or on what stands
//! in a slot, which `data.message` names by its key.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value as Json};

use super::value::{Scope, described, moment};
use super::{Envelope, MAX_ID, Refusal, did_you_mean, quote};
use crate::diagnostic::code;
use crate::expr::MessageEvent;
use crate::name::Name;
use crate::program::{Entity, Field};
use crate::step::{Event, EventKind, MessageKey, RootKey, World};
use crate::value::Value;

/// Prefix of the types that are not declared in journeys.
pub const RESERVED: &str = "wayfare.";
/// The type that sets attributes.
pub const ATTRIBUTES: &str = "wayfare.attributes";
/// The types that say whom nobody may write to, and whom somebody may.
pub const CONSENT: &str = "wayfare.consent";
pub const LISTED: &str = "wayfare.listed";
/// The root entity where a journey names none.
pub const DEFAULT_ENTITY: &str = "customer";
/// How far ahead of us a source's clock may be.
pub const MAX_AHEAD: SignedDuration = SignedDuration::from_mins(5);
/// Findings that one refusal lists.
const MOST_FINDINGS: usize = 5;

/// The same, told of the past. Reports on messages are about what we sent ourselves, and are never imported.
fn imported(kind: &EventKind, told: &str) -> Result<EventKind, Refusal> {
    match kind {
        EventKind::Declared(name) => Ok(EventKind::Imported(*name)),
        EventKind::Attributes => Ok(EventKind::ImportedAttributes),
        _ => {
            let reason = format!("declared events and `{ATTRIBUTES}` can be imported, not {}", quote(told));
            Err(Refusal::new(code::MALFORMED_EVENT, reason))
        }
    }
}

/// Whom an event is about, what happened, and its fields.
pub(super) type Told = (Subject, EventKind, Vec<(Name, Value)>);

/// Reads events against one world at one instant.
#[derive(Clone, Copy, Debug)]
pub struct Intake<'a> {
    pub world: &'a World,
    /// When what is read arrived.
    pub now: Timestamp,
}

/// What an event is about.
pub(super) struct Subject {
    pub(super) root: RootKey,
    pub(super) child: Option<(Name, Arc<str>)>,
}

impl Intake<'_> {
    /// The event of `envelope` and the root that it concerns. Fields that are not declared are passed over.
    pub fn read(&self, envelope: Envelope) -> Result<(RootKey, Event), Refusal> {
        let time = self.time(&envelope)?;
        let (subject, mut kind, fields) = match envelope.kind.strip_prefix(RESERVED) {
            None => self.declared(&envelope)?,
            Some("attributes") => self.attributes(&envelope)?,
            Some("closed") => self.closed(&envelope)?,
            Some("merged") => self.merged(&envelope)?,
            Some("resend") => self.resend(&envelope)?,
            Some("consent" | "listed" | "inbound" | "erased") => self.rights(&envelope)?,
            Some(word) => self.message(word, &envelope)?,
        };
        if envelope.import {
            kind = imported(&kind, &envelope.kind)?;
        }
        let event = Event {
            source: envelope.source.into(),
            id: envelope.id.into(),
            kind,
            child: subject.child,
            time,
            received: self.now,
            fields,
        };
        Ok((subject.root, event))
    }

    fn time(&self, envelope: &Envelope) -> Result<Timestamp, Refusal> {
        let Some(text) = &envelope.time else { return Ok(self.now) };
        let time = moment(text, &self.world.zone).ok_or_else(|| {
            let reason =
                format!("`time` must be RFC 3339 such as 2026-12-01T10:00:00+08:00, found {}", quote(text));
            Refusal::new(code::MALFORMED_EVENT, reason)
        })?;
        if time.duration_since(self.now) > MAX_AHEAD {
            let reason =
                format!("`time` is {time}, more than 5 minutes ahead of our clock ({:.0})", self.now);
            return Err(Refusal::new(code::AHEAD_OF_TIME, reason));
        }
        Ok(time)
    }

    fn declared(&self, envelope: &Envelope) -> Result<Told, Refusal> {
        let events = &self.world.bundle.schema.events;
        let found = Name::lookup(&envelope.kind).and_then(|name| Some((name, events.get(&name)?)));
        let (name, event) = found.ok_or_else(|| {
            let near = did_you_mean(&envelope.kind, events.keys().map(|name| name.as_str()));
            Refusal::new(code::UNKNOWN_EVENT, format!("no event {} is declared{near}", quote(&envelope.kind)))
        })?;
        let subject = self.subject(event.subject, envelope)?;
        let fields = self.fields(&event.fields, &envelope.data, Rule::Complete)?;
        Ok((subject, EventKind::Declared(name), fields))
    }

    fn attributes(&self, envelope: &Envelope) -> Result<Told, Refusal> {
        let name = self.entity_named(envelope.entity.as_deref())?;
        let subject = self.subject(name, envelope)?;
        let Some(entity) = self.entity(name) else { return Err(no_entity(name.as_str(), self)) };
        same_key(entity, &envelope.data, subject.id())?;
        let fields = self.fields(&entity.fields, &envelope.data, Rule::Partial { key: entity.key })?;
        Ok((subject, EventKind::Attributes, fields))
    }

    /// `data`: the `attribute`, and the first and last day of the period as `from` and `to`.
    fn closed(&self, envelope: &Envelope) -> Result<Told, Refusal> {
        let name = self.entity_named(envelope.entity.as_deref())?;
        let subject = self.subject(name, envelope)?;
        let Some(entity) = self.entity(name) else { return Err(no_entity(name.as_str(), self)) };
        let daily = || entity.fields.iter().filter(|field| field.daily).map(|field| field.name);
        let text = envelope.data.get("attribute").and_then(Json::as_str).unwrap_or_default();
        let attribute = Name::lookup(text).filter(|name| daily().any(|daily| daily == *name));
        let attribute = attribute.ok_or_else(|| {
            let near = did_you_mean(text, daily().map(Name::as_str));
            let reason = format!("`attribute` must name a daily attribute, found {}{near}", quote(text));
            Refusal::new(code::WRONG_VALUE, reason)
        })?;
        let scope = Scope { bundle: &self.world.bundle, zone: &self.world.zone };
        let day = |field: &str| {
            let json = envelope.data.get(field).unwrap_or(&Json::Null);
            scope
                .value(json, &crate::value::Type::Date)
                .map_err(|reason| Refusal::new(code::WRONG_VALUE, format!("`{field}`: {reason}")))
        };
        let period = Value::Range(Box::new((day("from")?, day("to")?)));
        Ok((subject, EventKind::Closed(attribute), vec![(Name::new("period"), period)]))
    }

    /// `data`: `to`, the key that stays; `from`, the one that goes, is the subject and may be said once more.
    fn merged(&self, envelope: &Envelope) -> Result<Told, Refusal> {
        let name = self.entity_named(envelope.entity.as_deref())?;
        let subject = self.subject(name, envelope)?;
        if subject.child.is_some() {
            let reason =
                format!("only what has a row of its own can be merged, and `{name}` belongs to another");
            return Err(Refusal::new(code::WRONG_SUBJECT, reason));
        }
        let said = |field: &str| envelope.data.get(field).and_then(Json::as_str).filter(|id| !id.is_empty());
        if said("from").is_some_and(|from| *from != *subject.root.id) {
            let reason = format!(
                "`from` is {}, the subject is {}",
                quote(said("from").unwrap_or("")),
                quote(&subject.root.id)
            );
            return Err(Refusal::new(code::WRONG_SUBJECT, reason));
        }
        let to = said("to").filter(|to| to.len() <= MAX_ID && !to.chars().any(char::is_control));
        let to = to.ok_or_else(|| {
            Refusal::new(code::MISSING_FIELD, "the field `to` is missing: the key of the one that stays")
        })?;
        if *to == *subject.root.id {
            let reason = "`to` is the subject itself: nothing to merge";
            return Err(Refusal::new(code::WRONG_VALUE, reason));
        }
        let into = RootKey { entity: name, id: Arc::from(to) };
        Ok((subject, EventKind::Merged { into }, Vec::new()))
    }

    fn message(&self, word: &str, envelope: &Envelope) -> Result<Told, Refusal> {
        let reports = MessageEvent::ALL.into_iter().filter(|kind| *kind != MessageEvent::Sent);
        let kind = reports.clone().find(|kind| kind.as_str() == word).ok_or_else(|| {
            let near = did_you_mean(
                word,
                reports.map(MessageEvent::as_str).chain([
                    "attributes",
                    "closed",
                    "merged",
                    "resend",
                    "consent",
                    "listed",
                    "inbound",
                    "erased",
                ]),
            );
            Refusal::new(code::UNKNOWN_EVENT, format!("no event {} is reserved{near}", quote(&envelope.kind)))
        })?;
        let (subject, key) = self.of_message(envelope)?;
        // What was answered: it may be that no more is wanted.
        let answer = envelope.data.get("text").and_then(Json::as_str);
        let answer = answer.filter(|_| kind == MessageEvent::Replied);
        let answer = answer.map(|text| (Name::new("text"), Value::text(bounded(text))));
        Ok((subject, EventKind::Message { kind, key }, answer.into_iter().collect()))
    }

    fn resend(&self, envelope: &Envelope) -> Result<Told, Refusal> {
        let (subject, key) = self.of_message(envelope)?;
        Ok((subject, EventKind::Resend { key }, Vec::new()))
    }

    /// The message that is reported on, and whose it is.
    fn of_message(&self, envelope: &Envelope) -> Result<(Subject, MessageKey), Refusal> {
        let text = envelope.data.get("message").and_then(Json::as_str).ok_or_else(|| {
            Refusal::new(
                code::MISSING_FIELD,
                "the field `message` is missing: the key of the message that was sent",
            )
        })?;
        let (key, subject) = self.message_key(text).ok_or_else(|| {
            Refusal::new(
                code::UNKNOWN_MESSAGE,
                format!("{} is not the key of a message of ours", quote(text)),
            )
        })?;
        let told = envelope.subject.as_deref();
        if told.is_some_and(|told| told != &*subject.root.id && told != subject.id()) {
            let reason = format!(
                "the message is for {}, the subject is {}",
                quote(&key.root),
                quote(told.unwrap_or(""))
            );
            return Err(Refusal::new(code::WRONG_SUBJECT, reason));
        }
        Ok((subject, key))
    }

    fn message_key(&self, text: &str) -> Option<(MessageKey, Subject)> {
        let key = MessageKey::parse(text).filter(|_| text.len() <= 4 * MAX_ID)?;
        let journey = Name::lookup(&key.journey)?;
        let live = self.world.live.get(&journey).and_then(|number| self.world.programs.get(number));
        let program =
            live.or_else(|| self.world.programs.values().find(|program| program.body.journey == journey))?;
        let child = match &key.child {
            Some((entity, id)) => Some((Name::lookup(entity)?, id.clone())),
            None => None,
        };
        let root = RootKey { entity: program.body.root, id: key.root.clone() };
        Some((key, Subject { root, child }))
    }

    pub(super) fn entity_named(&self, told: Option<&str>) -> Result<Name, Refusal> {
        let text = told.unwrap_or(DEFAULT_ENTITY);
        let entities = &self.world.bundle.schema.entities;
        if let Some(name) = Name::lookup(text).filter(|name| entities.contains_key(name)) {
            return Ok(name);
        }
        let mut roots = entities.iter().filter(|(_, entity)| entity.parent.is_none());
        match (told, roots.next(), roots.next()) {
            (None, Some((only, _)), None) => Ok(*only),
            _ => Err(no_entity(text, self)),
        }
    }

    fn entity(&self, name: Name) -> Option<&Entity> {
        self.world.bundle.schema.entities.get(&name)
    }

    pub(super) fn subject(&self, entity: Name, envelope: &Envelope) -> Result<Subject, Refusal> {
        let wrong = |reason: String| Refusal::new(code::WRONG_SUBJECT, reason);
        let id = envelope.subject.as_deref().ok_or_else(|| {
            wrong(format!("the attribute `subject` is missing: the key of the `{entity}` it is about"))
        })?;
        let parent = self.entity(entity).and_then(|entity| entity.parent);
        match (parent, envelope.parent.as_deref()) {
            (None, None) => Ok(Subject { root: RootKey { entity, id: id.into() }, child: None }),
            (Some(root), Some(key)) => Ok(Subject {
                root: RootKey { entity: root, id: key.into() },
                child: Some((entity, id.into())),
            }),
            (Some(root), None) => Err(wrong(format!(
                "a `{entity}` belongs to a `{root}`: the extension attribute `parent` with the key of the `{root}` is missing"
            ))),
            (None, Some(key)) => Err(wrong(format!(
                "a `{entity}` belongs to nobody, but the extension attribute `parent` is {}",
                quote(key)
            ))),
        }
    }

    fn fields(
        &self,
        fields: &[Field],
        data: &Map<String, Json>,
        rule: Rule,
    ) -> Result<Vec<(Name, Value)>, Refusal> {
        let scope = Scope { bundle: &self.world.bundle, zone: &self.world.zone };
        let mut values = Vec::with_capacity(data.len().min(fields.len()));
        let mut findings = Vec::new();
        for field in fields {
            match read_field(&scope, field, data.get(field.name.as_str()), rule) {
                Ok(Some(value)) => values.push((field.name, value)),
                Ok(None) => {}
                Err(finding) => findings.push(finding),
            }
        }
        if findings.is_empty() { Ok(values) } else { Err(together(findings)) }
    }
}

/// As much of what somebody wrote as anybody looks at.
pub(super) fn bounded(text: &str) -> &str {
    const MOST: usize = 200;
    text.char_indices().nth(MOST).map_or(text, |(end, _)| text.get(..end).unwrap_or(text))
}

impl Subject {
    fn id(&self) -> &str {
        self.child.as_ref().map_or(&self.root.id, |(_, id)| id)
    }
}

/// Which fields must be there.
#[derive(Clone, Copy)]
enum Rule {
    /// An event: whatever is not optional.
    Complete,
    /// Attributes: what is there changes, the rest stays.
    Partial { key: Name },
}

fn read_field(
    scope: &Scope<'_>,
    field: &Field,
    found: Option<&Json>,
    rule: Rule,
) -> Result<Option<Value>, Refusal> {
    let name = field.name;
    let Some(json) = found else {
        return match rule {
            Rule::Complete if !field.ty.is_optional() && field.value.is_none() => Err(Refusal::new(
                code::MISSING_FIELD,
                format!("the field `{name}` ({}) is missing", field.ty),
            )),
            _ => Ok(None),
        };
    };
    if matches!(rule, Rule::Partial { key } if key == name) {
        return Ok(None);
    }
    if field.value.is_some() {
        let reason = format!("`{name}` is derived from other fields and cannot be set from outside");
        return Err(Refusal::new(code::DERIVED_FIELD, reason));
    }
    match scope.value(json, &field.ty) {
        Ok(Value::Missing) if matches!(rule, Rule::Complete) => Ok(None),
        Ok(value) => Ok(Some(value)),
        Err(reason) => Err(Refusal::new(code::WRONG_VALUE, format!("`{name}`: {reason}"))),
    }
}

/// The key of a subject may be repeated among its attributes, but not contradicted.
fn same_key(entity: &Entity, data: &Map<String, Json>, id: &str) -> Result<(), Refusal> {
    let same = match data.get(entity.key.as_str()) {
        None | Some(Json::Null) => return Ok(()),
        Some(Json::String(text)) => text == id,
        Some(other) => *other == id,
    };
    if same {
        return Ok(());
    }
    let found = data.get(entity.key.as_str()).map(described).unwrap_or_default();
    Err(Refusal::new(
        code::WRONG_SUBJECT,
        format!("`{}` is {found}, but the subject is {}", entity.key, quote(id)),
    ))
}

fn no_entity(text: &str, intake: &Intake<'_>) -> Refusal {
    let known = intake.world.bundle.schema.entities.keys().map(|name| name.as_str());
    let near = did_you_mean(text, known);
    let reason =
        format!("no entity {} is declared{near} (the extension attribute `entity` names it)", quote(text));
    Refusal::new(code::UNKNOWN_ENTITY, reason)
}

fn together(findings: Vec<Refusal>) -> Refusal {
    let more = findings.len().saturating_sub(MOST_FINDINGS);
    let code = findings.first().map_or(code::WRONG_VALUE, |first| first.code);
    let reasons: Vec<String> =
        findings.into_iter().take(MOST_FINDINGS).map(|finding| finding.reason).collect();
    let tail = if more > 0 { format!("; and {more} more") } else { String::new() };
    Refusal::new(code, reasons.join("; ") + &tail)
}
