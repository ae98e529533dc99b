//! Wayfare: customer journeys as a language, a compiler that proves what can be proved, and a durable runtime.
//!
//! Data flows one way; read the modules in this order:
//!
//! | phase | modules |
//! |---|---|
//! | text and findings | [`text`], [`name`], [`diagnostic`] |
//! | values | [`value`] (types and values), [`expr`] (resolved expressions) |
//! | compiler | [`syntax`] -> [`model`] -> [`graph`] -> [`program`], driven by [`compile`]; files by [`project`] |
//! | runtime | [`step`] (pure) -> [`store`], [`channel`] -> [`engine`] -> [`http`] |
//! | people | [`testing`], [`cli`] |
//!
//! `tests/layers.rs` keeps the arrows: a module may only use those before it in its row of the layer table there.

pub mod channel;
pub mod cli;
pub mod config;
pub mod diagnostic;
pub mod engine;
pub mod expr;
pub mod model;
pub mod name;
pub mod program;
pub mod step;
pub mod store;
pub mod syntax;
pub mod text;
pub mod value;
