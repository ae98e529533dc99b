//! Work for people: asked for, reminded of, overdue, escalated, done; or withdrawn with the instance that asked.
//!
//! A task is the row's, not the instance's: one that nobody waits for is still reminded of and escalated. A result is
//! an event of the task's name; the oldest open task of that name takes it, or the one that it names.

use std::sync::Arc;

use jiff::Timestamp;

use super::actor::Actor;
use super::effect::{Effect, TaskChange, TaskNews};
use super::input::{Event, MessageKey, TaskOrder};
use super::node::Flow;
use super::occurrence::{Occurrence, identity};
use super::run::{Follow, Run, whole_ms};
use super::scene::{ROOT, Scene};
use super::state::{Alarm, AlarmKind, Claim, Instance, MAX_TASKS, SubjectRef, Task};
use super::symbols::{ASSIGNEE, OVERDUE, Sym};
use super::trace::{Decision, Trace};
use crate::expr::civil;
use crate::expr::{Env, eval};
use crate::name::Name;
use crate::program::{Assign, NodeKind};
use crate::value::{Length, Value};

/// The field of a result that names the task by its key. Without it the oldest of the kind is meant.
pub const TASK: &str = "task";

/// Asks for the task, once, and waits for its result if anything hangs on it.
pub(super) fn assign(actor: &mut Actor, step: Name, assign: &Assign) -> Flow {
    let step = actor.run.sym(actor.message_of(step));
    let known = actor.run.state.tasks.iter().find(|task| is_of(task, &actor.it) && task.step == step);
    let due = match known {
        Some(task) => task.due,
        None => open(actor, step, assign),
    };
    if assign.results.is_empty() || actor.leaving {
        return Flow::Go(assign.next);
    }
    actor.it.deadline = due;
    actor.trace(Decision::Waits { until: due });
    Flow::Wait
}

fn open(actor: &mut Actor, step: Sym, assign: &Assign) -> Option<Timestamp> {
    let scene = actor.scene();
    let now = actor.run.now;
    let assignee = eval(&assign.to, &scene);
    let due = assign.due.map(|due| actor.run.after(now, due, &scene));
    let task = Task {
        journey: actor.it.journey,
        subject: actor.it.subject.clone(),
        entry: actor.it.key.clone(),
        step,
        task: actor.run.sym(assign.task),
        program: actor.it.program,
        node: actor.it.node,
        about: about(actor, assign),
        assignee: assignee.clone(),
        due,
        alarms: alarms(actor, assign, due),
    };
    actor.trace(Decision::Assigned { step, task: task.task, to: assignee, due });
    let opened =
        Occurrence::of_task(&task, "open", None, now, identity_of(actor.run, &task, "open"), actor.run);
    actor.run.follow(Follow::Occurrence(opened));
    add(actor.run, task);
    due
}

/// Keeps an open task; the oldest gives way where there are too many.
pub(super) fn add(run: &mut Run, task: Task) {
    if run.state.tasks.len() >= MAX_TASKS {
        let oldest = run.state.tasks.remove(0);
        give_up(run, &oldest);
    }
    let unit = unit_of(run, &task);
    tell_directory(run, &task, TaskChange::Opened { unit });
    run.state.tasks.push(task);
}

/// What the program says whose account the task is in.
fn unit_of(run: &Run, task: &Task) -> Option<Arc<str>> {
    let loaded = run.world.index().program(task.program)?;
    let Some(NodeKind::Assign(assign)) =
        loaded.program.nodes.get(usize::from(task.node)).map(|node| &node.kind)
    else {
        return None;
    };
    match eval(assign.unit.as_ref()?, &run.scene(loaded, &task.subject)) {
        Value::Text(unit) => Some(unit),
        _ => None,
    }
}

fn about(actor: &Actor, assign: &Assign) -> SubjectRef {
    if assign.subject == actor.loaded.program.subject { actor.it.subject.clone() } else { ROOT.clone() }
}

/// Reminder, due time and escalation, soonest first; a reminder whose time is past is left out.
fn alarms(actor: &Actor, assign: &Assign, due: Option<Timestamp>) -> Vec<Alarm> {
    let Some(due) = due else { return Vec::new() };
    let scene = actor.scene();
    let back = |length: Length| {
        civil::shift_moment(due, length, true, &actor.run.zone, scene.calendar(None)).map(whole_ms)
    };
    let remind = assign.remind.and_then(back).filter(|at| *at > actor.run.now);
    let escalate = assign.escalate.as_ref().map(|(after, _)| actor.run.after(due, *after, &scene));
    let all = [(remind, AlarmKind::Remind), (Some(due), AlarmKind::Overdue), (escalate, AlarmKind::Escalate)];
    let mut alarms: Vec<Alarm> =
        all.into_iter().filter_map(|(at, what)| Some(Alarm { at: at?, what })).collect();
    alarms.sort_by_key(|alarm| (alarm.at, alarm.what));
    alarms
}

