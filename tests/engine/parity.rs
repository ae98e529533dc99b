//! Every test of the bank's journeys, twice: under the virtual clock of `wayfare test`, and in the engine on a store.
//! The decisions are the same, word for word, at the same times.
//!
//! What the two may tell apart: a provider answers in its own words; a look of a clock leaves out at once whoever would
//! not enter; timers that are far away fire up to a minute late; what happens at one instant has no order; and who is
//! first at the last piece of a stock is chance.
//!
//! One test of each journey is played, all of them with `PARITY=all`, those of one file with `PARITY=call_centre`.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use futures_util::FutureExt;
use futures_util::future::{BoxFuture, ready};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use wayfare::channel::{Channel, Channels, SendResult};
use wayfare::compile::{Compilation, compile};
use wayfare::engine::clock::ManualClock;
use wayfare::engine::{EngineHandle, Options, start};
use wayfare::expr::civil::next_occurrence;
use wayfare::lottery::{Head, Seed, Terms};
use wayfare::name::Name;
use wayfare::program::value::Lottery;
use wayfare::program::{Bundle, Enter};
use wayfare::step::explain::explain;
use wayfare::step::{Decision, Delivery, Event, EventKind, RootKey, Trace, World};
use wayfare::store::{LotteryRow, Publication};
use wayfare::testing::{self, Suite, Told, Transcript, transcripts};
use wayfare::text::FileId;

use crate::support::examples;
use crate::support::stores::{Place, on_both_stores};

on_both_stores!(the_daemon_decides_what_the_test_decided,);

/// Told on both stores; everything else on files only, which are quicker.
const ON_BOTH: [&str; 3] = ["call_centre", "group_life", "first_loan"];

/// A channel's rate is looked at again so often.
const PACE: SignedDuration = SignedDuration::from_secs(1);

/// How late a timer may be, and what hangs on it.
const LATE: SignedDuration = SignedDuration::from_mins(2);

/// Decisions of each subject in words, and when each was made.
type Decisions = BTreeMap<RootKey, BTreeMap<String, Vec<Timestamp>>>;

/// Takes every message at once.
struct Taker;

impl Channel for Taker {
    fn send<'a>(&'a self, _: &'a Delivery) -> BoxFuture<'a, SendResult> {
        ready(SendResult::Accepted { detail: "accepted".into() }).boxed()
    }
}

/// An engine that is asked about after each thing that happens.
struct Stage {
    handle: EngineHandle,
    clock: Arc<ManualClock>,
    decided: Arc<Mutex<Decisions>>,
    /// Turns in which every sweep that may be due has had its page.
    turns: usize,
}

impl Stage {
    /// Until nothing more happens at this instant.
    async fn still(&self) {
        loop {
            let before = (self.count(), self.handle.stats().outbox);
            for _ in 0..self.turns {
                self.handle.quarantine(Vec::new()).await.unwrap();
            }
            let stats = self.handle.stats();
            let is_due = stats.next_due.is_some_and(|due| due <= self.handle.now());
            if !is_due && (self.count(), stats.outbox) == before {
                return;
            }
        }
    }

    /// From one timer to the next, as real time would; while messages wait for their turn, in small steps.
    async fn go_to(&self, at: Timestamp) {
        loop {
            let (stats, now) = (self.handle.stats(), self.handle.now());
            let soon = (stats.outbox > 0).then(|| now + PACE);
            let next = [soon, stats.next_due, self.next_look(now)].into_iter().flatten();
            let next = next.min().unwrap_or(at).min(at);
            if next <= now {
                return;
            }
            self.clock.set(next);
            self.still().await;
        }
    }

    /// When a clock lets some journey look.
    fn next_look(&self, now: Timestamp) -> Option<Timestamp> {
        let world = self.handle.world();
        let schedules = world.bundle.programs.values().filter_map(|program| match &program.body.enter {
            Enter::When { schedule, .. } => schedule.as_ref(),
            Enter::Every { schedule, .. } => Some(schedule),
            _ => None,
        });
        let next = schedules.filter(|schedule| schedule.attribute().is_none()).filter_map(|schedule| {
            let calendar = schedule.calendar.and_then(|name| world.bundle.calendars.get(&name));
            next_occurrence(schedule, now, &world.zone, calendar)
        });
        next.min()
    }

