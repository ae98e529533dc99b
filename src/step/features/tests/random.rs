//! Random conditions over random histories: what is kept equals what the full list of all that happened says.
//!
//! Arrivals are late and out of order, happen in the same instant, about a customer or a holding, in a zone that
//! changes on the way, around days on which clocks change, with pauses of a year. 100,000 cases in release.

use super::*;
use crate::expr::{BinaryOp, ChangeVerb, MessageEvent};
use crate::step::MessageKey;
use crate::step::state::{Instance, Message, MessageStatus, SubjectRef};
use rust_decimal::Decimal;

const CASES: u32 = if cfg!(debug_assertions) { 1_000 } else { 100_000 };

/// Clocks change at one, at two, at midnight, and never.
const ZONES: [&str; 5] =
    ["Europe/Berlin", "America/New_York", "Africa/Cairo", "Asia/Shanghai", "Pacific/Kiritimati"];

/// What arrives.
#[derive(Clone, Debug)]
enum Told {
    Payment(Facts),
    /// Of one of two holdings.
    Interest(usize, Facts),
    /// The limit is set, or removed.
    Limit(Option<i64>),
    Zone(usize),
    Closed,
    Opened,
}

#[derive(Clone, Debug)]
struct Facts {
    amount: Option<i64>,
    count: Option<i64>,
    share: Option<i64>,
    word: Option<usize>,
}

/// Half hours since the arrival before, and half hours between happening and arrival; many fall together.
#[derive(Clone, Debug)]
struct Arrival {
    after: i64,
    late: i64,
    told: Told,
}

#[derive(Clone, Debug)]
struct Asked {
    aggregate: Aggregate,
    of_holding: bool,
}

/// What happened, as the oracle has it: in order of arrival.
struct Happened {
    source: Source,
    at: Timestamp,
    /// In the zone at arrival.
    day: Date,
    zone: TimeZone,
    subject: SubjectRef,
    fields: Vec<(Name, Value)>,
    order: Option<std::cmp::Ordering>,
}

fn facts() -> impl Strategy<Value = Facts> {
    let number = || prop::option::weighted(0.85, -4_i64..30);
    let word = prop::option::weighted(0.85, 0_usize..3);
    (number(), number(), number(), word).prop_map(|(amount, count, share, word)| Facts {
        amount,
        count,
        share,
        word,
    })
}

fn arrivals() -> impl Strategy<Value = Vec<Arrival>> {
    let told = prop_oneof![
        8 => facts().prop_map(Told::Payment),
        4 => (0_usize..2, facts()).prop_map(|(holding, facts)| Told::Interest(holding, facts)),
        3 => prop::option::weighted(0.8, 0_i64..4).prop_map(Told::Limit),
        1 => (0..ZONES.len()).prop_map(Told::Zone),
        1 => Just(Told::Closed),
        1 => Just(Told::Opened),
    ];
    let after = prop_oneof![6 => 0_i64..4, 6 => 0_i64..60, 2 => 0_i64..1_500, 1 => 15_000_i64..30_000];
    let late = prop_oneof![6 => Just(0_i64), 3 => 0_i64..100, 1 => 0_i64..3_000];
    let arrival = (after, late, told).prop_map(|(after, late, told)| Arrival { after, late, told });
    prop::collection::vec(arrival, 0..50)
}

fn window() -> impl Strategy<Value = Window> {
    let unit = prop::sample::select(vec![
        SpanUnit::Day,
        SpanUnit::Week,
        SpanUnit::Month,
        SpanUnit::Quarter,
        SpanUnit::Year,
    ]);
    let civil = prop_oneof![
        (1_i32..40).prop_map(|count| (count, CivilUnit::Day)),
        (1_i32..12).prop_map(|count| (count, CivilUnit::Workday)),
        (1_i32..8).prop_map(|count| (count, CivilUnit::Week)),
        (1_i32..5).prop_map(|count| (count, CivilUnit::Month)),
        (1_i32..2).prop_map(|count| (count, CivilUnit::Year)),
    ];
    let day = || (0_i32..500).prop_map(|day| jiff::civil::date(2026, 1, 1) + jiff::Span::new().days(day));
    let date = |day| Expr::Const(Value::Date(day));
    let moment = (0_i64..15_000).prop_map(|half_hours| {
        Value::Moment(
            "2026-01-01T00:00:00Z".parse::<Timestamp>().unwrap() + SignedDuration::from_mins(30 * half_hours),
        )
    });
    let since = |anchor: Expr| Window::Since(Anchor::At(anchor));
    prop_oneof![
        2 => Just(Window::Ever),
        3 => (1_i64..200).prop_map(|half_hours| Window::Last(Length::Elapsed(half_hours * 1_800_000))),
        4 => civil.prop_map(|(count, unit)| Window::Last(Length::Civil { count, unit })),
        4 => (unit.clone(), -1_i8..2).prop_map(|(unit, offset)| Window::Span(Expr::Span { unit, offset })),
        1 => (unit, day()).prop_map(move |(unit, day)| {
            Window::Span(Expr::SpanOf { unit, of: Box::new(date(day)) })
        }),
        1 => (day(), 0_i32..60).prop_map(move |(first, days)| {
            let last = first + jiff::Span::new().days(days);
            Window::Span(Expr::Range(Box::new(date(first)), Box::new(date(last))))
        }),
        1 => day().prop_map(move |day| since(date(day))),
        1 => moment.prop_map(move |moment| since(Expr::Const(moment))),
        1 => Just(Window::Since(Anchor::Entered)),
        1 => Just(since(Expr::Attr(Owner::Parent, name("opened_on")))),
    ]
}

