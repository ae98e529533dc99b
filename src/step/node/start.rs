//! `start`: another journey for the subject, or one for each of several.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::Flow;
use crate::expr::{Expr, eval};
use crate::name::Name;
use crate::program::{Among, Each, Node, NodeKind};
use crate::step::actor::Actor;
use crate::step::effect::Effect;
use crate::step::enter::{self, Candidate, ask_start};
use crate::step::input::{MessageKey, RootKey};
use crate::step::post::{Errand, Invitation, Post};
use crate::step::state::SubjectRef;
use crate::step::trace::{Cause, Decision};
use crate::value::Value;

/// For how many one step starts a journey. Groups are smaller; more of a list are left out, and that is traced.
const MOST: usize = 2_000;
/// The same for the subject's own children, whose journeys begin within the same step.
const MOST_CHILDREN: usize = 200;

pub(super) fn start(actor: &mut Actor, node: &Node) -> Flow {
    let NodeKind::Start { journey, args, next, each } = &node.kind else { return Flow::Wait };
    let step = actor.message_of(node.step);
    match each.as_deref() {
        None => start_one(actor, step, *journey, args),
        Some(each) => start_each(actor, step, *journey, each),
    }
    Flow::Go(*next)
}

/// The other journey begins once this instance has come to rest; the caller and its step make the key.
fn start_one(actor: &mut Actor, step: Name, journey: Name, args: &[(Name, Expr)]) {
    let scene = actor.scene();
    let payload = args.iter().map(|(name, value)| (*name, eval(value, &scene))).collect();
    let candidate = Candidate { payload, ..candidate(actor, step, actor.it.subject.clone()) };
    let sym = actor.run.sym(journey);
    actor.trace(Decision::Started { journey: sym });
    ask_start(actor.run, journey, candidate);
}

fn candidate(actor: &Actor, step: Name, subject: SubjectRef) -> Candidate {
    Candidate {
        subject,
        cause: Cause::Start { journey: actor.it.journey },
        at: actor.run.now,
        payload: Vec::new(),
        identity: format!("{}/{}/{step}", actor.loaded.program.journey, actor.it.key).into(),
        date: None,
        rule: None,
    }
}

/// Children begin here, once this instance has come to rest; other roots are asked, and look at the `where` themselves.
fn start_each(actor: &mut Actor, step: Name, journey: Name, each: &Each) {
    let (count, left_out) = match &each.among {
        Among::Children(entity) => children(actor, step, journey, (*entity, each.filter.as_ref())),
        Among::Roots(entity, list) => roots(actor, step, journey, (*entity, list)),
    };
    let number = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
    let (count, left_out) = (number(count), number(left_out));
    let journey = actor.run.sym(journey);
    actor.trace(Decision::StartedEach { journey, count, left_out });
}

fn children(
    actor: &mut Actor,
    step: Name,
    journey: Name,
    (entity, filter): (Name, Option<&Expr>),
) -> (usize, usize) {
    let all = enter::subjects_of(actor.run, entity);
    let admitted = |child: &SubjectRef| actor.scene().of_subject(child).admits(filter);
    let found: Vec<SubjectRef> = all.into_iter().filter(admitted).collect();
    let left_out = found.len().saturating_sub(MOST_CHILDREN);
    let mut count = 0;
    for child in found.into_iter().take(MOST_CHILDREN) {
        let candidate = candidate(actor, step, child);
        ask_start(actor.run, journey, candidate);
        count += 1;
    }
    (count, left_out)
}

fn roots(actor: &mut Actor, step: Name, journey: Name, (entity, list): (Name, &Expr)) -> (usize, usize) {
    let ids = match eval(list, &actor.scene()) {
        Value::List(ids) => ids,
        _ => Vec::new(),
    };
    let mut seen: BTreeSet<Arc<str>> = BTreeSet::new();
    let ids = ids.into_iter().filter_map(|id| match id {
        Value::Text(id) if !id.is_empty() && seen.insert(id.clone()) => Some(id),
        _ => None,
    });
    let ids: Vec<Arc<str>> = ids.collect();
    let left_out = ids.len().saturating_sub(MOST);
    let key = key_of(actor, step);
    let mut count = 0;
    for id in ids.into_iter().take(MOST) {
        let to = RootKey { entity, id };
        let (from, errand) = (actor.run.root.clone(), Errand::Start(Box::new(invitation(actor, journey))));
        // Also to the caller's own row: whoever is a member is asked in the same way.
        actor.run.effect(Effect::Post(Box::new(Post { from, to, key: key.clone(), errand })));
        count += 1;
    }
    (count, left_out)
}

fn invitation(actor: &Actor, journey: Name) -> Invitation {
    Invitation {
        journey,
        program: actor.it.program,
        node: actor.it.node,
        entered: actor.it.entered,
        entry_time: actor.it.entry_time,
        entry: actor.it.entry.clone(),
        locals: actor.it.locals.clone(),
    }
}

/// The caller's instance and its step: the same start asked again is the same one.
fn key_of(actor: &Actor, step: Name) -> MessageKey {
    let text = |sym| actor.run.world.index().text(sym);
    let child = actor.it.subject.0.as_ref();
    MessageKey {
        journey: text(actor.it.journey),
        root: actor.run.root.id.clone(),
        child: child.map(|(entity, id)| (text(*entity), id.clone())),
        entry: actor.it.key.clone(),
        step: step.as_str().into(),
    }
}
