//! Which files belong to a project.

use std::io;
use std::path::{Path, PathBuf};

use ignore::WalkBuilder;

use super::ProjectError;

/// All journey files at or below `paths`, sorted, each once. Hidden files and what `.gitignore` names are left out.
pub(super) fn journeys(paths: &[PathBuf]) -> Result<Vec<PathBuf>, ProjectError> {
    let mut found = Vec::new();
    for path in paths {
        if path.is_file() {
            found.push(path.clone());
            continue;
        }
        // In order already, so that nothing is left to sort below.
        let walk = WalkBuilder::new(path).require_git(false).sort_by_file_name(Ord::cmp).build();
        for entry in walk {
            let entry = entry.map_err(|error| failed(path, error))?;
            if is_journey(entry.path()) && entry.file_type().is_some_and(|kind| !kind.is_dir()) {
                found.push(tidy(entry.into_path()));
            }
        }
    }
    found.sort();
    found.dedup();
    Ok(found)
}

/// Whether all of `paths` are there.
pub(super) fn check_paths(paths: &[PathBuf]) -> Result<(), ProjectError> {
    for path in paths {
        std::fs::metadata(path).map_err(|error| ProjectError::File { path: path.clone(), error })?;
    }
    Ok(())
}

/// The folder of a file.
pub fn parent(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

/// As the user would type it: seen from the current folder where the file is below it, with `/`.
#[must_use]
pub fn shown(path: &Path) -> String {
    // What is seen from here already is most of it, and asking where here is takes a call of the system.
    let here = path.is_absolute().then(|| std::env::current_dir().ok()).flatten();
    let near = here.and_then(|here| path.strip_prefix(here).ok().map(Path::to_owned));
    let near = near.as_deref().unwrap_or(path);
    let near = near.strip_prefix(".").unwrap_or(near);
    near.to_string_lossy().replace(std::path::MAIN_SEPARATOR, "/")
}

fn is_journey(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "journey")
}

/// Without the `./` that walking the current folder puts in front.
fn tidy(path: PathBuf) -> PathBuf {
    path.strip_prefix("./").map(Path::to_owned).unwrap_or(path)
}

fn failed(path: &Path, error: ignore::Error) -> ProjectError {
    let error = error.into_io_error().unwrap_or_else(|| io::Error::other("the folder cannot be walked"));
    ProjectError::File { path: path.to_owned(), error }
}
