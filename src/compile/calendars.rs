//! Whether calendars reach as far as journeys: behind the last known day every Monday to Friday would be a workday,
//! and nobody would be told.

use jiff::civil::Date;
use jiff::{Span, ToSpan};

use crate::diagnostic::{Diagnostic, code};
use crate::expr::Expr;
use crate::graph::{build, longest};
use crate::model::{Calendar, Journey, Model};
use crate::name::Name;
use crate::program::{Enter, Opening, Program};
use crate::value::Length;

/// Days between the end of what a calendar knows and the last day that somebody may need it.
const SPARE_DAYS: i64 = 30;
/// Of a journey that goes round without `lasts`.
const LONG_DAYS: i64 = 366;
const DAY_MS: i64 = 86_400_000;

/// What is to be said of the journeys of a sound model, as `programs`, that somebody enters on `today`.
pub(super) fn check<'p>(
    model: &Model,
    programs: impl Iterator<Item = &'p Program>,
    today: Date,
) -> Vec<Diagnostic> {
    let open = programs
        .filter(|program| program.open.as_ref().and_then(Opening::last).is_none_or(|last| today <= last));
    let found = open.filter(|program| counts_workdays(program)).filter_map(|program| {
        let journey = model.journeys.get(&program.journey)?;
        let calendar = calendar(model, program)?;
        let ms = life(journey).saturating_add(lead(program));
        let last = today.checked_add(days(ms)).ok()?;
        finding(journey, calendar, today, last)
    });
    found.collect()
}

fn finding(journey: &Journey, calendar: &Calendar, today: Date, last: Date) -> Option<Diagnostic> {
    let (_, known) = calendar.covers?;
    let name = calendar.name;
    if last.saturating_add(SPARE_DAYS.days()) > known {
        let headline = format!("`{}` may need workdays of `{name}` that are not known", journey.name);
        return Some(
            Diagnostic::new(code::CALENDAR_ENDS, journey.span, headline)
                .label(format!("entered on {today}, it may run until {last}"))
                .also(calendar.span, format!("known until {known}"))
                .help("bring the calendar's file up to date and move its `covers` on")
                .help("or let the journey end before: `open …`, `lasts …`"),
        );
    }
    let guessed = calendar.provisional.iter().find(|year| (today.year()..=last.year()).contains(*year))?;
    let headline = format!("`{}` may count workdays of {guessed}, which are not published yet", journey.name);
    Some(
        Diagnostic::new(code::PROVISIONAL, journey.span, headline)
            .label(format!("entered on {today}, it may run until {last}"))
            .also(calendar.span, format!("{guessed} is provisional here"))
            .help("bring the calendar's file up to date once the official list is out"),
    )
}

/// The longest that an instance lives, in milliseconds, without moments that its data decide.
fn life(journey: &Journey) -> i64 {
    let own = longest(&build(journey)).ms;
    let lasts = journey.lasts.map(Length::at_most_ms);
    match (own, lasts) {
        (Some(own), Some(lasts)) => own.min(lasts),
        (own, lasts) => own.or(lasts).unwrap_or(LONG_DAYS * DAY_MS),
    }
}

/// How long before its date somebody enters: the date itself is still to be counted to.
fn lead(program: &Program) -> i64 {
    match &program.enter {
        Enter::Anchor { shift: Some((by, true)), .. } => by.at_most_ms(),
        Enter::Date { moment, .. } => lead_of(moment),
        _ => 0,
    }
}

fn lead_of(moment: &Expr) -> i64 {
    match moment {
        Expr::At(day, _) => lead_of(day),
        Expr::Shift { by, back: true, .. } => by.at_most_ms(),
        _ => 0,
    }
}

fn days(ms: i64) -> Span {
    let days = ms.div_euclid(DAY_MS).saturating_add(1);
    Span::new().try_days(days).unwrap_or_default()
}

/// The calendar that the journey's workdays are counted on.
fn calendar<'m>(model: &'m Model, program: &Program) -> Option<&'m Calendar> {
    let of = |entity: &Name| model.entities.get(entity)?.calendar;
    model.calendars.get(&of(&program.subject).or_else(|| of(&program.root))?)
}

/// Whether workdays are counted or rolled to anywhere in it, metrics and audiences included. Asked of its serial form,
/// so that no place of a program is forgotten.
fn counts_workdays(program: &Program) -> bool {
    let is_dated = matches!(program.enter, Enter::Anchor { .. });
    is_dated || serde_json::to_string(program).is_ok_and(|text| text.contains("\"Workday\""))
}
