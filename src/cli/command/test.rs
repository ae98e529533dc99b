//! `wayfare test`: the tests of the journeys, under a virtual clock.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::compiled;
use crate::cli::settings::Settings;
use crate::cli::{Exit, Failure, Output};
use crate::testing::{self, Options, Report, Suite, junit};

/// Run the tests of journeys under a virtual clock.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Folders or files of journeys; none means the current folder.
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,

    /// Only tests whose title or journey contains this text.
    #[arg(long, short, value_name = "TEXT")]
    filter: Option<String>,

    /// Tell the story of every test, also of those that pass.
    #[arg(long)]
    trace: bool,

    /// Random cases of each property (`given any`).
    #[arg(long, value_name = "N", default_value_t = Options::CASES)]
    cases: u32,

    /// Where the search for counterexamples begins; the same seed finds the same.
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,

    /// Also write the results as XML in the form of `JUnit`.
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,
}

pub fn run(args: &Args, output: &Output) -> Result<Exit, Failure> {
    let (project, compiled, bundle) = compiled::sound(&args.paths, output)?;
    let settings = Settings::load(&project.root, output)?;
    let suite = Suite {
        model: &compiled.model,
        bundle: &Arc::new(bundle),
        sources: &compiled.sources,
        zone: &settings.config.zone,
    };
    let reports = testing::run(suite, &args.options());
    output.document(|out| reports.iter().try_for_each(|report| report.write(args.trace, out)))?;
    if let Some(path) = &args.junit {
        write_junit(path, &reports)?;
    }
    // The reports stand above the sum of them.
    output.flush()?;
    conclude(&reports, args, output)
}

impl Args {
    fn options(&self) -> Options {
        let threads = std::thread::available_parallelism().map_or(1, NonZero::get);
        Options { filter: self.filter.clone(), seed: self.seed, cases: self.cases, threads }
    }
}

fn conclude(reports: &[Report], args: &Args, output: &Output) -> Result<Exit, Failure> {
    if reports.is_empty() {
        let failure = match &args.filter {
            Some(text) => Failure::new(format_args!("no test has `{text}` in its title or journey")),
            None => Failure::new("there is no test")
                .help("write one beside the journey: `test \"…\" of NAME { … }`"),
        };
        return Err(failure);
    }
    let failed = reports.iter().filter(|report| !report.passed()).count();
    output.say(format_args!("{} passed, {failed} failed", reports.len() - failed));
    Ok(if failed == 0 { Exit::Clean } else { Exit::Findings })
}

fn write_junit(path: &Path, reports: &[Report]) -> Result<(), Failure> {
    let file = File::create(path).map_err(|error| Failure::file("write", path, &error))?;
    let mut out = BufWriter::new(file);
    junit::write(reports, &mut out)
        .and_then(|()| out.flush())
        .map_err(|error| Failure::file("write", path, &error))
}
