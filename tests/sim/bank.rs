//! The bank that is simulated: its schema, its journeys in two versions, and what its customers do.

use std::sync::OnceLock;

use jiff::SignedDuration;
use jiff::civil::{Time, time};
use wayfare::compile::{File, Input, compile};
use wayfare::program::Bundle;

use super::flaws::Flaw;

const JOURNEYS: &str = include_str!("bank.journey");

/// Journeys whose purpose is marketing: what they send needs a consent.
pub(crate) const MARKETING: [&str; 2] = ["ladder", "preapproved"];

/// Journeys whose messages neither a quiet time nor a cap of a channel holds up.
pub(crate) const URGENT: [&str; 1] = ["code"];

/// What the policy of `bank.journey` allows one customer: texts of a day, marketing in any seven days.
pub(crate) const TEXTS_PER_DAY: usize = 2;
pub(crate) const MARKETING_PER_WEEK: usize = 3;
/// The tag behind which nothing of marketing is said.
pub(crate) const SUPPRESSING: &str = "quiet";

/// Whether it is quiet at this time of the day.
pub(crate) fn is_quiet(at: Time) -> bool {
    at >= time(21, 30, 0, 0) || at < time(8, 30, 0, 0)
}

/// What a channel sends in so many seconds, at most, as `bank.journey` says.
pub(crate) const RATES: [(&str, usize, i64); 2] = [("push", 6, 60), ("sms", 2, 60)];

/// How soon after `tapped` a card is bound, and how late that may be heard.
pub(crate) const BOUND_WITHIN: SignedDuration = SignedDuration::from_mins(3);
pub(crate) const BOUND_LATE: SignedDuration = SignedDuration::from_mins(5);

/// Points of a day, and pieces of a reward in a week: what `bank.journey` allows one customer.
pub(crate) const STARS_PER_DAY: i64 = 50;
pub(crate) const COFFEES_PER_WEEK: i64 = 2;

/// Mugs that there are for all customers.
pub(crate) const MUGS: i64 = 9;

/// Cups that the wheel has for all customers.
pub(crate) const CUPS: i64 = 4;

/// Journeys of customers whose story nothing but their own events may change.
pub(crate) const CALM: &str = "calm";

/// The bundle of a version: the second waits otherwise.
pub(crate) fn bundle(version: usize) -> &'static Bundle {
    static BUNDLES: OnceLock<[Bundle; 2]> = OnceLock::new();
    &BUNDLES.get_or_init(|| [0, 1].map(|version| compiled(JOURNEYS, version)))[version % 2]
}

/// The same with a flaw in it.
pub(crate) fn flawed(version: usize, flaw: Flaw) -> Bundle {
    compiled(&flaw.deployed(version, JOURNEYS), version)
}

fn compiled(journeys: &str, version: usize) -> Bundle {
    let text = journeys.replace("WAIT", if version.is_multiple_of(2) { "2 days" } else { "26h" });
    let file = File { path: "bank.journey".into(), package: "".into(), text: text.into() };
    let compilation = compile(&Input { files: vec![file], ..Input::default() });
    let findings: Vec<String> = compilation
        .diagnostics
        .iter()
        .map(|finding| format!("{} {:?} {}", finding.code.as_str(), finding.primary.span, finding.headline))
        .collect();
    compilation.bundle.unwrap_or_else(|| panic!("{findings:#?}"))
}
