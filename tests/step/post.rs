//! Post between rows: asked for by one customer's journey, decided in the other's row, once.

use wayfare::name::Name;
use wayfare::program::Outcome;
use wayfare::step::post::{Became, Errand};
use wayfare::step::{Input, Post, RootKey};
use wayfare::value::Value;

use super::bank::{Story, channels, cny};

const JOURNEYS: &str = r#"
entity group { key id : Id; members : [customer]; least : Money(CNY) }
event invited of customer { friend : customer; txn : Id }
event opened_group of group {}
content lesson { via push { message """一"""; message """二"""; message """三"""; gap 20s } }
journey call of customer {
  purpose marketing; owner "o"; enter on invited; reenter per event.txn; exit on drawdown as converted
  send hello via push to event.friend key event.txn { on no_consent end refused } else end failed
  end done
}
journey greet of customer { purpose service; owner "o"; enter by start; reenter after 1 day; end greeted }
journey club of group {
  purpose service; owner "o"; enter on opened_group; reenter never
  start greet each members where vip
  end done
}
journey rich_club of group {
  purpose service; owner "o"; enter on opened_group; reenter never
  start greet each members where (loan_limit otherwise 0 CNY) >= group.least
  end done
}
journey course of customer {
  purpose service; owner "o"; enter on login; reenter never; exit on drawdown as converted
  send lesson via push
  end done
}
"#;

fn friend(story: &Story) -> Story {
    let mut friend = Story::of(JOURNEYS);
    friend.root = RootKey { entity: Name::new("customer"), id: "c2".into() };
    friend.now = story.now;
    friend
}

fn invited() -> Story {
    let mut story = Story::of(JOURNEYS);
    story.know(&[]);
    story.happen("invited", &[("friend", Value::text("c2")), ("txn", Value::text("t7"))]);
    story
}

fn became(post: &Post) -> Became {
    let Errand::Became(became) = post.errand else { panic!("{post:?}") };
    became
}

#[test]
fn what_is_asked_twice_is_sent_once_under_the_key_of_the_journey_that_asks() {
    let mut story = invited();
    let asked = story.posted.remove(0);
    assert_eq!(asked.to.id.as_ref(), "c2");
    assert_eq!(asked.key.to_string(), "call/c1/t7/hello#t7");
    assert_eq!(story.ends(), ["…"], "the step waits for the other row: {}", story.told());

    let mut other = friend(&story);
    other.know(&[("consent", channels(&["push"]))]);
    let asked = Input::Post(Box::new(asked));
    other.input(&asked).input(&asked);
    assert_eq!(other.delivered.len(), 1);
    assert_eq!(other.delivered[0].message.to_string(), "call/c1/t7/hello#t7");
    assert_eq!(other.delivered[0].address.as_ref(), "c2");

    let answers: Vec<Became> = other.posted.iter().map(became).collect();
    assert_eq!(answers, [Became::Accepted, Became::Answered(Outcome::Sent)]);
    for answer in other.posted.drain(..) {
        story.input(&Input::Post(Box::new(answer)));
    }
    assert_eq!(story.ends(), ["done"], "{}", story.told());
}

#[test]
fn consent_is_the_addressees() {
    let mut story = invited();
    let mut other = friend(&story);
    other.know(&[]);
    other.input(&Input::Post(Box::new(story.posted.remove(0))));
    assert!(other.delivered.is_empty());
    story.input(&Input::Post(Box::new(other.posted.remove(0))));
    assert_eq!(story.ends(), ["refused"], "{}", story.told());
}

#[test]
fn a_row_that_has_left_takes_its_message_back() {
    let mut story = invited();
    let mut other = friend(&story);
    other.dispatching = false;
    other.know(&[("consent", channels(&["push"]))]);
    other.input(&Input::Post(Box::new(story.posted.remove(0))));
    story.happen("drawdown", &[]);
    let back = story.posted.remove(0);
    assert_eq!(back.errand, Errand::Cancel);
    other.input(&Input::Post(Box::new(back)));
    other.dispatching = true;
    other.input(&Input::Wake);
    assert!(other.delivered.is_empty(), "{}", other.told());
}

