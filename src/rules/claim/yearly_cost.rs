//! CLAIM-006: credit that names a price, an amount or a term names its cost in a year.

use crate::program::policy::MARKETING;
use crate::rules::context::{CREDITS, Context};
use crate::rules::finding::Out;
use crate::rules::pack::Pack;
use crate::rules::rule::{Basis, In, Mark, rule};
use crate::rules::words::{HOLE, List};

rule! {
    CLAIM_006 = "CLAIM-006", Error, "credit without its yearly cost";
    packs: &[In::error(Pack::Cn), In::error(Pack::Eu), In::error(Pack::Uk), In::error(Pack::Us)],
    basis: &[
        Basis::new(Mark::Secondary, "中国人民银行公告〔2021〕第3号"),
        Basis::new(Mark::Secondary, "个人贷款业务明示综合融资成本规定（金规〔2026〕2号，2026-08-01 起施行）"),
        Basis::new(Mark::Secondary, "Directive (EU) 2023/2225 (CCD2), applied from 2026-11-20"),
        Basis::new(Mark::Known, "FCA CONC 3"),
    ],
    products: CREDITS,
    purposes: &[MARKETING],
    reads: "copies of marketing about credit that name terms (免息, 费率, 每期 …) or print an amount. Where no product is \
            named, words such as 贷款 count, and it is a warning. The form of the warning of CCD2 is not looked at",
    check: check,
}

fn check(context: &Context, out: &mut Out) {
    for said in context.said.iter().filter(|said| said.part.as_str() == "body") {
        if !context.is_marketing(said.content.name) {
            continue;
        }
        let Some(about) = context.subject(said.content, CREDITS, List::SaysCredit) else { continue };
        for arm in &said.arms {
            let term = arm.hits.iter().find(|hit| hit.list == List::CreditTerms);
            let amount = arm.text.find(HOLE).filter(|_| prints_money(said.copy));
            if arm.has(List::YearlyCost) || (term.is_none() && amount.is_none()) {
                continue;
            }
            let (span, what) = match term {
                Some(hit) => (said.place(context.sources, arm, &hit.range), format!("`{}`", hit.entry)),
                None => (said.span, "an amount".to_owned()),
            };
            let headline =
                format!("`{}` names {what} of a credit and not what it costs in a year", said.content.name);
            let finding = if about.is_declared() { out.at(span, headline) } else { out.warn(span, headline) };
            let finding = finding
                .label("no yearly cost beside it")
                .help("say the rate as a yearly one: `年化利率（单利）…`, or where it is published")
                .note(about.words());
            out.push(context.about(said.content), finding);
        }
    }
}

fn prints_money(copy: &crate::program::Copy) -> bool {
    use crate::expr::{Expr, Function};
    use crate::program::CopyPiece;
    copy.0.iter().any(|piece| match piece {
        CopyPiece::Hole(expr) => matches!(expr, Expr::Call(Function::Money, _)),
        _ => false,
    })
}
