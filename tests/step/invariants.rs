//! What holds after every step, whatever came in whichever order.

use std::collections::BTreeSet;

use jiff::SignedDuration;
use proptest::prelude::*;
use wayfare::expr::MessageEvent;
use wayfare::program::{NodeKind, Outcome};
use wayfare::step::state::{MAX_ENTRIES, MAX_INSTANCES, MAX_PARKED, MAX_PLACEMENTS, MessageStatus, State};
use wayfare::step::{Input, World};
use wayfare::value::Value;

use super::bank::{Story, channels, cny, date};

/// No two instances, entries or messages with one key; everything that runs waits for something; all is bounded.
pub(crate) fn check(state: &State, world: &World) {
    let mut keys = BTreeSet::new();
    for instance in &state.instances {
        let key = (instance.journey, instance.subject.clone(), instance.key.clone());
        assert!(keys.insert(key), "two instances with the key {}", instance.key);
        let node = &world.programs[&instance.program].body.nodes[usize::from(instance.node)];
        let asks_provider = matches!(node.kind, NodeKind::Send { .. });
        // Whoever gets it decides in their own row.
        let asks_friend = matches!(&node.kind, NodeKind::Give { giving, .. } if giving.to.is_some());
        // Held by the gate, or on its way for longer than its rung lasts.
        let is_open =
            state.messages.iter().any(|message| message.entry == instance.key && message.status.is_open());
        assert!(
            instance.due.is_some() || asks_provider || asks_friend || is_open,
            "an instance that waits for nothing: {instance:?}"
        );
        let running = state.entries.iter().filter(|entry| {
            entry.journey == instance.journey
                && entry.subject == instance.subject
                && entry.key == instance.key
                && entry.ended.is_none()
        });
        assert_eq!(running.count(), 1, "the ledger knows who runs");
    }
    let running = state.entries.iter().filter(|entry| entry.ended.is_none()).count();
    assert_eq!(running, state.instances.len(), "the ledger knows no others");
    let mut keys = BTreeSet::new();
    for message in &state.messages {
        let key = (message.journey, message.subject.clone(), message.entry.clone(), message.step);
        assert!(keys.insert(key), "two messages with one key");
    }
    for lane in world.bundle.lanes.values() {
        let own = lane.journeys.iter().filter_map(|journey| world.symbols.sym(*journey));
        let own: BTreeSet<_> = own.collect();
        let running = state.instances.iter().filter(|instance| own.contains(&instance.journey)).count();
        assert!(running <= 1, "{running} of one lane at once: {:#?}", state.instances);
    }
    assert!(state.instances.len() <= MAX_INSTANCES && state.entries.len() <= MAX_ENTRIES);
    assert!(state.parked.len() <= MAX_PARKED && state.placements.len() <= MAX_PLACEMENTS);
}

const JOURNEYS: &str = r#"
policy house { owner "o"; lane duty { recall, watcher, remind; loser wait 1 day } }
metric favourite of customer = most(opened.channel during last 30 days)
journey ladder of customer { purpose marketing; owner "o"
  enter when (loan_limit otherwise 0 CNY) > 0 CNY and no drawdown during last 30 days every day at 10:00
  existing include; reenter after 3 days; exit on drawdown as converted
  goal drawdown on drawdown within 5 days from first sent
  reach hello as offer prefer favourite {
    via push for opened within 4h
    via sms for clicked, login within 2h
    via push with again for opened within 4h { tag seen }
    on not_sent end kept_quiet
  } else { tag quiet; start follow_up; end unreached }
  end reached
}
journey follow_up of customer { purpose service; owner "o"; enter by start; reenter after 1 day; lasts 2 days
  send hello via push within 10min as first_one { on failed { send hello via sms as second_one }; on delivered { tag seen } }
  wait until vip within 1 day else end cold
  end warm
}
journey recall of customer { purpose service; owner "o"; lane duty
  enter on tapped without bound within 10min; stale after 30min; reenter restart; exit when vip as left
  send hello via push as nudge
  wait within 3h from entered { on payment where amount >= 50 CNY end paid; on bound end bound; on timeout continue }
  if seen { untag seen } else { tag seen }
  end reminded
}
journey watcher of customer { purpose service; owner "o"; lane duty; enter when vip; existing skip; reenter after 1h
  send again via wechat as welcome
  wait for opened(welcome), login within 2h from here else end silent
  end heard
  }
journey remind of holding { purpose service; owner "o"; lane duty; enter on 1 day before maturity at 10:00; reenter per occurrence
  exit on redeemed as handled; send hello via push as notice; wait until maturity at 12:00; end done }
"#;

#[derive(Clone, Debug)]
enum Act {
    Know(u8, i64),
    Hold(u8, u8),
    Event(u8, i64, i64),
    Report(u8, usize),
    Wake,
    Sleep(i64),
    Until(i64),
    Dispatch(usize),
    Answer(usize, bool),
    Redeem(u8),
    Settle,
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        2 => (0_u8..5, 0_i64..3).prop_map(|(what, n)| Act::Know(what, n)),
        1 => (0_u8..2, 0_u8..9).prop_map(|(id, day)| Act::Hold(id, day)),
        4 => (0_u8..5, -60_i64..60, 0_i64..100).prop_map(|(what, late, n)| Act::Event(what, late, n)),
        3 => (0_u8..6, any::<usize>()).prop_map(|(kind, which)| Act::Report(kind, which)),
        1 => Just(Act::Wake),
        1 => (0_i64..2_000).prop_map(Act::Sleep),
        4 => (0_i64..2_000).prop_map(Act::Until),
        4 => any::<usize>().prop_map(Act::Dispatch),
        3 => (any::<usize>(), any::<bool>()).prop_map(|(which, good)| Act::Answer(which, good)),
        1 => (0_u8..2).prop_map(Act::Redeem),
        1 => Just(Act::Settle),
    ]
}

