//! The systems of the bank that send events: too early, too late, twice, in another order, and some of them wrong.
//! Whoever is not answered sends again.

use std::collections::VecDeque;

use jiff::{SignedDuration, Timestamp};
use wayfare::expr::MessageEvent;
use wayfare::name::Name;
use wayfare::step::{Event, EventKind, MessageKey, RootKey};
use wayfare::value::{Currency, Money, Value};

use crate::support::chance::Chance;

/// Customers to whom anything may happen, and those whose story is written beforehand.
const WILD: [u64; 3] = [12, 40, 90];
const CALM: u64 = 8;
/// Events that may be sent again.
const REMEMBERED: usize = 400;

/// How the ids of events begin on which the step panics.
pub(crate) const POISON: &str = "poison";

pub(crate) type Submitted = (RootKey, Event);

pub(crate) struct Source {
    /// What has been sent lately.
    sent: VecDeque<Submitted>,
    /// What was not acknowledged, to be sent again.
    pub unsure: VecDeque<Submitted>,
    /// Events of calm customers, soonest first.
    planned: VecDeque<(Timestamp, Submitted)>,
    serial: u64,
    wild: u64,
}

impl Source {
    pub(crate) fn new(calm: &mut Chance, begin: Timestamp) -> Self {
        let mut planned = Vec::new();
        for n in 0..CALM {
            let id = format!("q{n}");
            let day = |days: i64| begin + SignedDuration::from_hours(24 * days + 6);
            let mut plan = |at, name: &str| {
                let (root, mut event) = happened(&id, name, at, vec![]);
                (event.source, event.received) = ("calm".into(), at + SignedDuration::from_secs(1));
                event.id = format!("{name}.{id}").into();
                if name == "known" {
                    event.kind = EventKind::Attributes;
                }
                planned.push((at, (root, event)));
            };
            plan(day(0), "known");
            plan(day(2), "enrolled");
            match calm.below(3) {
                0 => {}
                1 => plan(day(4), "answered"),
                _ => plan(day(9), "answered"),
            }
        }
        planned.sort_by_key(|(at, (root, _))| (*at, root.id.clone()));
        Self {
            sent: VecDeque::new(),
            unsure: VecDeque::new(),
            planned: planned.into(),
            serial: 0,
            wild: *calm.one(&WILD),
        }
    }

    /// Whether all that was to be sent has been, and was acknowledged.
    pub(crate) fn is_done(&self) -> bool {
        self.unsure.is_empty() && self.planned.is_empty()
    }

    /// What calm customers do by now.
    pub(crate) fn planned(&mut self, now: Timestamp) -> Vec<Submitted> {
        let mut due = Vec::new();
        while self.planned.front().is_some_and(|(at, _)| *at <= now) {
            due.extend(self.planned.pop_front().map(|(_, event)| arriving(event, now)));
        }
        due
    }

    /// What was not acknowledged, once more.
    pub(crate) fn again(&mut self, now: Timestamp) -> Vec<Submitted> {
        let count = self.unsure.len().min(50);
        self.unsure.drain(..count).map(|event| arriving(event, now)).collect()
    }

    /// Something happens.
    pub(crate) fn next(&mut self, chance: &mut Chance, now: Timestamp) -> Submitted {
        if !self.sent.is_empty() && chance.percent(12) {
            return self.repeated(chance, now);
        }
        let submitted = self.new_event(chance, now);
        self.sent.push_back(submitted.clone());
        if self.sent.len() > REMEMBERED {
            self.sent.pop_front();
        }
        submitted
    }

    fn repeated(&mut self, chance: &mut Chance, now: Timestamp) -> Submitted {
        let place = chance.place(self.sent.len());
        let mut again = arriving(self.sent[place].clone(), now);
        let is_of_customer = again.0.entity.as_str() != "group";
        if again.1.kind != EventKind::Attributes && is_of_customer && chance.percent(20) {
            // The same identity for something else. What has a time of its own keeps it: without one it would be
            // looked for on another day.
            again.1.kind = EventKind::Declared(Name::new("agreed_to"));
            (again.1.child, again.1.fields) = (None, vec![]);
        }
        again
    }

