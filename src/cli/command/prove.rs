//! `wayfare prove JOURNEY`: what holds for every run of a journey, to be attached to an approval. Without a journey: what
//! all journeys of the project can do to one customer together.

use std::path::{Path, PathBuf};

use serde::Serialize;

use super::compiled;
use crate::analysis::portfolio::portfolio;
use crate::analysis::proof::prove;
use crate::cli::{Exit, Failure, Output};
use crate::diagnostic::suggest::did_you_mean;
use crate::name::Name;

/// State what is proved of a journey, what is bounded, and what is only enforced while it runs.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The name of the journey; without it, or with a file or folder alone in its place, what all journeys together can do to one customer.
    #[arg(value_name = "JOURNEY")]
    journey: Option<String>,

    /// Files or folders; without any, the project around the current folder.
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,

    /// As one JSON document.
    #[arg(long)]
    json: bool,
}

pub fn run(args: &Args, output: &Output) -> Result<Exit, Failure> {
    match &args.journey {
        None => together(&args.paths, args.json, output),
        Some(place) if args.paths.is_empty() && Path::new(place).exists() => {
            together(&[PathBuf::from(place)], args.json, output)
        }
        Some(journey) => alone(journey, args, output),
    }
}

fn alone(journey: &str, args: &Args, output: &Output) -> Result<Exit, Failure> {
    let (_, compilation, bundle) = compiled::sound(&args.paths, output)?;
    let name = Name::lookup(journey);
    let Some(found) = name.and_then(|name| compilation.model.journeys.get(&name)) else {
        let known: Vec<&str> = compilation.model.journeys.keys().map(|name| name.as_str()).collect();
        let help = did_you_mean(journey, known.iter().copied());
        let help = help.unwrap_or_else(|| format!("the journeys here: {}", known.join(", ")));
        return Err(Failure::new(format_args!("there is no journey `{journey}`")).help(help));
    };
    let program = bundle.programs.get(&found.name).map(|program| program.hash.clone());
    let proof = prove(&compilation.model, found, &compilation.sources, program);
    write(&proof, proof.text(), args.json, output)
}

fn together(paths: &[PathBuf], json: bool, output: &Output) -> Result<Exit, Failure> {
    let (_, compilation, _) = compiled::sound(paths, output)?;
    let portfolio = portfolio(&compilation.model, &compilation.sources);
    write(&portfolio, portfolio.text(), json, output)
}

fn write(statement: &impl Serialize, text: String, json: bool, output: &Output) -> Result<Exit, Failure> {
    let text = if json {
        let text = serde_json::to_string_pretty(statement).map_err(|error| {
            Failure::new(format_args!("the statement cannot be written as JSON: {error}"))
        })?;
        format!("{text}\n")
    } else {
        text
    };
    output.document(|to| to.write_all(text.as_bytes()))?;
    Ok(Exit::Clean)
}
