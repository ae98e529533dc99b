//! Whether the bank may write to this person at all: consent, lists, policies, suitability.

use super::{Refusal, Wish, policies};
use crate::expr::eval;
use crate::name::Name;
use crate::program::policy::{MARKETING, Product};
use crate::program::{Channel, Outcome, Policies};
use crate::step::run::Run;
use crate::step::scene::{ROOT, Scene};
use crate::step::state::State;
use crate::step::symbols::{self, Sym};
use crate::step::trace::Rule;
use crate::value::Value;

/// Marketing needs a consent for the channel, and so does every purpose that a policy names; who never said anything has
/// not agreed. Those of the bank, and groups, have no consent to give, and nobody is written to in a slot on the bank's
/// own ground.
pub(super) fn consent(run: &Run, scene: &Scene, wish: Wish) -> Result<(), Refusal> {
    if !needs_consent(run, wish.program.purpose) || is_about_nobody(run, wish) {
        return Ok(());
    }
    let purpose = wish.program.purpose;
    let refused = |rule| Err((Outcome::NoConsent, rule));
    // What was said in so many words counts before what the attribute says.
    if let Some(said) = run.state.agreement(run.sym(wish.channel), run.sym(purpose)) {
        let (at, how) = (said.at, said.how.clone());
        return if said.given { Ok(()) } else { refused(Rule::Withdrawn { at, how }) };
    }
    let agreed = match scene.attribute(&ROOT, attribute(purpose)) {
        Value::List(channels) => channels.contains(&Value::Choice(wish.channel)),
        _ => false,
    };
    match agreed {
        true => Ok(()),
        false if purpose.as_str() == MARKETING => refused(Rule::Consent),
        false => refused(Rule::ConsentFor { purpose: run.sym(purpose) }),
    }
}

/// Where the channels stand that are agreed to for a purpose: `consent`, `consent_survey`.
pub(in crate::step) fn attribute(purpose: Name) -> Name {
    match purpose.as_str() {
        MARKETING => Name::new(symbols::CONSENT),
        other => Name::new(&format!("{}_{other}", symbols::CONSENT)),
    }
}

pub(in crate::step) fn needs_consent(run: &Run, purpose: Name) -> bool {
    let named =
        |policies: &Policies| policies.policies.values().any(|policy| policy.consent.contains(&purpose));
    purpose.as_str() == MARKETING || policies(run).is_some_and(named)
}

/// Whoever is on a list hears nothing of what the list is about.
pub(super) fn listed(run: &Run, _: &Scene, wish: Wish) -> Result<(), Refusal> {
    if wish.to.is_some() {
        return Ok(());
    }
    let (channel, purpose) = (run.sym(wish.channel), run.sym(wish.program.purpose));
    let is_urgent = crate::program::policy::is_urgent(wish.program.purpose);
    let about = |own: Option<Sym>, asked: Sym| own.is_none_or(|own| own == asked);
    let found = run.state.listed.iter().find(|entry| {
        about(entry.channel, channel)
            && entry.purpose.map_or(!is_urgent, |own| own == purpose)
            && entry.until.is_none_or(|until| run.now < until)
    });
    match found {
        Some(entry) => Err((Outcome::Suppressed, Rule::Listed { list: entry.list.clone(), at: entry.at })),
        None => Ok(()),
    }
}

/// `suppress [purpose] if …`
pub(super) fn suppressed(run: &Run, scene: &Scene, wish: Wish) -> Result<(), Refusal> {
    let Some(policies) = about_person(run, wish) else { return Ok(()) };
    let scene = scene_of(policies, scene);
    for (name, policy) in &policies.policies {
        for rule in &policy.suppress {
            let is_asked = rule.purpose.is_none_or(|purpose| purpose == wish.program.purpose);
            if is_asked && eval::holds(&rule.condition, &scene) {
                let (policy, condition) = (run.sym(*name), shown(policies, &rule.condition));
                return Err((Outcome::Suppressed, Rule::Suppressed { policy, condition }));
            }
        }
    }
    Ok(())
}