fn source() -> impl Strategy<Value = Source> {
    let change = |verb| Source::Change { verb, attribute: name("limit") };
    prop_oneof![
        5 => Just(Source::Event(name("payment"))),
        4 => Just(Source::Event(name("interest"))),
        1 => Just(change(ChangeVerb::Change)),
        1 => Just(change(ChangeVerb::Rise)),
        1 => Just(change(ChangeVerb::Drop)),
        1 => Just(Source::Close(name("aum"))),
        1 => Just(Source::Message { kind: MessageEvent::Opened, step: None }),
        1 => Just(Source::Message { kind: MessageEvent::Opened, step: Some(name("nudge")) }),
    ]
}

/// As the checker lets it be written: sums of what can be added, extremes of what has an order.
fn asked() -> impl Strategy<Value = Asked> {
    let function = prop::sample::select(FUNCTIONS.to_vec());
    (function, source(), window(), 0_usize..4, 0_usize..6, any::<bool>()).prop_map(
        |(function, source, window, field, filter, of_holding)| {
            let of_event = matches!(source, Source::Event(_));
            let field = match (of_event, &source) {
                (true, _) => ["amount", "count", "share", "word"][field],
                (false, Source::Change { .. }) => ["old", "new"][field % 2],
                (false, Source::Close(_)) => "period",
                (false, _) => "channel",
            };
            let is_text = matches!(field, "word" | "period" | "channel");
            let function = match function {
                AggregateFn::Sum | AggregateFn::Avg if is_text => AggregateFn::Count,
                AggregateFn::Min if is_text => AggregateFn::First,
                AggregateFn::Max if is_text => AggregateFn::Last,
                function => function,
            };
            let own = |field: &str| Expr::Field(Box::new(Expr::Element), name(field));
            let counts = matches!(function, AggregateFn::Any | AggregateFn::Once | AggregateFn::Count);
            let limit = |op, value| {
                Expr::Binary(
                    op,
                    Box::new(own(if of_event { "amount" } else { "new" })),
                    Box::new(Expr::Const(value)),
                )
            };
            let filter = match (filter, of_event) {
                (0, true) => Some(limit(BinaryOp::GreaterEq, cny(10))),
                (1, true) => Some(Expr::Known(Box::new(own("word")), true)),
                (2, true) => Some(Expr::Not(Box::new(limit(BinaryOp::Less, cny(20))))),
                (0, false) => Some(limit(BinaryOp::Greater, Value::Int(1))),
                _ => None,
            };
            let value = (!counts || field == "amount").then(|| own(field));
            Asked {
                aggregate: Aggregate { function, source, filter, value, window: Some(window) },
                of_holding,
            }
        },
    )
}

