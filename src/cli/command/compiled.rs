//! What the verbs that need journeys share: the project around some paths, read and compiled.

use std::path::PathBuf;

use jiff::civil::Date;
use jiff::tz::TimeZone;

use crate::cli::exit::reason;
use crate::cli::{Failure, Output, packs};
use crate::compile::{Compilation, Session, compile};
use crate::engine::clock::wall;
use crate::expr::civil;
use crate::program::Bundle;
use crate::project::{self, Pictures, Project, ProjectError, Reader};
use crate::rules::Chosen;

/// Reads the project around `paths`; none means the current folder.
pub fn read(paths: &[PathBuf]) -> Result<Project, Failure> {
    project::load(paths).map_err(|error| unread(&error))
}

/// A project that cannot be read, as the failure of a command.
pub fn unread(error: &ProjectError) -> Failure {
    match error {
        ProjectError::File { path, error } => {
            Failure::new(format_args!("cannot read `{}`: {}", path.display(), reason(error)))
        }
        ProjectError::Empty { .. } => {
            Failure::new(error).help("`wayfare init` makes a project with a first journey")
        }
    }
}

/// Compiles the project around `paths` for a verb that has no use for journeys with errors: they are told on stderr
/// and the verb ends in [`crate::cli::Exit::Findings`]. Warnings are left to `wayfare check`.
pub fn sound(paths: &[PathBuf], output: &Output) -> Result<(Project, Compilation, Bundle), Failure> {
    let project = read(paths)?;
    compiled(project, output)
}

/// The same, for what leaves the house: it must keep to the rules of compliance too.
pub fn held(paths: &[PathBuf], output: &Output) -> Result<(Project, Compilation, Bundle), Failure> {
    let mut project = read(paths)?;
    let today = civil::date_of(wall(), &TimeZone::system());
    project.input.rules = packs::chosen(&project.root, today, output)?;
    compiled(project, output)
}

fn compiled(project: Project, output: &Output) -> Result<(Project, Compilation, Bundle), Failure> {
    let mut compilation = compile(&project.input);
    let Some(mut bundle) = compilation.bundle.take() else {
        output.complain(&compilation.diagnostics, &compilation.sources);
        return Err(Failure::Found);
    };
    project.pictures.add_to(&mut bundle);
    Ok((project, compilation, bundle))
}

/// A project that is looked at again and again while it is edited.
pub struct Open {
    paths: Vec<PathBuf>,
    today: Option<Date>,
    rules: Option<Chosen>,
    reader: Reader,
    pictures: Pictures,
    /// The folder that holds all of it.
    pub root: PathBuf,
    pub session: Session,
}

impl Open {
    /// Reads and compiles the project around `paths`.
    pub fn new(paths: &[PathBuf], today: Option<Date>) -> Result<Self, Failure> {
        let mut reader = Reader::default();
        let mut project = reader.read(paths).map_err(|error| unread(&error))?;
        project.input.today = today;
        let session = Session::open(&project.input);
        let Project { root, pictures, .. } = project;
        Ok(Self { paths: paths.to_vec(), today, rules: None, reader, pictures, root, session })
    }

    /// Holds it to rules of compliance from the next look on.
    pub fn hold(&mut self, rules: Option<Chosen>) {
        self.rules = rules;
    }

    /// Looks at all files, and whether there was anything new. What cannot be read now changes nothing.
    pub fn look(&mut self) -> Result<bool, Failure> {
        let mut project = self.reader.read(&self.paths).map_err(|error| unread(&error))?;
        project.input.today = self.today;
        project.input.rules.clone_from(&self.rules);
        self.pictures = std::mem::take(&mut project.pictures);
        Ok(self.session.update(&project.input))
    }

    /// The bundle; errors are told.
    pub fn sound(&mut self, output: &Output) -> Result<Bundle, Failure> {
        let Some(mut bundle) = self.session.bundle() else {
            output.complain(self.session.diagnostics(), self.session.sources());
            return Err(Failure::Found);
        };
        self.pictures.add_to(&mut bundle);
        Ok(bundle)
    }
}
