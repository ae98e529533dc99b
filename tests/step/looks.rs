//! What an input cannot have changed is not worked out again behind it: nothing is missed by that.

use jiff::SignedDuration;
use proptest::prelude::*;
use wayfare::step::{Decision, Input};
use wayfare::value::Value;

use super::bank::{Story, channels, cny};

/// Derived values of every kind that a journey can follow, and journeys that follow them; looks that change nothing.
const JOURNEYS: &str = r#"
stages asset_tier of customer ranked {
  top if loan_limit is known and loan_limit >= 500 CNY
  middle if loan_limit is known and loan_limit >= 50 CNY
  else base
}
stages kept_tier of customer ranked {
  high if max(asset_tier during last 3 days) >= middle
  else low
}
stages pace of customer ranked {
  brisk if count(payment during last 36h) >= 2
  slow if any payment during last 4 days
  else none
}
stages month of customer ranked {
  busy if sum(payment.amount during this month) >= 100 CNY
  else idle
}
stages season of customer ranked {
  late if today >= 2026-12-06
  else early
}
stages habit of customer ranked {
  often if count(login ever) >= 3
  else seldom
}
stages marked of customer ranked {
  marked_quiet if quiet
  else unmarked
}
stages told of customer ranked {
  by_text if consent has sms
  else by_none
}
stages fallen of customer ranked {
  fallen_low if any drop of asset_tier during last 2 days
  else upright
}
stages saver of customer ranked {
  rich if (avg(savings during last 3 days) otherwise 0 CNY) >= 100 CNY
  else poor
}
stages holder of customer ranked {
  much if (avg(savings during 2026-12-02..2026-12-20) otherwise 0 CNY) >= 100 CNY
  else little
}
table word_of(tier : asset_tier, vip : Bool) -> Bool {
  top, _ => true
  middle | base, true => true
  _, _ => false
}
stages worded of customer ranked {
  spoken if word_of(asset_tier, vip)
  else silent
}
journey a1 of customer { purpose service; owner "o"; enter on change of asset_tier; reenter after 1min; end done }
journey a2 of customer { purpose service; owner "o"; enter on change of kept_tier; reenter after 1min; end done }
journey a3 of customer { purpose service; owner "o"; enter on change of pace; reenter after 1min; end done }
journey a4 of customer { purpose service; owner "o"; enter on change of month; reenter after 1min; end done }
journey a5 of customer { purpose service; owner "o"; enter on change of season; reenter after 1min; end done }
journey a6 of customer { purpose service; owner "o"; enter on change of habit; reenter after 1min; end done }
journey a7 of customer { purpose service; owner "o"; enter on change of marked; reenter after 1min; end done }
journey a8 of customer { purpose service; owner "o"; enter on change of told; reenter after 1min; end done }
journey a9 of customer { purpose service; owner "o"; enter on change of fallen; reenter after 1min; end done }
journey a10 of customer { purpose service; owner "o"; enter on change of worded; reenter after 1min; end done }
journey marks of customer { purpose service; owner "o"; enter on tapped; reenter after 1min; tag quiet; wait 2 days; untag quiet; end done }
journey looks of customer { purpose service; owner "o"; enter every day at 10:30 where loan_limit is known; reenter per day; end done }
journey a11 of customer { purpose service; owner "o"; enter on change of saver; reenter after 1min; end done }
journey a12 of customer { purpose service; owner "o"; enter on change of holder; reenter after 1min; end done }
"#;

#[derive(Clone, Debug)]
enum Deed {
    Limit(i64),
    Save(i64),
    Vip(bool),
    Agree(bool),
    Pay(i64),
    Login,
    Tap,
    Later(i64),
}

fn deeds() -> impl Strategy<Value = Vec<Deed>> {
    let deed = prop_oneof![
        (0_i64..700).prop_map(Deed::Limit),
        (0_i64..300).prop_map(Deed::Save),
        any::<bool>().prop_map(Deed::Vip),
        any::<bool>().prop_map(Deed::Agree),
        (1_i64..90).prop_map(Deed::Pay),
        Just(Deed::Login),
        Just(Deed::Tap),
        (1_i64..3_000).prop_map(Deed::Later),
        (1_i64..3_000).prop_map(Deed::Later),
    ];
    proptest::collection::vec(deed, 1..30)
}

fn happens(story: &mut Story, deed: &Deed) {
    match deed {
        Deed::Limit(yuan) => story.know(&[("loan_limit", cny(*yuan))]),
        Deed::Save(yuan) => story.know(&[("savings", cny(*yuan))]),
        Deed::Vip(vip) => story.know(&[("vip", Value::Bool(*vip))]),
        Deed::Agree(agrees) => story.know(&[("consent", channels(if *agrees { &["sms"] } else { &[] }))]),
        Deed::Pay(yuan) => story.happen("payment", &[("amount", cny(*yuan))]),
        Deed::Login => story.happen("login", &[]),
        Deed::Tap => story.happen("tapped", &[("step", Value::text("one")), ("txn", Value::text("t"))]),
        // Time that passes is no input: whoever is woken looks.
        Deed::Later(minutes) => story.advance(SignedDuration::from_mins(*minutes)).input(&Input::Wake),
    };
}

fn changes(story: &Story) -> usize {
    story.log.iter().filter(|trace| matches!(trace.what, Decision::Changed { .. })).count()
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: if cfg!(debug_assertions) { 20 } else { 1_000 },
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    /// Behind every input everything is worked out at the same instant: had the input missed a change, it would be found then.
    #[test]
    fn no_input_leaves_a_change_unseen(deeds in deeds()) {
        let mut story = Story::of(JOURNEYS);
        story.know(&[("vip", Value::Bool(false))]);
        for deed in &deeds {
            happens(&mut story, deed);
            let before = changes(&story);
            story.input(&Input::Settle);
            prop_assert_eq!(changes(&story), before, "{:?}: {}", deed, story.told());
        }
    }
}
