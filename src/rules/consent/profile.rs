//! CONSENT-004: whom a profile chose for marketing can say no to profiles.

use std::collections::BTreeSet;

use crate::model::{Field, Journey, Model};
use crate::program::policy::MARKETING;
use crate::rules::context::Context;
use crate::rules::finding::Out;
use crate::rules::pack::Pack;
use crate::rules::reads::{self, Read};
use crate::rules::rule::{Basis, In, Mark, rule};

/// What names and labels of the attribute say that holds the objection.
const OBJECTION: &[&str] =
    &["objection", "profiling", "personalis", "personaliz", "个性化", "画像", "自动化决策"];

rule! {
    CONSENT_004 = "CONSENT-004", Error, "a profile chose, and nobody can object";
    packs: &[In::error(Pack::Cn), In::error(Pack::Eu), In::error(Pack::Uk)],
    basis: &[
        Basis::new(Mark::Primary, "个人信息保护法第24条第2款：不针对个人特征的选项或便捷的拒绝方式"),
        Basis::new(Mark::Primary, "网络数据安全管理条例第42条；算法推荐规定第17条"),
        Basis::new(Mark::Known, "GDPR art. 21(2), (3)"),
    ],
    purposes: &[MARKETING],
    reads: "what decides who enters, and every step, of a journey of marketing: attributes of the class `derived` or `behaviour`. Then an attribute \
            whose name or label speaks of an objection (个性化, 画像, profiling …) is looked at, by a `suppress` of a policy or by the journey \
            itself. What somebody did, and what he has, is no profile",
    check: check,
}

fn check(context: &Context, out: &mut Out) {
    let model = context.model;
    if !reads::any_field(model, is_profile) {
        return;
    }
    for journey in context.journeys().filter(|one| one.purpose.as_str() == MARKETING) {
        let mut read = reads::entry(model, journey);
        let mut first = None;
        reads::walk(model, journey, &mut |step, known| {
            if first.is_none() && profile(model, known).is_some() {
                first = Some(step.span);
            }
            read.extend(known);
        });
        let Some(field) = profile(model, &read) else { continue };
        if objects(model, &read) || suppressed(model, journey) {
            continue;
        }
        let finding = out
            .at(first.unwrap_or(journey.span), format!("`{}` chooses by `{}`, and nobody can object", journey.name, field.name))
            .label("decided by a profile")
            .also(field.span, format!("of the class `{}`", field.class.map_or("", |class| class.as_str())))
            .help("give customers an attribute `profiling_objection \"拒绝个性化推荐\" : Bool`, and write `suppress marketing if profiling_objection` or ask it here");
        out.push([journey.name], finding);
    }
}

fn is_profile(field: &Field) -> bool {
    let class = field.class.and_then(|class| class.as_str().split('.').next());
    matches!(class, Some("derived" | "behaviour"))
}

fn profile<'a>(model: &'a Model, reads: &BTreeSet<Read>) -> Option<&'a Field> {
    reads.iter().find_map(|read| {
        let Read::Attribute(entity, name) = read else { return None };
        reads::field(model, *entity, *name).filter(|field| is_profile(field))
    })
}

fn objects(model: &Model, reads: &BTreeSet<Read>) -> bool {
    reads.iter().any(|read| {
        let Read::Attribute(entity, name) = read else { return false };
        let label =
            reads::field(model, *entity, *name).and_then(|field| field.label.as_deref()).unwrap_or_default();
        OBJECTION.iter().any(|word| name.as_str().contains(word) || label.contains(word))
    })
}

/// Whether a policy keeps marketing from those who object.
fn suppressed(model: &Model, journey: &Journey) -> bool {
    model.policies.values().any(|policy| {
        let mut about =
            policy.suppress.iter().filter(|(purpose, _)| purpose.is_none_or(|it| it.as_str() == MARKETING));
        about.any(|(_, condition)| objects(model, &reads::of(model, journey.root, &policy.uses, condition)))
    })
}
