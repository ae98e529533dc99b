//! Tags: the only thing a journey writes about its subject.

use super::Flow;
use crate::name::Name;
use crate::program::NodeId;
use crate::step::actor::Actor;
use crate::step::trace::Decision;
use crate::value::Length;

/// `keep` of the step, else of the tag's declaration, else for good.
pub(super) fn give(actor: &mut Actor, tag: Name, keep: Option<Length>, next: NodeId) -> Flow {
    let run = &*actor.run;
    let keep = keep.or_else(|| run.world.index().tags.get(&tag)?.keep);
    let until = keep.map(|keep| run.after(run.now, keep, &actor.scene()));
    let sym = run.sym(tag);
    let home = run.world.tag_home(tag, &actor.it.subject, run.root);
    actor.run.state.set_tag(home, sym, until, actor.run.now);
    actor.trace(Decision::Tagged { tag: sym, until });
    Flow::Go(next)
}

pub(super) fn take(actor: &mut Actor, tag: Name, next: NodeId) -> Flow {
    let sym = actor.run.sym(tag);
    let home = actor.run.world.tag_home(tag, &actor.it.subject, actor.run.root);
    actor.run.state.remove_tag(home, sym);
    actor.trace(Decision::Untagged { tag: sym });
    Flow::Go(next)
}
