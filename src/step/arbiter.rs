//! Who gets the room under a cap when several messages of one step want it: not whose journey was stepped first, but
//! who goes first by the bank's `order`, then what is over soonest, then the journey's and the step's name.
//!
//! A message that a cap may refuse is not decided where its instance comes to it. It is wanted; and once everybody has
//! come to rest, all that are wanted are decided one behind the other, before the step ends.

use jiff::Timestamp;

use super::actor::Actor;
use super::run::Run;
use super::state::{Message, SubjectRef};
use super::symbols::Sym;
use crate::expr::civil;
use crate::name::Name;
use crate::program::NodeId;

/// Rounds of deciding, each of which may let instances come to their next message.
const MOST_ROUNDS: usize = 256;

/// Sorts before what goes behind it.
pub(super) type Rank = (usize, Timestamp, &'static str, &'static str);

/// An instance that stands at its message.
pub(super) struct Wanted {
    rank: Rank,
    journey: Sym,
    subject: SubjectRef,
    key: std::sync::Arc<str>,
    node: NodeId,
}

/// The instance waits where it is, until it is its turn.
pub(super) fn want(actor: &mut Actor, step: Sym, content: Name) {
    let rank = rank(actor.run, actor.it.journey, step, Some(content), actor.it.expires);
    actor.run.wanted.push(Wanted {
        rank,
        journey: actor.it.journey,
        subject: actor.it.subject.clone(),
        key: actor.it.key.clone(),
        node: actor.it.node,
    });
}

/// Decides everything that is wanted, and what comes of that.
pub(super) fn decide_all(run: &mut Run) {
    for _ in 0..MOST_ROUNDS {
        let mut wanted = std::mem::take(&mut run.wanted);
        if wanted.is_empty() {
            return;
        }
        wanted.sort_by(|one, other| one.rank.cmp(&other.rank).then_with(|| one.key.cmp(&other.key)));
        for one in wanted {
            decide(run, &one);
            super::settle_followers(run);
        }
    }
}

/// An instance that has gone on, or ended, wants nothing.
fn decide(run: &mut Run, wanted: &Wanted) {
    let at = run.state.instances.iter().position(|instance| {
        instance.journey == wanted.journey
            && instance.subject == wanted.subject
            && instance.key == wanted.key
            && instance.node == wanted.node
    });
    if let Some(at) = at {
        run.its_turn = true;
        super::with_actor(run, at, |actor| actor.resume());
        run.its_turn = false;
    }
}

/// The place of a message that is kept in the state.
pub(super) fn rank_of(run: &Run, message: &Message) -> Rank {
    let loaded = run.world.index().program(message.program);
    let content = loaded.and_then(|loaded| super::message::content_of(loaded, message, run));
    let expires = run.state.instances.iter().find(|instance| {
        instance.journey == message.journey
            && instance.key == message.entry
            && instance.subject == message.subject
    });
    let expires = expires.and_then(|instance| instance.expires);
    rank(run, message.journey, message.step, content, expires)
}

fn rank(run: &Run, journey: Sym, step: Sym, content: Option<Name>, expires: Option<Timestamp>) -> Rank {
    let name = |sym| run.world.symbols.name(sym);
    let policy = run.world.bundle.policy.as_ref();
    let place = name(journey).zip(policy).map_or(usize::MAX, |(journey, policy)| policy.body.rank(journey));
    let content = content.and_then(|content| run.world.index().contents.get(&content));
    let closes = content.and_then(|content| {
        let (_, last) = content.body.open?;
        civil::start_of_day(last.tomorrow().ok()?, &run.world.zone)
    });
    let over = closes.into_iter().chain(expires).min().unwrap_or(Timestamp::MAX);
    let text = |sym| name(sym).map_or("", |name| name.as_str());
    (place, over, text(journey), text(step))
}
