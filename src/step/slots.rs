//! What stands in slots for a subject now, as a page of the app is to show it.
//!
//! Reads one row and changes nothing. The gate is asked again, so a consent that was withdrawn or a switch is heeded at
//! once, and the copy is made anew, so that a corrected text is seen.

use std::cmp::Reverse;
use std::sync::Arc;

use jiff::Timestamp;

use super::gate::{self, Wish};
use super::input::{MessageKey, RootKey};
use super::run::Run;
use super::scene::Scene;
use super::state::{Placement, State};
use super::world::World;
use super::{content, show, sight};
use crate::name::Name;

/// The part that is a picture.
const IMAGE: &str = "image";

/// A placement, rendered.
#[derive(Clone, Debug, PartialEq)]
pub struct Standing {
    /// What reports on it name.
    pub placement: MessageKey,
    pub slot: Name,
    pub content: Name,
    pub rank: i64,
    pub since: Timestamp,
    pub until: Option<Timestamp>,
    /// `title`, `body`, `link`, … in the order written.
    pub parts: Vec<(Name, Arc<str>)>,
    /// Parts that name a picture of the project, with the hash of what is in it.
    pub pictures: Vec<(Name, Arc<str>)>,
}

/// What stands in these slots for the root and its children: slot by slot, the highest rank first, of equals the newest.
#[must_use]
pub fn standing(
    world: &World,
    root: &RootKey,
    mut state: State,
    slots: &[Name],
    now: Timestamp,
) -> Vec<Standing> {
    let run = Run::new(world, root, &mut state, now);
    let place = |slot: Name| slots.iter().position(|asked| *asked == slot);
    // The timer that takes it down may be late.
    let is_due = |placement: &&Placement| placement.until.is_some_and(|until| until <= run.now);
    let standing = run.state.placements.iter().filter(|placement| placement.stands() && !is_due(placement));
    let mut found: Vec<Standing> = standing
        .filter_map(|placement| {
            let slot = world.symbols.name(placement.slot).filter(|slot| place(*slot).is_some())?;
            shown(&run, placement, slot)
        })
        .collect();
    found.sort_by_key(|one| (place(one.slot), Reverse(one.rank), Reverse(one.since)));
    found
}

fn shown(run: &Run, placement: &Placement, slot: Name) -> Option<Standing> {
    let content = run.world.symbols.name(placement.content)?;
    let loaded = run.world.index().program(placement.program)?;
    let scene = run.scene(loaded, &placement.subject);
    if sight::enough(run, &scene, sight::caps_of(run, placement), placement).is_some() {
        return None;
    }
    let wish = Wish { program: &loaded.program, channel: slot, content, to: None };
    let pass = gate::admit(run, &scene, wish).ok()?;
    let copy = Scene {
        defs: &pass.content.body.defs,
        features: &pass.content.body.features,
        params: &placement.args,
        locale: Some(content::locale(&scene)),
        ..scene
    };
    let parts = content::render(pass.variant, None, &copy).0;
    let picture = |(name, text): &(Name, Arc<str>)| {
        let (_, hash) = pass.variant.assets.iter().find(|(path, _)| path == text)?;
        (name.as_str() == IMAGE).then(|| (*name, hash.clone()))
    };
    Some(Standing {
        pictures: parts.iter().filter_map(picture).collect(),
        placement: show::key_of(run, placement),
        slot,
        content,
        rank: placement.rank,
        since: placement.at,
        until: placement.until,
        parts,
    })
}
