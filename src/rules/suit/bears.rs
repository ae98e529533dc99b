//! SUIT-001: nobody is offered more risk than he bears.

use crate::expr::{BinaryOp, Expr, Owner};
use crate::model::govern::{RISK, RISKS};
use crate::name::Name;
use crate::rules::context::Context;
use crate::rules::finding::Out;
use crate::rules::flows::{Case, Looked};
use crate::rules::pack::Pack;
use crate::rules::rule::{Basis, In, Mark, rule};
use crate::value::{Type, Value};

rule! {
    SUIT_001 = "SUIT-001", Error, "more risk than anybody there bears";
    packs: &[In::error(Pack::Core), In::error(Pack::Cn)],
    basis: &[
        Basis::new(Mark::Secondary, "金融机构产品适当性管理办法（2026-02-01 起施行）"),
        Basis::new(Mark::Secondary, "银行保险机构消费者权益保护管理办法第11条"),
        Basis::new(Mark::Secondary, "理财公司理财产品销售管理暂行办法第25条第1项"),
    ],
    firm: true,
    purposes: &["marketing"],
    reads: "the conditions on every way to a message, against the `risk` of its product and the customer's attribute of the type `Risk`: \
            told where they prove that nobody there bears it. Where they say nothing the gate asks each customer at run time. When the \
            assessment expires is not said anywhere",
    check: check,
}

fn check(context: &Context, out: &mut Out) {
    let sells = |case: &Case| context.products_of(case.journey).any(|product| product.risk.is_some());
    for looked in context.marketing(sells) {
        let flow = &looked.flow;
        let Some((owner, attribute)) = risk_of(context, looked) else { continue };
        let mut mind = looked.facts.mind.clone();
        for (at, message) in flow.messages() {
            let content = context.model.contents.get(&message.content.content);
            let product = content.and_then(|content| content.product).or(flow.journey.product);
            let product = product.and_then(|name| context.model.products.get(&name));
            let Some((product, risk)) = product.and_then(|product| Some((product, product.risk?))) else {
                continue;
            };
            if risk.as_str() == RISKS[0] {
                continue;
            }
            // Whose risk is not known bears none.
            let enough = RISKS.iter().skip_while(|level| **level != risk.as_str());
            let enough = enough.map(|level| Value::Choice(Name::new(level))).collect();
            let bears = Expr::Binary(
                BinaryOp::In,
                Box::new(Expr::Attr(owner, attribute)),
                Box::new(Expr::Const(Value::List(enough))),
            );
            let not = Expr::Not(Box::new(bears));
            let known = looked.facts.now(at);
            if known.is_empty() || !mind.implies(&known, &not) {
                continue;
            }
            let Some(node) = flow.node(at) else { continue };
            let mut finding = out
                .at(node.span, format!("`{}` is `{risk}`, and nobody here bears it", product.name))
                .label(format!("everybody here has less `{attribute}`"))
                .also(product.span, "the product")
                .help("send it to whoever bears it, or offer another product");
            for (words, span) in known.iter().filter_map(|fact| looked.facts.mind.told(*fact)).take(3) {
                finding = finding.also(span, format!("from here on, {words}"));
            }
            out.push_of([flow.journey.name, product.name], [node.id], None, finding);
        }
    }
}

/// The attribute with the risk that the subject, or its parent, can bear.
fn risk_of(context: &Context, looked: &Looked) -> Option<(Owner, Name)> {
    let journey = looked.flow.journey;
    let of = |entity: Name| {
        let fields = &context.model.entities.get(&entity)?.fields;
        let is_risk = |ty: &Type| matches!(ty.known(), Type::Choice(name) if name.as_str() == RISK);
        fields.iter().find(|field| is_risk(&field.ty)).map(|field| field.name)
    };
    let own = of(journey.subject).map(|name| (Owner::Subject, name));
    let is_child = journey.root != journey.subject;
    own.or_else(|| of(journey.root).filter(|_| is_child).map(|name| (Owner::Parent, name)))
}
