//! The project's own journeys, from the first input to the last.

use wayfare::expr::MessageEvent;
use wayfare::value::Value;

use super::bank::{Story, channels, clock, cny, days, hours, minutes};

fn li(consent: &[&str]) -> Story {
    let mut story = Story::of_project();
    story.know(&[("loan_limit", cny(50_000)), ("consent", channels(consent))]);
    story
}

#[test]
fn the_ladder_climbs_to_the_sms() {
    let mut story = li(&["push", "sms", "wechat"]);
    story.until(clock("2026-12-05T11:00")).report(MessageEvent::Clicked, "offer.sms").advance(days(30));
    assert_eq!(story.got(), ["offer.push", "offer.first_loan_again", "offer.sms"]);
    assert_eq!(story.ends(), ["reached"]);
    insta::assert_snapshot!(story.told());
}

#[test]
fn silence_hands_over_to_the_next_journey() {
    let mut story = li(&["push", "sms", "wechat"]);
    story.advance(days(40));
    assert_eq!(story.ends(), ["unreached", "asleep"]);
    insta::assert_snapshot!(story.told());
}

#[test]
fn who_agreed_to_nothing_is_kept_quiet() {
    let mut story = li(&[]);
    story.advance(days(2));
    assert_eq!(story.ends(), ["kept_quiet"]);
    assert!(story.delivered.is_empty());
    insta::assert_snapshot!(story.told());
}

#[test]
fn drawing_the_loan_ends_the_ladder_and_counts_the_goal() {
    let mut story = li(&["push", "sms", "wechat"]);
    story.advance(days(1)).happen("loan_drawdown", &[("amount", cny(20_000))]).advance(days(30));
    assert_eq!(story.got(), ["offer.push"]);
    assert_eq!(story.ends(), ["converted"]);
    assert!(story.says("reached the goal `drawdown`"));
}

#[test]
fn the_learned_channel_comes_first() {
    let mut story = li(&["push", "sms", "wechat"]);
    story.until(clock("2026-12-06T10:05")).report(MessageEvent::Opened, "offer.wechat").advance(minutes(1));
    assert_eq!(story.ends(), ["reached"]);
    story.know(&[("loan_limit", cny(0))]).advance(days(91));
    story.know(&[("loan_limit", cny(80_000))]).advance(days(1));
    assert_eq!(story.got().last().unwrap(), "offer.wechat");
    assert_eq!(story.delivered.len(), 5);
}

#[test]
fn the_breakpoint_is_answered_after_three_minutes() {
    let mut story = li(&["push", "sms"]);
    story.until(clock("2026-12-01T09:30")).happen("tapped_bind_card", &[("step", Value::text("验证短信"))]);
    story.advance(minutes(2));
    assert!(story.delivered.is_empty());
    story.advance(hours(4));
    let nudge = &story.delivered[0];
    assert_eq!(&*nudge.parts[1].1, "您停在「验证短信」，点击继续，约需 30 秒。");
    let told: String = story
        .told()
        .lines()
        .filter(|line| line.contains("bind_card_recall"))
        .fold(String::new(), |out, line| out + line + "\n");
    insta::assert_snapshot!(told);
}
