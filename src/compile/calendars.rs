//! Whether calendars reach as far as journeys: behind the last known day every Monday to Friday would be a workday,
//! and nobody would be told.

use std::collections::BTreeSet;

use jiff::civil::Date;
use jiff::{Span, ToSpan};
use serde_json::Value;

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
    let mut found = Vec::new();
    for program in open {
        let used = used(model, program);
        let Some(journey) = model.journeys.get(&program.journey).filter(|_| !used.is_empty()) else {
            continue;
        };
        let ms = life(journey).saturating_add(lead(program));
        let Ok(last) = today.checked_add(days(ms)) else { continue };
        let calendars = used.iter().filter_map(|name| model.calendars.get(name));
        found.extend(calendars.filter_map(|calendar| finding(journey, calendar, today, last)));
    }
    found
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

/// The calendars that days of the journey are counted on: that of its subject where it counts workdays, those it names,
/// and those of others whose recurring dates it goes by. Asked of its serial form, metrics and audiences included, so
/// that no place of a program is forgotten.
fn used(model: &Model, program: &Program) -> BTreeSet<Name> {
    let mut used = BTreeSet::new();
    let own = || {
        let of = |entity: &Name| model.entities.get(entity)?.calendar;
        of(&program.subject).or_else(|| of(&program.root))
    };
    if let Enter::Anchor { of, anchor, .. } = &program.enter {
        let other = of.as_ref().map(|(_, entity)| *entity);
        used.extend(of_anchor(model, other, (program.subject, *anchor)).or_else(own));
    }
    let Ok(text) = serde_json::to_string(program) else { return used };
    if text.contains("\"Workday\"") {
        used.extend(own());
    }
    if text.contains("\"Anchored\"") || text.contains("\"calendar\":\"") {
        let whole = serde_json::from_str(&text).unwrap_or_default();
        look(&whole, &mut |field, value| match (field, value) {
            ("calendar", Value::String(name)) => used.extend(Name::lookup(name)),
            ("Anchored", Value::Object(anchored)) => {
                let name = |field: &str| Name::lookup(anchored.get(field)?.as_str()?);
                let (Some(entity), Some(anchor)) = (name("entity"), name("anchor")) else { return };
                let other = anchored.get("of").is_some_and(|of| !of.is_null()).then_some(entity);
                used.extend(of_anchor(model, other, (entity, anchor)).or_else(own));
            }
            _ => {}
        });
    }
    used
}

/// The calendar that a recurring date names, else that of the `other` who has it.
fn of_anchor(model: &Model, other: Option<Name>, (entity, anchor): (Name, Name)) -> Option<Name> {
    let has = model.entities.get(&other.unwrap_or(entity))?;
    let named = has.anchors.iter().find(|known| known.name == anchor)?.schedule.calendar;
    named.or(has.calendar.filter(|_| other.is_some()))
}

/// Shows every field of a serial form, outer ones first.
fn look(value: &Value, see: &mut impl FnMut(&str, &Value)) {
    match value {
        Value::Object(fields) => {
            // A clock names its calendar always, and asks it only for workdays.
            let ticks = fields.get("every").is_some_and(|every| every != "Workday");
            for (field, value) in fields.iter().filter(|(field, _)| !(ticks && *field == "calendar")) {
                see(field, value);
                look(value, see);
            }
        }
        Value::Array(values) => values.iter().for_each(|value| look(value, see)),
        _ => {}
    }
}
