//! The one integration binary. A story is a module; what several share is in `support`.

#![allow(clippy::expect_used, clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may stop")]

mod check;
mod cli;
mod coverage;
mod compile;
mod editors;
mod engine;
mod init;
mod layers;
mod pages;
mod parse;
mod step;
mod store;
mod support;
mod testing;
mod verbs;
