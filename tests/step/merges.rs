//! Two customers turn out to be one: the older instance goes on, nothing is done twice, nothing is lost on the way.

use wayfare::name::Name;
use wayfare::step::{EventKind, Input, Post, RootKey};
use wayfare::value::Value;

use super::bank::{Story, channels, cny, days, hours, minutes};

const JOURNEYS: &str = r#"
policy house { owner "o"; lane duty { recall, third; loser skip } }
reward coffee { kind coupon; value 20 CNY; limit 1 per customer ever }
points stars of customer { keep 12 months }
journey course of customer {
  purpose service; owner "o"; enter on login; reenter never
  send hello via push as first_one
  wait 1 day
  send again via push as second_one
  end done
}
journey recall of customer { purpose service; owner "o"; lane duty; enter on tapped; reenter per event.txn; wait 2 days; end done }
journey third of customer {
  purpose service; owner "o"; lane duty
  enter on payment where count(payment during last 30 days) >= 3; reenter after 1 day
  wait 1h
  end done
}
journey cup of customer {
  purpose service; owner "o"; enter on bound; reenter after 1min
  grant stars amount 10 else continue
  grant coffee { on limited end had_one } else end not_given
  end given
}
event invited of customer { friend : customer; txn : Id }
journey recommends of customer {
  purpose service; owner "o"; enter on invited; reenter per event.txn; exit on bound as left
  send hello via push to event.friend as hello_pal else end failed
  end told
}
journey treats of customer {
  purpose service; owner "o"; enter on invited; reenter never
  grant stars amount 5 to event.friend else end not_given
  end given
}
journey asks of customer { purpose marketing; owner "o"; enter on drawdown; reenter after 1min
  send hello via sms as offer { on no_consent end refused } else end failed
  end sent
}
"#;

/// The one that goes (`c1`) and the one that stays (`c2`), both known.
fn pair() -> (Story, Story) {
    let [gone, mut stays] = [(); 2].map(|()| Story::of(JOURNEYS));
    stays.root = RootKey { entity: Name::new("customer"), id: "c2".into() };
    let mut gone = gone;
    gone.agree();
    stays.agree();
    (gone, stays)
}

fn merge(story: &mut Story, into: &RootKey) {
    let kind = EventKind::Merged { into: into.clone() };
    let event = story.event(kind, None, story.now, &[]);
    story.input(&Input::Event(event));
}

/// Carries post until nobody has anything to say.
fn carry(one: &mut Story, other: &mut Story) {
    for _ in 0..100 {
        let posts: Vec<_> = one.posted.drain(..).chain(other.posted.drain(..)).collect();
        if posts.is_empty() {
            return;
        }
        for post in posts {
            let to = if post.to == one.root { &mut *one } else { &mut *other };
            assert_eq!(post.to, to.root);
            let post = through_an_inbox(&post);
            to.input(&Input::Post(Box::new(post)));
        }
    }
    panic!("they never stop");
}

/// The same post as it comes out of an inbox.
fn through_an_inbox(post: &Post) -> Post {
    let bytes = postcard::to_stdvec(post).unwrap();
    let came: Post = postcard::from_bytes(&bytes).unwrap();
    assert_eq!(came, *post);
    came
}

fn join(gone: &mut Story, stays: &mut Story) {
    let into = stays.root.clone();
    merge(gone, &into);
    carry(gone, stays);
}

fn advance(gone: &mut Story, stays: &mut Story, length: jiff::SignedDuration) {
    gone.advance(length);
    stays.advance(length);
}

fn pay(story: &mut Story) {
    story.happen("payment", &[("amount", cny(5))]);
}

