//! What the text of a literal token stands for. Pure decoding: the parser reports what is wrong.

use std::str::FromStr;

use jiff::civil::{Date, Time};
use rust_decimal::Decimal;
use unicode_normalization::UnicodeNormalization;

use super::ast::{CivilUnit, DurKind};
use crate::name::Name;

/// The name spelled `text`, in normal form C so that two ways to type a letter are one name.
pub(super) fn name(text: &str) -> Name {
    if text.is_ascii() { Name::new(text) } else { Name::new(&text.nfc().collect::<String>()) }
}

fn digits(text: &str) -> String {
    text.chars().filter(|&c| c != '_').collect()
}

/// `50_000`; `None` if it does not fit.
pub(super) fn int(text: &str) -> Option<i64> {
    digits(text).parse().ok()
}

/// `50_000` or `0.5`; `None` if it does not fit exactly.
pub(super) fn decimal(text: &str) -> Option<Decimal> {
    Decimal::from_str_exact(&digits(text)).ok()
}

/// `5%`.
pub(super) fn percent(text: &str) -> Option<Decimal> {
    decimal(text.trim_end_matches(['%', '％']))
}

/// `2026-12-01`; `None` if there is no such day.
pub(super) fn date(text: &str) -> Option<Date> {
    Date::from_str(text).ok().filter(|_| text.len() == 10)
}

/// `10:00`; `None` if the clock does not show it.
pub(super) fn time(text: &str) -> Option<Time> {
    let (hour, minute) = text.split_once([':', '：'])?;
    if hour.len() != 2 {
        return None;
    }
    Time::new(hour.parse().ok()?, minute.parse().ok()?, 0, 0).ok()
}

/// What a number with letters glued to it says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Glued<'a> {
    Dur(DurKind),
    TooLarge,
    /// `3m`: minutes or months?
    BareM(&'a str),
    /// `3days`: the unit is a word of its own.
    Word(&'a str, &'a str),
    Unknown(&'a str, &'a str),
}

/// `48h`, `10min`, `20s`, `2d`, `2w`.
pub(super) fn glued(text: &str) -> Glued<'_> {
    let at = text.find(|c: char| !c.is_ascii_digit() && c != '_').unwrap_or(text.len());
    let (number, unit) = text.split_at(at);
    let Some(count) = int(number) else { return Glued::TooLarge };
    match unit {
        "s" => elapsed(count, 1),
        "min" => elapsed(count, 60),
        "h" => elapsed(count, 3_600),
        "d" => Glued::Dur(DurKind::Civil { count, unit: CivilUnit::Day }),
        "w" => Glued::Dur(DurKind::Civil { count, unit: CivilUnit::Week }),
        "m" => Glued::BareM(number),
        _ if civil_unit(unit).is_some() => Glued::Word(number, unit),
        _ => Glued::Unknown(number, unit),
    }
}

fn elapsed(count: i64, seconds: i64) -> Glued<'static> {
    count.checked_mul(seconds).map_or(Glued::TooLarge, |total| Glued::Dur(DurKind::Elapsed(total)))
}

/// `day`, `days`, …
pub(super) fn civil_unit(word: &str) -> Option<CivilUnit> {
    Some(match word {
        "day" | "days" => CivilUnit::Day,
        "workday" | "workdays" => CivilUnit::Workday,
        "week" | "weeks" => CivilUnit::Week,
        "month" | "months" => CivilUnit::Month,
        "year" | "years" => CivilUnit::Year,
        _ => return None,
    })
}

/// How a unit of another writing is written here, behind its number: `hours` is `h`, `天` is ` days`.
pub(super) fn other_unit(word: &str) -> Option<&'static str> {
    Some(match word.to_lowercase().as_str() {
        "sec" | "secs" | "second" | "seconds" | "秒" | "秒钟" => "s",
        "mins" | "minute" | "minutes" | "分钟" => "min",
        "hr" | "hrs" | "hour" | "hours" | "小时" => "h",
        "天" | "日" => " days",
        "工作日" => " workdays",
        "wk" | "wks" | "周" | "星期" => " weeks",
        "mo" | "mon" | "mos" | "个月" => " months",
        "y" | "yr" | "yrs" | "年" => " years",
        _ => return None,
    })
}

