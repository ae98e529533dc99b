//! Audiences of a whole store: who is counted and why, looks that leave out whom they do not concern, records that go.

use std::sync::Arc;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use wayfare::compile::{File, Input as Text, compile};
use wayfare::engine::{Steps, audience};
use wayfare::name::Name;
use wayfare::program::Bundle;
use wayfare::step::{Event, EventKind, Input, RootKey, State, World, step};
use wayfare::store::{LOG_FROM, PackedKind, RowRef};
use wayfare::value::Value;

use crate::support::stores::{Place, on_both_stores};

use super::rig::{Rig, customer, event, until};

on_both_stores!(
    an_audience_is_counted_condition_by_condition,
    a_daily_look_finds_whom_a_change_brought_in,
    records_that_nobody_needs_go,
);

const BANK: &str = r#"
channel push { kind push }
choice tier { silver; gold }
event payment of customer { amount : Int }
event hello of customer {}
entity customer { key id : Id; consent : [channel]; tier : tier; vip : Bool }
audience active_gold of customer = tier is gold and count(payment during last 30 days) >= 2
content offer { via push { title "专属活动"; body """活动已为您开启。""" } }
journey gold of customer {
  purpose service
  owner "crm@bank.example"
  enter when active_gold every day at 09:00
  existing include
  reenter never
  send offer via push
  end told
}
"#;

fn bank(text: &str) -> Bundle {
    let file = File { path: "bank.journey".into(), package: "".into(), text: text.into() };
    let compilation = compile(&Text { files: vec![file], ..Text::default() });
    compilation.bundle.unwrap_or_else(|| panic!("{:#?}", compilation.diagnostics))
}

fn told(id: &str, no: usize, tier: &str, now: Timestamp) -> (RootKey, Event) {
    let push = Value::List(vec![Value::Choice(Name::new("push"))]);
    let tier = Value::Choice(Name::new(tier));
    let fields =
        vec![(Name::new("consent"), push), (Name::new("tier"), tier), (Name::new("vip"), Value::Bool(false))];
    let (root, event) = event("import", id, now);
    (root, Event { kind: EventKind::Attributes, id: format!("{id}-{no}").into(), fields, ..event })
}

fn paid(id: &str, no: usize, time: Timestamp) -> (RootKey, Event) {
    let (root, event) = event("payment", id, time);
    (
        root,
        Event {
            id: format!("{id}-pays-{no}").into(),
            fields: vec![(Name::new("amount"), Value::Int(5))],
            ..event
        },
    )
}

fn rig(place: Place) -> Rig {
    let mut rig = Rig::on(place);
    rig.steps = Steps::REAL;
    rig
}

/// Of 60 customers every third is gold, and every second pays twice.
fn crowd(now: Timestamp) -> Vec<(RootKey, Event)> {
    let one = |n: usize| {
        let id = format!("c{n}");
        let tier = if n.is_multiple_of(3) { "gold" } else { "silver" };
        let payments = if n.is_multiple_of(2) { 2 } else { 1 };
        let paid: Vec<_> = (0..payments).map(|no| paid(&id, no, now)).collect();
        std::iter::once(told(&id, 0, tier, now)).chain(paid)
    };
    (0..60).flat_map(one).collect()
}

async fn an_audience_is_counted_condition_by_condition(place: Place) {
    let rig = rig(place);
    let engine = rig.run().await;
    engine.handle.deploy(bank(BANK)).await.unwrap();
    engine.handle.submit(crowd(rig.now())).await.unwrap();
    let funnel = engine.handle.audience(Name::new("active_gold")).await.unwrap().unwrap();
    assert_eq!((funnel.known, funnel.members, funnel.unreadable), (60, 10, 0));
    let conditions: Vec<_> =
        funnel.conditions.iter().map(|one| (&*one.text, one.alone, one.together)).collect();
    let expected = [("tier is gold", 20, 20), ("count(payment during last 30 days) >= 2", 30, 10)];
    assert_eq!(conditions, expected);
    assert_eq!(engine.handle.audience(Name::new("nobody")).await.unwrap(), None);

    let world = engine.handle.world();
    let why = async |id: &str| {
        let told = audience::explain(&*engine.store, &world, Name::new("active_gold"), id, rig.now()).await;
        told.unwrap().unwrap().map(|members| {
            let words = |member: &audience::Member| {
                let because: Vec<String> = member.because.iter().map(ToString::to_string).collect();
                (member.is_in, because.join("; "))
            };
            words(&members[0])
        })
    };
    let both = "tier is gold is true: tier is gold; count(payment during last 30 days) >= 2 is true: count(payment during last 30 days) is 2";
    assert_eq!(why("c0").await, Some((true, both.to_owned())));
    assert_eq!(why("c2").await, Some((false, "tier is gold is false: tier is silver".to_owned())));
    assert_eq!(why("nobody").await, None);
    engine.stop().await;
}

