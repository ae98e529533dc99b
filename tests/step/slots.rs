//! What stands in slots: what a page that follows the effects would hold, and what a row keeps of it.

use wayfare::expr::MessageEvent;
use wayfare::step::EventKind;
use wayfare::step::state::MAX_PLACEMENTS;
use wayfare::value::Value;

use super::bank::{Story, channels, clock, days, hours};

const SLOTS: &str = r#"
channel banner { kind slot; surface owned; capacity 2 }
channel popup { kind slot; surface owned }
content festival {
  open 2026-11-01..2026-12-31
  via banner { image "img/festival.png" }
  via popup { title "年终礼遇" }
}
"#;

fn story(steps: &str) -> Story {
    let head =
        "purpose marketing; owner \"o\"; enter on login; reenter after 1h; exit on drawdown as converted";
    let mut story = Story::of(&format!("{SLOTS}\njourney j of customer {{ {head}\n{steps}\n}}"));
    story.know(&[("consent", channels(&[]))]);
    story
}

fn steps(story: &Story) -> Vec<&str> {
    story.slots.iter().map(|key| &*key.step).collect()
}

#[test]
fn a_page_that_follows_the_effects_holds_what_stands() {
    let mut story = story("show festival via banner, popup keep 3 days\nwait 5 days\nend done");
    story.happen("login", &[]);
    assert_eq!(steps(&story), ["festival.banner", "festival.popup"]);
    assert_eq!(story.state.next_due(), Some(clock("2026-12-04T09:00")), "its end is a timer of its own");
    story.until(clock("2026-12-04T09:00"));
    assert_eq!(steps(&story), Vec::<&str>::new());
    assert_eq!(story.ends(), ["…"], "the journey does not end with it: {}", story.told());
}

#[test]
fn an_exit_takes_it_from_the_page_and_the_last_day_of_the_content_does() {
    let mut story = story("show festival via banner\nwait 60 days\nend done");
    story.happen("login", &[]);
    story.until(clock("2026-12-31T23:59"));
    assert_eq!(steps(&story), ["festival.banner"]);
    story.until(clock("2027-01-01T00:00"));
    assert_eq!(steps(&story), Vec::<&str>::new());

    let mut story = self::story("show festival via banner\nwait 60 days\nend done");
    story.happen("login", &[]).happen("drawdown", &[]);
    assert_eq!(steps(&story), Vec::<&str>::new());
    assert_eq!(story.ends(), ["converted"]);
}

#[test]
fn reports_reach_the_journey_by_the_key_of_the_placement() {
    let wait = "wait for shown(festival.popup) within 2 days else end unseen\nend seen";
    let mut story = story(&format!("show festival via banner, popup keep 3 days\n{wait}"));
    story.happen("login", &[]);
    let keys = story.slots.clone();
    for (kind, key, end) in [
        (MessageEvent::Shown, &keys[0], "…"),
        (MessageEvent::Opened, &keys[1], "…"),
        (MessageEvent::Shown, &keys[1], "seen"),
    ] {
        let event = story.event(EventKind::Message { kind, key: key.clone() }, None, story.now, &[]);
        story.input(&wayfare::step::Input::Event(event));
        assert_eq!(story.ends(), [end], "{kind:?} of {key}: {}", story.told());
    }
}

#[test]
fn a_row_holds_so_many_and_forgets_what_is_gone_first() {
    let mut story = story("show festival via popup keep 30min\nwait 1h\nend done");
    for _ in 0..MAX_PLACEMENTS + 10 {
        story.happen("login", &[]).advance(hours(3));
    }
    assert_eq!(story.state.placements.len(), MAX_PLACEMENTS);
    assert!(story.state.placements.iter().all(|placement| !placement.stands()));
    story.happen("login", &[]).advance(days(0));
    assert_eq!(story.state.placements.len(), MAX_PLACEMENTS);
    assert_eq!(steps(&story), ["festival.popup"], "what stands is kept");
}

