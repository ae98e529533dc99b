//! The gate: what policies allow, when, and how often; and what becomes of a message that has to wait.

use wayfare::expr::MessageEvent;
use wayfare::name::Name;
use wayfare::program::Outcome;
use wayfare::step::state::{HeldBy, MessageStatus};
use wayfare::step::{EventKind, Input, Kill};
use wayfare::value::Value;

use super::bank::{Story, channels, clock, days, hours, minutes};

const HELD: MessageStatus = MessageStatus::Held(HeldBy::Quiet);

/// Two journeys that a login, or a payment, makes send by push.
fn bank(policy: &str) -> Story {
    let journey = |name: &str, on: &str, step: &str, priority: &str| {
        format!(
            "journey {name} of customer {{ purpose marketing; owner \"o\"; priority {priority}; enter on {on}; reenter per event.id
               exit on drawdown as converted
               send {step} via push {{ on capped end too_many; on quiet_expired end too_late; on suppressed end kept_quiet; on unsuitable end not_for_you }}\nend done\n}}\n"
        )
    };
    let mut story = Story::of(&format!(
        "extend customer {{ zone : Text?; risk : Risk?; cooling : Bool }}
         policy retail {{ owner \"o\"; order first, second\n{policy}\n}}\n{}{}",
        journey("alpha", "tap", "hello", "second")
            .replace("on tap", "on tapped")
            .replace("event.id", "event.txn"),
        journey("beta", "tap", "again", "first")
            .replace("on tap", "on tapped")
            .replace("event.id", "event.txn"),
    ));
    story.agree();
    story
}

fn tap(story: &mut Story, id: &str) {
    story.happen("tapped", &[("step", Value::text("x")), ("txn", Value::text(id))]);
}

/// One journey alone, which sends `hello` on each tap.
fn alone(policy: &str) -> Story {
    let mut story = Story::of(&format!(
        "extend customer {{ zone : Text?; risk : Risk?; cooling : Bool }}
         policy retail {{ owner \"o\"\n{policy}\n}}
         product fund {{ class fund; risk R3; market vip }}
         journey alpha of customer {{ purpose marketing; owner \"o\"; enter on tapped; reenter per event.txn
           exit on drawdown as converted
           send hello via push {{ on capped end too_many; on quiet_expired end too_late; on suppressed end kept_quiet }}
           wait for opened(hello) within 2h from sent(hello) else end not_opened
           end done
         }}
         journey fund_story of customer {{ purpose marketing; owner \"o\"; product fund; enter on payment; reenter per week
           send hello via push {{ on unsuitable end not_for_you }}\nend done
         }}"
    ));
    story.agree();
    story
}

#[test]
fn a_day_is_a_day_of_the_calendar_and_why_tells_the_numbers() {
    let mut story = alone("cap push 2 per customer per day");
    for id in ["1", "2", "3"] {
        tap(&mut story, id);
        story.advance(minutes(1));
    }
    assert_eq!(story.got().len(), 2);
    assert!(story.ends().contains(&"too_many".to_owned()), "{}", story.told());
    assert!(
        story.says("policy `retail`: cap push 2 per day; 2 sent, the last at 2026-12-01 09:01:00 (capped)"),
        "{}",
        story.told()
    );
    story.until(clock("2026-12-02T00:00"));
    tap(&mut story, "4");
    assert_eq!(story.got().len(), 3);
}

#[test]
fn a_rolling_window_opens_when_the_oldest_has_left_it() {
    let mut story = alone("cap push 1 per customer per rolling 24h");
    tap(&mut story, "1");
    story.until(clock("2026-12-02T08:59"));
    tap(&mut story, "2");
    assert_eq!(story.got().len(), 1);
    story.until(clock("2026-12-02T09:00"));
    tap(&mut story, "3");
    assert_eq!(story.got().len(), 2);
    assert_eq!(story.state.marks.len(), 1, "what no cap looks back to is forgotten");
}

#[test]
fn weeks_begin_on_monday_and_days_are_those_of_the_customer() {
    // 2026-12-01 is a Tuesday.
    let mut story = alone("cap push 1 per customer per week");
    tap(&mut story, "1");
    story.until(clock("2026-12-06T23:59"));
    tap(&mut story, "2");
    story.until(clock("2026-12-07T00:00"));
    tap(&mut story, "3");
    assert_eq!(story.got().len(), 2);
    let mut story = alone("cap push 1 per customer per day");
    // In Tokyo it is an hour later.
    story.know(&[("zone", Value::text("Asia/Tokyo"))]);
    tap(&mut story, "1");
    story.until(clock("2026-12-01T22:59"));
    tap(&mut story, "2");
    story.until(clock("2026-12-01T23:00"));
    tap(&mut story, "3");
    assert_eq!(story.got().len(), 2);
}

#[test]
fn a_failure_gives_its_place_back_and_silence_keeps_it() {
    let mut story = alone("cap push 1 per customer per day");
    story.provider = Some(Outcome::Failed);
    tap(&mut story, "1");
    story.provider = None;
    tap(&mut story, "2");
    assert_eq!(story.got().len(), 2);
    story.provider = Some(Outcome::Sent);
    tap(&mut story, "3");
    assert_eq!(story.got().len(), 2, "nobody knows whether the second arrived");
}

#[test]
fn the_last_place_goes_to_whom_the_bank_puts_first() {
    let mut story = bank("cap marketing 1 per customer per day");
    tap(&mut story, "1");
    assert_eq!(story.got(), ["again"], "alpha is stepped first, beta goes first\n{}", story.told());
    assert_eq!(story.ends(), ["too_many", "done"]);
}

#[test]
fn what_is_too_many_waits_for_room_if_the_policy_says_so() {
    let mut story = alone("cap push 1 per customer per day { over defer 1 day }");
    tap(&mut story, "1");
    tap(&mut story, "2");
    tap(&mut story, "3");
    assert_eq!(story.got().len(), 1);
    assert_eq!(story.status("hello"), MessageStatus::Held(HeldBy::Cap));
    story.until(clock("2026-12-02T08:00"));
    assert_eq!(story.got().len(), 2, "one of the two that waited");
    story.until(clock("2026-12-03T08:00"));
    assert_eq!(story.got().len(), 2, "longer than a day nobody waits\n{}", story.told());
    assert!(story.ends().contains(&"too_many".to_owned()));
}

#[test]
fn a_ladder_counts_once_for_its_purpose_and_each_rung_for_its_channel() {
    let ladder = "journey ladder of customer { purpose marketing; owner \"o\"; enter on login; reenter per week
        reach hello { via push for opened within 1h\n via sms for delivered within 1h\n on not_sent end kept_quiet } else { end unheard }
        end done }";
    let rules = |caps: &str| format!("policy retail {{ owner \"o\"\n{caps}\n}}\n{ladder}");
    let mut story = Story::of(&rules("cap marketing 1 per customer per day"));
    story.agree().happen("login", &[]).advance(hours(3));
    assert_eq!(story.got(), ["hello.push", "hello.sms"], "{}", story.told());
    assert_eq!(story.ends(), ["unheard"]);
    let mut story = Story::of(&rules("cap push 1 per customer per day { over next_channel }"));
    story.agree().happen("login", &[]).advance(hours(3));
    assert_eq!(story.got(), ["hello.push", "hello.sms"]);
    let mut story = Story::of(&rules("quiet 21:30..08:30"));
    story.until(clock("2026-12-01T23:00")).agree().happen("login", &[]);
    story.until(clock("2026-12-02T09:00"));
    assert_eq!(story.got(), ["hello.push"], "the rung that waits is not passed by");
    story.until(clock("2026-12-02T09:31"));
    assert_eq!(story.got(), ["hello.push", "hello.sms"], "its hour begins when it leaves");
}

#[test]
fn the_night_holds_the_journey_and_its_anchors() {
    let mut story = alone("quiet 21:30..08:30 { defer 2 days }");
    story.until(clock("2026-12-01T22:00"));
    tap(&mut story, "1");
    assert_eq!(story.status("hello"), HELD);
    assert!(
        story.says("`hello` via push waits until 2026-12-02 08:30:00: policy `retail`: quiet 21:30..08:30")
    );
    story.until(clock("2026-12-02T08:29"));
    assert_eq!((story.got().len(), story.ends()), (0, vec!["…".to_owned()]));
    story.until(clock("2026-12-02T10:29"));
    assert_eq!((story.got().len(), story.ends()), (1, vec!["…".to_owned()]), "{}", story.told());
    story.until(clock("2026-12-02T10:30"));
    assert_eq!(story.ends(), ["not_opened"], "two hours from the morning on");
}

#[test]
fn it_is_quiet_in_the_customers_zone_and_in_the_banks_where_that_is_unknown() {
    let mut story = alone("quiet 21:30..08:30");
    story.know(&[("zone", Value::text("Europe/Berlin"))]).until(clock("2026-12-01T23:00"));
    tap(&mut story, "1");
    assert_eq!(story.got().len(), 1, "four in the afternoon in Berlin");
    story.know(&[("zone", Value::text("Atlantis/Capital"))]);
    tap(&mut story, "2");
    assert_eq!((story.got().len(), story.status("hello")), (1, HELD));
}

/// New York's clocks go forward on 2027-03-14 and back on 2027-11-07, both in the night: half past eight is what they show then.
#[test]
fn a_night_in_which_the_customers_clocks_change_ends_when_they_say() {
    for (night, before, morning) in [
        ("2027-03-14T11:30", "2027-03-14T20:29", "2027-03-14T20:31"),
        ("2027-11-07T10:30", "2027-11-07T21:29", "2027-11-07T21:31"),
    ] {
        let mut story = alone("quiet 21:30..08:30");
        story.know(&[("zone", Value::text("America/New_York"))]).until(clock(night));
        tap(&mut story, "1");
        assert_eq!((story.got().len(), story.status("hello")), (0, HELD), "{night}");
        story.until(clock(before));
        assert_eq!(story.got().len(), 0, "{before}: {}", story.told());
        story.until(clock(morning));
        assert_eq!(story.got().len(), 1, "{morning}: {}", story.told());
    }
}

#[test]
fn what_would_wait_too_long_is_too_late() {
    let mut story = alone("quiet 21:30..08:30 { defer 4h }");
    story.until(clock("2026-12-01T22:00"));
    tap(&mut story, "1");
    assert_eq!(story.ends(), ["too_late"], "{}", story.told());
    assert!(story.says(
        "quiet 21:30..08:30, which ends 2026-12-02 08:30:00, and it may wait until 2026-12-02 02:00:00"
    ));
    story.until(clock("2026-12-02T05:00"));
    tap(&mut story, "2");
    assert_eq!(story.status("hello"), HELD);
}

#[test]
fn in_the_morning_everything_is_looked_at_again() {
    let night = |story: &mut Story| {
        story.until(clock("2026-12-01T22:00"));
        tap(story, "1");
    };
    let policy = "quiet 21:30..08:30\nsuppress marketing if cooling\ncap push 1 per customer per day";
    let morning = clock("2026-12-02T09:00");
    let mut story = alone(policy);
    night(&mut story);
    story.happen("drawdown", &[]).until(morning);
    assert_eq!((story.got().len(), story.ends()), (0, vec!["converted".to_owned()]));
    assert_eq!(story.status("hello"), MessageStatus::Cancelled);
    let mut story = alone(policy);
    night(&mut story);
    story.know(&[("consent", channels(&["sms"]))]).until(morning);
    assert_eq!((story.got().len(), story.status("hello")), (0, MessageStatus::Refused(Outcome::NoConsent)));
    let mut story = alone(policy);
    night(&mut story);
    story.know(&[("cooling", Value::Bool(true))]).until(morning);
    assert_eq!((story.got().len(), story.ends()), (0, vec!["kept_quiet".to_owned()]));
    assert!(story.says("policy `retail`: suppress if `cooling` (suppressed)"), "{}", story.told());
    let mut story = alone(policy);
    night(&mut story);
    tap(&mut story, "2");
    story.until(morning);
    assert_eq!(story.got().len(), 1, "both wait, and there is room for one");
    let mut story = alone(policy);
    night(&mut story);
    story.world.kill = Kill { all: true, ..Kill::default() };
    story.until(morning);
    assert_eq!(story.got().len(), 0);
}

#[test]
fn those_who_go_first_leave_first_in_the_morning() {
    let mut story = bank("quiet 21:30..08:30\ncap push 1 per customer per day");
    story.until(clock("2026-12-01T22:00"));
    tap(&mut story, "1");
    story.until(clock("2026-12-02T09:00"));
    assert_eq!(story.got(), ["again"], "{}", story.told());
}

#[test]
fn the_pace_of_all_spreads_the_morning() {
    let mut story = alone("quiet 21:30..08:30 { release 500 per minute }");
    story.until(clock("2026-12-01T22:00"));
    tap(&mut story, "1");
    story.paced_to = Some(clock("2026-12-02T08:41"));
    story.until(clock("2026-12-02T08:40"));
    assert_eq!(story.got().len(), 0, "{}", story.told());
    assert!(
        story.says("waits until 2026-12-02 08:41:00: at most 500 leave per 60 s when a quiet time is over")
    );
    story.until(clock("2026-12-02T08:41"));
    assert_eq!(story.got().len(), 1);
    // A message of the day asks nobody.
    story.paced_to = Some(clock("2026-12-02T23:00"));
    tap(&mut story, "2");
    assert_eq!(story.got().len(), 2);
}

#[test]
fn a_message_that_comes_into_the_night_on_its_way_goes_back() {
    let mut story = alone("quiet 21:30..08:30\ncap push 1 per customer per rolling 24h");
    story.dispatching = false;
    story.until(clock("2026-12-01T21:29"));
    tap(&mut story, "1");
    let key = story.key("hello");
    story.until(clock("2026-12-01T21:30"));
    story.dispatching = true;
    story.input(&Input::Dispatch(key));
    assert_eq!((story.got().len(), story.status("hello"), story.state.marks.len()), (0, HELD, 0));
    story.until(clock("2026-12-02T08:30"));
    assert_eq!(story.got().len(), 1);
    assert_eq!(story.state.marks[0].at, clock("2026-12-02T08:30"), "it counts from when it left");
}

#[test]
fn what_must_be_known_at_once_is_neither_held_nor_counted() {
    let mut story = Story::of(
        "policy retail { owner \"o\"; quiet 21:30..08:30; cap push 1 per customer per day }
         journey alarm of customer { purpose fraud_alert; owner \"o\"; enter on tapped; reenter per event.txn
           send hello via push\nend done }",
    );
    story.agree().until(clock("2026-12-01T23:00"));
    tap(&mut story, "1");
    tap(&mut story, "2");
    assert_eq!((story.got().len(), story.state.marks.len()), (2, 0));
}

#[test]
fn a_product_goes_only_to_whom_it_suits() {
    let pay = |story: &mut Story| _ = story.happen("payment", &[("amount", super::bank::cny(100))]);
    let told = |fields: &[(&str, Value)]| {
        let mut story = alone("cap push 5 per customer per day");
        story.know(fields);
        pay(&mut story);
        (story.ends(), story.told())
    };
    let risk = |level: &str| Value::Choice(Name::new(level));
    let (ends, words) = told(&[("vip", Value::Bool(true))]);
    assert_eq!(ends, ["not_for_you"]);
    assert!(
        words.contains("product `fund` is of risk R3, and the customer has not been assessed"),
        "{words}"
    );
    let (ends, words) = told(&[("vip", Value::Bool(true)), ("risk", risk("R2"))]);
    assert_eq!(ends, ["not_for_you"]);
    assert!(
        words.contains("product `fund` is of risk R3, and the customer can bear R2 (unsuitable)"),
        "{words}"
    );
    let (_, words) = told(&[("vip", Value::Bool(false)), ("risk", risk("R5"))]);
    assert!(words.contains("product `fund` is marketed only where `vip`"), "{words}");
    let (ends, _) = told(&[("vip", Value::Bool(true)), ("risk", risk("R3"))]);
    assert_eq!(ends, ["done"]);
}

#[test]
fn a_journey_may_be_stricter_than_the_bank() {
    let mut story = Story::of(
        "policy retail { owner \"o\"; quiet 21:30..08:30; cap push 3 per customer per day }
         journey shy of customer { purpose marketing; owner \"o\"; enter on tapped; reenter per event.txn
           cap push 1 per customer per day
           quiet 20:00..09:00
           send hello via push { on capped end too_many }\nend done }",
    );
    story.agree();
    tap(&mut story, "1");
    tap(&mut story, "2");
    assert_eq!(story.ends(), ["done", "too_many"]);
    assert!(story.says("the journey: cap push 1 per day; 1 sent"), "{}", story.told());
    story.until(clock("2026-12-02T20:30"));
    tap(&mut story, "3");
    story.until(clock("2026-12-03T08:59"));
    assert_eq!(story.got().len(), 1);
    story.until(clock("2026-12-03T09:00"));
    assert_eq!(story.got().len(), 2);
}

#[test]
fn a_policy_holds_at_once_also_for_what_is_on_its_way() {
    let mut story = alone("cap push 2 per customer per day");
    story.dispatching = false;
    tap(&mut story, "1");
    tap(&mut story, "2");
    let stricter = alone("cap push 1 per customer per day");
    let bundle = std::sync::Arc::make_mut(&mut story.world.bundle);
    bundle.policy.clone_from(&stricter.world.bundle.policy);
    story.dispatching = true;
    story.advance(days(0));
    for key in std::mem::take(&mut story.outbox) {
        story.input(&Input::Dispatch(key));
    }
    assert_eq!(story.got().len(), 1, "{}", story.told());
}

fn said(story: &mut Story, kind: EventKind) {
    let event = story.event(kind, None, story.now, &[]);
    story.input(&Input::Event(event));
}

fn consent(channel: Option<&str>, purpose: Option<&str>, given: bool) -> EventKind {
    EventKind::Consent {
        channel: channel.map(Name::new),
        purpose: purpose.map(Name::new),
        given,
        wording: "v3".into(),
    }
}

#[test]
fn who_refuses_gets_nothing_from_that_instant_also_of_what_waits() {
    let mut story = alone("quiet 21:30..08:30");
    story.until(clock("2026-12-01T22:00"));
    tap(&mut story, "1");
    said(&mut story, consent(Some("push"), Some("marketing"), false));
    assert_eq!(story.status("hello"), MessageStatus::Refused(Outcome::NoConsent), "in the same step");
    assert!(
        story.says("the consent for push was withdrawn at 2026-12-01 22:00:00 (bank)"),
        "{}",
        story.told()
    );
    // What another system says of the channels does not bring it back; the customer's own word does.
    story.agree().until(clock("2026-12-02T09:00"));
    tap(&mut story, "2");
    assert_eq!(story.got().len(), 0);
    said(&mut story, consent(Some("push"), Some("marketing"), true));
    tap(&mut story, "3");
    assert_eq!(story.got().len(), 1);
    said(&mut story, consent(None, None, false));
    tap(&mut story, "4");
    assert_eq!(story.got().len(), 1);
    let kept = &story.state.agreements;
    assert_eq!((kept.len(), &*kept[0].wording, kept[0].given), (2, "v3", true));
}

#[test]
fn a_word_in_an_answer_is_enough() {
    let mut story = alone("quiet 21:30..08:30");
    tap(&mut story, "1");
    let key = story.key("hello");
    let kind = EventKind::Message { kind: MessageEvent::Replied, key };
    let event = story.event(kind, None, story.now, &[("text", Value::text("ＴＤ"))]);
    story.input(&Input::Event(event));
    tap(&mut story, "2");
    assert_eq!(story.got().len(), 1, "{}", story.told());
    assert!(story.says("refuses push for marketing (TD)"), "{}", story.told());
    let mut story = alone("quiet 21:30..08:30");
    said(&mut story, EventKind::Inbound { channel: Name::new("push"), text: "请帮我退订".into() });
    tap(&mut story, "1");
    assert_eq!(story.got().len(), 0);
}

#[test]
fn who_is_on_a_list_hears_nothing_until_it_ends() {
    let mut story = alone("quiet 21:30..08:30");
    let until = clock("2026-12-05T00:00");
    let list = |on| EventKind::Listed {
        list: "谢绝来电".into(),
        channel: None,
        purpose: None,
        on,
        until: Some(until),
    };
    said(&mut story, list(true));
    tap(&mut story, "1");
    assert_eq!(story.ends(), ["kept_quiet"]);
    assert!(
        story.says("is on the list `谢绝来电` since 2026-12-01 09:00:00 (suppressed)"),
        "{}",
        story.told()
    );
    story.until(clock("2026-12-05T09:00"));
    tap(&mut story, "2");
    assert_eq!(story.got().len(), 1);
}

#[test]
fn who_is_erased_leaves_what_was_decided_and_nothing_of_himself() {
    let mut story = alone("cap push 3 per customer per day");
    story.know(&[("name", Value::text("王芳"))]);
    tap(&mut story, "secret-1");
    said(&mut story, consent(Some("push"), Some("marketing"), false));
    said(&mut story, EventKind::Erased);
    let state = &story.state;
    assert!(!state.known && state.attributes.is_empty() && state.instances.is_empty());
    assert_eq!((state.payload_key, state.erased.is_some()), ([0; 32], true));
    assert_eq!((state.messages.len(), state.entries.len(), state.agreements.len()), (1, 1, 1));
    let bytes = wayfare::step::codec::encode(state).unwrap();
    for text in ["王芳", "secret-1", "138"] {
        assert!(!bytes.windows(text.len()).any(|bytes| bytes == text.as_bytes()), "{text}");
    }
}

/// One journey, which asks somebody of the bank to send something on.
fn by_hand(cap: &str) -> Story {
    let mut story = Story::of(&format!(
        "channel by_manager {{ kind human; receipt within 1 day; outcomes confirmed, refused }}
         content note {{ via by_manager \"\"\"您好\"\"\" }}
         policy retail {{ owner \"o\"\n{cap}\n}}
         journey alpha of customer {{ purpose service; owner \"o\"; enter on tapped; reenter per event.txn
           send note via by_manager {{ on capped end too_many; on refused, expired end not_sent }} else end failed
           end sent_on
         }}"
    ));
    story.agree();
    story
}

#[test]
fn what_is_sent_on_by_hand_counts_once_it_is_confirmed() {
    let mut story = by_hand("cap by_manager 1 per customer per rolling 3 days");
    tap(&mut story, "1");
    assert_eq!(story.state.marks.len(), 0, "nobody has been reached yet");
    story.advance(hours(20));
    tap(&mut story, "2");
    assert_eq!(story.ends(), ["…", "too_many"], "the first may still be confirmed\n{}", story.told());
    // Nobody did, and nobody has been reached: there is room again.
    story.advance(hours(5));
    tap(&mut story, "3");
    assert_eq!(story.ends(), ["not_sent", "too_many", "…"], "{}", story.told());
    story.report(MessageEvent::Confirmed, "note");
    assert_eq!(story.state.marks.len(), 1);
    story.advance(hours(1));
    tap(&mut story, "4");
    assert_eq!(story.ends(), ["not_sent", "too_many", "sent_on", "too_many"]);
    // Three days from the confirmation.
    story.advance(days(3));
    tap(&mut story, "5");
    story.report(MessageEvent::Refused, "note");
    tap(&mut story, "6");
    assert_eq!(story.ends()[4..], ["not_sent".to_owned(), "…".to_owned()], "{}", story.told());
}
