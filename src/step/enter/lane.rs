//! Lanes: one journey of a lane at a time for each row. Who finds it taken is left out, or waits for a turn.
//!
//! Nobody who runs is interrupted. Among those who could begin, the place in the lane decides, then when what enters
//! happened, then the journey's name; so a lane that becomes free goes to the same one whatever arrived first.

use std::sync::Arc;

use jiff::Timestamp;

use super::{Candidate, consider, refuse};
use crate::name::Name;
use crate::program::Reenter;
use crate::step::index::{Berth, Loaded};
use crate::step::run::Run;
use crate::step::state::{Instance, MAX_WAITING, Pending, PendingWhy, SubjectRef, Waiting};
use crate::step::symbols::Sym;
use crate::step::trace::{Decision, NotEntered};
use crate::value::Length;

/// Who goes before whom: the place in the lane, when it happened, the journey.
type Rank = (usize, Timestamp, Name);

/// Lets the candidate through; gives it back as refused or waiting where somebody else has the lane.
pub(super) fn turn(
    run: &mut Run,
    loaded: &Arc<Loaded>,
    candidate: Candidate,
    key: &Arc<str>,
) -> Option<Candidate> {
    let journey = loaded.program.journey;
    let Some(berth) = run.world.index().berth(journey).copied() else { return Some(candidate) };
    let rank = (berth.place, candidate.at, journey);
    let ahead = holder(run, berth.lane, Some((loaded, &candidate.subject)))
        .or_else(|| first_waiting(run, berth.lane).filter(|(first, ..)| *first < rank).map(|(_, by, _)| by));
    let Some(by) = ahead else { return Some(candidate) };
    let lane = run.sym(berth.lane);
    match berth.wait {
        Some(length) if !waits(run, loaded, &candidate.subject, key) => {
            queue(run, loaded, candidate, key, (lane, by, length));
        }
        _ => refuse(run, loaded, &candidate, NotEntered::Taken { lane, by }),
    }
    None
}

/// Lets the first of those who wait for a lane that is free now enter. Whether there was one.
pub(in crate::step) fn release(run: &mut Run) -> bool {
    let waiting = run.state.pending.iter().enumerate();
    let free = waiting.filter_map(|(at, pending)| {
        let PendingWhy::Lane(waiting) = &pending.why else { return None };
        let journey = run.world.symbols.name(pending.journey)?;
        let berth = run.world.index().berth(journey);
        // Of a journey that has left its lane since: it need not wait any longer.
        let place = match berth {
            Some(berth) if holder(run, berth.lane, None).is_some() => return None,
            Some(berth) => berth.place,
            None => 0,
        };
        Some(((place, waiting.at, journey), at))
    });
    let Some((_, at)) = free.min() else { return false };
    let Pending { journey, subject, why, .. } = run.state.pending.remove(at);
    let PendingWhy::Lane(waiting) = why else { return false };
    let journey = run.world.symbols.name(journey);
    if let Some(loaded) = journey.and_then(|journey| run.world.index().journey(journey)).cloned() {
        consider(run, &loaded, waiting.candidate(subject));
    }
    true
}

/// Its turn did not come in time.
pub(in crate::step) fn over(run: &mut Run, loaded: &Loaded, subject: SubjectRef, waiting: Waiting) {
    let lane = waiting.lane;
    refuse(run, loaded, &waiting.candidate(subject), NotEntered::NoTurn { lane });
}

/// The journey that runs in this lane. The instance that `reenter restart` is about to replace holds nobody up.
fn holder(run: &Run, lane: Name, restarts: Option<(&Loaded, &SubjectRef)>) -> Option<Sym> {
    let is_replaced = |it: &Instance| {
        restarts.is_some_and(|(loaded, subject)| {
            loaded.program.reenter == Reenter::Restart
                && it.journey == loaded.journey
                && it.subject == *subject
        })
    };
    let holds = |it: &&Instance| {
        let journey = run.world.symbols.name(it.journey);
        let berth = journey.and_then(|journey| run.world.index().berth(journey));
        berth.is_some_and(|berth| berth.lane == lane) && !is_replaced(it)
    };
    run.state.instances.iter().find(holds).map(|it| it.journey)
}

/// Whoever waits for this lane and goes first: its rank, its journey, and where it stands.
fn first_waiting(run: &Run, lane: Name) -> Option<(Rank, Sym, usize)> {
    let waiting = run.state.pending.iter().enumerate().filter_map(|(at, pending)| {
        let PendingWhy::Lane(waiting) = &pending.why else { return None };
        let journey = run.world.symbols.name(pending.journey)?;
        let Berth { lane: of, place, .. } = run.world.index().berth(journey)?;
        (*of == lane).then_some(((*place, waiting.at, journey), pending.journey, at))
    });
    // Of equals the one that came first, which stands in front.
    waiting.min_by_key(|(rank, _, at)| (*rank, *at))
}

fn waits(run: &Run, loaded: &Loaded, subject: &SubjectRef, key: &Arc<str>) -> bool {
    run.state.pending.iter().any(|pending| {
        pending.journey == loaded.journey
            && pending.subject == *subject
            && matches!(&pending.why, PendingWhy::Lane(waiting) if waiting.key == *key)
    })
}

fn queue(
    run: &mut Run,
    loaded: &Loaded,
    candidate: Candidate,
    key: &Arc<str>,
    (lane, by, length): (Sym, Sym, Length),
) {
    let waiting = run.state.pending.iter().filter(|pending| matches!(pending.why, PendingWhy::Lane(_)));
    if waiting.count() >= MAX_WAITING {
        return refuse(run, loaded, &candidate, NotEntered::TooMany);
    }
    let due = run.after(run.now, length, &run.scene(loaded, &candidate.subject));
    let what = Decision::Queued { by: candidate.cause.clone(), lane, behind: by, until: due };
    run.trace_entry(loaded, &candidate.subject, what);
    let Candidate { subject, cause, at, payload, identity, date, rule } = candidate;
    let waiting = Waiting { lane, key: key.clone(), cause, at, payload, identity, date, rule };
    let why = PendingWhy::Lane(Box::new(waiting));
    run.state.pending.push(Pending { journey: loaded.journey, subject, due, why });
}

impl Waiting {
    fn candidate(self, subject: SubjectRef) -> Candidate {
        let Self { cause, at, payload, identity, date, rule, .. } = self;
        Candidate { subject, cause, at, payload, identity, date, rule }
    }
}
