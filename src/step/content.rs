//! Content at dispatch: the live variant, its holes filled for this customer.

use std::sync::Arc;

use super::cell::cell;
use super::scene::{ROOT, Scene};
use crate::expr::{Expr, Function, eval, print};
use crate::name::Name;
use crate::program::{Copy, CopyPiece, Part, Variant};
use crate::value::Value;

/// The parts of a message, rendered, in the order written.
type Parts = Vec<(Name, Arc<str>)>;

/// The language of copy where the customer's is not known.
const DEFAULT_LOCALE: &str = "zh";
/// The root's attribute that says which locale to use.
const LOCALE: &str = "locale";

/// The locale of the root's attribute `locale`, else `zh`.
pub(super) fn locale(scene: &Scene) -> Name {
    match scene.attribute(&ROOT, Name::new(LOCALE)) {
        Value::Choice(locale) => Some(locale),
        Value::Text(locale) => Name::lookup(&locale),
        _ => None,
    }
    .unwrap_or_else(default_locale)
}

/// The language for those of whom no other is known.
pub(super) fn default_locale() -> Name {
    Name::new(DEFAULT_LOCALE)
}

/// Each part once, in the order written: in the scene's locale, else without one, else in the default locale. Of an
/// ordered list only the message of this number, from 1. Then where they lead with `link(…)`, each once.
pub(super) fn render(variant: &Variant, number: Option<u16>, scene: &Scene) -> (Parts, Vec<Arc<str>>) {
    let mut links = Vec::new();
    (parts(variant, number, scene, &mut links), links)
}

fn parts(variant: &Variant, number: Option<u16>, scene: &Scene, links: &mut Vec<Arc<str>>) -> Parts {
    if !variant.messages.is_empty() {
        let at = usize::from(number.unwrap_or(1)).saturating_sub(1);
        let one = variant.messages.get(at);
        let word = |file| Name::new(if file { "file" } else { "message" });
        return one.map(|one| (word(one.file), fill(&one.copy, scene, links).into())).into_iter().collect();
    }
    let mut parts = Parts::new();
    for (part, ..) in &variant.parts {
        if parts.iter().any(|(done, _)| done == part) {
            continue;
        }
        if let Some(copy) = choose(variant, *part, scene.locale) {
            parts.push((*part, fill(copy, scene, links).into()));
        }
    }
    parts
}

fn choose(variant: &Variant, part: Name, locale: Option<Name>) -> Option<&Copy> {
    let fallbacks = [locale, None, Some(Name::new(DEFAULT_LOCALE))];
    let of = |wanted: Option<Name>| {
        variant.parts.iter().find(|(name, locale, _)| *name == part && *locale == wanted)
    };
    let any = || variant.parts.iter().find(|(name, ..)| *name == part);
    fallbacks.into_iter().find_map(of).or_else(any).map(|(_, _, copy)| copy)
}

/// A hole without a value stays empty; the checker refuses copy whose holes are optional.
fn fill(copy: &Copy, scene: &Scene, links: &mut Vec<Arc<str>>) -> String {
    let mut text = String::new();
    for piece in &copy.0 {
        match piece {
            CopyPiece::Text(plain) => text.push_str(plain),
            CopyPiece::Part(part) => {
                if let Some(copy) = level(part, scene) {
                    text.push_str(&fill(copy, scene, links));
                }
            }
            CopyPiece::Hole(expr) => {
                let value = eval(expr, scene);
                if let (Expr::Call(Function::Link, _), Value::Text(link)) = (expr, &value)
                    && !links.contains(link)
                {
                    links.push(Arc::clone(link));
                }
                text.push_str(&print::hole(&value, scene.zone, scene.locale).unwrap_or_default());
            }
        }
    }
    text
}

/// The level of the customer's cell. Factors have salts of their own, so that every combination is read.
fn level<'p>(part: &'p Part, scene: &Scene) -> Option<&'p Copy> {
    let root = &scene.root.id;
    let takes_part = cell(part.experiment.as_str(), root) < part.allocate;
    let own = usize::from(cell(&format!("{}/{}", part.experiment, part.factor), root));
    let at = if takes_part { own * part.levels.len() / 10_000 } else { 0 };
    part.levels.get(at).map(|(_, copy)| copy)
}
