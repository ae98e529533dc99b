//! Recurring clocks: `every friday at 10:00`, `every month on day 3 at 09:00`, `every year on birthday`.

use jiff::civil::Time;

use super::length;
use super::world::Sink;
use crate::diagnostic::{Diagnostic, code};
use crate::model::Field;
use crate::name::Name;
use crate::program::{Every, Schedule, WeekdayName};
use crate::syntax::ast::{self, ExprKind, Ident, ScheduleOn};
use crate::value::{Length, Type};

const WEEKDAYS: [&str; 7] = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];
const UNITS: [&str; 5] = ["day", "workday", "week", "month", "year"];

/// What a schedule stands in: the subject's fields that it may name, its calendar, and whether a clock time is due.
pub(super) struct Place<'a> {
    pub(super) fields: &'a [Field],
    pub(super) calendar: Option<Name>,
    /// An anchor is a date and needs none.
    pub(super) needs_time: bool,
}

pub(super) fn schedule(place: &Place, written: &ast::Schedule, sink: &mut Sink) -> Option<Schedule> {
    let every = every(place, written, sink)?;
    let during = written.during.as_ref().and_then(|range| length::date_range(range, sink));
    let mut at = written.at.clone();
    at.sort_unstable();
    at.dedup();
    if at.is_empty() && !matches!(every, Every::Elapsed(_)) {
        if place.needs_time {
            sink.report(mistake(
                written,
                "this does not say at what time",
                "write for example `at 10:00` behind it",
            ));
        }
        at.push(Time::midnight());
    }
    if matches!(every, Every::Workday) && place.calendar.is_none() {
        sink.report(no_calendar(written.span));
    }
    Some(Schedule { every, at, during, calendar: place.calendar })
}

/// Workdays need a calendar, or holidays would be worked through silently.
pub(super) fn no_calendar(span: crate::text::Span) -> Diagnostic {
    Diagnostic::new(code::NO_CALENDAR, span, "nothing says which days are workdays")
        .label("counts workdays")
        .help("write `calendar cn_bank` in the entity, and declare that calendar")
}

fn mistake(written: &ast::Schedule, headline: &str, help: &str) -> Diagnostic {
    Diagnostic::new(code::SCHEDULE, written.span, headline).label("this clock").help(help)
}

fn every(place: &Place, written: &ast::Schedule, sink: &mut Sink) -> Option<Every> {
    let units = match &written.every {
        ast::Every::Dur(dur) => return elapsed(*dur, sink),
        ast::Every::Units(units) => units,
    };
    let [first, rest @ ..] = units.as_slice() else { return None };
    if WEEKDAYS.contains(&first.name.as_str()) {
        return weekdays(units, sink);
    }
    if let Some(more) = rest.first() {
        sink.report(unknown_unit(*more, "only weekdays make a list"));
        return None;
    }
    match (first.name.as_str(), &written.on) {
        ("day", None) => Some(Every::Day),
        ("workday", None) => Some(Every::Workday),
        ("week", _) => {
            sink.report(mistake(written, "which day of the week is not said", "write `every monday`"));
            None
        }
        ("month", Some(on)) => monthly(place, on, written, sink),
        ("month", None) => {
            let help = "write `every month on day 1`, or `on last friday`";
            sink.report(mistake(written, "which day of the month is not said", help));
            None
        }
        ("year", Some(ScheduleOn::Path(path))) => date_field(place, path, sink).map(Every::YearOn),
        ("year", _) => {
            let help = "write `every year on birthday`, with an attribute that holds a date";
            sink.report(mistake(written, "which day of the year is not said", help));
            None
        }
        ("day" | "workday", Some(_)) => {
            sink.report(mistake(written, "every day has no `on`", "leave `on …` out"));
            None
        }
        _ => {
            sink.report(unknown_unit(*first, "nothing recurs by this word"));
            None
        }
    }
}

