//! The engine with the real compiler and the real step function, on a journey of the repository.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use wayfare::channel::SendResult;
use wayfare::engine::{Receipt, Steps};
use wayfare::name::Name;
use wayfare::program::Bundle;
use wayfare::step::{Event, EventKind, MessageKey, RootKey};
use wayfare::value::Value;

use crate::support::examples;
use crate::support::stores::{Place, on_both_stores};

use super::rig::{Rig, Running, customer, until};

on_both_stores!(a_real_journey_runs_through_a_crash, a_dead_letter_is_sent_once_more,);

fn journeys() -> Bundle {
    wayfare::compile::compile(&examples::input()).bundle.unwrap()
}

fn known(id: &str, now: Timestamp) -> (RootKey, Event) {
    let channels = ["push", "sms"].map(|channel| Value::Choice(Name::new(channel)));
    let fields = vec![(Name::new("consent"), Value::List(channels.to_vec()))];
    let (root, event) = happened("import", id, now);
    (root, Event { kind: EventKind::Attributes, fields, ..event })
}

fn tapped(id: &str, time: Timestamp) -> (RootKey, Event) {
    let (root, event) = happened("tapped_bind_card", id, time);
    (root, Event { fields: vec![(Name::new("step"), Value::text("验证短信"))], ..event })
}

fn happened(name: &str, id: &str, time: Timestamp) -> (RootKey, Event) {
    super::rig::event(name, id, time)
}

/// The end states of everybody who entered.
async fn ends(engine: &Running, ids: &[String]) -> BTreeMap<String, usize> {
    let world = engine.handle.world();
    let mut ends = BTreeMap::new();
    for id in ids {
        for entry in engine.state(id).await.entries {
            let end = entry.ended.and_then(|(end, _)| world.symbols.name(end));
            *ends.entry(end.map_or("runs", Name::as_str).to_owned()).or_default() += 1;
        }
    }
    ends
}

// daemon: bind_card_recall
async fn a_real_journey_runs_through_a_crash(place: Place) {
    let mut rig = Rig::on(place);
    rig.steps = Steps::REAL;
    let engine = rig.run().await;
    engine.handle.deploy(journeys()).await.unwrap();
    let ids: Vec<String> = (0..60).map(|n| format!("c{n}")).collect();
    let begun = rig.now();
    // Taps come before some customers are known: they are kept until then.
    let early: Vec<_> = ids[..10].iter().map(|id| tapped(id, begun)).collect();
    assert_eq!(engine.handle.submit(early).await.unwrap(), vec![Receipt::Parked; 10]);
    engine.handle.submit(ids.iter().map(|id| known(id, begun)).collect()).await.unwrap();
    let taps = ids[10..].iter().map(|id| tapped(id, begun)).collect();
    assert_eq!(engine.handle.submit(taps).await.unwrap(), vec![Receipt::Accepted; 50]);
    let soon = begun + SignedDuration::from_mins(1);
    rig.clock.set(soon);
    // Twenty finish at once and hear nothing.
    let bound = |ids: &[String], at: Timestamp| ids.iter().map(|id| happened("card_bound", id, at)).collect();
    engine.handle.submit(bound(&ids[..20], soon)).await.unwrap();
    rig.clock.set(begun + SignedDuration::from_mins(4));
    until("forty are nudged", async || engine.handle.stats().sent == 40).await;
    engine.crash().await;

    let engine = rig.run().await;
    let later = begun + SignedDuration::from_mins(30);
    rig.clock.set(later);
    engine.handle.submit(bound(&ids[20..40], later)).await.unwrap();
    rig.clock.set(begun + SignedDuration::from_hours(4));
    until("twenty are reminded", async || engine.handle.stats().sent == 20).await;
    assert_eq!(rig.push.attempts().len(), 40);
    assert_eq!(rig.sms.attempts().len(), 20);
    let expected = [("converted".to_owned(), 20), ("reminded".to_owned(), 20)];
    assert_eq!(ends(&engine, &ids).await, BTreeMap::from(expected));
    assert_eq!(engine.store.quarantined(9).await.unwrap(), []);
    let (world, root) = (engine.handle.world(), customer("c59"));
    let account = wayfare::engine::why::account(&*engine.store, &world, &root).await.unwrap().unwrap();
    assert_eq!(account.unreadable, 0);
    assert!(account.trace.len() >= 6, "{:#?}", account.trace);
    engine.stop().await;
}

async fn a_dead_letter_is_sent_once_more(place: Place) {
    let mut rig = Rig::on(place);
    rig.steps = Steps::REAL;
    let engine = rig.run().await;
    engine.handle.deploy(journeys()).await.unwrap();
    let begun = rig.now();
    engine.handle.submit(vec![known("c1", begun)]).await.unwrap();
    engine.handle.submit(vec![tapped("c1", begun)]).await.unwrap();
    let busy = || SendResult::Retry { after: None, detail: "HTTP 503".into() };
    rig.push.will(vec![busy(), busy(), busy()]);
    rig.clock.set(begun + SignedDuration::from_mins(4));
    until("the push is given up", async || {
        rig.clock.advance(SignedDuration::from_secs(1));
        engine.handle.stats().failed == 1
    })
    .await;
    let [letter] = engine.store.quarantined(9).await.unwrap().try_into().unwrap();
    assert_eq!(
        (letter.code.as_str(), letter.reason.as_str()),
        ("R0230", "given up after 3 attempts: HTTP 503")
    );
    let letter: serde_json::Value = serde_json::from_slice(&letter.body).unwrap();
    let key = MessageKey::parse(letter["message"].as_str().unwrap()).unwrap();
    assert_eq!(letter["channel"], "push");
    // The provider works again: the same message under the same key, once, also where it is asked for twice.
    let again = |id: &str| {
        let (root, event) = happened("resend", "c1", rig.now());
        let kind = EventKind::Resend { key: key.clone() };
        vec![(root, Event { kind, id: id.into(), ..event })]
    };
    engine.handle.submit(again("1")).await.unwrap();
    until("it has left", async || rig.push.attempts().len() >= 4).await;
    engine.handle.submit(again("2")).await.unwrap();
    let keys: Vec<String> = rig.push.attempts().into_iter().map(|(_, key)| key).collect();
    assert_eq!(keys, vec![key.to_string(); 4]);
    assert_eq!(engine.handle.stats().failed, 1);
    engine.stop().await;
}
