//! What was found before a project took the rules on: a file of fingerprints, so that only what is new is told.
//!
//! Rules that nobody can waive, and mistakes of the language, are never taken into it.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::registry;
use crate::diagnostic::Diagnostic;
use crate::diagnostic::render::fingerprint::fingerprints;
use crate::text::Sources;

const VERSION: u32 = 1;

/// Findings that are known.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Baseline {
    version: u32,
    findings: Vec<Known>,
}

/// One of them. Only the fingerprint counts; the rest is for who reads the file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Known {
    rule: String,
    path: String,
    headline: String,
    fingerprint: String,
}

/// What a baseline leaves.
#[derive(Debug, Default)]
pub struct Left {
    pub told: Vec<Diagnostic>,
    /// How many were known.
    pub known: usize,
    /// How many of the baseline are no longer found.
    pub gone: usize,
}

impl Baseline {
    /// The findings that may be set aside.
    #[must_use]
    pub fn of(found: &[Diagnostic], sources: &Sources) -> Self {
        let kept = found.iter().zip(fingerprints(found, sources)).filter(|(finding, _)| may_wait(finding));
        let findings = kept.map(|(finding, fingerprint)| Known {
            rule: finding.code.to_string(),
            path: sources.place(finding.primary.span).0.to_string(),
            headline: finding.headline.clone(),
            fingerprint,
        });
        Self { version: VERSION, findings: findings.collect() }
    }

    /// Reads a file.
    ///
    /// # Errors
    /// What is not a baseline, as a reason for people.
    pub fn read(text: &str) -> Result<Self, String> {
        let read: Self = serde_json::from_str(text).map_err(|error| error.to_string())?;
        if read.version == VERSION { Ok(read) } else { Err(format!("it is of version {}", read.version)) }
    }

    /// As a file, one finding after the other.
    #[must_use]
    pub fn text(&self) -> String {
        serde_json::to_string_pretty(self).map(|text| text + "\n").unwrap_or_default()
    }

    #[must_use]
    pub fn len(&self) -> usize {
        self.findings.len()
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.findings.is_empty()
    }

    /// Takes out what is known.
    #[must_use]
    pub fn leave(&self, found: Vec<Diagnostic>, sources: &Sources) -> Left {
        let mut open: BTreeSet<&str> = self.findings.iter().map(|known| &*known.fingerprint).collect();
        let prints = fingerprints(&found, sources);
        let mut left = Left::default();
        for (finding, print) in found.into_iter().zip(prints) {
            if may_wait(&finding) && open.remove(&*print) {
                left.known += 1;
            } else {
                left.told.push(finding);
            }
        }
        left.gone = open.len();
        left
    }
}

fn may_wait(finding: &Diagnostic) -> bool {
    registry::find(finding.code.as_str()).is_some_and(|rule| !rule.firm)
}
