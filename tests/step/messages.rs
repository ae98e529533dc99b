//! Messages: the gate, the outbox, the provider's answer, and what the journey hears of it.

use wayfare::expr::MessageEvent;
use wayfare::name::Name;
use wayfare::program::Outcome;
use wayfare::step::Input;
use wayfare::step::state::MessageStatus;
use wayfare::value::Value;

use super::bank::{Story, channels, cny, days, hours, minutes};

fn journey(purpose: &str, steps: &str) -> Story {
    let mut story = Story::of(&format!(
        "journey j of customer {{ purpose {purpose}; owner \"o\"; enter on login; reenter per week; exit on drawdown as converted
           goal paid on payment within 10 days from first sent\n{steps}\n}}"
    ));
    story.agree();
    story
}

const FALLBACK: &str = "send hello via sms { on no_consent, unreachable { send hello via push as other }; on failed { send again via push as rescue } }\nend done";

#[test]
fn refusals_lead_where_the_journey_says() {
    let mut story = journey("marketing", FALLBACK);
    story.know(&[("consent", channels(&["push"]))]).happen("login", &[]);
    assert_eq!(story.got(), ["other"]);
    assert!(
        story.says("`hello` may not go via sms: `consent` does not hold sms (no_consent)"),
        "{}",
        story.told()
    );
    let mut story = journey("service", FALLBACK);
    story.know(&[("phone", Value::Missing)]).happen("login", &[]);
    assert_eq!(story.got(), ["other"]);
    assert!(story.says("there is no address for sms (unreachable)"));
}

#[test]
fn service_needs_no_consent() {
    let mut story = journey("service", "send hello via push\nend done");
    story.know(&[("consent", Value::Missing)]).happen("login", &[]);
    assert_eq!(story.got(), ["hello"]);
}

#[test]
fn a_named_failure_is_waited_for_and_branched_on() {
    let mut story = journey("service", FALLBACK);
    story.provider = Some(Outcome::Failed);
    story.happen("login", &[]);
    assert_eq!(story.got(), ["hello", "rescue"]);
    assert_eq!(story.status("hello"), MessageStatus::Failed);
    let mut story = journey("service", FALLBACK);
    story.happen("login", &[]);
    assert_eq!(story.ends(), ["…"], "a bounce may still come: {}", story.told());
    story.advance(hours(1)).report(MessageEvent::Failed, "hello");
    assert_eq!(story.got(), ["hello", "rescue"]);
    let mut story = journey("service", FALLBACK);
    story.happen("login", &[]).advance(hours(2));
    assert_eq!(story.ends(), ["done"], "no report counts as sent");
}

#[test]
fn nobody_waits_for_what_nobody_asked() {
    let mut story = journey("service", "send hello via push\nend done");
    story.dispatching = false;
    story.happen("login", &[]);
    assert_eq!(story.ends(), ["done"]);
    assert_eq!(story.status("hello"), MessageStatus::Pending);
}

#[test]
fn a_message_leaves_once_whatever_is_repeated() {
    let mut story = journey("service", "send hello via push\nend done");
    story.dispatching = false;
    story.provider = None;
    story.happen("login", &[]);
    let key = story.key("hello");
    story.input(&Input::Dispatch(key.clone()));
    story.input(&Input::Dispatch(key.clone()));
    assert_eq!(story.delivered.len(), 2, "after a crash it is delivered again, with the same key");
    assert_eq!(story.delivered[0], story.delivered[1]);
    let answer = |outcome| Input::Answer { message: key.clone(), outcome, detail: "".into() };
    story.input(&answer(Outcome::Sent)).input(&answer(Outcome::Failed));
    assert_eq!(story.status("hello"), MessageStatus::Sent, "the first answer stands");
    story.input(&Input::Dispatch(key));
    assert_eq!(story.delivered.len(), 2);
}

