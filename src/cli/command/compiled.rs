//! What the verbs that need journeys share: the project around some paths, read and compiled.

use std::path::PathBuf;

use crate::cli::exit::reason;
use crate::cli::{Failure, Output};
use crate::compile::{Compilation, compile};
use crate::program::Bundle;
use crate::project::{self, Project, ProjectError};

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
    let mut compilation = compile(&project.input);
    let Some(bundle) = compilation.bundle.take() else {
        output.complain(&compilation.diagnostics, &compilation.sources);
        return Err(Failure::Found);
    };
    Ok((project, compilation, bundle))
}
