//! A compilation that can be gone on with: what every phase found, and which of it an edit leaves as it is.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::thread;

use jiff::civil::Date;

use super::{File, calendars, echo};
use crate::diagnostic::suppress::suppress;
use crate::diagnostic::{self, Diagnostic, Severity, code};
use crate::graph::Shapes;
use crate::lower::{Lowered, TooLarge};
use crate::meaning::Meanings;
use crate::model::check::asset::assets;
use crate::model::check::{Due, Memory, named_files};
use crate::model::{Context, Journey};
use crate::name::Name;
use crate::program::Bundle;
use crate::rules::{self, Chosen, Touched, Trees};
use crate::syntax::token::TokenKind;
use crate::syntax::{ast, parse};
use crate::text::{FileId, Sources, Span};

/// Texts of calendars and organisations, and what is known of pictures, by the path of the file that names them and the path written there.
pub(super) type Named = BTreeMap<(Arc<str>, Arc<str>), Arc<str>>;

/// Fewer files than this are read faster by one thread.
const WORTH_THREADS: usize = 64;

/// One file, read.
#[derive(Debug)]
pub(super) struct Parsed {
    pub(super) tree: ast::File,
    pub(super) diagnostics: Vec<Diagnostic>,
    /// Names in what could not be read.
    lost: BTreeSet<Name>,
    /// Comments that may excuse warnings.
    comments: Vec<Span>,
}

impl Parsed {
    /// Whether the phases behind the parser hear of it besides its tree.
    fn is_noted(&self) -> bool {
        !(self.diagnostics.is_empty() && self.lost.is_empty() && self.comments.is_empty())
    }
}

#[derive(Debug, Default)]
pub(super) struct Work {
    pub(super) sources: Sources,
    context: Context,
    pub(super) files: BTreeMap<FileId, Parsed>,
    /// Those of them that are noted: few of ten thousand, and an edit of one looks at all of these.
    noted: BTreeSet<FileId>,
    pub(super) memory: Memory,
    pub(super) shapes: Shapes,
    meanings: Meanings,
    lowered: Lowered,
    /// See [`super::Input::today`].
    pub(super) today: Option<Date>,
    /// See [`super::Input::rules`].
    pub(super) rules: Option<Chosen>,
    held: rules::Memory,
    /// There are no errors.
    sound: bool,
    /// Of all phases, sorted by place.
    pub(super) diagnostics: Vec<Diagnostic>,
}

impl Work {
    /// Reads `files` in place of what had their numbers before.
    pub(super) fn read(&mut self, files: &[(FileId, &File)], named: &Named) {
        for ((id, file), parsed) in files.iter().zip(parse_all(files)) {
            self.sources.set(*id, file.path.clone(), file.text.clone());
            self.context.packages.insert(*id, file.package.clone());
            if parsed.is_noted() {
                self.noted.insert(*id)
            } else {
                self.noted.remove(id)
            };
            self.files.insert(*id, parsed);
        }
        self.read_named(files.iter().copied(), named);
    }

