//! One file per verb: an `Args` struct and one `run` function.

pub mod explain;