#[test]
fn the_gate_looks_again_at_dispatch() {
    let mut story = journey("marketing", "send hello via push\nend done");
    story.dispatching = false;
    story.happen("login", &[]).know(&[("consent", channels(&[]))]);
    let key = story.key("hello");
    story.input(&Input::Dispatch(key));
    assert!(story.delivered.is_empty());
    assert_eq!(story.status("hello"), MessageStatus::Refused(Outcome::NoConsent));
}

#[test]
fn what_may_have_arrived_and_may_not_be_tried_again_is_not_called_refused() {
    let withdrawn = || {
        let mut story = journey("marketing", FALLBACK);
        (story.dispatching, story.provider) = (false, None);
        story.happen("login", &[]);
        let key = story.key("hello");
        story.input(&Input::Dispatch(key.clone())).know(&[("consent", channels(&["push"]))]);
        assert_eq!(story.got(), ["hello"]);
        story.dispatching = true;
        (story, key)
    };
    // Nobody heard what became of the attempt: no other channel is tried.
    let (mut story, key) = withdrawn();
    story.input(&Input::DispatchAgain(key)).advance(hours(2));
    assert_eq!(story.got(), ["hello"]);
    assert_eq!(story.ends(), ["done"]);
    assert_eq!(story.status("hello"), MessageStatus::Sent);
    let told = "`hello` may have arrived via sms, unconfirmed; not tried again: `consent` does not hold sms";
    assert!(story.says(told), "{}", story.told());
    // The provider said that it did not take it.
    let (mut story, key) = withdrawn();
    story.input(&Input::Dispatch(key));
    assert_eq!(story.got(), ["hello", "other"]);
    assert_eq!(story.status("hello"), MessageStatus::Refused(Outcome::NoConsent));
    // It never left.
    let mut story = journey("marketing", FALLBACK);
    story.dispatching = false;
    story.happen("login", &[]).know(&[("consent", channels(&["push"]))]);
    let key = story.key("hello");
    story.input(&Input::DispatchAgain(key));
    assert_eq!(story.status("hello"), MessageStatus::Refused(Outcome::NoConsent));
}

#[test]
fn a_killed_channel_sends_nothing() {
    let mut story = journey("service", "send hello via push else end stopped\nend done");
    story.world.kill.channels.insert(Name::new("push"));
    story.happen("login", &[]);
    assert_eq!(story.ends(), ["stopped"]);
    assert!(story.says("the kill switch is on"));
}

#[test]
fn an_exit_cancels_what_has_not_left() {
    let mut story = journey("service", "send hello via push\nwait 1 day\nend done");
    story.dispatching = false;
    story.happen("login", &[]).happen("drawdown", &[]);
    assert_eq!(story.ends(), ["converted"]);
    let key = story.key("hello");
    story.input(&Input::Dispatch(key));
    assert!(story.delivered.is_empty());
    assert_eq!(story.status("hello"), MessageStatus::Cancelled);
}

#[test]
fn an_exit_condition_is_looked_at_before_every_step_and_at_dispatch() {
    let source = "journey j of customer { purpose service; owner \"o\"; enter on login; reenter never
        exit when vip as left { tag seen }
        tag quiet; send hello via push; wait 1 day; end done }";
    let mut story = Story::of(source);
    story.agree().know(&[("vip", Value::Bool(true))]).happen("login", &[]);
    assert_eq!(story.ends(), ["left"]);
    assert!(!story.says("quiet") && story.says("tagged `seen`"), "{}", story.told());
    let mut story = Story::of(source);
    story.dispatching = false;
    story.agree().happen("login", &[]).know(&[("vip", Value::Bool(true))]);
    assert_eq!(story.ends(), ["left"]);
    assert_eq!(story.status("hello"), MessageStatus::Cancelled);
}

#[test]
fn a_channel_on_record_needs_no_provider() {
    let mut story = journey("service", "send hello via push { on sent { tag seen } }\nend done");
    story.world.recorded.insert(Name::new("push"));
    story.happen("login", &[]);
    assert_eq!(story.ends(), ["done"]);
    assert_eq!(story.status("hello"), MessageStatus::Sent);
    assert!(story.delivered.is_empty() && story.says("tagged `seen`"));
}

