//! Lengths of time: `48h`, `1h 30min`, `2 days`, `2d`.

use super::input::In;
use super::primitive::{P, missed};
use super::report;
use crate::diagnostic::{Diagnostic, Fix, code};
use crate::syntax::ast::{CivilUnit, Dur, DurKind};
use crate::syntax::literal::{self, Glued};
use crate::syntax::token::TokenKind;

/// Stands for a length that could not be read: not nothing, which would be told as a mistake of its own.
const UNREAD: DurKind = DurKind::Elapsed(1);

/// Whether a length of time is next: a glued number, or a number with a unit word.
pub(super) fn at_duration(i: In<'_>) -> bool {
    match i.kind() {
        TokenKind::Glued => true,
        TokenKind::Int => literal::civil_unit(i.word2()).is_some() || at_split_workdays(i),
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
    if at_split_workdays(i) {
        return split_workdays(i, count);
    }
    let Some(unit) = literal::civil_unit(i.word2()) else {
        return without_unit(i);
    };
    let rest = i.next().next();
    Ok((rest, Dur { kind: DurKind::Civil { count, unit }, span: rest.since(i.span()) }))
}

/// `5 work days`
fn at_split_workdays(i: In<'_>) -> bool {
    let days = matches!(literal::civil_unit(i.next().word2()), Some(CivilUnit::Day));
    days && matches!(i.word2(), "work" | "working" | "business" | "bank")
}

fn split_workdays(i: In<'_>, count: i64) -> P<'_, Dur> {
    let rest = i.next().next().next();
    let (span, meant) = (rest.since(i.span()), format!("{} workdays", i.text()));
    let fix = format!("write `{meant}`");
    let headline = "days on which the bank is open are written as one word, `workdays`";
    let finding = Diagnostic::new(code::UNIT, span, headline).help(fix.clone()).fix(fix, span, meant);
    report::at(i, finding);
    Ok((rest, Dur { kind: DurKind::Civil { count, unit: CivilUnit::Workday }, span }))
}

/// `30`, `30 mins`
fn without_unit(i: In<'_>) -> P<'_, Dur> {
    let (number, span) = (i.text(), i.next().since(i.span()));
    if let Some(own) = literal::other_unit(i.word2()) {
        let (meant, whole) = (format!("{number}{own}"), i.next().next().since(i.span()));
        let written = format!("`{number} {}` is written `{meant}`", i.word2());
        let fix = format!("write `{meant}`");
        report::at(i, Diagnostic::new(code::UNIT, whole, written).help(fix.clone()).fix(fix, whole, meant));
        return Ok((i.next().next(), Dur { kind: UNREAD, span: whole }));
    }
    let finding = Diagnostic::new(code::UNIT, span, format!("`{number}` needs a unit"))
        .help(format!("`{number} days`, `{number} workdays`, `{number}h`, `{number}min`"));
    report::at(i, finding);
    missed(i, "a length of time")
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
        Glued::Unknown(number, unit) => return unknown_unit(i, number, unit),
    }
    UNREAD
}

/// `30mins`, `2小时`: a unit of another writing is read as what it plainly means.
fn unknown_unit(i: In<'_>, number: &str, unit: &str) -> DurKind {
    let Some(meant) = literal::other_unit(unit).map(|own| format!("{number}{own}")) else {
        let help = format!(
            "`{number}s`, `{number}min`, `{number}h`, `{number} days`, `{number} weeks`, `{number} months`"
        );
        report::at(i, unit_finding(i, "").help(help));
        return UNREAD;
    };
    let fix = format!("write `{meant}`");
    report::at(i, unit_finding(i, &meant).help(fix.clone()).fix(fix, i.span(), meant.clone()));
    match (literal::glued(&meant), meant.split_once(' ').and_then(|(_, unit)| literal::civil_unit(unit))) {
        (Glued::Dur(kind), _) => kind,
        (_, Some(unit)) => DurKind::Civil { count: literal::int(number).unwrap_or_default(), unit },
        _ => UNREAD,
    }
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
        .label("minutes or months?")
        .help(format!("write `{number}min` or `{number} months`"));
    // Nobody counts more than a year in months; below that, both are as likely.
    let minutes = literal::int(number).is_some_and(|number| number > 12);
    let fix = || Fix::suggested(format!("write `{number}min`")).replace(i.span(), format!("{number}min"));
    report::at(i, if minutes { finding.with_fix(fix()) } else { finding });
}
