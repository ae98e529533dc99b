//! What a content says by each of its channels to somebody of whom this is known: for whoever writes it, without a journey.

use std::sync::Arc;

use jiff::Timestamp;

use super::content;
use super::input::RootKey;
use super::run::Run;
use super::scene::{ROOT, Scene};
use super::state::State;
use super::symbols::Sym;
use super::world::World;
use crate::name::Name;
use crate::program::{Content, Variant};
use crate::value::Value;

/// One message.
#[derive(Clone, Debug, PartialEq)]
pub struct Shown {
    pub channel: Name,
    /// In an ordered list, from 1.
    pub number: Option<u16>,
    /// In the order written.
    pub parts: Vec<(Name, Arc<str>)>,
    /// Parts that have no copy in this language, and are shown in another.
    pub borrowed: Vec<Name>,
}

/// Whom, and with what, and in which language; without one in the customer's own.
pub struct Wish<'a> {
    pub root: &'a RootKey,
    pub args: &'a [(Name, Value)],
    pub locale: Option<Name>,
}

/// Every message of `wanted`, in the order written, and the language.
#[must_use]
pub fn preview(
    world: &World,
    state: &mut State,
    wanted: &Content,
    wish: &Wish,
    now: Timestamp,
) -> (Name, Vec<Shown>) {
    let run = Run::new(world, wish.root, state, now);
    let params: Vec<(Sym, Value)> =
        wish.args.iter().map(|(name, value)| (run.sym(*name), value.clone())).collect();
    let row = Scene::of_row(world, wish.root, run.state, &run.zone, run.now).of_subject(&ROOT);
    let locale = wish.locale.unwrap_or_else(|| content::locale(&row));
    let scene = Scene {
        defs: &wanted.defs,
        features: &wanted.features,
        params: &params,
        locale: Some(locale),
        ..row
    };
    let mut shown = Vec::new();
    for variant in &wanted.variants {
        let count = u16::try_from(variant.messages.len()).unwrap_or(u16::MAX);
        let numbers: Vec<Option<u16>> = if count == 0 { vec![None] } else { (1..=count).map(Some).collect() };
        for number in numbers {
            let (parts, _) = content::render(variant, number, &scene);
            shown.push(Shown {
                channel: variant.channel,
                number,
                parts,
                borrowed: borrowed(variant, locale),
            });
        }
    }
    (locale, shown)
}

/// Parts in languages, this one not among them.
fn borrowed(variant: &Variant, locale: Name) -> Vec<Name> {
    let has = |name: Name, wanted: Option<Name>| {
        variant.parts.iter().any(|(part, language, _)| *part == name && *language == wanted)
    };
    let mut names: Vec<Name> = variant.parts.iter().map(|(name, ..)| *name).collect();
    names.dedup();
    // A copy without a language is in all of them.
    names.retain(|name| !has(*name, Some(locale)) && !has(*name, None));
    names
}
