//! JSON to typed values. Exact: amounts and decimals never pass through a binary fraction that could change them.
//!
//! | type | JSON |
//! |---|---|
//! | `Bool`, `Int`, `Text` | `true`, `42`, `"…"` |
//! | `Id` and entities | `"C-17"`, or a whole number |
//! | `Decimal` | a number or `"0.5"` |
//! | `Percent` | `"5%"`, or the fraction `0.05` |
//! | `Money(CNY)` | `"50000.00 CNY"`, `{"amount": "50000.00", "currency": "CNY"}`, or a number of yuan |
//! | `Date`, `Time` | `"2026-12-01"`, `"10:00"` |
//! | `Moment` | RFC 3339, or `"2026-12-01T10:00"` in the zone of the bank |
//! | `Duration`, `Period` | `"48h"`, `"2 days"` |
//! | choices, channels, contents, rewards | the name of the case |
//! | `[T]`, `T..T`, `T?` | an array; `{"from": …, "to": …}`; also `null` |

use std::fmt::Display;
use std::str::FromStr;
use std::sync::Arc;

use jiff::Timestamp;
use jiff::civil::{Date, DateTime, Time};
use jiff::tz::TimeZone;
use rust_decimal::Decimal;
use serde_json::{Number, Value as Json};

use super::{MAX_ID, MAX_LIST, MAX_TEXT, did_you_mean, quote};
use crate::name::Name;
use crate::program::Bundle;
use crate::value::{CivilUnit, Currency, Length, Money, Type, Value, signs};

/// What a value may refer to.
#[derive(Clone, Copy, Debug)]
pub struct Scope<'a> {
    pub bundle: &'a Bundle,
    /// For moments that are written without an offset.
    pub zone: &'a TimeZone,
}

/// What was expected and what was found, such as: expected a whole number, found the text x.
pub type Mismatch = String;

impl Scope<'_> {
    /// `json` as a value of `ty`. `null` is `Missing` where the type allows it.
    pub fn value(&self, json: &Json, ty: &Type) -> Result<Value, Mismatch> {
        match ty {
            Type::Optional(_) if json.is_null() => Ok(Value::Missing),
            Type::Optional(inner) => self.value(json, inner),
            Type::List(element) => self.list(json, element),
            Type::Range(end) => self.range(json, end),
            Type::Bool => json.as_bool().map(Value::Bool).ok_or_else(|| expected("true or false", json)),
            Type::Int => json.as_i64().map(Value::Int).ok_or_else(|| expected("a whole number", json)),
            Type::Decimal => decimal(json, "a number").map(Value::Decimal),
            Type::Percent => percent(json).map(Value::Percent),
            Type::Money(currency) => money(json, *currency).map(Value::Money),
            Type::Text => text(json, MAX_TEXT).map(Value::Text),
            Type::ShortText(most) => short(json, *most).map(Value::Text),
            Type::Id | Type::Entity(_) => id(json).map(Value::Text),
            Type::Date => parsed::<Date>(json, "a date such as \"2026-12-01\"").map(Value::Date),
            Type::Time => parsed::<Time>(json, "a time of day such as \"10:00\"").map(Value::Time),
            Type::Moment => self.moment(json).map(Value::Moment),
            Type::Duration | Type::Period => length(json, ty).map(Value::Length),
            Type::Choice(_) | Type::OneOf(_) | Type::Channel | Type::Content | Type::Reward => {
                self.case(json, ty)
            }
            Type::Audience(_) | Type::Event(_) | Type::Error | Type::Occurrence => {
                Err(format!("a `{ty}` cannot be written from outside"))
            }
        }
    }

    fn list(&self, json: &Json, element: &Type) -> Result<Value, Mismatch> {
        let items = json.as_array().ok_or_else(|| expected("a list", json))?;
        if items.len() > MAX_LIST {
            return Err(format!("a list holds at most {MAX_LIST} elements, found {}", items.len()));
        }
        let value = |(index, item): (usize, &Json)| {
            self.value(item, element).map_err(|reason| format!("element {}: {reason}", index + 1))
        };
        items.iter().enumerate().map(value).collect::<Result<_, _>>().map(Value::List)
    }

    fn range(&self, json: &Json, end: &Type) -> Result<Value, Mismatch> {
        let side = |name: &str| {
            let found = json.get(name).ok_or_else(|| expected("{\"from\": …, \"to\": …}", json))?;
            self.value(found, end).map_err(|reason| format!("`{name}`: {reason}"))
        };
        Ok(Value::Range(Box::new((side("from")?, side("to")?))))
    }

    fn moment(&self, json: &Json) -> Result<Timestamp, Mismatch> {
        let wanted = "a moment such as \"2026-12-01T10:00:00+08:00\"";
        let text = json.as_str().ok_or_else(|| expected(wanted, json))?;
        moment(text, self.zone).ok_or_else(|| expected(wanted, json))
    }

    fn case(&self, json: &Json, ty: &Type) -> Result<Value, Mismatch> {
        let cases = self.cases(ty);
        let one_of = || format!("one of {}", listed(&cases));
        let text = json.as_str().ok_or_else(|| expected(one_of(), json))?;
        match Name::lookup(text).filter(|name| cases.contains(name)) {
            Some(name) => Ok(Value::Choice(name)),
            None => {
                Err(expected(one_of(), json) + &did_you_mean(text, cases.iter().map(|name| name.as_str())))
            }
        }
    }

    fn cases(&self, ty: &Type) -> Vec<Name> {
        match ty {
            Type::Choice(name) => self.bundle.schema.choices.get(name).cloned().unwrap_or_default(),
            Type::OneOf(cases) => cases.clone(),
            Type::Channel => self.bundle.channels.keys().copied().collect(),
            Type::Content => self.bundle.contents.keys().copied().collect(),
            Type::Reward => self.bundle.values.rewards.keys().copied().collect(),
            _ => Vec::new(),
        }
    }
}

