//! The gate: the one ordered list of rules that every message passes, at the decision and again at dispatch.
//!
//! Switches, then whom the bank may write to at all (`person`), then when (`quiet`), then how often (`caps`), then what
//! is to be said. The first refusal stands. A message may also be held: it passes later, and is asked everything again.

mod by_hand;
pub(super) mod caps;
pub(super) mod person;
mod quiet;

use std::sync::Arc;

use jiff::Timestamp;

use super::input::RootKey;
use super::run::Run;
use super::scene::{ROOT, Scene};
use super::state::HeldBy;
use super::trace::Rule;
use crate::expr::civil;
use crate::name::Name;
use crate::program::{Content, Hashed, Outcome, Policies, Program, Variant};
use crate::value::Value;

/// A message that wants to leave, or something that wants to be shown.
#[derive(Clone, Copy)]
pub(super) struct Wish<'a> {
    pub program: &'a Program,
    pub channel: Name,
    pub content: Name,
    /// Somebody who is asked for no consent, instead of the subject.
    pub to: Option<&'a RootKey>,
}

/// Which message it is, for the rules that say when and how often.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Touch {
    pub decided: Timestamp,
    /// Digest of its key.
    pub message: u64,
    /// The same for all messages of one `reach`.
    pub family: u64,
}

/// What the gate agreed to.
pub(super) struct Pass<'a> {
    pub address: Arc<str>,
    pub content: &'a Hashed<Content>,
    pub variant: &'a Variant,
}

pub(super) enum Verdict<'a> {
    Pass(Pass<'a>),
    /// Not before then; the gate is asked again.
    Hold(Pass<'a>, Hold),
}

#[derive(Clone, Debug)]
pub(super) struct Hold {
    pub until: Timestamp,
    pub by: HeldBy,
    pub rule: Rule,
}

pub(super) type Refusal = (Outcome, Rule);

type Check = fn(&Run, &Scene, Wish) -> Result<(), Refusal>;

/// In this order; the first refusal stands.
const RULES: [Check; 6] =
    [kill_switch, known_subject, person::consent, person::listed, person::suppressed, person::unsuitable];

/// Whether it may leave, and when.
///
/// # Errors
/// The outcome the journey can branch on, and the rule that refused.
pub(super) fn pass<'a>(
    run: &Run<'a>,
    scene: &Scene,
    wish: Wish,
    touch: Touch,
) -> Result<Verdict<'a>, Refusal> {
    check(run, scene, wish)?;
    let hold = match quiet::hold(run, scene, wish, touch)? {
        // How many there are by then is counted then.
        Some(hold) => Some(hold),
        None => caps::hold(run, scene, wish, touch)?,
    };
    let pass = say(run, scene, wish)?;
    Ok(match hold {
        Some(hold) => Verdict::Hold(pass, hold),
        None => Verdict::Pass(pass),
    })
}

/// The same of what nobody is disturbed by: something that stands in a slot.
///
/// # Errors
/// As of [`pass`].
pub(super) fn admit<'a>(run: &Run<'a>, scene: &Scene, wish: Wish) -> Result<Pass<'a>, Refusal> {
    check(run, scene, wish)?;
    say(run, scene, wish)
}

/// Whether the bank may write to this person at all, whenever.
///
/// # Errors
/// As of [`pass`].
pub(super) fn check(run: &Run, scene: &Scene, wish: Wish) -> Result<(), Refusal> {
    RULES.iter().try_for_each(|rule| rule(run, scene, wish))
}

fn say<'a>(run: &Run<'a>, scene: &Scene, wish: Wish) -> Result<Pass<'a>, Refusal> {
    let address = address(run, scene, wish)?;
    let (content, variant) = variant(run, wish)?;
    Ok(Pass { address, content, variant })
}

/// The live rules of the bank.
fn policies<'a>(run: &Run<'a>) -> Option<&'a Policies> {
    run.world.bundle.policy.as_ref().map(|policy| &*policy.body)
}

fn kill_switch(run: &Run, _: &Scene, wish: Wish) -> Result<(), Refusal> {
    if run.world.kill.stops(wish.channel, wish.program.journey) {
        Err((Outcome::Unreachable, Rule::KillSwitch))
    } else {
        Ok(())
    }
}

fn known_subject(run: &Run, _: &Scene, _: Wish) -> Result<(), Refusal> {
    if run.state.known { Ok(()) } else { Err((Outcome::Unreachable, Rule::UnknownSubject)) }
}

/// The attribute that the channel names, else the addressee's id.
fn address(run: &Run, scene: &Scene, wish: Wish) -> Result<Arc<str>, Refusal> {
    let refusal = || (Outcome::Unreachable, Rule::NoAddress);
    let channel = run.world.index().channels.get(&wish.channel).ok_or_else(refusal)?;
    // A child that the channel reaches itself, else its root.
    let is_child = channel.party.is_some() && scene.entity(scene.subject) == channel.party;
    let own = if is_child { scene.subject } else { &ROOT };
    let Some(attribute) = channel.address else {
        return Ok(wish.to.map_or_else(|| scene.id(own), |to| to.id.clone()));
    };
    let value = match wish.to {
        Some(to) => run.world.references.attribute(to.entity, &to.id, attribute),
        None => scene.attribute(own, attribute),
    };
    match value {
        Value::Text(address) if !address.is_empty() => Ok(address),
        Value::Int(number) => Ok(number.to_string().into()),
        _ => Err(refusal()),
    }
}

fn variant<'a>(run: &Run<'a>, wish: Wish) -> Result<(&'a Hashed<Content>, &'a Variant), Refusal> {
    let missing = || (Outcome::Unreachable, Rule::NoContent);
    let world = run.world;
    let content = world.index().contents.get(&wish.content).ok_or_else(missing)?;
    let variant = content.body.variants.iter().find(|variant| variant.channel == wish.channel);
    let variant = variant.ok_or_else(missing)?;
    let today = civil::date_of(run.now, &world.zone);
    let is_open = content.body.open.is_none_or(|(first, last)| first <= today && today <= last);
    if is_open { Ok((content, variant)) } else { Err((Outcome::Unreachable, Rule::ContentClosed)) }
}
