//! The formatter: one style for every `.journey` file, without options.
//!
//! It works on tokens and brackets, not on the tree: a word heads every line and a separator ends it, so blocks,
//! lists and the places where a line may break are all there is to know, for constructs that are added later too
//! (`docs/decisions/0009-formatter.md`).
//!
//! INVARIANT: what [`format`] gives means what it was given, holds every comment at its place, and is what it would
//! give again. It proves that on every call, by reading its own output, and refuses where the proof fails.
//!
//! Reading order: `comments` (tokens with their comments), `spelling` (of one token), `tree` (their brackets), `item`
//! and `chain` (layouts; `spacing` between two tokens, `copy` of several lines), `doc` (printing), `file`, `verify`.

mod chain;
mod comments;
mod copy;
mod doc;
mod file;
mod item;
mod spacing;
mod spelling;
mod tree;
mod verify;

use crate::diagnostic::{Diagnostic, Severity, code};
use crate::syntax::{Parsed, parse, significant};
use crate::text::{FileId, Span};

/// Why a text was not formatted.
#[derive(Clone, Debug)]
pub enum Refusal {
    /// It has syntax errors, which are these.
    Syntax(Vec<Diagnostic>),
    /// A defect of the formatter: what it made of the text did not pass the proof.
    Defect(Box<Diagnostic>),
}

/// The canonical form of `text`.
///
/// # Errors
/// Syntax errors, in which case the whole text stays as it is; and a failed proof, which should never happen.
pub fn format(file: FileId, text: &str) -> Result<String, Refusal> {
    let before = parse(file, text);
    if before.diagnostics.iter().any(is_error) {
        return Err(Refusal::Syntax(before.diagnostics.into_iter().filter(is_error).collect()));
    }
    let formatted = layout(text, &before);
    let after = parse(file, &formatted);
    if let Err(difference) = verify::same((text, &before), (&formatted, &after)) {
        return Err(defect(file, difference.describe()));
    }
    if after.diagnostics.iter().any(is_error) {
        return Err(defect(file, "it would have had syntax errors"));
    }
    if layout(&formatted, &after) != formatted {
        return Err(defect(file, "formatting it twice would have given two results"));
    }
    Ok(formatted)
}

fn layout(text: &str, parsed: &Parsed) -> String {
    let grammar = significant(text, &parsed.tokens);
    let (leaves, end) = comments::leaves(text, &parsed.tokens, &grammar);
    file::file(tree::items(leaves), end)
}

fn is_error(finding: &Diagnostic) -> bool {
    finding.severity == Severity::Error
}

fn defect(file: FileId, what: &str) -> Refusal {
    let finding = Diagnostic::new(
        code::FORMAT_DEFECT,
        Span { file, ..Span::default() },
        "the formatter could not prove its work on this file",
    )
    .help("nothing is lost: the file was left as it is")
    .help("this is a defect of `wayfare fmt`: please report it, with the file if you may share it")
    .note(what);
    Refusal::Defect(Box::new(finding))
}
