//! Lanes: one journey of a lane at a time for each customer; who comes second is left out, or waits for a turn.

use wayfare::value::Value;

use super::bank::{Story, clock, cny, days, hours, minutes};

/// Three journeys of one lane, in this order: `bound`, `tapped` and `payment` begin them, a day or `login` ends them.
fn lane(loser: &str) -> Story {
    let journey = |name: &str, enter: &str| {
        format!(
            "journey {name} of customer {{ purpose service; owner \"o\"; lane duty; {enter}; exit on login as left\n\
             send hello via push as {name}_one; wait 1 day; end done }}\n"
        )
    };
    let text = [
        format!("policy house {{ owner \"o\"; lane duty {{ a, b, c; loser {loser} }} }}\n"),
        journey("a", "enter on bound; reenter after 1h"),
        journey("b", "enter on tapped; reenter per event.txn"),
        journey("c", "enter on payment; reenter restart"),
        "journey free of customer { purpose service; owner \"o\"; enter on payment; reenter restart; wait 1h; end done }".to_owned(),
    ];
    let mut story = Story::of(&text.concat());
    story.agree();
    story
}

fn tap(story: &mut Story, txn: &str) {
    story.happen("tapped", &[("step", Value::text("photo")), ("txn", Value::text(txn))]);
}

fn pay(story: &mut Story) {
    story.happen("payment", &[("amount", cny(5))]);
}

#[test]
fn who_comes_second_is_left_out() {
    let mut story = lane("skip");
    pay(&mut story);
    tap(&mut story, "t1");
    assert_eq!(story.got(), ["c_one"]);
    assert!(story.says("b  did not enter: `c` goes first, lane `duty`"), "{}", story.told());
    story.advance(days(2));
    assert_eq!(story.got(), ["c_one"], "left out is left out");
    tap(&mut story, "t1");
    assert_eq!(story.got(), ["c_one", "b_one"], "and may come again");
}

#[test]
fn journeys_of_no_lane_run_beside_it() {
    let mut story = lane("skip");
    tap(&mut story, "t1");
    pay(&mut story);
    let running = story.state.instances.len();
    assert_eq!(running, 2, "`b` and `free`: {}", story.told());
}

#[test]
fn who_waits_enters_when_the_lane_is_free() {
    let mut story = lane("wait 2 days");
    pay(&mut story);
    tap(&mut story, "t1");
    assert!(
        story.says("b  waits for its turn in lane `duty` until 2026-12-03 09:00:00, because `c` goes first")
    );
    assert_eq!(story.got(), ["c_one"]);
    story.advance(days(1));
    assert_eq!(story.got(), ["c_one", "b_one"], "when `c` has run its course: {}", story.told());
    let mut story = lane("wait 2 days");
    pay(&mut story);
    tap(&mut story, "t1");
    story.advance(minutes(5)).happen("login", &[]);
    assert_eq!(story.got(), ["c_one", "b_one"], "or when it left: {}", story.told());
}

#[test]
fn a_turn_that_does_not_come_in_time_is_lost() {
    let mut story = lane("wait 2h");
    pay(&mut story);
    tap(&mut story, "t1");
    story.advance(days(3));
    assert_eq!(story.got(), ["c_one"]);
    assert!(story.says("b  did not enter: its turn in lane `duty` did not come in time"));
    assert_eq!(story.state.next_due(), None, "nobody waits any more");
}

#[test]
fn the_lane_decides_whose_turn_it_is_and_not_who_arrived_first() {
    for order in [["bound", "tapped"], ["tapped", "bound"]] {
        let mut story = lane("wait 3 days");
        pay(&mut story);
        for name in order {
            story.advance(minutes(1));
            if name == "tapped" { tap(&mut story, "t1") } else { _ = story.happen("bound", &[]) }
        }
        story.advance(days(3));
        assert_eq!(story.got(), ["c_one", "a_one", "b_one"], "{order:?}: {}", story.told());
    }
}

#[test]
fn of_one_journey_what_happened_first_goes_first() {
    let mut story = lane("wait 3 days");
    pay(&mut story);
    let earlier = story.now - minutes(30);
    tap(&mut story, "late");
    let fields = [("step", Value::text("photo")), ("txn", Value::text("early"))];
    story.happen_at("tapped", &fields, earlier);
    story.advance(days(4));
    let entries: Vec<_> = story.state.entries.iter().map(|entry| entry.key.to_string()).collect();
    let [early, late] = ["early", "late"].map(|key| entries.iter().position(|known| known == key));
    assert!(early < late && early.is_some(), "{entries:?}");
}

#[test]
fn whoever_waits_is_not_overtaken_by_who_comes_when_the_lane_has_become_free() {
    let mut story = lane("wait 3 days");
    tap(&mut story, "t1");
    tap(&mut story, "t2");
    // `login` ends the first and lets the second in; what comes later finds the lane taken again.
    story.advance(minutes(1)).happen("login", &[]);
    pay(&mut story);
    assert_eq!(story.got(), ["b_one", "b_one"]);
    story.happen("login", &[]);
    assert_eq!(story.got(), ["b_one", "b_one", "c_one"]);
}

#[test]
fn the_same_entry_waits_once() {
    let mut story = lane("wait 3 days");
    pay(&mut story);
    tap(&mut story, "t1");
    tap(&mut story, "t1");
    assert_eq!(story.state.pending.len(), 1);
    story.advance(days(5));
    assert_eq!(story.got(), ["c_one", "b_one"]);
}

#[test]
fn a_restart_takes_the_place_of_the_one_it_ends() {
    let mut story = lane("skip");
    pay(&mut story);
    story.advance(hours(1));
    pay(&mut story);
    assert_eq!(story.got(), ["c_one", "c_one"], "{}", story.told());
    story.advance(days(2));
    assert_eq!(story.ends().last().map(String::as_str), Some("done"));
}

#[test]
fn a_wait_for_a_turn_outlives_the_journeys_opening_but_does_not_reopen_it() {
    let text = "policy house { owner \"o\"; lane duty { a, b; loser wait 3 days } }\n\
        journey a of customer { purpose service; owner \"o\"; lane duty; enter on bound; reenter never; wait 1 day; end done }\n\
        journey b of customer { purpose service; owner \"o\"; lane duty; open 2026-12-01..2026-12-01; enter on login; \
        reenter never; send hello via push; end done }";
    let mut story = Story::of(text);
    story.agree();
    story.happen("bound", &[]).happen("login", &[]).until(clock("2026-12-02T10:00"));
    assert!(story.says("b  did not enter: the journey is not open today"), "{}", story.told());
    assert_eq!(story.got(), [""; 0]);
}