#[test]
fn members_are_started_once_and_only_those_of_whom_the_condition_holds() {
    let mut club = Story::of(JOURNEYS);
    club.root = RootKey { entity: Name::new("group"), id: "g1".into() };
    let members = ["c1", "c2", "c1"].map(Value::text).to_vec();
    club.know(&[("members", Value::List(members))]);
    club.happen("opened_group", &[]);
    club.posted.retain(|post| post.key.journey.as_ref() == "club");
    assert_eq!(club.posted.len(), 2, "each once: {:?}", club.posted);
    for (number, vip) in [(0, true), (1, false)] {
        let mut member = Story::of(JOURNEYS);
        member.root = club.posted[number].to.clone();
        member.know(&[("vip", Value::Bool(vip))]);
        let asked = Input::Post(Box::new(club.posted[number].clone()));
        member.input(&asked).input(&asked);
        assert_eq!(member.ends().len(), usize::from(vip), "{}", member.told());
    }
}

/// What is known of the group goes with the question, as it was when the step was run.
#[test]
fn the_condition_on_members_reads_what_is_known_of_the_group() {
    let mut club = Story::of(JOURNEYS);
    club.root = RootKey { entity: Name::new("group"), id: "g1".into() };
    let members = ["c1", "c2"].map(Value::text).to_vec();
    club.know(&[("members", Value::List(members)), ("least", cny(500))]);
    club.happen("opened_group", &[]);
    club.know(&[("least", cny(0))]);
    let asked = club.posted.iter().filter(|post| post.key.journey.as_ref() == "rich_club").cloned();
    for (post, limit) in asked.zip([500, 499]) {
        let mut member = Story::of(JOURNEYS);
        member.root = post.to.clone();
        member.know(&[("loan_limit", cny(limit))]);
        member.input(&Input::Post(Box::new(post)));
        assert_eq!(member.ends().len(), usize::from(limit == 500), "{limit}: {}", member.told());
    }
}

#[test]
fn a_member_whom_nobody_knows_is_not_started() {
    let mut club = Story::of(JOURNEYS);
    club.root = RootKey { entity: Name::new("group"), id: "g1".into() };
    club.know(&[("members", Value::List(vec![Value::text("c2")]))]);
    club.happen("opened_group", &[]);
    let mut member = friend(&club);
    member.input(&Input::Post(Box::new(club.posted.remove(0))));
    assert!(member.says("did not enter: its attributes have not arrived"), "{}", member.told());
}

#[test]
fn a_list_leaves_message_by_message_and_an_exit_stops_it() {
    let mut story = Story::of(JOURNEYS);
    story.know(&[]).happen("login", &[]);
    let texts = |story: &Story| -> Vec<String> {
        story.delivered.iter().map(|delivery| delivery.parts[0].1.to_string()).collect()
    };
    assert_eq!(texts(&story), ["一"]);
    assert_eq!(story.delivered[0].message.step.as_ref(), "lesson~1");
    story.advance(jiff::SignedDuration::from_secs(19));
    assert_eq!(texts(&story), ["一"]);
    story.advance(jiff::SignedDuration::from_secs(1));
    assert_eq!(texts(&story), ["一", "二"]);
    story.happen("drawdown", &[]).advance(jiff::SignedDuration::from_secs(60));
    assert_eq!(texts(&story), ["一", "二"], "{}", story.told());
    assert_eq!(story.ends(), ["converted"]);
}

#[test]
fn a_list_ends_with_the_first_failure() {
    let mut story = Story::of(JOURNEYS);
    story.know(&[]).happen("login", &[]);
    story.provider = Some(Outcome::Failed);
    story.advance(jiff::SignedDuration::from_secs(120));
    assert_eq!(story.delivered.len(), 2);
    assert_eq!(story.ends(), ["done"], "no branch asks: {}", story.told());
}
