//! An oracle against the analyses: random customers on random ways. No run ever does what a sound pass says cannot happen.
//!
//! `WAYFARE_ORACLE=100000` walks so many (`scripts/oracle`); `WAYFARE_ORACLE_SEED` begins elsewhere. A failure names
//! project, seed and number, which give the same walk again.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::PathBuf;
use std::sync::Arc;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use wayfare::analysis::entries::{Entries, assumes, longest_ms};
use wayfare::analysis::facts::Facts;
use wayfare::analysis::flow::Flow;
use wayfare::analysis::glance;
use wayfare::analysis::liability::{Liability, liability};
use wayfare::analysis::window::{most_in_one_run, most_sends};
use wayfare::compile::{Compilation, File, Input, compile};
use wayfare::expr::civil::Calendar;
use wayfare::expr::{Env, Expr, MessageEvent, Owner, eval};
use wayfare::model::Model;
use wayfare::name::Name;
use wayfare::project;
use wayfare::testing::{Deed, Run, Seen, Suite, Walker};
use wayfare::value::Value;

use crate::support::chance::Chance;

const DAY_MS: i64 = 86_400_000;
const WINDOWS: [i64; 3] = [DAY_MS, 7 * DAY_MS, 30 * DAY_MS];
/// Where no seed is given.
const SEED: u64 = 28;
/// Generated projects whose walks have found something, and how far each has to be walked for that: a ladder that counted
/// failures of other messages, and the time in which a rung's provider is away.
const KEPT: [(u64, u64); 5] = [(171, 92), (183, 220), (187, 159), (190, 210), (218, 2)];
/// Walks where no number is given: seconds in a dev build.
const WALKS: u64 = 400;
/// Generated journeys of one project.
const OF_ONE_PROJECT: usize = 12;

/// What the passes claim of one journey.
struct Claims {
    windows: [Option<i64>; 3],
    one_run: i64,
    longest_ms: Option<i64>,
    entries: Entries,
    liability: Option<Liability>,
    /// Steps whose messages nobody gets.
    dead: BTreeSet<String>,
    /// Steps whose messages go to the subject, and not by the hands of people, of whom nobody knows whether they did it.
    steps: BTreeSet<String>,
    /// From the step of a message to the steps that may come behind it.
    behind: BTreeMap<String, BTreeSet<String>>,
    /// Conditions that are true (or are not) whenever the message of a step is decided.
    facts: BTreeMap<String, Vec<(Expr, bool)>>,
}

impl Claims {
    fn of(model: &Model, name: Name) -> Self {
        let mut flow = Flow::of(model, &model.journeys[&name]);
        let facts = Facts::of(&mut flow);
        let messages: Vec<_> = flow.messages().collect();
        let assumed = assumes(model, flow.journey);
        let by_hand = |name: Name| model.channels[&name].outcomes.contains(&MessageEvent::Confirmed);
        let step = |at| flow.node(at).unwrap().id.to_string();
        let all = flow.graph.node_indices().filter(|at| flow.message(*at).is_some());
        let dead = all.filter(|at| flow.dead.contains(at)).map(step).collect();
        let mut behind = BTreeMap::new();
        for (at, _) in &messages {
            let mut seen = BTreeSet::new();
            let mut due: Vec<_> =
                flow.ways(*at).map(|(_, to, _)| to).chain(flow.exits.iter().copied()).collect();
            while let Some(next) = due.pop() {
                if seen.insert(next) {
                    due.extend(flow.ways(next).map(|(_, to, _)| to));
                }
            }
            let steps = seen.into_iter().filter(|at| flow.message(*at).is_some()).map(step);
            behind.insert(step(*at), steps.collect());
        }
        let told = |at| -> Vec<(Expr, bool)> {
            let found = facts.now(at).into_iter().filter_map(|fact| {
                let holds = facts.mind.holds(fact).map(|expr| (expr.clone(), true));
                holds.or_else(|| facts.mind.fails(fact).map(|expr| (expr.clone(), false)))
            });
            found.filter(|(expr, _)| reads_attributes_only(expr)).collect()
        };
        Self {
            // A bound that relies on a date that these walks change says nothing here.
            windows: WINDOWS.map(|window| {
                let found = most_sends(&flow, window, &|_| true).most;
                let keeps = |most: &i64| glance::keeps(model, flow.journey, (*most, window), &|_| true);
                let seen = (0..=8).find(keeps);
                assert!(
                    found.is_none_or(|found| seen.is_none_or(|seen| seen >= found)),
                    "{name} {window} {found:?} {seen:?} {:#?}",
                    flow.journey.steps
                );
                found.or(seen).filter(|_| assumed.is_none())
            }),
            one_run: most_in_one_run(&flow, &|_| true),
            longest_ms: longest_ms(&flow),
            entries: if assumed.is_some() { Entries::PerValue } else { Entries::of(model, flow.journey) },
            liability: liability(&flow),
            dead,
            steps: messages
                .iter()
                .filter(|(_, one)| !by_hand(one.channel))
                .map(|(at, _)| step(*at))
                .collect(),
            behind,
            facts: messages.iter().map(|(at, _)| (step(*at), told(*at))).collect(),
        }
    }
}

