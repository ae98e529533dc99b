//! Calendars: public holidays and make-up workdays (调休) of a bank.

use jiff::civil::{Date, Weekday};
use serde::{Deserialize, Serialize};

/// Holidays and make-up workdays (调休) by date; other days follow the weekday. Sorted, so that it hashes stably.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Calendar {
    pub holidays: Vec<Date>,
    pub workdays: Vec<Date>,
}

/// What is wrong with one line of a calendar file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LineError {
    /// From 1, the heading included.
    pub line: u64,
    pub message: String,
}

/// The longest run of days without a workday that is searched. No real calendar comes near it.
const LONGEST_HOLIDAY: usize = 366;

impl Calendar {
    /// Reads a file with the heading `date,kind,name`, where `kind` is `holiday` or `workday`. The name is for people.
    ///
    /// # Errors
    /// One per bad line, all of them.
    pub fn parse(text: &str) -> Result<Self, Vec<LineError>> {
        let text = text.trim_start_matches('\u{feff}');
        let mut reader =
            csv::ReaderBuilder::new().flexible(true).trim(csv::Trim::All).from_reader(text.as_bytes());
        let mut calendar = Self::default();
        let mut errors: Vec<LineError> = heading_error(&mut reader).into_iter().collect();
        for record in reader.records() {
            match record {
                Ok(record) => {
                    let line = record.position().map_or(0, csv::Position::line);
                    let added = calendar.add(&record);
                    errors.extend(added.err().map(|message| LineError { line, message }));
                }
                Err(error) => errors.push(LineError {
                    line: error.position().map_or(0, csv::Position::line),
                    message: "this line is not UTF-8 text".to_owned(),
                }),
            }
        }
        calendar.holidays.sort_unstable();
        calendar.workdays.sort_unstable();
        if errors.is_empty() { Ok(calendar) } else { Err(errors) }
    }

    fn add(&mut self, record: &csv::StringRecord) -> Result<(), String> {
        let date = record.get(0).unwrap_or_default();
        let kind = record.get(1).unwrap_or_default();
        let day: Date = date.parse().map_err(|_| format!("`{date}` is not a date like 2026-10-01"))?;
        if self.holidays.contains(&day) || self.workdays.contains(&day) {
            return Err(format!("{day} is here twice"));
        }
        match kind {
            "holiday" => self.holidays.push(day),
            "workday" => self.workdays.push(day),
            other => return Err(format!("`{other}` is neither `holiday` nor `workday`")),
        }
        Ok(())
    }

    #[must_use]
    pub fn is_workday(&self, date: Date) -> bool {
        if self.workdays.binary_search(&date).is_ok() {
            return true;
        }
        is_weekday(date) && self.holidays.binary_search(&date).is_err()
    }

    /// The nearest workday at `date` or before it.
    #[must_use]
    pub fn roll_back(&self, date: Date) -> Option<Date> {
        let days = std::iter::successors(Some(date), |day| day.yesterday().ok());
        days.take(LONGEST_HOLIDAY).find(|&day| self.is_workday(day))
    }

    /// The nearest workday at `date` or behind it.
    #[must_use]
    pub fn roll_forward(&self, date: Date) -> Option<Date> {
        let days = std::iter::successors(Some(date), |day| day.tomorrow().ok());
        days.take(LONGEST_HOLIDAY).find(|&day| self.is_workday(day))
    }
}

/// Whether `date` is worked on by `calendar`, or Monday to Friday where there is none.
pub(super) fn is_workday(date: Date, calendar: Option<&Calendar>) -> bool {
    calendar.map_or_else(|| is_weekday(date), |calendar| calendar.is_workday(date))
}

fn is_weekday(date: Date) -> bool {
    !matches!(date.weekday(), Weekday::Saturday | Weekday::Sunday)
}

fn heading_error(reader: &mut csv::Reader<&[u8]>) -> Option<LineError> {
    let heading = reader.headers().ok()?;
    let good = heading.get(0) == Some("date") && heading.get(1) == Some("kind");
    let message = "the first line must be `date,kind,name`".to_owned();
    (!good).then_some(LineError { line: 1, message })
}