#[test]
fn on_others_ground_marketing_needs_consent() {
    let show =
        "show festival via banner, kiosk keep 1 day { on no_consent end refused } else end other\nend placed";
    let foreign = SLOTS.replace("via banner {", "via kiosk { title \"年终礼遇\" }\n  via banner {");
    let journey = format!(
        "{foreign}\nchannel kiosk {{ kind slot; surface third_party }}\n\
         journey j of customer {{ purpose marketing; owner \"o\"; enter on login; reenter after 1h\n{show}\n}}"
    );
    for (agreed, end) in [(&["push", "banner"][..], "refused"), (&["kiosk"], "placed")] {
        let mut story = Story::of(&journey);
        story.know(&[("consent", channels(agreed)), ("vip", Value::Bool(false))]).happen("login", &[]);
        assert_eq!(story.ends(), [end], "{agreed:?}");
        assert_eq!(story.slots.is_empty(), end == "refused", "all or none");
    }
}

/// The customer sees what stands in the popup, at this moment.
fn sees(story: &mut Story) {
    let key = story.slots.last().expect("something stands").clone();
    let event = story.event(EventKind::Message { kind: MessageEvent::Shown, key }, None, story.now, &[]);
    story.input(&wayfare::step::Input::Event(event));
}

fn is_shown(story: &Story) -> bool {
    let slots = [wayfare::name::Name::new("popup")];
    !wayfare::step::slots::standing(&story.world, &story.root, story.state.clone(), &slots, story.now)
        .is_empty()
}

#[test]
fn what_was_seen_often_enough_rests_and_comes_down_for_good() {
    let mut story = story("show festival via popup cap 2 per day cap 4 ever\nwait 60 days\nend done");
    story.happen("login", &[]);
    for seen in 0..2 {
        assert!(is_shown(&story), "seen {seen} times: {}", story.told());
        sees(&mut story);
    }
    assert!(!is_shown(&story) && steps(&story) == ["festival.popup"], "it keeps its place");
    assert!(
        story.says("rests in popup until 2026-12-02 00:00:00: cap 2 per day; seen 2 times"),
        "{}",
        story.told()
    );
    story.until(clock("2026-12-01T23:59"));
    assert!(!is_shown(&story));
    story.until(clock("2026-12-02T00:00"));
    assert!(is_shown(&story), "a new day: {}", story.told());
    sees(&mut story);
    assert!(is_shown(&story));
    sees(&mut story);
    assert_eq!(steps(&story), Vec::<&str>::new(), "four times in all");
    assert!(story.says("stands in popup no longer: it was seen as often as may be"), "{}", story.told());
}

#[test]
fn shown_anew_is_not_counted_anew() {
    let mut story = story(
        "show festival via popup keep 1h cap 2 ever { on capped end enough } else end other\nwait 2h\nend done",
    );
    for times in 0..2 {
        story.happen("login", &[]);
        assert!(is_shown(&story), "{times}: {}", story.told());
        sees(&mut story);
        story.advance(hours(3));
    }
    story.happen("login", &[]);
    assert_eq!(story.ends(), ["enough"], "{}", story.told());
    assert!(story.says("is not shown: cap 2 ever; seen 2 times (capped)"), "{}", story.told());
}

#[test]
fn a_rolling_stretch_forgets_one_sight_after_the_other() {
    let mut story = story("show festival via popup cap 2 per rolling 24h\nwait 20 days\nend done");
    story.happen("login", &[]);
    sees(&mut story);
    story.advance(hours(6));
    sees(&mut story);
    assert!(!is_shown(&story));
    story.advance(hours(17));
    assert!(!is_shown(&story), "the first was 23 hours ago");
    story.advance(hours(1));
    assert!(is_shown(&story), "{}", story.told());
    sees(&mut story);
    story.advance(hours(5));
    assert!(!is_shown(&story), "the second was 23 hours ago");
    let receipts = &story.state.placements[0].receipts;
    assert!(receipts.len() <= 3, "the first one and as many as are counted: {receipts:?}");
}
