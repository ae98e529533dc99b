//! `wayfare check`: every mistake of a project, in one run.

mod known;
mod mend;
mod watch;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::{against, compiled};
use crate::cli::output::Format;
use crate::cli::{Exit, Failure, Output, packs};
use crate::compile::{self, Compilation, deployable};
use crate::diagnostic::{self, Diagnostic, Severity};
use crate::engine::clock::wall;
use crate::expr::civil;
use crate::model::Model;
use crate::rules::{Before, Chosen};
use crate::text::Sources;

/// Check journeys, and say what is wrong with them.
///
/// The whole project is read, since files depend on each other; findings are shown for the given paths.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Files or folders; without any, the project around the current folder.
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,

    /// Also refuse what the daemon does not do yet.
    #[arg(long)]
    deployable: bool,

    /// How findings are written.
    #[arg(long, visible_alias = "output-format", value_enum, default_value_t)]
    format: Format,

    /// Write the findings into this file instead of to the output.
    #[arg(long, value_name = "FILE")]
    output_file: Option<PathBuf>,

    #[command(flatten)]
    fixes: mend::Fixing,

    /// The day from which calendars must reach far enough; without it, the real one.
    #[arg(long, value_name = "DATE")]
    today: Option<Date>,

    /// The day whose rules of compliance count; without it, that of `--today`.
    #[arg(long, value_name = "DATE")]
    as_of: Option<Date>,

    /// The project as it was: a branch, tag or commit of this repository, or a folder. What has begun since must not
    /// have got worse.
    #[arg(long, value_name = "REF")]
    against: Option<String>,

    /// Findings of rules that were there before: a file of `--write-baseline`. Only what is new is told.
    #[arg(long, value_name = "FILE")]
    baseline: Option<PathBuf>,

    /// Write what the rules find now into the file of `--baseline`. Rules that nobody can waive are left out.
    #[arg(long, requires = "baseline")]
    write_baseline: bool,

    /// Go on and check again after every save; on a terminal the screen shows the last result only.
    #[arg(long)]
    watch: bool,
}

impl Args {
    fn today(&self) -> Date {
        self.today.unwrap_or_else(|| civil::date_of(wall(), &TimeZone::system()))
    }

    /// The rules that the project at `root` is held to.
    fn chosen(&self, root: &Path, output: &Output) -> Result<Option<Chosen>, Failure> {
        let chosen = packs::chosen(root, self.as_of.unwrap_or_else(|| self.today()), output)?;
        let (Some(chosen), Some(reference)) = (&chosen, &self.against) else { return Ok(chosen) };
        let before = against::project(root, reference)?;
        let before = Some(Arc::new(Before::of(&compile::check(&before.input).model)));
        Ok(Some(Chosen { before, ..chosen.clone() }))
    }
}

pub fn run(args: &Args, output: &Output) -> Result<Exit, Failure> {
    if args.watch {
        return watch::run(args, output);
    }
    let mut project = compiled::read(&args.paths)?;
    project.input.today = Some(args.today());
    project.input.rules = args.chosen(&project.root, output)?;
    if !args.fixes.wants_fixes() {
        let compilation = with_lacking(args, compile::check(&project.input));
        let exit = report(args, &compilation, output);
        // The process ends behind this, and takes a large project back faster than it can be freed part by part.
        std::mem::forget((project, compilation));
        return exit;
    }
    let mended = args.fixes.mend(project, &args.paths, output)?;
    if !args.fixes.is_diff() {
        return report(args, &with_lacking(args, mended.compilation), output);
    }
    // The output is the diff; the findings that would remain are only counted.
    let after = &mended.compilation;
    let (shown, _) = split(&after.diagnostics, &after.sources, &args.paths);
    let clean = mended.fixed.is_empty() && !has_errors(&shown);
    Ok(if clean { Exit::Clean } else { Exit::Findings })
}

/// Adds what the daemon does not do yet, if that was asked.
fn with_lacking(args: &Args, mut compilation: Compilation) -> Compilation {
    if args.deployable {
        let lacking = deployable::findings(&compilation.model).into_iter();
        let lacking = lacking.map(|finding| Diagnostic { severity: Severity::Error, ..finding });
        compilation.diagnostics.extend(lacking);
        diagnostic::sort(&mut compilation.diagnostics);
    }
    compilation
}

/// Shows what was found. Ends in [`Exit::Findings`] if there are errors; warnings alone are clean.
fn report(args: &Args, compilation: &Compilation, output: &Output) -> Result<Exit, Failure> {
    let found = known::without(args, &compilation.diagnostics, &compilation.sources, output)?;
    let (shown, elsewhere) = split(&found, &compilation.sources, &args.paths);
    tell(args, (&shown, elsewhere), &compilation.sources, &compilation.model, output)?;
    Ok(if has_errors(&shown) { Exit::Findings } else { Exit::Clean })
}

/// Says which of the findings could be mended by a command.
fn offer(shown: &[Diagnostic], output: &Output) {
    let fixes =
        |safe: bool| shown.iter().filter_map(|it| it.fix.as_ref()).filter(|fix| fix.safe == safe).count();
    let (safe, suggested) = (fixes(true), fixes(false));
    if safe > 0 {
        output.say(format_args!("{safe} can be fixed: `wayfare check --fix`"));
    }
    if suggested > 0 {
        output.say(format_args!(
            "{suggested} can be fixed if you agree with what was guessed: `wayfare check --diff --unsafe-fixes` shows it"
        ));
    }
}

fn has_errors(shown: &[Diagnostic]) -> bool {
    shown.iter().any(|finding| finding.severity == Severity::Error)
}

/// The findings that were asked for, and what there is besides them.
fn tell(
    args: &Args,
    (shown, elsewhere): (&[Diagnostic], usize),
    sources: &Sources,
    model: &Model,
    output: &Output,
) -> Result<(), Failure> {
    match &args.output_file {
        Some(path) => output.findings_into(path, shown, sources, args.format)?,
        None => output.findings(shown, sources, args.format)?,
    }
    if elsewhere > 0 {
        output.say(format_args!("{elsewhere} more in other files of the project: `wayfare check` shows all"));
    }
    if args.format == Format::Full {
        offer(shown, output);
    }
    if shown.is_empty() && args.format == Format::Full {
        output.say(format_args!(
            "checked {} in {}",
            count(model.journeys.len(), "journey"),
            count(sources.iter().count(), "file")
        ));
    }
    Ok(())
}

/// The findings below `paths`, and how many there are elsewhere.
fn split(found: &[Diagnostic], sources: &Sources, paths: &[PathBuf]) -> (Vec<Diagnostic>, usize) {
    let is_asked = |finding: &Diagnostic| is_below(&sources.place(finding.primary.span).0, paths);
    let (shown, elsewhere): (Vec<_>, Vec<_>) = found.iter().cloned().partition(is_asked);
    (shown, elsewhere.len())
}

/// Whether the file at `path` is one of `paths` or in one; none of them means the whole project.
fn is_below(path: &str, paths: &[PathBuf]) -> bool {
    let path = std::path::absolute(Path::new(path)).unwrap_or_default();
    let asked = |asked: &PathBuf| std::path::absolute(asked).is_ok_and(|asked| path.starts_with(asked));
    paths.is_empty() || paths.iter().any(asked)
}

fn count(number: usize, word: &str) -> String {
    format!("{number} {word}{}", if number == 1 { "" } else { "s" })
}
