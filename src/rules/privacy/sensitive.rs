//! PRIV-001: sensitive data do not decide marketing, unless somebody has weighed it.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::Field;
use crate::name::Name;
use crate::program::policy::MARKETING;
use crate::rules::context::Context;
use crate::rules::finding::Out;
use crate::rules::pack::Pack;
use crate::rules::reads::{self, Read};
use crate::rules::rule::{Basis, In, Mark, rule};
use crate::text::Span;

rule! {
    PRIV_001 = "PRIV-001", Error, "marketing by sensitive data";
    packs: &[In::error(Pack::Cn), In::error(Pack::Eu), In::error(Pack::In)],
    basis: &[
        Basis::new(Mark::Primary, "个人信息保护法第28—30、55、56条：单独同意与个人信息保护影响评估"),
        Basis::new(Mark::Known, "GDPR art. 9"),
    ],
    purposes: &[MARKETING],
    reads: "what decides who enters, and every step, of a journey of marketing: attributes of the class `sensitive`. There is no consent of \
            their own in the language: where there is one, and an assessment, a waiver names its ticket",
    check: check,
}

fn check(context: &Context, out: &mut Out) {
    if !reads::any_field(context.model, is_sensitive) {
        return;
    }
    for journey in context.journeys().filter(|one| one.purpose.as_str() == MARKETING) {
        let mut found: BTreeMap<(Name, Name), Span> = BTreeMap::new();
        let mut note = |reads: &BTreeSet<Read>, span: Span| {
            for read in reads {
                if let Read::Attribute(entity, name) = read {
                    found.entry((*entity, *name)).or_insert(span);
                }
            }
        };
        note(&reads::entry(context.model, journey), journey.span);
        reads::walk(context.model, journey, &mut |step, known| note(known, step.span));
        for ((entity, name), span) in found {
            let Some(field) = reads::field(context.model, entity, name).filter(|field| is_sensitive(field))
            else {
                continue;
            };
            let finding = out
                .at(span, format!("`{}` chooses people by `{name}`", journey.name))
                .label("decided by sensitive data")
                .also(field.span, "of the class `sensitive`")
                .help("leave it out; where people agreed to it and it was assessed, a waiver says so and names the assessment");
            out.push([journey.name], finding);
        }
    }
}

fn is_sensitive(field: &Field) -> bool {
    field.class.is_some_and(|class| class.as_str().split('.').next() == Some("sensitive"))
}
