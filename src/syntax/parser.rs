//! Tokens to tree, by predictive recursive descent over nom's parser type.
//!
//! The first word of a line decides what the line is, so nothing is ever tried and taken back: a finding is said
//! once, and time is linear. nom gives the plumbing (`Parser`, tuples, `map`); `alt` stands only between leaves.
//! What is missing is reported and taken as written; what cannot be read is skipped to the end of its item and
//! stands as an `Error` node, about which later phases stay quiet.
//!
//! Reading order: [`input`] (what parsers read), [`primitive`] (items, blocks, lists, recovery), [`report`] (what
//! is said), [`heading`] (first words), then the grammar from the file down.

#![allow(clippy::unnecessary_wraps, reason = "a parser has the shape of a parser even where it cannot fail")]

mod choose;
mod content;
mod copy;
mod decl;
mod duration;
mod entity;
mod experiment;
mod expr;
mod file;
mod give;
mod govern;
mod heading;
mod input;
mod journey;
mod operand;
mod pattern;
mod policy;
mod primitive;
mod rate;
mod reach;
mod repeat;
mod replies;
mod report;
mod show;
mod stages;
mod step;
mod tail;
mod task;
mod test;
mod value;
mod wait;
mod world;

use std::collections::BTreeSet;

pub use copy::indentation as copy_indentation;

use input::{Context, In};

use super::ast;
use super::braces;
use super::layout::layout;
use super::lexer::lex;
use super::token::{Token, TokenKind};
use crate::diagnostic::{self, Diagnostic};
use crate::name::Name;
use crate::text::{FileId, SourceFile};

/// What a text was read as.
#[derive(Clone, Debug)]
pub struct Parsed {
    pub file: ast::File,
    /// Every token of the text, trivia included.
    pub tokens: Vec<Token>,
    /// Sorted by place.
    pub diagnostics: Vec<Diagnostic>,
    /// Names in what could not be read: perhaps it declares them, so nobody is told that they are unknown.
    pub lost: BTreeSet<Name>,
    /// How often the grammar looked at a token, holes of copies included: its work, where a clock would depend on the
    /// machine. At most some constant times the number of tokens.
    pub looks: usize,
}

/// Reads a whole file. Never fails: what could not be read is in the findings and stands as `Error` in the tree.
#[must_use]
pub fn parse(file: FileId, text: &str) -> Parsed {
    let tokens = lex(text, 0..text.len());
    let mut layout = layout(file, text, &tokens);
    braces::repair(file, text, &mut layout);
    let context = Context::new(file, text, &layout);
    let tree = file::file(context.start());
    let looks = context.looks.get();
    let (mut diagnostics, lost) = (context.diagnostics.into_inner(), context.lost.into_inner());
    add_doubtful(text, &layout.doubtful, &mut diagnostics);
    diagnostic::sort(&mut diagnostics);
    Parsed { file: tree, tokens, diagnostics, lost, looks }
}

/// Adds the findings about lines that nothing else was said about.
fn add_doubtful(text: &str, doubtful: &[Diagnostic], diagnostics: &mut Vec<Diagnostic>) {
    if doubtful.is_empty() {
        return;
    }
    let source = SourceFile::new("", text);
    let line = |finding: &Diagnostic| source.line(finding.primary.span.start);
    let said: BTreeSet<u32> = diagnostics.iter().map(line).collect();
    diagnostics.extend(doubtful.iter().filter(|finding| !said.contains(&line(finding))).cloned());
}

/// Reads `text` as a single expression.
#[must_use]
pub fn parse_expr(file: FileId, text: &str) -> (ast::Expr, Vec<Diagnostic>) {
    let (expr, mut diagnostics, _) = stretch(file, text, 0, text.len());
    diagnostic::sort(&mut diagnostics);
    (expr, diagnostics)
}

/// Reads the bytes `start..end` of a file as one expression, with spans into the file, and counts the looks at tokens.
fn stretch(file: FileId, source: &str, start: usize, end: usize) -> (ast::Expr, Vec<Diagnostic>, usize) {
    let tokens = lex(source, start..end);
    let mut layout = layout(file, source, &tokens);
    let at = u32::try_from(end).unwrap_or(u32::MAX);
    layout.toks.retain(|tok| tok.kind != TokenKind::Sep);
    layout.toks.push(super::layout::Tok { kind: TokenKind::Eof, start: at, end: at, meant: "" });
    let context = Context::new(file, source, &layout);
    let expr = primitive::whole(context.start(), expr::expr);
    (expr, context.diagnostics.into_inner(), context.looks.get())
}

/// The expression in a hole of a copy; its findings join those of the file.
fn expression_in(i: In<'_>, start: usize, end: usize) -> ast::Expr {
    let (expr, diagnostics, looks) = stretch(i.cx.file, i.cx.source, start, end);
    i.cx.looks.set(i.cx.looks.get() + looks);
    i.cx.diagnostics.borrow_mut().extend(diagnostics);
    expr
}

#[cfg(test)]
mod tests;
