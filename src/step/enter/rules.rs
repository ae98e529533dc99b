//! Replies: whether they may answer now. What they answered is in the ledger of entries, and only as long as a limit
//! counts it.

use jiff::Timestamp;
use jiff::civil::{Date, ISOWeekDate};

use super::Candidate;
use super::key;
use crate::expr::{Env, civil, eval};
use crate::program::Program;
use crate::program::rules::{Rules, Within};
use crate::step::because;
use crate::step::index::Loaded;
use crate::step::run::Run;
use crate::step::scene::Scene;
use crate::step::state::{Entry, SubjectRef};
use crate::step::trace::NotEntered;

/// Answers to one subject that limits can see.
const MAX_ANSWERS: usize = 128;
/// Answers that are kept in any case, so that an event that comes again is not answered again.
const LEAST_ANSWERS: usize = 16;

/// The rule that the entry pattern at `at` belongs to.
pub(super) fn named(program: &Program, at: usize) -> Option<crate::name::Name> {
    program.rules.as_ref()?.names.get(at).copied()
}

/// Whose answers the candidate's counts among, as the front of its entry key.
pub(super) fn writer(rules: &Rules, scene: &Scene) -> Option<String> {
    let writer = eval(rules.writer.as_ref()?, scene);
    let who = if writer.is_missing() { String::new() } else { key::text(&writer) };
    // A space ends it.
    Some(format!("{} ", who.replace('%', "%25").replace(' ', "%20")))
}

/// Whether `quiet_for` and `limit` let an answer out.
pub(super) fn may_answer(run: &Run, loaded: &Loaded, candidate: &Candidate) -> Result<(), NotEntered> {
    let Some(rules) = &loaded.program.rules else { return Ok(()) };
    let scene = run.scene(loaded, &candidate.subject).entered_by(&candidate.payload);
    if let Some(quiet) = rules.quiet.as_ref().filter(|quiet| scene.admits(Some(quiet))) {
        return Err(NotEntered::Quiet(because::of(quiet, &scene)));
    }
    let front = writer(rules, &scene).unwrap_or_default();
    for (limit, number) in rules.limits.iter().zip(0_u16..) {
        let counts = |entry: &&Entry| {
            is_of(entry, loaded, &candidate.subject)
                && entry.key.starts_with(&front)
                && is_within(limit.within, entry.at, run, &scene)
        };
        if run.state.entries.iter().filter(counts).count() >= usize::from(limit.most) {
            return Err(NotEntered::Limited { limit: number });
        }
    }
    Ok(())
}

/// Forgets the answers that no limit counts any more.
pub(super) fn forget(run: &mut Run, loaded: &Loaded, subject: &SubjectRef) {
    let Some(rules) = &loaded.program.rules else { return };
    let scene = run.scene(loaded, subject);
    let counted = |at: Timestamp| rules.limits.iter().any(|limit| is_within(limit.within, at, run, &scene));
    let own = run.state.entries.iter().filter(|entry| is_of(entry, loaded, subject));
    let mut newer = own.count();
    let keeps = |entry: &Entry| {
        if !is_of(entry, loaded, subject) {
            return true;
        }
        newer -= 1;
        entry.ended.is_none() || newer < LEAST_ANSWERS || (newer < MAX_ANSWERS && counted(entry.at))
    };
    let keep: Vec<bool> = run.state.entries.iter().map(keeps).collect();
    let mut keep = keep.into_iter();
    run.state.entries.retain(|_| keep.next().unwrap_or(true));
}

fn is_of(entry: &Entry, loaded: &Loaded, subject: &SubjectRef) -> bool {
    entry.journey == loaded.journey && entry.subject == *subject
}

fn is_within(within: Within, at: Timestamp, run: &Run, scene: &Scene) -> bool {
    let days = || (civil::date_of(at, scene.zone()), civil::date_of(run.now, scene.zone()));
    match within {
        Within::Last(length) => run.now < run.after(at, length, scene),
        Within::Day => same(days(), |day| day),
        Within::Week => same(days(), |day| {
            let week: ISOWeekDate = day.iso_week_date();
            (week.year(), week.week())
        }),
        Within::Month => same(days(), |day| (day.year(), day.month())),
    }
}

fn same<T: PartialEq>((one, other): (Date, Date), part: impl Fn(Date) -> T) -> bool {
    part(one) == part(other)
}
