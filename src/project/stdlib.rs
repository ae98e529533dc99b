//! The standard library, as it was when the program was built.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use include_dir::{Dir, include_dir};

use super::discover;
use super::outside::Outside;
use crate::compile::{File, Input};

static FILES: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/stdlib");

/// Adds the packages of `wanted` that are in the library, and those that they import.
pub(super) fn add(wanted: BTreeSet<String>, input: &mut Input) {
    let mut open: Vec<String> = wanted.into_iter().rev().collect();
    let mut seen = BTreeSet::new();
    while let Some(package) = open.pop() {
        let path = package.strip_prefix("std.").map(|rest| format!("{}.journey", rest.replace('.', "/")));
        let Some(path) = path.filter(|_| seen.insert(package.clone())) else { continue };
        let Some(text) = FILES.get_file(&path).and_then(include_dir::File::contents_utf8) else { continue };
        let file = File { path: format!("std/{path}").into(), package: package.into(), text: text.into() };
        let outside = Outside::of(text);
        let beside = |written: &str| -> Option<Arc<str>> {
            let file = FILES.get_file(discover::parent(Path::new(&path)).join(written))?;
            file.contents_utf8().map(Arc::from)
        };
        let named = outside.named.into_iter();
        let named =
            named.filter_map(|written| Some(((file.path.clone(), written.clone()), beside(&written)?)));
        input.named.extend(named);
        open.extend(outside.imports);
        input.files.push(file);
    }
}