    fn new_event(&mut self, chance: &mut Chance, now: Timestamp) -> Submitted {
        self.serial += 1;
        let id = match chance.below(100) {
            0 | 1 => "x0".to_owned(),
            2..10 => format!("p{}", chance.below(10)),
            _ => format!("c{}", chance.below(self.wild)),
        };
        let (name, fields) = what(chance, self.serial);
        let (mut root, mut event) = happened(&id, name, now, fields);
        let kind = if chance.percent(1) { POISON } else { "e" };
        event.id = format!("{kind}{}", self.serial).into();
        match name {
            "known" => {
                event.kind = EventKind::Attributes;
                event.fields = attributes(chance);
            }
            "holding" | "redeemed" => {
                let holding = format!("h{}", chance.below(3));
                event.child = Some((Name::new("holding"), holding.into()));
                if name == "holding" {
                    event.kind = EventKind::Attributes;
                    event.fields = vec![(Name::new("maturity"), maturity(chance, now))];
                }
            }
            "class_began" => root = group(chance),
            "group" => {
                root = group(chance);
                let members = (0..4).map(|_| Value::text(&format!("c{}", chance.below(self.wild))));
                event.kind = EventKind::Attributes;
                event.fields = vec![(Name::new("members"), Value::List(members.collect()))];
            }
            "merged" => {
                let pair = 2 * chance.below(5);
                let person = |n: u64| RootKey { entity: root.entity, id: format!("p{n}").into() };
                event.kind = EventKind::Merged { into: person(pair + 1) };
                root = person(pair);
            }
            "agrees" => {
                let channel = ["push", "sms", "in_app"][chance.place(3)];
                event.kind = EventKind::Consent {
                    channel: (!chance.percent(10)).then(|| Name::new(channel)),
                    purpose: chance.percent(60).then(|| Name::new("marketing")),
                    given: chance.percent(55),
                    wording: "v1".into(),
                };
            }
            "listed" => {
                let until = now + SignedDuration::from_hours(i64::try_from(chance.below(100)).unwrap());
                event.kind = EventKind::Listed {
                    list: (*chance.one(&["regulator", "deceased"])).into(),
                    channel: chance.percent(30).then(|| Name::new("push")),
                    purpose: chance.percent(50).then(|| Name::new("marketing")),
                    on: chance.percent(40),
                    until: chance.percent(70).then_some(until),
                };
            }
            "wrote" => {
                let text = *chance.one(&["TD", "好的", "退订", "我不退订"]);
                event.kind = EventKind::Inbound { channel: Name::new("sms"), text: text.into() };
            }
            _ => {}
        }
        if name == "known" && chance.percent(25) {
            let friend = Value::text(&format!("c{}", chance.below(self.wild)));
            event.fields.push((Name::new("friend"), friend));
        }
        if &*root.id == "x0" && event.kind == EventKind::Attributes {
            event.kind = EventKind::Declared(Name::new("login"));
            (event.child, event.fields) = (None, vec![]);
        }
        if chance.percent(1) {
            root.entity = Name::new("planet");
        }
        // Half have no time of their own; the others are late by a little, by a lot, or ahead.
        let late = match chance.below(100) {
            0..50 => 0,
            50..75 => i64::try_from(chance.below(3)).unwrap(),
            75..90 => i64::try_from(chance.below(600)).unwrap(),
            90..98 => i64::try_from(chance.below(200_000)).unwrap(),
            _ => -i64::try_from(chance.below(700)).unwrap(),
        };
        event.time = now - SignedDuration::from_secs(late);
        (root, event)
    }
}

/// As it arrives now; without a time of its own it happens when it arrives.
fn arriving((root, mut event): Submitted, now: Timestamp) -> Submitted {
    if event.time == event.received && event.kind != EventKind::Attributes {
        event.time = now;
    }
    event.received = now;
    (root, event)
}

