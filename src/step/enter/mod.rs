//! How instances come to be. Each kind of entry has a file; here is what they share: the checks every candidate
//! passes, in order, and the birth of the instance.

mod date;
mod event;
mod key;
mod lane;
mod ledger;
mod needs;
mod rules;
mod schedule;
mod when;
mod without;

use std::sync::Arc;

use jiff::Timestamp;
use jiff::civil::Date;

pub(super) use date::{anchored, as_moment, fire as fire_date, plan as plan_date};
pub(super) use event::heard;
pub(super) use lane::{over as no_turn, release};
pub(super) use ledger::close;
pub(super) use needs::{Changed, Needs};
pub(super) use schedule::tick;
pub(super) use when::{fitting, pass_over, watch};
pub(super) use without::{absent, fire as fire_without, trigger};

use super::actor::Actor;
use super::index::Loaded;
use super::input::RootKey;
use super::opening;
use super::run::{Follow, Run};
use super::state::{Instance, MAX_INSTANCES, State, SubjectRef};
use super::trace::{Because, Cause, Decision, NotEntered};
use super::world::World;
use crate::expr::Expr;
use crate::name::Name;
use crate::value::Value;

/// Somebody who may enter a journey.
pub(super) struct Candidate {
    pub subject: SubjectRef,
    pub cause: Cause,
    /// When what enters happened.
    pub at: Timestamp,
    /// The payload of the entry event, or the arguments of `start`.
    pub payload: Vec<(Name, Value)>,
    /// What makes two entries of `reenter after` and `restart` the same.
    pub identity: Arc<str>,
    /// Of date entries.
    pub date: Option<Date>,
    /// Of replies: the rule that fits.
    pub rule: Option<Name>,
}

/// Enters, or traces why not.
pub(super) fn consider(run: &mut Run, loaded: &Arc<Loaded>, candidate: Candidate) {
    let key = key::of(run, loaded, &candidate);
    match may_enter(run, loaded, &candidate, &key) {
        Ok(()) => {
            if let Some(candidate) = lane::turn(run, loaded, candidate, &key) {
                enter(run, loaded, candidate, key);
            }
        }
        Err(why) => refuse(run, loaded, &candidate, why),
    }
}

pub(super) fn refuse(run: &mut Run, loaded: &Loaded, candidate: &Candidate, why: NotEntered) {
    let what = Decision::NotEntered { by: candidate.cause.clone(), why };
    run.trace_entry(loaded, &candidate.subject, what);
}

/// Whether the journey takes anybody in at this instant.
pub(super) fn is_open(loaded: &Loaded, world: &World, now: Timestamp) -> bool {
    opening::is_open(loaded.program.open.as_ref(), world, now)
}

/// Enters the journey that a `start` step names: the live version, for the caller's subject or its root.
pub(super) fn by_start(run: &mut Run, journey: Name, mut candidate: Candidate) {
    let Some(loaded) = run.world.index().journey(journey).cloned() else { return };
    if !loaded.of_child {
        candidate.subject = SubjectRef(None);
    }
    consider(run, &loaded, candidate);
}

fn may_enter(run: &mut Run, loaded: &Loaded, candidate: &Candidate, key: &str) -> Result<(), NotEntered> {
    if !is_open(loaded, run.world, run.now) {
        return Err(NotEntered::Closed);
    }
    ledger::check(run, loaded, &candidate.subject, key)?;
    rules::may_answer(run, loaded, candidate)?;
    if run.state.instances.len() >= MAX_INSTANCES {
        return Err(NotEntered::TooMany);
    }
    Ok(())
}

fn enter(run: &mut Run, loaded: &Arc<Loaded>, candidate: Candidate, key: Arc<str>) {
    ledger::replace_running(run, loaded, &candidate.subject);
    ledger::open(run, loaded, &candidate.subject, &key);
    let slots = loaded.program.locals.len();
    let mut instance = Instance {
        journey: loaded.journey,
        subject: candidate.subject,
        key,
        program: loaded.no,
        entered: run.now,
        entry_time: candidate.at,
        entry: Value::Record(candidate.payload),
        locals: vec![(Value::Missing, None); slots],
        node: 0,
        since: run.now,
        due: None,
        deadline: None,
        ladder: None,
        sent: Vec::new(),
        seen: Vec::new(),
        goals: Vec::new(),
        missed: Vec::new(),
        expires: None,
    };
    if let (Some(rules), Some(rule)) = (&loaded.program.rules, candidate.rule)
        && let Some(local) = instance.locals.get_mut(usize::from(rules.slot))
    {
        *local = (Value::Choice(rule), None);
    }
    let scene = run.scene(loaded, &instance.subject);
    instance.expires = loaded.program.lasts.map(|lasts| run.after(run.now, lasts, &scene));
    run.trace(&instance, Decision::Entered { by: candidate.cause });
    run.moved = true;
    if let Some(instance) = Actor::new(run, loaded, instance).begin() {
        run.state.instances.push(instance);
    }
}

/// Whether the condition of an entry holds.
pub(super) fn fits(run: &Run, loaded: &Loaded, candidate: &Candidate, condition: &Expr) -> bool {
    run.scene(loaded, &candidate.subject).entered_by(&candidate.payload).admits(Some(condition))
}

/// The leaves that decide it. They cost many times what the answer does, so only who tells of it asks for them.
pub(super) fn reasons(run: &Run, loaded: &Loaded, candidate: &Candidate, condition: &Expr) -> Because {
    let scene = run.scene(loaded, &candidate.subject).entered_by(&candidate.payload);
    super::because::of(condition, &scene)
}

/// Subjects of `loaded` in this row: the root, or each child of its kind.
pub(super) fn subjects(run: &Run, loaded: &Loaded) -> Vec<SubjectRef> {
    subjects_of(run, loaded.program.subject)
}

/// Subjects of this kind in this row.
pub(super) fn subjects_of(run: &Run, entity: Name) -> Vec<SubjectRef> {
    subjects_in(run.world, run.root, run.state, entity)
}

/// The same outside of a step.
pub(super) fn subjects_in(world: &World, root: &RootKey, state: &State, entity: Name) -> Vec<SubjectRef> {
    if root.entity == entity {
        return vec![SubjectRef(None)];
    }
    let entity = world.symbols.sym(entity);
    let children = state.children.iter().filter(|child| Some(child.entity) == entity);
    children.map(|child| SubjectRef(Some((child.entity, child.id.clone())))).collect()
}

/// Asks for a journey to be started once the caller has come to rest.
pub(super) fn ask_start(run: &mut Run, journey: Name, candidate: Candidate) {
    run.follow(Follow::Start(Box::new(candidate), journey));
}
