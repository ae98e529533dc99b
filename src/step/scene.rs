//! What an expression sees: one subject of one row, at one instant, through the eyes of one program or content.

use std::cmp::Ordering;
use std::sync::Arc;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::input::RootKey;
use super::occurrence::Occurrence;
use super::state::{Child, Instance, State, SubjectRef};
use super::symbols::Sym;
use super::world::World;
use super::{enter, features};
use crate::expr::civil::Calendar;
use crate::expr::{Anchor, Env, Expr, Owner, civil, eval};
use crate::name::Name;
use crate::program::{Def, Feature, Param, Program};
use crate::value::Value;

/// The root as a subject.
pub(super) static ROOT: SubjectRef = SubjectRef(None);

/// What every event has without declaring it.
pub(super) const ID: &str = "id";
pub(super) const TIME: &str = "time";

/// Fields of an event or record.
pub(super) type Fields = [(Name, Value)];

#[derive(Clone, Copy)]
pub(super) struct Scene<'a> {
    pub world: &'a World,
    pub root: &'a RootKey,
    pub state: &'a State,
    pub now: Timestamp,
    pub zone: &'a TimeZone,
    pub subject: &'a SubjectRef,
    pub defs: &'a [Def],
    pub features: &'a [Feature],
    pub instance: Option<&'a Instance>,
    /// The entry event, where there is no instance yet.
    pub entry: Option<&'a Fields>,
    /// The record under test.
    pub element: Option<&'a Fields>,
    /// (source, id) and time of the event under test, which every event has without being declared.
    pub stamp: Option<(&'a Arc<str>, Timestamp)>,
    /// Arguments of the content that is rendered.
    pub params: &'a [(Sym, Value)],
    /// What may be set of the journey.
    pub given: &'a [Param],
    pub locale: Option<Name>,
}

impl<'a> Scene<'a> {
    /// The root of a row, as nobody's journey sees it.
    pub(super) fn of_row(
        world: &'a World,
        root: &'a RootKey,
        state: &'a State,
        zone: &'a TimeZone,
        now: Timestamp,
    ) -> Self {
        Self {
            world,
            root,
            state,
            now,
            zone,
            subject: &ROOT,
            defs: &[],
            features: &[],
            instance: None,
            entry: None,
            element: None,
            stamp: None,
            params: &[],
            given: &[],
            locale: None,
        }
    }

    /// A subject of the row, as a journey's conditions see it.
    pub(super) fn seen_by(self, program: &'a Program, subject: &'a SubjectRef) -> Self {
        let Program { defs, features, params, .. } = program;
        Self { subject, defs, features, given: params, ..self }
    }

    pub(super) fn of_subject(self, subject: &'a SubjectRef) -> Self {
        Self { subject, ..self }
    }

    pub(super) fn testing(self, element: &'a Fields) -> Self {
        Self { element: Some(element), ..self }
    }

    /// The event under test, with what every event has.
    pub(super) fn hearing(self, occurrence: &'a Occurrence<'_>) -> Self {
        Self { stamp: Some((&occurrence.identity, occurrence.at)), ..self.testing(&occurrence.fields) }
    }

    pub(super) fn entered_by(self, entry: &'a Fields) -> Self {
        Self { entry: Some(entry), ..self }
    }

    /// Whether the condition holds; no condition does.
    pub(super) fn admits(&self, filter: Option<&Expr>) -> bool {
        filter.is_none_or(|filter| eval::holds(filter, self))
    }

    pub(super) fn entity(&self, subject: &SubjectRef) -> Option<Name> {
        match &subject.0 {
            None => Some(self.root.entity),
            Some((entity, _)) => self.world.symbols.name(*entity),
        }
    }

