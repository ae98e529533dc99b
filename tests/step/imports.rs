//! What an import tells of is known, and nobody acts on it.

use wayfare::name::Name;
use wayfare::step::{EventKind, Input};
use wayfare::value::Value;

use super::bank::{Story, cny, date, days, hours, minutes};

const JOURNEYS: &str = r#"
stages standing of customer ranked { top "高" if vip; else low "普" }
audience busy of customer = count(login during last 30 days) >= 2
journey greeted of customer { purpose service; owner "o"; enter on login; reenter after 1h; end greeted }
journey waits of customer {
  purpose service; owner "o"; enter on tapped; reenter per event.txn; exit on bound as bound
  wait for payment within 2 days else end none
  end paid
}
journey lender of customer { purpose service; owner "o"; enter when (loan_limit otherwise 0 CNY) > 0 CNY; existing skip; reenter after 1h; end seen }
journey daily of customer { purpose service; owner "o"; enter when busy every day at 10:00; existing skip; reenter after 1h; end seen }
journey risen of customer { purpose service; owner "o"; enter on rise of standing; reenter after 1h; end seen }
journey birth of customer { purpose service; owner "o"; enter on 1 day before birthday at 10:00; reenter per occurrence; end wished }
"#;

fn story() -> Story {
    let mut story = Story::of(JOURNEYS);
    story.agree();
    story.know(&[("vip", Value::Bool(false))]);
    story
}

fn imported(story: &mut Story, name: &str, fields: &[(&str, Value)]) {
    let at = story.now - days(3);
    let event = story.event(EventKind::Imported(Name::new(name)), None, at, fields);
    story.input(&Input::Event(event));
}

fn imported_attributes(story: &mut Story, fields: &[(&str, Value)]) {
    let event = story.event(EventKind::ImportedAttributes, None, story.now, fields);
    story.input(&Input::Event(event));
}

#[test]
fn an_imported_event_enters_nobody_ends_no_wait_and_is_no_exit() {
    let mut story = story();
    story.happen("tapped", &[("step", Value::text("s")), ("txn", Value::text("t1"))]);
    imported(&mut story, "login", &[]);
    imported(&mut story, "payment", &[("amount", cny(5))]);
    imported(&mut story, "bound", &[]);
    assert_eq!(story.ends(), ["…"], "only what began by itself runs: {}", story.told());
    assert!(story.says("`login` is known from an import: nobody acts on it"), "{}", story.told());
    story.advance(days(3));
    assert_eq!(story.ends(), ["none"]);
}

#[test]
fn it_counts_as_history_and_still_nobody_enters_for_it() {
    let mut story = story();
    imported(&mut story, "login", &[]);
    imported(&mut story, "login", &[]);
    story.advance(days(2));
    assert_eq!(story.ends(), [""; 0], "busy now, and not by anything that happened: {}", story.told());
    // Thirty days on it is no longer so; then it comes about by itself.
    story.advance(days(40)).happen("login", &[]).advance(minutes(5)).happen("login", &[]);
    story.advance(days(1));
    assert_eq!(story.ends(), ["greeted", "seen"], "{}", story.told());
}

#[test]
fn one_imported_and_one_that_happened_are_two() {
    let mut story = story();
    imported(&mut story, "login", &[]);
    story.advance(hours(2)).happen("login", &[]).advance(days(1));
    assert_eq!(story.ends(), ["greeted", "seen"], "{}", story.told());
}

#[test]
fn what_had_come_about_before_the_import_is_not_lost_by_it() {
    let mut story = story();
    story.advance(days(1)).happen("login", &[]).happen("login", &[]);
    imported(&mut story, "login", &[]);
    story.advance(days(1));
    assert!(story.ends().contains(&"seen".to_owned()), "{}", story.told());
}

#[test]
fn imported_attributes_change_what_is_known_and_enter_nobody() {
    let mut story = story();
    imported_attributes(&mut story, &[("loan_limit", cny(500)), ("vip", Value::Bool(true))]);
    story.happen("bound", &[]).advance(days(2));
    assert_eq!(story.ends(), [""; 0], "{}", story.told());
    story.know(&[("loan_limit", Value::Missing), ("vip", Value::Bool(false))]);
    story.know(&[("loan_limit", cny(5)), ("vip", Value::Bool(true))]);
    assert_eq!(story.ends(), ["seen", "seen"], "what turns true by itself does: {}", story.told());
}

#[test]
fn a_date_that_is_imported_comes_by_the_clock() {
    let mut story = story();
    imported_attributes(&mut story, &[("birthday", date("2026-12-10"))]);
    story.advance(days(10));
    assert_eq!(story.ends(), ["wished"], "{}", story.told());
}

#[test]
fn somebody_an_import_makes_known_gets_what_had_waited() {
    let mut story = Story::of(JOURNEYS);
    story.happen("login", &[]);
    imported(&mut story, "login", &[]);
    assert_eq!(story.state.parked.len(), 2);
    imported_attributes(&mut story, &[("vip", Value::Bool(false))]);
    assert_eq!(
        story.ends(),
        ["greeted"],
        "the event that waited happened, the imported one is known: {}",
        story.told()
    );
    story.advance(days(1));
    let first_look = "daily  did not enter: was already in at the first look, `existing skip`";
    assert!(story.says(first_look), "two logins: {}", story.told());
}