fn what(chance: &mut Chance, serial: u64) -> (&'static str, Vec<(Name, Value)>) {
    let txn = |serial: u64| (Name::new("txn"), Value::text(&format!("t{serial}")));
    match chance.below(100) {
        0..20 => ("login", vec![]),
        20..27 => ("tapped", vec![txn(serial / 3)]),
        27..34 => ("bound", vec![]),
        34..36 => ("joined", vec![(Name::new("group"), Value::text(&group(chance).id))]),
        36 => ("class_began", vec![]),
        37 => ("group", vec![]),
        38..55 => {
            let amount = i64::try_from(chance.below(50) * 100).unwrap();
            ("payment", vec![txn(serial / 2), (Name::new("amount"), cny(amount))])
        }
        55..65 => ("agreed_to", vec![]),
        65..69 => ("drawdown", vec![]),
        69..71 => ("complained", vec![]),
        71..74 => ("opened_account", vec![]),
        74..77 => ("agrees", vec![]),
        77 => ("listed", vec![]),
        78 => ("wrote", vec![]),
        79 if serial.is_multiple_of(2) => ("merged", vec![]),
        79..90 => ("known", vec![]),
        90..96 => ("holding", vec![]),
        _ => ("redeemed", vec![]),
    }
}

fn group(chance: &mut Chance) -> RootKey {
    RootKey { entity: Name::new("group"), id: format!("g{}", chance.below(3)).into() }
}

fn attributes(chance: &mut Chance) -> Vec<(Name, Value)> {
    let mut fields = Vec::new();
    if chance.percent(60) {
        let channels = ["push", "sms", "in_app"].into_iter().filter(|_| chance.percent(70));
        let channels = channels.map(|channel| Value::Choice(Name::new(channel))).collect();
        fields.push((Name::new("consent"), Value::List(channels)));
    }
    if chance.percent(40) {
        let limit = if chance.percent(50) { cny(5_000) } else { Value::Missing };
        fields.push((Name::new("loan_limit"), limit));
    }
    if chance.percent(30) {
        fields.push((Name::new("vip"), Value::Bool(chance.percent(50))));
    }
    if chance.percent(20) {
        let zone =
            *chance.one(&["Asia/Shanghai", "America/New_York", "Europe/London", "Australia/Lord_Howe"]);
        fields.push((Name::new("zone"), Value::text(zone)));
    }
    fields
}

fn maturity(chance: &mut Chance, now: Timestamp) -> Value {
    let today = now.to_zoned(jiff::tz::TimeZone::UTC).date();
    let days = i64::try_from(chance.below(12)).unwrap();
    if chance.percent(90) {
        Value::Date(today.checked_add(jiff::Span::new().days(days)).unwrap())
    } else {
        Value::Missing
    }
}

fn cny(minor: i64) -> Value {
    Value::Money(Money { minor, currency: Currency::parse("CNY").unwrap() })
}

fn happened(id: &str, name: &str, now: Timestamp, fields: Vec<(Name, Value)>) -> Submitted {
    let entity = if id.starts_with('g') { "group" } else { "customer" };
    let root = RootKey { entity: Name::new(entity), id: id.into() };
    let event = Event {
        source: "bank".into(),
        id: "".into(),
        kind: EventKind::Declared(Name::new(name)),
        child: None,
        time: now,
        received: now,
        fields,
    };
    (root, event)
}

/// What somebody did with a message that reached them, or what the provider heard of it later.
pub(crate) fn report(chance: &mut Chance, key: &MessageKey, now: Timestamp) -> Submitted {
    let kinds = [MessageEvent::Delivered, MessageEvent::Opened, MessageEvent::Clicked, MessageEvent::Failed];
    let kind = kinds[chance.place(if &*key.journey == super::bank::CALM { 3 } else { 4 })];
    let (root, event) = happened(&key.root, "login", now, vec![]);
    let late = SignedDuration::from_secs(i64::try_from(chance.below(3_600)).unwrap());
    // A report that is sent again says the same; another report of the same thing has another id.
    let event = Event {
        source: "provider".into(),
        id: format!("{}.{key}.{}", kind.as_str(), (now - late).as_second()).into(),
        kind: EventKind::Message { kind, key: key.clone() },
        time: now - late,
        ..event
    };
    (root, event)
}
