//! Rules of compliance: what a reviewer would find in copy, audiences, rewards and channels, told by the compiler.
//!
//! Engineering research, unsigned, not legal advice. A rule is a file in the folder of its letters (`claim/promise.rs`)
//! with what is known of it, its check, and a page in `pages/` whose examples are its test. Reading order: [`pack`] (what a
//! project is held to), [`rule`] (what is known of a rule), [`registry`] (all rules, and those that cannot be written yet),
//! [`context`] and [`said`] (what they look at), [`words`] (wording), [`waiver`] (what is excused) and [`bound`] (what it looked like when it was), [`memory`] (what an
//! edit leaves as it is), [`baseline`] (what was there before).
//!
//! A rule that lacks what it would have to look at is listed with what is missing, and never guessed.

pub mod baseline;
pub mod bound;
mod chan;
mod claim;
mod consent;
mod content;
pub mod context;
mod data;
mod fair;
pub mod finding;
pub mod flows;
mod freq;
mod house;
pub mod memory;
mod ops;
mod optout;
pub mod pack;
pub mod page;
mod privacy;
mod prize;
mod quiet;
pub mod reads;
pub mod registry;
mod reward;
pub mod rule;
pub mod said;
mod suit;
mod trees;
pub mod waiver;
pub mod words;

use crate::diagnostic::suggest::did_you_mean;
use crate::diagnostic::{Diagnostic, code};
use crate::model::Model;
use crate::text::Span;

pub use context::Context;
pub use finding::{Found, Out};
pub use memory::{Memory, Touched};
pub use pack::{Chosen, Pack};
pub use prize::change::Before;
pub use registry::{find, nearest};
pub use rule::Rule;
pub use trees::Trees;

/// What every list of rules begins with.
pub const NOTICE: &str = "engineering research, unsigned, not legal advice";

/// Packs that policies name hold beside those of the settings.
fn with_policies(model: &Model, chosen: &Chosen) -> (Chosen, Vec<Diagnostic>) {
    let (mut chosen, mut told) = (chosen.clone(), Vec::new());
    for policy in model.policies.values() {
        let Some(named) = &policy.pack else { continue };
        // `cn.2026`: whose rules, and of when; the day is said elsewhere.
        let text = named.split('.').next().unwrap_or_default();
        match Pack::find(text) {
            Some(pack) if chosen.packs.contains(&pack) => {}
            Some(pack) => chosen.packs.push(pack),
            None => told.push(unknown_pack(text, policy.span)),
        }
    }
    (chosen, told)
}

/// A pack that is not there, named at `span`.
#[must_use]
pub fn unknown_pack(text: &str, span: Span) -> Diagnostic {
    let known = || Pack::ALL.map(Pack::as_str);
    let help = did_you_mean(text, known());
    Diagnostic::new(code::PACK, span, format!("there is no pack of rules `{text}`"))
        .label("not known")
        .help(help.unwrap_or_else(|| format!("packs are `{}`", known().join("`, `"))))
}
