//! FAIR-001: nobody is chosen for credit, or left out, for what he is.

use crate::expr::{BinaryOp, Expr};
use crate::name::Name;
use crate::rules::context::{CREDITS, Context};
use crate::rules::finding::Out;
use crate::rules::pack::Pack;
use crate::rules::reads::{self, Read};
use crate::rules::rule::{Basis, In, Mark, Mend, rule};
use crate::value::Value;

/// Below this age nobody can be bound by a contract.
const OF_AGE: i64 = 22;

rule! {
    FAIR_001 = "FAIR-001", Error, "a protected attribute in credit";
    packs: &[In::error(Pack::Us), In::error(Pack::Uk), In::error(Pack::Eu)],
    basis: &[
        Basis::new(Mark::Secondary, "ECOA and Regulation B as amended, in force 2026-07-21"),
        Basis::new(Mark::Known, "Equality Act 2010 (UK)"),
    ],
    firm: true,
    products: CREDITS,
    mend: Mend::Nobody,
    reads: "what decides who enters, and every step, of a journey with a credit `product`: attributes `class protected`. Proxies \
            count where they have that class. `age >= 18`, up to 22, is the capacity to sign",
    check: check,
}

fn check(context: &Context, out: &mut Out) {
    for journey in context.journeys() {
        let product = journey.product.and_then(|name| context.model.products.get(&name));
        let class = product.and_then(|product| product.class);
        let Some(product) = product.filter(|_| class.is_some_and(|class| CREDITS.contains(&class.as_str())))
        else {
            continue;
        };
        let mut seen: Vec<Name> = Vec::new();
        let mut capacity = Vec::new();
        reads::conditions(journey).into_iter().for_each(|one| of_age(one, &mut capacity));
        reads::walk(context.model, journey, &mut |_, known| {
            for read in known {
                let Read::Attribute(entity, name) = read else { continue };
                let Some(field) = reads::field(context.model, *entity, *name) else { continue };
                let protected =
                    field.class.is_some_and(|class| class.as_str().split('.').next() == Some("protected"));
                if !protected || seen.contains(name) || capacity.contains(name) {
                    continue;
                }
                seen.push(*name);
                let label = field.label.as_deref().unwrap_or(name.as_str());
                let finding = out
                    .at(journey.span, format!("`{label}` decides something about credit in `{}`", journey.name))
                    .label(format!("about `{}`, of the class `{}`", product.name, class.map_or("", Name::as_str)))
                    .also(field.span, "protected")
                    .help("choose by what somebody earns, owes and has paid; a lawful special programme needs compliance's own pack");
                out.push([journey.name], finding);
            }
        });
    }
}

/// Attributes that are only asked whether somebody is old enough to sign.
fn of_age(condition: &Expr, capacity: &mut Vec<Name>) {
    match condition {
        Expr::Binary(BinaryOp::And, a, b) => {
            of_age(a, capacity);
            of_age(b, capacity);
        }
        Expr::Binary(BinaryOp::GreaterEq, a, b) => {
            let value = if let Expr::Otherwise(value, _) = &**a { value } else { a };
            if let (Expr::Attr(_, name), Expr::Const(Value::Int(least))) = (&**value, &**b)
                && *least <= OF_AGE
            {
                capacity.push(*name);
            }
        }
        _ => {}
    }
}
