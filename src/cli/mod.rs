//! The command line: [`args`] is the tree of verbs, [`command`] has one file per verb, [`output`] is the only file
//! that prints, [`exit`] says what a run ended in, [`settings`] finds `wayfare.toml`.
//!
//! Manners: stdout carries data, stderr talk; a reader that goes away is not an error; every failure says what to
//! do next. A command is an `Args` struct and one `run` function; work that others could use lives elsewhere.

pub mod args;
pub mod client;
pub mod command;
pub mod daemon;
pub mod exit;
pub mod output;
pub mod packs;
mod replace;
pub mod settings;
pub mod shelf;
mod watch;

use std::ffi::OsString;

use clap::Parser;

pub use exit::{Exit, Failure};
pub use output::Output;

use args::Args;

/// Runs one command line; the first item is the name of the program.
#[must_use]
pub fn main(line: impl IntoIterator<Item = OsString>) -> Exit {
    let args = match Args::try_parse_from(line) {
        Ok(args) => args,
        Err(error) => return usage(&error),
    };
    let output = Output::stdio(args.color);
    let result = args.command.run(&output);
    let exit = result.and_then(|exit| output.flush().map(|()| exit));
    exit.unwrap_or_else(|failure| failure.tell(&output))
}

/// Help and version are data; everything else clap has to say is talk.
fn usage(error: &clap::Error) -> Exit {
    let output = Output::stdio(clap::ColorChoice::Auto);
    if error.use_stderr() {
        output.say_styled(&error.render());
        return Exit::Usage;
    }
    let printed = output.data_styled(&error.render()).and_then(|()| output.flush());
    printed.map_or_else(|failure| failure.tell(&output), |()| Exit::Clean)
}
