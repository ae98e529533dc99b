//! The word that heads a line: what may stand here, and what is misspelt.

use super::input::In;
use super::primitive::{P, missed};
use super::report;
use crate::diagnostic::{Diagnostic, Fix, code};
use crate::syntax::token::TokenKind;

/// The words that may head an item at one place of the grammar.
pub(super) struct Heads {
    /// What an item is called here: `a step`.
    pub(super) what: &'static str,
    pub(super) words: &'static [&'static [&'static str]],
}

impl Heads {
    fn all(&self) -> impl Iterator<Item = &'static str> {
        self.words.iter().flat_map(|table| table.iter().copied())
    }
}

/// The heading word at `i`, corrected if it is plainly misspelt (which is reported). Fails, reported, if the item
/// cannot be read: no word, or an unknown one.
pub(super) fn heading<'a>(i: In<'a>, heads: &Heads) -> P<'a, &'a str> {
    let word = i.word();
    if heads.words.iter().any(|table| table.contains(&word)) {
        return Ok((i, word));
    }
    match suggestion(word, heads.all()).filter(|_| i.kind() == TokenKind::Name) {
        Some(meant) => misspelt(i, heads, meant),
        None => unknown(i, heads),
    }
}

fn misspelt<'a>(i: In<'a>, heads: &Heads, meant: &'static str) -> P<'a, &'a str> {
    let finding =
        Diagnostic::new(code::UNKNOWN_WORD, i.span(), format!("`{}` is not {}", i.word(), heads.what))
            .help(format!("did you mean `{meant}`?"))
            .with_fix(Fix::suggested(format!("write `{meant}`")).replace(i.span(), meant));
    report::at(i, finding);
    Ok((i, meant))
}

fn unknown<'a>(i: In<'a>, heads: &Heads) -> P<'a, &'a str> {
    if i.kind() == TokenKind::Bad {
        return missed(i, heads.what);
    }
    let headline = match i.kind() {
        TokenKind::Name => format!("`{}` is not {}", i.word(), heads.what),
        _ => format!("expected {}, found {}", heads.what, report::found(i)),
    };
    let mut finding = Diagnostic::new(code::UNKNOWN_WORD, i.span(), headline);
    finding = match i.word() {
        "else" => finding.help("`else` stands on the line of the `}` before it: `} else {`"),
        "on" => finding
            .label("a branch of the step above?")
            .also(i.last_span().after(), "then a `{` is missing here")
            .help(
                "branches stand in braces that open on the line of their step: `send … { on failed { … } }`",
            ),
        _ => finding.help(format!("here may stand: {}", listed(heads))),
    };
    report::at(i, finding);
    missed(i, heads.what)
}

fn listed(heads: &Heads) -> String {
    let words: Vec<String> = heads.words.concat().iter().map(|word| format!("`{word}`")).collect();
    words.join(", ")
}

/// The word most like `word`, if one is like enough to be meant.
pub(super) fn suggestion(word: &str, among: impl Iterator<Item = &'static str>) -> Option<&'static str> {
    let length = word.chars().count();
    let allowed = if length >= 6 { 2 } else { 1 };
    let near = among.map(|known| (strsim::osa_distance(word, known), known));
    let near = near.filter(|&(distance, known)| distance <= allowed && length >= 3 && known.len() >= 3);
    // Of two that are as far, the one that begins alike: `snd` is `send`, not `end`.
    let alike = |known: &str| strsim::jaro_winkler(word, known);
    near.min_by(|(a, x), (b, y)| a.cmp(b).then(alike(y).total_cmp(&alike(x))).then(x.cmp(y)))
        .map(|(_, known)| known)
}
