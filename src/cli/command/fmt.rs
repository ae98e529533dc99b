//! `wayfare fmt`: every journey file in the one style.

use std::io::Read;
use std::path::PathBuf;

use similar::TextDiff;

use super::compiled;
use crate::cli::replace::replace;
use crate::cli::{Exit, Failure, Output};
use crate::diagnostic::Diagnostic;
use crate::format::{Refusal, format};
use crate::project;
use crate::text::Sources;

/// Format journeys: one style, no options.
///
/// Meaning and comments stay as they are; that is proved on every run, before anything is written. Files with syntax
/// errors are left alone.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Files or folders; without any, the project around the current folder. `-` reads stdin and writes stdout.
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,

    /// Write nothing; list the files that would change, and end in 1 if there are any.
    #[arg(long)]
    check: bool,

    /// Write nothing; show what would change, and end in 1 if anything would.
    #[arg(long)]
    diff: bool,
}

/// A file, read and formatted.
struct Formatted {
    path: PathBuf,
    shown: String,
    before: String,
    after: String,
}

pub fn run(args: &Args, output: &Output) -> Result<Exit, Failure> {
    if args.paths.iter().any(|path| path.as_os_str() == "-") {
        return stdin(args, output);
    }
    let files = project::files(&args.paths).map_err(|error| compiled::unread(&error))?;
    let mut work = Work::default();
    for path in files {
        let text = std::fs::read_to_string(&path).map_err(|error| Failure::file("read", &path, &error))?;
        let shown = project::shown(&path);
        work.add(path, shown, text);
    }
    for file in &work.changed {
        if args.diff {
            show_diff(file, output)?;
        } else if args.check {
            output.data(&file.shown)?;
        } else {
            replace(&file.path, &file.after).map_err(|error| Failure::file("write", &file.path, &error))?;
        }
    }
    output.complain(&work.findings, &work.sources);
    output.say(work.summary(args));
    Ok(work.exit(args))
}

/// Stdin to stdout. Without syntax errors the whole text is written, changed or not, as editors want it.
fn stdin(args: &Args, output: &Output) -> Result<Exit, Failure> {
    if args.paths.len() > 1 {
        return Err(Failure::new("`-` stands for stdin, and cannot be combined with files")
            .help("run `wayfare fmt` once for stdin and once for the files"));
    }
    let mut text = String::new();
    let path = PathBuf::from("-");
    std::io::stdin().read_to_string(&mut text).map_err(|error| Failure::file("read", &path, &error))?;
    let mut work = Work::default();
    work.add(path, "stdin".to_owned(), text.clone());
    output.complain(&work.findings, &work.sources);
    match work.changed.first() {
        Some(file) if args.diff => show_diff(file, output)?,
        Some(file) if !args.check => output.document(|to| to.write_all(file.after.as_bytes()))?,
        None if work.refused == 0 && !args.check && !args.diff => {
            output.document(|to| to.write_all(text.as_bytes()))?;
        }
        _ => {}
    }
    Ok(work.exit(args))
}

fn show_diff(file: &Formatted, output: &Output) -> Result<(), Failure> {
    let diff = TextDiff::from_lines(&file.before, &file.after);
    let mut diff = diff.unified_diff();
    diff.header(&file.shown, &file.shown);
    output.document(|to| write!(to, "{diff}"))
}

/// What was read so far.
#[derive(Default)]
struct Work {
    sources: Sources,
    findings: Vec<Diagnostic>,
    changed: Vec<Formatted>,
    unchanged: usize,
    refused: usize,
}

impl Work {
    fn add(&mut self, path: PathBuf, shown: String, before: String) {
        let id = self.sources.add(&shown, &before);
        match format(id, &before) {
            Ok(after) if after == before => self.unchanged += 1,
            Ok(after) => self.changed.push(Formatted { path, shown, before, after }),
            Err(refusal) => {
                self.refused += 1;
                match refusal {
                    Refusal::Syntax(findings) => self.findings.extend(findings),
                    Refusal::Defect(finding) => self.findings.push(*finding),
                }
            }
        }
    }

    fn exit(&self, args: &Args) -> Exit {
        let would_change = (args.check || args.diff) && !self.changed.is_empty();
        if self.refused > 0 || would_change { Exit::Findings } else { Exit::Clean }
    }

    fn summary(&self, args: &Args) -> String {
        let done = if args.check || args.diff { "would be formatted" } else { "formatted" };
        let parts = [
            (self.changed.len(), done),
            (self.unchanged, "unchanged"),
            (self.refused, "left alone because of the errors above"),
        ];
        let said = parts
            .iter()
            .filter(|(number, _)| *number > 0)
            .map(|(number, what)| format!("{number} file{} {what}", if *number == 1 { "" } else { "s" }));
        said.collect::<Vec<_>>().join(", ")
    }
}
