//! One file per verb: an `Args` struct and one `run` function.

pub mod customers;
pub mod events;
pub mod explain;
pub mod init;
pub mod run;
mod tally;
pub mod why;

#[cfg(test)]
mod tests;