    /// Takes the texts that `files` name from `named`.
    pub(super) fn read_named<'f>(&mut self, files: impl Iterator<Item = (FileId, &'f File)>, named: &Named) {
        for (id, file) in files {
            self.forget_named(id);
            let tree = self.files.get(&id).map(|parsed| &parsed.tree);
            let paths = tree.into_iter().flat_map(|tree| named_files(tree).into_iter().chain(assets(tree)));
            let paths: Vec<Arc<str>> = paths.collect();
            for written in paths {
                if let Some(text) = named.get(&(file.path.clone(), written.clone())) {
                    self.context.named.insert((id, written), text.clone());
                }
            }
        }
    }

    fn forget_named(&mut self, id: FileId) {
        self.context.named.retain(|(of, _), _| *of != id);
    }

    pub(super) fn remove(&mut self, id: FileId) {
        self.sources.remove(id);
        self.context.packages.remove(&id);
        self.forget_named(id);
        self.files.remove(&id);
        self.noted.remove(&id);
    }

    /// Runs the phases behind the parser over what is due.
    pub(super) fn check(&mut self, due: Due) {
        let trees: Vec<(FileId, &ast::File)> =
            self.files.iter().map(|(id, file)| (*id, &file.tree)).collect();
        let noted: Vec<&Parsed> = self.noted.iter().filter_map(|id| self.files.get(id)).collect();
        self.context.lost = noted.iter().flat_map(|file| file.lost.iter().copied()).collect();
        let checked = self.memory.check(&trees, &self.context, due);
        let model = self.memory.model();
        let mut diagnostics = checked.findings;
        let syntax = || noted.iter().flat_map(|file| &file.diagnostics);
        echo::leave_out(&mut diagnostics, syntax(), model, &self.sources);
        diagnostics.extend(syntax().cloned());
        let errors = Errors::of(&diagnostics);
        let names = (!checked.looked.is_everything()).then(|| checked.looked.names());
        self.shapes.look(model, names, |journey| errors.spare(journey));
        diagnostics.extend(self.shapes.findings());
        self.meanings.look(model, names, |journey| self.shapes.has(journey));
        diagnostics.extend(self.meanings.findings().cloned());
        self.lowered.forget(names);
        if !has_errors(&diagnostics) {
            self.lowered.measure(model, &self.sources);
            diagnostics.extend(self.lowered.too_large().map(too_large));
        }
        if !model.calendars.is_empty()
            && !has_errors(&diagnostics)
            && let Some(today) = self.today
        {
            let programs = self.lowered.programs(model, &self.sources);
            diagnostics.extend(calendars::check(model, programs, today));
        }
        self.sound = !has_errors(&diagnostics);
        let comments: Vec<Span> = noted.iter().flat_map(|file| file.comments.iter().copied()).collect();
        suppress(&self.sources, &comments, &mut diagnostics);
        // What breaks a rule of compliance, where nothing else is wrong. Waivers excuse it, comments do not.
        let found = self.rules.as_ref().map(|chosen| {
            let touched = touched(&checked.looked);
            if !self.sound {
                self.held.miss(&touched);
                return Vec::new();
            }
            self.held.check(model, &self.sources, Trees::new(&trees), chosen, &touched)
        });
        let found = found.unwrap_or_default();
        self.sound = self.sound && !has_errors(&found);
        diagnostics.extend(found);
        diagnostic::sort(&mut diagnostics);
        self.diagnostics = diagnostics;
    }

    /// `None` exactly if there are errors.
    pub(super) fn bundle(&mut self) -> Option<Bundle> {
        self.sound.then(|| self.lowered.bundle(self.memory.model(), &self.sources))
    }
}

fn touched(looked: &Due) -> Touched {
    Touched {
        everything: looked.is_everything(),
        names: looked.names().clone(),
        files: looked.files().clone(),
    }
}

/// Where errors begin, by file.
struct Errors(BTreeMap<FileId, Vec<u32>>);

impl Errors {
    fn of(diagnostics: &[Diagnostic]) -> Self {
        let mut errors: BTreeMap<FileId, Vec<u32>> = BTreeMap::new();
        for finding in diagnostics.iter().filter(|finding| finding.severity == Severity::Error) {
            let span = finding.primary.span;
            errors.entry(span.file).or_default().push(span.start);
        }
        Self(errors)
    }

    /// A journey with an error inside lacks parts, and what its shape seems to say would mislead.
    fn spare(&self, journey: &Journey) -> bool {
        let whole = journey.span.start.min(journey.close.start)..journey.close.end.max(journey.span.end);
        let starts = self.0.get(&journey.span.file);
        !starts.is_some_and(|starts| starts.iter().any(|start| whole.contains(start)))
    }
}

/// The trees of all files, in their order; on several cores where there are some.
fn parse_all(files: &[(FileId, &File)]) -> Vec<Parsed> {
    let read = |(id, file): &(FileId, &File)| {
        let parsed = parse(*id, &file.text);
        let comments = parsed.tokens.iter().filter(|token| token.kind == TokenKind::Comment);
        let comments = comments.filter(|token| token.text(&file.text).contains("allow"));
        Parsed {
            comments: comments.map(|token| token.span(*id)).collect(),
            tree: parsed.file,
            diagnostics: parsed.diagnostics,
            lost: parsed.lost,
        }
    };
    let threads = thread::available_parallelism().map_or(1, std::num::NonZero::get);
    if threads == 1 || files.len() < WORTH_THREADS {
        return files.iter().map(read).collect();
    }
    let chunks = files.chunks(files.len().div_ceil(threads));
    thread::scope(|scope| {
        let running: Vec<_> = chunks
            .map(|chunk| (chunk, scope.spawn(move || chunk.iter().map(read).collect::<Vec<_>>())))
            .collect();
        let parsed = running.into_iter().flat_map(|(chunk, thread)| {
            // A parser never panics; were it to, this thread says so instead of losing files.
            thread.join().unwrap_or_else(|_| chunk.iter().map(read).collect())
        });
        parsed.collect()
    })
}

fn too_large(it: &TooLarge) -> Diagnostic {
    let headline = format!("`{}` has more parts than a program can hold", it.name);
    Diagnostic::new(code::TOO_DEEP, it.span, headline)
        .label("more than 65,534 steps, or as many conditions")
        .help("divide it and hand over with `start`")
}

pub(super) fn has_errors(diagnostics: &[Diagnostic]) -> bool {
    diagnostics.iter().any(|finding| finding.severity == Severity::Error)
}
