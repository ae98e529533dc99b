//! Text to tokens to tree. Knows the grammar and nothing else: no names are resolved, no types are known.
//!
//! INVARIANT: parsing never fails and never panics; it returns a tree and the findings ([`parse`]).
//!
//! Reading order: [`token`], [`lexer`] (all text, lossless), `mistake` and `layout` (what the grammar sees),
//! [`parser`] (the grammar), [`ast`] (what comes out), [`words`] (the words of the language, in one table).

pub mod ast;
mod braces;
mod layout;
pub mod lexer;
mod literal;
mod mistake;
pub mod parser;
pub mod token;
pub mod words;

pub use layout::significant;
pub use parser::{Parsed, copy_indentation, parse, parse_expr};
