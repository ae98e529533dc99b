//! Lengths of time: `48h`, `1h 30min`, `2 days`, `2d`.

use super::input::In;
use super::primitive::{P, missed};
use super::report;
use crate::diagnostic::{Diagnostic, code};
use crate::syntax::ast::{CivilUnit, Dur, DurKind};
use crate::syntax::literal::{self, Glued};
use crate::syntax::token::TokenKind;

/// Whether a length of time is next: a glued number, or a number with a unit word.
pub(super) fn at_duration(i: In<'_>) -> bool {
    match i.kind() {
        TokenKind::Glued => true,
        TokenKind::Int => literal::civil_unit(i.word2()).is_some(),
        _ => false,
    }
}

/// `dur`
pub(super) fn duration(i: In<'_>) -> P<'_, Dur> {
    match i.kind() {
        TokenKind::Glued => glued(i),
        TokenKind::Int => civil(i),
        _ => missed(i, "a length of time such as `2 days` or `48h`"),
    }
}

fn civil(i: In<'_>) -> P<'_, Dur> {
    let count = count(i);
    let Some(unit) = literal::civil_unit(i.word2()) else {
        let number = i.text();
        let finding = Diagnostic::new(code::UNIT, i.span(), format!("`{number}` needs a unit"))
            .help(format!("`{number} days`, `{number} workdays`, `{number}h`, `{number}min`"));
        report::at(i, finding);
        return missed(i, "a length of time");
    };
    let rest = i.next().next();
    Ok((rest, Dur { kind: DurKind::Civil { count, unit }, span: rest.since(i.span()) }))
}

/// The integer at `i`; one that does not fit is reported.
pub(super) fn count(i: In<'_>) -> i64 {
    literal::int(i.text()).unwrap_or_else(|| {
        too_large(i);
        0
    })
}

pub(super) fn too_large(i: In<'_>) {
    let finding = Diagnostic::new(code::BAD_NUMBER, i.span(), format!("`{}` is too large", i.text()))
        .help("numbers have at most 18 digits");
    report::at(i, finding);
}

/// One glued length, or several elapsed ones that add up: `1h 30min`.
fn glued(start: In<'_>) -> P<'_, Dur> {
    let mut i = start;
    let mut total: Option<i64> = None;
    while i.kind() == TokenKind::Glued {
        match one_glued(i) {
            DurKind::Elapsed(seconds) => total = Some(total.unwrap_or_default().saturating_add(seconds)),
            civil @ DurKind::Civil { .. } if total.is_none() => {
                return Ok((i.next(), Dur { kind: civil, span: i.span() }));
            }
            DurKind::Civil { .. } => break,
        }
        i = i.next();
    }
    Ok((i, Dur { kind: DurKind::Elapsed(total.unwrap_or_default()), span: i.since(start.span()) }))
}

fn one_glued(i: In<'_>) -> DurKind {
    match literal::glued(i.text()) {
        Glued::Dur(kind) => return kind,
        Glued::TooLarge => too_large(i),
        Glued::BareM(number) => bare_m(i, number),
        Glued::Word(number, unit) => {
            let meant = format!("{number} {unit}");
            report::at(
                i,
                unit_finding(i, &meant).help(format!("write `{meant}`")).fix(
                    "put a blank between",
                    i.span(),
                    meant,
                ),
            );
            let unit = literal::civil_unit(unit).unwrap_or(CivilUnit::Day);
            return DurKind::Civil { count: literal::int(number).unwrap_or_default(), unit };
        }
        Glued::Unknown(number, _) => {
            let help = format!(
                "`{number}s`, `{number}min`, `{number}h`, `{number} days`, `{number} weeks`, `{number} months`"
            );
            report::at(i, unit_finding(i, "").help(help));
        }
    }
    DurKind::Elapsed(0)
}

fn unit_finding(i: In<'_>, meant: &str) -> Diagnostic {
    let headline = if meant.is_empty() {
        format!("`{}` has a unit that does not exist", i.text())
    } else {
        format!("`{}` is written `{meant}`", i.text())
    };
    Diagnostic::new(code::UNIT, i.span(), headline)
}

fn bare_m(i: In<'_>, number: &str) {
    let finding = Diagnostic::new(code::UNIT, i.span(), format!("`{number}m` could be minutes or months"))
        .help(format!("write `{number}min` or `{number} months`"));
    report::at(i, finding);
}