/// Conditions whose truth can be worked out from what was told of a root subject.
fn reads_attributes_only(expr: &Expr) -> bool {
    let itself = match expr {
        Expr::Attr(owner, _) => *owner == Owner::Subject,
        Expr::Const(_)
        | Expr::Not(_)
        | Expr::Neg(_)
        | Expr::Binary(..)
        | Expr::Known(..)
        | Expr::Otherwise(..)
        | Expr::List(_)
        | Expr::Range(..) => true,
        _ => false,
    };
    itself && expr.parts().into_iter().all(reads_attributes_only)
}

/// What is known of a root subject at an instant.
struct Known<'a> {
    attributes: &'a BTreeMap<Name, Value>,
    now: Timestamp,
    zone: &'a TimeZone,
}

impl Env for Known<'_> {
    fn now(&self) -> Timestamp {
        self.now
    }

    fn zone(&self) -> &TimeZone {
        self.zone
    }

    fn calendar(&self, _: Option<Name>) -> Option<&Calendar> {
        None
    }

    fn attr(&self, _: Owner, name: Name) -> Value {
        self.attributes.get(&name).cloned().unwrap_or(Value::Missing)
    }
}

struct Bank {
    title: String,
    compilation: Compilation,
    bundle: Arc<wayfare::program::Bundle>,
    claims: BTreeMap<Name, Claims>,
    zone: TimeZone,
}

impl Bank {
    fn new(title: &str, input: &Input) -> Self {
        let compilation = compile(input);
        let found: Vec<&str> = compilation.diagnostics.iter().map(|one| one.headline.as_str()).collect();
        let bundle = compilation.bundle.clone().unwrap_or_else(|| panic!("{title}: {found:#?}"));
        let claims =
            compilation.model.journeys.keys().map(|name| (*name, Claims::of(&compilation.model, *name)));
        let claims = claims.collect();
        let zone = TimeZone::get("Asia/Shanghai").unwrap();
        Self { title: title.to_owned(), compilation, bundle: Arc::new(bundle), claims, zone }
    }

    /// Whatever the passes had excluded and happened all the same, and how many messages were looked at.
    fn walk(&self, seed: u64, walks: u64) -> (String, usize) {
        let Compilation { model, sources, .. } = &self.compilation;
        let suite = Suite { model, bundle: &self.bundle, sources, zone: &self.zone };
        let walkers: Vec<Walker<'_>> =
            self.claims.keys().filter_map(|name| Walker::new(suite, *name)).collect();
        let mut wrong = String::new();
        let mut sent = 0;
        for number in 0..walks {
            let at = usize::try_from(number).unwrap() % walkers.len();
            let Some((mut seen, left)) = walkers[at].walk(seed, number) else { continue };
            // What friends are given for a friend is bounded by their referral, and claimed for no journey.
            seen.retain(|line| {
                run(&line.what).is_none_or(|run| !self.bundle.values.referrals.contains_key(&run.journey))
            });
            sent += seen.iter().filter(|line| matches!(line.what, Deed::Sent(..))).count();
            for told in self.against(&seen, left) {
                writeln!(wrong, "{} seed {seed} walk {number}: {told}", self.title).unwrap();
            }
        }
        (wrong, sent)
    }

