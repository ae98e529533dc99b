//! What the random histories have found, as stories.

use super::*;

struct Customer {
    world: World,
    root: RootKey,
    state: State,
    now: Timestamp,
    count: u32,
}

impl Customer {
    fn new(features: Vec<Feature>) -> Self {
        let root = RootKey { entity: name("customer"), id: "c1".into() };
        let state = State { known: true, ..State::default() };
        Self { world: world_of(features, Vec::new()), root, state, now: Timestamp::UNIX_EPOCH, count: 0 }
    }

    /// A payment of this amount that happened at `at` and arrives no earlier than those before.
    fn pays(&mut self, at: &str, amount: i64) {
        let time: Timestamp = at.parse().unwrap();
        self.now = self.now.max(time);
        self.count += 1;
        let event = Event {
            source: "bank".into(),
            id: self.count.to_string().into(),
            kind: EventKind::Declared(name("payment")),
            child: None,
            time,
            received: self.now,
            fields: vec![(name("amount"), cny(amount))],
        };
        let _ = step(&self.world, &self.root, &mut self.state, &Input::Event(event), self.now);
    }

    fn asks(&mut self, at: &str) -> Value {
        self.now = at.parse().unwrap();
        let run = Run::new(&self.world, &self.root, &mut self.state, self.now);
        let loaded = self.world.index().program(ProgramNo(1)).unwrap();
        read(&loaded.program.features[0], &run.scene(loaded, &ROOT))
    }
}

fn asking(function: AggregateFn, window: Window) -> Vec<Feature> {
    let counts = function == AggregateFn::Count;
    let amount = Expr::Field(Box::new(Expr::Element), name("amount"));
    let aggregate = Aggregate {
        function,
        source: Source::Event(name("payment")),
        filter: None,
        value: (!counts).then_some(amount),
        window: Some(window),
    };
    vec![Feature { id: name("asked"), aggregate }]
}

/// `count(payment during 2024-11-01..2024-11-30)`: what happened in a month that is named is known for ever.
#[test]
fn a_month_that_is_written_out_is_never_forgotten() {
    let date = |month, day| Expr::Const(Value::Date(jiff::civil::date(2024, month, day)));
    let november = Window::Span(Expr::Range(Box::new(date(11, 1)), Box::new(date(11, 30))));
    let mut customer = Customer::new(asking(AggregateFn::Count, november));
    customer.pays("2024-11-11T08:00:00Z", 10);
    customer.pays("2024-12-12T08:00:00Z", 10);
    customer.pays("2026-11-11T08:00:00Z", 10);
    assert_eq!(customer.asks("2026-11-12T08:00:00Z"), Value::Int(1));
}

/// `count(payment since 2026-01-01)`: a customer who pays every hour is counted to the last payment.
#[test]
fn a_count_since_a_day_has_no_end() {
    let first = Expr::Const(Value::Date(jiff::civil::date(2026, 1, 1)));
    let mut customer = Customer::new(asking(AggregateFn::Count, Window::Since(Anchor::At(first))));
    customer.pays("2025-12-31T22:59:59Z", 10);
    for day in 10..30 {
        for hour in 0..24 {
            customer.pays(&format!("2026-01-{day}T{hour:02}:30:00Z"), 10);
        }
    }
    assert_eq!(customer.asks("2026-02-01T08:00:00Z"), Value::Int(480));
}

/// `most(payment.amount ever)`: of amounts as frequent as each other the one seen last, in whatever order they came.
#[test]
fn of_equals_the_one_seen_last_counts() {
    let mut customer = Customer::new(asking(AggregateFn::Most, Window::Ever));
    for (at, amount) in [("10:00", 20), ("11:00", 30), ("11:00", 20), ("10:00", 30)] {
        customer.pays(&format!("2026-03-01T{at}:00Z"), amount);
    }
    assert_eq!(customer.asks("2026-03-02T08:00:00Z"), cny(20));
}
