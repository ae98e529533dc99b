//! PRIZE-003: once a draw has begun its terms only get better.

use std::collections::BTreeMap;

use crate::model::Model;
use crate::name::Name;
use crate::program::Opening;
use crate::program::value::{Limit, Lottery, Prize};
use crate::rules::context::Context;
use crate::rules::finding::Out;
use crate::rules::pack::{Chosen, Pack};
use crate::rules::rule::{Basis, In, Mark, Mend, rule};
use crate::text::{FileId, Span};
use crate::value::{Length, Money};

rule! {
    PRIZE_003 = "PRIZE-003", Error, "a draw whose terms got worse after its start";
    packs: &[In::error(Pack::Cn), In::error(Pack::Core)],
    basis: &[
        Basis::new(Mark::Secondary, "反不正当竞争法（2025 修订，2025-10-15 起施行）第11条：活动开始后无正当理由不得变更"),
        Basis::new(Mark::Secondary, "规范促销行为暂行规定（市场监管总局令第32号）"),
    ],
    firm: true,
    mend: Mend::Nobody,
    reads: "with `wayfare check --against REF` every `lottery` that had begun and was not over, against itself as it was there: prizes that are \
            gone, worth less, fewer or rarer, a tax that the winner bears now, days that are left out, days that are added while the prizes stay \
            as many, a chance that is kept for less time, tighter limits. Without `--against` nothing is compared; the file of the rules is \
            not read",
    check: check,
}

/// What a rule about a change compares with.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Before {
    lotteries: BTreeMap<Name, Lottery>,
    /// What each prize was worth, by lottery and prize.
    worth: BTreeMap<(Name, Name), Money>,
}

impl Before {
    /// The project as it was.
    #[must_use]
    pub fn of(model: &Model) -> Self {
        let lotteries = &model.values.lotteries;
        let prizes =
            lotteries.iter().flat_map(|(name, one)| one.prizes.iter().map(move |prize| (*name, prize)));
        let worth = prizes.filter_map(|(name, prize)| Some(((name, prize.name), worth(model, prize)?)));
        Self { worth: worth.collect(), lotteries: lotteries.clone() }
    }
}

fn worth(model: &Model, prize: &Prize) -> Option<Money> {
    prize.value.or_else(|| model.values.rewards.get(&prize.gives?)?.value)
}

fn check(context: &Context, out: &mut Out) {
    let Some(before) = &context.chosen.before else { return };
    for (name, old) in before.lotteries.iter().filter(|(_, old)| runs(old, context.chosen)) {
        let Some(new) = context.model.values.lotteries.get(name) else {
            let headline = format!("lottery `{name}` has begun, and is gone");
            let finding = out
                .at(Span::new(FileId::default(), 0, 0), headline)
                .label("nowhere in the project")
                .help("what was promised is kept until its last day");
            out.push([*name], finding);
            continue;
        };
        for (word, told) in worse(context.model, before, *name, (old, new)) {
            let finding = out
                .at(context.word_in(*name, word.as_str()), format!("`{name}` has begun, and {told}"))
                .label("worse than it was")
                .help("leave the terms as they were published, or make them better; what is to be otherwise is another draw");
            out.push([*name], finding);
        }
    }
}

/// Whether it had begun, and is not over. Without days it is always open.
fn runs(lottery: &Lottery, chosen: &Chosen) -> bool {
    match lottery.open {
        Some(Opening::Days(first, last)) => first <= chosen.as_of && chosen.as_of <= last,
        _ => true,
    }
}

/// What got worse, each with the word in the declaration that it stands behind.
fn worse(
    model: &Model,
    before: &Before,
    name: Name,
    (old, new): (&Lottery, &Lottery),
) -> Vec<(Name, String)> {
    let mut found = Vec::new();
    let open = Name::new("open");
    if let (Some(Opening::Days(from, until)), Some(Opening::Days(first, last))) = (&old.open, &new.open) {
        if first > from || last < until {
            found.push((open, format!("is open for fewer days than {from}..{until}")));
        } else if last > until && new.prizes.iter().any(|prize| prize.count.is_some()) {
            found.push((open, format!("goes on behind {until} with as many prizes: each becomes rarer")));
        }
    }
    let kept = |keep: Option<Length>| keep.map_or(i64::MAX, Length::at_most_ms);
    if kept(new.keep) < kept(old.keep) {
        found.push((Name::new("chance"), "a chance is kept for less time".to_owned()));
    }
    if new.limits.iter().any(|limit| !was_as_tight(limit, &old.limits)) {
        found.push((Name::new("limit"), "fewer chances are given to each".to_owned()));
    }
    for prize in &old.prizes {
        let was = before.worth.get(&(name, prize.name)).copied();
        match new.prizes.iter().find(|one| one.name == prize.name) {
            None => found.push((Name::new("prize"), format!("its prize `{}` is gone", prize.name))),
            Some(now) => {
                let worth = worth(model, now);
                found.extend(poorer(prize, now, (was, worth)).map(|told| (prize.name, told)));
            }
        }
    }
    found
}

/// Whether some limit was as tight as this.
fn was_as_tight(limit: &Limit, old: &[Limit]) -> bool {
    old.iter().any(|was| was.period == limit.period && was.most <= limit.most)
}

/// How a prize is less than it was.
fn poorer(old: &Prize, new: &Prize, worth: (Option<Money>, Option<Money>)) -> Option<String> {
    let name = old.name;
    if let (Some(was), Some(now)) = worth
        && was.currency == now.currency
        && now.minor < was.minor
    {
        return Some(format!("`{name}` is worth {now} and no longer {was}"));
    }
    let count = |prize: &Prize| prize.count.unwrap_or(i64::MAX);
    if count(new) < count(old) {
        return Some(format!("there are fewer of `{name}`"));
    }
    let ((part, of), (was_part, was_of)) = (new.odds, old.odds);
    if u64::from(part) * u64::from(was_of) < u64::from(was_part) * u64::from(of) {
        return Some(format!("`{name}` is won {part} in {of} times and no longer {was_part} in {was_of}"));
    }
    let borne = |prize: &Prize| prize.tax.is_some_and(|tax| tax.as_str() == "withheld");
    (borne(new) && !borne(old)).then(|| format!("whoever wins `{name}` bears the tax now"))
}