    fn claims(&self, journey: Name) -> &Claims {
        self.claims.get(&journey).unwrap_or_else(|| panic!("{}: {journey} is no journey", self.title))
    }

    fn against(&self, seen: &[Seen], left: Timestamp) -> Vec<String> {
        let mut book = Book::default();
        let counts = |line: &&Seen| match &line.what {
            Deed::Sent(run, step) | Deed::Failed(run, step) => {
                let claims = self.claims(run.journey);
                let step = plain(step.as_str());
                claims.steps.contains(step) || claims.dead.contains(step)
            }
            _ => true,
        };
        seen.iter().filter(counts).for_each(|line| book.note(line));
        let mut wrong = Vec::new();
        for ((who, journey), times) in &book.sent {
            let claims = self.claims(*journey);
            for (window, bound) in WINDOWS.iter().zip(claims.windows) {
                let most = densest(times.iter().map(|(at, ..)| *at), *window);
                if bound.is_some_and(|bound| most > bound) {
                    wrong.push(format!(
                        "{journey} of {who:?}: {most} messages in {window} ms, not {bound:?}: {times:?}"
                    ));
                }
            }
        }
        for ((who, run), steps) in &book.order {
            let claims = self.claims(run.journey);
            if i64::try_from(steps.len()).unwrap() > claims.one_run {
                wrong.push(format!("{run:?} of {who:?}: {steps:?} in one run, not {}", claims.one_run));
            }
            wrong.extend(
                steps
                    .iter()
                    .filter(|step| claims.dead.contains(*step))
                    .map(|step| format!("{run:?}: nobody comes to {step}")),
            );
            for pair in steps.windows(2) {
                let known = claims.behind.get(&pair[0]);
                if known.is_none_or(|known| !known.contains(&pair[1])) {
                    wrong.push(format!("{run:?}: {} behind {}", pair[1], pair[0]));
                }
            }
        }
        for ((who, run), (entered, ended)) in &book.runs {
            let claims = self.claims(run.journey);
            let took = ended.unwrap_or(left).as_millisecond() - entered.as_millisecond();
            if claims.longest_ms.is_some_and(|longest| took > longest) {
                wrong.push(format!("{run:?} of {who:?} took {took} ms, not {:?}", claims.longest_ms));
            }
        }
        for ((who, journey), entered) in &book.entered {
            let claims = self.claims(*journey);
            for window in WINDOWS {
                let most = densest(entered.iter().copied(), window);
                if claims.entries.within(window).is_some_and(|bound| most > bound) {
                    wrong.push(format!(
                        "{journey} of {who:?}: {most} entries in {window} ms: {:?}",
                        claims.entries
                    ));
                }
            }
        }
        wrong.extend(self.given(&book));
        wrong.extend(self.untrue(seen));
        wrong
    }

    fn given(&self, book: &Book) -> Vec<String> {
        let values = &self.compilation.model.values;
        let mut sums: BTreeMap<(Who, Name), BTreeMap<_, i64>> = BTreeMap::new();
        let mut wrong = Vec::new();
        for ((who, run), granted) in &book.granted {
            let Some(claims) = &self.claims(run.journey).liability else {
                wrong.push(format!("{run:?} of {who:?} gave {granted:?}"));
                continue;
            };
            let mut run_sum: BTreeMap<_, i64> = BTreeMap::new();
            for (name, amount) in granted {
                let declared = values.rewards.get(name).and_then(|reward| reward.value);
                let money = match amount {
                    Value::Money(money) => Some(*money),
                    _ => declared,
                };
                if let Some(money) = money {
                    *run_sum.entry(money.currency).or_default() += money.minor;
                    *sums
                        .entry((who.clone(), run.journey))
                        .or_default()
                        .entry(money.currency)
                        .or_default() += money.minor;
                }
            }
            if let Some(bound) = &claims.one_run
                && run_sum.iter().any(|(currency, sum)| bound.get(currency).is_none_or(|bound| sum > bound))
            {
                wrong.push(format!("{run:?} of {who:?} gave {run_sum:?}, not {bound:?}"));
            }
        }
        for ((who, journey), sum) in sums {
            let bound =
                self.claims(journey).liability.as_ref().and_then(|claims| claims.one_customer.clone());
            if let Some(bound) = bound
                && sum.iter().any(|(currency, sum)| bound.get(currency).is_none_or(|bound| sum > bound))
            {
                wrong.push(format!("{journey} gave {sum:?} to {who:?}, not {bound:?}"));
            }
        }
        wrong
    }

