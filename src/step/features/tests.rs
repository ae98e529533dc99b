//! Every aggregate over every kind of window, against the same aggregate over the full list of events.

mod random;
mod stories;

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;

use super::read;
use crate::expr::eval::fold;
use crate::expr::{Aggregate, AggregateFn, Anchor, Env, Expr, Owner, Source, SpanUnit, Window, civil, eval};
use crate::name::Name;
use crate::program::{
    Bundle, Enter, Entity, Event as EventDecl, FORMAT, Feature, Field, Hashed, Program, Reenter, Schema,
};
use crate::step::run::Run;
use crate::step::scene::ROOT;
use crate::step::{Event, EventKind, Input, ProgramNo, RootKey, State, World, step};
use crate::value::{CivilUnit, Currency, Length, Money, Value};

const FUNCTIONS: [AggregateFn; 10] = [
    AggregateFn::Any,
    AggregateFn::Once,
    AggregateFn::Count,
    AggregateFn::Sum,
    AggregateFn::Avg,
    AggregateFn::Min,
    AggregateFn::Max,
    AggregateFn::First,
    AggregateFn::Last,
    AggregateFn::Most,
];

fn windows() -> Vec<Window> {
    let civil = |count, unit| Window::Last(Length::Civil { count, unit });
    let span = |unit, offset| Window::Span(Expr::Span { unit, offset });
    let monday = Expr::Const(Value::Moment("2026-03-02T03:04:05Z".parse().unwrap()));
    vec![
        Window::Ever,
        civil(1, CivilUnit::Day),
        civil(7, CivilUnit::Day),
        civil(2, CivilUnit::Week),
        civil(1, CivilUnit::Month),
        civil(3, CivilUnit::Workday),
        Window::Last(Length::Elapsed(36 * 3_600_000)),
        span(SpanUnit::Month, 0),
        span(SpanUnit::Week, -1),
        span(SpanUnit::Quarter, 0),
        Window::Since(Anchor::At(monday)),
    ]
}

/// Of these two, each case asks a hundred conditions; `random` has the many cases.
const DAYS_CASES: u32 = if cfg!(debug_assertions) { 20 } else { 500 };

fn name(text: &str) -> Name {
    Name::new(text)
}

/// One feature per function and window, all over payments of at least 10.
fn features() -> Vec<Feature> {
    let amount = || Expr::Field(Box::new(Expr::Element), name("amount"));
    let large =
        Expr::Binary(crate::expr::BinaryOp::GreaterEq, Box::new(amount()), Box::new(Expr::Const(cny(10))));
    let mut features = Vec::new();
    for function in FUNCTIONS {
        for (at, window) in windows().into_iter().enumerate() {
            let counts = matches!(function, AggregateFn::Any | AggregateFn::Once | AggregateFn::Count);
            features.push(Feature {
                id: name(&format!("{function:?}-{at}")),
                aggregate: Aggregate {
                    function,
                    source: Source::Event(name("payment")),
                    filter: Some(large.clone()),
                    value: (!counts).then(amount),
                    window: Some(window),
                },
            });
        }
    }
    features
}

fn cny(amount: i64) -> Value {
    Value::Money(Money { minor: amount * 100, currency: Currency::parse("CNY").unwrap() })
}

fn world() -> World {
    world_of(features(), Vec::new())
}

fn world_of(features: Vec<Feature>, fields: Vec<Field>) -> World {
    let customer =
        Entity { label: None, parent: None, key: name("id"), fields, anchors: Vec::new(), calendar: None };
    let payment =
        EventDecl { label: None, subject: name("customer"), fields: Vec::new(), source: None, late_ms: 0 };
    let schema = Schema {
        entities: BTreeMap::from([(name("customer"), customer)]),
        events: BTreeMap::from([(name("payment"), payment)]),
        ..Schema::default()
    };
    world_with(schema, vec![program("history", "customer", features)])
}

/// A journey that nobody enters, for what it asks.
fn program(journey: &str, subject: &str, features: Vec<Feature>) -> Program {
    Program {
        journey: name(journey),
        label: None,
        subject: name(subject),
        root: name("customer"),
        purpose: name("service"),
        owner: "o".into(),
        open: None,
        enter: Enter::Start,
        existing: None,
        stale: None,
        reenter: Reenter::Never,
        exits: Vec::new(),
        goals: Vec::new(),
        lasts: None,
        params: Vec::new(),
        holdout: 0,
        locals: Vec::new(),
        defs: Vec::new(),
        features,
        tracked: Vec::new(),
        awaits: Vec::new(),
        nodes: Vec::new(),
        origin: None,
        lines: Vec::new(),
        rung_lines: Vec::new(),
        rules: None,
        stamped: false,
    }
}

