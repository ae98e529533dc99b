//! Caps: how many messages somebody gets, counted in the customer's own ledger.
//!
//! A message that the gate agrees to leaves a [`Mark`]: its place is taken from the decision on, so that two journeys of
//! one step cannot both take the last one. The mark moves to the instant at which the message really leaves, goes when it
//! never will, and stays where nobody knows. Only messages that some cap counts leave one, and it goes when no cap looks
//! back so far, so the ledger is no longer than the caps are wide.

use jiff::{SignedDuration, Timestamp};

use super::{Hold, Refusal, Touch, Wish, by_hand, policies};
use crate::expr::{SpanUnit, civil};
use crate::name::Name;
use crate::program::policy::{Cap, Over, Span};
use crate::program::{Outcome, Policies};
use crate::step::index::Loaded;
use crate::step::run::{Run, later, whole_ms};
use crate::step::scene::Scene;
use crate::step::state::{HeldBy, MAX_MARKS, Mark, Message, MessageStatus, State};
use crate::step::symbols::Sym;
use crate::step::trace::Rule;
use crate::value::{CivilUnit, Length};

/// How soon it is looked again where the clock says that there should be room and there is none.
const AGAIN_MS: i64 = 60_000;

/// Whether there is room under every cap; `None`: there is.
pub(super) fn hold(run: &Run, scene: &Scene, wish: Wish, touch: Touch) -> Result<Option<Hold>, Refusal> {
    let Some(policies) = policies(run).filter(|_| wish.to.is_none()) else { return Ok(None) };
    let mut hold: Option<Hold> = None;
    for (policy, cap) in applying(policies, scene, wish) {
        let found = counted(run, scene, cap, touch);
        let Some(over) = found.len().checked_sub(most(cap)) else { continue };
        let rule = |room| Rule::Cap {
            policy: policy.map(|policy| run.sym(policy)),
            name: run.sym(cap.name),
            most: cap.most,
            within: cap.within,
            sent: u32::try_from(found.len()).unwrap_or(u32::MAX),
            last: found.last().copied().unwrap_or(run.now),
            room,
        };
        let room = room(run, scene, cap.within, found.get(over).copied().unwrap_or(run.now));
        let Over::Defer(longest) = cap.over else { return Err((Outcome::Capped, rule(None))) };
        if run.after(touch.decided, longest, scene) < room {
            return Err((Outcome::Capped, rule(Some(room))));
        }
        if hold.as_ref().is_none_or(|hold| hold.until < room) {
            hold = Some(Hold { until: room, by: HeldBy::Cap, rule: rule(Some(room)) });
        }
    }
    if is_counted(policies, wish) && run.state.marks.len() >= MAX_MARKS && !is_marked(run.state, touch) {
        return Err((Outcome::Capped, Rule::LedgerFull));
    }
    Ok(hold)
}

/// Whether any cap may refuse it.
pub(in crate::step) fn may_refuse(run: &Run, scene: &Scene, wish: Wish) -> bool {
    wish.to.is_none()
        && policies(run).is_some_and(|policies| applying(policies, scene, wish).next().is_some())
}

/// Its place is taken from now on.
pub(in crate::step) fn reserve(
    run: &mut Run,
    message: &Message,
    (channel, purpose): (Name, Name),
    touch: Touch,
) {
    let Some(policies) = policies(run) else { return };
    if message.to().is_some() || !policies.caps().any(|cap| cap.counts(channel, purpose)) {
        return;
    }
    // What people send on by hand is counted once they have: until then by the message itself.
    if !by_hand::is_so(run, channel) {
        mark(run, policies, message, (run.now, purpose), touch);
    }
}

fn mark(
    run: &mut Run,
    policies: &Policies,
    message: &Message,
    (at, purpose): (Timestamp, Name),
    touch: Touch,
) {
    forget(run, policies);
    let mark = Mark {
        at,
        channel: message.channel,
        purpose: run.sym(purpose),
        subject: message.subject.clone(),
        family: touch.family,
        message: touch.message,
    };
    match run.state.marks.iter_mut().find(|known| known.message == touch.message) {
        Some(known) => *known = mark,
        None => run.state.marks.push(mark),
    }
}

