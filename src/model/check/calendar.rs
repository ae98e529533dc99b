//! Calendars: a versioned file of public holidays and make-up workdays (调休), read line by line.

use std::sync::Arc;

use jiff::civil::Date;

use super::world::{Declared, Sink, World};
use super::{length, schema};
use crate::diagnostic::{Diagnostic, code};
use crate::expr::civil;
use crate::model::Calendar;
use crate::syntax::ast::{CalendarItem, Text};
use crate::text::FileId;

pub(super) fn calendar(
    world: &World,
    declared: &Declared,
    items: &[CalendarItem],
    sink: &mut Sink,
) -> Calendar {
    let mut calendar = Calendar {
        name: declared.name,
        label: schema::label(declared.decl),
        file: Arc::from(""),
        covers: None,
        provisional: Vec::new(),
        data: civil::Calendar::default(),
        span: declared.span,
    };
    let mut file = None;
    for item in items {
        match item {
            CalendarItem::File(text) => file = Some(text),
            CalendarItem::Covers(range) => calendar.covers = length::date_range(range, sink),
            CalendarItem::Error(_) => {}
        }
    }
    match file {
        Some(text) => {
            calendar.file = text.value.clone();
            (calendar.data, calendar.provisional) = read(world, declared.file, text, sink);
        }
        None => sink.report(
            Diagnostic::new(
                code::CALENDAR,
                declared.span,
                format!("calendar `{}` has no file", declared.name),
            )
            .label("where are its days?")
            .help("write `file \"calendars/cn_2026_2027.csv\"`"),
        ),
    }
    calendar
}

/// The days of the file, and the years it only guesses.
fn read(world: &World, file: FileId, path: &Text, sink: &mut Sink) -> (civil::Calendar, Vec<i16>) {
    let Some(text) = world.beside(file, path, code::CALENDAR, sink) else {
        return Default::default();
    };
    let (days, mistakes) = parse(text);
    if let Some((line, what)) = mistakes.first() {
        let headline =
            format!("the calendar file `{}` has {} that cannot be read", path.value, lines(mistakes.len()));
        sink.report(
            Diagnostic::new(code::CALENDAR, path.span, headline)
                .label(format!("line {line}: {what}"))
                .help("each line is `2027-02-17,holiday,春节`, `2027-02-20,workday,调休` or `2027-01-01,provisional,…`"),
        );
    }
    (days.data, days.provisional)
}

fn lines(count: usize) -> String {
    if count == 1 { "a line".into() } else { format!("{count} lines") }
}

#[derive(Default)]
struct Days {
    data: civil::Calendar,
    /// Years, ascending.
    provisional: Vec<i16>,
}

/// The days of a `date,kind,name` file, and `(line, what is wrong)` of each line that is not one.
fn parse(text: &str) -> (Days, Vec<(usize, String)>) {
    let mut days = Days::default();
    let mut mistakes = Vec::new();
    for (number, line) in text.lines().enumerate().map(|(at, line)| (at + 1, line.trim())) {
        let heading = number == 1 && line.starts_with("date");
        if line.is_empty() || line.starts_with('#') || heading {
            continue;
        }
        match day(line) {
            Ok((day, Kind::Holiday)) => days.data.holidays.push(day),
            Ok((day, Kind::Workday)) => days.data.workdays.push(day),
            Ok((day, Kind::Provisional)) => days.provisional.push(day.year()),
            Err(what) => mistakes.push((number, what)),
        }
    }
    days.data.holidays.sort_unstable();
    days.data.holidays.dedup();
    days.data.workdays.sort_unstable();
    days.data.workdays.dedup();
    days.provisional.sort_unstable();
    days.provisional.dedup();
    (days, mistakes)
}

enum Kind {
    Holiday,
    Workday,
    /// Of the whole year of its date.
    Provisional,
}

/// The date of a line and what it is.
fn day(line: &str) -> Result<(Date, Kind), String> {
    let mut cells = line.split(',').map(str::trim);
    let date = cells.next().unwrap_or_default();
    let date = date.parse::<Date>().map_err(|_| format!("`{date}` is not a date"))?;
    match cells.next().unwrap_or_default() {
        "holiday" => Ok((date, Kind::Holiday)),
        "workday" => Ok((date, Kind::Workday)),
        "provisional" => Ok((date, Kind::Provisional)),
        other => Err(format!("`{other}` is neither `holiday`, `workday` nor `provisional`")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn holidays_and_make_up_days_are_kept_apart_and_bad_lines_are_told() {
        let text = "date,kind,name\n2026-10-01,holiday,国庆节\n\n2026-10-10,workday,调休\n2026-13-01,holiday,x\n2026-10-02,off,y\n2027-01-01,provisional,z\n";
        let (days, mistakes) = parse(text);
        assert_eq!(days.data.holidays, [jiff::civil::date(2026, 10, 1)]);
        assert_eq!(days.data.workdays, [jiff::civil::date(2026, 10, 10)]);
        assert_eq!(days.provisional, [2027]);
        assert_eq!(mistakes.iter().map(|(line, _)| *line).collect::<Vec<_>>(), [5, 6]);
    }
}
