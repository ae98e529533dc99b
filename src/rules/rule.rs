//! What is known of a rule besides its check: where and since when it holds, on which ground, for what.

use jiff::civil::Date;

use super::context::Context;
use super::finding::Out;
use super::pack::{Chosen, Pack};
use crate::diagnostic::code::Entry;
use crate::diagnostic::{Code, Severity};

/// A rule of compliance. Each has a file of its own, and a page that is also its test.
pub struct Rule {
    pub entry: Entry,
    /// Where it holds, how hard and since when.
    pub packs: &'static [In],
    /// What it rests on.
    pub basis: &'static [Basis],
    pub status: Status,
    /// No author's waiver excuses it.
    pub firm: bool,
    /// Classes of products that it is about; empty: any, and none.
    pub products: &'static [&'static str],
    /// Purposes that it is about; empty: all.
    pub purposes: &'static [&'static str],
    pub mend: Mend,
    /// What of the language it looks at, and what of the rule stays unseen.
    pub reads: &'static str,
    pub check: fn(&Context, &mut Out),
}

/// A rule in one pack.
#[derive(Clone, Copy, Debug)]
pub struct In {
    pub pack: Pack,
    pub severity: Severity,
    /// The first day; `None`: as long as anybody remembers.
    pub from: Option<Date>,
    /// The last day.
    pub to: Option<Date>,
}

/// One ground of a rule.
#[derive(Clone, Copy, Debug)]
pub struct Basis {
    pub text: &'static str,
    pub mark: Mark,
}

/// How sure the researchers were of a ground.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mark {
    /// The text itself was read.
    Primary,
    /// Confirmed by a page about it.
    Secondary,
    /// Known, and not confirmed: look it up before you quote it.
    Known,
    /// A rule of a platform.
    Platform,
    /// Practice, or the house's own rule.
    Practice,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    InForce,
    Pending,
    Platform,
    Practice,
    House,
}

/// How a finding can be mended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mend {
    /// The finding brings an edit.
    Edit,
    /// The finding says what to write.
    Words,
    /// Somebody has to decide.
    Nobody,
}

/// Whether a rule holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Held {
    Now(Severity),
    /// From this day on.
    From(Date, Severity),
}

impl Mark {
    /// As in the tables of sources: `[P]`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Primary => "[P]",
            Self::Secondary => "[W]",
            Self::Known => "[K]",
            Self::Platform => "[PLAT]",
            Self::Practice => "[PRAC]",
        }
    }

    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::Primary => "the text itself was read",
            Self::Secondary => "confirmed through a secondary page",
            Self::Known => "general knowledge, not confirmed: look it up before quoting it",
            Self::Platform => "policy of a platform",
            Self::Practice => "practice or house policy, not law",
        }
    }
}

impl Status {
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::InForce => "in_force",
            Self::Pending => "pending",
            Self::Platform => "platform",
            Self::Practice => "practice",
            Self::House => "house",
        }
    }
}

impl Mend {
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Edit => "automatic",
            Self::Words => "suggested",
            Self::Nobody => "none",
        }
    }
}

impl In {
    #[must_use]
    pub const fn error(pack: Pack) -> Self {
        Self { pack, severity: Severity::Error, from: None, to: None }
    }

    #[must_use]
    pub const fn warning(pack: Pack) -> Self {
        Self { pack, severity: Severity::Warning, from: None, to: None }
    }

    #[must_use]
    pub const fn info(pack: Pack) -> Self {
        Self { pack, severity: Severity::Info, from: None, to: None }
    }

    #[must_use]
    pub const fn from(self, from: Date) -> Self {
        Self { from: Some(from), ..self }
    }
}

impl Basis {
    #[must_use]
    pub const fn new(mark: Mark, text: &'static str) -> Self {
        Self { text, mark }
    }
}

impl Rule {
    #[must_use]
    pub fn id(&self) -> &'static str {
        self.entry.code
    }

    #[must_use]
    pub fn code(&'static self) -> Code {
        Code::of(&self.entry)
    }

    /// How long a waiver of it may hold, in days; `None`: there is none.
    #[must_use]
    pub fn longest_waiver(&self) -> Option<i32> {
        match (self.firm, self.entry.severity) {
            (true, _) => None,
            (false, Severity::Error) => Some(180),
            (false, _) => Some(365),
        }
    }

    /// Whether `chosen` holds a project to it. Of several packs the strictest counts.
    #[must_use]
    pub fn held(&self, chosen: &Chosen) -> Option<Held> {
        let packs = self.packs.iter().filter(|one| chosen.packs.contains(&one.pack));
        let open: Vec<&In> = packs.filter(|one| one.to.is_none_or(|to| to >= chosen.as_of)).collect();
        let is_now = |one: &&&In| one.from.is_none_or(|from| from <= chosen.as_of);
        // `Severity` is ordered from the worst.
        if let Some(severity) = open.iter().filter(is_now).map(|one| one.severity).min() {
            return Some(Held::Now(severity));
        }
        let first = open.iter().filter_map(|one| Some((one.from?, one.severity))).min()?;
        Some(Held::From(first.0, first.1))
    }
}

/// `rule! { CLAIM_001 = "CLAIM-001", Error, "a promise of return"; packs: …, basis: …, … }`: the rule of a file, whose
/// page is `src/rules/pages/CLAIM-001.md`. What is not said is as in [`plain`].
macro_rules! rule {
    ($name:ident = $id:literal, $severity:ident, $title:literal; $($field:ident: $value:expr),* $(,)?) => {
        pub(in crate::rules) static RULE: $crate::rules::rule::Rule = $crate::rules::rule::Rule {
            $($field: $value,)*
            ..$crate::rules::rule::plain($crate::diagnostic::code::Entry {
                code: $id,
                name: stringify!($name),
                title: $title,
                page: include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/src/rules/pages/", $id, ".md")),
                severity: $crate::diagnostic::Severity::$severity,
            })
        };
    };
}
pub(super) use rule;

/// A rule in force that may be waived, about everything, and mended by words.
pub(super) const fn plain(entry: Entry) -> Rule {
    Rule {
        entry,
        packs: &[],
        basis: &[],
        status: Status::InForce,
        firm: false,
        products: &[],
        purposes: &[],
        mend: Mend::Words,
        reads: "",
        check: |_, _| (),
    }
}
