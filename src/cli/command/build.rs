//! `wayfare build`: the journeys of a project as one bundle, which is what a daemon deploys.

use std::fs;
use std::path::{Path, PathBuf};

use super::compiled;
use crate::cli::{Exit, Failure, Output};

/// Compile journeys into a bundle, and print its hash. What breaks a rule of compliance is not built.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Files or folders; without any, the project around the current folder.
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,

    /// Where the bundle goes, as JSON.
    #[arg(short, long, value_name = "FILE")]
    output: PathBuf,
}

pub fn run(args: &Args, output: &Output) -> Result<Exit, Failure> {
    let (_, _, bundle) = compiled::held(&args.paths, output)?;
    let text = serde_json::to_string(&bundle)
        .map_err(|error| Failure::new(format_args!("the bundle cannot be written as JSON: {error}")))?;
    write(&args.output, &text)?;
    output.data(&bundle.hash)?;
    Ok(Exit::Clean)
}

/// Whole or not at all: a daemon may be looking at the file.
fn write(path: &Path, text: &str) -> Result<(), Failure> {
    let mut beside = path.as_os_str().to_owned();
    beside.push(".new");
    let beside = PathBuf::from(beside);
    fs::write(&beside, text).map_err(|error| Failure::file("write", &beside, &error))?;
    fs::rename(&beside, path).map_err(|error| Failure::file("write", path, &error))
}
