//! The runtime: inputs in, batches through the pure step, one transaction per batch, effects out.
//!
//! One task owns the world and does everything in turn, so there is nothing to lock: it gathers inputs, loads the
//! touched states in one read, steps each in memory and commits once. The doors hold an [`EngineHandle`].
//!
//! Reading order: [`handle`] (the face), [`clock`], `run` (the loop), `gather` (inputs), `intake` (identity), `work` (one subject), `carry` (from row to row),
//! `batch` (one commit), `last` and `patient` (commits that fail), `timers`, `lane`, `survey`, `dispatch`, `judge`, `rate` and `switches` (the outbox), `sweep`, `deploy`,
//! [`desk`] (work for people), `shorten` (links in text messages), [`fill`] (history of new conditions), `trim` (what goes), [`audience`] (counts), [`trial`] (experiments), `till`, `book` and [`audit`] (what all share, and the books), `refer` (other roots), [`referral`] (who invites whom), `share` (other workers), `pack` and
//! [`payload`] (rows), [`why`] (reading traces).

pub mod audience;
pub mod audit;
mod batch;
mod book;
mod carry;
pub mod clock;
mod close;
mod deploy;
pub mod desk;
mod dispatch;
pub mod fill;
mod gallery;
mod gather;
pub mod handle;
mod intake;
mod judge;
mod lane;
mod last;
mod lottery;
mod pack;
pub mod partner;
mod patient;
pub mod payload;
mod rate;
mod refer;
pub mod referral;
mod release;
mod run;
mod share;
mod shorten;
pub mod show;
mod start;
mod survey;
mod sweep;
mod switches;
mod till;
mod timers;
pub mod trial;
mod trim;
pub mod why;
mod work;

pub use handle::{EngineError, EngineHandle, Receipt, Stats, SubmitError};
pub use shorten::Shortener;
pub use start::{Options, Upkeep, Watcher, begin_clock, open_clock, start};
pub use work::Steps;
