//! Values as they are written in a journey.

use jiff::tz::TimeZone;

use crate::expr::print::{grouped, percent};
use crate::value::{Money, Value};

/// `value` as a literal: `50_000 CNY`, `"text"`, `2026-12-01`. A moment is in UTC, as RFC 3339.
#[must_use]
pub fn value(value: &Value) -> String {
    match value {
        Value::Missing => "missing".to_owned(),
        Value::Bool(value) => value.to_string(),
        Value::Int(value) => digits(&value.to_string()),
        Value::Decimal(value) => digits(&value.to_string()),
        Value::Percent(fraction) => format!("{}%", percent(*fraction).unwrap_or_default()),
        Value::Money(amount) => money(*amount),
        Value::Text(text) => format!("{text:?}"),
        Value::Date(date) => date.to_string(),
        Value::Time(time) => time.strftime("%H:%M").to_string(),
        Value::Moment(moment) => {
            TimeZone::UTC.to_datetime(*moment).strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
        }
        Value::Length(length) => length.to_string(),
        Value::Choice(name) => name.to_string(),
        Value::List(items) => format!("[{}]", separated(items.iter().map(self::value))),
        Value::Record(fields) => {
            let fields = fields.iter().map(|(name, field)| format!("{name} = {}", self::value(field)));
            format!("({})", separated(fields))
        }
        Value::Range(ends) => format!("{}..{}", self::value(&ends.0), self::value(&ends.1)),
    }
}

/// `50_000 CNY`; the part behind the point only where there is one.
fn money(money: Money) -> String {
    format!("{} {}", digits(&money.major().normalize().to_string()), money.currency)
}

/// Grouped from `10_000` on, as the canonical form has it.
fn digits(number: &str) -> String {
    let whole = number.trim_start_matches('-').split('.').next().map_or(0, str::len);
    if whole >= 5 { grouped(number, '_') } else { number.to_owned() }
}

fn separated(items: impl Iterator<Item = String>) -> String {
    items.collect::<Vec<_>>().join(", ")
}
