//! SUIT-002: whoever is 65 or older is spoken to before a product of high risk is sold by a machine.

use crate::analysis::cover::way_around;
use crate::analysis::flow::What;
use crate::expr::{BinaryOp, Expr, Owner};
use crate::graph::Edge;
use crate::model::govern::Product;
use crate::model::journey::{Step, StepKind};
use crate::name::Name;
use crate::rules::context::Context;
use crate::rules::finding::Out;
use crate::rules::pack::Pack;
use crate::rules::rule::{Basis, In, Mark, rule};
use crate::value::Value;

const OLD: i64 = 65;
const HIGH: [&str; 2] = ["R4", "R5"];
const AGE: &str = "age";

rule! {
    SUIT_002 = "SUIT-002", Error, "high risk for the old without anybody speaking to them";
    packs: &[In::error(Pack::Cn)],
    basis: &[Basis::new(Mark::Secondary, "金融机构产品适当性管理办法：65 周岁以上投资者购买高风险产品的特别注意义务")],
    purposes: &["marketing"],
    reads: "products with `risk R4` or `R5`, the attribute `age`, and whether a task is assigned on every way to the message; what is asked in \
            the task is not looked at",
    check: check,
}

fn check(context: &Context, out: &mut Out) {
    let is_high = |product: &Product| product.risk.is_some_and(|risk| HIGH.contains(&risk.as_str()));
    for looked in context.marketing(|case| context.products_of(case.journey).any(is_high)) {
        let flow = &looked.flow;
        let entity = context.model.entities.get(&flow.journey.subject);
        let age = Name::new(AGE);
        if entity.is_none_or(|entity| entity.field(age).is_none()) {
            continue;
        }
        let young = Expr::Binary(
            BinaryOp::Less,
            Box::new(Expr::Attr(Owner::Subject, age)),
            Box::new(Expr::Const(Value::Int(OLD))),
        );
        let mut mind = looked.facts.mind.clone();
        for (at, message) in flow.messages() {
            let content = context.model.contents.get(&message.content.content);
            let product = content.and_then(|content| content.product).or(flow.journey.product);
            let product = product.and_then(|name| context.model.products.get(&name));
            let Some(product) = product.filter(|product| is_high(product)) else { continue };
            let known = looked.facts.now(at);
            let market = product.market.as_ref().is_some_and(bounds_age);
            if market || mind.implies(&known, &young) {
                continue;
            }
            let is_task = |place, _: &Edge| {
                matches!(
                    flow.node(place).map(|node| node.what),
                    Some(What::Step(Step { kind: StepKind::Assign(_), .. }))
                )
            };
            let (Some(way), Some(node)) = (way_around(flow, &looked.facts, at, &is_task), flow.node(at))
            else {
                continue;
            };
            let finding = out
                .at(
                    node.span,
                    format!("`{}` may go to somebody of {OLD} whom nobody has spoken to", product.name),
                )
                .label(format!("of `{}`", product.risk.map_or("", |risk| risk.as_str())))
                .also(product.span, "the product")
                .note(format!("for example {}", example(&way.customer)))
                .help(format!(
                    "write `if {AGE} < {OLD} {{ … }}` around it, or `assign` a task to somebody first"
                ));
            out.push_of([flow.journey.name, product.name], [node.id], None, finding);
        }
    }
}

fn example(customer: &[String]) -> String {
    let said: Vec<String> = customer.iter().map(|line| format!("`{line}`")).collect();
    if said.is_empty() { "anybody".to_owned() } else { said.join(", ") }
}

/// Whether the product is only for whoever is younger: the gate keeps to that.
fn bounds_age(market: &Expr) -> bool {
    let (younger, value) = match market {
        Expr::Binary(BinaryOp::And, left, right) => return bounds_age(left) || bounds_age(right),
        Expr::Binary(BinaryOp::Less, left, right) => (left, right),
        _ => return false,
    };
    let is_age = matches!(&**younger, Expr::Attr(_, name) if name.as_str() == AGE);
    is_age && matches!(**value, Expr::Const(Value::Int(most)) if most <= OLD)
}
