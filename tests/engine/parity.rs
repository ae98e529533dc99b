//! One journey, twice: under the virtual clock of `wayfare test`, and in the engine on a store. The decisions are the
//! same, word for word, at the same times.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use wayfare::compile::{Compilation, File, compile};
use wayfare::engine::{Steps, why};
use wayfare::name::Name;
use wayfare::step::explain::{Explained, explain};
use wayfare::step::{Event, EventKind, RootKey};
use wayfare::testing::{self, Suite};
use wayfare::value::{Currency, Money, Value};

use crate::support::examples;
use crate::support::stores::{Place, on_both_stores};

use super::rig::{Rig, Running, customer, event, until};

on_both_stores!(the_daemon_decides_what_the_test_decided,);

/// Nobody answers on any channel that is allowed; a late open is only recorded.
const SCRIPT: &str = r#"
import std.cn.bank { push, sms }
import std.cn.people { customer }

test "parity" of first_loan {
  given customer li { loan_limit = 50_000 CNY; consent = [push, sms] }
  clock 2026-12-01 at 09:00
  advance to 2026-12-05 at 11:00
  happen opened(offer.push)
  advance to 2026-12-20 at 09:00
  expect ended unreached
}
"#;

fn journeys() -> Compilation {
    let mut input = examples::input();
    let file = |path: &str, text: &str| File { path: path.into(), package: "".into(), text: text.into() };
    input.files.push(file("journeys/parity_test.journey", SCRIPT));
    compile(&input)
}

fn at(text: &str) -> Timestamp {
    format!("{text}:00Z").parse().unwrap()
}

fn li(id: &str) -> (RootKey, Event) {
    let channels = ["push", "sms"].map(|channel| Value::Choice(Name::new(channel)));
    let limit = Money { minor: 5_000_000, currency: Currency::parse("CNY").unwrap() };
    let fields = vec![
        (Name::new("consent"), Value::List(channels.to_vec())),
        (Name::new("loan_limit"), Value::Money(limit)),
    ];
    let (root, event) = event("import", id, at("2026-12-01T09:00"));
    (root, Event { kind: EventKind::Attributes, fields, ..event })
}

/// What `wayfare test --trace` tells, without the events and the messages themselves.
fn under_the_virtual_clock(compilation: &Compilation) -> Vec<String> {
    let bundle = std::sync::Arc::new(compilation.bundle.clone().unwrap());
    let zone = TimeZone::UTC;
    let suite =
        Suite { model: &compilation.model, bundle: &bundle, sources: &compilation.sources, zone: &zone };
    let options = testing::Options { filter: Some("parity".into()), ..testing::Options::default() };
    let reports = testing::run(suite, &options);
    assert!(reports[0].passed(), "{:#?}", reports[0]);
    // The first line says whose story it is; what happened is starred, and a message stands further right.
    let decided = |told: &str| !told.starts_with(['*', ' ']) && !is_answer(told);
    let lines = reports[0].story.iter().skip(1);
    lines.filter(|line| line.split_once("  ").is_some_and(|(_, told)| decided(told))).cloned().collect()
}

/// A provider's answer is not a decision: it comes when the provider likes, in the provider's words.
fn is_answer(told: &str) -> bool {
    told.contains("the provider answers")
}

async fn in_the_engine(compilation: &Compilation, place: Place) -> Vec<String> {
    let mut rig = Rig::on(place);
    rig.steps = Steps::REAL;
    rig.clock.set(at("2026-12-01T09:00"));
    let engine = rig.run().await;
    engine.handle.deploy(compilation.bundle.clone().unwrap()).await.unwrap();
    engine.handle.submit(vec![li("li")]).await.unwrap();
    // The clock moves to each due time in turn, as real time would.
    for (moment, sent) in
        [("2026-12-01T10:00", 1), ("2026-12-03T10:00", 2), ("2026-12-05T10:00", 3), ("2026-12-05T11:00", 3)]
    {
        rig.clock.set(at(moment));
        until(moment, async || engine.handle.stats().sent == sent).await;
    }
    let message = rig.push.attempts()[0].1.clone();
    let (root, opened) = event("import", "li", at("2026-12-05T11:00"));
    let key = wayfare::step::MessageKey::parse(&message).unwrap();
    let kind = EventKind::Message { kind: wayfare::expr::MessageEvent::Opened, key };
    engine.handle.submit(vec![(root, Event { kind, id: "open".into(), ..opened })]).await.unwrap();
    for (moment, sent) in [("2026-12-06T10:00", 4), ("2026-12-09T10:00", 5)] {
        rig.clock.set(at(moment));
        until(moment, async || engine.handle.stats().sent == sent).await;
    }
    rig.clock.set(at("2026-12-16T10:00"));
    until("the end", async || ended(&engine).await).await;
    let world = engine.handle.world();
    let account = why::account(&*engine.store, &world, &customer("li")).await.unwrap().unwrap();
    let told: Vec<String> = account.trace.iter().map(|trace| line(&explain(trace, &world))).collect();
    engine.stop().await;
    told.into_iter().filter(|told| !is_answer(told)).collect()
}

/// A decision as `wayfare test --trace` writes it; everything here happens at whole minutes.
fn line(told: &Explained) -> String {
    let clock = told.at.to_zoned(TimeZone::UTC).strftime("%Y-%m-%d %H:%M");
    let journey = told.journey.map_or("", Name::as_str);
    let place = told.place.as_deref().and_then(|place| place.rsplit('/').next()).unwrap_or_default();
    format!("{clock}  {journey}: {}  ({place})", told.sentence)
}

async fn ended(engine: &Running) -> bool {
    engine.state("li").await.instances.is_empty()
}

async fn the_daemon_decides_what_the_test_decided(place: Place) {
    let compilation = journeys();
    assert!(!compilation.has_errors(), "{:#?}", compilation.diagnostics);
    let tested = under_the_virtual_clock(&compilation);
    let run = Box::pin(in_the_engine(&compilation, place)).await;
    assert!(tested.len() > 15, "{tested:#?}");
    assert_eq!(tested.join("\n"), run.join("\n"));
}
