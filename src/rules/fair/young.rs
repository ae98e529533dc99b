//! FAIR-003: consumer loans are not marketed to minors and students.

use crate::expr::{BinaryOp, Expr};
use crate::model::{Model, Uses};
use crate::program::policy::MARKETING;
use crate::rules::context::Context;
use crate::rules::finding::Out;
use crate::rules::pack::Pack;
use crate::rules::reads;
use crate::rules::rule::{Basis, In, Mark, rule};
use crate::value::Value;

/// Nobody below is of age.
const OF_AGE: i64 = 18;

rule! {
    FAIR_003 = "FAIR-003", Error, "a consumer loan for the young";
    packs: &[In::error(Pack::Core), In::error(Pack::Cn)],
    basis: &[
        Basis::new(Mark::Secondary, "关于进一步规范大学生互联网消费贷款监督管理工作的通知（2021）：小贷不得向大学生放贷，银行审慎"),
        Basis::new(Mark::Primary, "个人信息保护法 第28、31条"),
    ],
    products: &["consumer_loan"],
    purposes: &[MARKETING],
    reads: "marketing whose journey names a `product` of the class consumer_loan: the condition of entering or the product's \
            `market` asks for an age of at least 18. Students are known only where an attribute says so; banks' own rule of 22 is \
            theirs to set in `market`",
    check: check,
}

fn check(context: &Context, out: &mut Out) {
    for (journey, product) in context.selling(RULE.products) {
        let market = product.market.iter().map(|condition| (condition, &product.uses));
        let entering = reads::conditions(journey).into_iter().map(|condition| (condition, &journey.uses));
        if market.chain(entering).any(|(condition, uses)| asks_age(context.model, condition, uses, 0)) {
            continue;
        }
        let finding = out
            .at(journey.span, format!("minors may hear of `{}` from `{}`", product.name, journey.name))
            .label("nothing asks for an age")
            .also(product.span, "a consumer loan")
            .help("write `market (age otherwise 0) >= 22 and not student` into the product: every message of it is held against that");
        out.push([journey.name], finding);
    }
}

/// Whether the condition holds only for those of age.
fn asks_age(model: &Model, condition: &Expr, uses: &Uses, depth: usize) -> bool {
    match condition {
        Expr::Binary(BinaryOp::And, a, b) => {
            asks_age(model, a, uses, depth) || asks_age(model, b, uses, depth)
        }
        Expr::Binary(op @ (BinaryOp::GreaterEq | BinaryOp::Greater), a, b) => {
            let value = if let Expr::Otherwise(value, _) = &**a { value } else { a };
            let least = if *op == BinaryOp::Greater { OF_AGE - 1 } else { OF_AGE };
            matches!((&**value, &**b), (Expr::Attr(_, name), Expr::Const(Value::Int(age)))
                if name.as_str().contains("age") && *age >= least)
        }
        Expr::Binary(BinaryOp::In, a, b) => {
            let value = if let Expr::Otherwise(value, _) = &**a { value } else { a };
            let Expr::Range(from, _) = &**b else { return false };
            matches!((&**value, &**from), (Expr::Attr(_, name), Expr::Const(Value::Int(age)))
                if name.as_str().contains("age") && *age >= OF_AGE)
        }
        Expr::Def(_, index) if depth < 16 => {
            let derived = uses.defs.get(usize::from(*index)).and_then(|name| model.derived.get(name));
            derived.is_some_and(|derived| asks_age(model, &derived.value, &derived.uses, depth + 1))
        }
        _ => false,
    }
}