/// Somebody of the bank has sent it on: now it counts, where it did not before.
pub(in crate::step) fn confirm(run: &mut Run, message: &Message, at: Timestamp) {
    let Some(policies) = policies(run) else { return };
    let world = run.world;
    let (Some(channel), Some(loaded)) =
        (world.symbols.name(message.channel), world.index().program(message.program))
    else {
        return;
    };
    let purpose = loaded.program.purpose;
    let counts = by_hand::is_so(run, channel) && policies.caps().any(|cap| cap.counts(channel, purpose));
    if counts && message.to().is_none() && run.state.marks.len() < MAX_MARKS {
        let touch = touch(run, loaded, message);
        mark(run, policies, message, (at, purpose), touch);
    }
}

/// What became of a message, as far as its place hangs on it.
pub(in crate::step) fn settle(state: &mut State, message: &Message, status: MessageStatus) {
    match status {
        MessageStatus::Failed
        | MessageStatus::Cancelled
        | MessageStatus::Refused(_)
        | MessageStatus::Held(_) => {
            let digest = digest(message);
            state.marks.retain(|mark| mark.message != digest);
        }
        MessageStatus::Pending | MessageStatus::Dispatching | MessageStatus::Sent => {}
    }
}

/// Tells a message and its family from all others of the row.
pub(in crate::step) fn touch(run: &Run, loaded: &Loaded, message: &Message) -> Touch {
    let name = |sym: Sym| run.world.symbols.name(sym).map_or("", |name| name.as_str());
    let node = loaded.program.nodes.get(usize::from(message.node));
    let step = node.map_or_else(|| name(message.step), |node| node.step.as_str());
    // The rounds that the step is in.
    let rounds = name(message.step).find('#').and_then(|at| name(message.step).get(at..)).unwrap_or_default();
    let family = fnv(&format!("{}{step}{rounds}{}", whose(message), message.extra()));
    Touch { decided: message.at, message: digest(message), family }
}

pub(in crate::step) fn digest(message: &Message) -> u64 {
    fnv(&format!("{}{}{}", whose(message), message.step.0, message.extra()))
}

fn whose(message: &Message) -> String {
    let from = message.from().map_or("", |from| &from.root.id);
    format!("{}/{:?}/{}/{from}/", message.journey.0, message.subject.0, message.entry)
}

pub(in crate::step) fn fnv(text: &str) -> u64 {
    text.bytes()
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

/// The caps that count this message, for the row's root or for the child that it is about.
fn applying<'p>(
    policies: &'p Policies,
    scene: &Scene,
    wish: Wish<'p>,
) -> impl Iterator<Item = (Option<Name>, &'p Cap)> {
    let (root, subject) = (scene.root.entity, scene.entity(scene.subject));
    let caps = policies.caps_of(wish.program.journey);
    caps.filter(move |(_, cap)| {
        cap.counts(wish.channel, wish.program.purpose) && (cap.whom == root || Some(cap.whom) == subject)
    })
}

fn is_counted(policies: &Policies, wish: Wish) -> bool {
    policies.caps().any(|cap| cap.counts(wish.channel, wish.program.purpose))
}

fn is_marked(state: &State, touch: Touch) -> bool {
    state.marks.iter().any(|mark| mark.message == touch.message)
}

fn most(cap: &Cap) -> usize {
    usize::try_from(cap.most).unwrap_or(usize::MAX)
}

