//! Wording: phrases of Chinese and English copy, looked for all at once, and read with what stands around them.
//!
//! Reading order: [`lists`] (what is looked for), [`Lexicon`] (one automaton over all of it, built once), [`polarity`]
//! (whether the sentence says it or denies it), [`phrases`] (what a policy of the bank lists). What a hole prints comes from typed data and is never matched.

pub mod lists;
pub mod phrases;
pub mod polarity;

use std::ops::Range;
use std::sync::LazyLock;

use aho_corasick::{AhoCorasick, MatchKind};
use unicode_normalization::UnicodeNormalization;

pub use lists::List;
pub use phrases::Phrases;
pub use polarity::Verdict;

/// What a hole of a copy is in the text that is searched.
pub const HOLE: char = '\u{FFFC}';

/// A phrase in a text.
#[derive(Clone, Debug)]
pub struct Hit {
    pub list: List,
    /// As in the list.
    pub entry: &'static str,
    /// Bytes of the folded text.
    pub range: Range<usize>,
    pub verdict: Verdict,
}

/// Everything that is looked for.
pub struct Lexicon {
    machine: AhoCorasick,
    entries: Vec<(List, &'static str)>,
}

static LEXICON: LazyLock<Option<Lexicon>> = LazyLock::new(Lexicon::new);

impl Lexicon {
    /// `None` only if the lists were larger than an automaton can be.
    fn new() -> Option<Self> {
        let words = |(list, all): &(List, &'static str)| {
            let list = *list;
            all.split('|').filter(|word| !word.is_empty()).map(move |word| (list, word))
        };
        let entries: Vec<(List, &'static str)> = lists::ALL.iter().flat_map(words).collect();
        let machine = AhoCorasick::builder()
            .match_kind(MatchKind::Standard)
            .ascii_case_insensitive(true)
            .build(entries.iter().map(|(_, word)| *word))
            .ok()?;
        Some(Self { machine, entries })
    }

    fn hits(&self, text: &str) -> Vec<Hit> {
        let mut found: Vec<Hit> = Vec::new();
        for at in self.machine.find_overlapping_iter(text) {
            let Some((list, entry)) = self.entries.get(at.pattern().as_usize()) else { continue };
            if stands_alone(text, at.range()) {
                found.push(Hit { list: *list, entry, range: at.range(), verdict: Verdict::Said });
            }
        }
        let harmless: Vec<Range<usize>> =
            found.iter().filter(|hit| hit.list == List::Harmless).map(|hit| hit.range.clone()).collect();
        found.retain(|hit| hit.list != List::Harmless && !covered(&hit.range, &harmless));
        // Of two phrases of a list in the same place the longer one is told.
        let all = found.clone();
        let inside = |hit: &Hit| {
            all.iter().any(|other| {
                other.list == hit.list && other.range != hit.range && covered(&hit.range, [&other.range])
            })
        };
        found.retain(|hit| !inside(hit));
        let ranges: Vec<Range<usize>> = found.iter().map(|hit| hit.range.clone()).collect();
        for hit in &mut found {
            hit.verdict = polarity::of(text, &hit.range, &ranges);
        }
        found.sort_by_key(|hit| (hit.range.start, hit.list));
        found
    }
}

/// Every phrase of any list in `text`, which is [`folded`], in the order of the text.
#[must_use]
pub fn hits(text: &str) -> Vec<Hit> {
    LEXICON.as_ref().map(|lexicon| lexicon.hits(text)).unwrap_or_default()
}

/// Whether `text`, which is [`folded`], has a phrase of `list`, denied or not.
#[must_use]
pub fn has(text: &str, list: List) -> bool {
    hits(text).iter().any(|hit| hit.list == list)
}

/// The text as it is searched: full-width signs as narrow ones, no blanks between Chinese characters (`保 本`).
#[must_use]
pub fn folded(text: &str) -> String {
    // Normal forms cost more than all that is looked for, and hardly any copy needs them.
    if text.chars().all(|c| narrowed(c).is_some()) {
        together(text.chars().filter_map(narrowed), text.len())
    } else {
        together(text.nfkc(), text.len())
    }
}

/// What the normal form NFKC makes of a sign whatever stands beside it, for the signs of usual copies.
fn narrowed(c: char) -> Option<char> {
    match c {
        '\0'..='\u{7F}' | '\u{4E00}'..='\u{9FFF}' | '、' | '。' | '《'..='】' | '“' | '”' | '—' | HOLE => {
            Some(c)
        }
        '\u{3000}' => Some(' '),
        '\u{FF01}'..='\u{FF5E}' => char::from_u32(u32::from(c) - 0xFEE0),
        _ => None,
    }
}

fn together(text: impl Iterator<Item = char>, length: usize) -> String {
    let mut out = String::with_capacity(length);
    let mut blanks = String::new();
    for c in text {
        if c.is_whitespace() && c != '\n' {
            blanks.push(' ');
            continue;
        }
        let between = out.chars().next_back().is_some_and(is_han) && is_han(c);
        if !between {
            out.push_str(&blanks);
        }
        blanks.clear();
        out.push(c);
    }
    out
}

/// Whether it is a character of Chinese.
#[must_use]
pub fn is_han(c: char) -> bool {
    matches!(c, '\u{3400}'..='\u{9FFF}' | '\u{F900}'..='\u{FAFF}')
}

/// Whether one of `by` has all of `range` in it.
fn covered<'r>(range: &Range<usize>, by: impl IntoIterator<Item = &'r Range<usize>>) -> bool {
    by.into_iter().any(|by| by.start <= range.start && range.end <= by.end)
}

/// An English phrase is a word of its own, not the middle of another.
fn stands_alone(text: &str, range: Range<usize>) -> bool {
    let is_letter = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric());
    let inside = text.get(range.clone()).unwrap_or_default();
    let before = text.get(..range.start).and_then(|text| text.chars().next_back());
    let behind = text.get(range.end..).and_then(|text| text.chars().next());
    let starts = is_letter(inside.chars().next()) && is_letter(before);
    let ends = is_letter(inside.chars().next_back()) && is_letter(behind);
    !starts && !ends
}

#[cfg(test)]
mod tests;
