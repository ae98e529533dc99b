//! The four waits: what counts, when the timer fires, and what came too late.

use wayfare::expr::MessageEvent;
use wayfare::step::{Decision, Input};
use wayfare::value::Value;

use super::bank::{Story, clock, cny, days, hours, minutes};

fn journey(steps: &str) -> Story {
    let mut story = Story::of(&format!(
        "journey j of customer {{ purpose service; owner \"o\"; enter on login; reenter per week\n{steps}\n}}"
    ));
    story.agree().happen("login", &[]);
    story
}

const PAY: &str = "wait for payment as paid where amount >= 10 CNY within 2h else end unpaid\nend paid";

#[test]
fn an_event_in_time_wins_even_if_it_arrives_late() {
    let start = clock("2026-12-01T09:00");
    for (happened, arrives, end) in
        [(119, 119, "paid"), (119, 124, "paid"), (120, 121, "unpaid"), (119, 126, "unpaid"), (0, 1, "paid")]
    {
        let mut story = journey(PAY);
        story.until(start + minutes(arrives));
        story.happen_at("payment", &[("amount", cny(10))], start + minutes(happened)).advance(days(1));
        assert_eq!(story.ends(), [end], "happened {happened}, arrived {arrives}: {}", story.told());
    }
}

#[test]
fn the_timer_fires_behind_the_lateness_of_the_source() {
    let mut story = journey(PAY);
    assert_eq!(story.state.next_due(), Some(clock("2026-12-01T11:05")));
    story.until(clock("2026-12-01T11:04"));
    assert_eq!(story.ends(), ["…"]);
    story.happen("payment", &[("amount", cny(50))]);
    assert_eq!(story.ends(), ["…"], "it happened behind the deadline");
    story.until(clock("2026-12-01T11:05"));
    assert_eq!(story.ends(), ["unpaid"]);
}

#[test]
fn an_event_in_time_beats_a_timer_that_a_sleeping_daemon_missed() {
    let mut story = journey(PAY);
    story.now = clock("2026-12-01T20:00");
    story.happen_at("payment", &[("amount", cny(50))], clock("2026-12-01T10:00"));
    assert_eq!(story.ends(), ["paid"]);
}

#[test]
fn a_daemon_that_slept_catches_up_in_order() {
    let mut story = Story::of(
        "journey a of customer { purpose service; owner \"o\"; enter on login; reenter never; wait 3h; send hello via push as late_one; end done }
         journey b of customer { purpose service; owner \"o\"; enter on login; reenter never; wait 2h; send hello via push as early_one; wait 30min; end done }",
    );
    story.agree().happen("login", &[]);
    story.now = clock("2026-12-02T09:00");
    story.input(&Input::Wake);
    assert_eq!(story.got(), ["early_one", "late_one"]);
    assert_eq!(story.state.next_due(), Some(clock("2026-12-02T09:30")), "its next wait begins now");
}

#[test]
fn a_late_event_is_told_but_changes_nothing() {
    let mut story = journey("wait for payment within 1h else { send hello via push }\nwait 1 day\nend done");
    story.advance(hours(2));
    story.happen_at("payment", &[("amount", cny(1))], clock("2026-12-01T09:30")).advance(days(2));
    assert_eq!(story.got(), ["hello"]);
    assert!(story.says("`payment` of 2026-12-01 09:30:00 came too late to count"), "{}", story.told());
}

#[test]
fn looking_back_to_a_known_anchor() {
    let steps = "send hello via push as opener\nwait 1h\nwait for payment within 2 days from sent(opener) else end none\nend paid";
    let mut story = journey(steps);
    story.advance(minutes(10)).happen("payment", &[("amount", cny(1))]).advance(minutes(50));
    assert_eq!(story.ends(), ["paid"], "{}", story.told());
    let mut story = journey(steps);
    story.happen_at("payment", &[("amount", cny(1))], clock("2026-12-01T08:59")).advance(hours(2));
    assert_eq!(story.ends(), ["…"], "before the anchor");
    let here = steps.replace(" from sent(opener)", "");
    let mut story = journey(&here);
    story.advance(minutes(10)).happen("payment", &[("amount", cny(1))]).advance(hours(2));
    assert_eq!(story.ends(), ["…"], "without an anchor it counts from here");
}

#[test]
fn what_ended_one_wait_counts_for_a_later_one() {
    let steps = "wait for payment within 1 day else end none
wait for payment where amount >= 100 CNY within 2 days from entered else end small
end large";
    let mut story = journey(steps);
    story.advance(hours(1)).happen("payment", &[("amount", cny(200))]);
    assert_eq!(story.ends(), ["large"], "the same payment: {}", story.told());
    let mut story = journey(steps);
    story.advance(hours(1)).happen("payment", &[("amount", cny(20))]);
    assert_eq!(story.ends(), ["…"], "one that does not fit does not count");
    story.happen("payment", &[("amount", cny(100))]);
    assert_eq!(story.ends(), ["large"]);
    let here = steps.replace(" from entered", "");
    let mut story = journey(&here);
    story.advance(hours(1)).happen("payment", &[("amount", cny(200))]).advance(days(3));
    assert_eq!(story.ends(), ["small"], "without an anchor it counts from here");
}

#[test]
fn a_wait_from_an_event_needs_another_one() {
    let steps = "wait for payment as first within 1 day else end none
wait for payment within 2 days from first else end one
end two";
    let mut story = journey(steps);
    story.advance(hours(1)).happen("payment", &[("amount", cny(200))]);
    assert_eq!(story.ends(), ["…"], "it is no event behind itself");
    story.advance(hours(1)).happen("payment", &[("amount", cny(1))]);
    assert_eq!(story.ends(), ["two"], "{}", story.told());
}

#[test]
fn what_came_before_the_anchor_moved_counts_no_longer() {
    let steps = "repeat 1..2 every day at 10:00 {
  send hello via push as nudge
  wait 2h
  wait for payment within 3h from sent(nudge) else continue
  tag seen
}
end done";
    let mut story = journey(steps);
    story.advance(hours(2)).happen("payment", &[("amount", cny(1))]).advance(hours(20));
    assert_eq!(story.log.iter().filter(|it| matches!(it.what, Decision::Tagged { .. })).count(), 1);
    story.until(clock("2026-12-02T11:00")).happen("payment", &[("amount", cny(1))]).advance(days(2));
    let tagged = story.log.iter().filter(|it| matches!(it.what, Decision::Tagged { .. })).count();
    assert_eq!((story.ends(), tagged), (vec!["done".into()], 2), "{}", story.told());
}

