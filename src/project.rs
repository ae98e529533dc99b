//! Projects on disk: the only room of the compiler that reads files.
//!
//! A project is a folder with a `wayfare.toml` and every `*.journey` file below it, or, where there is no such file
//! at or above the paths that were asked for, just these paths. The folder of a file, seen from the project's root
//! and dotted, is its package: `loans/cards/first.journey` is in `loans.cards`.
//!
//! The standard library is inside the program. There each *file* is a package: `import std.cn.bank { push }` finds
//! `push` in `stdlib/cn/bank.journey`. Only packages that are imported become part of a compilation.

mod discover;
mod outside;
mod stdlib;

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ring::digest::{SHA256, digest};

use crate::compile::{File, Input};
use crate::config;
use crate::model::check::asset::Asset;
use crate::program::{Bundle, Hash, Picture};
use crate::text::hex;

pub use discover::{parent as folder_of, shown};
use outside::Outside;

/// A project, read.
#[derive(Clone, Debug)]
pub struct Project {
    /// The folder of `wayfare.toml`; without one, the first path that was asked for, or its folder.
    pub root: PathBuf,
    pub input: Input,
    /// The paths of the files that were read from the disk; the others are the standard library.
    pub on_disk: BTreeSet<Arc<str>>,
    pub pictures: Pictures,
}

/// The pictures of a project that can be served, by the hashes of what is in them.
#[derive(Clone, Debug, Default)]
pub struct Pictures(BTreeMap<Hash, Picture>);

impl Pictures {
    /// Puts those into a bundle that its contents name.
    pub fn add_to(&self, bundle: &mut Bundle) {
        let variants = bundle.contents.values().flat_map(|content| &content.body.variants);
        let named = variants.flat_map(|variant| &variant.assets);
        let found = named.filter_map(|(_, hash)| Some((hash.clone(), self.0.get(hash)?.clone())));
        bundle.pictures = found.collect();
    }
}

/// Why a project could not be read.
#[derive(Debug)]
pub enum ProjectError {
    /// A file or folder could not be used.
    File { path: PathBuf, error: io::Error },
    /// There is nothing to compile at this place.
    Empty { path: PathBuf },
}

impl std::fmt::Display for ProjectError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::File { path, error } => write!(f, "cannot read `{}`: {error}", path.display()),
            Self::Empty { path } => write!(f, "there is no `.journey` file in `{}`", path.display()),
        }
    }
}

impl std::error::Error for ProjectError {}

/// Reads the project around `paths` (files or folders; none means the current folder).
///
/// # Errors
/// A path that is not there, a file that cannot be read or is not UTF-8, or no journey file at all. A calendar or
/// organisation that is not there is told by the checker, at the line that names it.
pub fn load(paths: &[PathBuf]) -> Result<Project, ProjectError> {
    Reader::default().read(paths)
}

/// Reads a project again and again. Every text is looked at each time; what follows from a text is kept.
#[derive(Debug, Default)]
pub struct Reader {
    /// By the whole path, which as a text compares faster than part by part.
    seen: BTreeMap<OsString, Seen>,
}

#[derive(Clone, Debug)]
struct Seen {
    file: File,
    outside: Outside,
}

