//! The canonical spelling of a token: grouped digits, spelled-out lengths of time, plurals that agree.

use std::borrow::Cow;

use super::comments::Leaf;
use crate::syntax::token::TokenKind;

/// Units of civil time, singular.
pub(super) const CIVIL_UNITS: &[&str] = &["day", "workday", "week", "month", "year"];

/// Numbers with at least so many digits are grouped by thousands; years, for one, are not.
const GROUPED_FROM: usize = 5;

/// How the token written `text` behind `before` is spelled.
pub(super) fn spelled<'a>(kind: TokenKind, text: &'a str, before: &[Leaf<'_>]) -> Cow<'a, str> {
    match kind {
        TokenKind::Int | TokenKind::Decimal | TokenKind::Percent => number(text),
        TokenKind::Glued => glued(text),
        TokenKind::Name => unit(text, before).map_or(text.into(), Into::into),
        _ => text.into(),
    }
}

/// `50000` is `50_000`, `12345.5%` is `12_345.5%`.
fn number(text: &str) -> Cow<'_, str> {
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '_').unwrap_or(text.len());
    let (whole, rest) = text.split_at(end);
    match grouped(whole) {
        Cow::Borrowed(_) => text.into(),
        Cow::Owned(whole) => (whole + rest).into(),
    }
}

/// Short numbers stay as written if they are written well; what begins with a zero is more of a code than a number.
fn grouped(written: &str) -> Cow<'_, str> {
    let digits: String = written.chars().filter(|&c| c != '_').collect();
    if digits.starts_with('0') {
        return written.into();
    }
    let by_thousands = by_thousands(&digits);
    let well = written == by_thousands || (digits.len() < GROUPED_FROM && written == digits);
    match (well, digits.len() < GROUPED_FROM) {
        (true, _) => written.into(),
        (false, true) => digits.into(),
        (false, false) => by_thousands.into(),
    }
}

fn by_thousands(digits: &str) -> String {
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push('_');
        }
        out.push(digit);
    }
    out
}

/// `2d` is `2 days`, `90000s` is `90_000s`.
fn glued(text: &str) -> Cow<'_, str> {
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '_').unwrap_or(text.len());
    let (count, unit) = text.split_at(end);
    let unit = match unit {
        "d" => "day",
        "w" => "week",
        _ => return number(text),
    };
    let count = grouped(count);
    format!("{count} {unit}{}", plural(&count)).into()
}

/// The unit `text` in the number that its count asks for: `1 day`, `2 days`.
fn unit(text: &str, before: &[Leaf<'_>]) -> Option<String> {
    let unit = text.strip_suffix('s').unwrap_or(text);
    let (count, above) = before.split_last()?;
    // `given 5 days` is about five of an entity called `days`.
    let entity = above.last().is_some_and(|leaf| leaf.is_word("given"));
    let counted = count.kind == TokenKind::Int && CIVIL_UNITS.contains(&unit) && !entity;
    counted.then(|| format!("{unit}{}", plural(&count.text)))
}

fn plural(count: &str) -> &'static str {
    if count == "1" { "" } else { "s" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_are_grouped_from_five_on() {
        let pairs = [
            ("2026", "2026"),
            ("2_000", "2_000"),
            ("20_00", "2000"),
            ("10000", "10_000"),
            ("1000_000", "1_000_000"),
            ("00123456", "00123456"),
            ("1234567.25", "1_234_567.25"),
            ("12345.5%", "12_345.5%"),
            ("0.00001", "0.00001"),
        ];
        for (written, meant) in pairs {
            assert_eq!(number(written), meant);
        }
    }

    #[test]
    fn calendar_time_is_a_word_and_elapsed_time_is_glued() {
        for (written, meant) in [("2d", "2 days"), ("1d", "1 day"), ("3w", "3 weeks"), ("90000s", "90_000s")]
        {
            assert_eq!(glued(written), meant);
        }
        assert_eq!(glued("60min"), "60min");
    }
}
