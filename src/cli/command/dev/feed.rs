//! What is on the screen while a development daemon runs: decisions as they are made, and now and then the count.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;
use jiff::civil::Date;

use crate::cli::Output;
use crate::name::Name;
use crate::step::explain::explain;
use crate::step::{Decision, RootKey, Trace, World};

/// Whose decisions are shown one by one.
#[derive(Clone, Debug)]
pub(super) enum Followed {
    Everybody,
    /// By id, with a name for the screen; the others are only counted.
    Some(BTreeMap<Arc<str>, String>),
}

pub(super) struct Feed {
    output: Output,
    followed: Followed,
    counts: Mutex<Counts>,
}

#[derive(Default)]
struct Counts {
    day: Option<Date>,
    entered: u64,
    sent: BTreeMap<Name, u64>,
    ended: BTreeMap<(Name, Name), u64>,
    /// Followed customers by how they ended in a journey.
    ends: BTreeSet<(Arc<str>, Name, Name)>,
}

impl Feed {
    pub(super) fn new(output: Output, followed: Followed) -> Self {
        Self { output, followed, counts: Mutex::default() }
    }

    /// Shown by the engine once durable.
    pub(super) fn watch(&self, world: &World, root: &RootKey, decisions: &[Trace]) {
        for decision in decisions {
            self.count(world, root, decision);
            if let Some(who) = self.who(root)
                && is_worth_a_line(&decision.what)
            {
                let words = explain(decision, world);
                let clock = clock(world, decision.at);
                let journey = words.journey.map(|journey| format!("  {journey}:")).unwrap_or_default();
                let child = words.child.map(|child| format!(" {child}")).unwrap_or_default();
                // A reader that went away ends the program elsewhere.
                let _ = self.output.live(format_args!("{clock}  {who}{child}{journey} {}", words.sentence));
            }
        }
    }

    /// Whether this customer has ended in this journey, and how.
    pub(super) fn end(&self, id: &str, journey: Name) -> Option<Name> {
        let counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        counts.ends.iter().find(|(who, of, _)| &**who == id && *of == journey).map(|(_, _, end)| *end)
    }

    /// How everybody fares, in one line.
    pub(super) fn summary(&self) -> String {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner).line()
    }

    fn who(&self, root: &RootKey) -> Option<String> {
        match &self.followed {
            Followed::Everybody => Some(root.id.to_string()),
            Followed::Some(names) => names.get(&root.id).map(|name| format!("{} {name}", root.id)),
        }
    }

    fn count(&self, world: &World, root: &RootKey, decision: &Trace) {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        let day = world.zone.to_datetime(decision.at).date();
        if counts.day.is_some_and(|before| before < day) {
            let line = counts.line();
            let _ = self.output.live(format_args!("—— {day}: {line}"));
        }
        counts.day = counts.day.max(Some(day));
        let journey = decision.journey.and_then(|journey| world.symbols.name(journey));
        if let Some((_, channel)) = decision.what.leaves()
            && let Some(channel) = world.symbols.name(channel)
        {
            *counts.sent.entry(channel).or_default() += 1;
        }
        match &decision.what {
            Decision::Entered { .. } => counts.entered += 1,
            Decision::Ended { end } | Decision::Exited { end } => {
                if let (Some(journey), Some(end)) = (journey, world.symbols.name(*end)) {
                    *counts.ended.entry((journey, end)).or_default() += 1;
                    if self.who(root).is_some() {
                        counts.ends.insert((Arc::clone(&root.id), journey, end));
                    }
                }
            }
            _ => {}
        }
    }
}

impl Counts {
    fn line(&self) -> String {
        let ended: u64 = self.ended.values().sum();
        let sent: Vec<String> =
            self.sent.iter().map(|(channel, count)| format!("{channel} {count}")).collect();
        let mut ends: Vec<String> =
            self.ended.iter().map(|((journey, end), count)| format!("{journey}.{end} {count}")).collect();
        if ends.is_empty() {
            ends.push("nobody yet".to_owned());
        }
        let under_way = self.entered.saturating_sub(ended);
        format!("{under_way} under way; sent {}; ended {}", sent.join(", "), ends.join(", "))
    }
}

/// Steps of the machinery between a decision and its message are left out.
fn is_worth_a_line(decision: &Decision) -> bool {
    decision.leaves().is_none() && !matches!(decision, Decision::Answered { .. } | Decision::Parked { .. })
}

fn clock(world: &World, at: Timestamp) -> String {
    world.zone.to_datetime(at).strftime("%m-%d %H:%M").to_string()
}
