//! Every test of the bank's journeys, twice: under the virtual clock of `wayfare test`, and in the engine on a store.
//! The decisions are the same, word for word, and so is every message that a channel gets, at the same times.
//!
//! What the two may tell apart: a provider answers in its own words; a look of a clock leaves out at once whoever would
//! not enter; timers that are far away fire up to a minute late; what happens at one instant has no order; and who is
//! first at the last piece of a stock is chance.
//!
//! One test of each journey is played, one in which it does something if there is such a one; all of them with
//! `PARITY=all`, those of one file with `PARITY=call_centre`. Which journeys have done something in the engine is kept in
//! a list, from which `docs/coverage.md` is made; `PARITY_UPDATE=1` writes it anew.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use futures_util::FutureExt;
use futures_util::future::{BoxFuture, ready};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use wayfare::channel::{Channel, Channels, SendResult};
use wayfare::compile::{Compilation, compile};
use wayfare::engine::clock::{Clock, ManualClock};
use wayfare::engine::{EngineHandle, Options, start};
use wayfare::expr::civil::next_occurrence;
use wayfare::lottery::{Head, Kept, Seed, Terms};
use wayfare::name::Name;
use wayfare::program::value::{Lottery, outcome};
use wayfare::program::{Bundle, Enter};
use wayfare::step::explain::explain;
use wayfare::step::{Decision, Delivery, Event, EventKind, RootKey, Trace, World};
use wayfare::store::{LotteryRow, Publication};
use wayfare::testing::{self, Suite, Told, Transcript, transcripts};
use wayfare::text::FileId;

use crate::coverage::scaffold;
use crate::support::examples;
use crate::support::stores::{Place, on_both_stores};

on_both_stores!(the_daemon_decides_what_the_test_decided,);

/// Told on both stores; everything else on files only, which are quicker.
const ON_BOTH: [&str; 3] = ["call_centre", "group_life", "first_loan"];

/// Journeys that have done something in the engine as in their tests, one on each line.
pub(crate) const PLAYED: &str = "tests/engine/parity.txt";
const UPDATE: &str = "PARITY_UPDATE";

/// A channel's rate is looked at again so often.
const PACE: SignedDuration = SignedDuration::from_secs(1);

/// How late a timer may be, and what hangs on it.
const LATE: SignedDuration = SignedDuration::from_mins(2);

/// Decisions of each subject in words, and when each was made.
type Decisions = BTreeMap<RootKey, BTreeMap<String, Vec<Timestamp>>>;

/// Takes every message at once, and notes what it says.
struct Taker {
    clock: Arc<ManualClock>,
    seen: Arc<Mutex<Decisions>>,
}