    /// Facts that were not so when a message was decided.
    fn untrue(&self, seen: &[Seen]) -> Vec<String> {
        let mut told: BTreeMap<usize, BTreeMap<Name, Value>> = BTreeMap::new();
        let mut wrong = Vec::new();
        for line in seen {
            match &line.what {
                Deed::Told(fields) => told.entry(line.who.0).or_default().extend(fields.clone()),
                Deed::Decided(run, step) if line.who.1.0.is_none() => {
                    let nothing = BTreeMap::new();
                    let attributes = told.get(&line.who.0).unwrap_or(&nothing);
                    let env = Known { attributes, now: line.at, zone: &self.zone };
                    let facts = self.claims(run.journey).facts.get(plain(step.as_str()));
                    for (expr, holds) in facts.into_iter().flatten() {
                        if (eval(expr, &env) == Value::Bool(true)) != *holds {
                            wrong.push(format!(
                                "{run:?} decides {step}: {expr:?} is not {holds}: {attributes:?}"
                            ));
                        }
                    }
                }
                _ => {}
            }
        }
        wrong
    }
}

type Who = (usize, String);
/// When, by which run, and what.
type Sent = (i64, Run, Name);

#[derive(Default)]
struct Book {
    /// What reached people, by whom and journey.
    sent: BTreeMap<(Who, Name), Vec<Sent>>,
    order: BTreeMap<(Who, Run), Vec<String>>,
    runs: BTreeMap<(Who, Run), (Timestamp, Option<Timestamp>)>,
    entered: BTreeMap<(Who, Name), Vec<i64>>,
    granted: BTreeMap<(Who, Run), Vec<(Name, Value)>>,
}

impl Book {
    fn note(&mut self, line: &Seen) {
        let who: Who = (line.who.0, format!("{:?}", line.who.1));
        let at = line.at.as_millisecond();
        match &line.what {
            Deed::Told(_) | Deed::Decided(..) => {}
            Deed::Entered(run) => {
                self.entered.entry((who.clone(), run.journey)).or_default().push(at);
                // One that begins again under its old key is another run.
                let key = (who, run.clone());
                self.order.remove(&key);
                self.granted.remove(&key);
                self.runs.insert(key, (line.at, None));
            }
            Deed::Ended(run) => {
                if let Some((_, ended)) = self.runs.get_mut(&(who, run.clone())) {
                    ended.get_or_insert(line.at);
                }
            }
            Deed::Sent(run, step) => {
                self.sent.entry((who.clone(), run.journey)).or_default().push((at, run.clone(), *step));
                self.order.entry((who, run.clone())).or_default().push(plain(step.as_str()).to_owned());
            }
            Deed::Failed(run, step) => {
                let sent = self.sent.entry((who.clone(), run.journey)).or_default();
                sent.retain(|(_, of, known)| of != run || known != step);
                let order = self.order.entry((who, run.clone())).or_default();
                if let Some(at) = order.iter().rposition(|known| known == plain(step.as_str())) {
                    order.remove(at);
                }
            }
            Deed::Granted(run, what, amount) => {
                self.granted.entry((who, run.clone())).or_default().push((*what, amount.clone()));
            }
        }
    }
}

fn run(deed: &Deed) -> Option<&Run> {
    match deed {
        Deed::Told(_) => None,
        Deed::Entered(run)
        | Deed::Ended(run)
        | Deed::Decided(run, _)
        | Deed::Sent(run, _)
        | Deed::Failed(run, _)
        | Deed::Granted(run, ..) => Some(run),
    }
}

/// The first lines, none of them long.
fn short(wrong: &str) -> String {
    wrong.lines().take(40).map(|line| line.chars().take(240).chain(['\n']).collect::<String>()).collect()
}

/// Without the round and the number in a list.
fn plain(step: &str) -> &str {
    step.split(['#', '~']).next().unwrap_or(step)
}

