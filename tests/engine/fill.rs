//! A condition that is new decides as if it had always been there: its past is filled in from the log before the
//! journeys that ask it go live, also through a crash, while others go on.

use jiff::{SignedDuration, Timestamp};
use wayfare::compile::{File, Input, compile};
use wayfare::engine::Steps;
use wayfare::name::Name;
use wayfare::program::Bundle;
use wayfare::step::{Event, EventKind, RootKey};
use wayfare::value::{Currency, Money, Value};

use crate::support::stores::{Place, on_both_stores};

use super::rig::{Rig, Running, event, until};

on_both_stores!(
    a_new_condition_decides_as_if_it_had_always_been_there,
    a_fill_goes_on_where_a_crash_ended_it,
    a_later_deployment_takes_over_from_one_that_waits,
);

const BANK: &str = r#"
channel push { kind push }
event payment of customer { amount : Money(CNY) }
event asked of customer {}
event hello of customer {}
entity customer { key id : Id; consent : [channel]; limit : Int? }
content greeting { via push { title "您好"; body """欢迎来到手机银行。""" } }
content offer { via push { title "专属活动"; body """您本月消费活跃，活动已为您开启。""" } }
journey greet of customer {
  purpose service
  owner "crm@bank.example"
  enter on hello
  reenter never
  send greeting via push
  end told
}
"#;

/// Three payments of 100 within thirty days, and the limit raised once.
const ACTIVE: &str = r#"
journey active of customer {
  purpose service
  owner "crm@bank.example"
  enter on asked where count(payment where amount >= 100 CNY during last 30 days) >= 3 and any rise of limit ever
  reenter never
  send offer via push
  end told
}
"#;

fn bank(more: &str) -> Bundle {
    let file = File { path: "bank.journey".into(), package: "".into(), text: format!("{BANK}{more}").into() };
    let compilation = compile(&Input { files: vec![file], ..Input::default() });
    compilation.bundle.unwrap_or_else(|| panic!("{:#?}", compilation.diagnostics))
}

fn known(id: &str, limit: i64, now: Timestamp) -> (RootKey, Event) {
    let push = Value::List(vec![Value::Choice(Name::new("push"))]);
    let fields = vec![(Name::new("consent"), push), (Name::new("limit"), Value::Int(limit))];
    let (root, event) = event("import", id, now);
    (root, Event { kind: EventKind::Attributes, id: format!("{id}-{limit}").into(), fields, ..event })
}

fn paid(id: &str, no: usize, amount: i64, time: Timestamp) -> (RootKey, Event) {
    let amount = Value::Money(Money { minor: amount * 100, currency: Currency::parse("CNY").unwrap() });
    let (root, event) = event("payment", id, time);
    let id = format!("{id}-pays-{no}").into();
    (root, Event { id, fields: vec![(Name::new("amount"), amount)], ..event })
}

/// Of a hundred customers every fourth pays enough, and every second of those had the limit raised. One pays before
/// anything else is known of it.
async fn history(engine: &Running, rig: &Rig) {
    let submit = async |event| drop(engine.handle.submit(vec![event]).await.unwrap());
    submit(paid("c0", 0, 100, rig.now())).await;
    for n in 0..100 {
        let id = format!("c{n}");
        let now = rig.now();
        submit(known(&id, 1, now)).await;
        for no in 0..4 {
            let amount = if n % 4 == 0 { 100 } else { 99 };
            submit(paid(
                &id,
                no,
                amount,
                now - SignedDuration::from_hours(24 * 9 * i64::try_from(no).unwrap()),
            ))
            .await;
        }
        let limit = if n % 8 == 0 { 2 } else { 0 };
        submit(known(&id, limit, now)).await;
    }
}

async fn ask_all(engine: &Running, now: Timestamp) -> u64 {
    let before = engine.handle.stats().sent;
    let asked = (0..100).map(|n| event("asked", &format!("c{n}"), now)).collect();
    engine.handle.submit(asked).await.unwrap();
    until("all is sent", async || engine.handle.stats().outbox == 0).await;
    engine.handle.stats().sent - before
}

fn rig(place: Place) -> Rig {
    let mut rig = Rig::on(place);
    rig.steps = Steps::REAL;
    rig
}

