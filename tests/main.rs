//! The one integration binary. A story is a module; what several share is in `support`.

#![allow(clippy::expect_used, clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may stop")]
#![allow(clippy::print_stdout, reason = "what a test says is shown when it fails")]

/// As in the daemon.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

mod analysis;
mod catch_up;
mod check;
mod cli;
mod compile;
mod coverage;
mod crash;
mod demo;
mod deployable;
mod disk;
mod docs;
mod editors;
mod engine;
mod format;
mod formats;
mod fuzz;
mod ingest;
mod init;
mod language;
mod layers;
mod ledger;
mod listen;
mod lottery;
mod meaning;
mod mutants;
mod newcomer;
mod oracle;
mod orgs;
mod pages;
mod parse;
mod plan;
mod preview;
mod providers;
mod readme;
mod rules;
mod rush;
mod session;
mod sim;
mod simulate;
mod step;
mod store;
mod support;
mod takeover;
mod testing;
mod torture;
mod typos;
mod verbs;
mod watch;
mod workers;