/// The most instants in any window `[t, t + ms)`.
fn densest(times: impl Iterator<Item = i64>, ms: i64) -> i64 {
    let mut times: Vec<i64> = times.collect();
    times.sort_unstable();
    let counts = times.iter().map(|from| times.iter().filter(|at| (*from..from + ms).contains(at)).count());
    i64::try_from(counts.max().unwrap_or(0)).unwrap()
}

const LENGTHS: &[&str] = &["10min", "1h", "24h", "1 day", "2 days", "1 week"];
const LONG: &[&str] = &["10min", "1h", "24h", "1 day", "2 days", "1 week"];
const CONDITIONS: &[&str] =
    &["vip", "not vip", "aum > 100 CNY", "aum < 50 CNY", "aum >= 100 CNY and vip", "warm", "not warm"];

/// Journeys that nobody would write, and that compile.
struct Author {
    chance: Chance,
    names: usize,
}

impl Author {
    fn name(&mut self, kind: &str) -> String {
        self.names += 1;
        format!("{kind}{}", self.names)
    }

    fn length(&mut self) -> &'static str {
        self.chance.one::<&'static str>(LENGTHS)
    }

    fn condition(&mut self) -> &'static str {
        self.chance.one::<&'static str>(CONDITIONS)
    }

    fn journey(&mut self, name: &str) -> String {
        let enter = self.chance.one(&[
            "enter on signed_up",
            "enter on paid where amount > 100 CNY",
            "enter when aum > 100 CNY every day at 10:00\n  existing include",
            "enter when vip\n  existing include",
            "enter every monday, thursday at 09:00",
        ]);
        let reenter = if enter.starts_with("enter every") || self.chance.percent(50) {
            self.chance.one(&[
                "reenter per day",
                "reenter per week",
                "reenter after 1 day",
                "reenter after 7 days",
            ])
        } else {
            self.chance.one(&["reenter never", "reenter restart", "reenter after 2 days"])
        };
        let exit = match self.chance.below(4) {
            0 => "\n  exit on left as gone".to_owned(),
            1 => format!("\n  exit on left as gone {{ send again via sms as {} }}", self.name("bye")),
            2 => "\n  exit when aum > 5_000 CNY as rich".to_owned(),
            _ => String::new(),
        };
        let steps = self.block(2, 3);
        format!(
            "journey {name} \"{name}\" of customer {{\n  purpose service\n  owner \"crm@bank.example\"\n  {enter}\n  {reenter}{exit}\n\n{steps}  end done\n}}\n\n"
        )
    }

    fn block(&mut self, depth: u32, most: u64) -> String {
        let count = 1 + self.chance.below(most);
        (0..count).map(|_| self.step(depth)).collect()
    }

    fn send(&mut self) -> (String, String) {
        let name = self.name("m");
        let (content, channel) = (self.chance.one(&["hello", "again"]), self.chance.one(&["push", "sms"]));
        (format!("send {content} via {channel} as {name}"), name)
    }

    fn step(&mut self, depth: u32) -> String {
        let kind = self.chance.below(if depth == 0 { 5 } else { 11 });
        match kind {
            0 | 1 => format!("  {}\n", self.send().0),
            2 => format!("  wait {}\n", self.length()),
            3 => "  tag warm\n".to_owned(),
            4 => format!("  grant coupon as {} else {{ tag warm }}\n", self.name("g")),
            5 => format!(
                "  if {} {{\n{}  }} else {{\n{}  }}\n",
                self.condition(),
                self.block(depth - 1, 2),
                self.block(depth - 1, 2)
            ),
            6 => {
                format!("  wait for paid within {} else {{\n{}  }}\n", self.long(), self.block(depth - 1, 2))
            }
            7 => {
                let (send, name) = self.send();
                let (within, body) = (self.long(), self.block(depth - 1, 2));
                format!(
                    "  {send}\n  wait for clicked({name}) within {within} from sent({name}) else {{\n{body}  }}\n"
                )
            }
            8 => {
                let (name, prefer) =
                    (self.name("r"), if self.chance.percent(50) { " prefer best" } else { "" });
                let (one, two) = (self.long(), self.long());
                let (none, over) = (self.block(depth - 1, 1), self.block(depth - 1, 2));
                format!(
                    "  reach hello as {name}{prefer} {{\n    via push for opened within {one}\n    via sms for clicked within {two}\n    on not_sent {{\n{none}    }}\n  }} else {{\n{over}  }}\n"
                )
            }
            9 => {
                let schedule = self.chance.one(&[
                    "",
                    " every day at 10:00",
                    " every monday at 09:30",
                    " every day at 08:00, 20:00",
                ]);
                let missed =
                    if schedule.is_empty() { "" } else { self.chance.one(&[" missed skip", " missed all"]) };
                let times = 1 + self.chance.below(4);
                format!("  repeat 1..{times}{schedule}{missed} {{\n{}  }}\n", self.block(depth - 1, 2))
            }
            _ => {
                let (send, _) = self.send();
                format!(
                    "  {send} {{\n    on no_consent, unreachable {{\n{}    }}\n  }}\n",
                    self.block(depth - 1, 2)
                )
            }
        }
    }

    /// A length that is not nothing.
    fn long(&mut self) -> &'static str {
        self.chance.one::<&'static str>(LONG)
    }
}

