//! A value as a customer reads it, in copy.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use crate::name::Name;
use crate::value::{Money, Value};

/// The text of a hole in copy. `None` where nothing can be printed: the message must not go out with a gap.
#[must_use]
pub fn hole(value: &Value, zone: &TimeZone, locale: Option<Name>) -> Option<String> {
    Some(match value {
        Value::Text(text) => text.to_string(),
        Value::Int(number) => number.to_string(),
        Value::Decimal(number) => number.normalize().to_string(),
        Value::Percent(fraction) => format!("{}%", percent(*fraction)?),
        Value::Money(amount) => money(*amount),
        Value::Date(day) => date(*day, locale),
        Value::Time(time) => time.strftime("%H:%M").to_string(),
        Value::Moment(instant) => moment(*instant, zone, locale),
        Value::Length(length) => length.to_string(),
        Value::Choice(name) => name.to_string(),
        Value::Missing | Value::Bool(_) | Value::List(_) | Value::Record(_) | Value::Range(_) => return None,
    })
}

/// `50,000.00 元`; other currencies by their code.
#[must_use]
pub fn money(money: Money) -> String {
    let unit = if money.currency.as_str() == "CNY" { "元" } else { money.currency.as_str() };
    format!("{} {unit}", grouped(&money.major().to_string(), ','))
}

/// `2026年12月1日`, or `1 December 2026` in English copy.
#[must_use]
pub fn date(date: Date, locale: Option<Name>) -> String {
    let english = locale.is_some_and(|locale| locale.as_str().starts_with("en"));
    let form = if english { "%-d %B %Y" } else { "%Y年%-m月%-d日" };
    date.strftime(form).to_string()
}

fn moment(moment: Timestamp, zone: &TimeZone, locale: Option<Name>) -> String {
    let local = zone.to_datetime(moment);
    format!("{} {}", date(local.date(), locale), local.strftime("%H:%M"))
}

/// All but the first character hidden.
#[must_use]
pub fn mask(text: &str) -> String {
    let shown = text.chars().take(1);
    shown.chain(text.chars().skip(1).map(|_| '*')).collect()
}

/// A fraction as the number before `%`.
pub(super) fn percent(fraction: rust_decimal::Decimal) -> Option<String> {
    Some(fraction.checked_mul(rust_decimal::Decimal::ONE_HUNDRED)?.normalize().to_string())
}

/// The digits before the point in threes.
pub(super) fn grouped(number: &str, separator: char) -> String {
    let (sign, digits) = number.strip_prefix('-').map_or(("", number), |digits| ("-", digits));
    let (whole, fraction) = digits.split_once('.').map_or((digits, None), |(a, b)| (a, Some(b)));
    let mut out = String::from(sign);
    for (at, digit) in whole.chars().enumerate() {
        if at > 0 && (whole.len() - at).is_multiple_of(3) {
            out.push(separator);
        }
        out.push(digit);
    }
    if let Some(fraction) = fraction {
        out.push('.');
        out.push_str(fraction);
    }
    out
}
