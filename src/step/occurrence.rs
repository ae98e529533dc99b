//! Something that happened, in the one shape that every pattern is held against.

use std::borrow::Cow;
use std::sync::Arc;

use jiff::Timestamp;

use super::index::{Loaded, Trigger, digest};
use super::input::Event;
use super::run::{Run, whole_ms};
use super::scene::{Fields, ID, ROOT, Scene, TIME};
use super::state::{First, Message, Placement, SubjectRef, Task};
use super::symbols::{self, Sym};
use crate::expr::{ChangeVerb, MessageEvent, Pattern, Source};
use crate::name::Name;
use crate::program::value::{GRANTED, INVITER, QUALIFIED, REFERRAL};
use crate::value::Value;

pub(super) struct Occurrence<'e> {
    pub trigger: Trigger,
    /// Name in state and trace.
    pub name: Sym,
    /// When it happened, and when it arrived.
    pub at: Timestamp,
    pub received: Timestamp,
    pub subject: SubjectRef,
    pub fields: Cow<'e, Fields>,
    /// (source, id), as an entry key.
    pub identity: Arc<str>,
    pub message: Option<About>,
    /// Of a change: how the new value compares with the old.
    pub change: Option<std::cmp::Ordering>,
    /// Of a message that went to somebody else.
    pub to_others: bool,
    /// It happened to somebody else and names the subject of this row.
    pub told: bool,
    /// Patterns with `first` that this is the first of.
    firsts: Vec<u64>,
}

/// Which message a message event is about.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct About {
    pub journey: Sym,
    pub entry: Arc<str>,
    pub step: Name,
}

impl<'e> Occurrence<'e> {
    pub(super) fn of_event(event: &'e Event, name: Name, run: &Run) -> Self {
        let child = event.child.as_ref();
        let index = run.world.index();
        let is_of_others =
            || index.events.get(&name).is_some_and(|event| index.root_of(event.subject) != run.root.entity);
        Self {
            trigger: Trigger::Event(name),
            name: run.sym(name),
            at: whole_ms(event.time),
            received: whole_ms(event.received),
            subject: SubjectRef(child.map(|(entity, id)| (run.sym(*entity), id.clone()))),
            fields: Cow::Borrowed(&event.fields),
            identity: identity(event),
            message: None,
            change: None,
            to_others: false,
            told: !index.told(name).is_empty() && is_of_others(),
            firsts: Vec::new(),
        }
    }

