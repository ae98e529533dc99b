//! An experiment in the daemon: counted over all customers through a crash, decided once when its time has come, and
//! then everybody new gets what won.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use wayfare::name::Name;
use wayfare::step::{Event, EventKind, RootKey};
use wayfare::value::Value;

use super::rig::{Rig, compiled, customer, said, until};
use crate::support::stores::{Place, on_both_stores};

on_both_stores!(the_arm_that_wins_is_for_everybody_new, what_is_undecided_is_as_the_text_says,);

const BANK: &str = r#"
channel push { kind push }
entity customer { key id : Id; consent : [channel] }
event joined of customer {}
event applied of customer {}
experiment words "文案" of customer {
  arm short "短" 50%
  arm story "故事" 50%
  winner applied { confidence 95%; least 10; by 5 days after open; undecided short }
}
content short_copy "短文案" { via push """办 ETC，停车减免""" }
content story_copy "故事文案" { via push """张先生上周办好了 ETC，停车省了二十元""" }
journey etc "停车礼办 ETC" of customer {
  purpose service
  owner "car@bank.example"
  enter on joined
  reenter never
  goal applied on applied within 4 days from entered
  split words {
    arm short { send short_copy via push as by_short }
    arm story { send story_copy via push as by_story }
  }
  wait 4 days
  end done
}
"#;

fn begin() -> Timestamp {
    "2026-12-01T09:00:00Z".parse().unwrap()
}

fn hours(count: i64) -> SignedDuration {
    SignedDuration::from_hours(count)
}

/// Becomes known and joins.
fn joins(id: &str, now: Timestamp) -> Vec<(RootKey, Event)> {
    let consent = Value::List(vec![Value::Choice(Name::new("push"))]);
    let known = said(EventKind::Attributes, customer(id), 0, now, vec![("consent", consent)]);
    vec![known, said(EventKind::Declared(Name::new("joined")), customer(id), 1, now, vec![])]
}

fn applies(id: &str, now: Timestamp) -> (RootKey, Event) {
    said(EventKind::Declared(Name::new("applied")), customer(id), 2, now, vec![])
}

/// Who was sent the message of this step; after a crash somebody may be sent it again.
fn sent(rig: &Rig, step: &str) -> BTreeSet<String> {
    let keys = rig.push.attempts().into_iter().map(|(_, key)| key);
    let ended = keys.filter(|key| key.ends_with(step));
    ended.map(|key| key.split('/').nth(1).unwrap_or_default().to_owned()).collect()
}

fn all_sent(rig: &Rig) -> usize {
    sent(rig, "by_short").len() + sent(rig, "by_story").len()
}

async fn the_arm_that_wins_is_for_everybody_new(place: Place) {
    let mut rig = Rig::on(place);
    rig.clock.set(begin());
    let engine = rig.begin_with(compiled(BANK)).await;
    for n in 0..30 {
        engine.handle.submit(joins(&format!("a{n}"), rig.now())).await.unwrap();
    }
    until("the first half", async || all_sent(&rig) == 30).await;
    engine.crash().await;

    let engine = rig.run().await;
    for n in 30..60 {
        engine.handle.submit(joins(&format!("a{n}"), rig.now())).await.unwrap();
    }
    until("the second half", async || all_sent(&rig) == 60).await;
    let (short, story) = (sent(&rig, "by_short"), sent(&rig, "by_story"));
    assert!(short.len() >= 10 && story.len() >= 10, "{short:?} {story:?}");
    rig.clock.advance(hours(24));
    for id in &story {
        engine.handle.submit(vec![applies(id, rig.now())]).await.unwrap();
    }
    // Told again, it counts once.
    let again = said(
        EventKind::Declared(Name::new("applied")),
        customer(story.first().unwrap()),
        3,
        rig.now(),
        vec![],
    );
    engine.handle.submit(vec![again]).await.unwrap();
    engine.crash().await;

    let engine = rig.run().await;
    let standing = engine.handle.experiments().await.unwrap();
    let tallies: Vec<(&str, u32, u32)> =
        standing[0].arms.iter().map(|(arm, tally)| (arm.as_str(), tally.counts, tally.reached)).collect();
    let people = |list: &BTreeSet<String>| u32::try_from(list.len()).unwrap();
    let (all, reached) = (people(&short), people(&story));
    assert_eq!(tallies, [("short", all, 0), ("story", reached, reached)]);
    assert_eq!((standing[0].opened, standing[0].decides), (Some(begin()), Some(begin() + hours(120))));
    rig.clock.set(begin() + hours(120) - SignedDuration::from_millis(1));
    engine.handle.submit(joins("early", rig.now())).await.unwrap();
    assert_eq!(engine.handle.experiments().await.unwrap()[0].decided, None);
    rig.clock.set(begin() + hours(120));
    until("it is decided", async || !engine.handle.world().winners.is_empty()).await;
    let told = engine.handle.experiments().await.unwrap().remove(0).decided.unwrap();
    assert_eq!((told.arm, told.at), (Some(Name::new("story")), begin() + hours(120)));
    assert!(told.told.starts_with("experiment `words`: arm `story` wins (short 0 of "), "{}", told.told);
    engine.stop().await;

    let engine = rig.run().await;
    let before = all_sent(&rig);
    for n in 0..12 {
        engine.handle.submit(joins(&format!("b{n}"), rig.now())).await.unwrap();
    }
    until("new ones are told", async || all_sent(&rig) == before + 12).await;
    assert_eq!(sent(&rig, "by_story").iter().filter(|id| id.starts_with('b')).count(), 12);
    // A later deployment leaves it decided.
    engine.handle.deploy(compiled(&BANK.replace("停车省了", "停车又省了"))).await.unwrap();
    assert_eq!(engine.handle.world().winners.len(), 1);
    engine.stop().await;
}

async fn what_is_undecided_is_as_the_text_says(place: Place) {
    let mut rig = Rig::on(place);
    rig.clock.set(begin());
    let engine = rig.begin_with(compiled(BANK)).await;
    engine.handle.submit(joins("li", rig.now())).await.unwrap();
    rig.clock.set(begin() + hours(120));
    until("it is decided", async || !engine.handle.world().winners.is_empty()).await;
    let told = engine.handle.experiments().await.unwrap().remove(0).decided.unwrap();
    assert_eq!(told.arm, Some(Name::new("short")));
    assert!(told.told.contains("undecided, arm `short` is for everybody new"), "{}", told.told);
    assert!(told.told.ends_with("fewer than 10 of an arm)"), "{}", told.told);
    engine.stop().await;
}
