//! The runtime's heart: one pure function over one root subject's whole state.
//!
//! `step(world, state, input, now) -> effects, trace`. No IO, no clock, no chance: they are arguments. The daemon,
//! `wayfare test` and every simulation call this one function; a behaviour that exists only in the daemon is a
//! defect. Reading order: [`world`] (what is the same for everybody), [`state`] (what is one customer's),
//! [`input`], [`effect`], [`trace`].

pub mod codec;
pub mod effect;
pub mod history;
mod index;
pub mod input;
pub mod state;
pub mod symbols;
pub mod trace;
mod wire;
pub mod world;

pub use effect::{Delivery, Effect, Output};
pub use input::{Event, EventKind, Input, MessageKey, RootKey};
pub use state::State;
pub use symbols::{Sym, Symbols};
pub use trace::{Decision, Trace};
pub use world::{Kill, ProgramNo, World};
