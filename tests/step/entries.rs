//! Who enters, who does not, and why.

use wayfare::expr::MessageEvent;
use wayfare::step::{EventKind, Input};
use wayfare::value::Value;

use super::bank::{Story, clock, cny, days, hours, minutes};

fn tap(story: &mut Story, txn: &str) {
    story.happen("tapped", &[("step", Value::text("photo")), ("txn", Value::text(txn))]);
}

fn journey(clauses: &str) -> Story {
    let mut story = Story::of(&format!(
        "journey j of customer {{ purpose service; owner \"o\"; {clauses}; send hello via push; wait 1 day; end done }}"
    ));
    story.agree();
    story
}

#[test]
fn never_again() {
    let mut story = journey("enter on login; reenter never");
    story.happen("login", &[]).advance(days(400)).happen("login", &[]);
    assert_eq!(story.ends(), ["done"]);
    assert!(story.says("did not enter: has entered before, `reenter never`"));
}

#[test]
fn again_only_some_days_after_the_end() {
    let mut story = journey("enter on login; reenter after 7 days");
    story.happen("login", &[]).advance(hours(1)).happen("login", &[]);
    assert!(story.says("did not enter: is still in it"));
    story.advance(days(2)).happen("login", &[]);
    assert!(story.says("not again before 2026-12-09 09:00:00, `reenter after 7 days`"));
    story.until(clock("2026-12-09T09:00")).happen("login", &[]);
    assert_eq!(story.ends(), ["…"], "of `reenter after` the newest entry is kept");
    assert_eq!(story.delivered.len(), 2);
}

#[test]
fn once_per_transaction_and_several_at_once() {
    let mut story = journey("enter on tapped; reenter per event.txn");
    tap(&mut story, "t1");
    tap(&mut story, "t2");
    tap(&mut story, "t1");
    assert_eq!(story.ends(), ["…", "…"]);
    assert!(story.says("did not enter: has entered before with the key `t1`"));
}

#[test]
fn once_per_week_by_when_it_happened() {
    let mut story = journey("enter on login; reenter per week");
    story.happen("login", &[]).advance(days(3)).happen("login", &[]).advance(days(4)).happen("login", &[]);
    let keys: Vec<_> = story.state.entries.iter().map(|entry| entry.key.to_string()).collect();
    assert_eq!(keys, ["2026-W49", "2026-W50"]);
}

#[test]
fn restart_ends_the_one_that_runs() {
    let mut story = journey("enter on login; reenter restart");
    story.dispatching = false;
    story.happen("login", &[]).advance(minutes(5)).happen("login", &[]);
    assert_eq!(story.ends(), ["…"], "of `restart` the newest entry is kept");
    assert_eq!(story.state.instances.len(), 1);
    assert!(story.says("exited as `restarted`"));
    assert!(story.says("`hello` is cancelled before it left"));
}

#[test]
fn the_same_event_twice_enters_once() {
    let mut story = journey("enter on login; reenter restart");
    let event = story.event(EventKind::Declared("login".into()), None, story.now, &[]);
    story.input(&Input::Event(event.clone())).input(&Input::Event(event));
    assert_eq!(story.ends(), ["…"]);
}

#[test]
fn a_stale_event_is_history() {
    let mut story = journey("enter on login; stale after 10min; reenter never");
    story.advance(hours(1));
    story.happen_at("login", &[], story.now - minutes(11));
    assert!(story.ends().is_empty());
    assert!(story.says("what happened was 11min old, `stale after 10min`"));
    story.happen_at("login", &[], story.now - minutes(10));
    assert_eq!(story.ends(), ["…"]);
}

#[test]
fn a_filter_says_what_it_saw() {
    let mut story = journey("enter on payment where amount >= 100 CNY; reenter never");
    story.happen("payment", &[("amount", cny(99))]);
    assert!(story.says("did not enter: `amount >= 100 CNY` is false: amount is 99"), "{}", story.told());
}

#[test]
fn without_fires_after_the_lateness_of_what_did_not_come() {
    let mut story = journey("enter on login without bound within 3min; stale after 20min; reenter never");
    story.happen("login", &[]).advance(minutes(7));
    assert!(story.ends().is_empty());
    story.advance(minutes(1));
    assert_eq!(story.ends(), ["…"]);
    let instance = &story.state.instances[0];
    assert_eq!(instance.entry_time, clock("2026-12-01T09:00"));
}

#[test]
fn without_is_decided_by_when_it_happened_in_either_order() {
    let clauses = "enter on login without bound within 3min; stale after 20min; reenter never";
    let start = clock("2026-12-01T09:00");
    for (happened, enters) in [(-1, true), (0, false), (179, false), (180, true)] {
        let bound = start + jiff::SignedDuration::from_secs(happened);
        let mut after = journey(clauses);
        after.happen("login", &[]).advance(minutes(4)).happen_at("bound", &[], bound).advance(days(1));
        assert_eq!(after.ends().len(), usize::from(enters), "B behind A, {happened}s: {}", after.told());
        let mut before = journey(clauses);
        before.advance(minutes(4)).happen_at("bound", &[], bound).happen_at("login", &[], start);
        before.advance(days(1));
        assert_eq!(before.ends().len(), usize::from(enters), "B before A, {happened}s: {}", before.told());
    }
}

