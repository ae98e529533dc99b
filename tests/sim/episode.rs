//! One simulation: a seed decides what happens, what goes wrong, and when. A step is one scheduled action and all that
//! follows from it until nothing moves any more; then everything is checked.

mod back;
mod drain;
mod fault;
mod turns;

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use wayfare::channel::SendResult;
use wayfare::engine::Receipt;
use wayfare::engine::clock::Clock;
use wayfare::step::{Kill, MessageKey};
use wayfare::store::Store as _;

use crate::support::chance::Chance;

use super::backing::Backing;
use super::bank;
use super::faults::{Ground, Plan};
use super::flaws::Flaw;
use super::model::Model;
use super::process::{Process, Surroundings};
use super::source::{Source, report};
use super::world::SimClock;

/// Actions that are shown when something is wrong.
const SHOWN: usize = 40;
/// How long an owner stays down, or a disk full, in actions.
const LONGEST_OUTAGE: u32 = 12;
/// Real time after which a worker is given up by the others.
const GIVEN_UP: Duration = Duration::from_millis(9_200);
/// How often a worker looks at what others left for it, and how often it is waited for.
const LOOK: Duration = Duration::from_millis(51);
const MOST_DELIVERIES: u32 = 8;
/// Turns that workers take within one action.
const MOST_TURNS: u32 = 400;
/// Milliseconds after which each worker has noticed what another was told.
const NOTICED: u64 = 3_000;
/// Nights on which clocks change are near each of these.
const BEGINS: [&str; 4] =
    ["2026-10-22T01:00:00Z", "2026-11-29T16:00:00Z", "2027-03-10T03:00:00Z", "2027-03-25T20:00:00Z"];

/// Messages of a channel that the daemon holds in memory; most outboxes are longer than the least of these.
const MOST_HELD: [usize; 4] = [2, 5, 30, 10_000];

/// What a simulation does.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Script {
    pub seed: u64,
    /// Actions before the faults stop.
    pub steps: u64,
    /// In a thousand actions, those that are faults; without any, only the calm customers do something.
    pub faults: u64,
    pub sqlite: bool,
    /// How many workers share the store; one has it alone.
    pub workers: usize,
    pub flaw: Option<Flaw>,
}

/// What came of it.
pub(crate) struct Told {
    pub steps: u64,
    pub faults: BTreeMap<&'static str, u64>,
    pub facts: BTreeMap<&'static str, u64>,
    pub calm: BTreeMap<Arc<str>, Vec<String>>,
    pub digest: u64,
}

/// Something is wrong: what, and what was done before.
#[derive(Debug)]
pub(crate) struct Broken {
    pub step: u64,
    pub what: Vec<String>,
    pub story: Vec<String>,
}

/// One of the workers, under its name.
#[derive(Default)]
struct Slot {
    process: Option<Process>,
    /// It stands still, since so many milliseconds of the server's clock.
    paused: Option<u64>,
    /// Actions since it went down.
    down: u32,
}

pub(crate) struct Episode {
    slots: Vec<Slot>,
    /// Milliseconds of real time.
    real: u64,
    /// Switches that one worker was told of, and since when.
    switched: Option<(Kill, u64)>,
    /// An owner that does not know yet that it is none any more.
    zombie: Option<Process>,
    script: Script,
    chance: Chance,
    around: Surroundings,
    backing: Backing,
    source: Source,
    lives: u32,
    /// Actions since the daemon went down, or the disk became full.
    outage: u32,
    version: usize,
    killed: bool,
    /// How often switches were asked for.
    switches: u32,
    retries: BTreeMap<MessageKey, u32>,
    /// A gift that was to be taken back, and nobody knows whether it was.
    unheard: Option<String>,
    story: VecDeque<String>,
    /// How much of it.
    shown: usize,
    steps: u64,
}

/// Runs a script to its end.
///
/// # Errors
/// The first step after which something is wrong.
pub(crate) fn run(script: Script) -> Result<Told, Broken> {
    // Most stories are read by nobody: the one that is to be read is lived through once more.
    run_telling(script, 0).map_err(|broken| {
        let shown = super::number("WAYFARE_SIM_SHOWN").map_or(SHOWN, |shown| usize::try_from(shown).unwrap());
        run_telling(script, shown).err().unwrap_or(broken)
    })
}

/// The same, with the last `shown` actions in the story.
fn run_telling(script: Script, shown: usize) -> Result<Told, Broken> {
    let mut episode = Episode::new(script, shown);
    match episode.all() {
        Ok(()) => Ok(episode.told()),
        Err(what) => {
            let story = episode.story.iter().cloned().collect();
            Err(Broken { step: episode.steps, what, story })
        }
    }
}