/// A moment with its own offset, or a civil one in `zone` (a gap moves on, a fold takes the first).
#[must_use]
pub fn moment(text: &str, zone: &TimeZone) -> Option<Timestamp> {
    if let Ok(moment) = text.parse::<Timestamp>() {
        return Some(moment);
    }
    // An offset that is not RFC 3339 must not be dropped, which is what a civil parser would do.
    let civil = text.parse::<DateTime>().ok().filter(|_| !text.contains(['+', '[']))?;
    zone.to_ambiguous_timestamp(civil).compatible().ok()
}

fn parsed<T: FromStr>(json: &Json, wanted: &str) -> Result<T, Mismatch> {
    // jiff reads a date out of a longer text; a date here is a date.
    let text = json.as_str().filter(|text| text.len() <= 10);
    text.and_then(|text| text.parse().ok()).ok_or_else(|| expected(wanted, json))
}

fn text(json: &Json, most: usize) -> Result<Arc<str>, Mismatch> {
    let text = json.as_str().ok_or_else(|| expected("a text", json))?;
    if text.len() > most {
        return Err(format!("a text has at most {most} bytes, found {}", text.len()));
    }
    Ok(text.into())
}

fn short(json: &Json, most: u16) -> Result<Arc<str>, Mismatch> {
    let text = text(json, MAX_TEXT)?;
    let found = signs(&text);
    if found > usize::from(most) {
        return Err(format!("a text here has at most {most} signs, found {found}"));
    }
    Ok(text)
}

fn id(json: &Json) -> Result<Arc<str>, Mismatch> {
    match json {
        Json::Number(number) if !number.is_f64() => Ok(number.to_string().into()),
        Json::String(text) if text.is_empty() => Err("expected an id, found an empty text".to_owned()),
        Json::String(text) if text.chars().any(char::is_control) => {
            Err(format!("an id has no control characters, found {}", quote(text)))
        }
        Json::String(_) => text(json, MAX_ID),
        _ => Err(expected("an id (a text or a whole number)", json)),
    }
}

/// Digits that a JSON number keeps for certain: a reader makes a binary fraction of it.
const SURE_DIGITS: usize = 15;
/// From here on neighbouring binary fractions are further apart than half a fen.
const SURE_BELOW: f64 = 1e13;

fn decimal(json: &Json, wanted: &str) -> Result<Decimal, Mismatch> {
    let plain = match json {
        Json::String(text) => exact(text),
        Json::Number(number) if number.is_f64() => return fraction(number, wanted),
        Json::Number(number) => exact(&number.to_string()),
        _ => None,
    };
    plain.ok_or_else(|| expected(wanted, json))
}

