//! Lengths and calendar spans as written, made into values.

use jiff::civil::Date;

use super::world::Sink;
use crate::diagnostic::{Diagnostic, code};
use crate::syntax::ast::{BinaryOp, CivilUnit, Dur, DurKind, Expr, ExprKind};
use crate::text::Span;
use crate::value::{self, Length};

pub(super) fn of(length: DurKind) -> Length {
    match length {
        DurKind::Elapsed(seconds) => Length::Elapsed(seconds.saturating_mul(1000)),
        DurKind::Civil { count, unit } => {
            Length::Civil { count: i32::try_from(count).unwrap_or(i32::MAX), unit: civil_unit(unit) }
        }
    }
}

fn civil_unit(unit: CivilUnit) -> value::CivilUnit {
    match unit {
        CivilUnit::Day => value::CivilUnit::Day,
        CivilUnit::Workday => value::CivilUnit::Workday,
        CivilUnit::Week => value::CivilUnit::Week,
        CivilUnit::Month => value::CivilUnit::Month,
        CivilUnit::Year => value::CivilUnit::Year,
    }
}

/// The length, which must be longer than nothing.
pub(super) fn positive(dur: Dur, sink: &mut Sink) -> Length {
    let length = of(dur.kind);
    if length.is_zero() {
        let headline = format!("`{length}` is no time at all");
        sink.report(
            Diagnostic::new(code::ZERO_LENGTH, dur.span, headline)
                .label("must be longer than zero")
                .help("write how long, for example `1 day` or `10min`"),
        );
    }
    length
}

/// A day as it is written, and where.
pub(super) fn date(expr: &Expr, sink: &mut Sink) -> Option<(Date, Span)> {
    match &expr.kind {
        ExprKind::Date(day) => Some((*day, expr.span)),
        ExprKind::Error => None,
        _ => {
            sink.report(
                Diagnostic::new(code::TYPE_MISMATCH, expr.span, "a day is wanted here")
                    .label("not a day")
                    .help("write `2026-06-01`"),
            );
            None
        }
    }
}

/// `2026-12-01..2027-01-31`, both days included.
pub(super) fn date_range(expr: &Expr, sink: &mut Sink) -> Option<(Date, Date)> {
    let ExprKind::Binary { op: BinaryOp::Range, left, right, .. } = &expr.kind else {
        if !matches!(expr.kind, ExprKind::Error) {
            sink.report(not_a_date_range(expr, "this is not a range of two dates"));
        }
        return None;
    };
    match (&left.kind, &right.kind) {
        (ExprKind::Date(from), ExprKind::Date(to)) if from <= to => Some((*from, *to)),
        (ExprKind::Date(_), ExprKind::Date(_)) => {
            sink.report(not_a_date_range(expr, "the first day is after the last"));
            None
        }
        (ExprKind::Error, _) | (_, ExprKind::Error) => None,
        _ => {
            sink.report(not_a_date_range(expr, "both ends must be dates as written in a calendar"));
            None
        }
    }
}

fn not_a_date_range(expr: &Expr, label: &str) -> Diagnostic {
    Diagnostic::new(code::DATE_RANGE, expr.span, "a first and a last day are wanted here")
        .label(label)
        .help("write them as `2026-12-01..2027-01-31`")
}