/// When the others left that `cap` counts now, the oldest first. Of a family only the newest counts for a purpose, and
/// its next message needs no place of its own.
fn counted(run: &Run, scene: &Scene, cap: &Cap, touch: Touch) -> Vec<Timestamp> {
    let start = start(run, scene, cap.within);
    let mut found: Vec<(u64, Timestamp)> = Vec::new();
    let asked = by_hand::asked(run);
    let marks = run.state.marks.iter().chain(&asked);
    for mark in marks.filter(|mark| start <= mark.at && is_about(run, scene, cap, mark)) {
        if mark.message == touch.message {
            continue;
        }
        if cap.of_purpose && mark.family == touch.family {
            return Vec::new();
        }
        match found.iter_mut().find(|(family, _)| cap.of_purpose && *family == mark.family) {
            Some((_, at)) => *at = mark.at.max(*at),
            None => found.push((mark.family, mark.at)),
        }
    }
    let mut found: Vec<Timestamp> = found.into_iter().map(|(_, at)| at).collect();
    found.sort_unstable();
    found
}

fn is_about(run: &Run, scene: &Scene, cap: &Cap, mark: &Mark) -> bool {
    let name = |sym| run.world.symbols.name(sym);
    let counts = name(mark.channel)
        .zip(name(mark.purpose))
        .is_some_and(|(channel, purpose)| cap.counts(channel, purpose));
    counts && (cap.whom == run.root.entity || mark.subject == *scene.subject)
}

/// The first instant that counts now.
pub(in crate::step) fn start(run: &Run, scene: &Scene, within: Span) -> Timestamp {
    let start = match within.length {
        length if within.rolling => back(run, scene, length),
        Length::Elapsed(ms) => {
            let now = run.now.as_millisecond();
            Timestamp::from_millisecond(now - now.rem_euclid(ms.max(1))).ok()
        }
        Length::Civil { unit, .. } => bounds(unit, run).map(|(start, _)| start),
    };
    start.unwrap_or(Timestamp::MIN)
}

/// A message of just then counts no more: `per rolling 1h` is open at its old end.
fn back(run: &Run, scene: &Scene, length: Length) -> Option<Timestamp> {
    use crate::expr::Env;
    let start = civil::shift_moment(run.now, length, true, &run.zone, scene.calendar(None))?;
    start.checked_add(SignedDuration::from_millis(1)).ok()
}

/// When the message of `oldest` counts no more.
pub(in crate::step) fn room(run: &Run, scene: &Scene, within: Span, oldest: Timestamp) -> Timestamp {
    let room = match within.length {
        length if within.rolling => run.after(oldest, length, scene),
        Length::Elapsed(ms) => later(start(run, scene, within), ms),
        Length::Civil { unit, .. } => bounds(unit, run).map_or(Timestamp::MAX, |(_, end)| whole_ms(end)),
    };
    if room <= run.now { later(run.now, AGAIN_MS) } else { room }
}

/// The day, week, month or year that it is for the customer: its first instant, and the first behind it.
fn bounds(unit: CivilUnit, run: &Run) -> Option<(Timestamp, Timestamp)> {
    let unit = match unit {
        CivilUnit::Day | CivilUnit::Workday => SpanUnit::Day,
        CivilUnit::Week => SpanUnit::Week,
        CivilUnit::Month => SpanUnit::Month,
        CivilUnit::Year => SpanUnit::Year,
    };
    let (first, last) = civil::span_of(unit, civil::date_of(run.now, &run.zone))?;
    let start = civil::start_of_day(first, &run.zone)?;
    Some((start, civil::start_of_day(last.tomorrow().ok()?, &run.zone)?))
}

/// Drops what no cap looks back to.
fn forget(run: &mut Run, policies: &Policies) {
    let mut marks = std::mem::take(&mut run.state.marks);
    let name = |sym| run.world.symbols.name(sym);
    marks.retain(|mark| {
        let (Some(channel), Some(purpose)) = (name(mark.channel), name(mark.purpose)) else { return false };
        let counting = policies.caps().filter(|cap| cap.counts(channel, purpose));
        counting.into_iter().any(|cap| is_within(run, cap.within, mark.at))
    });
    run.state.marks = marks;
}

/// Whether a window of this length that ends now may hold `at`; a day more where the length is civil.
fn is_within(run: &Run, within: Span, at: Timestamp) -> bool {
    at.checked_add(SignedDuration::from_millis(within.length.at_most_ms())).is_ok_and(|end| end > run.now)
}
