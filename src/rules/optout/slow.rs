//! OPTOUT-003: leaving is quick, free and easy.

use std::collections::BTreeSet;

use crate::model::OptOut;
use crate::rules::context::Context;
use crate::rules::finding::Out;
use crate::rules::freq::disturbs;
use crate::rules::pack::Pack;
use crate::rules::rule::{Basis, In, Mark, rule};
use crate::value::{CivilUnit, Length};

const DAY_MS: i64 = 86_400_000;
/// Ways that need nothing but the will.
const EASY: &[&str] = &["reply", "link", "switch"];

rule! {
    OPTOUT_003 = "OPTOUT-003", Error, "leaving takes too long, or too much";
    packs: &[
        In::error(Pack::Us),
        In::error(Pack::Au),
        In::error(Pack::Cn),
        In::error(Pack::Hk),
        In::error(Pack::Eu),
        In::error(Pack::Uk),
    ],
    basis: &[
        Basis::new(Mark::Secondary, "FR 2024-03-05: ten business days (47 CFR 64.1200(a)(10))"),
        Basis::new(Mark::Secondary, "Spam Regulations 2021 (Australia): five working days, no log-in"),
        Basis::new(Mark::Secondary, "通信短信息服务管理规定（2026-05-01 起施行）：不得设置障碍；24 小时为内部口径"),
        Basis::new(Mark::Secondary, "PDPO section 35G: no charge"),
    ],
    purposes: &["marketing"],
    reads: "`opt_out within 1 day by reply` of channels by which marketing comes to people: 24 hours, or where only these packs are held \
            10 workdays (us) and 5 (au); one way at least of `reply`, `link` and `switch`, and none with a `fee`. A channel that does not \
            say it is not told of; that its copies say the way is OPTOUT-001",
    check: check,
}

fn check(context: &Context, out: &mut Out) {
    if context.model.channels.values().all(|channel| channel.opt_out.is_none()) {
        return;
    }
    let most = most_workdays(context);
    for case in context.cases.iter().filter(|case| case.is_marketing()) {
        let name = case.journey.name;
        let mut told = BTreeSet::new();
        for message in context.messages_of(name).iter().filter(|one| disturbs(one.channel)) {
            let channel = message.channel;
            let Some(opt_out) = &channel.opt_out else { continue };
            let Some((headline, label, help)) = wrong(opt_out, most) else { continue };
            if !told.insert(channel.name) {
                continue;
            }
            let finding = out
                .at(message.span, format!("`{name}` sells by `{}`, and leaving it {headline}", channel.name))
                .label("marketing by it")
                .also(opt_out.span, label)
                .help(help);
            out.push_of([name, channel.name], [message.step], None, finding);
        }
    }
}

/// How many workdays the law leaves; `None`: none, it is at once.
fn most_workdays(context: &Context) -> Option<i32> {
    let held = |pack| context.chosen.packs.contains(&pack);
    if [Pack::Cn, Pack::Hk, Pack::Eu, Pack::Uk].into_iter().any(held) {
        return None;
    }
    Some(if held(Pack::Au) { 5 } else { 10 })
}

fn wrong(opt_out: &OptOut, most: Option<i32>) -> Option<(&'static str, String, &'static str)> {
    let is_slow = match (most, opt_out.within) {
        (Some(most), Length::Civil { count, unit: CivilUnit::Workday }) => count > most,
        // Five workdays are a week at least.
        (Some(most), within) => within.at_least_ms() > i64::from(most / 5 * 7) * DAY_MS,
        (None, Length::Civil { unit: CivilUnit::Workday, .. }) => true,
        (None, within) => within.at_least_ms() > DAY_MS,
    };
    if is_slow {
        let within =
            most.map_or("at once, a day at most".to_owned(), |most| format!("{most} workdays at most"));
        return Some((
            "takes too long",
            format!("the law: {within}"),
            "let it hold sooner: `opt_out within 1 day by …`",
        ));
    }
    if opt_out.by.iter().any(|way| way.as_str() == "fee") {
        return Some(("costs something", "a `fee`".to_owned(), "let it be free of charge"));
    }
    if !opt_out.by.iter().any(|way| EASY.contains(&way.as_str())) {
        let label = "no way that needs nothing else".to_owned();
        return Some(("is made hard", label, "add a way: `reply`, `link` or `switch`"));
    }
    None
}
