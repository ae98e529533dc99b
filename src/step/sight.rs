//! How often a customer has seen what stands in a slot, and whether that is as often as may be.
//!
//! Counted are the sights that the bank's app reports, of a content in a slot, over everything of it that the row
//! remembers: what is shown anew does not begin anew.

use jiff::Timestamp;

use super::gate::caps;
use super::run::Run;
use super::scene::Scene;
use super::show::is_same;
use super::state::Placement;
use super::trace::Rule;
use crate::expr::MessageEvent;
use crate::program::{NodeKind, SightCap};

/// Caps that are reached.
pub(super) struct Enough {
    pub rule: Rule,
    /// When it may be seen again; `None`: never.
    pub until: Option<Timestamp>,
}

/// The caps of the show that put it there.
pub(super) fn caps_of<'a>(run: &Run<'a>, placement: &Placement) -> &'a [SightCap] {
    let loaded = run.world.index().program(placement.program);
    match loaded
        .and_then(|loaded| loaded.program.nodes.get(usize::from(placement.node)))
        .map(|node| &node.kind)
    {
        Some(NodeKind::Show(show)) => &show.caps,
        _ => &[],
    }
}

/// Whether `placement` has been seen as often as may be now; of several caps the one that lasts longest.
pub(super) fn enough(run: &Run, scene: &Scene, caps: &[SightCap], placement: &Placement) -> Option<Enough> {
    if caps.is_empty() {
        return None;
    }
    let sights = sights(run, placement);
    let reached = caps.iter().filter_map(|cap| reached(run, scene, cap, &sights));
    reached.max_by_key(|enough| enough.until.unwrap_or(Timestamp::MAX))
}

fn reached(run: &Run, scene: &Scene, cap: &SightCap, sights: &[Timestamp]) -> Option<Enough> {
    let from = cap.within.map_or(Timestamp::MIN, |within| caps::start(run, scene, within));
    let counted: Vec<Timestamp> = sights.iter().copied().filter(|at| from <= *at).collect();
    let most = usize::try_from(cap.most).unwrap_or(usize::MAX);
    let oldest = counted.get(counted.len().checked_sub(most)?).copied().unwrap_or(run.now);
    let seen = u32::try_from(counted.len()).unwrap_or(u32::MAX);
    let rule = Rule::Sights { most: cap.most, within: cap.within, seen };
    Some(Enough { rule, until: cap.within.map(|within| caps::room(run, scene, within, oldest)) })
}

/// The oldest first.
fn sights(run: &Run, placement: &Placement) -> Vec<Timestamp> {
    let same = run.state.placements.iter().filter(|known| is_same(known, placement));
    let sights = same.flat_map(|known| &known.receipts).filter(|(kind, _)| *kind == MessageEvent::Shown);
    let mut sights: Vec<Timestamp> = sights.map(|(_, at)| *at).collect();
    sights.sort_unstable();
    sights
}

/// Keeps a report: the first of its kind, and of sights as many of the last ones as `caps` count.
pub(super) fn keep(placement: &mut Placement, kind: MessageEvent, at: Timestamp, caps: &[SightCap]) {
    let is_known = placement.receipts.iter().any(|(known, _)| *known == kind);
    let counts = kind == MessageEvent::Shown && !caps.is_empty();
    if is_known && !counts {
        return;
    }
    placement.receipts.push((kind, at));
    let most = caps.iter().map(|cap| cap.most).max().unwrap_or_default();
    let is_sight = |(known, _): &&(MessageEvent, Timestamp)| *known == MessageEvent::Shown;
    let sights = placement.receipts.iter().filter(is_sight).count();
    // The first one stays: it is when it was first seen.
    if counts && sights > usize::try_from(most).unwrap_or(usize::MAX).saturating_add(1) {
        let first = placement.receipts.iter().position(|(known, _)| *known == MessageEvent::Shown);
        let second = first.and_then(|first| {
            let rest = placement.receipts.iter().enumerate().skip(first + 1);
            rest.into_iter().find(|(_, (known, _))| *known == MessageEvent::Shown).map(|(at, _)| at)
        });
        if let Some(second) = second {
            placement.receipts.remove(second);
        }
    }
}

/// Whether it is not shown at this moment, though it stands.
#[must_use]
pub fn rests(
    world: &super::World,
    root: &super::RootKey,
    state: &super::State,
    at: usize,
    now: Timestamp,
) -> bool {
    let mut state = state.clone();
    let run = Run::new(world, root, &mut state, now);
    let Some(placement) = run.state.placements.get(at) else { return false };
    let Some(loaded) = run.world.index().program(placement.program) else { return false };
    enough(&run, &run.scene(loaded, &placement.subject), caps_of(&run, placement), placement).is_some()
}