#[test]
fn who_slept_hears_of_everything_before_it_calls_anybody_back() {
    let start = clock("2026-12-01T09:00");
    let slept = || {
        let mut story = journey("enter on login without bound within 3min; stale after 20min; reenter never");
        story.now = start + minutes(15);
        story.happen_at("login", &[], start);
        story
    };
    let mut story = slept();
    story.happen_at("bound", &[], start + minutes(1)).advance(days(1));
    assert!(story.ends().is_empty(), "{}", story.told());
    let mut story = slept();
    story.advance(minutes(0));
    assert_eq!(story.ends(), ["…"], "{}", story.told());
}

#[test]
fn without_is_stale_for_a_daemon_that_slept() {
    let mut story = journey("enter on login without bound within 3min; stale after 10min; reenter never");
    story.happen("login", &[]);
    story.now += hours(2);
    story.input(&Input::Wake);
    assert!(story.ends().is_empty());
    assert!(story.says("what happened was 2h old, `stale after 10min`"), "{}", story.told());
}

const PREAPPROVED: &str = "enter when (loan_limit otherwise 0 CNY) > 0 CNY every day at 10:00";

#[test]
fn an_audience_enters_on_the_edge() {
    let mut story = journey(&format!("{PREAPPROVED}; existing include; reenter after 2 days"));
    story.advance(days(1));
    assert!(story.ends().is_empty());
    assert!(story.says("is false: loan_limit is missing"), "{}", story.told());
    story.know(&[("loan_limit", cny(10))]).advance(minutes(59));
    assert_eq!(story.delivered.len(), 0, "the edge is looked for at 10:00");
    story.until(clock("2026-12-30T10:00"));
    assert_eq!(story.delivered.len(), 1, "still true is no edge");
    story.know(&[("loan_limit", cny(0))]).advance(days(1));
    story.know(&[("loan_limit", cny(5))]).advance(days(1));
    assert_eq!(story.delivered.len(), 2);
}

#[test]
fn existing_members_enter_once_or_not_at_all() {
    for (rule, count) in [("include", 1), ("skip", 0)] {
        let mut story = journey(&format!("{PREAPPROVED}; existing {rule}; reenter after 2 days"));
        story.know(&[("loan_limit", cny(10))]).advance(days(9));
        assert_eq!(story.delivered.len(), count, "{rule}");
    }
}

#[test]
fn an_audience_without_a_schedule_is_watched_all_the_time() {
    let mut story = journey("enter when vip; existing skip; reenter after 2 days");
    story.know(&[("vip", Value::Bool(false))]).advance(hours(1)).know(&[("vip", Value::Bool(true))]);
    assert_eq!(story.ends(), ["…"]);
}

#[test]
fn events_of_a_stranger_wait_for_the_attributes() {
    let source = "journey j of customer { purpose service; owner \"o\"; enter on login; reenter never; send hello via push; end done }";
    let mut story = Story::of(source);
    story.happen("login", &[]).advance(days(2));
    assert!(story.says("`login` is kept until the subject's attributes arrive"));
    assert!(story.ends().is_empty());
    story.agree();
    assert_eq!(story.ends(), ["done"]);
    assert_eq!(story.got(), ["hello"]);
    for _ in 0..101 {
        let mut stranger = std::mem::take(&mut story.state);
        stranger.known = false;
        story.state = stranger;
        story.happen("login", &[]);
    }
    assert_eq!(story.quarantined, 1);
}

#[test]
fn an_open_enters_by_itself() {
    let mut story = Story::of(
        "journey a of customer { purpose service; owner \"o\"; enter on login; reenter never; send hello via push; end done }
         journey b of customer { purpose service; owner \"o\"; enter on rise of loan_limit; reenter never; send again via push; end done }",
    );
    story.agree().know(&[("loan_limit", cny(5))]).know(&[("loan_limit", cny(4))]);
    assert!(story.ends().is_empty());
    story.know(&[("loan_limit", cny(9))]);
    assert_eq!(story.got(), ["again"]);
    story.happen("login", &[]).report(MessageEvent::Opened, "hello");
    assert_eq!(story.ends(), ["done", "done"]);
}

#[test]
fn a_started_journey_runs_for_the_same_customer_once_per_caller() {
    let mut story = Story::of(
        "journey a of customer { purpose service; owner \"o\"; enter on login; reenter per week; start b; end done }
         journey b of customer { purpose service; owner \"o\"; enter by start; reenter after 1 day; send hello via push; wait 2 days; end gone }",
    );
    story.agree().happen("login", &[]);
    assert_eq!(story.ends(), ["done", "…"]);
    assert_eq!(&*story.state.instances[0].key, "a/2026-W49/start_b");
    story.advance(days(8)).happen("login", &[]).advance(days(3));
    assert_eq!(story.delivered.len(), 2);
}

/// `event.id` and `event.time` are of every event, and what a wait has named has them too.
#[test]
fn every_event_has_an_id_and_a_time() {
    let mut story = Story::of(
        "content ref { takes ref : Id; takes day : Date; via push \"\"\"{{ ref }} {{ date(day) }}\"\"\" }
        journey j of customer {
          purpose service
          owner \"o\"
          enter on login where time > 2026-11-01 at 00:00
          reenter never
          send ref(event.id, event.time.date) via push key event.id as first
          wait for drawdown as drawn within 2 days else end none
          send ref(drawn.id, drawn.time.date) via push as second
          end done
        }",
    );
    story.agree();
    story.happen("login", &[]).advance(days(1)).happen("drawdown", &[]);
    let bodies: Vec<&str> = story.delivered.iter().map(|one| &*one.parts[0].1).collect();
    assert_eq!(bodies, ["bank#e2 2026年12月1日", "bank#e3 2026年12月2日"]);
    assert_eq!(&*story.delivered[0].message.step, "first#bank#e2");
}
