//! Wayfare: customer journeys as a language, a compiler that proves what can be proved, and a durable runtime.
//!
//! Data flows one way; read the modules in this order:
//!
//! | phase | modules |
//! |---|---|
//! | text and findings | [`text`], [`name`], [`diagnostic`] |
//! | what is shared | [`value`] (types and values), [`expr`] (resolved expressions), [`program`] (what the compiler makes and the runtime runs), [`logic`] (what conditions can hold together) |
//! | compiler | [`syntax`] (laid out by [`mod@format`]) -> [`model`] -> `graph` and [`meaning`] -> [`analysis`] (what holds of every run) -> `lower`, held to [`rules`], driven by `compile`; files by `project` |
//! | runtime | [`lottery`] (draws that can be repeated) -> [`step`] (pure) -> `intake` -> [`ledger`] (the books) -> [`store`], `channel` -> `engine` -> `http` |
//! | people | [`testing`], [`demo`], [`cli`], [`config`] |
//!
//! `tests/layers.rs` keeps the arrows.

pub mod analysis;
pub mod channel;
pub mod cli;
pub mod compile;
pub mod config;
pub mod demo;
pub mod diagnostic;
pub mod engine;
pub mod expr;
pub mod format;
pub mod graph;
pub mod http;
pub mod intake;
pub mod ledger;
pub mod logic;
pub mod lottery;
pub mod lower;
pub mod meaning;
pub mod model;
pub mod name;
pub mod program;
pub mod project;
pub mod rules;
pub mod step;
pub mod store;
pub mod syntax;
pub mod testing;
pub mod text;
pub mod value;
