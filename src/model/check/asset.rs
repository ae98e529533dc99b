//! Pictures and files that contents name: whether they are there, and what is in them.
//!
//! The path is seen from the folder of the file that names it, as that of a calendar. Where the folder that it leads to is
//! not there, nobody asks: then the bank's app knows the picture by that name.

use std::sync::Arc;

use super::world::Sink;
use super::world::World;
use crate::diagnostic::{Diagnostic, code, suggest};
use crate::program::picture::{Kind, MOST};
use crate::syntax::ast::{self, ContentItem, CopyPiece, DeclKind, VariantPart};
use crate::text::FileId;

/// Parts that name a file.
const IMAGE: &str = "image";
const THERE: &str = "sha256:";
const OTHER: &str = "other:";
const LARGE: &str = "large:";
const BESIDE: &str = "beside:";

/// A file that a content names, as whoever reads the disk found it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Asset {
    /// The SHA-256 of what is in it, in hex, and whether an app can show it.
    There(Arc<str>, Shows),
    /// It is not there; these are, in the folder where it should be.
    Absent(Vec<String>),
}

/// Whether a file can be served as a picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shows {
    Well,
    /// It is of no kind that is served.
    Other,
    TooLarge,
}

impl Asset {
    /// What is in a file.
    #[must_use]
    pub fn of_bytes(hash: Arc<str>, bytes: &[u8]) -> Self {
        let shows = match Kind::of(bytes) {
            None => Shows::Other,
            Some(_) if bytes.len() > MOST => Shows::TooLarge,
            Some(_) => Shows::Well,
        };
        Self::There(hash, shows)
    }

    /// As it stands among the texts of the files that are named.
    #[must_use]
    pub fn to_text(&self) -> String {
        match self {
            Self::There(hash, Shows::Well) => format!("{THERE}{hash}"),
            Self::There(hash, Shows::Other) => format!("{OTHER}{hash}"),
            Self::There(hash, Shows::TooLarge) => format!("{LARGE}{hash}"),
            Self::Absent(beside) => format!("{BESIDE}{}", beside.join("\n")),
        }
    }

    fn of_text(text: &str) -> Option<Self> {
        for (sign, shows) in [(THERE, Shows::Well), (OTHER, Shows::Other), (LARGE, Shows::TooLarge)] {
            if let Some(hash) = text.strip_prefix(sign) {
                return Some(Self::There(hash.into(), shows));
            }
        }
        let beside = text.strip_prefix(BESIDE)?;
        Some(Self::Absent(beside.lines().map(str::to_owned).collect()))
    }
}

/// The pictures and files that a tree names, as written.
#[must_use]
pub fn assets(file: &ast::File) -> Vec<Arc<str>> {
    let mut paths = Vec::new();
    for decl in &file.decls {
        let DeclKind::Content(items) = &decl.kind else { continue };
        for item in items {
            let ContentItem::Via(variant) = item else { continue };
            paths.extend(variant.parts.iter().filter_map(named).cloned());
        }
    }
    paths
}

/// What the part names, if it is a file of the project: a path without holes, and no address.
fn named(part: &VariantPart) -> Option<&Arc<str>> {
    let [CopyPiece::Text(path)] = part.copy.pieces.as_slice() else { return None };
    let is_file = part.file || part.word.name.as_str() == IMAGE;
    (is_file && !path.contains("://") && !path.starts_with('/')).then_some(path)
}

/// The hashes of what a variant names.
pub(super) fn of_variant(
    world: &World,
    file: FileId,
    written: &ast::Variant,
    sink: &mut Sink,
) -> Vec<(Arc<str>, Arc<str>)> {
    let mut found: Vec<(Arc<str>, Arc<str>)> = Vec::new();
    for part in &written.parts {
        let Some(path) = named(part) else { continue };
        let text = world.named_files.get(&(file, path.clone()));
        match text.and_then(|text| Asset::of_text(text)) {
            Some(Asset::There(_, shows)) if shows != Shows::Well && part.word.name.as_str() == IMAGE => {
                sink.report(unfit(part, path, shows));
            }
            Some(Asset::There(hash, _)) if found.iter().all(|(known, _)| known != path) => {
                found.push((path.clone(), hash));
            }
            Some(Asset::Absent(beside)) => sink.report(absent(part, path, &beside)),
            _ => {}
        }
    }
    found
}

fn unfit(part: &VariantPart, path: &str, shows: Shows) -> Diagnostic {
    if shows == Shows::TooLarge {
        let found = format!("the picture `{path}` is larger than {} KiB", MOST / 1024);
        return Diagnostic::new(code::ASSET, part.copy.span, found)
            .label("a page of the app waits for it")
            .help("make it smaller, or write the address (`https://…`) where the bank serves it");
    }
    Diagnostic::new(code::ASSET, part.copy.span, format!("the file `{path}` is no picture that is served"))
        .label("neither PNG, JPEG, GIF nor WebP")
        .help("save the picture as one of these: what is in the file counts, not its name")
}

fn absent(part: &VariantPart, path: &str, beside: &[String]) -> Diagnostic {
    let (folder, name) = path.rsplit_once('/').map_or(("", path), |(folder, name)| (folder, name));
    let of = if folder.is_empty() { "the folder of this file".to_owned() } else { format!("`{folder}`") };
    let finding = Diagnostic::new(code::ASSET, part.copy.span, format!("the file `{path}` is not there"))
        .label("no such file");
    // Not as a fix: whether it is that picture is for people to see.
    let near = suggest::did_you_mean(name, beside.iter().map(String::as_str));
    finding.help(
        near.unwrap_or_else(|| {
            format!("put it into {of}, or write a path as seen from the folder of this file")
        }),
    )
}