#[test]
fn the_older_instance_goes_on_and_the_younger_ends() {
    let (mut gone, mut stays) = pair();
    gone.happen("login", &[]);
    advance(&mut gone, &mut stays, hours(3));
    stays.happen("login", &[]);
    join(&mut gone, &mut stays);
    assert!(stays.says("`c1` was found to be the same: what it had is here now"), "{}", stays.told());
    assert!(stays.says("course  exited as `merged`"), "{}", stays.told());
    advance(&mut gone, &mut stays, hours(21));
    assert_eq!(stays.got(), ["first_one", "second_one"], "a day after the older began: {}", stays.told());
    advance(&mut gone, &mut stays, days(3));
    assert_eq!((gone.got(), stays.got().len()), (vec!["first_one".to_owned()], 2));
    assert_eq!(stays.ends(), ["done"], "one line in the ledger");
    assert_eq!(stays.state.entries[0].key.as_ref(), "c2");
}

#[test]
fn what_comes_for_the_old_key_goes_to_the_one_that_stays() {
    let (mut gone, mut stays) = pair();
    join(&mut gone, &mut stays);
    gone.happen("login", &[]);
    assert_eq!(gone.got(), [""; 0]);
    carry(&mut gone, &mut stays);
    assert_eq!(stays.got(), ["first_one"]);
    gone.happen("login", &[]);
    carry(&mut gone, &mut stays);
    assert!(stays.says("has entered before, `reenter never`"));
    assert_eq!(gone.state.next_due(), None, "nothing is left to be said");
}

#[test]
fn entered_once_in_a_lifetime_of_both() {
    let (mut gone, mut stays) = pair();
    gone.happen("login", &[]);
    advance(&mut gone, &mut stays, days(3));
    join(&mut gone, &mut stays);
    stays.happen("login", &[]);
    assert!(stays.says("has entered before, `reenter never`"), "{}", stays.told());
}

#[test]
fn consent_is_what_both_agreed_to() {
    let (mut gone, mut stays) = pair();
    gone.know(&[("consent", channels(&["push", "wechat"]))]);
    join(&mut gone, &mut stays);
    stays.happen("drawdown", &[]);
    assert_eq!(stays.ends(), ["refused"], "{}", stays.told());
    let (mut gone, mut stays) = pair();
    join(&mut gone, &mut stays);
    stays.happen("drawdown", &[]);
    assert_eq!(stays.ends(), ["sent"], "{}", stays.told());
}

#[test]
fn attributes_of_the_one_that_stays_stand_and_what_it_lacks_is_added() {
    let (mut gone, mut stays) = pair();
    gone.know(&[("phone", Value::text("139")), ("loan_limit", cny(9)), ("vip", Value::Bool(true))]);
    join(&mut gone, &mut stays);
    stays.happen("drawdown", &[]);
    assert_eq!(stays.delivered.last().unwrap().address.as_ref(), "138");
    let has = |value: &Value| stays.state.attributes.iter().any(|(_, known)| known == value);
    assert!(has(&cny(9)) && has(&Value::Bool(true)), "{:?}", stays.state.attributes);
}

#[test]
fn history_of_both_is_counted_together() {
    let (mut gone, mut stays) = pair();
    pay(&mut gone);
    pay(&mut stays);
    join(&mut gone, &mut stays);
    assert_eq!(stays.ends(), [""; 0]);
    pay(&mut stays);
    assert_eq!(stays.ends(), ["…"], "the third: {}", stays.told());
}

#[test]
fn limits_count_both_and_points_are_added() {
    let (mut gone, mut stays) = pair();
    gone.happen("bound", &[]);
    stays.happen("bound", &[]);
    join(&mut gone, &mut stays);
    let balance: i64 = stays.state.accounts.iter().map(|account| account.balance(stays.now)).max().unwrap();
    assert_eq!(balance, 20);
    advance(&mut gone, &mut stays, minutes(10));
    stays.happen("bound", &[]);
    assert_eq!(stays.ends().last().map(String::as_str), Some("had_one"), "{}", stays.told());
}

