//! All rules, in the order of their ids, and those that nothing can look at yet.

use super::rule::Rule;
use super::{
    chan, claim, consent, content, data, fair, freq, house, ops, optout, privacy, prize, quiet, reward, suit,
};
use crate::diagnostic::suggest;

/// Every rule that is checked.
pub static ALL: &[&Rule] = &[
    &chan::port::RULE,
    &chan::wechat::RULE,
    &chan::popups::RULE,
    &chan::links::RULE,
    &chan::script::RULE,
    &chan::machine::RULE,
    &chan::register::RULE,
    &claim::promise::RULE,
    &claim::superlative::RULE,
    &claim::lure::RULE,
    &claim::warning::RULE,
    &claim::rate::RULE,
    &claim::yearly_cost::RULE,
    &claim::debt::RULE,
    &claim::deposit::RULE,
    &claim::witness::RULE,
    &claim::config::RULE,
    &claim::pension::RULE,
    &consent::absent::RULE,
    &consent::other::RULE,
    &consent::early::RULE,
    &consent::profile::RULE,
    &consent::form::RULE,
    &consent::drift::RULE,
    &consent::laundering::RULE,
    &content::disclosed::RULE,
    &data::borders::RULE,
    &data::literals::RULE,
    &fair::protected::RULE,
    &fair::device::RULE,
    &fair::young::RULE,
    &fair::arms::RULE,
    &freq::windows::RULE,
    &freq::circle::RULE,
    &freq::again::RULE,
    &freq::spray::RULE,
    &house::never::RULE,
    &house::words::RULE,
    &ops::approved::RULE,
    &ops::review::RULE,
    &optout::way_out::RULE,
    &optout::heard::RULE,
    &optout::slow::RULE,
    &optout::win_back::RULE,
    &privacy::sensitive::RULE,
    &privacy::others::RULE,
    &privacy::leak::RULE,
    &prize::rules::RULE,
    &prize::highest::RULE,
    &prize::change::RULE,
    &prize::honest::RULE,
    &quiet::wakes::RULE,
    &quiet::zone::RULE,
    &quiet::offer::RULE,
    &reward::deposit::RULE,
    &reward::investment::RULE,
    &reward::worst::RULE,
    &reward::lasts::RULE,
    &reward::levels::RULE,
    &suit::bears::RULE,
    &suit::old::RULE,
    &suit::market::RULE,
    &suit::coaching::RULE,
    &suit::recorded::RULE,
    &suit::need::RULE,
];

/// A rule that is known and not checked.
#[derive(Clone, Copy, Debug)]
pub struct Missing {
    pub id: &'static str,
    pub title: &'static str,
    /// What the language, or the compiler, would have to have: a sentence behind "as".
    pub lacks: &'static str,
}

const fn missing(id: &'static str, title: &'static str, lacks: &'static str) -> Missing {
    Missing { id, title, lacks }
}

/// Every rule that is not.
pub const MISSING: &[Missing] = &[missing(
    "CONSENT-005",
    "no significant decision by a machine alone",
    "journeys do not decide prices, limits or refusals",
)];

/// The rule called `id`, in any case.
#[must_use]
pub fn find(id: &str) -> Option<&'static Rule> {
    ALL.iter().copied().find(|rule| rule.id().eq_ignore_ascii_case(id))
}

/// The rule that is not checked and called `id`.
#[must_use]
pub fn lacking(id: &str) -> Option<&'static Missing> {
    MISSING.iter().find(|one| one.id.eq_ignore_ascii_case(id))
}

/// The rule whose id is spelled nearly so.
#[must_use]
pub fn nearest(id: &str) -> Option<&'static Rule> {
    suggest::nearest(&id.to_uppercase(), ALL.iter().map(|rule| rule.id())).and_then(find)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// Of the table of rules: how many there are under each letters. `HOUSE` is not of the table: what policies forbid.
    const TABLE: [(&str, usize); 15] = [
        ("CONSENT", 8),
        ("OPTOUT", 4),
        ("QUIET", 3),
        ("FREQ", 4),
        ("CLAIM", 11),
        ("SUIT", 6),
        ("FAIR", 4),
        ("PRIZE", 4),
        ("REWARD", 5),
        ("PRIV", 3),
        ("DATA", 2),
        ("CHAN", 7),
        ("CONTENT", 1),
        ("OPS", 2),
        ("HOUSE", 2),
    ];

    #[test]
    fn every_rule_of_the_table_is_checked_or_listed_with_what_it_lacks() {
        let ids = ALL.iter().map(|rule| rule.id()).chain(MISSING.iter().map(|one| one.id));
        let ids: Vec<&str> = ids.collect();
        let table =
            TABLE.iter().flat_map(|(word, count)| (1..=*count).map(move |nth| format!("{word}-{nth:03}")));
        assert_eq!(ids.iter().map(|id| (*id).to_owned()).collect::<BTreeSet<_>>(), table.collect());
        assert_eq!(ids.len(), 66, "none is both");
        assert!(ALL.is_sorted_by_key(|rule| rule.id()) && MISSING.is_sorted_by_key(|one| one.id));
    }

    #[test]
    fn every_rule_says_where_it_holds_and_why() {
        for rule in ALL {
            let id = rule.id();
            assert!(!rule.packs.is_empty() && !rule.basis.is_empty() && !rule.reads.is_empty(), "{id}");
            let worst = rule.packs.iter().map(|one| one.severity).min();
            assert_eq!(worst, Some(rule.entry.severity), "{id}: the hardest of its packs");
            assert!(!rule.entry.title.starts_with(char::is_uppercase), "{id}");
        }
    }
}