fn world_asking(asked: &[Asked]) -> World {
    let field = |field: &str| Field {
        name: name(field),
        ty: crate::value::Type::Int,
        class: None,
        value: None,
        daily: false,
    };
    let entity = |parent: Option<&str>, fields: &[&str]| Entity {
        label: None,
        parent: parent.map(name),
        key: name("id"),
        fields: fields.iter().map(|one| field(one)).collect(),
        anchors: Vec::new(),
        calendar: None,
    };
    let event = |subject: &str| EventDecl {
        label: None,
        subject: name(subject),
        fields: Vec::new(),
        source: None,
        late_ms: 0,
    };
    let tag = || crate::program::Tag { subject: name("customer"), keep: None };
    let schema = Schema {
        entities: BTreeMap::from([
            (name("customer"), entity(None, &["limit", "zone", "opened_on", "aum"])),
            (name("holding"), entity(Some("customer"), &[])),
        ]),
        events: BTreeMap::from([(name("payment"), event("customer")), (name("interest"), event("holding"))]),
        // For their numbers.
        tags: ["nudge", "push"].into_iter().map(|one| (name(one), tag())).collect(),
        ..Schema::default()
    };
    let features = |of_holding: bool| {
        let own = asked.iter().enumerate().filter(|(_, one)| one.of_holding == of_holding);
        own.map(|(at, one)| Feature { id: name(&format!("asked-{at}")), aggregate: one.aggregate.clone() })
            .collect()
    };
    let programs =
        vec![program("history", "customer", features(false)), program("holdings", "holding", features(true))];
    world_with(schema, programs)
}

/// A customer's life, lived through the step and written down beside it.
struct Life {
    world: World,
    root: RootKey,
    state: State,
    now: Timestamp,
    zone: TimeZone,
    limit: Value,
    events: u32,
    happened: Vec<Happened>,
}

impl Life {
    fn new(asked: &[Asked]) -> Self {
        let world = world_asking(asked);
        let root = RootKey { entity: name("customer"), id: "c1".into() };
        let now = "2026-01-20T00:00:00Z".parse().unwrap();
        let mut life = Self {
            world,
            root,
            state: State::default(),
            now,
            zone: TimeZone::get("Europe/Berlin").unwrap(),
            limit: Value::Missing,
            events: 0,
            happened: Vec::new(),
        };
        let opened = Value::Date(jiff::civil::date(2026, 4, 1));
        life.step(EventKind::Attributes, None, now, vec![(name("opened_on"), opened)]);
        life.state.messages.push(life.message());
        life
    }

    fn message(&self) -> Message {
        let sym = |text| self.world.symbols.sym(name(text)).unwrap();
        Message {
            journey: sym("history"),
            subject: ROOT.clone(),
            entry: "e".into(),
            step: sym("nudge"),
            channel: sym("push"),
            program: ProgramNo(1),
            node: 0,
            at: self.now,
            status: MessageStatus::Sent,
            receipts: Vec::new(),
            args: Vec::new(),
            more: None,
        }
    }

    fn step(&mut self, kind: EventKind, child: Option<usize>, time: Timestamp, fields: Vec<(Name, Value)>) {
        self.events += 1;
        let event = Event {
            source: "bank".into(),
            id: self.events.to_string().into(),
            kind,
            child: child.map(|holding| (name("holding"), holding.to_string().into())),
            time,
            received: self.now,
            fields,
        };
        let _ = step(&self.world, &self.root, &mut self.state, &Input::Event(event), self.now);
    }

    fn holding(&self, holding: usize) -> SubjectRef {
        let sym = self.world.symbols.sym(name("holding")).unwrap();
        SubjectRef(Some((sym, holding.to_string().into())))
    }

    fn note(&mut self, source: Source, at: Timestamp, subject: SubjectRef, fields: &[(Name, Value)]) {
        let (day, zone) = (civil::date_of(at, &self.zone), self.zone.clone());
        self.happened.push(Happened { source, at, day, zone, subject, fields: fields.to_vec(), order: None });
    }

    fn arrives(&mut self, arrival: &Arrival) {
        self.now += SignedDuration::from_mins(30 * arrival.after);
        let at = self.now - SignedDuration::from_mins(30 * arrival.late);
        match &arrival.told {
            Told::Payment(facts) => {
                let fields = fields(facts);
                self.note(Source::Event(name("payment")), at, ROOT.clone(), &fields);
                self.step(EventKind::Declared(name("payment")), None, at, fields);
            }
            Told::Interest(holding, facts) => {
                let fields = fields(facts);
                self.note(Source::Event(name("interest")), at, self.holding(*holding), &fields);
                self.step(EventKind::Declared(name("interest")), Some(*holding), at, fields);
            }
            Told::Limit(limit) => {
                let new = limit.map_or(Value::Missing, Value::Int);
                let old = std::mem::replace(&mut self.limit, new.clone());
                if old != new {
                    let both = [(name("old"), old.clone()), (name("new"), new.clone())];
                    let known: Vec<_> = both.into_iter().filter(|(_, value)| !value.is_missing()).collect();
                    let source = Source::Change { verb: ChangeVerb::Change, attribute: name("limit") };
                    self.note(source, at, ROOT.clone(), &known);
                    if let (Value::Int(old), Value::Int(new)) = (old, &new) {
                        self.happened.last_mut().unwrap().order = Some(new.cmp(&old));
                    }
                }
                self.step(EventKind::Attributes, None, at, vec![(name("limit"), new)]);
            }
            Told::Zone(zone) => {
                self.zone = TimeZone::get(ZONES[*zone]).unwrap();
                self.step(EventKind::Attributes, None, at, vec![(name("zone"), Value::text(ZONES[*zone]))]);
            }
            Told::Closed => {
                let fields = vec![(name("period"), Value::text("2026-01"))];
                self.note(Source::Close(name("aum")), at, ROOT.clone(), &fields);
                self.step(EventKind::Closed(name("aum")), None, at, fields);
            }
            Told::Opened => {
                let choice = |field, case| (name(field), Value::Choice(name(case)));
                let fields =
                    [choice("channel", "push"), choice("step", "nudge"), choice("journey", "history")];
                let source = Source::Message { kind: MessageEvent::Opened, step: None };
                self.note(source, at, ROOT.clone(), &fields);
                let key = MessageKey {
                    journey: "history".into(),
                    root: "c1".into(),
                    child: None,
                    entry: "e".into(),
                    step: "nudge".into(),
                };
                self.step(EventKind::Message { kind: MessageEvent::Opened, key }, None, at, Vec::new());
            }
        }
    }