/// A currency is three capitals: `CNY`.
pub(super) fn is_currency(text: &str) -> bool {
    text.len() == 3 && text.bytes().all(|byte| byte.is_ascii_uppercase())
}

/// A wrong escape in a text: where it stands (bytes into the text given) and how long it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct BadEscape {
    pub(super) at: usize,
    pub(super) length: usize,
}

/// The inside of a `"…"`, with its escapes resolved. Wrong escapes are kept as written and listed.
pub(super) fn unescape(inside: &str) -> (String, Vec<BadEscape>) {
    let mut out = String::with_capacity(inside.len());
    let mut bad = Vec::new();
    let mut rest = inside;
    while let Some(at) = rest.find('\\') {
        let (before, escape) = rest.split_at(at);
        out.push_str(before);
        let (length, meaning) = escape_at(escape);
        if let Some(c) = meaning {
            out.push(c);
        } else {
            bad.push(BadEscape { at: inside.len() - escape.len(), length });
            out.push_str(escape.get(..length).unwrap_or_default());
        }
        rest = escape.get(length..).unwrap_or_default();
    }
    out.push_str(rest);
    (out, bad)
}

/// The length of the escape that `text` begins with, and its character.
fn escape_at(text: &str) -> (usize, Option<char>) {
    let Some(sign) = text.chars().nth(1) else { return (text.len(), None) };
    let simple = |c| (1 + sign.len_utf8(), c);
    match sign {
        '"' | '\\' => simple(Some(sign)),
        'n' => simple(Some('\n')),
        'u' => unicode_escape(text),
        _ => simple(None),
    }
}

/// `\u{4F60}`
fn unicode_escape(text: &str) -> (usize, Option<char>) {
    let code = text.strip_prefix("\\u{").and_then(|rest| rest.split_once('}')).map(|(code, _)| code);
    let Some(code) = code else { return (2, None) };
    let value = u32::from_str_radix(code, 16).ok().and_then(char::from_u32);
    (code.len() + 4, value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_of_time() {
        assert_eq!(glued("48h"), Glued::Dur(DurKind::Elapsed(172_800)));
        assert_eq!(glued("2d"), Glued::Dur(DurKind::Civil { count: 2, unit: CivilUnit::Day }));
        assert_eq!(glued("3m"), Glued::BareM("3"));
        assert_eq!(glued("3days"), Glued::Word("3", "days"));
        assert_eq!(glued("9999999999999999999h"), Glued::TooLarge);
        assert_eq!(glued("9223372036854775807h"), Glued::TooLarge);
    }

    #[test]
    fn only_real_days_and_clock_times() {
        assert!(date("2028-02-29").is_some());
        assert!(date("2027-02-29").is_none());
        assert!(date("2027-2-9").is_none());
        assert!(time("23:59").is_some());
        assert!(time("24:00").is_none());
        assert!(time("9:30").is_none());
    }

    #[test]
    fn escapes() {
        assert_eq!(unescape(r#"a\"b\\\n\u{4F60}"#), ("a\"b\\\n你".to_owned(), vec![]));
        let (text, bad) = unescape(r"贷\t\u{FFFFFFFF}\");
        assert_eq!(text, r"贷\t\u{FFFFFFFF}\");
        assert_eq!(bad.iter().map(|escape| escape.at).collect::<Vec<_>>(), [3, 5, 17]);
    }

    #[test]
    fn two_ways_to_type_a_letter_are_one_name() {
        assert_eq!(name("caf\u{e9}"), name("cafe\u{301}"));
    }
}