fn run(story: &mut Story, act: &Act) {
    match *act {
        Act::Know(0, n) => _ = story.know(&[("loan_limit", if n == 0 { Value::Missing } else { cny(n) })]),
        Act::Know(1, n) => _ = story.know(&[("vip", Value::Bool(n == 0))]),
        Act::Know(2, 0) => _ = story.know(&[("consent", channels(&["push"]))]),
        Act::Know(2, _) => _ = story.know(&[("consent", channels(&["push", "sms", "wechat"]))]),
        Act::Know(3, n) => {
            _ = story.know(&[("phone", if n == 0 { Value::Missing } else { Value::text("1") })]);
        }
        Act::Know(..) => _ = story.know(&[("zone", Value::text("America/New_York"))]),
        Act::Hold(id, day) => {
            let maturity = if day == 0 { Value::Missing } else { date(&format!("2026-12-0{day}")) };
            _ = story.hold(&format!("h{id}"), &[("maturity", maturity), ("amount", cny(1))]);
        }
        Act::Event(what, late, n) => {
            let at = story.now - SignedDuration::from_mins(late.max(-5));
            match what {
                0 => _ = story.happen_at("login", &[], at),
                1 => {
                    let fields = [("step", Value::text("s")), ("txn", Value::Text(n.to_string().into()))];
                    _ = story.happen_at("tapped", &fields, at);
                }
                2 => _ = story.happen_at("bound", &[], at),
                3 => _ = story.happen_at("payment", &[("amount", cny(n))], at),
                _ => _ = story.happen_at("drawdown", &[], at),
            }
        }
        Act::Report(kind, which) => {
            let Some(step) = some_message(story, which) else { return };
            let kind = MessageEvent::ALL[usize::from(kind) % MessageEvent::ALL.len()];
            _ = story.report(kind, &step);
        }
        Act::Wake => _ = story.input(&Input::Wake),
        Act::Sleep(minutes) => story.now += SignedDuration::from_mins(minutes),
        Act::Until(minutes) => {
            let target = story.now + SignedDuration::from_mins(minutes);
            _ = story.until(target);
        }
        Act::Dispatch(which) => {
            let Some(step) = some_message(story, which) else { return };
            let key = story.key(&step);
            _ = story.input(&Input::Dispatch(key));
        }
        Act::Answer(which, good) => {
            let Some(step) = some_message(story, which) else { return };
            let outcome = if good { Outcome::Sent } else { Outcome::Failed };
            let message = story.key(&step);
            _ = story.input(&Input::Answer { message, outcome, detail: "".into() });
        }
        Act::Redeem(id) => _ = story.happen_to(("holding", &format!("h{id}")), "redeemed"),
        Act::Settle => _ = story.input(&Input::Settle),
    }
}

fn some_message(story: &Story, which: usize) -> Option<String> {
    let message = story.state.messages.get(which.checked_rem(story.state.messages.len())?)?;
    story.world.symbols.name(message.step).map(|name| name.to_string())
}

/// Whether the message of every delivery was delivered once, or again only while its answer was not known.
fn nothing_twice(story: &Story) -> bool {
    let mut keys = BTreeSet::new();
    story.delivered.iter().all(|delivery| keys.insert(delivery.message.clone()))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, max_shrink_iters: 200, ..ProptestConfig::default() })]

    /// [`check`] runs after every step.
    #[test]
    fn whatever_comes_in_whichever_order(acts in prop::collection::vec(act(), 1..60)) {
        let mut story = Story::of(JOURNEYS);
        story.dispatching = false;
        story.provider = None;
        for act in &acts {
            run(&mut story, act);
        }
        // In the end everything that waits for the clock alone comes to rest.
        story.dispatching = true;
        story.provider = Some(Outcome::Sent);
        story.input(&Input::Wake);
        let lost: Vec<_> = story.state.messages.iter().filter(|message| message.status == MessageStatus::Dispatching).cloned().collect();
        for message in lost {
            let step = story.world.symbols.name(message.step).unwrap().to_string();
            let key = wayfare::step::MessageKey { entry: message.entry.clone(), ..story.key(&step) };
            story.input(&Input::Answer { message: key, outcome: Outcome::Sent, detail: "".into() });
        }
        story.know(&[("loan_limit", Value::Missing)]);
        story.advance(SignedDuration::from_hours(24 * 40));
        prop_assert!(story.state.instances.is_empty(), "{:#?}\n{}", story.state.instances, story.told());
        prop_assert_eq!(story.state.next_due(), None);
    }

    /// With a provider that answers, no key is delivered twice.
    #[test]
    fn a_served_outbox_delivers_each_key_once(acts in prop::collection::vec(act(), 1..40)) {
        let mut story = Story::of(JOURNEYS);
        story.agree();
        for act in &acts {
            run(&mut story, act);
        }
        prop_assert!(nothing_twice(&story), "{}", story.told());
    }

    /// The same inputs give the same state and the same trace.
    #[test]
    fn a_step_is_a_function_of_its_arguments(acts in prop::collection::vec(act(), 1..25)) {
        let [one, two] = [(); 2].map(|()| {
            let mut story = Story::of(JOURNEYS);
            story.agree();
            for act in &acts {
                run(&mut story, act);
            }
            story
        });
        prop_assert_eq!(one.state, two.state);
        prop_assert_eq!(one.log, two.log);
    }
}
