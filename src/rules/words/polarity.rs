//! Whether a sentence says a phrase or denies it: `保本` against `不承诺保本` and `谨防保本骗局`.
//!
//! From the phrase backwards, as long as there is nothing but words that carry a denial (`承诺`, `构成`, quotes, other
//! phrases of the lists), up to the end of the clause. Forwards only warnings count: `…都是骗局`. So `门槛不高，稳赚` and
//! `不仅保本` are said, and `不保本、不保证收益` is denied.

use std::ops::Range;

/// How a phrase is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    Said,
    /// By this word.
    Denied(&'static str),
    /// By this word: the text warns of those who say so.
    WarnedOf(&'static str),
}

/// As far as a denial reaches, in characters.
const REACH: usize = 16;
/// As far behind the phrase as a warning is looked for, in characters.
const AHEAD: usize = 14;

const DENIALS: [&str; 10] = ["不", "非", "未", "没有", "无法", "无意", "勿", "严禁", "禁止", "杜绝"];
const WARNINGS: [&str; 9] = ["警惕", "谨防", "防范", "远离", "拒绝", "识别", "轻信", "当心", "小心"];
const FRAUDS: [&str; 7] = ["骗局", "陷阱", "诈骗", "骗术", "套路", "违法", "非法"];
/// Signs between a denial and what it denies.
const CARRIERS: &str = "承诺保证确保障构成代表提供等于是属意味着具有存在任何的本金收益、或和及与对作做会得可应为该以实示现许宣传所谓类能要求您你向客户索让“”\"'‘’「」《》()";
const STOPS: &str = ",;.!?。;!?,\n:";

const ENGLISH_DENIALS: [&str; 14] = [
    "no", "not", "never", "without", "cannot", "can't", "isn't", "aren't", "doesn't", "don't", "won't",
    "neither", "nor", "non",
];
const ENGLISH_CARRIERS: [&str; 30] = [
    "a",
    "an",
    "the",
    "any",
    "be",
    "is",
    "are",
    "it",
    "this",
    "that",
    "do",
    "does",
    "offer",
    "offers",
    "provide",
    "provides",
    "constitute",
    "promise",
    "promises",
    "guarantee",
    "of",
    "or",
    "and",
    "as",
    "to",
    "considered",
    "product",
    "products",
    "such",
    "means",
];

/// How the phrase at `range` is meant; `hits` are the phrases of all lists in the text.
pub(super) fn of(text: &str, range: &Range<usize>, hits: &[Range<usize>]) -> Verdict {
    let before = text.get(..range.start).unwrap_or_default();
    let behind = text.get(range.end..).unwrap_or_default();
    denied(before, range.start, hits)
        .or_else(|| english(before))
        .or_else(|| fraud(behind))
        .unwrap_or(Verdict::Said)
}

fn denied(before: &str, end: usize, hits: &[Range<usize>]) -> Option<Verdict> {
    let mut at = end;
    for _ in 0..REACH {
        let head = before.get(..at)?;
        if let Some(word) = DENIALS.iter().find(|word| head.ends_with(*word)) {
            return Some(Verdict::Denied(word));
        }
        if let Some(word) = WARNINGS.iter().find(|word| head.ends_with(*word)) {
            return Some(Verdict::WarnedOf(word));
        }
        let last = head.chars().next_back()?;
        if CARRIERS.contains(last) {
            at -= last.len_utf8();
        } else {
            at = hits.iter().find(|hit| hit.end == at && hit.start < at)?.start;
        }
    }
    None
}

fn english(before: &str) -> Option<Verdict> {
    let clause = before.rsplit(|c| STOPS.contains(c)).next().unwrap_or_default();
    let mut words =
        clause.split(|c: char| c.is_whitespace() || c == '-').rev().filter(|word| !word.is_empty());
    for _ in 0..6 {
        let word = words.next()?.to_ascii_lowercase();
        if let Some(denial) = ENGLISH_DENIALS.iter().find(|denial| **denial == word) {
            return Some(Verdict::Denied(denial));
        }
        if !ENGLISH_CARRIERS.contains(&word.as_str()) {
            return None;
        }
    }
    None
}

/// `凡承诺保本的都是骗局`
fn fraud(behind: &str) -> Option<Verdict> {
    let sentence = behind.split(['。', '\n', '!']).next().unwrap_or_default();
    let near: String = sentence.chars().take(AHEAD).collect();
    FRAUDS.iter().find(|word| near.contains(*word)).map(|word| Verdict::WarnedOf(word))
}
