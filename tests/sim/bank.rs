//! The bank that is simulated: its schema, its journeys in two versions, and what its customers do.

use std::sync::OnceLock;

use wayfare::compile::{File, Input, compile};
use wayfare::program::Bundle;

const JOURNEYS: &str = include_str!("bank.journey");

/// Journeys whose purpose is marketing: what they send needs a consent.
pub(crate) const MARKETING: [&str; 2] = ["ladder", "preapproved"];

/// Points of a day, and pieces of a reward in a week: what `bank.journey` allows one customer.
pub(crate) const STARS_PER_DAY: i64 = 50;
pub(crate) const COFFEES_PER_WEEK: i64 = 2;

/// Journeys of customers whose story nothing but their own events may change.
pub(crate) const CALM: &str = "calm";

/// The bundle of a version: the second waits otherwise.
pub(crate) fn bundle(version: usize) -> &'static Bundle {
    static BUNDLES: OnceLock<[Bundle; 2]> = OnceLock::new();
    &BUNDLES.get_or_init(|| [compiled("2 days"), compiled("26h")])[version % 2]
}

fn compiled(wait: &str) -> Bundle {
    let text = JOURNEYS.replace("WAIT", wait);
    let file = File { path: "bank.journey".into(), package: "".into(), text: text.into() };
    let compilation = compile(&Input { files: vec![file], ..Input::default() });
    let findings: Vec<String> = compilation
        .diagnostics
        .iter()
        .map(|finding| format!("{} {:?} {}", finding.code.as_str(), finding.primary.span, finding.headline))
        .collect();
    compilation.bundle.unwrap_or_else(|| panic!("{findings:#?}"))
}