    /// What happened to `gone` has happened to this one.
    fn absorbs(&mut self, gone: Self) {
        self.now = self.now.max(gone.now);
        let mut run = Run::new(&self.world, &self.root, &mut self.state, self.now);
        crate::step::merge::features::fold(&mut run, gone.state.features);
        self.happened.extend(gone.happened);
    }

    /// Every condition, for the customer or each holding, against the full list.
    fn check(&mut self, asked: &[Asked]) -> Result<(), TestCaseError> {
        let (now, zone) = (self.now, self.zone.clone());
        let instance = Instance {
            journey: self.world.symbols.sym(name("history")).unwrap(),
            subject: ROOT.clone(),
            key: "e".into(),
            program: ProgramNo(1),
            entered: "2026-02-01T12:00:00Z".parse().unwrap(),
            entry_time: now,
            entry: Value::Missing,
            locals: Vec::new(),
            node: 0,
            since: now,
            due: None,
            deadline: None,
            ladder: None,
            sent: Vec::new(),
            seen: Vec::new(),
            goals: Vec::new(),
            missed: Vec::new(),
            expires: None,
        };
        let subjects = [ROOT.clone(), self.holding(0), self.holding(1)];
        let mut state = self.state.clone();
        let run = Run::new(&self.world, &self.root, &mut state, now);
        for (at, one) in asked.iter().enumerate() {
            let loaded = self.world.index().program(ProgramNo(if one.of_holding { 2 } else { 1 })).unwrap();
            let id = name(&format!("asked-{at}"));
            let feature = loaded.program.features.iter().find(|feature| feature.id == id).unwrap();
            for subject in subjects.iter().filter(|subject| subject.0.is_some() == one.of_holding) {
                let scene =
                    crate::step::scene::Scene { instance: Some(&instance), ..run.scene(loaded, subject) };
                let kept = read(feature, &scene);
                let full = from_all(one, subject, &self.happened, &zone, &scene);
                prop_assert_eq!(kept, full, "{:?} of {:?} at {}", &one.aggregate, subject, now);
            }
        }
        Ok(())
    }
}

fn fields(facts: &Facts) -> Vec<(Name, Value)> {
    let share = |share: i64| Value::Percent(Decimal::new(share, 3));
    let word = |word: usize| Value::Choice(name(["red", "green", "blue"][word]));
    let all = [
        ("amount", facts.amount.map(cny)),
        ("count", facts.count.map(Value::Int)),
        ("share", facts.share.map(share)),
        ("word", facts.word.map(word)),
    ];
    all.into_iter().filter_map(|(field, value)| Some((name(field), value?))).collect()
}

/// The condition's value straight from its definition.
fn from_all(asked: &Asked, subject: &SubjectRef, all: &[Happened], zone: &TimeZone, env: &dyn Env) -> Value {
    let aggregate = &asked.aggregate;
    let by_day = matches!(aggregate.window, Some(Window::Last(Length::Civil { .. }) | Window::Span(_)));
    let mut inside: Vec<&Happened> = all
        .iter()
        .filter(|one| is_of(one, asked, subject) && is_inside(one, aggregate, zone, env))
        .filter(|one| eval::admits(aggregate.filter.as_ref(), &Value::Record(one.fields.clone()), env))
        .collect();
    // Equal ones stay in the order in which they arrived.
    inside.sort_by_key(|one| (by_day.then_some(one.day), one.at));
    let value = |one: &&Happened| {
        let record = Value::Record(one.fields.clone());
        aggregate.value.as_ref().map_or(record.clone(), |value| eval::eval_on(value, &record, env))
    };
    fold(aggregate.function, &inside.iter().map(value).collect::<Vec<_>>(), env)
}