async fn a_daily_look_finds_whom_a_change_brought_in(place: Place) {
    let rig = rig(place);
    let engine = rig.run().await;
    engine.handle.deploy(bank(BANK)).await.unwrap();
    engine.handle.submit(crowd(rig.now())).await.unwrap();
    let day = SignedDuration::from_hours(24);
    rig.clock.set(rig.now() + day);
    until("those who are in", async || engine.handle.stats().sent == 10).await;
    // Nobody of the others is looked at again until something of theirs changes.
    rig.clock.set(rig.now() + day);
    let now = rig.now();
    engine.handle.submit(vec![told("c2", 1, "gold", now), told("c4", 1, "gold", now)]).await.unwrap();
    engine.handle.submit(vec![told("c6", 1, "silver", now), paid("c3", 9, now)]).await.unwrap();
    rig.clock.set(rig.now() + day);
    until("three more", async || engine.handle.stats().sent == 13).await;
    // Another condition of the same name is another audience: everybody is looked at anew.
    let wider = bank(&BANK.replace("tier is gold and ", ""));
    engine.handle.deploy(wider).await.unwrap();
    rig.clock.set(rig.now() + day);
    until("all who pay", async || engine.handle.stats().sent == 31).await;
    assert_eq!(engine.store.quarantined(9).await.unwrap(), []);
    engine.stop().await;
}

async fn records_that_nobody_needs_go(place: Place) {
    let mut rig = rig(place);
    rig.upkeep.keep_days = Some(60);
    let engine = rig.run().await;
    engine.handle.deploy(bank(BANK)).await.unwrap();
    let begun = rig.now();
    engine.handle.submit(crowd(begun)).await.unwrap();
    for month in 1..=3 {
        rig.clock.set(begun + SignedDuration::from_hours(24 * 30 * month));
        let no = usize::try_from(month).unwrap() + 10;
        engine.handle.submit(vec![paid("c0", no, rig.now())]).await.unwrap();
    }
    until("the first month is gone", async || engine.store.meta(LOG_FROM).await.unwrap().is_some()).await;
    rig.clock.set(rig.now() + SignedDuration::from_hours(2));
    engine.handle.submit(vec![paid("c0", 99, rig.now())]).await.unwrap();
    let left = engine.store.packed_after(PackedKind::Log, RowRef::default(), 99).await.unwrap();
    assert_eq!(left.len(), 3, "of months two and three, and of just now");
    // A condition that is new cannot look further back than the log, and says so.
    let more =
        BANK.replace("journey gold", "journey loyal").replace("when active_gold", "when any payment ever");
    let more = more.split_once("content offer").unwrap().1.split_once("journey").unwrap().1;
    engine.handle.deploy(bank(&format!("{BANK}\njourney{more}"))).await.unwrap();
    // The filling itself may be over by now; where the log begins stays.
    let log_from = engine.store.meta(LOG_FROM).await.unwrap().unwrap();
    let known_from = Timestamp::from_millisecond(log_from.parse().unwrap()).unwrap();
    assert!(known_from > begun, "{known_from}");
    let short = engine.handle.stats().short;
    let told: Vec<_> = short.iter().map(|it| (it.journey.as_str(), &*it.condition, it.from)).collect();
    assert_eq!(told, [("loyal", "any payment ever", known_from)], "in the answer of the deployment");
    // Also when it is live, and behind a start.
    until("it is live", async || engine.handle.stats().filling.is_none()).await;
    engine.stop().await;
    let engine = rig.run().await;
    assert_eq!(engine.handle.stats().short, short);
    engine.stop().await;
}

/// An input that cannot have changed an audience does not ask it again.
#[test]
fn an_audience_is_asked_when_something_of_it_changes() {
    let audiences = [
        ("plain", "tier is gold"),
        ("past", "vip and count(payment where amount >= 3 ever) >= 2"),
        ("timed", "any payment during last 30 days"),
    ];
    let journeys = audiences.map(|(name, condition)| {
        format!("\naudience is_{name} of customer = {condition}\njourney {name} of customer {{\n  purpose service\n  owner \"crm@bank.example\"\n  enter when is_{name}\n  existing include\n  reenter never\n  end done\n}}\n")
    });
    let text = format!("{}{}", BANK.split_once("audience").unwrap().0, journeys.concat());
    let world = World::of_bundle(Arc::new(bank(&text)), TimeZone::UTC);
    let (root, mut state) = (customer("c1"), State::default());
    let now: Timestamp = super::rig::START.parse().unwrap();
    let mut looks = |event: (RootKey, Event)| {
        let output = step(&world, &root, &mut state, &Input::Event(event.1), now);
        output.looks
    };
    assert_eq!(looks(told("c1", 0, "silver", now)), 3, "the first look is at all of them");
    assert_eq!(looks(event("hello", "c1", now)), 1, "time may have changed one");
    assert_eq!(looks(told("c1", 1, "silver", now)), 3, "attributes that two of them read");
    let small = paid("c1", 0, now);
    let small = (small.0, Event { fields: vec![(Name::new("amount"), Value::Int(1))], ..small.1 });
    assert_eq!(looks(small), 2, "entering moved something: one more look at it");
    assert_eq!(looks(paid("c1", 1, now)), 2, "a payment that counts");
}