fn world_with(schema: Schema, programs: Vec<Program>) -> World {
    let hashed = |program: Program| Hashed { hash: program.journey.as_str().into(), body: Arc::new(program) };
    let bundle = Bundle {
        format: FORMAT,
        hash: "b".into(),
        schema,
        channels: BTreeMap::new(),
        contents: BTreeMap::new(),
        calendars: BTreeMap::new(),
        values: crate::program::Values::default(),
        lanes: BTreeMap::new(),
        policy: None,
        units: BTreeMap::new(),
        programs: programs.into_iter().map(|program| (program.journey, hashed(program))).collect(),
        pictures: BTreeMap::new(),
    };
    World::of_bundle(Arc::new(bundle), TimeZone::get("Europe/Berlin").unwrap())
}

/// The aggregate over the full list, straight from its definition.
fn recomputed(aggregate: &Aggregate, all: &[(Timestamp, i64)], env: &dyn Env) -> Value {
    let inside = |at: Timestamp| match aggregate.window.as_ref().unwrap() {
        Window::Ever => true,
        Window::Since(Anchor::At(expr)) => {
            eval::compare(&Value::Moment(at), &eval(expr, env), env).unwrap().is_ge()
        }
        Window::Since(_) => false,
        Window::Last(length) => {
            civil::last_window_start(*length, env.now(), env.zone(), None).is_some_and(|start| at >= start)
        }
        Window::Span(span) => {
            let day = Value::Date(civil::date_of(at, env.zone()));
            let Value::Range(ends) = eval(span, env) else { return false };
            eval::compare(&day, &ends.0, env).unwrap().is_ge()
                && eval::compare(&day, &ends.1, env).unwrap().is_le()
        }
    };
    let mut all: Vec<_> = all.iter().filter(|(at, amount)| *amount >= 10 && inside(*at)).collect();
    all.sort_by_key(|(at, _)| *at);
    let values: Vec<Value> = all.iter().map(|(_, amount)| cny(*amount)).collect();
    fold(aggregate.function, &values, env)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(DAYS_CASES))]

    /// Events come with up to two days of delay, so out of order, around a change of the clock.
    #[test]
    fn kept_history_is_the_history(
        payments in prop::collection::vec((0_i64..20_000, 0_i64..2_880, 5_i64..40), 0..80),
        pauses in prop::collection::vec(1_i64..6_000, 4),
    ) {
        let world = world();
        let root = RootKey { entity: name("customer"), id: "c1".into() };
        let mut state = State { known: true, ..State::default() };
        let start: Timestamp = "2026-02-20T00:00:00Z".parse().unwrap();
        // Instants are distinct, so that `first`, `last` and `most` have one answer.
        let mut arrivals: Vec<(Timestamp, Timestamp, i64)> = payments
            .iter()
            .enumerate()
            .map(|(at, (when, delay, amount))| {
                let own = SignedDuration::from_mins(*when) + SignedDuration::from_millis(at.try_into().unwrap());
                let happened = start + SignedDuration::from_hours(48) + own;
                (happened + SignedDuration::from_mins(*delay), happened, *amount)
            })
            .collect();
        arrivals.sort();
        let mut seen = Vec::new();
        let mut now = start;
        for (at, (arrives, happened, amount)) in arrivals.iter().enumerate() {
            now = *arrives;
            let event = Event {
                source: "bank".into(),
                id: at.to_string().into(),
                kind: EventKind::Declared(name("payment")),
                child: None,
                time: *happened,
                received: now,
                fields: vec![(name("amount"), cny(*amount))],
            };
            let _ = step(&world, &root, &mut state, &Input::Event(event), now);
            seen.push((*happened, *amount));
        }
        for pause in pauses {
            now += SignedDuration::from_mins(pause);
            let mut state = state.clone();
            let run = Run::new(&world, &root, &mut state, now);
            let loaded = world.index().program(ProgramNo(1)).unwrap();
            let scene = run.scene(loaded, &ROOT);
            for feature in &loaded.program.features {
                let kept = read(feature, &scene);
                let full = recomputed(&feature.aggregate, &seen, &scene);
                prop_assert_eq!(kept, full, "{} {:?}", feature.id, feature.aggregate.window);
            }
        }
    }
}

const OVER_DAYS: [AggregateFn; 8] = [
    AggregateFn::Sum,
    AggregateFn::Avg,
    AggregateFn::Min,
    AggregateFn::Max,
    AggregateFn::First,
    AggregateFn::Last,
    AggregateFn::Spread,
    AggregateFn::Trend,
];