/// What a holding's journey asks of events of its own kind is its own history; the rest is its customer's.
fn is_of(one: &Happened, asked: &Asked, subject: &SubjectRef) -> bool {
    let same = match (&one.source, &asked.aggregate.source) {
        (Source::Change { .. }, Source::Change { verb, .. }) => match verb {
            ChangeVerb::Change => true,
            ChangeVerb::Rise => one.order.is_some_and(std::cmp::Ordering::is_gt),
            ChangeVerb::Drop => one.order.is_some_and(std::cmp::Ordering::is_lt),
        },
        // The message is one of the customer's journey.
        (Source::Message { .. }, Source::Message { step, .. }) => step.is_none() || !asked.of_holding,
        (one, asked) => one == asked,
    };
    let own = asked.of_holding && asked.aggregate.source == Source::Event(name("interest"));
    same && (!own || one.subject == *subject)
}

fn is_inside(one: &Happened, aggregate: &Aggregate, zone: &TimeZone, env: &dyn Env) -> bool {
    let is_any = aggregate.function == AggregateFn::Any;
    let start = |date: Date, zone| civil::moment_at(date, jiff::civil::Time::midnight(), zone).unwrap();
    match aggregate.window.as_ref().unwrap() {
        Window::Ever => true,
        Window::Last(length @ Length::Elapsed(_)) => {
            one.at >= civil::last_window_start(*length, env.now(), zone, None).unwrap()
        }
        Window::Last(length) => {
            let from = civil::last_window_start(*length, env.now(), zone, None).unwrap();
            one.day >= civil::date_of(from, zone)
        }
        Window::Span(span) => {
            let Value::Range(ends) = eval(span, env) else { return false };
            let (Value::Date(first), Value::Date(last)) = *ends else { return false };
            first <= one.day && one.day <= last
        }
        // Written out, it is the day of the customer at the time, of which `any` looks at the latest alone.
        Window::Since(Anchor::At(Expr::Const(Value::Date(date)))) => {
            one.at >= start(*date, &one.zone) && (!is_any || one.at >= start(*date, zone))
        }
        Window::Since(Anchor::At(Expr::Const(Value::Moment(from)))) => one.at >= *from,
        Window::Since(Anchor::At(anchor)) => match eval(anchor, env) {
            Value::Date(date) => one.at >= start(date, zone),
            _ => false,
        },
        Window::Since(_) => one.at >= env.entered().unwrap(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(CASES))]

    #[test]
    fn what_is_kept_is_what_happened(
        asked in prop::collection::vec(asked(), 1..6),
        arrivals in arrivals(),
        pauses in prop::collection::vec(0_i64..3_000, 1..3),
    ) {
        let mut life = Life::new(&asked);
        let half = arrivals.len() / 2;
        for (at, arrival) in arrivals.iter().enumerate() {
            life.arrives(arrival);
            if at == half {
                life.check(&asked)?;
            }
        }
        for pause in pauses {
            life.now += SignedDuration::from_mins(30 * pause);
            life.check(&asked)?;
        }
    }

    /// Two lives that turn out to be one: what their histories come to when they are folded, and after more has
    /// happened to the one, is what the list of all that happened to both says.
    #[test]
    fn two_histories_are_one(
        asked in prop::collection::vec(asked(), 1..6),
        arrivals in prop::collection::vec((any::<bool>(), arrivals()), 1..4),
        later in arrivals(),
    ) {
        let mut lives = [Life::new(&asked), Life::new(&asked)];
        // Two things never happen to both in the same instant: nobody could tell which was first.
        lives[1].now += SignedDuration::from_mins(7);
        for (first, arrivals) in &arrivals {
            for arrival in arrivals {
                let [one, other] = &mut lives;
                let (own, idle) = if *first { (one, other) } else { (other, one) };
                own.arrives(arrival);
                idle.now += SignedDuration::from_mins(30 * arrival.after);
            }
        }
        let [mut stays, gone] = lives;
        stays.absorbs(gone);
        stays.check(&asked)?;
        for arrival in &later {
            stays.arrives(arrival);
        }
        stays.check(&asked)?;
    }
}
