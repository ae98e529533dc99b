//! PRIZE-001: a draw has complete rules before it begins.

use crate::rules::context::Context;
use crate::rules::finding::Out;
use crate::rules::pack::Pack;
use crate::rules::rule::{Basis, In, Mark, rule};

rule! {
    PRIZE_001 = "PRIZE-001", Error, "a draw without complete rules";
    packs: &[In::error(Pack::Core), In::error(Pack::Cn)],
    basis: &[
        Basis::new(Mark::Secondary, "规范促销行为暂行规定（市场监管总局令第32号）"),
        Basis::new(Mark::Secondary, "反不正当竞争法（2025 修订）第11条"),
    ],
    reads: "a `lottery`: its `rules` file, when it is `open`, and of each prize a name, how many there are or what the odds are. \
            What the file says is not read",
    check: check,
}

fn check(context: &Context, out: &mut Out) {
    for (name, lottery) in &context.model.values.lotteries {
        let mut lacking: Vec<String> = Vec::new();
        if lottery.rules.is_none() {
            lacking.push(
                "`rules \"pages/rules.html\"`: conditions, draw, claim, sponsor and contact".to_owned(),
            );
        }
        if lottery.open.is_none() {
            lacking.push("`open 2026-12-01..2027-02-28`: from when to when".to_owned());
        }
        if lottery.prizes.is_empty() {
            lacking.push("`prize …`: what can be won".to_owned());
        }
        for prize in lottery.prizes.iter().filter(|prize| prize.label.is_none() && prize.gives.is_none()) {
            lacking.push(format!("of `{}` what it is: `prize {} \"手机\" {{ … }}`", prize.name, prize.name));
        }
        if lacking.is_empty() {
            continue;
        }
        let headline = format!("lottery `{name}` does not publish all of its rules");
        let mut finding = out.at(context.declared_at(*name), headline).label("something is missing");
        for one in lacking {
            finding = finding.help(format!("write {one}"));
        }
        out.push([*name], finding);
    }
}