/// The first alarm of the task at `at` is due.
pub(super) fn alarm(run: &mut Run, at: usize) {
    let Some(task) = run.state.tasks.get_mut(at) else { return };
    if task.alarms.is_empty() {
        return;
    }
    let Alarm { what, at: due } = task.alarms.remove(0);
    let task = task.clone();
    match what {
        AlarmKind::Remind => {
            let to = task.assignee.clone();
            trace(run, &task, Decision::Reminded { step: task.step, task: task.task, to });
            tell_directory(run, &task, TaskChange::Reminded);
        }
        AlarmKind::Overdue => {
            trace(run, &task, Decision::Overdue { step: task.step, task: task.task });
            tell_directory(run, &task, TaskChange::Overdue);
            let identity = identity_of(run, &task, OVERDUE);
            let overdue = Occurrence::of_task(&task, OVERDUE, None, due, identity, run);
            run.follow(Follow::Occurrence(overdue));
            tell(run, &task, Name::new(OVERDUE));
        }
        AlarmKind::Escalate => {
            let to = escalates_to(run, &task);
            tell_directory(run, &task, TaskChange::Escalated { to: id_of(&to) });
            trace(run, &task, Decision::Escalated { step: task.step, task: task.task, to });
        }
    }
}

fn escalates_to(run: &Run, task: &Task) -> Value {
    let Some(loaded) = run.world.index().program(task.program) else { return Value::Missing };
    let node = loaded.program.nodes.get(usize::from(task.node));
    let Some(NodeKind::Assign(assign)) = node.map(|node| &node.kind) else { return Value::Missing };
    let Some((_, to)) = &assign.escalate else { return Value::Missing };
    let params = [(run.fixed(ASSIGNEE), task.assignee.clone())];
    let scene = Scene { params: &params, ..run.scene(loaded, &task.about) };
    eval(to, &scene)
}

/// Somebody reports on a task.
pub(super) fn take(run: &mut Run, event: &Event, name: Name) {
    let happened = whole_ms(event.time);
    // An alarm that was due before goes first: what was done too late does not count as done in time.
    super::due::run_until(run, happened.min(run.now));
    let said = |field: &str| event.fields.iter().find(|(name, _)| name.as_str() == field);
    let subject = SubjectRef(event.child.as_ref().map(|(entity, id)| (run.sym(*entity), id.clone())));
    let sym = run.sym(name);
    let text = |field: &str| match said(field) {
        Some((_, Value::Text(text))) => Some(text.clone()),
        _ => None,
    };
    let named = text(TASK);
    let is_meant = |task: &Task| {
        let is_named = named.as_ref().is_none_or(|named| key_of(run, task).to_string() == **named);
        task.task == sym && task.about == subject && is_named
    };
    let found = run.state.tasks.iter().position(is_meant);
    let result = match said("result") {
        Some((_, Value::Choice(result))) => Some(*result),
        _ => run.world.index().tasks.get(&name).and_then(|results| results.first()).copied(),
    };
    let (Some(at), Some(result)) = (found, result) else {
        return run.trace_root(Decision::NoSuchTask { task: sym });
    };
    let mut task = run.state.tasks.remove(at);
    if let Some(by) = text(ASSIGNEE) {
        task.assignee = Value::Text(by);
    }
    let done = Decision::TaskDone { step: task.step, task: sym, result: run.sym(result), at: happened };
    trace(run, &task, done);
    tell_directory(run, &task, TaskChange::Done { result });
    unclaim(run, &task);
    let occurrence = Occurrence::of_task(&task, "done", Some(result), happened, identity(event), run);
    super::happen(run, occurrence);
    tell(run, &task, result);
}

