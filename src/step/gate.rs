//! The gate: the one ordered list of rules that every message passes, at the decision and again at dispatch.

use std::sync::Arc;

use super::input::RootKey;
use super::run::Run;
use super::scene::{ROOT, Scene};
use super::symbols;
use super::trace::Rule;
use crate::expr::civil;
use crate::name::Name;
use crate::program::{Channel, Content, Hashed, Outcome, Program, Variant};
use crate::value::Value;

/// The purpose that needs consent.
const MARKETING: &str = "marketing";

/// A message that wants to leave.
#[derive(Clone, Copy)]
pub(super) struct Wish<'a> {
    pub program: &'a Program,
    pub channel: Name,
    pub content: Name,
    /// Somebody who is asked for no consent, instead of the subject.
    pub to: Option<&'a RootKey>,
}

/// What the gate agreed to.
pub(super) struct Pass<'a> {
    pub address: Arc<str>,
    pub content: &'a Hashed<Content>,
    pub variant: &'a Variant,
}

pub(super) type Refusal = (Outcome, Rule);

type Check = fn(&Run, &Scene, Wish) -> Result<(), Refusal>;

/// In this order; the first refusal stands.
const RULES: [Check; 3] = [kill_switch, known_subject, consent];

/// # Errors
/// The outcome the journey can branch on, and the rule that refused.
pub(super) fn pass<'a>(run: &Run<'a>, scene: &Scene, wish: Wish) -> Result<Pass<'a>, Refusal> {
    for rule in RULES {
        rule(run, scene, wish)?;
    }
    let address = address(run, scene, wish)?;
    let (content, variant) = variant(run, wish)?;
    Ok(Pass { address, content, variant })
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

/// Marketing needs the channel in the root's `consent`; who never said anything has not agreed. Those of the bank, and
/// groups, have no consent to give, and nobody is written to in a slot on the bank's own ground.
fn consent(run: &Run, scene: &Scene, wish: Wish) -> Result<(), Refusal> {
    let is_own_slot = || run.world.index().channels.get(&wish.channel).is_some_and(Channel::is_own_slot);
    if wish.program.purpose.as_str() != MARKETING || wish.to.is_some() || is_own_slot() {
        return Ok(());
    }
    if !reaches_persons(run, wish) {
        return Ok(());
    }
    let agreed = match scene.attribute(&ROOT, Name::new(symbols::CONSENT)) {
        Value::List(channels) => channels.contains(&Value::Choice(wish.channel)),
        _ => false,
    };
    if agreed { Ok(()) } else { Err((Outcome::NoConsent, Rule::Consent)) }
}

/// Whether the channel says nothing of whom it reaches, or reaches those who have a consent.
fn reaches_persons(run: &Run, wish: Wish) -> bool {
    let index = run.world.index();
    let party = index.channels.get(&wish.channel).and_then(|channel| channel.party);
    let Some(entity) = party.and_then(|party| index.entities.get(&party)) else { return true };
    entity.fields.iter().any(|field| field.name.as_str() == symbols::CONSENT)
}

/// The attribute that the channel names, else the addressee's id.
fn address(run: &Run, scene: &Scene, wish: Wish) -> Result<Arc<str>, Refusal> {
    let refusal = (Outcome::Unreachable, Rule::NoAddress);
    let channel = run.world.index().channels.get(&wish.channel).ok_or(refusal)?;
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
        _ => Err(refusal),
    }
}

fn variant<'a>(run: &Run<'a>, wish: Wish) -> Result<(&'a Hashed<Content>, &'a Variant), Refusal> {
    let missing = (Outcome::Unreachable, Rule::NoContent);
    let world = run.world;
    let content = world.index().contents.get(&wish.content).ok_or(missing)?;
    let variant = content.body.variants.iter().find(|variant| variant.channel == wish.channel);
    let variant = variant.ok_or(missing)?;
    let today = civil::date_of(run.now, &world.zone);
    let is_open = content.body.open.is_none_or(|(first, last)| first <= today && today <= last);
    if is_open { Ok((content, variant)) } else { Err((Outcome::Unreachable, Rule::ContentClosed)) }
}
