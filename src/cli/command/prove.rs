//! `wayfare prove JOURNEY`: what holds for every run of a journey, to be attached to an approval.

use std::path::PathBuf;

use super::compiled;
use crate::analysis::proof::prove;
use crate::cli::{Exit, Failure, Output};
use crate::diagnostic::suggest::did_you_mean;
use crate::name::Name;

/// State what is proved of a journey, what is bounded, and what is only enforced while it runs.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The name of the journey.
    #[arg(value_name = "JOURNEY")]
    journey: String,

    /// Files or folders; without any, the project around the current folder.
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,

    /// As one JSON document.
    #[arg(long)]
    json: bool,
}

pub fn run(args: &Args, output: &Output) -> Result<Exit, Failure> {
    let (_, compilation, bundle) = compiled::sound(&args.paths, output)?;
    let name = Name::lookup(&args.journey);
    let journey = name.and_then(|name| compilation.model.journeys.get(&name));
    let Some(journey) = journey else {
        let known: Vec<&str> = compilation.model.journeys.keys().map(|name| name.as_str()).collect();
        let help = did_you_mean(&args.journey, known.iter().copied());
        let help = help.unwrap_or_else(|| format!("the journeys here: {}", known.join(", ")));
        return Err(Failure::new(format_args!("there is no journey `{}`", args.journey)).help(help));
    };
    let program = bundle.programs.get(&journey.name).map(|program| program.hash.clone());
    let proof = prove(&compilation.model, journey, &compilation.sources, program);
    let text = if args.json {
        let text = serde_json::to_string_pretty(&proof).map_err(|error| {
            Failure::new(format_args!("the statement cannot be written as JSON: {error}"))
        })?;
        format!("{text}\n")
    } else {
        proof.text()
    };
    output.document(|to| to.write_all(text.as_bytes()))?;
    Ok(Exit::Clean)
}
