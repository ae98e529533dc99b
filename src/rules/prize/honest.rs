//! PRIZE-004: who may draw is not decided by what nobody is told, and not only by buying.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::journey::{Step, StepKind};
use crate::model::{Field, Journey, Model};
use crate::name::Name;
use crate::program::value::Give;
use crate::rules::context::{Context, walk};
use crate::rules::finding::Out;
use crate::rules::pack::Pack;
use crate::rules::reads::{self, Read};
use crate::rules::reward::{any, words};
use crate::rules::rule::{Basis, In, Mark, rule};
use crate::text::Span;

/// What names and labels of events say that cost something.
const BUYING: &[&str] = &[
    "bought", "purchase", "payment", "paid", "deposit", "买入", "购买", "支付", "消费", "存入", "申购",
    "缴费",
];

rule! {
    PRIZE_004 = "PRIZE-004", Error, "a draw that is not open to all it says";
    packs: &[In::error(Pack::Cn), In::error(Pack::Us), In::error(Pack::Core)],
    basis: &[
        Basis::new(Mark::Primary, "反不正当竞争法：不得故意让内定人员中奖"),
        Basis::new(Mark::Known, "US lottery law: prize, chance and consideration; a free way in"),
    ],
    reads: "what decides a step that gives a chance of a `lottery`, or draws it: attributes of the classes `derived`, `behaviour`, `protected` and \
            `sensitive` are no condition that published rules can tell. In the United States one way in at least hangs on no purchase, payment or \
            deposit. That draws are not fixed is the daemon's: seeds are bound to before, and revealed",
    check: check,
}

fn check(context: &Context, out: &mut Out) {
    if context.model.values.lotteries.is_empty() {
        return;
    }
    for journey in context.cases.iter().filter(|case| case.gives()).map(|case| case.journey) {
        entries(context.model, journey, &mut |step, known, (lottery, _)| {
            let Some(field) = known.iter().find_map(|read| hidden(context, *read)) else { return };
            let finding = out
                .at(step.span, format!("who takes part in `{lottery}` is decided by `{}`", field.name))
                .label("nobody is told")
                .also(field.span, format!("of the class `{}`", class(field)))
                .help("let it hang on what published rules can tell: what somebody did, or has");
            out.push_of([journey.name], [step.id], None, finding);
        });
    }
    if context.chosen.packs.contains(&Pack::Us) {
        paid(context, out);
    }
}

/// Lotteries that nobody can enter for nothing: a matter of all journeys together.
fn paid(context: &Context, out: &mut Out) {
    let model = context.model;
    let buys = |read: &Read| matches!(read, Read::Event(_)) && any(&words(model, *read).0, BUYING);
    // Of each lottery the first way in, and whether one is free.
    let mut ways: BTreeMap<Name, (Span, bool)> = BTreeMap::new();
    for journey in model.journeys.values() {
        entries(model, journey, &mut |step, known, (lottery, is_chance)| {
            if is_chance {
                let (_, free) = ways.entry(lottery).or_insert((step.span, false));
                *free |= !known.iter().any(buys);
            }
        });
    }
    for (lottery, (first, _)) in ways.into_iter().filter(|(_, (_, free))| !free) {
        let finding = out
            .at(first, format!("every way into `{lottery}` costs something"))
            .label("a chance for a purchase")
            .also(context.declared_at(lottery), "prize and chance")
            .help("give a chance for something free as well: a login, a postcard, a lesson");
        out.push([lottery], finding);
    }
}

/// Calls `look` with every step that gives a chance or draws, what decides it, the lottery, and whether it is a chance.
fn entries<'a>(
    model: &'a Model,
    journey: &'a Journey,
    look: &mut impl FnMut(&'a Step, &BTreeSet<Read>, (Name, bool)),
) {
    let lottery = |step: &Step| match &step.kind {
        StepKind::Give(giving, _) => match &giving.give {
            Give::Chance { lottery } => Some((*lottery, true)),
            Give::Draw { lottery } => Some((*lottery, false)),
            _ => None,
        },
        _ => None,
    };
    let mut found = false;
    walk(journey, &mut |step| found |= lottery(step).is_some());
    if found {
        reads::walk(model, journey, &mut |step, known| {
            if let Some(of) = lottery(step) {
                look(step, known, of);
            }
        });
    }
}

fn class(field: &Field) -> &'static str {
    field.class.and_then(|class| class.as_str().split('.').next()).unwrap_or_default()
}

fn hidden<'a>(context: &Context<'a>, read: Read) -> Option<&'a Field> {
    let Read::Attribute(entity, name) = read else { return None };
    let field = reads::field(context.model, entity, name)?;
    matches!(class(field), "derived" | "behaviour" | "protected" | "sensitive").then_some(field)
}