/// Whoever distributes work says who does it.
pub(super) fn take_order(run: &mut Run, key: &MessageKey, order: &TaskOrder) {
    let Some(at) = run.state.tasks.iter().position(|task| key_of(run, task) == *key) else {
        let task = Name::lookup(&key.step).map_or(run.fixed(OVERDUE), |step| run.sym(step));
        return run.trace_root(Decision::NoSuchTask { task });
    };
    let Some(mut task) = run.state.tasks.get(at).cloned() else { return };
    let (step, name) = (task.step, task.task);
    match order {
        TaskOrder::Claim { by } => {
            let claimed = Value::Text(by.clone());
            match holder_of(run, &task) {
                Some(holder) if holder == *by => {}
                Some(_) => trace(run, &task, Decision::NotClaimed { step, task: name, by: claimed }),
                None => {
                    let key = key.to_string().into();
                    run.state.claims.push(Claim { task: key, by: by.clone() });
                    trace(run, &task, Decision::Claimed { step, task: name, by: claimed });
                    tell_directory(run, &task, TaskChange::Claimed);
                }
            }
        }
        TaskOrder::Reassign { to } => {
            unclaim(run, &task);
            let from = std::mem::replace(&mut task.assignee, Value::Text(to.clone()));
            if let Some(kept) = run.state.tasks.get_mut(at) {
                kept.assignee = task.assignee.clone();
            }
            let to = task.assignee.clone();
            trace(run, &task, Decision::Reassigned { step, task: name, from, to });
            tell_directory(run, &task, TaskChange::Reassigned);
        }
    }
}

/// The instance exits: what it asked for and nobody did is no longer asked for.
pub(super) fn withdraw(run: &mut Run, instance: &Instance) {
    let (gone, kept) =
        std::mem::take(&mut run.state.tasks).into_iter().partition(|task| is_of(task, instance));
    run.state.tasks = kept;
    let gone: Vec<Task> = gone;
    for task in gone {
        give_up(run, &task);
    }
}

/// The subject has gone into another, which has its tasks now.
pub(super) fn forget_all(run: &mut Run) {
    for task in std::mem::take(&mut run.state.tasks) {
        give_up(run, &task);
    }
}

/// Nobody asks for it any more.
fn give_up(run: &mut Run, task: &Task) {
    trace(run, task, Decision::Withdrawn { step: task.step, task: task.task });
    tell_directory(run, task, TaskChange::Withdrawn);
    unclaim(run, task);
}

fn holder_of(run: &Run, task: &Task) -> Option<Arc<str>> {
    if run.state.claims.is_empty() {
        return None;
    }
    let key = key_of(run, task).to_string();
    run.state.claims.iter().find(|claim| *claim.task == *key).map(|claim| claim.by.clone())
}

fn unclaim(run: &mut Run, task: &Task) {
    if !run.state.claims.is_empty() {
        let key = key_of(run, task).to_string();
        run.state.claims.retain(|claim| *claim.task != *key);
    }
}

fn tell_directory(run: &mut Run, task: &Task, what: TaskChange) {
    let text = |sym| run.world.index().text(sym);
    let Some(name) = run.world.symbols.name(task.task) else { return };
    let news = TaskNews {
        key: key_of(run, task),
        task: name,
        about: task.about.0.as_ref().map(|(entity, id)| (text(*entity), id.clone())),
        assignee: id_of(&task.assignee),
        holder: holder_of(run, task),
        due: task.due,
        is_overdue: task.due.is_some() && task.alarms.iter().all(|alarm| alarm.what != AlarmKind::Overdue),
        at: run.now,
        what,
    };
    run.effect(Effect::Task(Box::new(news)));
}

fn id_of(staff: &Value) -> Arc<str> {
    match staff {
        Value::Text(id) => id.clone(),
        _ => Arc::default(),
    }
}

/// What names the task.
fn key_of(run: &Run, task: &Task) -> MessageKey {
    let text = |sym| run.world.index().text(sym);
    MessageKey {
        journey: text(task.journey),
        root: run.root.id.clone(),
        child: task.subject.0.as_ref().map(|(entity, id)| (text(*entity), id.clone())),
        entry: task.entry.clone(),
        step: text(task.step),
    }
}

/// Lets the instance go on that waits for the task, if it still does.
fn tell(run: &mut Run, task: &Task, result: Name) {
    let waits = |instance: &Instance| is_of(task, instance) && instance.node == task.node;
    let Some(at) = run.state.instances.iter().position(waits) else { return };
    super::with_actor(run, at, |actor| actor.go_on_with(result));
}

fn is_of(task: &Task, instance: &Instance) -> bool {
    task.journey == instance.journey && task.entry == instance.key && task.subject == instance.subject
}

fn identity_of(run: &Run, task: &Task, status: &str) -> Arc<str> {
    let text = |sym| run.world.index().text(sym);
    format!("{}/{}/{}#{status}", text(task.journey), task.entry, text(task.step)).into()
}

fn trace(run: &mut Run, task: &Task, what: Decision) {
    run.out.trace.push(Trace {
        at: run.now,
        journey: Some(task.journey),
        subject: task.subject.clone(),
        entry: Some(task.entry.clone()),
        program: Some(task.program),
        node: Some(task.node),
        what,
    });
}
