//! CONSENT-007: marketing looks at what was collected for marketing.

use std::collections::BTreeMap;

use crate::expr::{BinaryOp, Expr};
use crate::model::journey::{Step, StepKind};
use crate::model::{Field, Journey, Model};
use crate::name::Name;
use crate::program::policy::MARKETING;
use crate::rules::context::{Context, walk};
use crate::rules::finding::Out;
use crate::rules::pack::Pack;
use crate::rules::reads::{self, Read};
use crate::rules::rule::{Basis, In, Mark, rule};
use crate::text::Span;

rule! {
    CONSENT_007 = "CONSENT-007", Error, "data used for what they were not collected for";
    packs: &[In::error(Pack::Cn), In::error(Pack::Eu), In::error(Pack::Hk)],
    basis: &[
        Basis::new(Mark::Secondary, "中国人民银行金融消费者权益保护实施办法（2020年第5号令）：不得以同意用于营销为前提"),
        Basis::new(Mark::Primary, "个人信息保护法第14条第2款"),
        Basis::new(Mark::Known, "GDPR art. 5(1)(b)"),
        Basis::new(Mark::Secondary, "PDPO sections 35C to 35F"),
    ],
    purposes: &[MARKETING],
    reads: "attributes that say what they were collected for (`for service, survey`), where marketing enters by them, branches by them, or gives \
            by them. What only keeps people out is no use: `not hardship` in a condition of entering, an exit, a branch that just ends. \
            Attributes that say nothing are not looked at; classes of products (hk) neither",
    check: check,
}

fn check(context: &Context, out: &mut Out) {
    if !reads::any_field(context.model, is_foreign) {
        return;
    }
    for case in context.cases.iter().filter(|case| case.is_marketing()) {
        let foreign = |read: &Read| foreign(context.model, *read).is_some();
        if !case.reads().iter().any(foreign) {
            continue;
        }
        let journey = case.journey;
        for ((entity, name), (span, step)) in used(context.model, journey) {
            let Some(field) = reads::field(context.model, entity, name) else { continue };
            let purposes: Vec<&str> = field.purposes.iter().map(|purpose| purpose.as_str()).collect();
            let finding = out
                .at(span, format!("`{}` chooses people for marketing by `{name}`", journey.name))
                .label(format!("collected for `{}`", purposes.join("`, `")))
                .also(field.span, "as is said here")
                .help("leave it out, or ask customers whether it may be used for marketing and write `for …, marketing`");
            out.push_of([journey.name], step, None, finding);
        }
    }
}

fn is_foreign(field: &Field) -> bool {
    !field.purposes.is_empty() && !field.purposes.iter().any(|purpose| purpose.as_str() == MARKETING)
}

fn foreign(model: &Model, read: Read) -> Option<(Name, Name)> {
    let Read::Attribute(entity, name) = read else { return None };
    reads::field(model, entity, name).filter(|field| is_foreign(field)).map(|_| (entity, name))
}

type Used = BTreeMap<(Name, Name), (Span, Option<Name>)>;

/// The foreign attributes that a journey uses, each with the first place.
fn used(model: &Model, journey: &Journey) -> Used {
    let mut found = Used::new();
    let mut note = |expr: &Expr, span: Span, step: Option<Name>| {
        for read in reads::of(model, journey.subject, &journey.uses, expr) {
            if let Some(key) = foreign(model, read) {
                found.entry(key).or_insert((span, step));
            }
        }
    };
    for condition in reads::conditions(journey) {
        drawn(condition, &mut |expr| note(expr, journey.span, None));
    }
    walk(journey, &mut |step| {
        for expr in looked_at(step) {
            note(&expr, step.span, Some(step.id));
        }
    });
    found
}

/// The parts of a condition that draw people in; what is denied keeps them out.
fn drawn(expr: &Expr, look: &mut impl FnMut(&Expr)) {
    match expr {
        Expr::Binary(BinaryOp::And, left, right) => {
            drawn(left, look);
            drawn(right, look);
        }
        Expr::Not(_) => {}
        expr => look(expr),
    }
}

/// What a step decides by: branches that do more than end, and how much is given.
fn looked_at(step: &Step) -> Vec<Expr> {
    let ends = |body: &[Step]| matches!(body, [Step { kind: StepKind::End { .. }, .. }]);
    match &step.kind {
        StepKind::If { arms, .. } => {
            arms.iter().filter(|(_, body)| !ends(body)).map(|(condition, _)| condition.clone()).collect()
        }
        StepKind::Match { subjects, .. } => subjects.clone(),
        StepKind::Give(giving, _) => {
            let mut give = giving.give.clone();
            give.exprs_mut().into_iter().map(|expr| expr.clone()).collect()
        }
        _ => Vec::new(),
    }
}
