//! Phrases that somebody else lists: those that a bank's policy forbids.

use std::ops::Range;

use aho_corasick::{AhoCorasick, MatchKind};

use super::{covered, folded, stands_alone};

/// What is looked for, and what is allowed though it is in it.
pub struct Phrases {
    machine: AhoCorasick,
    /// As they were written, and whether it is allowed.
    entries: Vec<(String, bool)>,
}

impl Phrases {
    /// `None` if the lists are larger than an automaton can be.
    pub fn new<'p>(
        phrases: impl IntoIterator<Item = &'p str>,
        allowed: impl IntoIterator<Item = &'p str>,
    ) -> Option<Self> {
        let phrases = phrases.into_iter().map(|phrase| (phrase.to_owned(), false));
        let allowed = allowed.into_iter().map(|phrase| (phrase.to_owned(), true));
        let entries: Vec<(String, bool)> = phrases.chain(allowed).collect();
        let machine = AhoCorasick::builder()
            .match_kind(MatchKind::Standard)
            .ascii_case_insensitive(true)
            .build(entries.iter().map(|(phrase, _)| folded(phrase)))
            .ok()?;
        Some(Self { machine, entries })
    }

    /// The phrases in `text`, which is [`folded`], in its order; of two in the same place the longer one.
    #[must_use]
    pub fn hits(&self, text: &str) -> Vec<(Range<usize>, &str)> {
        let (mut found, mut allowed) = (Vec::new(), Vec::new());
        for at in self.machine.find_overlapping_iter(text).filter(|at| stands_alone(text, at.range())) {
            match self.entries.get(at.pattern().as_usize()) {
                Some((_, true)) => allowed.push(at.range()),
                Some((phrase, false)) => found.push((at.range(), &**phrase)),
                None => {}
            }
        }
        found.retain(|(range, _)| !covered(range, &allowed));
        let ranges: Vec<Range<usize>> = found.iter().map(|(range, _)| range.clone()).collect();
        found.retain(|(range, _)| !ranges.iter().any(|other| other != range && covered(range, [other])));
        found.sort_by_key(|(range, _)| range.start);
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_allowed_is_no_hit_and_the_longer_phrase_is_told() {
        let phrases = Phrases::new(["第一", "内部渠道", "渠道", "gain"], ["第一次"]).unwrap();
        let found = |text: &str| {
            let text = folded(text);
            phrases.hits(&text).into_iter().map(|(_, phrase)| phrase.to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(found("第一次办理，服务第 一"), ["第一"]);
        assert_eq!(found("内部渠道名额"), ["内部渠道"]);
        assert_eq!(found("Ｇａｉｎ now, again"), ["gain"]);
        assert_eq!(found("欢迎参加"), [""; 0]);
    }
}