type Checked = Result<(), Vec<String>>;

impl Episode {
    fn new(script: Script, shown: usize) -> Self {
        let mut chance = Chance::seeded(script.seed);
        let begin: Timestamp = chance.one(&BEGINS).parse().unwrap();
        let mut calm = Chance::seeded(script.seed ^ 0x5eed);
        let most_held = *calm.one(&MOST_HELD);
        let ground = Arc::new(Ground {
            flaw: script.flaw,
            plan: Mutex::new(Plan::new(script.seed, 12)),
            model: Mutex::new(Model::default()),
        });
        let clock = Arc::new(SimClock::new(begin));
        Self {
            script,
            chance,
            around: Surroundings { ground, clock, providers: Arc::default(), most_held },
            backing: Backing::new(script.sqlite, script.flaw),
            source: Source::new(&mut calm, begin),
            slots: (0..script.workers.max(1)).map(|_| Slot::default()).collect(),
            real: 0,
            switched: None,
            zombie: None,
            lives: 0,
            outage: 0,
            version: 0,
            killed: false,
            switches: 0,
            retries: BTreeMap::new(),
            unheard: None,
            story: VecDeque::new(),
            shown,
            steps: 0,
        }
    }

    fn all(&mut self) -> Checked {
        self.start_all();
        self.deploy();
        self.settle()?;
        while self.steps < self.script.steps {
            self.steps += 1;
            self.act();
            self.settle()?;
        }
        self.drain()?;
        self.every_account()
    }

    fn told(self) -> Told {
        let plan = self.around.ground.plan();
        let model = self.around.ground.model();
        Told {
            steps: self.steps,
            faults: plan.happened.clone(),
            facts: model.facts.clone(),
            calm: model.outcome(bank::CALM),
            digest: model.digest,
        }
    }

    fn say(&mut self, what: impl FnOnce() -> String) {
        if self.shown == 0 {
            return;
        }
        if self.story.len() >= self.shown {
            self.story.pop_front();
        }
        let line = format!("{} {} {}", self.steps, self.now(), what());
        self.story.push_back(line);
    }

    fn now(&self) -> Timestamp {
        self.around.clock.now()
    }

    /// Lets the daemons run until nothing moves, then looks at everything.
    fn settle(&mut self) -> Checked {
        let now = self.now();
        self.around.ground.model().seen(now);
        self.run_for(Duration::from_millis(1));
        if self.is_shared() {
            self.deliver();
        }
        self.gather();
        let healthy = self.is_healthy();
        let mut model = self.around.ground.model();
        if healthy {
            model.in_time(now);
        }
        if model.broken.is_empty() { Ok(()) } else { Err(std::mem::take(&mut model.broken)) }
    }

    /// Whether an engine waits before it tries its store again.
    pub(super) fn has_trouble(&self) -> bool {
        self.running().any(|process| process.trouble.is_there())
    }

    /// Takes what the daemons say: receipts, what came of deployments, and whether they have ended.
    fn gather(&mut self) {
        let many = self.slots.len();
        for place in 0..=many {
            let slot = match self.slots.get_mut(place) {
                Some(slot) if slot.paused.is_some() => continue,
                Some(slot) => &mut slot.process,
                None => &mut self.zombie,
            };
            let Some(process) = slot else { continue };
            for (events, answer) in process.answered() {
                match answer {
                    Ok(mut receipts) => {
                        if self.script.flaw == Some(Flaw::AlwaysAccepts) {
                            receipts.fill(Receipt::Accepted);
                        }
                        let mut model = self.around.ground.model();
                        for ((root, event), receipt) in events.iter().zip(&receipts) {
                            model.receipted(&root.id, event, receipt);
                        }
                        if receipts.len() != events.len() {
                            model.broken.push("a receipt is missing".to_owned());
                        }
                    }
                    Err(_) => self.source.unsure.extend(events),
                }
            }
            for told in process.told() {
                match told {
                    Ok(Some((asked, kill))) if place < many && asked == self.switches => {
                        self.switched = Some((kill, self.real));
                    }
                    Ok(_) => {}
                    Err(error) => {
                        self.around.ground.plan().happen("administration failed");
                        let line = format!("  failed: {error}");
                        self.story.push_back(line);
                    }
                }
            }
            if process.is_over() {
                self.source.unsure.extend(process.unanswered());
                let process = slot.take();
                self.ended(process);
            }
        }
        self.switch();
    }

