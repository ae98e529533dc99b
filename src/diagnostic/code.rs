//! The registry of codes. A code is never reused and never changes its meaning.
//!
//! `E01xx` syntax, `E02xx` names, `E03xx` types, `E04xx` journeys and graphs, `E05xx` projects and files,
//! `W....` warnings, `R....` refusals of the running daemon. Each has a page in `codes/`, which is the text of
//! `wayfare explain CODE`.

use super::Severity;
use super::suggest::nearest;

/// A stable code of the registry.
#[derive(Clone, Copy)]
pub struct Code(&'static Entry);

/// What is known of a code.
pub struct Entry {
    pub code: &'static str,
    /// What it is about, in a few words.
    pub title: &'static str,
    /// Markdown: what it does, why it is bad, a bad and a good example.
    pub page: &'static str,
}

macro_rules! codes {
    ($($name:ident = $code:literal, $title:literal;)*) => {
        $(
            #[doc = $title]
            pub const $name: Code = Code(&Entry {
                code: $code,
                title: $title,
                page: include_str!(concat!("codes/", $code, ".md")),
            });
        )*
        /// Every code, in the order of the registry.
        pub const ALL: &[Code] = &[$($name),*];
    };
}

codes! {
    UNEXPECTED = "E0101", "something else was expected here";
}

impl Code {
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.0.code
    }

    #[must_use]
    pub fn title(self) -> &'static str {
        self.0.title
    }

    #[must_use]
    pub fn page(self) -> &'static str {
        self.0.page
    }

    /// Errors and refusals begin with `E` and `R`; the rest are warnings.
    #[must_use]
    pub fn severity(self) -> Severity {
        if self.0.code.starts_with('W') { Severity::Warning } else { Severity::Error }
    }

    /// The code spelled `text`, whatever its case.
    #[must_use]
    pub fn find(text: &str) -> Option<Self> {
        ALL.iter().copied().find(|code| code.as_str().eq_ignore_ascii_case(text))
    }

    /// The code whose spelling is nearest to `text`, for "did you mean".
    #[must_use]
    pub fn nearest(text: &str) -> Option<Self> {
        nearest(text, ALL.iter().map(|code| code.as_str())).and_then(Self::find)
    }
}

impl PartialEq for Code {
    fn eq(&self, other: &Self) -> bool {
        self.0.code == other.0.code
    }
}

impl Eq for Code {}

impl std::fmt::Debug for Code {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.0.code)
    }
}

impl std::fmt::Display for Code {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.0.code)
    }
}