/// A product is marketed to those who can bear its risk, and whom its `market` admits.
pub(super) fn unsuitable(run: &Run, scene: &Scene, wish: Wish) -> Result<(), Refusal> {
    let Some(policies) = about_person(run, wish) else { return Ok(()) };
    if wish.program.purpose.as_str() != MARKETING {
        return Ok(());
    }
    let scene = scene_of(policies, scene);
    let of_journey = policies.journeys.get(&wish.program.journey).and_then(|own| own.product);
    let of_content = policies.contents.get(&wish.content).copied();
    for name in [of_journey, of_content].into_iter().flatten() {
        let Some(product) = policies.products.get(&name) else { continue };
        if let Some(rule) = misfit(run, policies, (name, product), &scene) {
            return Err((Outcome::Unsuitable, rule));
        }
    }
    Ok(())
}

fn misfit(run: &Run, policies: &Policies, (name, product): (Name, &Product), scene: &Scene) -> Option<Rule> {
    let number = run.sym(name);
    if let (Some(level), Some(attribute)) = (product.risk, policies.risk) {
        let level = of_risk(level);
        // Who was never assessed can bear none.
        let own = match scene.attribute(&ROOT, attribute) {
            Value::Choice(own) => Some(of_risk(own)),
            _ => None,
        };
        if own.is_none_or(|own| own < level) {
            return Some(Rule::Risk { product: number, level, own });
        }
    }
    let market = product.market.as_ref().filter(|market| !eval::holds(market, scene))?;
    Some(Rule::Market { product: number, condition: shown(policies, market) })
}

/// `R3` is 3.
fn of_risk(level: Name) -> u8 {
    level.as_str().trim_start_matches('R').parse().unwrap_or(u8::MAX)
}

/// The policies, where the message is for the kind of person that they are about.
fn about_person<'a>(run: &Run<'a>, wish: Wish) -> Option<&'a Policies> {
    let policies = policies(run)?;
    (policies.person == Some(run.root.entity) && wish.to.is_none()).then_some(policies)
}

/// The root as the conditions of policies see it.
fn scene_of<'a>(policies: &'a Policies, scene: &Scene<'a>) -> Scene<'a> {
    Scene {
        subject: &ROOT,
        defs: &policies.defs,
        features: &policies.features,
        instance: None,
        entry: None,
        element: None,
        params: &[],
        given: &[],
        locale: None,
        ..*scene
    }
}

fn shown(policies: &Policies, condition: &crate::expr::Expr) -> std::sync::Arc<str> {
    crate::expr::show::expr(condition, &Defs(policies)).into()
}

struct Defs<'a>(&'a Policies);

impl crate::expr::show::Names for Defs<'_> {
    fn local(&self, _: u16) -> Option<Name> {
        None
    }

    fn def(&self, index: u16) -> Option<Name> {
        self.0.defs.get(usize::from(index)).map(|def| def.name)
    }

    fn feature(&self, index: u16) -> Option<&crate::expr::Aggregate> {
        self.0.features.get(usize::from(index)).map(|feature| &feature.aggregate)
    }

    fn parent(&self) -> Option<Name> {
        None
    }
}

/// Somebody of the bank, a slot on the bank's own ground, or a channel that reaches nobody who has a consent.
fn is_about_nobody(run: &Run, wish: Wish) -> bool {
    let index = run.world.index();
    let channel = index.channels.get(&wish.channel);
    if wish.to.is_some() || channel.is_some_and(Channel::is_own_slot) {
        return true;
    }
    let party = channel.and_then(|channel| channel.party).and_then(|party| index.entities.get(&party));
    // A channel that does not say whom it reaches reaches persons.
    party.is_some_and(|entity| entity.fields.iter().all(|field| field.name.as_str() != symbols::CONSENT))
}

impl State {
    /// The newest word on this channel and purpose.
    fn agreement(&self, channel: Sym, purpose: Sym) -> Option<&crate::step::state::Agreement> {
        let about = |own: Option<Sym>, asked: Sym| own.is_none_or(|own| own == asked);
        let said = self.agreements.iter();
        let said = said.filter(|said| about(said.channel, channel) && about(said.purpose, purpose));
        // Of two at one instant the refusal counts.
        said.max_by_key(|said| (said.at, !said.given))
    }
}