impl Reader {
    /// As [`load`].
    ///
    /// # Errors
    /// As [`load`].
    pub fn read(&mut self, paths: &[PathBuf]) -> Result<Project, ProjectError> {
        let here = [PathBuf::from(".")];
        let paths = if paths.is_empty() { &here } else { paths };
        let first = paths.first().map_or(Path::new("."), PathBuf::as_path);
        let folder = if first.is_file() { discover::parent(first) } else { first };
        let (root, found) = match root(folder) {
            Some(root) => {
                discover::check_paths(paths)?;
                (root.clone(), discover::journeys(&[root])?)
            }
            None => (folder.to_owned(), discover::journeys(paths)?),
        };
        let mut before = std::mem::take(&mut self.seen);
        let mut input = Input::default();
        let mut imports = BTreeSet::new();
        let mut pictures = Pictures::default();
        for path in found {
            let Some(file) = read(&root, &path)? else { continue };
            let seen = match before.remove(path.as_os_str()) {
                Some(seen) if seen.file.text == file.text && seen.file.package == file.package => seen,
                _ => Seen { outside: Outside::of(&file.text), file },
            };
            for written in &seen.outside.named {
                if let Ok(text) = std::fs::read_to_string(discover::parent(&path).join(&**written)) {
                    input.named.insert((seen.file.path.clone(), written.clone()), text.into());
                }
            }
            for written in &seen.outside.assets {
                if let Some(asset) = asset(&discover::parent(&path).join(&**written), &mut pictures) {
                    input.named.insert((seen.file.path.clone(), written.clone()), asset.to_text().into());
                }
            }
            imports.extend(seen.outside.imports.iter().cloned());
            input.files.push(seen.file.clone());
            self.seen.insert(path.into_os_string(), seen);
        }
        if input.files.is_empty() {
            return Err(ProjectError::Empty { path: root });
        }
        let on_disk = input.files.iter().map(|file| file.path.clone()).collect();
        stdlib::add(imports, &mut input);
        Ok(Project { root, input, on_disk, pictures })
    }
}

/// `None`: the folder that it should be in is not there.
fn asset(path: &Path, pictures: &mut Pictures) -> Option<Asset> {
    if let Ok(bytes) = std::fs::read(path) {
        let hash: Arc<str> = hex::of(digest(&SHA256, &bytes).as_ref()).into();
        let asset = Asset::of_bytes(hash.clone(), &bytes);
        pictures.0.extend(Picture::new(bytes).map(|picture| (hash, picture)));
        return Some(asset);
    }
    let beside = std::fs::read_dir(discover::parent(path)).ok()?;
    let mut names: Vec<String> =
        beside.filter_map(|entry| Some(entry.ok()?.file_name().to_string_lossy().into_owned())).collect();
    names.sort();
    Some(Asset::Absent(names))
}

/// The journey files at or below `paths`; without any, those of the project around the current folder. Sorted, each once.
///
/// # Errors
/// A path that is not there, or no journey file at all.
pub fn files(paths: &[PathBuf]) -> Result<Vec<PathBuf>, ProjectError> {
    let here = PathBuf::from(".");
    let whole = [root(&here).unwrap_or(here)];
    let paths = if paths.is_empty() { &whole } else { paths };
    discover::check_paths(paths)?;
    let found = discover::journeys(paths)?;
    if found.is_empty() {
        let path = paths.first().cloned().unwrap_or_default();
        return Err(ProjectError::Empty { path });
    }
    Ok(found)
}

/// The nearest folder at or above `folder` that has a `wayfare.toml`.
#[must_use]
pub fn root(folder: &Path) -> Option<PathBuf> {
    // Made absolute without touching links, so that `.` has parents to look at.
    let whole = std::path::absolute(folder).ok()?;
    let found = whole.ancestors().position(|above| above.join(config::FILE).is_file())?;
    if found == 0 { Some(folder.to_owned()) } else { whole.ancestors().nth(found).map(Path::to_owned) }
}

/// `None` for a file that is gone since the folder was walked.
fn read(root: &Path, path: &Path) -> Result<Option<File>, ProjectError> {
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(ProjectError::File { path: path.to_owned(), error }),
    };
    Ok(Some(File { path: shown(path).into(), package: package(root, path).into(), text: text.into() }))
}

/// The folder of the file at `path`, seen from `root`, dotted. Both may be seen from the current folder.
fn package(root: &Path, path: &Path) -> String {
    let root = root.strip_prefix(".").unwrap_or(root);
    let folder = discover::parent(path);
    let folder = folder.strip_prefix(".").unwrap_or(folder);
    let below = folder.strip_prefix(root).unwrap_or(Path::new(""));
    let parts: Vec<String> = below.iter().map(|part| part.to_string_lossy().into_owned()).collect();
    parts.join(".")
}

#[cfg(test)]
mod tests;