    fn count(&self) -> usize {
        self.decided.lock().unwrap().values().flat_map(BTreeMap::values).map(Vec::len).sum()
    }
}

/// Adds decisions as `wayfare test --trace` writes them.
fn add(decisions: &mut Decisions, root: &RootKey, trace: &Trace, world: &World) {
    if matches!(trace.what, Decision::Answered { .. } | Decision::NotEntered { .. }) {
        return;
    }
    let told = explain(trace, world);
    let journey = told.journey.map_or("", Name::as_str);
    let place = told.place.as_deref().and_then(|place| place.rsplit('/').next()).unwrap_or_default();
    let line = format!("{journey}: {}  ({place})", without_instants(&told.sentence));
    decisions.entry(root.clone()).or_default().entry(line).or_default().push(trace.at);
}

/// Instants in a sentence may be a little later; when something happens is compared itself.
fn without_instants(sentence: &str) -> String {
    let is_instant = |word: &str| {
        word.len() >= 5 && word.starts_with(|one: char| one.is_ascii_digit()) && word.contains(['-', ':'])
    };
    let words = sentence.split(' ').map(|word| if is_instant(word) { "…" } else { word });
    words.collect::<Vec<_>>().join(" ")
}

fn under_the_virtual_clock(transcript: &Transcript, world: &World) -> Decisions {
    let mut decisions = Decisions::new();
    for told in &transcript.lines {
        if let Told::Decided(trace) = &told.what {
            add(&mut decisions, &told.root, trace, world);
        }
    }
    decisions
}

/// A report on a message names the instant at which its journey was entered, where a change let it begin.
fn as_begun(event: &Event, tested: Timestamp, begins: Timestamp) -> Event {
    let mut event = event.clone();
    if let EventKind::Message { key, .. } = &mut event.kind {
        key.entry = key.entry.replace(&tested.to_string(), &begins.to_string()).into();
    }
    event
}

async fn in_the_engine(transcript: &Transcript, bundle: &Bundle, zone: &TimeZone, place: Place) -> Decisions {
    // What is due just when the story begins is still to come.
    let begins = transcript.begins - SignedDuration::from_millis(1);
    let clock = Arc::new(ManualClock::new(begins));
    let taker: Arc<dyn Channel> = Arc::new(Taker);
    let names = bundle.channels.keys();
    let channels = names.fold(Channels::default(), |all, name| all.with(*name, Arc::clone(&taker)));
    let decided: Arc<Mutex<Decisions>> = Arc::default();
    let seen = Arc::clone(&decided);
    let watcher = move |world: &World, root: &RootKey, traces: &[Trace]| {
        let mut seen = seen.lock().unwrap();
        traces.iter().for_each(|trace| add(&mut seen, root, trace, world));
    };
    let options =
        Options { watcher: Some(Arc::new(watcher)), ..Options::new(channels, zone.clone(), clock.clone()) };
    let store = place.open(true).await.unwrap();
    let new = bundle.values.lotteries.iter().map(|(name, lottery)| bound(*name, lottery)).collect();
    let publication = Publication { new, ends: Vec::new() };
    store.lotteries().unwrap().publish(&publication).await.unwrap();
    let (handle, task) = start(store, options).await.unwrap();
    let stage = Stage { handle, clock, decided, turns: bundle.programs.len() + 3 };
    stage.handle.deploy(bundle.clone()).await.unwrap();
    stage.still().await;
    for told in &transcript.lines {
        if told.at > transcript.begins {
            stage.go_to(told.at).await;
        }
        if let Told::Event(event) = &told.what {
            let event = &as_begun(event, transcript.begins, begins);
            stage.handle.submit(vec![(told.root.clone(), event.clone())]).await.unwrap();
            stage.still().await;
        }
    }
    stage.go_to(transcript.ends + LATE).await;
    stage.handle.stop().await;
    task.await.unwrap().unwrap();
    let decided = stage.decided.lock().unwrap();
    decided.clone()
}

/// Bound to the seed of tests already: the engine makes no other one for the same terms.
fn bound(name: Name, lottery: &Lottery) -> LotteryRow {
    let (secret, terms) = (Seed::of_trials(), serde_json::to_string(&Terms::of(name, lottery)).unwrap());
    let commitment = secret.commitment();
    let head = Head::first(&commitment, &terms);
    let name = name.to_string();
    LotteryRow { name, terms, commitment, secret, made: 0, ends: None, revealed: None, head }
}

