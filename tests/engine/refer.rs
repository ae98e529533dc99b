//! Other roots in the daemon: an employer's payday brings its people in, whoever was told first, also after a restart.

use std::sync::Arc;

use jiff::Timestamp;
use wayfare::compile::{File, Input, compile};
use wayfare::engine::Steps;
use wayfare::name::Name;
use wayfare::program::Bundle;
use wayfare::step::state::{Pending, PendingWhy};
use wayfare::step::{Event, EventKind, RootKey};
use wayfare::value::Value;

use crate::support::stores::{Place, on_both_stores};

use super::rig::{Rig, event, until};

on_both_stores!(an_employer_told_after_its_people_and_a_restart_still_pay,);

const BANK: &str = r#"
channel push { kind push }
entity employer { key id : Id; pay_day : Int; anchor payday every month on day pay_day }
entity customer { key id : Id; consent : [channel]; employer : employer? }
content plan { via push { title "发薪日计划"; body """您的发薪日快到了，提前规划更从容。""" } }
journey payday of customer {
  purpose service
  owner "payroll@bank.example"
  enter on 3 days before employer.payday at 10:00
  reenter per occurrence
  send plan via push
  end told
}
"#;

fn bank() -> Bundle {
    let file = File { path: "bank.journey".into(), package: "".into(), text: BANK.into() };
    let compilation = compile(&Input { files: vec![file], ..Input::default() });
    compilation.bundle.unwrap_or_else(|| panic!("{:#?}", compilation.diagnostics))
}

fn at(text: &str) -> Timestamp {
    format!("{text}:00Z").parse().unwrap()
}

fn told(kind: &str, id: &str, now: Timestamp, fields: Vec<(&str, Value)>) -> (RootKey, Event) {
    let (_, event) = event("import", id, now);
    let fields = fields.into_iter().map(|(name, value)| (Name::new(name), value)).collect();
    let root = RootKey { entity: Name::new(kind), id: Arc::from(id) };
    (root, Event { kind: EventKind::Attributes, id: format!("{kind}-{id}-{now}").into(), fields, ..event })
}

async fn an_employer_told_after_its_people_and_a_restart_still_pay(place: Place) {
    let mut rig = Rig::on(place);
    rig.steps = Steps::REAL;
    let start = at("2026-12-01T09:00");
    rig.clock.set(start);
    let engine = rig.run().await;
    engine.handle.deploy(bank()).await.unwrap();
    let push = Value::List(vec![Value::Choice(Name::new("push"))]);
    let li = vec![("consent", push), ("employer", Value::text("acme"))];
    engine.handle.submit(vec![told("customer", "li", start, li)]).await.unwrap();
    // Nobody knows the employer yet; its payday is looked for again in the first instant of the next day.
    engine
        .handle
        .submit(vec![told("employer", "acme", start, vec![("pay_day", Value::Int(10))])])
        .await
        .unwrap();
    let pay_day = |world: &wayfare::step::World| {
        world.references.attribute(Name::new("employer"), "acme", Name::new("pay_day"))
    };
    assert_eq!(pay_day(&engine.handle.world()), Value::Int(10));
    engine.stop().await;

    let engine = rig.run().await;
    assert_eq!(pay_day(&engine.handle.world()), Value::Int(10), "read back from the store");
    rig.clock.set(at("2026-12-02T00:00"));
    let is_planned = |one: &Pending| matches!(one.why, PendingWhy::Date(_));
    until("the date is known", async || engine.state("li").await.pending.iter().any(is_planned)).await;
    rig.clock.set(at("2026-12-07T10:00"));
    until("the plan before payday", async || engine.handle.stats().sent == 1).await;
    engine.stop().await;
}
