//! What the gate asks, as one object: policies, what journeys say of themselves, and products.

use crate::expr::Expr;
use crate::model::govern::{Cap as ModelCap, Policy as ModelPolicy, Quiet as ModelQuiet, RISK};
use crate::model::{Journey, Model, Uses};
use crate::name::Name;
use crate::program::policy::{Cap, Narrowing, Policy, Product, Quiet, Span, Suppress};
use crate::program::{NodeKind, Policies};
use crate::value::{Type, Value};

use super::tables::Tables;

/// Of roots this is the one who gives consent.
const CONSENT: &str = "consent";

/// `None`: there is nothing that the gate could ask.
pub(super) fn policies(model: &Model) -> Option<Policies> {
    let mut tables = Tables::new(model);
    let products = products(model, &mut tables);
    let policies = model.policies.iter();
    let policies = policies.map(|(name, it)| (*name, policy(model, it, &mut tables)));
    let policies = policies.filter(|(_, policy)| *policy != Policy::default()).collect();
    let sold = |product: &Option<Name>| product.filter(|product| products.contains_key(product));
    let contents = model.contents.values();
    let contents = contents.filter_map(|content| Some((content.name, sold(&content.product)?))).collect();
    let journeys = model.journeys.values().map(|it| (it.name, narrowing(model, it, sold(&it.product))));
    let journeys = journeys.filter(|(_, own)| *own != Narrowing::default()).collect();
    let person = person(model);
    let (defs, features) = tables.finish();
    let found = Policies {
        policies,
        journeys,
        products,
        contents,
        risk: risk(model, person),
        person,
        defs,
        features,
    };
    (!found.is_empty()).then_some(found)
}

/// What the conditions of policies and products use, as far as they ask for the past: whoever sends to `root` keeps it.
pub(super) fn asks_history(model: &Model, root: Name) -> Vec<&Uses> {
    if person(model) != Some(root) {
        return Vec::new();
    }
    let policies = model.policies.values().map(|policy| &policy.uses);
    let products = model.products.values().map(|product| &product.uses);
    policies.chain(products).filter(|uses| reaches_back(model, uses)).collect()
}

fn reaches_back(model: &Model, uses: &Uses) -> bool {
    let derived = || uses.defs.iter().filter_map(|name| model.derived.get(name));
    !uses.features.is_empty() || derived().any(|derived| reaches_back(model, &derived.uses))
}

fn policy(model: &Model, it: &ModelPolicy, tables: &mut Tables) -> Policy {
    let suppress = it.suppress.iter().map(|(purpose, condition)| Suppress {
        purpose: *purpose,
        // Whoever cannot be told apart hears nothing.
        condition: own(tables, &it.uses, condition, true),
    });
    Policy {
        consent: it.consent.clone(),
        suppress: suppress.collect(),
        quiet: it.quiet.as_ref().map(quiet),
        caps: it.caps.iter().map(|it| cap(model, it)).collect(),
        order: it.order.clone(),
    }
}

fn products(model: &Model, tables: &mut Tables) -> std::collections::BTreeMap<Name, Product> {
    let asked = model.products.values().filter(|it| it.risk.is_some() || it.market.is_some());
    let product = asked.map(|it| {
        let market = it.market.as_ref().map(|market| own(tables, &it.uses, market, false));
        (it.name, Product { risk: it.risk, market })
    });
    product.collect()
}

/// The condition with the numbers of `tables`; `otherwise` where there are more definitions than can be numbered.
fn own(tables: &mut Tables, uses: &Uses, condition: &Expr, otherwise: bool) -> Expr {
    let Some(numbers) = tables.take(uses) else { return Expr::Const(Value::Bool(otherwise)) };
    let mut condition = condition.clone();
    numbers.expr(&mut condition);
    condition
}

fn narrowing(model: &Model, journey: &Journey, product: Option<Name>) -> Narrowing {
    Narrowing {
        product,
        priority: super::rank::priority(model, journey),
        quiet: journey.quiet.as_ref().map(quiet),
        caps: journey.caps.iter().map(|it| cap(model, it)).collect(),
    }
}

fn quiet(it: &ModelQuiet) -> Quiet {
    Quiet { from: it.from, to: it.to, defer: it.defer, release: it.release }
}

fn cap(model: &Model, it: &ModelCap) -> Cap {
    Cap {
        name: it.name,
        of_purpose: !model.channels.contains_key(&it.name),
        most: it.count,
        whom: it.whom,
        within: Span { length: it.window, rolling: it.rolling },
        over: it.over,
    }
}

/// Whom policies are about: the one root with a consent, else the only root.
fn person(model: &Model) -> Option<Name> {
    let roots = || model.entities.values().filter(|entity| entity.parent.is_none());
    let consents = || roots().filter(|entity| entity.field(Name::new(CONSENT)).is_some());
    let only =
        |mut found: Box<dyn Iterator<Item = Name> + '_>| found.next().filter(|_| found.next().is_none());
    if consents().next().is_some() {
        return only(Box::new(consents().map(|entity| entity.name)));
    }
    only(Box::new(roots().map(|entity| entity.name)))
}

/// The first attribute of the person that is a level of risk.
fn risk(model: &Model, person: Option<Name>) -> Option<Name> {
    let entity = model.entities.get(&person?)?;
    let is_risk = |ty: &Type| matches!(ty.known(), Type::Choice(name) if name.as_str() == RISK);
    entity.fields.iter().find(|field| is_risk(&field.ty)).map(|field| field.name)
}

impl NodeKind {
    /// Whether it asks the gate.
    pub(super) fn sends(&self) -> bool {
        matches!(self, Self::Send { .. } | Self::Reach { .. } | Self::Show(_))
    }
}