#[test]
fn a_goal_counts_once_by_when_it_happened_also_behind_the_end() {
    let mut story = journey("service", "send hello via push\nend done");
    story.happen("login", &[]).advance(days(9)).happen("payment", &[("amount", cny(1))]);
    story.happen("payment", &[("amount", cny(1))]);
    assert_eq!(story.told().matches("reached the goal `paid` at 2026-12-10 09:00:00").count(), 1);
    let mut story = journey("service", "send hello via push\nend done");
    story.happen("login", &[]).advance(days(12));
    let inside = story.now - days(3);
    story.happen("payment", &[("amount", cny(1))]);
    assert!(!story.says("reached the goal"));
    story.happen_at("payment", &[("amount", cny(1))], inside);
    assert!(story.says("reached the goal `paid` at 2026-12-10 09:00:00"), "late, but inside the window");
    let mut story = journey("service", "send hello via push\nend done");
    story.happen("login", &[]).advance(days(18));
    story.happen_at("payment", &[("amount", cny(1))], inside);
    assert!(!story.says("reached the goal"), "a week behind its window nobody watches");
}

#[test]
fn a_rung_that_fails_falls_at_once_and_is_no_message() {
    let steps = "reach hello as offer { via sms for clicked within 1 day; via push for opened within 1 day; on not_sent end kept_quiet } else end unreached\nend reached";
    let mut story = journey("service", steps);
    story.provider = Some(Outcome::Failed);
    story.happen("login", &[]);
    assert_eq!(story.ends(), ["kept_quiet"], "{}", story.told());
    let mut story = journey("service", steps);
    story.happen("login", &[]).advance(days(1));
    assert_eq!(story.got(), ["offer.sms", "offer.push"]);
    story.report(MessageEvent::Clicked, "offer.sms").advance(minutes(1));
    assert_eq!(story.ends(), ["…"], "the SMS had its day");
    story.report(MessageEvent::Opened, "offer.push");
    assert_eq!(story.ends(), ["reached"]);
}

#[test]
fn a_ladder_counts_its_own_messages_only() {
    let steps = "send again via push as first\nreach hello as offer { via sms for clicked within 1 day; via push for opened within 1 day; on not_sent end kept_quiet } else end unreached\nend reached";
    let mut story = journey("service", steps);
    story.happen("login", &[]).advance(hours(1));
    story.report(MessageEvent::Failed, "first").advance(days(1));
    assert_eq!(story.got(), ["first", "offer.sms", "offer.push"]);
    story.report(MessageEvent::Failed, "offer.push");
    assert_eq!(story.ends(), ["unreached"], "the SMS was sent");
}

const LADDER: &str = "reach hello as offer { via sms for clicked within 1 day; via push for opened within 1 day } else end unreached\nend reached";

/// Who decided the ladder's first message was away for longer than its rung lasts.
#[test]
fn the_next_rung_does_not_overtake_a_message_that_has_not_left() {
    let mut story = journey("service", LADDER);
    story.dispatching = false;
    story.happen("login", &[]).advance(days(3));
    assert!(story.outbox.iter().all(|key| &*key.step == "offer.sms"), "{}", story.told());
    story.dispatching = true;
    story.input(&Input::Wake).advance(hours(23));
    assert_eq!(story.got(), ["offer.sms"], "its day begins when it has left");
    story.advance(hours(1));
    assert_eq!(story.got(), ["offer.sms", "offer.push"]);
    story.advance(days(1));
    assert_eq!(story.ends(), ["unreached"]);
}