fn generated(seed: u64) -> Input {
    let world = std::fs::read_to_string("tests/suite/analysis/world.journey").unwrap();
    let mut author = Author { chance: Chance::seeded(seed), names: 0 };
    let text: String = (0..OF_ONE_PROJECT).map(|number| author.journey(&format!("made_{number}"))).collect();
    let file = |path: &str, text: &str| File { path: path.into(), package: "".into(), text: text.into() };
    Input { files: vec![file("world.journey", &world), file("made.journey", &text)], ..Input::default() }
}

fn number(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(otherwise)
}

/// Without the journeys that meet under a cap: it lets hardly a second message of any journey through.
fn uncapped(mut input: Input) -> Input {
    input.files.retain(|file| !file.path.ends_with("portfolio.journey"));
    input
}

#[test]
fn no_walk_does_what_the_passes_exclude() {
    let (walks, seed) = (number("WAYFARE_ORACLE", WALKS), number("WAYFARE_ORACLE_SEED", SEED));
    let mut wrong = String::new();
    let mut sent = 0;
    let mut note = |(told, messages): (String, usize)| {
        wrong.push_str(&told);
        sent += messages;
    };
    let bank = project::load(&[PathBuf::from("journeys")]).unwrap().input;
    note(Bank::new("journeys", &bank).walk(seed, walks / 4));
    let small = project::load(&[PathBuf::from("tests/suite/analysis")]).unwrap().input;
    note(Bank::new("tests/suite/analysis", &small).walk(seed, walks / 8));
    note(Bank::new("its analyses alone", &uncapped(small)).walk(seed, walks / 8));
    // A project is walked some hundred times, then another is written.
    let projects = (walks / 2 / 250).max(2);
    for project in 0..projects {
        let seed = seed.wrapping_add(project);
        note(Bank::new(&format!("generated {seed}"), &generated(seed)).walk(seed, walks / 2 / projects));
    }
    for (seed, walks) in KEPT {
        note(Bank::new(&format!("generated {seed}"), &generated(seed)).walk(seed, walks));
    }
    assert!(wrong.is_empty(), "{} lines\n{}", wrong.lines().count(), short(&wrong));
    assert!(sent as u64 > walks / 4, "{sent} messages in {walks} walks say little");
}

/// What is claimed wrongly is seen: nobody sends anything, nothing lasts, nothing is given.
#[test]
fn claims_that_are_too_low_are_broken() {
    let small = project::load(&[PathBuf::from("tests/suite/analysis")]).unwrap().input;
    let mut bank = Bank::new("its analyses alone", &uncapped(small));
    for claims in bank.claims.values_mut() {
        claims.windows = [Some(0); 3];
        claims.one_run = 0;
        claims.longest_ms = Some(0);
        claims.liability = None;
        claims.behind.clear();
        claims.facts.values_mut().flatten().for_each(|(_, holds)| *holds = !*holds);
    }
    let (wrong, _) = bank.walk(SEED, 60);
    for told in ["messages in", "in one run", "took", "gave", "behind", "decides"] {
        assert!(wrong.contains(told), "{told}: {wrong}");
    }
}
