//! What a rule tells, and what it is told of: waivers ask for the journey or content.

use jiff::civil::Date;

use super::rule::{Held, Rule};
use crate::diagnostic::{Diagnostic, Severity};
use crate::name::Name;
use crate::text::Span;

/// One finding, before waivers.
#[derive(Clone, Debug)]
pub struct Found {
    pub rule: &'static Rule,
    pub diagnostic: Diagnostic,
    /// The journey, content or reward; a waiver of any of them excuses it.
    pub about: Vec<Name>,
    /// The steps of it, full identities: a waiver of one excuses it.
    pub steps: Vec<Name>,
}

impl std::fmt::Debug for Rule {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.id())
    }
}

/// Where a rule puts what it finds.
pub struct Out {
    rule: &'static Rule,
    held: Held,
    pub(super) found: Vec<Found>,
}

impl Out {
    pub(super) fn new(rule: &'static Rule, held: Held) -> Self {
        Self { rule, held, found: Vec::new() }
    }

    /// A finding as hard as the packs make it.
    #[must_use]
    pub fn at(&self, span: Span, headline: impl Into<String>) -> Diagnostic {
        let (Held::Now(severity) | Held::From(_, severity)) = self.held;
        Diagnostic { severity, ..Diagnostic::new(self.rule.code(), span, headline) }
    }

    /// A finding that is no more than a warning, however hard the rule is.
    #[must_use]
    pub fn warn(&self, span: Span, headline: impl Into<String>) -> Diagnostic {
        self.at_most(Severity::Warning, span, headline)
    }

    /// Something that could not be decided.
    #[must_use]
    pub fn info(&self, span: Span, headline: impl Into<String>) -> Diagnostic {
        self.at_most(Severity::Info, span, headline)
    }

    fn at_most(&self, most: Severity, span: Span, headline: impl Into<String>) -> Diagnostic {
        let found = self.at(span, headline);
        Diagnostic { severity: found.severity.max(most), ..found }
    }

    /// Tells `diagnostic` of the journeys, contents or rewards `about`.
    pub fn push(&mut self, about: impl IntoIterator<Item = Name>, diagnostic: Diagnostic) {
        self.push_of(about, [], None, diagnostic);
    }

    /// The same, with the steps it is about, and the last day of what it is about: a rule that is not in force yet is
    /// told only of what lives to see it.
    pub fn push_of(
        &mut self,
        about: impl IntoIterator<Item = Name>,
        steps: impl IntoIterator<Item = Name>,
        last: Option<Date>,
        diagnostic: Diagnostic,
    ) {
        let diagnostic = match self.held {
            Held::Now(_) => diagnostic,
            Held::From(from, _) if last.is_some_and(|last| last < from) => return,
            Held::From(from, _) => {
                let severity = diagnostic.severity.max(Severity::Warning);
                let note = format!("the rule holds from {from} on, and this is still there then");
                Diagnostic { severity, ..diagnostic }.note(note)
            }
        };
        self.found.push(Found {
            rule: self.rule,
            diagnostic,
            about: about.into_iter().collect(),
            steps: steps.into_iter().collect(),
        });
    }
}
