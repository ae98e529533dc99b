//! The tree of verbs. A verb is declared here once its command works; its arguments are in its own file.

use clap::{ColorChoice, Parser, Subcommand};

use super::command::{
    audience, bench, build, check, codes, content, customers, dead_letters, dev, events, explain, fmt, graph,
    init, ledger, lottery, plan, prove, rules, run, simulate, test, why,
};
use super::{Exit, Failure, Output};

/// Customer journeys as a language: compile, prove, plan and durably run them.
#[derive(Debug, Parser)]
#[command(name = "wayfare", version, disable_help_subcommand = true, arg_required_else_help = true)]
pub struct Args {
    /// When to use colour.
    #[arg(long, global = true, value_name = "WHEN", default_value_t = ColorChoice::Auto)]
    pub color: ColorChoice,

    #[command(subcommand)]
    pub command: Command,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    Init(init::Args),
    Check(check::Args),
    Fmt(fmt::Args),
    Graph(graph::Args),
    Prove(prove::Args),
    Plan(plan::Args),
    Simulate(simulate::Args),
    Audience(audience::Args),
    Build(build::Args),
    Test(test::Args),
    Content(content::Args),
    Customers(customers::Args),
    Events(events::Args),
    DeadLetters(dead_letters::Args),
    Codes(codes::Args),
    Ledger(ledger::Args),
    Lottery(lottery::Args),
    Explain(explain::Args),
    Rules(rules::Args),
    Run(run::Args),
    Dev(dev::Args),
    Bench(bench::Args),
    Why(why::Args),
}

impl Command {
    /// Does what was asked.
    pub fn run(&self, output: &Output) -> Result<Exit, Failure> {
        match self {
            Self::Init(args) => init::run(args, output),
            Self::Check(args) => check::run(args, output),
            Self::Fmt(args) => fmt::run(args, output),
            Self::Graph(args) => graph::run(args, output),
            Self::Prove(args) => prove::run(args, output),
            Self::Plan(args) => plan::run(args, output),
            Self::Simulate(args) => simulate::run(args, output),
            Self::Audience(args) => audience::run(args, output),
            Self::Build(args) => build::run(args, output),
            Self::Test(args) => test::run(args, output),
            Self::Content(args) => content::run(args, output),
            Self::Customers(args) => customers::run(args, output),
            Self::Events(args) => events::run(args, output),
            Self::DeadLetters(args) => dead_letters::run(args, output),
            Self::Codes(args) => codes::run(args, output),
            Self::Ledger(args) => ledger::run(args, output),
            Self::Lottery(args) => lottery::run(args, output),
            Self::Explain(args) => explain::run(args, output),
            Self::Rules(args) => rules::run(args, output),
            Self::Run(args) => run::run(args, output),
            Self::Dev(args) => dev::run(args, output),
            Self::Bench(args) => bench::run(args, output),
            Self::Why(args) => why::run(args, output),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tree_is_sound() {
        <Args as clap::CommandFactory>::command().debug_assert();
    }
}
