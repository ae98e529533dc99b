//! `wayfare check`: every mistake of a project, in one run.

use std::path::{Path, PathBuf};

use super::compiled;
use crate::cli::output::Format;
use crate::cli::{Exit, Failure, Output};
use crate::compile::{Compilation, compile};
use crate::diagnostic::{Diagnostic, Severity};

/// Check journeys, and say what is wrong with them.
///
/// The whole project is read, since files depend on each other; findings are shown for the given paths.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Files or folders; without any, the project around the current folder.
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,

    /// How findings are written.
    #[arg(long, value_enum, default_value_t)]
    format: Format,

    /// Write the findings into this file instead of to the output.
    #[arg(long, value_name = "FILE")]
    output_file: Option<PathBuf>,
}

pub fn run(args: &Args, output: &Output) -> Result<Exit, Failure> {
    let project = compiled::read(&args.paths)?;
    let compilation = compile(&project.input);
    let (shown, elsewhere) = split(&compilation, &args.paths);
    match &args.output_file {
        Some(path) => output.findings_into(path, &shown, &compilation.sources, args.format)?,
        None => output.findings(&shown, &compilation.sources, args.format)?,
    }
    if elsewhere > 0 {
        output.say(format_args!("{elsewhere} more in other files of the project: `wayfare check` shows all"));
    }
    if shown.is_empty() && args.format == Format::Full {
        let files = compilation.sources.iter().count();
        output.say(format_args!(
            "checked {} in {}",
            count(compilation.model.journeys.len(), "journey"),
            count(files, "file")
        ));
    }
    let errors = shown.iter().any(|finding| finding.severity == Severity::Error);
    Ok(if errors { Exit::Findings } else { Exit::Clean })
}

/// The findings below `paths`, and how many there are elsewhere.
fn split(compilation: &Compilation, paths: &[PathBuf]) -> (Vec<Diagnostic>, usize) {
    let whole: Vec<PathBuf> = paths.iter().filter_map(|path| std::path::absolute(path).ok()).collect();
    let is_asked = |finding: &Diagnostic| {
        let (path, _) = compilation.sources.place(finding.primary.span);
        let path = std::path::absolute(Path::new(&*path)).unwrap_or_default();
        whole.is_empty() || whole.iter().any(|asked| path.starts_with(asked))
    };
    let (shown, elsewhere): (Vec<_>, Vec<_>) = compilation.diagnostics.iter().cloned().partition(is_asked);
    (shown, elsewhere.len())
}

fn count(number: usize, word: &str) -> String {
    format!("{number} {word}{}", if number == 1 { "" } else { "s" })
}