fn fraction(number: &Number, wanted: &str) -> Result<Decimal, Mismatch> {
    let text = number.to_string();
    let digits = text.split(['e', 'E']).next().unwrap_or_default();
    let digits = digits.trim_start_matches(['-', '0', '.']).bytes().filter(u8::is_ascii_digit).count();
    if digits > SURE_DIGITS || number.as_f64().is_none_or(|value| value.abs() >= SURE_BELOW) {
        return Err(format!("{text} has more digits than a JSON number keeps, write it as a text: \"…\""));
    }
    let parsed = exact(&text).or_else(|| Decimal::from_scientific(&text).ok());
    parsed.ok_or_else(|| format!("expected {wanted}, found the number {text}"))
}

fn exact(text: &str) -> Option<Decimal> {
    let plain = text.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'-' | b'.'));
    if plain { Decimal::from_str_exact(text).ok() } else { None }
}

fn percent(json: &Json) -> Result<Decimal, Mismatch> {
    const WANTED: &str = "a percentage such as \"5%\" (or the fraction 0.05)";
    let Some(text) = json.as_str() else { return decimal(json, WANTED) };
    let whole = text.strip_suffix('%').and_then(|text| exact(text.trim_end()));
    whole.and_then(|whole| whole.checked_div(Decimal::ONE_HUNDRED)).ok_or_else(|| expected(WANTED, json))
}

fn money(json: &Json, currency: Currency) -> Result<Money, Mismatch> {
    let wanted = format!("an amount such as \"50000.00 {currency}\"");
    let (amount, found) = match json {
        Json::Object(parts) => {
            let amount = parts.get("amount").ok_or_else(|| expected(&wanted, json))?;
            let code = parts.get("currency").and_then(Json::as_str).ok_or_else(|| expected(&wanted, json))?;
            (decimal(amount, "a number")?, Some(code))
        }
        Json::String(text) => {
            let (amount, code) = match text.trim().split_once(' ') {
                Some((amount, code)) => (amount, Some(code.trim())),
                None => (text.trim(), None),
            };
            (exact(amount).ok_or_else(|| expected(&wanted, json))?, code)
        }
        _ => (decimal(json, &wanted)?, None),
    };
    if let Some(other) = found.filter(|code| *code != currency.as_str()) {
        return Err(format!("expected {currency}, found the currency {}", quote(other)));
    }
    let too_fine =
        || format!("{amount} {currency} has more than {} decimals or is too large", currency.digits());
    Money::from_major(amount, currency).ok_or_else(too_fine)
}

fn length(json: &Json, ty: &Type) -> Result<Length, Mismatch> {
    let wanted =
        if *ty == Type::Period { "calendar time such as \"2 days\"" } else { "a time such as \"48h\"" };
    let parsed = json.as_str().and_then(|text| if *ty == Type::Period { civil(text) } else { elapsed(text) });
    parsed.ok_or_else(|| expected(wanted, json))
}

fn elapsed(text: &str) -> Option<Length> {
    const UNITS: [(&str, i64); 3] = [("min", 60_000), ("h", 3_600_000), ("s", 1000)];
    let (digits, factor) =
        UNITS.iter().find_map(|(unit, factor)| text.strip_suffix(unit).map(|digits| (digits, *factor)))?;
    u32::from_str(digits).ok().and_then(|count| i64::from(count).checked_mul(factor)).map(Length::Elapsed)
}

fn civil(text: &str) -> Option<Length> {
    let (count, unit) = text.split_once(' ')?;
    let unit = match unit.strip_suffix('s').unwrap_or(unit) {
        "day" => CivilUnit::Day,
        "workday" => CivilUnit::Workday,
        "week" => CivilUnit::Week,
        "month" => CivilUnit::Month,
        "year" => CivilUnit::Year,
        _ => return None,
    };
    let count = u16::from_str(count).ok()?;
    Some(Length::Civil { count: count.into(), unit })
}

fn expected(wanted: impl Display, found: &Json) -> Mismatch {
    format!("expected {wanted}, found {}", described(found))
}

/// What a JSON value is, in words.
#[must_use]
pub fn described(json: &Json) -> String {
    match json {
        Json::Null => "null".to_owned(),
        Json::Bool(value) => format!("{value}"),
        Json::Number(number) => format!("the number {number}"),
        Json::String(text) => format!("the text {}", quote(text)),
        Json::Array(_) => "a list".to_owned(),
        Json::Object(_) => "an object".to_owned(),
    }
}

fn listed(names: &[Name]) -> String {
    let quoted: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    quoted.join(", ")
}