    /// An attribute of the row, stored or derived.
    pub(super) fn attribute(&self, subject: &SubjectRef, name: Name) -> Value {
        let Some(entity) = self.entity(subject) else { return Value::Missing };
        if let Some(expr) = self.world.index().derived(entity, name) {
            // An expression that reads itself is refused by the checker; there is no other cycle.
            let here: Scene<'_> = *self;
            return eval(expr, &Scene { subject, instance: None, entry: None, element: None, ..here });
        }
        if let Some(value) = self.world.symbols.sym(name).and_then(|sym| self.state.attribute(subject, sym)) {
            return value.clone();
        }
        let is_key = self.world.index().entities.get(&entity).is_some_and(|entity| entity.key == name);
        if is_key { Value::Text(self.id(subject)) } else { Value::Missing }
    }

    pub(super) fn id(&self, subject: &SubjectRef) -> Arc<str> {
        subject.0.as_ref().map_or(&self.root.id, |(_, id)| id).clone()
    }

    /// The instant of an anchor, if it is known.
    pub(super) fn anchor(&self, anchor: &Anchor) -> Option<Timestamp> {
        if let Anchor::At(expr) = anchor {
            return enter::as_moment(&eval(expr, self), self);
        }
        let instance = self.instance?;
        match anchor {
            Anchor::Here => Some(instance.since),
            Anchor::Entered => Some(instance.entered),
            Anchor::Entry => Some(instance.entry_time),
            Anchor::Sent(step) => self.sent(instance, *step),
            Anchor::FirstSent => instance.sent.iter().map(|(_, at)| *at).min(),
            Anchor::Local(slot) => instance.locals.get(usize::from(*slot)).and_then(|(_, at)| *at),
            Anchor::At(_) => None,
        }
    }

    /// The latest send of the step; of a `reach`, of any of its rungs.
    fn sent(&self, instance: &Instance, step: Name) -> Option<Timestamp> {
        let loaded = self.world.index().program(instance.program)?;
        let own = instance
            .sent
            .iter()
            .filter(|(sym, _)| self.world.symbols.name(*sym).is_some_and(|sent| loaded.is_step(sent, step)));
        own.map(|(_, at)| *at).max()
    }

    fn owner(&self, owner: Owner) -> &'a SubjectRef {
        match owner {
            Owner::Subject => self.subject,
            Owner::Parent => &ROOT,
        }
    }

    /// `id` and `time` of an event that declares no such field.
    fn or_stamp(&self, value: Value, name: Name) -> Value {
        match self.stamp.filter(|_| value.is_missing()) {
            Some((identity, _)) if name.as_str() == ID => Value::Text(Arc::clone(identity)),
            Some((_, at)) if name.as_str() == TIME => Value::Moment(at),
            _ => value,
        }
    }

    fn child_record(&self, entity: Name, child: &Child) -> Value {
        let Some(schema) = self.world.index().entities.get(&entity) else { return Value::Missing };
        let subject = SubjectRef(Some((child.entity, child.id.clone())));
        let key = (schema.key, Value::Text(child.id.clone()));
        let fields = schema.fields.iter().filter(|field| field.name != schema.key);
        let values = fields.map(|field| (field.name, self.attribute(&subject, field.name)));
        let known = values.filter(|(_, value)| !value.is_missing());
        Value::Record(std::iter::once(key).chain(known).collect())
    }
}

