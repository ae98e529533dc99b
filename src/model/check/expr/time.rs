//! `DATE at TIME`, `5 workdays before DATE`, `this month`, `month of DATE`.

use super::{Checker, Typed};
use crate::diagnostic::{Diagnostic, code};
use crate::expr::{Expr, SpanUnit};
use crate::model::check::{schedule, words};
use crate::name::Name;
use crate::syntax::ast::{self, ExprKind, Ident};
use crate::value::{CivilUnit, Length, Type, Value};

const SPANS: [(&str, SpanUnit); 5] = [
    ("day", SpanUnit::Day),
    ("week", SpanUnit::Week),
    ("month", SpanUnit::Month),
    ("quarter", SpanUnit::Quarter),
    ("year", SpanUnit::Year),
];

impl Checker<'_, '_> {
    /// A date that may be missing gives a moment that may be missing.
    pub(super) fn at(&mut self, left: &ast::Expr, right: &ast::Expr) -> Typed {
        let date = self.expr(left, Some(&Type::Date));
        let time = self.expect(right, &Type::Time);
        let optional = date.ty.is_optional();
        match date.ty.known() {
            Type::Error => return Typed::error(),
            Type::Date => {}
            Type::Moment => {
                let finding = Diagnostic::new(
                    code::NOT_A_DATE,
                    left.span,
                    format!("{} has a clock time already", words::quote(left)),
                );
                self.report(
                    finding
                        .label("a moment")
                        .help("leave `at …` out, or take its date first: `….date at 10:00`"),
                );
                return Typed::error();
            }
            other => {
                self.not_a_date(left, &other.clone());
                return Typed::error();
            }
        }
        let expr = Expr::At(Box::new(date.expr), Box::new(time));
        Typed::new(expr, if optional { Type::Moment.optional() } else { Type::Moment })
    }

    fn not_a_date(&mut self, written: &ast::Expr, ty: &Type) {
        let headline = format!("{} is {}, not a date", words::quote(written), words::of_type(ty));
        self.report(
            Diagnostic::new(code::NOT_A_DATE, written.span, headline)
                .label("a date is wanted")
                .help("write a date attribute, `today`, or a date such as `2026-12-01`"),
        );
    }

    /// `5 workdays before maturity` (`back`), `2 days after today`
    pub(super) fn shift(&mut self, back: bool, left: &ast::Expr, right: &ast::Expr) -> Typed {
        let by = self.shift_length(left);
        let from = self.expr(right, Some(&Type::Date));
        let optional = from.ty.is_optional();
        let ty = from.ty.known().clone();
        let Some(by) = by else { return Typed::error() };
        let whole_days = matches!(by, Length::Civil { .. });
        match ty {
            Type::Error => return Typed::error(),
            Type::Date if whole_days => {}
            Type::Moment => {}
            Type::Date => {
                let headline = format!(
                    "`{by}` is stopwatch time, and {} is a date without a clock",
                    words::quote(right)
                );
                let finding =
                    Diagnostic::new(code::NOT_A_DATE, left.span, headline).label("counts hours and minutes");
                self.report(finding.help("write days: `1 day`, or give the date a time: `(… at 10:00)`"));
                return Typed::error();
            }
            other => {
                self.not_a_date(right, &other);
                return Typed::error();
            }
        }
        let calendar = self.calendar_for(by, left);
        let expr = Expr::Shift { by, back, from: Box::new(from.expr), calendar };
        Typed::new(expr, if optional { ty.optional() } else { ty })
    }

    /// The length in front of `before`: written out, because proofs need its bound.
    fn shift_length(&mut self, written: &ast::Expr) -> Option<Length> {
        let typed = self.expr(written, None);
        match typed.expr {
            Expr::Const(Value::Length(length)) => Some(length),
            _ if typed.ty == Type::Error => None,
            _ => {
                let headline = format!("{} is not a length of time", words::quote(written));
                self.report(
                    Diagnostic::new(code::NOT_A_DATE, written.span, headline)
                        .label("how much earlier or later?")
                        .help("write it out: `5 workdays before maturity`"),
                );
                None
            }
        }
    }

    fn calendar_for(&mut self, by: Length, written: &ast::Expr) -> Option<Name> {
        if !matches!(by, Length::Civil { unit: CivilUnit::Workday, .. }) {
            return None;
        }
        let calendar = self.calendar();
        if calendar.is_none() {
            self.report(schedule::no_calendar(written.span));
        }
        calendar
    }

    /// The calendar of the subject.
    pub(in crate::model::check) fn calendar(&self) -> Option<Name> {
        match self.subject {
            Some(subject) => self.world.entity(subject)?.calendar,
            None if self.world.model.calendars.len() == 1 => {
                self.world.model.calendars.keys().next().copied()
            }
            None => None,
        }
    }

    pub(super) fn calendar_span(&mut self, which: Ident, unit: Ident) -> Typed {
        let Some(unit) = self.span_unit(unit) else { return Typed::error() };
        let offset = match which.name.as_str() {
            "last" => -1,
            "next" => 1,
            _ => 0,
        };
        Typed::new(Expr::Span { unit, offset }, Type::Range(Box::new(Type::Date)))
    }

    pub(super) fn calendar_span_of(&mut self, unit: Ident, of: &ast::Expr) -> Typed {
        let unit = self.span_unit(unit);
        let of = self.expect(of, &Type::Date);
        let Some(unit) = unit else { return Typed::error() };
        Typed::new(Expr::SpanOf { unit, of: Box::new(of) }, Type::Range(Box::new(Type::Date)))
    }

    fn span_unit(&mut self, word: Ident) -> Option<SpanUnit> {
        let found = SPANS.iter().find(|(name, _)| *name == word.name.as_str());
        if found.is_none() {
            let headline = format!("`{}` is not a span of the calendar", word.name);
            let finding = Diagnostic::new(code::UNKNOWN_NAME, word.span, headline).label("not known");
            let among = SPANS.iter().map(|(name, _)| *name);
            self.report(finding.suggest(word.name.as_str(), among, || {
                "spans are `day`, `week`, `month`, `quarter` and `year`".into()
            }));
        }
        found.map(|(_, unit)| *unit)
    }

    /// `.date` of a moment.
    pub(super) fn date_of(moment: Typed) -> Typed {
        let optional = moment.ty.is_optional();
        let expr = Expr::Call(crate::expr::Function::DateOf, vec![moment.expr]);
        Typed::new(expr, if optional { Type::Date.optional() } else { Type::Date })
    }

    /// Whether the tree is a written length: `5 workdays`.
    pub(in crate::model::check) fn written_length(expr: &ast::Expr) -> Option<Length> {
        match expr.kind {
            ExprKind::Dur(dur) => Some(crate::model::check::length::of(dur)),
            _ => None,
        }
    }
}
