//! `check --fix` and `check --diff`: the fixes of findings, written or shown.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use similar::TextDiff;

use super::{count, is_below};
use crate::cli::{Failure, Output};
use crate::compile::mend::{Fixed, Mended, Request, mend};
use crate::compile::{File, Input};
use crate::project::Project;

/// How fixes are wanted.
#[derive(Debug, clap::Args)]
pub(super) struct Fixing {
    /// Do the fixes that cannot change what is meant, and write the files.
    #[arg(long, group = "mend")]
    fix: bool,

    /// Show what would be written as a unified diff, and write nothing.
    #[arg(long, group = "mend")]
    diff: bool,

    /// Also do fixes that decide something for you, such as "did you mean".
    #[arg(long, requires = "mend")]
    unsafe_fixes: bool,
}

impl Fixing {
    pub(super) fn wants_fixes(&self) -> bool {
        self.fix || self.diff
    }

    pub(super) fn is_diff(&self) -> bool {
        self.diff
    }

    /// Mends the files of `project` below `paths`: written with `--fix`, shown with `--diff`.
    pub(super) fn mend(
        &self,
        project: Project,
        paths: &[PathBuf],
        output: &Output,
    ) -> Result<Mended, Failure> {
        let files = project.on_disk.iter().filter(|path| is_below(path, paths)).cloned().collect();
        let request = Request { suggested: self.unsafe_fixes, files };
        let before = project.input.clone();
        let mended = mend(project.input, &request);
        for (old, new) in changed(&before, &mended.input) {
            if self.diff {
                output.document(|out| out.write_all(diff(old, new).as_bytes()))?;
            } else {
                write(old, new)?;
            }
        }
        self.tell(&mended.fixed, output);
        Ok(mended)
    }

    fn tell(&self, fixed: &[Fixed], output: &Output) {
        for one in fixed {
            output.say(format_args!("{}:{}: {} [{}]", one.path, one.line, one.title, one.code));
        }
        let files: BTreeSet<&Arc<str>> = fixed.iter().map(|one| &one.path).collect();
        let verb = if self.diff { "would fix" } else { "fixed" };
        if !fixed.is_empty() {
            let (findings, files) = (count(fixed.len(), "finding"), count(files.len(), "file"));
            output.say(format_args!("{verb} {findings} in {files}"));
        }
    }
}

fn changed<'a>(before: &'a Input, after: &'a Input) -> impl Iterator<Item = (&'a File, &'a File)> {
    before.files.iter().zip(&after.files).filter(|(old, new)| old.text != new.text)
}

fn diff(old: &File, new: &File) -> String {
    let (from, to) = (format!("a/{}", old.path), format!("b/{}", new.path));
    TextDiff::from_lines(&*old.text, &*new.text).unified_diff().header(&from, &to).to_string()
}

/// Writes the new text, unless somebody else wrote the file since it was read.
fn write(old: &File, new: &File) -> Result<(), Failure> {
    let path = Path::new(&*old.path);
    let there = std::fs::read_to_string(path).map_err(|error| Failure::file("read", path, &error))?;
    if *there != *old.text {
        return Err(Failure::new(format_args!("`{}` has changed meanwhile", old.path))
            .help("it was left as it is; run the command again"));
    }
    std::fs::write(path, &*new.text).map_err(|error| Failure::file("write", path, &error))
}
