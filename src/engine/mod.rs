//! The runtime: inputs in, batches through the pure step, one transaction per batch, effects out.
//!
//! One task owns the world and does everything in turn, so there is nothing to lock: it gathers inputs, loads the
//! touched states in one read, steps each in memory and commits once. The doors hold an [`EngineHandle`].

pub mod clock;
pub mod handle;

pub use handle::{EngineError, EngineHandle, Receipt, Stats, SubmitError};
