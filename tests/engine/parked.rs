//! Events of somebody who is not known wait for them, and not for ever: on both stores, by a timer and through a crash.

use jiff::{SignedDuration, Timestamp};
use wayfare::engine::{Receipt, Steps};
use wayfare::name::Name;
use wayfare::step::{Event, EventKind, RootKey};
use wayfare::value::Value;

use crate::support::stores::{Place, on_both_stores};

use super::identity::bank;
use super::rig::{Rig, customer, until};

on_both_stores!(who_is_never_heard_of_does_not_keep_events_for_ever);

fn told(kind: EventKind, id: &str, serial: u32, time: Timestamp) -> (RootKey, Event) {
    let push = Value::List(vec![Value::Choice(Name::new("push"))]);
    let fields = match &kind {
        EventKind::Attributes => vec![(Name::new("consent"), push)],
        _ => vec![],
    };
    let id_of = format!("{id}-{serial}").into();
    let source = "bank".into();
    (customer(id), Event { source, id: id_of, kind, child: None, time, received: time, fields })
}

async fn who_is_never_heard_of_does_not_keep_events_for_ever(place: Place) {
    let mut rig = Rig::on(place);
    rig.steps = Steps::REAL;
    rig.park = SignedDuration::from_hours(3 * 24);
    let engine = rig.run().await;
    engine.handle.deploy(bank()).await.unwrap();
    let begun = rig.now();
    let login = |id: &str, serial, time| told(EventKind::Declared(Name::new("login")), id, serial, time);
    let both = vec![login("ghost", 1, begun), login("late", 1, begun)];
    assert_eq!(engine.handle.submit(both).await.unwrap(), vec![Receipt::Parked; 2]);
    engine.crash().await;

    // The second of them is a day younger.
    let engine = rig.run().await;
    rig.clock.set(begun + SignedDuration::from_hours(24));
    engine.handle.submit(vec![login("ghost", 2, rig.now())]).await.unwrap();
    rig.clock.set(begun + SignedDuration::from_hours(70));
    engine.handle.submit(vec![told(EventKind::Attributes, "late", 2, rig.now())]).await.unwrap();
    until("who is known in time is greeted", async || rig.push.attempts().len() == 1).await;
    assert_eq!(engine.store.counts().await.unwrap().quarantined, 0);

    rig.clock.set(begun + SignedDuration::from_hours(72));
    until("the first is put aside", async || engine.store.counts().await.unwrap().quarantined == 1).await;
    assert_eq!(engine.state("ghost").await.parked.len(), 1, "the second has a day left");
    engine.crash().await;
    let engine = rig.run().await;
    rig.clock.set(begun + SignedDuration::from_hours(97));
    until("the second too", async || engine.store.counts().await.unwrap().quarantined == 2).await;
    let state = engine.state("ghost").await;
    assert_eq!((state.parked.len(), state.next_due()), (0, None));
    for record in engine.store.quarantined(9).await.unwrap() {
        assert_eq!(record.code, "R0260");
        assert!(record.reason.contains("did not arrive"), "{}", record.reason);
        assert!(String::from_utf8_lossy(&record.body).contains("ghost"), "it can be sent again");
    }
    let sent: Vec<String> = rig.push.attempts().into_iter().map(|(_, key)| key).collect();
    assert!(sent.iter().all(|key| key.contains("/late/")), "{sent:?}");
    engine.stop().await;
}
