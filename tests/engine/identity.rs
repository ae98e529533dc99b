//! Two keys that are one customer, and an import, in the daemon: through a crash in the middle, on both stores.

use jiff::{SignedDuration, Timestamp};
use wayfare::engine::Receipt;
use wayfare::name::Name;
use wayfare::program::Bundle;
use wayfare::step::{Event, EventKind, RootKey};
use wayfare::value::Value;

use crate::support::stores::{Place, on_both_stores};

use super::rig::{Rig, compiled, customer, said, until};

on_both_stores!(
    two_keys_become_one_whatever_commit_the_daemon_stops_at,
    what_is_imported_is_known_and_sends_nothing,
);

const BANK: &str = r#"
channel push { kind push }
entity customer { key id : Id; consent : [channel]; limit : Int? }
event login of customer {}
event payment of customer {}
content hello { via push """您好""" }
content again { via push """再次问候""" }
journey course of customer {
  purpose marketing
  owner "o@bank.example"
  enter on login
  reenter never
  send hello via push as first_one
  wait 1 day
  send again via push as second_one
  end done
}
journey third of customer {
  purpose marketing
  owner "o@bank.example"
  enter on payment where count(payment during last 30 days) >= 3
  reenter after 30 days
  send hello via push as thanks
  end done
}
journey granted_limit of customer {
  purpose marketing
  owner "o@bank.example"
  enter when (limit otherwise 0) > 0
  existing skip
  reenter never
  send hello via push as offer
  end done
}
"#;

pub(super) fn bank() -> Bundle {
    compiled(BANK)
}

fn told(
    kind: EventKind,
    id: &str,
    serial: u32,
    time: Timestamp,
    fields: Vec<(&str, Value)>,
) -> (RootKey, Event) {
    said(kind, customer(id), serial, time, fields)
}

fn happened(name: &str, id: &str, serial: u32, time: Timestamp) -> (RootKey, Event) {
    told(EventKind::Declared(Name::new(name)), id, serial, time, vec![])
}

fn known(id: &str, time: Timestamp) -> (RootKey, Event) {
    let push = Value::List(vec![Value::Choice(Name::new("push"))]);
    told(EventKind::Attributes, id, 0, time, vec![("consent", push)])
}

fn steps(rig: &Rig) -> Vec<String> {
    rig.push.attempts().into_iter().map(|(_, key)| key).collect()
}

/// Each time the daemon stops at another commit behind the word that both are one, and is started again.
async fn two_keys_become_one_whatever_commit_the_daemon_stops_at(place: Place) {
    for (stop, after) in [(0, true), (1, false), (1, true), (2, false), (2, true), (3, true)] {
        let mut rig = Rig::on(place.another().await);
        let engine = rig.begin_with(bank()).await;
        let begun = rig.now();
        let both = vec![known("old", begun), known("new", begun), happened("login", "old", 1, begun)];
        engine.handle.submit(both).await.unwrap();
        let paid = [happened("payment", "old", 2, begun), happened("payment", "new", 1, begun)];
        engine.handle.submit(paid.to_vec()).await.unwrap();
        until("the first message", async || engine.handle.stats().sent == 1).await;
        engine.stop().await;

        let engine = rig.run_until(stop, after).await;
        let kind = EventKind::Merged { into: customer("new") };
        let word = told(kind, "old", 3, begun, vec![]);
        // The answer may be lost with the daemon: then it is told again.
        let heard = tokio::time::timeout(
            std::time::Duration::from_millis(300),
            engine.handle.submit(vec![word.clone()]),
        );
        let _ = heard.await;
        engine.crash().await;

        let engine = rig.run().await;
        let again = engine.handle.submit(vec![word]).await.unwrap();
        assert!(matches!(again[..], [Receipt::Accepted | Receipt::Duplicate]), "{again:?}");
        rig.clock.set(begun + SignedDuration::from_mins(2));
        until("the estate has arrived", async || engine.state("new").await.instances.len() == 1).await;
        // Later events of the old key are the new one's, and history is that of both.
        engine.handle.submit(vec![happened("payment", "old", 4, rig.now())]).await.unwrap();
        until("the third payment", async || steps(&rig).contains(&"third/new/bank#old-4/thanks".to_owned()))
            .await;
        let login = happened("login", "new", 2, rig.now());
        engine.handle.submit(vec![login]).await.unwrap();
        rig.clock.set(begun + SignedDuration::from_hours(25));
        let second = "course/new/new/second_one".to_owned();
        until("the day after", async || steps(&rig).contains(&second)).await;
        let all = steps(&rig);
        assert_eq!(all.len(), 3, "each message once, stopped at {stop} {after}: {all:?}");
        assert_eq!(engine.state("old").await.next_due(), None);
        engine.stop().await;
    }
}

async fn what_is_imported_is_known_and_sends_nothing(place: Place) {
    let mut rig = Rig::on(place);
    let engine = rig.begin_with(bank()).await;
    let begun = rig.now();
    engine.handle.submit(vec![known("li", begun)]).await.unwrap();
    let past = begun - SignedDuration::from_hours(48);
    let import = |name: &str, serial| told(EventKind::Imported(Name::new(name)), "li", serial, past, vec![]);
    let limit = told(EventKind::ImportedAttributes, "li", 9, begun, vec![("limit", Value::Int(5))]);
    let all = vec![import("login", 1), import("payment", 2), import("payment", 3), limit];
    assert_eq!(engine.handle.submit(all.clone()).await.unwrap(), vec![Receipt::Imported; 4]);
    assert_eq!(engine.handle.submit(all).await.unwrap(), vec![Receipt::Duplicate; 4], "known again");
    assert_eq!(engine.handle.stats().imported, 4);
    engine.crash().await;

    let engine = rig.run().await;
    assert_eq!(engine.state("li").await.entries, []);
    let now = rig.now();
    engine.handle.submit(vec![happened("payment", "li", 4, now)]).await.unwrap();
    until("the third payment is the first that happens", async || steps(&rig).len() == 1).await;
    assert_eq!(steps(&rig), ["third/li/bank#li-4/thanks"]);
    engine.stop().await;
}