#[test]
fn one_lane_one_journey_also_of_both() {
    let (mut gone, mut stays) = pair();
    let tap = |story: &mut Story, txn: &str| {
        story.happen("tapped", &[("step", Value::text("s")), ("txn", Value::text(txn))]);
    };
    tap(&mut stays, "t1");
    advance(&mut gone, &mut stays, minutes(1));
    tap(&mut gone, "t2");
    // The invariants look after every step that only one of a lane runs.
    join(&mut gone, &mut stays);
    assert_eq!(stays.state.instances.len(), 1);
    assert_eq!(stays.state.instances[0].key.as_ref(), "t1");
}

#[test]
fn what_had_not_left_leaves_once_under_the_new_key() {
    let (mut gone, mut stays) = pair();
    gone.dispatching = false;
    gone.happen("login", &[]);
    let waiting = gone.outbox.clone();
    join(&mut gone, &mut stays);
    assert_eq!(stays.got(), ["first_one"]);
    assert_eq!(stays.delivered[0].message.to_string(), "course/c2/c2/first_one");
    for key in waiting {
        gone.input(&Input::Dispatch(key));
    }
    assert_eq!(gone.got(), [""; 0], "the old one is dropped");
}

#[test]
fn the_same_message_of_both_that_one_had_sent_does_not_leave_again() {
    let (mut gone, mut stays) = pair();
    gone.happen("login", &[]);
    stays.dispatching = false;
    stays.happen("login", &[]);
    let waiting = std::mem::take(&mut stays.outbox);
    join(&mut gone, &mut stays);
    for key in waiting {
        stays.input(&Input::Dispatch(key));
    }
    assert_eq!(stays.got(), [""; 0], "{}", stays.told());
}

#[test]
fn what_a_provider_is_asked_for_is_answered_before_the_estate_goes() {
    let (mut gone, mut stays) = pair();
    gone.provider = None;
    gone.happen("login", &[]);
    let into = stays.root.clone();
    merge(&mut gone, &into);
    assert!(gone.posted.is_empty(), "the answer is waited for");
    let key = gone.delivered[0].message.clone();
    let outcome = wayfare::program::Outcome::Sent;
    gone.input(&Input::Answer { message: key, outcome, detail: "".into() });
    carry(&mut gone, &mut stays);
    assert_eq!(stays.state.instances.len(), 1);
    assert_eq!(stays.got(), [""; 0], "it was sent before");
}

/// Both were written to, one of them heard nothing yet: what has arrived under one name is not tried again under the other.
#[test]
fn what_arrived_under_one_name_is_not_tried_again_under_the_other() {
    let (mut gone, mut stays) = pair();
    gone.happen("login", &[]);
    stays.provider = None;
    stays.happen("login", &[]);
    let key = stays.delivered[0].message.clone();
    join(&mut gone, &mut stays);
    for again in [Input::Dispatch(key.clone()), Input::DispatchAgain(key.clone())] {
        stays.input(&again);
        assert_eq!(stays.delivered.len(), 1, "{}", stays.told());
    }
    let (outcome, detail) = (wayfare::program::Outcome::Failed, "no such phone".into());
    stays.input(&Input::Answer { message: key, outcome, detail });
    assert_eq!(stays.state.messages.len(), 1, "{}", stays.told());
    assert_eq!(stays.state.messages[0].status, wayfare::step::state::MessageStatus::Sent, "it is with them");
}

/// The provider may have taken it, did not say so, and is asked once more; by then the channel is switched off.
#[test]
fn what_may_not_be_asked_again_holds_no_estate_back() {
    let (mut gone, mut stays) = pair();
    gone.provider = None;
    gone.happen("login", &[]);
    let into = stays.root.clone();
    merge(&mut gone, &into);
    assert!(gone.posted.is_empty(), "the answer is waited for");
    gone.world.kill.channels.insert(Name::new("push"));
    let key = gone.delivered[0].message.clone();
    gone.input(&Input::DispatchAgain(key));
    carry(&mut gone, &mut stays);
    assert!(gone.state.instances.is_empty(), "{}", gone.told());
    assert_eq!(stays.state.instances.len(), 1);
    assert_eq!(stays.got(), [""; 0], "it counts as sent");
}