    /// Where several share a store, each notices at its next heartbeat what was switched.
    fn switch(&mut self) {
        let waits = if self.is_shared() { NOTICED } else { 0 };
        if self.slots.iter().any(|slot| slot.paused.is_some()) {
            return;
        }
        if let Some((kill, _)) = self.switched.take_if(|(_, since)| *since + waits <= self.real) {
            self.around.ground.model().switched(kill);
        }
    }

    fn ended(&mut self, process: Option<Process>) {
        let Some(Err(reason)) = process.map(Process::end) else { return };
        let line = format!("  the engine ended: {reason}");
        self.story.push_back(line);
        if reason.contains("panicked") {
            self.around.ground.model().broken.push(reason);
        } else {
            self.around.ground.plan().happen("the engine gave up");
        }
    }

    fn act(&mut self) {
        self.mend();
        if self.has_trouble() && self.chance.percent(25) {
            self.real_time(Duration::from_millis(250));
        }
        if self.chance.below(1_000) < self.script.faults {
            return self.fault();
        }
        if self.is_shared() && self.chance.percent(4) {
            return self.real_time(Duration::from_millis(1_100));
        }
        let calm = self.script.faults == 0;
        match self.chance.below(100) {
            30..56 => self.advance(),
            56..84 => self.answer(),
            84..90 if !calm => self.report(),
            90..92 => self.account(),
            92..94 => self.start_one(),
            94..97 => self.release(),
            97 => self.real_time(Duration::from_millis(250)),
            98 if self.chance.percent(50) => self.take_back(),
            98 if self.chance.percent(40) => self.real_time(Duration::from_secs(130)),
            99 if !calm => self.deploy(),
            _ => self.submit(calm),
        }
    }

    /// Nothing is broken for long.
    fn mend(&mut self) {
        let full = self.around.ground.plan().full;
        self.outage = if full { self.outage + 1 } else { 0 };
        if self.outage > LONGEST_OUTAGE {
            self.around.ground.plan().full = false;
        }
        for place in 0..self.slots.len() {
            let Some(slot) = self.slots.get_mut(place) else { continue };
            let down = slot.process.is_none() || slot.paused.is_some();
            slot.down = if down { slot.down + 1 } else { 0 };
            if slot.down > LONGEST_OUTAGE {
                self.wake(place);
                self.start(place);
            }
        }
    }

    fn start_one(&mut self) {
        let down = |(_, slot): &(usize, &Slot)| slot.process.is_none();
        let first = self.slots.iter().enumerate().find(down).map(|(place, _)| place);
        match first {
            Some(place) => self.start(place),
            None => self.submit(self.script.faults == 0),
        }
    }

    fn start_all(&mut self) {
        for place in 0..self.slots.len() {
            self.wake(place);
            self.start(place);
        }
    }

    /// One of the workers.
    fn any(&mut self) -> usize {
        if self.is_shared() { self.chance.place(self.slots.len()) } else { 0 }
    }

    fn submit(&mut self, calm: bool) {
        let now = self.now();
        let mut events = self.source.planned(now);
        if self.chance.percent(30) {
            events.extend(self.source.again(now));
        }
        if !calm {
            for _ in 0..=self.chance.below(4) {
                let event = self.source.next(&mut self.chance, now);
                events.push(event);
            }
        }
        self.send(events);
    }

    fn send(&mut self, events: Vec<super::source::Submitted>) {
        if events.is_empty() {
            return;
        }
        self.say(|| {
            let ids: Vec<String> =
                events.iter().map(|(root, event)| format!("{}:{}", root.id, event.id)).collect();
            format!("submit {}", ids.join(" "))
        });
        let to_zombie = self.zombie.is_some() && self.chance.percent(50);
        let place = self.any();
        let process = if to_zombie { &mut self.zombie } else { &mut self.slots[place].process };
        match process {
            Some(process) => process.submit(events),
            None => self.source.unsure.extend(events),
        }
    }

    fn advance(&mut self) {
        let seconds = |n: u64| SignedDuration::from_secs(i64::try_from(n).unwrap());
        let now = self.now();
        let next = self.around.ground.model().next_due();
        let to = match (self.chance.below(10), next) {
            (0..5, Some(next)) if next > now && next < now + seconds(7_200) => {
                let late = self.chance.below(3);
                next + seconds(late)
            }
            (0..7, _) => now + seconds(self.chance.below(600)),
            _ => now + seconds(self.chance.below(7_200)),
        };
        self.say(|| format!("clock {to}"));
        self.around.clock.set(to);
    }

    fn answer(&mut self) {
        let count = self.chance.below(6);
        for _ in 0..=count {
            self.answer_one();
        }
    }

