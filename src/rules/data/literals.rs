//! DATA-002: no real person's data in the files of a project, tests and comments included.

use std::ops::Range;

use jiff::civil::Date;

use crate::rules::context::Context;
use crate::rules::finding::Out;
use crate::rules::pack::Pack;
use crate::rules::rule::{Basis, In, Mark, rule};
use crate::text::Span;

rule! {
    DATA_002 = "DATA-002", Error, "a real person's data in a file";
    packs: &[In::error(Pack::Core)],
    basis: &[Basis::new(Mark::Primary, "个人信息保护法 第51条")],
    firm: true,
    reads: "the text of every file: identity numbers with a right check digit, bank cards with a right check digit, \
            mobile numbers of mainland China, addresses at public mail services. Numbers with five equal or rising digits \
            in a row are made up",
    check: check,
}

/// Mail services where people have private addresses.
const PRIVATE_MAIL: [&str; 14] = [
    "qq.com",
    "163.com",
    "126.com",
    "gmail.com",
    "foxmail.com",
    "sina.com",
    "139.com",
    "189.cn",
    "outlook.com",
    "hotmail.com",
    "icloud.com",
    "yahoo.com",
    "yeah.net",
    "sohu.com",
];
const WEIGHTS: [u32; 17] = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
const CHECKS: [char; 11] = ['1', '0', 'X', '9', '8', '7', '6', '5', '4', '3', '2'];

/// What a text turned out to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Identity,
    Card,
    Mobile,
    Mail,
}

impl Kind {
    fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::Identity => ("an identity number", "its check digit is right"),
            Self::Card => ("the number of a bank card", "its check digit is right"),
            Self::Mobile => ("a mobile number", "eleven digits, as carriers give them"),
            Self::Mail => ("somebody's mail address", "at a service for private people"),
        }
    }
}

fn check(context: &Context, out: &mut Out) {
    for (id, file) in context.files() {
        for (range, kind) in found(&file.text) {
            let (what, why) = kind.words();
            let span = Span::new(id, range.start, range.end);
            let finding = out
                .at(span, format!("this looks like {what}"))
                .label(why)
                .help("write one that is made up: `13800000000`, `user@bank.example`, `id-1`");
            out.push([], finding);
        }
    }
}

/// Personal data in `text`, in its order.
fn found(text: &str) -> Vec<(Range<usize>, Kind)> {
    let bytes = text.as_bytes();
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        if byte.is_ascii_digit() {
            let rest = text.get(at..).unwrap_or_default();
            let length = rest.bytes().take_while(u8::is_ascii_digit).count();
            let before = at.checked_sub(1).and_then(|before| bytes.get(before));
            let range = at..at + length;
            if !before.is_some_and(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-'))
            {
                found.extend(number(text, range.clone()));
            }
            at = range.end;
        } else {
            if *byte == b'@' {
                found.extend(mail(text, at).map(|range| (range, Kind::Mail)));
            }
            at += 1;
        }
    }
    found
}

fn number(text: &str, range: Range<usize>) -> Option<(Range<usize>, Kind)> {
    let digits = text.get(range.clone())?;
    let next = text.as_bytes().get(range.end).copied();
    if digits.len() == 17 && matches!(next, Some(b'X' | b'x')) {
        let whole = range.start..range.end + 1;
        return is_identity(text.get(whole.clone())?).then_some((whole, Kind::Identity));
    }
    if next.is_some_and(|byte| byte.is_ascii_alphabetic() || matches!(byte, b'_' | b'-'))
        || is_made_up(digits)
    {
        return None;
    }
    let kind = match digits.len() {
        11 if is_mobile(digits) => Kind::Mobile,
        18 if is_identity(digits) => Kind::Identity,
        16 | 19 if is_card(digits) => Kind::Card,
        _ => return None,
    };
    Some((range, kind))
}

fn is_mobile(digits: &str) -> bool {
    let mut digits = digits.chars();
    digits.next() == Some('1') && matches!(digits.next(), Some('3'..='9'))
}

/// Eighteen signs with a day of birth and a check digit.
fn is_identity(text: &str) -> bool {
    let day = text.get(6..14).and_then(|day| {
        let number = |range| day.get(range).and_then(|part: &str| part.parse().ok());
        let (year, month, day) = (day.get(..4)?.parse().ok()?, number(4..6)?, number(6..8)?);
        Date::new(year, month, day).ok()
    });
    let is_day = day.is_some_and(|day| (1900..=2100).contains(&day.year()));
    let digits = text.chars().map_while(|c| c.to_digit(10));
    let sum: u32 = digits.zip(WEIGHTS).map(|(digit, weight)| digit * weight).sum();
    let wanted = CHECKS.get(sum as usize % 11);
    let last = text.chars().next_back().map(|last| last.to_ascii_uppercase());
    is_day && !text.starts_with('0') && last.as_ref() == wanted
}

/// Issued by a known network, with the check digit of Luhn.
fn is_card(digits: &str) -> bool {
    let known = ["62", "4", "51", "52", "53", "54", "55"].iter().any(|start| digits.starts_with(start));
    let sum: u32 = digits
        .chars()
        .rev()
        .filter_map(|c| c.to_digit(10))
        .zip([false, true].into_iter().cycle())
        .map(|(digit, double)| {
            let value = if double { digit * 2 } else { digit };
            value / 10 + value % 10
        })
        .sum();
    known && sum.is_multiple_of(10)
}

/// Five equal digits, or five rising ones, in a row.
fn is_made_up(digits: &str) -> bool {
    let run = |step: u8| {
        let bytes = digits.as_bytes();
        let mut longest = 1;
        let mut now = 1;
        for pair in bytes.windows(2) {
            let [a, b] = pair else { continue };
            now = if a.wrapping_add(step) == *b { now + 1 } else { 1 };
            longest = longest.max(now);
        }
        longest >= 5
    };
    run(0) || run(1)
}

/// The address around the `@` at `at`, if it is a private one.
fn mail(text: &str, at: usize) -> Option<Range<usize>> {
    let is_part = |c: &char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-' | '+');
    let head: usize = text.get(..at)?.chars().rev().take_while(is_part).map(char::len_utf8).sum();
    let host: String = text.get(at + 1..)?.chars().take_while(is_part).collect();
    let host = host.trim_end_matches('.');
    let is_private = PRIVATE_MAIL.iter().any(|known| host.eq_ignore_ascii_case(known));
    (head > 0 && is_private).then(|| at - head..at + 1 + host.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kinds(text: &str) -> Vec<Kind> {
        found(text).into_iter().map(|(_, kind)| kind).collect()
    }

    #[test]
    fn numbers_of_people_are_known_by_their_check_digits() {
        assert_eq!(kinds("id 11010519491231002X."), [Kind::Identity]);
        assert_eq!(kinds("id 110105194912310021"), [], "the check digit is wrong");
        assert_eq!(kinds("pay 4539578763621486"), [Kind::Card]);
        assert_eq!(kinds("pay 4539578763621487"), []);
        assert_eq!(kinds("call 13912845067 now"), [Kind::Mobile]);
        assert_eq!(kinds("li.wei@qq.com, cards@bank.example"), [Kind::Mail]);
    }

    #[test]
    fn what_is_made_up_and_what_is_no_number_is_left_alone() {
        for text in [
            "13800000000",
            "txn-13912845067",
            "13912345678",
            "2_13912845067",
            "139128450678",
            "1.13912845067",
        ] {
            assert_eq!(kinds(text), [], "{text}");
        }
    }
}
