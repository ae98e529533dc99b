//! SUIT-003: a product is marketed to whom it is for.

use crate::expr::Expr;
use crate::name::Name;
use crate::rules::context::Context;
use crate::rules::finding::Out;
use crate::rules::flows::Case;
use crate::rules::pack::Pack;
use crate::rules::rule::{Basis, In, Mark, rule};

rule! {
    SUIT_003 = "SUIT-003", Error, "marketing outside of whom a product is for";
    packs: &[In::error(Pack::Au), In::error(Pack::Uk), In::error(Pack::Cn), In::error(Pack::Eu)],
    basis: &[
        Basis::new(Mark::Known, "Corporations Act (AU) Part 7.8A: design and distribution, target market"),
        Basis::new(Mark::Secondary, "FCA Consumer Duty, PRIN 2A"),
        Basis::new(Mark::Secondary, "金融机构产品适当性管理办法（2026-02-01 起施行）"),
    ],
    products: &["wmp", "fund", "insurance", "consumer_loan", "card", "mortgage"],
    purposes: &["marketing"],
    reads: "the conditions on every way to a message, against the `market` of its product: told where they prove that nobody there is in it. \
            Where they say nothing the gate asks each customer. A product of such a class without a `market` is a warning. Nothing says \
            that an offering is private",
    check: check,
}

fn check(context: &Context, out: &mut Out) {
    let sells = |case: &Case| {
        let mut products = context.products_of(case.journey);
        products.any(|product| {
            product.market.is_some() || RULE.products.contains(&product.class.map_or("", Name::as_str))
        })
    };
    for looked in context.marketing(sells) {
        let flow = &looked.flow;
        let mut unbound = None;
        let mut mind = looked.facts.mind.clone();
        for (at, message) in flow.messages() {
            let content = context.model.contents.get(&message.content.content);
            let product = content.and_then(|content| content.product).or(flow.journey.product);
            let Some(product) = product.and_then(|name| context.model.products.get(&name)) else { continue };
            let Some(market) = &product.market else {
                if RULE.products.contains(&product.class.map_or("", Name::as_str)) {
                    unbound = unbound.or(Some((product, at)));
                }
                continue;
            };
            let known = looked.facts.now(at);
            // What a product's conditions read of definitions is not in the reach of the journey's mind.
            if known.is_empty() || !product.uses.defs.is_empty() || flow.journey.subject != flow.journey.root
            {
                continue;
            }
            if !mind.implies(&known, &Expr::Not(Box::new(market.clone()))) {
                continue;
            }
            let Some(node) = flow.node(at) else { continue };
            let mut finding = out
                .at(node.span, format!("`{}` is not for anybody who comes here", product.name))
                .label("the gate refuses all of it")
                .also(product.span, "whom it is for: `market`")
                .help("send it to whom it is for, or offer something else");
            for (words, span) in known.iter().filter_map(|fact| looked.facts.mind.told(*fact)).take(3) {
                finding = finding.also(span, format!("from here on, {words}"));
            }
            out.push_of([flow.journey.name, product.name], [node.id], None, finding);
        }
        if let Some((product, at)) = unbound
            && let Some(node) = flow.node(at)
        {
            let finding = out
                .warn(node.span, format!("nothing says whom `{}` is for", product.name))
                .label("sold to everybody")
                .also(product.span, "no `market`")
                .help(
                    "write `market (age otherwise 0) >= 18` or more into the product: the gate keeps to it",
                );
            out.push_of([flow.journey.name, product.name], [node.id], None, finding);
        }
    }
}