impl Channel for Taker {
    fn send<'a>(&'a self, delivery: &'a Delivery) -> BoxFuture<'a, SendResult> {
        add_sent(&mut self.seen.lock().unwrap(), delivery, self.clock.now());
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

/// Adds a message as whoever gets it sees it.
fn add_sent(decisions: &mut Decisions, delivery: &Delivery, at: Timestamp) {
    let Delivery { message, channel, addressee, address, purpose, content, parts, .. } = delivery;
    let said: Vec<String> = parts.iter().map(|(name, text)| format!("{name} {text}")).collect();
    let line = format!(
        "{}/{}: {purpose} via {channel} to {address}: {content}: {}",
        message.journey,
        message.step,
        without_instants(&said.join(", "))
    );
    decisions.entry(addressee.clone()).or_default().entry(line).or_default().push(at);
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
        match &told.what {
            Told::Decided(trace) => add(&mut decisions, &told.root, trace, world),
            Told::Sent(delivery) => add_sent(&mut decisions, delivery, told.at),
            Told::Event(_) => {}
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
    let decided: Arc<Mutex<Decisions>> = Arc::default();
    let taker: Arc<dyn Channel> = Arc::new(Taker { clock: clock.clone(), seen: Arc::clone(&decided) });
    let names = bundle.channels.keys();
    let channels = names.fold(Channels::default(), |all, name| all.with(*name, Arc::clone(&taker)));
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
    let coded = bundle.values.rewards.iter().filter(|(_, reward)| reward.codes.is_some());
    for reward in coded.map(|(name, _)| name.as_str()) {
        store.codes().unwrap().import(reward, &codes(reward), begins.as_millisecond()).await.unwrap();
    }
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
    let (seed, terms) = (Seed::of_trials(), serde_json::to_string(&Terms::of(name, lottery)).unwrap());
    let commitment = seed.commitment();
    let (secret, head) = (Kept::Clear(seed), Head::first(&commitment, &terms));
    let name = name.to_string();
    LotteryRow { name, terms, commitment, secret, made: 0, ends: None, revealed: None, head }
}

/// As many of a partner as no test gives away: the virtual clock has no end of them.
fn codes(reward: &str) -> Vec<String> {
    (0..100).map(|number| format!("{reward}-{number:03}")).collect()
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

/// Whether somebody comes too late to the last piece of a stock.
fn is_chance(transcript: &Transcript, world: &World) -> bool {
    let sold_out = world.symbols.sym(Name::new(outcome::SOLD_OUT));
    decisions(transcript).any(|trace| match trace.what {
        Decision::NotGiven { outcome, .. } => Some(outcome) == sold_out,
        _ => false,
    })
}

/// Whether its journey does something: sends, shows, gives, asks somebody, makes others go, or notes what others ask.
fn acts(transcript: &Transcript, world: &World) -> bool {
    let journey = world.symbols.sym(transcript.journey);
    decisions(transcript).filter(|trace| trace.journey == journey).any(|trace| {
        matches!(
            trace.what,
            Decision::Leaves { .. }
                | Decision::Placed { .. }
                | Decision::Granted { .. }
                | Decision::Assigned { .. }
                | Decision::PassedOn { .. }
                | Decision::Started { .. }
                | Decision::StartedEach { .. }
                | Decision::Tagged { .. }
        )
    })
}

fn decisions(transcript: &Transcript) -> impl Iterator<Item = &Trace> {
    transcript.lines.iter().filter_map(|told| match &told.what {
        Told::Decided(trace) => Some(trace),
        _ => None,
    })
}

/// What was played of one project or of all, and what came of it.
#[derive(Default)]
struct Played {
    journeys: BTreeSet<Name>,
    /// Those that did something.
    acted: BTreeSet<Name>,
    found: Vec<String>,
}

impl Played {
    async fn play(&mut self, folder: PathBuf, asked: Option<&str>, place: &Place) {
        let compilation = compile(&wayfare::project::load(&[folder]).unwrap().input);
        assert!(!compilation.has_errors(), "{:#?}", compilation.diagnostics);
        let Compilation { model, sources, .. } = &compilation;
        let zone = TimeZone::get("Asia/Shanghai").unwrap();
        let file_of = |journey: Name| model.journeys.get(&journey).map(|journey| journey.span.file);
        let files: BTreeSet<FileId> = model.tests.iter().filter_map(|test| file_of(test.journey)).collect();
        for file in files {
            let bundle = Arc::new(alone(&compilation, file));
            let suite = Suite { model, bundle: &bundle, sources, zone: &zone };
            let world = World::of_bundle(Arc::clone(&bundle), zone.clone());
            let mut stories = transcripts(suite, &testing::Options::default());
            stories.retain(|story| !is_chance(story, &world));
            stories.sort_by_key(|story| !acts(story, &world));
            for story in stories {
                let is_first = !self.journeys.contains(&story.journey);
                let is_wanted = match asked {
                    Some("all") => true,
                    Some(only) => story.path.contains(only),
                    None => is_first && (place.is_file() || ON_BOTH.iter().any(|on| story.path.contains(on))),
                };
                if !is_wanted {
                    continue;
                }
                let tested = under_the_virtual_clock(&story, &world);
                let run = Box::pin(in_the_engine(&story, &bundle, &zone, place.another().await)).await;
                self.journeys.insert(story.journey);
                let Transcript { path, line, title, journey, .. } = &story;
                let differ = differences(&tested, &run, story.ends);
                if !differ.is_empty() {
                    self.found.push(format!("{path}:{line} {title}\n    {}", differ.join("\n    ")));
                } else if acts(&story, &world) {
                    self.acted.insert(*journey);
                }
            }
        }
    }
}

async fn the_daemon_decides_what_the_test_decided(place: Place) {
    let asked = std::env::var("PARITY").ok();
    let (mut played, scaffold) = (Played::default(), scaffold());
    for folder in [examples::folder(), scaffold.path().to_owned()] {
        played.play(folder, asked.as_deref(), &place).await;
    }
    let Played { journeys, acted, found } = played;
    assert!(!journeys.is_empty());
    if asked.is_none() && place.is_file() {
        let acted: String = acted.iter().flat_map(|journey| [journey.as_str(), "\n"]).collect();
        if std::env::var_os(UPDATE).is_some() {
            std::fs::write(PLAYED, &acted).unwrap();
        }
        let known = std::fs::read_to_string(PLAYED).unwrap_or_default();
        assert!(known == acted, "`{UPDATE}=1 cargo test --test suite parity` writes {PLAYED}:\n{acted}");
    }
    assert!(found.is_empty(), "{} differ\n{}", found.len(), found.join("\n"));
}
