//! Random audiences over random customers: whoever a look would do anything to is among those that the store sifts out
//! for it. 100,000 pairs of an audience and a customer in release.

use std::sync::Arc;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use wayfare::compile::{File, Input as Text, compile};
use wayfare::name::Name;
use wayfare::program::Bundle;
use wayfare::step::{Event, EventKind, Input, RootKey, State, World, codec, facets, step};
use wayfare::store::{Commit, RowKey, Sift, StateRow};
use wayfare::value::{Currency, Money, Value};

use super::upkeep::every;
use crate::support::chance::Chance;
use crate::support::stores::{Place, on_both_stores};

on_both_stores!(nobody_who_belongs_is_sifted_away,);

const ROUNDS: u64 = if cfg!(debug_assertions) { 2 } else { 50 };
const JOURNEYS: usize = 20;
const CUSTOMERS: usize = 100;

const BANK: &str = r"
choice tier { silver; gold; diamond }
event payment of customer { amount : Int }
entity customer {
  key id : Id
  tier : tier?
  vip : Bool
  age : Int?
  balance : Money(CNY)?
  born : Date?
  city : Text?
  wealthy : Bool = (balance otherwise 0 CNY) >= 50_000 CNY
}
entity holding of customer { key id : Id; amount : Int; ends : Date? }
audience grown of customer = (age otherwise 0) >= 18
audience likely of customer = grown and any payment during last 30 days
";

/// A condition of a customer, or of a holding, up to three levels deep.
fn condition(chance: &mut Chance, of_holding: bool, depth: u64) -> String {
    if depth > 0 && chance.below(3) > 0 {
        let (left, right) =
            (condition(chance, of_holding, depth - 1), condition(chance, of_holding, depth - 1));
        return match chance.below(3) {
            0 => format!("({left} or {right})"),
            1 => format!("({left} and {right})"),
            _ => format!("(not ({left}) and {right})"),
        };
    }
    let number = chance.below(60);
    if of_holding {
        return match chance.below(5) {
            0 => format!("amount >= {number}"),
            1 => "ends is known".into(),
            2 => "(ends otherwise 2026-01-01) < today".into(),
            3 => format!("(customer.age otherwise 0) < {number}"),
            _ => "customer.vip".into(),
        };
    }
    match chance.below(14) {
        0 => "(tier otherwise silver) is gold".into(),
        1 => "tier is known".into(),
        2 => format!("(age otherwise 30) >= {number}"),
        3 => format!("(balance otherwise 0 CNY) < {}_000 CNY", number + 1),
        4 => "vip".into(),
        5 => "wealthy".into(),
        6 => "grown".into(),
        7 => "likely".into(),
        8 => "(born otherwise 2000-01-01) < 1990-06-15".into(),
        9 => "(born otherwise 2000-01-01) < today".into(),
        10 => "any payment during last 10 days".into(),
        11 => format!("count(payment where amount >= {number} ever) >= 2"),
        12 => format!("any holding where amount >= {number}"),
        _ => "(city otherwise \"\") has \"州\"".into(),
    }
}

fn compiled(text: &str) -> Option<Bundle> {
    let file = File { path: "bank.journey".into(), package: "".into(), text: text.into() };
    compile(&Text { files: vec![file], ..Text::default() }).bundle
}

/// One that the checker lets through: it refuses what can never be true.
fn journey(chance: &mut Chance, number: usize) -> String {
    let of_holding = number % 5 == 4;
    let subject = if of_holding { "holding" } else { "customer" };
    loop {
        let depth = chance.below(4);
        let wanted = condition(chance, of_holding, depth);
        let enter = if number.is_multiple_of(2) {
            format!("enter when {wanted} every day at 09:00\n  existing include")
        } else {
            format!("enter every day at 09:00 where {wanted}")
        };
        let text = format!(
            "journey j{number} of {subject} {{
  purpose service
  owner \"crm@bank.example\"
  {enter}
  reenter per day
  end done
}}
"
        );
        if compiled(&format!("{BANK}{text}")).is_some() {
            return text;
        }
    }
}

fn bank(chance: &mut Chance) -> (World, String) {
    let journeys: String = (0..JOURNEYS).map(|number| journey(chance, number)).collect();
    let text = format!("{BANK}{journeys}");
    (World::of_bundle(Arc::new(compiled(&text).unwrap()), TimeZone::UTC), text)
}

fn event(
    kind: EventKind,
    id: String,
    child: Option<&str>,
    at: Timestamp,
    fields: Vec<(Name, Value)>,
) -> Input {
    let child = child.map(|id| (Name::new("holding"), id.into()));
    Input::Event(Event { source: "bank".into(), id: id.into(), kind, child, time: at, received: at, fields })
}

