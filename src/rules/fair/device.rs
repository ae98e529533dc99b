//! FAIR-002: who is given more does not hang on a habit that says who would pay more.

use std::collections::BTreeSet;

use crate::model::Field;
use crate::model::journey::StepKind;
use crate::rules::context::Context;
use crate::rules::finding::Out;
use crate::rules::pack::Pack;
use crate::rules::reads::{self, Read};
use crate::rules::rule::{Basis, In, Mark, rule};

/// What names and labels of such attributes say.
const HABITS: &[&str] = &[
    "device",
    "phone_model",
    "sensitivity",
    "willingness",
    "preference",
    "机型",
    "手机型号",
    "手机系统",
    "设备",
    "价格敏感",
    "支付意愿",
    "消费偏好",
    "交易习惯",
];

rule! {
    FAIR_002 = "FAIR-002", Warning, "a gift by device or habit";
    packs: &[In::warning(Pack::Cn)],
    basis: &[
        Basis::new(Mark::Primary, "个人信息保护法第24条第1款：不得在交易价格等交易条件上实行不合理的差别待遇"),
        Basis::new(Mark::Primary, "互联网信息服务算法推荐管理规定第21条"),
    ],
    reads: "what decides a step that gives, and how much: attributes whose name or label speaks of a device, a preference, a habit or the \
            sensitivity to prices. A journey has no price, so that gifts and their amounts are all that is looked at",
    check: check,
}

fn check(context: &Context, out: &mut Out) {
    if !reads::any_field(context.model, is_habit) {
        return;
    }
    for journey in context.cases.iter().filter(|case| case.gives()).map(|case| case.journey) {
        reads::walk(context.model, journey, &mut |step, known| {
            let StepKind::Give(giving, _) = &step.kind else { return };
            let mut all: BTreeSet<Read> = known.clone();
            let mut give = giving.give.clone();
            for expr in give.exprs_mut() {
                all.extend(reads::of(context.model, journey.subject, &journey.uses, expr));
            }
            let found = all.into_iter().find_map(|read| {
                let Read::Attribute(entity, name) = read else { return None };
                reads::field(context.model, entity, name).filter(|field| is_habit(field))
            });
            if let Some(field) = found {
                let finding = out
                    .at(step.span, format!("what is given here hangs on `{}`", field.name))
                    .label("others get less for the same")
                    .also(field.span, "a habit, not something that somebody did")
                    .help("let it hang on what everybody can do, or give it to all");
                out.push_of([journey.name], [step.id], None, finding);
            }
        });
    }
}

fn is_habit(field: &Field) -> bool {
    let label = field.label.as_deref().unwrap_or_default();
    HABITS.iter().any(|word| field.name.as_str().contains(word) || label.contains(word))
}
