//! The one driver of the compiler: from the texts of a project to a bundle and everything there is to say about it.
//!
//! Pure: files are read by [`crate::project`], and whoever has texts from elsewhere (tests, editors) calls
//! [`compile`] with them. Nothing stops at the first mistake; there is a bundle exactly when there is no error.

mod calendars;
pub mod mend;

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::civil::Date;

use crate::diagnostic::suppress::suppress;
use crate::diagnostic::{self, Diagnostic, Severity, code};
use crate::graph::{self, JourneyGraph};
use crate::lower;
use crate::meaning;
use crate::model::check::calendar_files;
use crate::model::{self, Context, Journey, Model};
use crate::name::Name;
use crate::program::Bundle;
use crate::syntax::token::{Token, TokenKind};
use crate::syntax::{ast, parse};
use crate::text::{FileId, Sources};

/// A project as texts. The order of files changes nothing but the numbers in spans.
#[derive(Clone, Debug, Default)]
pub struct Input {
    pub files: Vec<File>,
    /// Texts of calendar files, by the path of the file that names them and the path written there.
    pub calendars: BTreeMap<(Arc<str>, Arc<str>), Arc<str>>,
    /// The day from which on people enter; without it nobody asks whether calendars reach far enough.
    pub today: Option<Date>,
}

/// One journey file.
#[derive(Clone, Debug)]
pub struct File {
    /// As the user would type it.
    pub path: Arc<str>,
    /// The folder, dotted; empty for the top folder.
    pub package: Arc<str>,
    pub text: Arc<str>,
}

/// What comes of it.
#[derive(Clone, Debug, Default)]
pub struct Compilation {
    pub sources: Sources,
    /// All that is right.
    pub model: Model,
    /// Of the journeys that have no errors, by name.
    pub graphs: BTreeMap<Name, JourneyGraph>,
    /// `None` exactly if there are errors.
    pub bundle: Option<Bundle>,
    /// Sorted by place.
    pub diagnostics: Vec<Diagnostic>,
}

impl Compilation {
    #[must_use]
    pub fn has_errors(&self) -> bool {
        has_errors(&self.diagnostics)
    }
}

/// Compiles a whole project.
#[must_use]
pub fn compile(input: &Input) -> Compilation {
    let mut sources = Sources::default();
    let mut diagnostics = Vec::new();
    let mut context = Context::default();
    let mut trees = Vec::new();
    let mut comments = Vec::new();
    for file in &input.files {
        let id = sources.add(&file.path, &file.text);
        let parsed = parse(id, &file.text);
        let is_comment = |token: &&Token| token.kind == TokenKind::Comment;
        comments.extend(parsed.tokens.iter().filter(is_comment).map(|token| token.span(id)));
        diagnostics.extend(parsed.diagnostics);
        context.lost.extend(parsed.lost);
        context.packages.insert(id, file.package.clone());
        context.calendars.extend(calendars(input, file, id, &parsed.file));
        trees.push((id, parsed.file));
    }
    let trees: Vec<(FileId, &ast::File)> = trees.iter().map(|(id, tree)| (*id, tree)).collect();
    let (model, found) = model::check(&trees, &context);
    diagnostics.extend(found);
    let sound = model.journeys.values().filter(|journey| is_sound(journey, &diagnostics));
    let graphs: BTreeMap<Name, JourneyGraph> =
        sound.map(|journey| (journey.name, graph::build(journey))).collect();
    diagnostics.extend(graph::check(&model, &graphs));
    let sound = model.journeys.values().filter(|journey| graphs.contains_key(&journey.name));
    diagnostics.extend(meaning::check(&model, sound));
    let mut bundle = bundle(&model, &sources, &mut diagnostics);
    if let (Some(whole), Some(today)) = (&bundle, input.today) {
        diagnostics.extend(calendars::check(&model, &graphs, whole, today));
        bundle = bundle.filter(|_| !has_errors(&diagnostics));
    }
    suppress(&sources, &comments, &mut diagnostics);
    diagnostic::sort(&mut diagnostics);
    Compilation { sources, model, graphs, bundle, diagnostics }
}

type Calendar = ((FileId, Arc<str>), Arc<str>);

fn calendars(input: &Input, file: &File, id: FileId, tree: &ast::File) -> Vec<Calendar> {
    let named = calendar_files(tree).into_iter();
    let read = named.filter_map(|written| {
        let text = input.calendars.get(&(file.path.clone(), written.clone()))?;
        Some(((id, written), text.clone()))
    });
    read.collect()
}

/// A journey with an error inside lacks parts, and what its shape seems to say would mislead.
fn is_sound(journey: &Journey, diagnostics: &[Diagnostic]) -> bool {
    let whole = journey.span.start.min(journey.close.start)..journey.close.end.max(journey.span.end);
    let errors = diagnostics.iter().filter(|finding| finding.severity == Severity::Error);
    let mut inside = errors
        .map(|finding| finding.primary.span)
        .filter(|span| span.file == journey.span.file && whole.contains(&span.start));
    inside.next().is_none()
}

fn bundle(model: &Model, sources: &Sources, diagnostics: &mut Vec<Diagnostic>) -> Option<Bundle> {
    if has_errors(diagnostics) {
        return None;
    }
    match lower::bundle(model, sources) {
        Ok(bundle) => Some(bundle),
        Err(large) => {
            diagnostics.extend(large.into_iter().map(|it| {
                let headline = format!("`{}` has more parts than a program can hold", it.name);
                Diagnostic::new(code::TOO_DEEP, it.span, headline)
                    .label("more than 65,534 steps, or as many conditions")
                    .help("divide it and hand over with `start`")
            }));
            None
        }
    }
}

fn has_errors(diagnostics: &[Diagnostic]) -> bool {
    diagnostics.iter().any(|finding| finding.severity == Severity::Error)
}

#[cfg(test)]
mod tests;