#[test]
fn a_report_on_a_message_of_the_old_key_finds_it() {
    let (mut gone, mut stays) = pair();
    gone.happen("login", &[]);
    let key = gone.key("first_one");
    join(&mut gone, &mut stays);
    let kind = EventKind::Message { kind: wayfare::expr::MessageEvent::Opened, key };
    let event = gone.event(kind, None, gone.now, &[]);
    gone.input(&Input::Event(event));
    carry(&mut gone, &mut stays);
    assert_eq!(stays.state.messages[0].receipts.len(), 1, "{}", stays.told());
}

#[test]
fn a_parcel_that_is_lost_comes_again_and_one_that_comes_twice_is_opened_once() {
    let (mut gone, mut stays) = pair();
    pay(&mut gone);
    pay(&mut stays);
    let into = stays.root.clone();
    merge(&mut gone, &into);
    let first = gone.posted.remove(0);
    advance(&mut gone, &mut stays, minutes(2));
    assert!(!gone.posted.is_empty(), "said again");
    stays.input(&Input::Post(Box::new(first)));
    carry(&mut gone, &mut stays);
    pay(&mut stays);
    assert_eq!(stays.ends(), ["…"], "one and one and one");
    let payments: Vec<_> =
        stays.state.features.iter().map(|history| format!("{:?}", history.feature)).collect();
    assert!(payments.iter().any(|feature| feature.contains("count: 3")), "{payments:?}");
    assert_eq!(gone.state.next_due(), None);
}

#[test]
fn each_into_the_other_leaves_one() {
    let (mut gone, mut stays) = pair();
    gone.happen("login", &[]);
    let (one, other) = (gone.root.clone(), stays.root.clone());
    merge(&mut gone, &other);
    merge(&mut stays, &one);
    carry(&mut gone, &mut stays);
    // The key that is less stays.
    assert!(gone.state.merged.is_none() && stays.state.merged.is_some());
    assert_eq!(gone.state.instances.len(), 1);
    // And it does not go into itself later.
    merge(&mut gone, &other);
    assert!(gone.says("does not go into `c2`"), "{}", gone.told());
}

/// Three keys at once, each told to go into the next, whatever order their post takes: the least stays, and has all.
#[test]
fn three_that_go_round_in_a_ring_leave_the_least() {
    for order in 0..64_u32 {
        let mut all = ["c1", "c2", "c3"].map(|id| {
            let mut story = Story::of(JOURNEYS);
            story.root = RootKey { entity: Name::new("customer"), id: id.into() };
            story.agree();
            pay(&mut story);
            story
        });
        let roots = all.each_ref().map(|story| story.root.clone());
        let mut chance = order;
        let mut next = |below: usize| {
            chance = chance.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (chance >> 16) as usize % below
        };
        let first = next(3);
        for at in 0..3 {
            let at = (first + at) % 3;
            merge(&mut all[at], &roots[if order % 2 == 0 { (at + 1) % 3 } else { (at + 2) % 3 }]);
        }
        let mut waiting: Vec<Post> = Vec::new();
        for round in 0..200 {
            for story in &mut all {
                waiting.append(&mut story.posted);
            }
            if waiting.is_empty() {
                // What was not heard is said again.
                all.iter_mut().for_each(|story| _ = story.advance(minutes(1)));
                if round > 100 {
                    break;
                }
                continue;
            }
            let post = waiting.remove(next(waiting.len()));
            let to = all.iter_mut().find(|story| story.root == post.to).unwrap();
            to.input(&Input::Post(Box::new(post)));
        }
        assert!(waiting.is_empty(), "order {order}: they never stop");
        let [one, other, third] = &all;
        assert!(one.state.merged.is_none(), "order {order}: {}", one.told());
        for gone in [other, third] {
            assert!(gone.state.merged.as_ref().is_some_and(|merged| merged.number > 0), "order {order}");
            assert_eq!(gone.state.next_due(), None, "order {order}");
        }
        let kept: Vec<_> =
            one.state.features.iter().map(|history| format!("{:?}", history.feature)).collect();
        assert!(kept.iter().any(|feature| feature.contains("count: 3")), "order {order}: {kept:?}");
    }
}

