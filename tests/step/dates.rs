//! Entries on a date, and children of the customer.

use wayfare::step::Input;
use wayfare::value::Value;

use super::bank::{Story, clock, cny, date, days, hours};

const REMIND: &str = "journey maturity of holding { purpose service; owner \"o\"
  enter on 3 workdays before maturity at 10:00 where amount > 0 CNY
  reenter per occurrence; exit on redeemed as handled
  send hello via push as notice; wait until 1 workday before maturity at 10:00; send again via push as last; end reminded }";

fn holder() -> Story {
    let mut story = Story::of(REMIND);
    story.agree();
    story
}

#[test]
fn each_holding_is_reminded_on_its_own_date() {
    let mut story = holder();
    story.hold("h1", &[("maturity", date("2026-12-18")), ("amount", cny(5))]);
    story.hold("h2", &[("maturity", date("2026-12-22")), ("amount", cny(5))]);
    assert_eq!(story.state.next_due(), Some(clock("2026-12-15T10:00")));
    story.until(clock("2026-12-16T10:00")).happen_to(("holding", "h1"), "redeemed").advance(days(20));
    assert_eq!(story.ends(), ["handled", "reminded"]);
    assert_eq!(story.got(), ["notice", "notice", "last"]);
    assert_eq!(story.delivered[1].message.to_string(), "maturity/c1/holding:h2/2026-12-22/notice");
    insta::assert_snapshot!(story.told());
}

#[test]
fn a_date_that_moves_is_planned_again() {
    let mut story = holder();
    story.hold("h", &[("maturity", date("2026-12-18")), ("amount", cny(5))]);
    story.hold("h", &[("maturity", date("2026-12-25"))]);
    assert_eq!(story.state.next_due(), Some(clock("2026-12-22T10:00")));
    story.hold("h", &[("maturity", Value::Missing)]);
    assert_eq!(story.state.next_due(), None, "a missing date never occurs");
    story.hold("h", &[("maturity", date("2026-12-25"))]).until(clock("2026-12-23T00:00"));
    story.hold("h", &[("maturity", date("2026-12-25")), ("amount", cny(6))]).advance(days(9));
    assert_eq!(story.ends().len(), 1, "one occurrence per date");
    story.hold("h", &[("maturity", date("2027-03-01"))]).advance(days(90));
    assert_eq!(story.ends().len(), 2, "another date is another occurrence");
}

#[test]
fn a_date_that_is_past_when_it_becomes_known_does_not_enter() {
    let mut story = holder();
    story.now = clock("2026-12-16T09:00");
    story.hold("h", &[("maturity", date("2026-12-18")), ("amount", cny(5))]).advance(days(30));
    assert!(story.ends().is_empty());
}

#[test]
fn what_was_planned_enters_even_if_the_daemon_slept() {
    let mut story = holder();
    story.hold("h", &[("maturity", date("2026-12-18")), ("amount", cny(5))]);
    story.now = clock("2026-12-16T09:00");
    story.input(&Input::Wake);
    assert_eq!(story.got(), ["notice"]);
}

#[test]
fn the_filter_of_a_date_is_asked_on_the_day() {
    let mut story = holder();
    story.hold("h", &[("maturity", date("2026-12-18")), ("amount", cny(5))]);
    story.hold("h", &[("amount", cny(0))]).advance(days(30));
    assert!(story.ends().is_empty());
    assert!(story.says("`amount > 0 CNY` is false"), "{}", story.told());
}

#[test]
fn a_new_deployment_plans_for_those_who_are_there() {
    let mut story = Story::of(
        "journey other of customer { purpose service; owner \"o\"; enter on login; reenter never; end done }",
    );
    story.agree().hold("h", &[("maturity", date("2026-12-18")), ("amount", cny(5))]);
    assert_eq!(story.state.next_due(), None);
    let mut next = Story::of(REMIND);
    // The store's numbering is kept by a deployment; here it is rebuilt by telling the same again.
    next.agree().hold("h", &[("maturity", date("2026-12-18")), ("amount", cny(5))]);
    next.state.pending.clear();
    next.input(&Input::Settle).advance(hours(1));
    assert_eq!(next.state.next_due(), Some(clock("2026-12-15T10:00")));
}