/// One feature per function and window of whole days, all over one daily attribute.
fn daily_features() -> Vec<Feature> {
    let date = |day| Expr::Const(Value::Date(day));
    let month_of = Expr::SpanOf { unit: SpanUnit::Month, of: Box::new(date(jiff::civil::date(2026, 3, 31))) };
    let civil = |count, unit| Window::Last(Length::Civil { count, unit });
    let windows = [
        civil(1, CivilUnit::Day),
        civil(9, CivilUnit::Day),
        civil(1, CivilUnit::Month),
        Window::Span(Expr::Span { unit: SpanUnit::Month, offset: -1 }),
        Window::Span(Expr::Span { unit: SpanUnit::Week, offset: 0 }),
        Window::Span(month_of),
    ];
    let all = OVER_DAYS.into_iter().flat_map(|function| windows.iter().map(move |window| (function, window)));
    all.enumerate()
        .map(|(at, (function, window))| Feature {
            id: name(&format!("daily-{at}")),
            aggregate: Aggregate {
                function,
                source: Source::Daily { owner: Owner::Subject, attribute: name("aum") },
                filter: None,
                value: None,
                window: Some(window.clone()),
            },
        })
        .collect()
}

/// The value of every day of the window, straight from the list of everything told, in order of arrival.
fn recomputed_days(aggregate: &Aggregate, told: &[(Date, Value)], env: &dyn Env) -> Value {
    let today = civil::date_of(env.now(), env.zone());
    let (first, last) = match aggregate.window.as_ref().unwrap() {
        Window::Last(length) => {
            let start = civil::last_window_start(*length, env.now(), env.zone(), None).unwrap();
            (civil::date_of(start, env.zone()), today)
        }
        Window::Span(span) => match eval(span, env) {
            Value::Range(ends) => match *ends {
                (Value::Date(first), Value::Date(last)) => (first, last.min(today)),
                _ => unreachable!(),
            },
            _ => unreachable!(),
        },
        _ => unreachable!(),
    };
    let of_day = |day: Date| {
        let newest = told.iter().map(|(of, _)| *of).filter(|of| *of <= day).max()?;
        told.iter().rev().find(|(of, _)| *of == newest).map(|(_, value)| value.clone())
    };
    let days = first.series(jiff::Span::new().days(1)).take_while(|day| *day <= last);
    fold(aggregate.function, &days.filter_map(of_day).collect::<Vec<_>>(), env)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(DAYS_CASES))]

    /// Values arrive over three months, up to three days late, some of them removals.
    #[test]
    fn kept_days_are_the_days(
        values in prop::collection::vec((0_i64..130_000, 0_i64..4_320, -3_i64..40), 0..60),
        pauses in prop::collection::vec(1_i64..60_000, 3),
    ) {
        let aum = Field {
            name: name("aum"),
            ty: crate::value::Type::Int,
            class: None,
            value: None,
            daily: true,
        };
        let world = world_of(daily_features(), vec![aum]);
        let root = RootKey { entity: name("customer"), id: "c1".into() };
        let mut state = State::default();
        let mut now: Timestamp = "2026-02-10T00:00:00Z".parse().unwrap();
        let mut arrivals: Vec<(i64, i64, i64)> =
            values.iter().map(|(when, late, amount)| (when + late, *when, *amount)).collect();
        arrivals.sort_unstable();
        let start = now;
        let mut told = Vec::new();
        for (at, (arrives, happened, amount)) in arrivals.iter().enumerate() {
            now = start + SignedDuration::from_mins(*arrives);
            let time = start + SignedDuration::from_mins(*happened);
            let value = if *amount < 0 { Value::Missing } else { cny(*amount) };
            let event = Event {
                source: "bank".into(),
                id: at.to_string().into(),
                kind: EventKind::Attributes,
                child: None,
                time,
                received: now,
                fields: vec![(name("aum"), value.clone())],
            };
            let _ = step(&world, &root, &mut state, &Input::Event(event), now);
            told.push((civil::date_of(time, &TimeZone::get("Europe/Berlin").unwrap()), value));
        }
        for pause in pauses {
            now += SignedDuration::from_mins(pause);
            let mut state = state.clone();
            let run = Run::new(&world, &root, &mut state, now);
            let loaded = world.index().program(ProgramNo(1)).unwrap();
            let scene = run.scene(loaded, &ROOT);
            for feature in &loaded.program.features {
                let kept = read(feature, &scene);
                let full = recomputed_days(&feature.aggregate, &told, &scene);
                prop_assert_eq!(kept, full, "{} {:?}", feature.id, feature.aggregate);
            }
            let newest = told.iter().map(|(day, _)| *day).max();
            let now_is = newest.and_then(|newest| told.iter().rev().find(|(day, _)| *day == newest));
            let now_is = now_is.map_or(Value::Missing, |(_, value)| value.clone());
            prop_assert_eq!(scene.attribute(&ROOT, name("aum")), now_is);
        }
    }
}