#[test]
fn somebody_unknown_takes_what_had_waited_along() {
    let mut gone = Story::of(JOURNEYS);
    let (_, mut stays) = pair();
    gone.happen("login", &[]);
    assert_eq!(gone.state.parked.len(), 1);
    join(&mut gone, &mut stays);
    assert_eq!(stays.got(), ["first_one"], "{}", stays.told());
}

/// A friend of the one that goes, and what that one has asked of them.
fn asked(gone: &mut Story) -> (Story, Vec<Post>) {
    let mut friend = Story::of(JOURNEYS);
    friend.root = RootKey { entity: Name::new("customer"), id: "c3".into() };
    friend.agree();
    friend.now = gone.now;
    gone.happen("invited", &[("friend", Value::text("c3")), ("txn", Value::text("t7"))]);
    let asked = gone.posted.drain(..).collect();
    (friend, asked)
}

fn answers(friend: &mut Story, asked: Vec<Post>) -> Vec<Post> {
    asked.into_iter().for_each(|post| _ = friend.input(&Input::Post(Box::new(post))));
    friend.posted.drain(..).collect()
}

#[test]
fn what_a_friend_was_asked_for_is_heard_of_by_the_one_that_stays() {
    let (mut gone, mut stays) = pair();
    let (mut friend, asked) = asked(&mut gone);
    assert_eq!(asked.len(), 2, "a message and a gift: {}", gone.told());
    join(&mut gone, &mut stays);
    assert_eq!(stays.ends(), ["…", "…"], "{}", stays.told());
    for answer in answers(&mut friend, asked) {
        assert_eq!(answer.to, gone.root, "nobody told the friend");
        gone.input(&Input::Post(Box::new(answer)));
    }
    carry(&mut gone, &mut stays);
    let mut ends = stays.ends();
    ends.sort_unstable();
    assert_eq!(ends, ["given", "told"], "{}", stays.told());
}

#[test]
fn what_a_friend_answers_before_the_estate_goes_is_heard_of() {
    let (mut gone, mut stays) = pair();
    gone.provider = None;
    gone.happen("login", &[]);
    let key = gone.delivered[0].message.clone();
    let (mut friend, asked) = asked(&mut gone);
    join(&mut gone, &mut stays);
    assert!(stays.state.instances.is_empty(), "a provider is being asked: {}", gone.told());
    for answer in answers(&mut friend, asked) {
        gone.input(&Input::Post(Box::new(answer)));
    }
    carry(&mut gone, &mut stays);
    let outcome = wayfare::program::Outcome::Sent;
    gone.input(&Input::Answer { message: key, outcome, detail: "".into() });
    carry(&mut gone, &mut stays);
    let mut ends = stays.ends();
    ends.sort_unstable();
    assert_eq!(ends, ["given", "told", "…"], "the course goes on: {}", stays.told());
}

#[test]
fn what_a_friend_was_asked_for_is_taken_back_by_the_one_that_stays() {
    let (mut gone, mut stays) = pair();
    let (mut friend, asked) = asked(&mut gone);
    friend.dispatching = false;
    answers(&mut friend, asked);
    join(&mut gone, &mut stays);
    stays.happen("bound", &[]);
    for post in stays.posted.drain(..) {
        assert_eq!(post.to, friend.root);
        friend.input(&Input::Post(Box::new(post)));
    }
    friend.dispatching = true;
    friend.input(&Input::Wake);
    assert_eq!(friend.got(), [""; 0], "its journey has left: {}", friend.told());
}
