//! `wayfare bench`: what the product does per second, beside the limit of the machine, in one run.

mod check;
mod daemon;
mod latency;
#[path = "../../../benches/limit/mod.rs"]
mod limit;
mod load;
mod peer;
mod place;
mod project;
mod python;
mod restate;
mod run;
#[path = "../../../benches/sink.rs"]
mod sink;
mod verify;

use crate::cli::{Exit, Failure, Output};

/// Measure, and compare with the limit measured in the same run.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// A workload through the daemon: enrol, push, wait, open or fall back to SMS, tag, end.
    ///
    /// W1 waits 2 s. W2 is what a bank has: many wait for long, opens come for people enrolled at a random earlier
    /// time, and those enrolled together long ago are due together. Events come in over HTTP in batches, sends are
    /// recorded; beside it the same rows written by a plain loop, and the peers that are asked for.
    Run(run::Args),
    /// The compiler on a generated project: lines per second, memory, and the time of a one-file edit. One core.
    Check(check::Args),
}

pub fn run(args: &Args, output: &Output) -> Result<Exit, Failure> {
    match &args.what {
        What::Run(args) => run::run(args, output),
        What::Check(args) => check::run(args, output),
    }
}
