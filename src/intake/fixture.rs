//! A small bank for tests: customers with holdings, payments, and a journey whose messages can be reported on.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::expr::{Expr, Pattern, Source};
use crate::name::Name;
use crate::program::{
    Assign, Bundle, Channel, Enter, Entity, Event, Field, Hashed, Node, NodeKind, Program, Reenter, Schema,
};
use crate::step::World;
use crate::value::{Currency, Type, Value};

pub(crate) fn name(text: &str) -> Name {
    Name::new(text)
}

pub(crate) fn now() -> Timestamp {
    "2026-11-21T02:00:00Z".parse().unwrap()
}

fn field(text: &str, ty: Type) -> Field {
    Field { name: name(text), ty, class: None, value: None, daily: false }
}

fn entity(parent: Option<&str>, fields: Vec<Field>) -> Entity {
    let parent = parent.map(name);
    Entity { label: None, parent, key: name("id"), fields, anchors: Vec::new(), calendar: None }
}

fn event(subject: &str, fields: Vec<Field>) -> Event {
    Event { label: None, subject: name(subject), fields, source: None, late_ms: 0 }
}

fn cny() -> Type {
    Type::Money(Currency::parse("CNY").unwrap())
}

pub(crate) fn schema() -> Schema {
    let customer = vec![
        field("name", Type::Text),
        field("tier", Type::Choice(name("Tier"))),
        field("consent", Type::List(Box::new(Type::Channel))),
        field("balance", cny().optional()),
        field("birthday", Type::Date.optional()),
        field("staff", Type::Bool.optional()),
        Field { value: Some(Expr::Const(Value::Bool(true))), ..field("rich", Type::Bool) },
    ];
    let holding = vec![field("matures", Type::Date), field("amount", cny())];
    let payment = vec![
        field("amount", cny()),
        field("share", Type::Percent.optional()),
        field("note", Type::Text.optional()),
        field("at", Type::Moment.optional()),
        field("count", Type::Int.optional()),
        field("rate", Type::Decimal.optional()),
        field("window", Type::Range(Box::new(Type::Time)).optional()),
        field("hold", Type::Duration.optional()),
    ];
    Schema {
        choices: BTreeMap::from([(name("Tier"), ["gold", "silver"].map(name).to_vec())]),
        entities: BTreeMap::from([
            (name("customer"), entity(None, customer)),
            (name("holding"), entity(Some("customer"), holding)),
        ]),
        events: BTreeMap::from([
            (name("payment"), event("customer", payment)),
            (name("matured"), event("holding", Vec::new())),
        ]),
        tags: BTreeMap::new(),
    }
}

fn channel(kind: &str) -> Channel {
    let kind = name(kind);
    Channel {
        label: None,
        kind,
        rate: None,
        receipt: None,
        outcomes: Vec::new(),
        address: None,
        party: None,
        surface: None,
        capacity: None,
    }
}

fn program() -> Program {
    let on = Pattern { source: Source::Event(name("payment")), first: false, filter: None };
    Program {
        journey: name("offer"),
        label: None,
        subject: name("customer"),
        root: name("customer"),
        purpose: name("marketing"),
        owner: "cards".into(),
        open: None,
        enter: Enter::Event(vec![on]),
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
        features: Vec::new(),
        tracked: Vec::new(),
        awaits: Vec::new(),
        nodes: vec![call()],
        origin: None,
        lines: Vec::new(),
        rung_lines: Vec::new(),
        rules: None,
        stamped: false,
    }
}

/// Work for people that nobody waits for.
fn call() -> Node {
    let assign = Assign {
        task: name("offer_call"),
        subject: name("customer"),
        to: Expr::Const(Value::text("desk-0101")),
        unit: None,
        due: None,
        remind: None,
        escalate: None,
        known: ["agreed", "refused"].map(name).to_vec(),
        results: Vec::new(),
        next: 0,
    };
    Node { step: name("offer_call"), kind: NodeKind::Assign(Box::new(assign)), rounds: Vec::new() }
}

pub(crate) fn world() -> World {
    let program = Hashed { hash: "p".into(), body: Arc::new(program()) };
    let bundle = Bundle {
        format: crate::program::FORMAT,
        hash: "b".into(),
        schema: schema(),
        channels: BTreeMap::from([
            (name("push"), channel("push")),
            (name("sms"), channel("sms")),
            (name("banner"), channel("slot")),
            (name("popup"), channel("slot")),
        ]),
        contents: BTreeMap::new(),
        calendars: BTreeMap::new(),
        values: crate::program::Values::default(),
        lanes: BTreeMap::new(),
        policy: None,
        units: BTreeMap::new(),
        programs: BTreeMap::from([(name("offer"), program)]),
        pictures: BTreeMap::new(),
    };
    World::of_bundle(Arc::new(bundle), TimeZone::get("Asia/Shanghai").unwrap())
}
