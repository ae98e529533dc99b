//! Values on a number line: every ordered kind of value has a scale, and a place on it that is a decimal number.

use jiff::civil::{Date, Time};
use jiff::{Span, Timestamp};
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;

use crate::value::{CivilUnit, Currency, Length, Money, Value};

/// A kind of ordered value. Places are in the unit named.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scale {
    /// Whole numbers.
    Whole,
    /// Numbers and percentages with fractions.
    Number,
    /// As [`Scale::Number`], written with a percent sign.
    Percent,
    /// Minor units.
    Money(Currency),
    /// Days since 1970-01-01.
    Date,
    /// Milliseconds since midnight.
    Time,
    /// Milliseconds since the epoch.
    Moment,
    /// Milliseconds.
    Elapsed,
    /// Days, workdays or months.
    Civil(CivilUnit),
}

impl Scale {
    /// The scale on which a value lies, if it is ordered. Whole numbers lie on [`Scale::Number`] as well.
    #[must_use]
    pub fn of(value: &Value) -> Option<Self> {
        Some(match value {
            Value::Int(_) | Value::Decimal(_) => Self::Number,
            Value::Percent(_) => Self::Percent,
            Value::Money(money) => Self::Money(money.currency),
            Value::Date(_) => Self::Date,
            Value::Time(_) => Self::Time,
            Value::Moment(_) => Self::Moment,
            Value::Length(Length::Elapsed(_)) => Self::Elapsed,
            Value::Length(Length::Civil { unit, .. }) => Self::Civil(base(*unit).1),
            _ => return None,
        })
    }

    /// Where the value lies; `None` if it is of another kind.
    #[must_use]
    pub fn place(self, value: &Value) -> Option<Decimal> {
        match (self, value) {
            (Self::Whole | Self::Number | Self::Percent, Value::Int(value)) => Some(Decimal::from(*value)),
            (Self::Whole | Self::Number | Self::Percent, Value::Decimal(value) | Value::Percent(value)) => {
                Some(*value)
            }
            (Self::Money(currency), Value::Money(money)) if money.currency == currency => {
                Some(Decimal::from(money.minor))
            }
            (Self::Date, Value::Date(date)) => {
                let days = Date::constant(1970, 1, 1).until(*date).ok()?.get_days();
                Some(Decimal::from(days))
            }
            (Self::Time, Value::Time(time)) => {
                let ns = time.duration_since(Time::midnight()).as_nanos();
                Decimal::from_i128_with_scale(ns, 0).checked_div(Decimal::from(1_000_000))
            }
            (Self::Moment, Value::Moment(moment)) => {
                Decimal::from_i128_with_scale(moment.as_nanosecond(), 0).checked_div(Decimal::from(1_000_000))
            }
            (Self::Elapsed, Value::Length(Length::Elapsed(ms))) => Some(Decimal::from(*ms)),
            (Self::Civil(unit), Value::Length(Length::Civil { count, unit: written })) => {
                let (scale, in_base) = base(*written);
                (in_base == unit).then(|| Decimal::from(i64::from(*count) * scale))
            }
            _ => None,
        }
    }

    /// The value at a place; `None` where there is none.
    #[must_use]
    pub fn value(self, at: Decimal) -> Option<Value> {
        Some(match self {
            Self::Whole => Value::Int(whole(at)?),
            Self::Number if at.fract().is_zero() => Value::Int(whole(at)?),
            Self::Number => Value::Decimal(at.normalize()),
            Self::Percent => Value::Percent(at.normalize()),
            Self::Money(currency) => Value::Money(Money { minor: whole(at)?, currency }),
            Self::Date => {
                let days = Span::new().try_days(whole(at)?).ok()?;
                Value::Date(Date::constant(1970, 1, 1).checked_add(days).ok()?)
            }
            Self::Time => {
                let span = Span::new().try_milliseconds(whole(at)?).ok()?;
                Value::Time(Time::midnight().checked_add(span).ok()?)
            }
            Self::Moment => Value::Moment(Timestamp::from_millisecond(whole(at)?).ok()?),
            Self::Elapsed => Value::Length(Length::Elapsed(whole(at)?)),
            Self::Civil(unit) => {
                Value::Length(Length::Civil { count: i32::try_from(whole(at)?).ok()?, unit })
            }
        })
    }

    /// Whether only whole places have values.
    #[must_use]
    pub fn is_counted(self) -> bool {
        matches!(self, Self::Whole | Self::Money(_) | Self::Date | Self::Civil(_))
    }

    /// Steps that people find round, from large to small: the first whose multiple fits is taken.
    fn steps(self) -> Vec<Decimal> {
        const MINUTE: i64 = 60_000;
        const HOUR: i64 = 60 * MINUTE;
        match self {
            Self::Date => vec![Decimal::ONE],
            Self::Time | Self::Moment | Self::Elapsed => {
                [24 * HOUR, HOUR, 30 * MINUTE, MINUTE, 1000, 1].map(Decimal::from).to_vec()
            }
            _ => {
                let tens = (-6_i32..=15).rev().filter_map(|power| {
                    let power_of_ten = 10_i64.checked_pow(power.unsigned_abs())?;
                    let ten = Decimal::from(power_of_ten);
                    if power < 0 { Decimal::ONE.checked_div(ten) } else { Some(ten) }
                });
                tens.flat_map(|ten| [ten * Decimal::from(5), ten * Decimal::TWO, ten]).collect()
            }
        }
    }

    /// A round place strictly between the ends. Without a low end, amounts do not go below zero if they need not.
    #[must_use]
    pub fn between(self, low: Option<Decimal>, high: Option<Decimal>) -> Option<Decimal> {
        let (low, high) = match (low, high) {
            (None, None) => return Some(Decimal::ZERO),
            (Some(low), None) => (low, low + self.reach(low)),
            (None, Some(high)) if high > Decimal::ZERO && !matches!(self, Self::Date | Self::Moment) => {
                // Nothing at all is rounder than any part of one.
                return self.between(Some(Decimal::ZERO), Some(high)).or(Some(Decimal::ZERO));
            }
            (None, Some(high)) => (high - self.reach(high), high),
            (Some(low), Some(high)) => (low, high),
        };
        let mut steps = self.steps().into_iter().filter(|step| !self.is_counted() || *step >= Decimal::ONE);
        steps.find_map(|step| {
            let next = (low.checked_div(step)?.floor() + Decimal::ONE).checked_mul(step)?;
            (next > low && next < high).then_some(next)
        })
    }

    /// How far an open end is looked for: a bit more than the number itself.
    fn reach(self, from: Decimal) -> Decimal {
        match self {
            Self::Date => Decimal::from(31),
            Self::Moment => Decimal::from(86_400_000_i64),
            Self::Percent => from.abs() + Decimal::new(2, 2),
            _ => from.abs() + Decimal::from(2),
        }
    }
}

fn whole(at: Decimal) -> Option<i64> {
    at.fract().is_zero().then(|| at.to_i64()).flatten()
}

fn base(unit: CivilUnit) -> (i64, CivilUnit) {
    match unit {
        CivilUnit::Week => (7, CivilUnit::Day),
        CivilUnit::Year => (12, CivilUnit::Month),
        CivilUnit::Day | CivilUnit::Workday | CivilUnit::Month => (1, unit),
    }
}
