//! `wayfare graph`: a journey as a drawing, or as JSON for tools.

use std::path::PathBuf;

use super::compiled;
use crate::cli::{Exit, Failure, Output};
use crate::compile::{Compilation, compile};
use crate::diagnostic::suggest::did_you_mean;
use crate::graph::{JourneyGraph, export};
use crate::name::Name;

/// Draw a journey.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The name of the journey.
    #[arg(value_name = "JOURNEY")]
    journey: String,

    /// Files or folders; without any, the project around the current folder.
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,

    /// Graphviz, Mermaid (as GitHub draws it) or JSON.
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    Dot,
    #[default]
    Mermaid,
    Json,
}

pub fn run(args: &Args, output: &Output) -> Result<Exit, Failure> {
    let compilation = compile(&compiled::read(&args.paths)?.input);
    let graph = find(&compilation, &args.journey, output)?;
    let text = match args.format {
        Format::Dot => export::dot(graph),
        Format::Mermaid => export::mermaid(graph),
        Format::Json => format!("{:#}\n", export::json(graph)),
    };
    output.document(|to| to.write_all(text.as_bytes()))?;
    Ok(Exit::Clean)
}

/// A journey with errors has no graph; what is wrong is told instead.
fn find<'a>(
    compilation: &'a Compilation,
    wanted: &str,
    output: &Output,
) -> Result<&'a JourneyGraph, Failure> {
    let name = Name::lookup(wanted);
    if let Some(graph) = name.and_then(|name| compilation.graphs.get(&name)) {
        return Ok(graph);
    }
    if compilation.has_errors() {
        output.complain(&compilation.diagnostics, &compilation.sources);
        return Err(Failure::Found);
    }
    let known: Vec<&str> = compilation.graphs.keys().map(|name| name.as_str()).collect();
    let help = did_you_mean(wanted, known.iter().copied());
    let help = help.unwrap_or_else(|| format!("the journeys here: {}", known.join(", ")));
    Err(Failure::new(format_args!("there is no journey `{wanted}`")).help(help))
}
