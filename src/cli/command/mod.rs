//! One file per verb: an `Args` struct and one `run` function.

mod against;
pub mod audience;
pub mod bench;
pub mod build;
pub mod check;
pub mod codes;
pub mod compiled;
pub mod content;
pub mod customers;
pub mod dead_letters;
pub mod dev;
pub mod events;
pub mod explain;
pub mod fmt;
pub mod graph;
pub mod init;
pub mod ledger;
pub mod lottery;
pub mod plan;
pub mod prove;
pub mod rules;
pub mod run;
pub mod simulate;
mod tally;
pub mod test;
mod waived;
pub mod why;

#[cfg(test)]
mod tests;
