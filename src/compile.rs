//! The one driver of the compiler: from the texts of a project to a bundle and everything there is to say about it.
//!
//! Pure: files are read by [`crate::project`], and whoever has texts from elsewhere (tests, editors) calls
//! [`compile`] with them. A [`Session`] does the same for a project that is being edited, and looks again only at
//! what an edit can have changed. Nothing stops at the first mistake; there is a bundle exactly when there is no error.

mod echo;
mod session;
mod work;

mod calendars;
pub mod mend;

pub mod deployable;

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::civil::Date;

use self::work::{Work, has_errors};
use crate::diagnostic::Diagnostic;
use crate::graph::JourneyGraph;
use crate::model::Model;
use crate::model::check::Due;
use crate::name::Name;
use crate::program::Bundle;
use crate::rules::Chosen;
use crate::text::{FileId, Sources};

pub use self::session::Session;

/// A project as texts. The order of files changes nothing but the numbers in spans.
#[derive(Clone, Debug, Default)]
pub struct Input {
    pub files: Vec<File>,
    /// Texts of calendars and of trees of organisations, and of pictures what [`crate::model::check::asset::Asset`] says, by
    /// the path of the file that names them and the path written there.
    pub named: BTreeMap<(Arc<str>, Arc<str>), Arc<str>>,
    /// The day from which on people enter; without it nobody asks whether calendars reach far enough.
    pub today: Option<Date>,
    /// The rules of compliance that it is held to; without them nobody asks.
    pub rules: Option<Chosen>,
}

/// One journey file.
#[derive(Clone, Debug)]
pub struct File {
    /// As the user would type it.
    pub path: Arc<str>,
    /// The folder, dotted; empty for the top folder.
    pub package: Arc<str>,
    pub text: Arc<str>,
}

/// What comes of it.
#[derive(Clone, Debug, Default)]
pub struct Compilation {
    pub sources: Sources,
    /// All that is right.
    pub model: Model,
    /// Of [`compile`]: of the journeys that have no errors, by name.
    pub graphs: BTreeMap<Name, JourneyGraph>,
    /// Of [`compile`]: `None` exactly if there are errors.
    pub bundle: Option<Bundle>,
    /// Sorted by place.
    pub diagnostics: Vec<Diagnostic>,
    /// What was made on the way to it, so that whoever ends with the process need not free it.
    _work: Option<Arc<Work>>,
}

impl Compilation {
    #[must_use]
    pub fn has_errors(&self) -> bool {
        has_errors(&self.diagnostics)
    }
}

/// Compiles a whole project.
#[must_use]
pub fn compile(input: &Input) -> Compilation {
    let mut work = whole(input);
    let bundle = work.bundle();
    let graphs = work.shapes.graphs(work.memory.model());
    Compilation { graphs, bundle, ..found(&mut work) }
}

/// As [`compile`], for those who have no use for a bundle and graphs: it says the same, and makes neither.
#[must_use]
pub fn check(input: &Input) -> Compilation {
    let mut work = whole(input);
    let found = found(&mut work);
    Compilation { _work: Some(Arc::new(work)), ..found }
}

fn whole(input: &Input) -> Work {
    let mut work = Work::default();
    let files: Vec<(FileId, &File)> = (0..).map(FileId).zip(&input.files).collect();
    work.today = input.today;
    work.rules.clone_from(&input.rules);
    work.read(&files, &input.named);
    work.check(Due::everything());
    work
}

fn found(work: &mut Work) -> Compilation {
    Compilation {
        sources: std::mem::take(&mut work.sources),
        model: work.memory.take_model(),
        diagnostics: std::mem::take(&mut work.diagnostics),
        ..Compilation::default()
    }
}

#[cfg(test)]
mod tests;