    /// A provider makes up its mind about a message.
    fn answer_one(&mut self) {
        let mut providers = self.around.providers.lock().unwrap();
        if providers.open.is_empty() {
            return;
        }
        let place = self.chance.place(providers.open.len());
        let open = providers.open.swap_remove(place);
        let calm = open.channel == "bell";
        let mood = self.chance.below(100);
        let detail: Arc<str> = "as the seed says".into();
        let tries = self.retries.entry(open.key.clone()).or_default();
        *tries += 1;
        let steady = self.script.faults == 0 || calm && *tries > 2;
        let (takes, result) = match mood {
            _ if steady => (true, SendResult::Accepted { detail }),
            0..70 => (true, SendResult::Accepted { detail }),
            70..80 => (false, SendResult::Retry { after: None, detail }),
            80..86 => (true, SendResult::Ambiguous { detail }),
            86..91 => (false, SendResult::Ambiguous { detail }),
            91..96 if !calm => (false, SendResult::Rejected { detail }),
            _ => (false, SendResult::Retry { after: Some(Duration::from_secs(30)), detail }),
        };
        let told = (self.shown > 0).then(|| (open.channel, open.key.clone(), result.clone()));
        if takes {
            *providers.taken.entry(open.key.clone()).or_default() += 1;
        }
        let kind = match &result {
            SendResult::Ambiguous { .. } if takes => "answer lost after acceptance",
            SendResult::Ambiguous { .. } => "answer lost before acceptance",
            SendResult::Retry { .. } => "provider busy",
            SendResult::Rejected { .. } => "provider refused",
            SendResult::Accepted { .. } | SendResult::Closed { .. } => "",
        };
        let heard = open.answer(result);
        drop(providers);
        if !kind.is_empty() {
            self.around.ground.plan().happen(kind);
        }
        if let Some((channel, key, result)) = told {
            let unheard = if heard { "" } else { ", unheard" };
            self.say(|| format!("{channel} takes {key}: {takes}, {result:?}{unheard}"));
        }
    }

    fn report(&mut self) {
        let now = self.now();
        let providers = self.around.providers.lock().unwrap();
        if providers.taken.is_empty() {
            return;
        }
        let place = self.chance.place(providers.taken.len());
        let key = providers.taken.keys().nth(place).unwrap().clone();
        drop(providers);
        let event = report(&mut self.chance, &key, now);
        let again = self.chance.percent(15);
        let events = if again { vec![event.clone(), event] } else { vec![event] };
        self.send(events);
    }

    fn release(&mut self) {
        self.around.ground.plan().release();
        self.say(|| "stalls are over".to_owned());
    }

    fn real_time(&mut self, real: Duration) {
        self.say(|| format!("{real:?} of real time"));
        self.run_for(real);
    }

    fn deploy(&mut self) {
        if self.script.faults > 0 && self.steps > 0 {
            self.version += 1;
        }
        let version = self.version;
        let place = self.any();
        self.say(|| format!("deploy version {} at {place}", version % 2));
        if let Some(process) = &mut self.slots[place].process {
            let flawed = self.script.flaw.map(|flaw| bank::flawed(version, flaw));
            process.deploy(flawed.unwrap_or_else(|| bank::bundle(version).clone()));
        }
    }

    fn start(&mut self, place: usize) {
        if self.slots[place].process.is_some() {
            return;
        }
        self.lives += 1;
        let life = self.lives;
        self.say(|| format!("start {life} at {place}"));
        let shared = self.is_shared();
        let Some(opened) = self.backing.open(&format!("w{place}"), shared) else { return };
        let lease = opened.memory.as_ref().filter(|_| shared).map(|memory| memory.lease());
        self.around.ground.model().has_books = opened.store.ledger().is_some();
        self.around.ground.model().born(life, lease.as_ref());
        match Process::start(&self.around, opened, (life, shared)) {
            Ok(process) => self.slots[place].process = Some(process),
            Err(error) => self.say(|| format!("  cannot start: {error}")),
        }
    }

    /// It goes on where it stood, and does not know for how long it did.
    fn wake(&mut self, place: usize) {
        let Some(since) = self.slots[place].paused.take() else { return };
        let slept = Duration::from_millis(self.real - since);
        self.say(|| format!("{place} wakes after {slept:?}"));
        if let Some(process) = &self.slots[place].process {
            process.awake(slept);
        }
    }

    /// What `why` says of somebody.
    fn account(&mut self) {
        let ids = self.around.ground.model().ids();
        if !ids.is_empty() {
            let id = Arc::clone(self.chance.one(&ids));
            self.explained(&id);
        }
    }
}