/// Time goes on until the deployment is live.
async fn is_live(rig: &Rig, engine: &Running, bundle: &Bundle) {
    until("the deployment is live", async || {
        rig.clock.set(rig.now() + SignedDuration::from_secs(30));
        engine.handle.world().bundle.hash == bundle.hash
    })
    .await;
}

async fn a_new_condition_decides_as_if_it_had_always_been_there(place: Place) {
    let mut rig = rig(place);
    // Ten entries a second: the fill waits for the clock, and others do not wait for the fill.
    rig.upkeep.rows_per_second = Some(10);
    let engine = rig.run().await;
    engine.handle.deploy(bank("")).await.unwrap();
    history(&engine, &rig).await;
    let bundle = bank(ACTIVE);
    engine.handle.deploy(bundle.clone()).await.unwrap();
    // The new journey waits, so nothing is decided by half a past; the others go on.
    let filling = engine.handle.stats().filling.unwrap();
    assert_eq!((&*filling.bundle, filling.journeys), (&*bundle.hash, vec![Name::new("active")]));
    engine
        .handle
        .submit(vec![event("hello", "c1", rig.now()), event("asked", "c8", rig.now())])
        .await
        .unwrap();
    until("the others go on", async || engine.handle.stats().sent == 1).await;
    // What comes meanwhile counts too: the third payment of one who has two.
    engine.handle.submit(vec![paid("new", 0, 100, rig.now()), known("new", 1, rig.now())]).await.unwrap();
    rig.clock.set(rig.now() + SignedDuration::from_secs(5));
    engine.handle.submit(vec![paid("new", 1, 100, rig.now()), known("new", 2, rig.now())]).await.unwrap();
    engine.handle.submit(vec![paid("new", 2, 100, rig.now())]).await.unwrap();
    is_live(&rig, &engine, &bundle).await;
    assert_eq!(engine.handle.stats().filling, None);
    assert_eq!(ask_all(&engine, rig.now()).await, 12, "every eighth, but for the one that asked before");
    engine.handle.submit(vec![event("asked", "new", rig.now())]).await.unwrap();
    until("the one who came meanwhile", async || engine.handle.stats().sent == 14).await;
    assert_eq!(engine.store.quarantined(9).await.unwrap(), []);
    engine.stop().await;
}

async fn a_fill_goes_on_where_a_crash_ended_it(place: Place) {
    let rig = rig(place);
    let engine = rig.run().await;
    engine.handle.deploy(bank("")).await.unwrap();
    history(&engine, &rig).await;
    engine.stop().await;
    let bundle = bank(ACTIVE);
    // Stopped at each of the first commits in turn, before it and after it.
    for round in 0..8 {
        let engine = rig.run_until(round, round % 2 == 0).await;
        if round == 0 {
            engine.handle.deploy(bundle.clone()).await.unwrap();
        }
        tokio::time::sleep(std::time::Duration::from_millis(150)).await;
        engine.crash().await;
    }
    let engine = rig.run().await;
    // As a daemon does when it starts.
    engine.handle.deploy(bundle.clone()).await.unwrap();
    is_live(&rig, &engine, &bundle).await;
    assert_eq!(ask_all(&engine, rig.now()).await, 13);
    assert_eq!(engine.store.quarantined(9).await.unwrap(), []);
    engine.stop().await;
}

async fn a_later_deployment_takes_over_from_one_that_waits(place: Place) {
    let mut rig = rig(place);
    rig.upkeep.rows_per_second = Some(10);
    let engine = rig.run().await;
    engine.handle.deploy(bank("")).await.unwrap();
    history(&engine, &rig).await;
    engine.handle.deploy(bank(ACTIVE)).await.unwrap();
    for _ in 0..3 {
        rig.clock.set(rig.now() + SignedDuration::from_secs(30));
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    // Back to what was, which waits for nothing, and then to more than before.
    let old = bank("");
    engine.handle.deploy(old.clone()).await.unwrap();
    is_live(&rig, &engine, &old).await;
    assert_eq!(engine.handle.stats().filling, None);
    let second = ACTIVE.replace("journey active", "journey second").replace(">= 3", ">= 2");
    let bundle = bank(&format!("{ACTIVE}{second}"));
    engine.handle.deploy(bundle.clone()).await.unwrap();
    is_live(&rig, &engine, &bundle).await;
    assert_eq!(ask_all(&engine, rig.now()).await, 26, "thirteen of each journey");
    engine.stop().await;
}