impl Env for Scene<'_> {
    fn now(&self) -> Timestamp {
        self.now
    }

    fn zone(&self) -> &TimeZone {
        self.zone
    }

    fn calendar(&self, name: Option<Name>) -> Option<&Calendar> {
        let name = name.or_else(|| {
            let of = |subject| self.world.index().entities.get(&self.entity(subject)?)?.calendar;
            of(self.subject).or_else(|| of(&ROOT))
        })?;
        self.world.bundle.calendars.get(&name)
    }

    fn attr(&self, owner: Owner, name: Name) -> Value {
        self.attribute(self.owner(owner), name)
    }

    fn tag(&self, owner: Owner, name: Name) -> bool {
        let subject = self.owner(owner);
        let home = self.world.tag_home(name, subject, self.root);
        let Some(sym) = self.world.symbols.sym(name) else { return false };
        self.state.tag(home, sym).is_some_and(|until| until.is_none_or(|until| until > self.now))
    }

    fn def(&self, owner: Owner, index: u16) -> Value {
        let Some(def) = self.defs.get(usize::from(index)) else { return Value::Missing };
        // A metric or audience is the same for every instance.
        eval(&def.value, &Self { instance: None, entry: None, ..self.of_subject(self.owner(owner)) })
    }

    fn reference(&self, entity: Name, id: &str, attribute: Name) -> Value {
        self.world.references.attribute(entity, id, attribute)
    }

    fn anchored(&self, of: Option<&str>, entity: Name, anchor: Name, back: bool) -> Value {
        let base = self.instance.map_or(self.now, |instance| instance.entered);
        enter::anchored(self, of, (entity, anchor), civil::date_of(base, self.zone), back)
            .map_or(Value::Missing, Value::Date)
    }

    fn local(&self, slot: u16) -> Value {
        let local = self.instance.and_then(|instance| instance.locals.get(usize::from(slot)));
        local.map_or(Value::Missing, |(value, _)| value.clone())
    }

    fn param(&self, name: Name) -> Value {
        let sym = self.world.symbols.sym(name);
        let argument = self.params.iter().find(|(param, _)| Some(*param) == sym).map(|(_, value)| value);
        let adjusted = |param: &'_ Param| {
            let own = param.adjusted.iter().find(|(belongs, _)| eval::holds(belongs, self));
            own.map_or(&param.value, |(_, value)| value).clone()
        };
        let given = || self.given.iter().find(|param| param.name == name).map(adjusted);
        argument.cloned().or_else(given).unwrap_or(Value::Missing)
    }

    fn entry(&self) -> Value {
        match (self.entry, self.instance) {
            (Some(fields), _) => Value::Record(fields.to_vec()),
            (None, Some(instance)) => instance.entry.clone(),
            (None, None) => Value::Missing,
        }
    }

    fn entered(&self) -> Option<Timestamp> {
        self.instance.map(|instance| instance.entered)
    }

    fn element(&self) -> Value {
        self.element.map_or(Value::Missing, |fields| Value::Record(fields.to_vec()))
    }

    fn children(&self, entity: Name) -> Vec<Value> {
        let sym = self.world.symbols.sym(entity);
        let children = self.state.children.iter().filter(|child| Some(child.entity) == sym);
        children.map(|child| self.child_record(entity, child)).collect()
    }

    fn history(&self, feature: u16) -> Value {
        self.features
            .get(usize::from(feature))
            .map_or(Value::Missing, |feature| features::read(feature, self))
    }

    fn entry_field(&self, name: Name) -> Value {
        match (self.entry, self.instance) {
            (Some(fields), _) => self.or_stamp(field(fields, name), name),
            (None, Some(instance)) => instance.entry.field(name),
            (None, None) => Value::Missing,
        }
    }

    fn element_field(&self, name: Name) -> Value {
        self.element.map_or(Value::Missing, |fields| self.or_stamp(field(fields, name), name))
    }

    /// Points belong to the root, whoever of its row asks.
    fn balance(&self, _: Owner, points: Name) -> Value {
        let sym = self.world.symbols.sym(points);
        let account = self.state.accounts.iter().find(|account| Some(account.what) == sym);
        Value::Int(account.map_or(0, |account| account.balance(self.now)))
    }

    fn choice_order(&self, left: Name, right: Name) -> Option<Ordering> {
        self.world.index().choice_order(left, right)
    }

    fn locale(&self) -> Option<Name> {
        self.locale
    }
}

fn field(fields: &Fields, name: Name) -> Value {
    fields.iter().find(|(field, _)| *field == name).map_or(Value::Missing, |(_, value)| value.clone())
}