#[test]
fn of_several_that_came_already_the_earliest_wins() {
    let steps = "wait 1h\nwait within 2 days from entered { on payment end paid; on bound end bound; on timeout end none }";
    let mut story = journey(steps);
    story.advance(minutes(20)).happen("payment", &[("amount", cny(1))]);
    story.happen_at("bound", &[], clock("2026-12-01T09:10")).advance(hours(1));
    assert_eq!(story.ends(), ["bound"], "{}", story.told());
    let mut story = journey(steps);
    story
        .advance(minutes(20))
        .happen("bound", &[])
        .happen("payment", &[("amount", cny(1))])
        .advance(hours(1));
    assert_eq!(story.ends(), ["paid"], "ties go by the order written");
}

#[test]
fn a_named_event_stays_readable() {
    let steps = "wait for payment as pay within 1 day else end none\nif pay.amount >= 100 CNY { end large }\nend small";
    let mut story = journey(steps);
    story.advance(minutes(1)).happen("payment", &[("amount", cny(100))]);
    assert_eq!(story.ends(), ["large"], "{}", story.told());
}

#[test]
fn a_state_that_is_true_goes_on_at_once_and_otherwise_as_soon_as_it_is() {
    let steps = "wait until vip within 3 days else end never_vip\nend vip_now";
    let mut story = journey(steps);
    assert!(story.says("waits until `vip`, at most until 2026-12-04 09:00:00"), "{}", story.told());
    story.advance(days(1)).know(&[("vip", Value::Bool(true))]);
    assert_eq!(story.ends(), ["vip_now"]);
    story.advance(days(7)).happen("login", &[]);
    assert_eq!(story.ends(), ["vip_now", "vip_now"]);
    assert!(story.says("goes on at once: `vip` is true already"));
    let mut story = journey(steps);
    story.advance(days(4));
    assert_eq!(story.ends(), ["never_vip"]);
}

#[test]
fn a_moment_that_is_past_goes_on_and_one_that_moves_is_followed() {
    let steps =
        "wait until 2026-11-30 at 10:00\nif birthday is known { wait until birthday at 08:00 }\nend done";
    let story = journey(steps);
    assert_eq!(story.ends(), ["done"]);
    assert!(story.says("goes on at once: the moment is past"));
    let mut story = Story::of(&format!(
        "journey j of customer {{ purpose service; owner \"o\"; enter on login; reenter never\n{steps}\n}}"
    ));
    let born = |day: &str| [("birthday", Value::Date(day.parse().unwrap()))];
    story.agree().know(&born("2026-12-20")).happen("login", &[]);
    assert_eq!(story.state.next_due(), Some(clock("2026-12-20T08:00")));
    story.know(&born("2026-12-10"));
    assert_eq!(story.state.next_due(), Some(clock("2026-12-10T08:00")));
    story.know(&born("2026-11-10"));
    assert_eq!(story.ends(), ["done"]);
}

#[test]
fn calendar_time_keeps_the_clock_and_stopwatch_time_does_not() {
    let mut story = Story::of(
        "journey a of customer { purpose service; owner \"o\"; enter on login; reenter never; wait 1 day; end done }
         journey b of customer { purpose service; owner \"o\"; enter on login; reenter never; wait 24h; end done }",
    );
    story.world.zone = jiff::tz::TimeZone::get("Europe/Berlin").unwrap();
    story.now = "2026-10-24T10:00:00Z".parse().unwrap();
    story.agree().happen("login", &[]);
    let due: Vec<_> =
        story.state.instances.iter().map(|instance| instance.due.unwrap().to_string()).collect();
    assert_eq!(due, ["2026-10-25T11:00:00Z", "2026-10-25T10:00:00Z"]);
}

#[test]
fn memory_tags_and_branches() {
    let mut story = journey(
        "remember limit = loan_limit otherwise 0 CNY
         tag seen
         tag quiet
         if quiet { untag seen } else { end wrong }
         wait 1 day
         match limit { case 0 CNY { end nothing }; case 1 CNY..5 CNY { end some }; else { end much } }",
    );
    story.advance(days(2));
    assert_eq!(story.ends(), ["nothing"], "{}", story.told());
    insta::assert_snapshot!(story.told());
}

#[test]
fn an_opened_message_is_waited_for_from_its_own_send() {
    let mut story =
        journey("send hello via push as one\nwait for opened(one) within 1 day else end closed\nend open");
    story.advance(minutes(3)).report(MessageEvent::Opened, "one");
    assert_eq!(story.ends(), ["open"]);
    story.advance(days(7)).happen("login", &[]).advance(hours(25)).report(MessageEvent::Opened, "one");
    assert_eq!(story.ends(), ["open", "closed"]);
}
