//! What stages were at their best: who falls keeps the tier for a while, from the very instant of the fall.

use super::bank::{Story, cny, days};

const JOURNEYS: &str = r#"
stages asset_tier of customer ranked {
  top if loan_limit is known and loan_limit >= 500 CNY
  middle if loan_limit is known and loan_limit >= 50 CNY
  else base
}
metric member_tier of customer = max(asset_tier during last 30 days)
journey told_low of customer { purpose service; owner "o"; enter on change of loan_limit where member_tier is base; reenter after 1min; end low }
journey told_kept of customer { purpose service; owner "o"; enter on change of loan_limit where member_tier >= middle; reenter after 1min; end kept }
journey warned of customer { purpose service; owner "o"; enter on drop of asset_tier; reenter after 1min; end warned }
journey lowered of customer { purpose service; owner "o"; enter on drop of member_tier; reenter after 1min; end lowered }
journey risen of customer { purpose service; owner "o"; enter on rise of member_tier; reenter after 1min; end risen }
"#;

fn limit(story: &mut Story, yuan: i64) {
    story.know(&[("loan_limit", cny(yuan))]);
}

/// A customer who has been in the middle for a year.
fn member() -> Story {
    let mut story = Story::of(JOURNEYS);
    limit(&mut story, 60);
    story.advance(days(365));
    assert_eq!(story.ends(), [""; 0], "{}", story.told());
    story
}

#[test]
fn the_old_tier_counts_in_the_instant_of_the_fall_and_thirty_days_on() {
    let mut story = member();
    limit(&mut story, 40);
    assert_eq!(story.ends(), ["kept", "warned"], "{}", story.told());
    story.advance(days(29));
    assert_eq!(story.ends(), ["kept", "warned"], "{}", story.told());
    story.advance(days(1));
    assert_eq!(story.ends(), ["kept", "warned", "lowered"], "{}", story.told());
    limit(&mut story, 41);
    assert_eq!(story.ends(), ["kept", "warned", "lowered", "low"], "{}", story.told());
}

#[test]
fn who_is_back_in_time_was_never_lower() {
    let mut story = member();
    limit(&mut story, 40);
    story.advance(days(10));
    limit(&mut story, 70);
    story.advance(days(90));
    assert!(!story.says("lowered") && !story.says("risen"), "{}", story.told());
}

#[test]
fn a_rise_counts_at_once() {
    let mut story = member();
    limit(&mut story, 600);
    assert_eq!(story.ends(), ["kept", "risen"], "{}", story.told());
}