fn attributes(chance: &mut Chance) -> Vec<(Name, Value)> {
    let mut fields = vec![(Name::new("vip"), Value::Bool(chance.below(2) == 0))];
    let cny = Currency::parse("CNY").unwrap();
    let number = i64::try_from(chance.below(60)).unwrap();
    let all = [
        (
            "tier",
            Value::Choice(Name::new(["silver", "gold", "diamond"][usize::try_from(number).unwrap() % 3])),
        ),
        ("age", Value::Int(number)),
        ("balance", Value::Money(Money { minor: number * 200_000, currency: cny })),
        ("born", Value::Date(jiff::civil::date(1966 + i16::try_from(number).unwrap(), 6, 15))),
        ("city", Value::text(["杭州", "北京", "广州"][usize::try_from(number).unwrap() % 3])),
    ];
    fields.extend(
        all.into_iter().filter(|_| chance.below(4) > 0).map(|(name, value)| (Name::new(name), value)),
    );
    fields
}

/// Somebody with a past: attributes that changed, payments, holdings, looks of days before.
fn customer(world: &World, root: &RootKey, chance: &mut Chance, now: Timestamp) -> State {
    let mut state = State::default();
    let mut live = |input: &Input, at| drop(step(world, root, &mut state, input, at));
    let day = jiff::SignedDuration::from_hours(24);
    if chance.below(20) > 0 {
        live(
            &event(EventKind::Attributes, "a0".into(), None, now - day * 40, attributes(chance)),
            now - day * 40,
        );
    }
    for holding in 0..chance.below(3) {
        let amount = Value::Int(i64::try_from(chance.below(60)).unwrap());
        let fields = vec![(Name::new("amount"), amount)];
        let (id, child) = (format!("h{holding}"), holding.to_string());
        live(&event(EventKind::Attributes, id, Some(&child), now - day * 39, fields), now - day * 39);
    }
    for paid in 0..chance.below(4) {
        let at = now - day * i32::try_from(38 - paid * 10).unwrap();
        let fields = vec![(Name::new("amount"), Value::Int(i64::try_from(chance.below(60)).unwrap()))];
        live(&event(EventKind::Declared(Name::new("payment")), format!("p{paid}"), None, at, fields), at);
    }
    for number in 0..JOURNEYS {
        if chance.below(3) > 0 {
            let journey = Name::new(&format!("j{number}"));
            live(&Input::Tick { journey, at: now - day * 2 }, now - day * 2);
        }
    }
    if chance.below(2) == 0 {
        live(&event(EventKind::Attributes, "a1".into(), None, now - day, attributes(chance)), now - day);
    }
    state
}

async fn nobody_who_belongs_is_sifted_away(place: Place) {
    let mut chance = Chance::new("WAYFARE_SIEVE_SEED");
    let now: Timestamp = "2026-11-22T09:00:00Z".parse().unwrap();
    let (mut pairs, mut spared) = (0, 0);
    let store = place.open(false).await.unwrap();
    for round in 0..ROUNDS {
        let (world, text) = bank(&mut chance);
        // Another kind each round, so that one store does for all.
        let kind = u32::try_from(round).unwrap() + 1_000;
        let mut customers = Vec::new();
        let mut commit = Commit::default();
        for number in 0..CUSTOMERS {
            let root = RootKey { entity: Name::new("customer"), id: format!("c{number}").into() };
            let state = customer(&world, &root, &mut chance, now);
            let key = RowKey::new(kind, "customer", Arc::clone(&root.id));
            commit.states.push(StateRow {
                key: key.clone(),
                version: 0,
                body: codec::encode(&state).unwrap(),
            });
            // One in ten was written before anybody asked.
            commit.facets.push(if chance.below(10) == 0 { None } else { facets::of(&world, &root, &state) });
            customers.push((key, root, state));
        }
        store.commit(&Commit { batch: round + 1, ..commit }).await.unwrap();
        for number in 0..JOURNEYS {
            let journey = Name::new(&format!("j{number}"));
            let sieve = facets::sieve(&world, journey);
            let kept = every(&*store, Sift { kind, sieve, look: 64, most: 32 }).await;
            for (key, root, state) in &customers {
                pairs += 1;
                if kept.iter().any(|(kept, _)| kept == key) {
                    continue;
                }
                spared += 1;
                let mut after = state.clone();
                let output = step(&world, root, &mut after, &Input::Tick { journey, at: now }, now);
                let entered = output
                    .trace
                    .iter()
                    .any(|trace| matches!(trace.what, wayfare::step::Decision::Entered { .. }));
                assert!(!entered, "{journey} of {root:?}: {state:#?}\n{text}");
                // Nothing that a quiet look would have to write.
                assert_eq!(&after, state, "{journey} of {root:?}\n{text}");
            }
        }
    }
    println!("{pairs} pairs, {spared} of them spared the look");
    assert!(spared * 5 > pairs, "a sieve that keeps nearly all is none: {spared} of {pairs}");
}