    /// What became of a message. `identity` tells two opens apart.
    pub(super) fn of_message(
        message: &Message,
        kind: MessageEvent,
        at: Timestamp,
        identity: Arc<str>,
        run: &Run,
    ) -> Occurrence<'static> {
        let name = |sym| run.world.symbols.name(sym);
        let step = name(message.step).unwrap_or_else(|| Name::new(""));
        let fields =
            [("channel", name(message.channel)), ("step", Some(step)), ("journey", name(message.journey))];
        let choices =
            fields.into_iter().filter_map(|(field, value)| Some((Name::new(field), Value::Choice(value?))));
        Occurrence {
            trigger: Trigger::Message(kind),
            name: run.fixed(kind.as_str()),
            at: whole_ms(at),
            received: run.now,
            subject: message.subject.clone(),
            fields: Cow::Owned(choices.collect()),
            identity,
            message: Some(About { journey: message.journey, entry: own_entry(message, run), step }),
            change: None,
            to_others: message.to().is_some(),
            told: false,
            firsts: Vec::new(),
        }
    }

    /// Somebody saw, or clicked, what stands in a slot.
    pub(super) fn of_placement(
        placement: &Placement,
        kind: MessageEvent,
        event: &Event,
        run: &Run,
    ) -> Occurrence<'static> {
        let name = |sym| run.world.symbols.name(sym);
        let step = name(placement.step).unwrap_or_else(|| Name::new(""));
        let fields = [
            ("channel", name(placement.slot)),
            ("content", name(placement.content)),
            ("step", Some(step)),
            ("journey", name(placement.journey)),
        ];
        let choices =
            fields.into_iter().filter_map(|(field, value)| Some((Name::new(field), Value::Choice(value?))));
        Occurrence {
            trigger: Trigger::Message(kind),
            name: run.fixed(kind.as_str()),
            at: whole_ms(event.time),
            received: run.now,
            subject: placement.subject.clone(),
            fields: Cow::Owned(choices.collect()),
            identity: identity(event),
            message: Some(About { journey: placement.journey, entry: placement.entry.clone(), step }),
            change: None,
            to_others: false,
            told: false,
            firsts: Vec::new(),
        }
    }

    /// A task was opened, done or overdue.
    pub(super) fn of_task(
        task: &Task,
        status: &str,
        result: Option<Name>,
        at: Timestamp,
        identity: Arc<str>,
        run: &Run,
    ) -> Occurrence<'static> {
        let name = run.world.symbols.name(task.task).unwrap_or_else(|| Name::new(""));
        let choice = |field: &str, case: Name| (Name::new(field), Value::Choice(case));
        let mut fields = vec![choice("status", Name::new(status))];
        fields.extend(result.map(|result| choice("result", result)));
        fields.push((Name::new(symbols::ASSIGNEE), task.assignee.clone()));
        Occurrence {
            trigger: Trigger::Event(name),
            name: task.task,
            at: whole_ms(at),
            received: run.now,
            subject: task.about.clone(),
            fields: Cow::Owned(fields),
            identity,
            message: None,
            change: None,
            to_others: false,
            told: false,
            firsts: Vec::new(),
        }
    }

    /// Something given to the root.
    pub(super) fn of_grant(what: Name, amount: &Value, identity: Arc<str>, run: &Run) -> Occurrence<'static> {
        let fields = [("reward", Value::Choice(what)), ("amount", amount.clone())];
        Self::of_own(GRANTED, fields, identity, run)
    }

    /// The root was invited, and has done what counts.
    pub(super) fn of_qualified(
        referral: Name,
        inviter: &Value,
        identity: Arc<str>,
        run: &Run,
    ) -> Occurrence<'static> {
        let fields = [(REFERRAL, Value::Choice(referral)), (INVITER, inviter.clone())];
        Self::of_own(QUALIFIED, fields, identity, run)
    }

    /// What steps make happen to the root.
    fn of_own(name: &str, fields: [(&str, Value); 2], identity: Arc<str>, run: &Run) -> Occurrence<'static> {
        let name = Name::new(name);
        let fields = fields.map(|(field, value)| (Name::new(field), value));
        let known = fields.into_iter().filter(|(_, value)| !value.is_missing());
        Occurrence {
            trigger: Trigger::Event(name),
            name: run.sym(name),
            at: run.now,
            received: run.now,
            subject: SubjectRef(None),
            fields: Cow::Owned(known.collect()),
            identity,
            message: None,
            change: None,
            to_others: false,
            told: false,
            firsts: Vec::new(),
        }
    }

    /// A change of one attribute.
    pub(super) fn of_change(
        event: &Event,
        subject: &SubjectRef,
        attribute: Name,
        (old, new): (Value, Value),
        order: Option<std::cmp::Ordering>,
        run: &Run,
    ) -> Occurrence<'static> {
        let fields = [(Name::new("old"), old), (Name::new("new"), new)];
        let known = fields.into_iter().filter(|(_, value)| !value.is_missing());
        Occurrence {
            trigger: Trigger::Change(attribute),
            name: run.sym(attribute),
            at: whole_ms(event.time),
            received: whole_ms(event.received),
            subject: subject.clone(),
            fields: Cow::Owned(known.collect()),
            identity: identity(event),
            message: None,
            change: Some(order.unwrap_or(std::cmp::Ordering::Equal)),
            to_others: false,
            told: false,
            firsts: Vec::new(),
        }
    }

    /// A change of a derived value that was noticed now.
    pub(super) fn of_derived(
        subject: &SubjectRef,
        derived: Name,
        (old, new): (Value, Value),
        order: Option<std::cmp::Ordering>,
        run: &Run,
    ) -> Occurrence<'static> {
        let fields = [(Name::new("old"), old), (Name::new("new"), new)];
        let known = fields.into_iter().filter(|(_, value)| !value.is_missing());
        Occurrence {
            trigger: Trigger::Change(derived),
            name: run.sym(derived),
            at: run.now,
            received: run.now,
            subject: subject.clone(),
            fields: Cow::Owned(known.collect()),
            identity: format!("{derived}#{}", run.now).into(),
            message: None,
            change: Some(order.unwrap_or(std::cmp::Ordering::Equal)),
            to_others: false,
            told: false,
            firsts: Vec::new(),
        }
    }

    /// The data of an attribute for a period are complete.
    pub(super) fn of_close(event: &'e Event, attribute: Name, run: &Run) -> Self {
        let declared = Self::of_event(event, attribute, run);
        Self { trigger: Trigger::Close(attribute), ..declared }
    }

    /// Its fields as an instance keeps them: with `id` and `time`, where the program asks for those of its events.
    pub(super) fn record(&self, loaded: &Loaded) -> Vec<(Name, Value)> {
        let mut fields = self.fields.to_vec();
        if loaded.program.stamped {
            let stamps = [(ID, Value::Text(Arc::clone(&self.identity))), (TIME, Value::Moment(self.at))];
            for (name, value) in stamps.map(|(name, value)| (Name::new(name), value)) {
                if fields.iter().all(|(known, _)| *known != name) {
                    fields.push((name, value));
                }
            }
        }
        fields
    }

    /// Whether it is about `subject`: the same one, its parent, or, seen from the root, any of its children.
    pub(super) fn concerns(&self, subject: &SubjectRef) -> bool {
        self.subject.0.is_none() || subject.0.is_none() || self.subject == *subject
    }

    /// Whether this is what `pattern` of `loaded` waits for. In a scene with an instance, a message event is one of
    /// that instance's own messages.
    pub(super) fn matches(&self, pattern: &Pattern, loaded: &Loaded, scene: Scene) -> bool {
        Trigger::of(&pattern.source) == Some(self.trigger)
            && self.is_of(&pattern.source, loaded, &scene)
            && (!pattern.first || self.firsts.contains(&digest(pattern)))
            && scene.hearing(self).admits(pattern.filter.as_ref())
    }

    /// Whether the source's own limits (which step, which direction of change) let it through.
    pub(super) fn is_of(&self, source: &Source, loaded: &Loaded, scene: &Scene) -> bool {
        match (source, &self.message) {
            (Source::Message { step: Some(step), .. }, Some(about)) => {
                let own = scene
                    .instance
                    .is_none_or(|instance| about.entry == instance.key && self.subject == instance.subject);
                own && about.journey == loaded.journey && loaded.is_step(about.step, *step)
            }
            (Source::Change { verb, .. }, _) => match verb {
                ChangeVerb::Change => true,
                ChangeVerb::Rise => self.change.is_some_and(std::cmp::Ordering::is_gt),
                ChangeVerb::Drop => self.change.is_some_and(std::cmp::Ordering::is_lt),
            },
            _ => true,
        }
    }

    /// Notes which `first` patterns this is the first of. Once per occurrence, before anybody hears of it.
    pub(super) fn note_firsts(&mut self, run: &mut Run) {
        let world = run.world;
        for first in world.index().firsts(self.trigger) {
            let met = |known: &First| known.digest == first.digest && known.subject == self.subject;
            if !run.is_home_of(&first.loaded) || run.state.firsts.iter().any(met) {
                continue;
            }
            let scene = run.scene(&first.loaded, &self.subject).entered_by(&self.fields);
            let pattern = Pattern { first: false, ..first.pattern.clone() };
            if self.matches(&pattern, &first.loaded, scene) {
                self.firsts.push(first.digest);
                let subject = self.subject.clone();
                run.state.firsts.push(First { digest: first.digest, subject, at: self.at });
            }
        }
    }

    /// Whether every condition of the pattern but `first` holds: for the reason given.
    pub(super) fn is_first_of(&self, pattern: &Pattern) -> bool {
        !pattern.first || self.firsts.contains(&digest(pattern))
    }

    /// The subject of `loaded` that this enters; `None` if it is about another kind of subject.
    pub(super) fn entrant(&self, loaded: &Loaded, run: &Run) -> Option<SubjectRef> {
        if !loaded.of_child {
            return Some(ROOT.clone());
        }
        let (entity, _) = self.subject.0.as_ref()?;
        (run.sym(loaded.program.subject) == *entity).then(|| self.subject.clone())
    }
}

/// The entry key of the instance that sends it. One of another row has its whole key, which is nobody's here.
fn own_entry(message: &Message, run: &Run) -> Arc<str> {
    match message.from() {
        Some(_) => super::message::key_of(run, message).to_string().into(),
        None => message.entry.clone(),
    }
}

/// (source, id) as one text.
pub(super) fn identity(event: &Event) -> Arc<str> {
    let mut text = String::with_capacity(event.source.len() + event.id.len() + 1);
    text.push_str(&event.source);
    text.push('#');
    text.push_str(&event.id);
    text.into()
}