fn elapsed(dur: ast::Dur, sink: &mut Sink) -> Option<Every> {
    match length::positive(dur, sink) {
        Length::Elapsed(ms) => Some(Every::Elapsed(ms)),
        Length::Civil { .. } => {
            let finding =
                Diagnostic::new(code::SCHEDULE, dur.span, "a clock recurs by a stopwatch time or by a word")
                    .label("calendar time")
                    .help("write `every day`, `every monday` or `every 6h`");
            sink.report(finding);
            None
        }
    }
}

fn unknown_unit(word: Ident, label: &str) -> Diagnostic {
    let among = WEEKDAYS.into_iter().chain(UNITS);
    let headline = format!("`{}` is not a unit of a recurring clock", word.name);
    let finding = Diagnostic::new(code::SCHEDULE, word.span, headline).label(label);
    finding
        .suggest(word.name.as_str(), among, || "write `day`, `workday`, `month`, `year` or a weekday".into())
}

fn weekday(word: Ident) -> Option<WeekdayName> {
    let at = WEEKDAYS.iter().position(|day| *day == word.name.as_str())?;
    i8::try_from(at + 1).ok().map(WeekdayName)
}

fn weekdays(words: &[Ident], sink: &mut Sink) -> Option<Every> {
    let mut days = Vec::new();
    for word in words {
        match weekday(*word) {
            Some(day) => days.push(day),
            None => sink.report(unknown_unit(*word, "not a weekday")),
        }
    }
    days.sort_unstable_by_key(|day| day.0);
    days.dedup();
    (!days.is_empty()).then_some(Every::Weekdays(days))
}

fn monthly(place: &Place, on: &ScheduleOn, written: &ast::Schedule, sink: &mut Sink) -> Option<Every> {
    match on {
        ScheduleOn::Last(word) => {
            let day = weekday(*word);
            if day.is_none() {
                sink.report(unknown_unit(*word, "not a weekday"));
            }
            day.map(Every::LastWeekday)
        }
        ScheduleOn::Day(expr) => month_day(place, expr, sink),
        ScheduleOn::Path(_) => {
            let help = "write `on day 3`, or `on day pay_day` with an attribute that holds the number";
            sink.report(mistake(written, "a month recurs on the number of a day", help));
            None
        }
    }
}

fn month_day(place: &Place, expr: &ast::Expr, sink: &mut Sink) -> Option<Every> {
    match &expr.kind {
        ExprKind::Error => None,
        ExprKind::Int(day @ 1..=31) => u8::try_from(*day).ok().map(Every::MonthDay),
        ExprKind::Path(path) => field(place, path, &Type::Int, sink).map(Every::MonthOn),
        _ => {
            sink.report(
                Diagnostic::new(code::SCHEDULE, expr.span, "this is not a day of a month")
                    .label("1 to 31")
                    .help("write `on day 3`; days a month does not have mean its last day"),
            );
            None
        }
    }
}

fn date_field(place: &Place, path: &ast::Path, sink: &mut Sink) -> Option<Name> {
    field(place, path, &Type::Date, sink)
}

fn field(place: &Place, path: &ast::Path, ty: &Type, sink: &mut Sink) -> Option<Name> {
    let last = path.parts.last()?;
    match place.fields.iter().find(|field| field.name == last.name) {
        Some(field) if field.ty.known() == ty || field.ty == Type::Error => Some(field.name),
        Some(field) => {
            let headline = format!(
                "`{}` is {}, not {}",
                last.name,
                super::words::of_type(&field.ty),
                super::words::of_type(ty)
            );
            sink.report(
                Diagnostic::new(code::SCHEDULE, path.span, headline)
                    .label("cannot recur on this")
                    .help(format!("name an attribute of type `{ty}`")),
            );
            None
        }
        None => {
            let headline = format!("no attribute is called `{}`", last.name);
            let among = place.fields.iter().map(|field| field.name.as_str());
            let finding = Diagnostic::new(code::UNKNOWN_NAME, path.span, headline).label("not known");
            sink.unknown(
                last.name.as_str(),
                finding.suggest(last.name.as_str(), among, || "name an attribute of the subject".into()),
            );
            None
        }
    }
}
