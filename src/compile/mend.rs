//! Doing the fixes of findings, until nothing is left to do.
//!
//! INVARIANT: a fix is kept only if the project compiled with it has no error that it did not have before, and the
//! finding that offered the fix is gone. Where several fixes do not pass together, each half is tried by itself.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::{Compilation, Input, compile};
use crate::diagnostic::fix::{apply, in_conflict};
use crate::diagnostic::{Code, Diagnostic, Edit, Fix, Severity};

/// One fix may lay open another. Nobody writes mistakes nested deeper than this.
const ROUNDS: usize = 20;

/// What may be done.
#[derive(Clone, Debug)]
pub struct Request {
    /// Also fixes that decide something for the user.
    pub suggested: bool,
    /// The paths of the files that may be changed.
    pub files: BTreeSet<Arc<str>>,
}

/// What was done.
#[derive(Debug)]
pub struct Mended {
    /// The project with its new texts.
    pub input: Input,
    /// Of the new texts.
    pub compilation: Compilation,
    /// In the order in which they were done.
    pub fixed: Vec<Fixed>,
}

/// One finding that is no more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fixed {
    pub path: Arc<str>,
    /// The line it was on when it was mended, from 1.
    pub line: u32,
    pub code: Code,
    pub title: String,
}

/// Does the fixes that `request` allows.
#[must_use]
pub fn mend(input: Input, request: &Request) -> Mended {
    let mut compilation = compile(&input);
    let mut mended = Mended { input, compilation: Compilation::default(), fixed: Vec::new() };
    let mut refused = BTreeSet::new();
    for _ in 0..ROUNDS {
        let wanted = wanted(&compilation, request, &refused);
        if wanted.is_empty() {
            break;
        }
        let mut round = Round { input: &mended.input, before: &compilation, kept: Vec::new(), after: None };
        round.attempt(&wanted);
        let Round { kept, after, .. } = round;
        let is_kept = |offer: &&Offer| kept.iter().any(|one| std::ptr::eq(one.finding, offer.finding));
        refused.extend(wanted.iter().filter(|offer| !is_kept(offer)).map(Offer::key));
        mended.fixed.extend(kept.iter().map(|offer| offer.done(&compilation)));
        if let Some((input, new)) = after {
            mended.input = input;
            compilation = new;
        }
    }
    mended.compilation = compilation;
    mended
}

/// What a finding is recognised by after its place has moved.
type Key = (Arc<str>, &'static str, String);

/// A finding of a file that may be changed, with its fix.
#[derive(Clone)]
struct Offer<'c> {
    path: Arc<str>,
    finding: &'c Diagnostic,
    fix: &'c Fix,
}

impl Offer<'_> {
    fn key(&self) -> Key {
        key(&self.path, self.finding)
    }

    fn done(&self, compilation: &Compilation) -> Fixed {
        let (path, line) = compilation.sources.place(self.finding.primary.span);
        Fixed { path, line, code: self.finding.code, title: self.fix.title.clone() }
    }
}

fn key(path: &Arc<str>, finding: &Diagnostic) -> Key {
    (path.clone(), finding.code.as_str(), finding.headline.clone())
}

/// The fixes to try together: allowed, not refused before, none in conflict with an earlier one.
fn wanted<'c>(compilation: &'c Compilation, request: &Request, refused: &BTreeSet<Key>) -> Vec<Offer<'c>> {
    let mut chosen: Vec<Offer<'c>> = Vec::new();
    for finding in &compilation.diagnostics {
        let Some(fix) = finding.fix.as_ref().filter(|fix| fix.safe || request.suggested) else { continue };
        let (path, _) = compilation.sources.place(finding.primary.span);
        let here = fix.edits.iter().all(|edit| edit.span.file == finding.primary.span.file);
        let offer = Offer { path, finding, fix };
        let free = |edit: &Edit| {
            chosen.iter().flat_map(|other| &other.fix.edits).all(|other| !in_conflict(edit, other))
        };
        if here
            && request.files.contains(&offer.path)
            && !refused.contains(&offer.key())
            && fix.edits.iter().all(free)
        {
            chosen.push(offer);
        }
    }
    chosen
}

struct Round<'c> {
    input: &'c Input,
    before: &'c Compilation,
    /// The fixes that passed so far, together.
    kept: Vec<Offer<'c>>,
    /// The project with them.
    after: Option<(Input, Compilation)>,
}

impl<'c> Round<'c> {
    /// Keeps `offers` if they pass with all that is kept already; else tries each half.
    fn attempt(&mut self, offers: &[Offer<'c>]) {
        let together: Vec<Offer<'c>> = self.kept.iter().chain(offers).cloned().collect();
        let input = self.with(&together);
        let after = compile(&input);
        if passes(self.before, &after, &together) {
            self.kept = together;
            self.after = Some((input, after));
        } else if offers.len() > 1 {
            let (first, second) = offers.split_at(offers.len() / 2);
            self.attempt(first);
            self.attempt(second);
        }
    }

    fn with(&self, offers: &[Offer]) -> Input {
        let mut input = self.input.clone();
        for file in &mut input.files {
            let mut edits = offers
                .iter()
                .filter(|offer| offer.path == file.path)
                .flat_map(|offer| &offer.fix.edits)
                .peekable();
            if edits.peek().is_some() {
                file.text = apply(&file.text, edits).into();
            }
        }
        input
    }
}

fn passes(before: &Compilation, after: &Compilation, offers: &[Offer]) -> bool {
    let old = tally(before, |_| true);
    let new = tally(after, |_| true);
    let errors = tally(after, |finding| finding.severity == Severity::Error);
    let count = |tally: &BTreeMap<Key, usize>, key: &Key| tally.get(key).copied().unwrap_or_default();
    errors.iter().all(|(key, number)| *number <= count(&old, key))
        && offers.iter().map(Offer::key).all(|key| count(&new, &key) < count(&old, &key))
}

fn tally(compilation: &Compilation, of: impl Fn(&Diagnostic) -> bool) -> BTreeMap<Key, usize> {
    let mut tally = BTreeMap::new();
    for finding in compilation.diagnostics.iter().filter(|finding| of(finding)) {
        let (path, _) = compilation.sources.place(finding.primary.span);
        *tally.entry(key(&path, finding)).or_default() += 1;
    }
    tally
}

#[cfg(test)]
mod tests;
