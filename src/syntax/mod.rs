//! Text to tokens to tree. Knows the grammar and nothing else: no names are resolved, no types are known.
//!
//! INVARIANT: parsing never fails and never panics; it returns a tree and the findings ([`parse`]).

pub mod ast;