/// The journeys of one file alone: those of others would only take time.
fn alone(compilation: &Compilation, file: FileId) -> Bundle {
    let mut bundle = compilation.bundle.clone().unwrap();
    let model = &compilation.model;
    bundle.programs.retain(|name, _| model.journeys.get(name).is_some_and(|known| known.span.file == file));
    bundle
}

/// What only one of them has decided. The story ends for the test somewhere within its last instant.
fn differences(tested: &Decisions, run: &Decisions, ends: Timestamp) -> Vec<String> {
    let mut found = Vec::new();
    let (nothing, never) = (BTreeMap::new(), Vec::new());
    for root in tested.keys().chain(run.keys()).collect::<BTreeSet<_>>() {
        let (tested, run) = (tested.get(root).unwrap_or(&nothing), run.get(root).unwrap_or(&nothing));
        for line in tested.keys().chain(run.keys()).collect::<BTreeSet<_>>() {
            let one = tested.get(line).unwrap_or(&never);
            let mut other = run.get(line).unwrap_or(&never).clone();
            for at in one {
                let near = other.iter().position(|then| then.duration_since(*at).abs() <= LATE);
                match near {
                    Some(near) => _ = other.remove(near),
                    None => found.push((*at, format!("{at} {}: only tested: {line}", root.id))),
                }
            }
            let more = other.into_iter().filter(|at| *at < ends);
            found.extend(more.map(|at| (at, format!("{at} {}: only in the engine: {line}", root.id))));
        }
    }
    found.sort();
    found.into_iter().map(|(_, told)| told).collect()
}

/// Whether it tells of the end of a stock, or of a draw: a daemon draws from a seed of its own.
fn is_chance(tested: &Decisions) -> bool {
    let is_chance = |line: &String| line.contains("there is no more of it") || line.contains("draw");
    tested.values().flat_map(BTreeMap::keys).any(is_chance)
}

async fn the_daemon_decides_what_the_test_decided(place: Place) {
    let compilation = compile(&wayfare::project::load(&[examples::folder()]).unwrap().input);
    assert!(!compilation.has_errors(), "{:#?}", compilation.diagnostics);
    let Compilation { model, sources, .. } = &compilation;
    let zone = TimeZone::get("Asia/Shanghai").unwrap();
    let asked = std::env::var("PARITY").ok();
    let file_of = |journey: Name| model.journeys.get(&journey).map(|journey| journey.span.file);
    let files: BTreeSet<FileId> = model.tests.iter().filter_map(|test| file_of(test.journey)).collect();
    let (mut played, mut found) = (BTreeMap::<Name, usize>::new(), Vec::new());
    for file in files {
        let bundle = Arc::new(alone(&compilation, file));
        let suite = Suite { model, bundle: &bundle, sources, zone: &zone };
        let world = World::of_bundle(Arc::clone(&bundle), zone.clone());
        for transcript in transcripts(suite, &testing::Options::default()) {
            let is_first = !played.contains_key(&transcript.journey);
            let is_wanted = match asked.as_deref() {
                Some("all") => true,
                Some(only) => transcript.path.contains(only),
                None => {
                    is_first && (place.is_file() || ON_BOTH.iter().any(|name| transcript.path.contains(name)))
                }
            };
            let tested = under_the_virtual_clock(&transcript, &world);
            if !is_wanted || is_chance(&tested) {
                continue;
            }
            let run = Box::pin(in_the_engine(&transcript, &bundle, &zone, place.another().await)).await;
            *played.entry(transcript.journey).or_default() += 1;
            let Transcript { path, line, title, .. } = &transcript;
            let differ = differences(&tested, &run, transcript.ends);
            if !differ.is_empty() {
                found.push(format!("{path}:{line} {title}\n    {}", differ.join("\n    ")));
            }
        }
    }
    let least = if asked.is_some() || !place.is_file() { 1 } else { 80 };
    assert!(played.len() >= least, "{played:#?}");
    assert!(found.is_empty(), "{} differ\n{}", found.len(), found.join("\n"));
}