#[test]
fn a_rung_whose_attempt_was_not_heard_of_is_waited_for() {
    let away_for = |time| {
        let mut story = journey("service", LADDER);
        (story.dispatching, story.provider) = (false, None);
        story.happen("login", &[]);
        let key = story.key("offer.sms");
        story.input(&Input::Dispatch(key.clone())).advance(time);
        assert_eq!(story.got(), ["offer.sms"]);
        (story.dispatching, story.provider) = (true, Some(Outcome::Sent));
        (story, key)
    };
    let away = || away_for(days(3));
    // It may have arrived: it is sent again under its key, and then has its day.
    let (mut story, key) = away();
    story.input(&Input::DispatchAgain(key.clone())).advance(hours(23));
    assert_eq!(story.got(), ["offer.sms", "offer.sms"]);
    story.report(MessageEvent::Clicked, "offer.sms");
    assert_eq!(story.ends(), ["reached"]);
    // It did arrive, whatever the provider says later.
    let (mut story, _) = away();
    story.report(MessageEvent::Clicked, "offer.sms");
    assert_eq!(story.ends(), ["reached"]);
    let (mut story, _) = away();
    story.report(MessageEvent::Delivered, "offer.sms").advance(days(1));
    assert_eq!(story.got(), ["offer.sms", "offer.push"]);
    // The provider did not take it: for another day it is asked again.
    let (mut story, key) = away_for(hours(47));
    story.input(&Input::Dispatch(key));
    assert_eq!(story.got(), ["offer.sms", "offer.sms"]);
    story.advance(days(1));
    assert_eq!(story.got(), ["offer.sms", "offer.sms", "offer.push"]);
    // Then there is the next rung for that.
    let (mut story, key) = away();
    story.input(&Input::Dispatch(key));
    assert_eq!(story.got(), ["offer.sms", "offer.push"]);
    assert_eq!(story.status("offer.sms"), MessageStatus::Failed);
    assert!(story.says("not tried again: the time of its rung is over"), "{}", story.told());
    story.advance(days(1));
    assert_eq!(story.ends(), ["unreached"]);
}

#[test]
fn copy_is_filled_for_the_customer() {
    let mut story = journey("service", "send hello via push\nend done");
    story.know(&[("name", Value::text("李雷"))]).happen("login", &[]);
    let delivery = &story.delivered[0];
    let parts: Vec<_> = delivery.parts.iter().map(|(part, text)| format!("{part}: {text}")).collect();
    assert_eq!(parts, ["title: 你好", "body: 李雷，您好"]);
    assert_eq!(&*delivery.address, "c1");
    assert_eq!(delivery.message.to_string(), "j/c1/2026-W49/hello");
}

#[test]
fn masked_values_stay_out_of_the_trace() {
    let mut story = journey("service", "if (name otherwise \"\") is \"李雷\" { tag seen }\nend done");
    story.know(&[("name", Value::text("李雷"))]).happen("login", &[]);
    let branch = story.told().lines().find(|line| line.contains(" is true")).unwrap().to_owned();
    assert!(branch.contains("name is \"***\""), "{branch}");
}

/// Whoever is held out is compared with the others: the same goals, in the same windows, also behind the end.
#[test]
fn goals_of_a_shadow_are_counted_as_for_everybody() {
    let shadow = || {
        let mut story = Story::of(
            "journey j of customer {
              purpose service
              owner \"o\"
              holdout 100%
              enter on login
              reenter never
              goal payer on payment within 30 days from entered
              goal drawn on drawdown within 5 days from first sent
              wait 1 day
              send hello via push
              wait 1 day
              end done
            }",
        );
        story.agree();
        story.happen("login", &[]);
        story
    };
    let pay = |story: &mut Story| _ = story.happen("payment", &[("amount", cny(5))]);
    let mut in_time = shadow();
    in_time.happen("drawdown", &[]);
    assert!(!in_time.says("goal `drawn`"), "nothing would have left yet: {}", in_time.told());
    in_time.advance(days(4)).happen("drawdown", &[]);
    pay(&mut in_time);
    assert_eq!(in_time.ends(), ["done"]);
    assert!(in_time.delivered.is_empty());
    for goal in ["reached the goal `drawn` at 2026-12-05", "reached the goal `payer` at 2026-12-05"] {
        assert!(in_time.says(goal), "{goal}: {}", in_time.told());
    }
    let mut late = shadow();
    late.advance(days(6)).happen("drawdown", &[]).advance(days(25));
    pay(&mut late);
    assert!(!late.says("reached the goal"), "{}", late.told());
}
