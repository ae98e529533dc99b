//! What every checker reads: the table of declarations, what each file may see, and the model built so far.
//!
//! Nothing here reports anything by itself except through [`Sink`].

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::journey::identity::StepIds;
use crate::diagnostic::{Code, Diagnostic, Fix, Severity, code};
use crate::model::{Entity, Model};
use crate::name::{Name, NameMap, NumberMap, NumberSet};
use crate::syntax::ast::{self, Text};
use crate::text::{FileId, Span};
use crate::value::Type;

/// What a declared name is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Choice,
    Entity,
    Event,
    Tag,
    Metric,
    Audience,
    Calendar,
    Channel,
    Content,
    Journey,
    Flow,
    Stages,
    Table,
    Org,
    Product,
    Policy,
    Budget,
    Reward,
    Points,
    Lottery,
    Referral,
    Experiment,
    Task,
    Replies,
    Waiver,
}

impl Kind {
    pub(super) fn reach(self) -> Reach {
        match self {
            Self::Choice
            | Self::Entity
            | Self::Calendar
            | Self::Channel
            | Self::Budget
            | Self::Reward
            | Self::Points
            | Self::Lottery => Reach::Ground,
            Self::Event | Self::Tag | Self::Metric | Self::Audience | Self::Content => Reach::Named,
            Self::Journey | Self::Replies => Reach::Inside,
            _ => Reach::Everywhere,
        }
    }

    /// What has steps that run for subjects: both share one table of names.
    pub(super) fn runs(self) -> bool {
        matches!(self, Self::Journey | Self::Replies)
    }

    /// With its article, for messages.
    pub(super) fn words(self) -> &'static str {
        match self {
            Self::Choice => "a choice",
            Self::Entity => "an entity",
            Self::Event => "an event",
            Self::Tag => "a tag",
            Self::Metric => "a metric",
            Self::Audience => "an audience",
            Self::Calendar => "a calendar",
            Self::Channel => "a channel",
            Self::Content => "a content",
            Self::Journey => "a journey",
            Self::Flow => "a flow",
            Self::Stages => "a set of stages",
            Self::Table => "a table",
            Self::Org => "an organisation",
            Self::Product => "a product",
            Self::Policy => "a policy",
            Self::Budget => "a budget",
            Self::Reward => "a reward",
            Self::Points => "a kind of points",
            Self::Lottery => "a lottery",
            Self::Referral => "a referral",
            Self::Experiment => "an experiment",
            Self::Task => "a task",
            Self::Replies => "a set of replies",
            Self::Waiver => "a waiver",
        }
    }
}

/// How far a change of a declaration is felt: what has to be checked again after it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reach {
    /// Everything is checked again after any edit of its file. Always right, so it is where a new kind begins.
    Everywhere,
    /// Everything is checked again if the text of the declaration changes. It is itself looked at in every run, and
    /// nothing outside its file keeps places inside it.
    Ground,
    /// What names it, and what names that. Its item in the model is kept: `Memory::forget` must drop it.
    Named,
    /// As `Named`, after any edit of its file: what names it keeps places inside it.
    Inside,
}

/// One declaration and where it stands.
#[derive(Clone, Copy)]
pub(super) struct Declared<'a> {
    pub(super) name: Name,
    pub(super) kind: Kind,
    pub(super) file: FileId,
    pub(super) span: Span,
    pub(super) decl: &'a ast::Decl,
}

/// What one file may see besides its own package.
#[derive(Debug, Default)]
pub(super) struct Imports {
    pub(super) names: NumberSet<Name>,
    /// `import std.cn.bank as b`: the package meant by `b`.
    pub(super) packages: NumberMap<Name, Name>,
    /// The last name of the list that is imported from a package.
    pub(super) lists: NumberMap<Name, Span>,
    /// The last import of the file.
    pub(super) last: Option<Span>,
}

/// What other journeys need to know of a journey before it is checked.
#[derive(Clone, Copy, Debug)]
pub(super) struct Signature {
    pub(super) subject: Name,
    pub(super) by_start: bool,
}

#[derive(Default)]
pub(super) struct World<'a> {
    /// Everything but journeys.
    pub(super) decls: NameMap<Declared<'a>>,
    /// Journeys and replies have names of their own: a journey and its content are often called the same.
    pub(super) journeys: NameMap<Declared<'a>>,
    /// The same, by file and place: every walk over declarations follows it.
    pub(super) order: Vec<Declared<'a>>,
    /// Those of [`Self::order`] that are looked at in this run: all, or after an edit what it can have changed and
    /// the ground. Every phase goes through these.
    pub(super) due: Vec<Declared<'a>>,
    pub(super) extends: Vec<(FileId, &'a ast::Decl)>,
    pub(super) adjusts: Vec<(FileId, &'a ast::Decl)>,
    /// Of the files that are looked at in this run.
    pub(super) tests: Vec<(FileId, &'a ast::Decl)>,
    pub(super) packages: NumberMap<FileId, Name>,
    pub(super) imports: NumberMap<FileId, Imports>,
    pub(super) named_files: NumberMap<(FileId, Arc<str>), Arc<str>>,
    pub(super) signatures: NumberMap<Name, Signature>,
    /// Parameters of contents, known before any copy is checked.
    pub(super) takes: NumberMap<Name, Vec<(Name, Type)>>,
    /// Entities that contain this one's name as parent.
    pub(super) children: NumberMap<Name, Vec<Name>>,
    pub(super) steps: NumberMap<Name, StepIds>,
    /// Places that were complained of when a flow was looked at by itself, by its name.
    pub(super) told: NumberMap<Name, NumberSet<(&'static str, Span)>>,
    /// The metrics and audiences that each of them names.
    pub(super) needs: NumberMap<Name, BTreeSet<Name>>,
    /// Metrics and audiences must be looked at as a whole; see [`super::derived::Tangled`].
    pub(super) tangled: bool,
    /// Names in what could not be read.
    pub(super) lost: Arc<BTreeSet<Name>>,
    pub(super) model: Model,
    /// What an earlier run found and this one need not look at again. Each phase takes its part over when it begins,
    /// so that no phase ever sees more than it would in a first run.
    pub(super) before: Model,
}

/// Something is wrong and has been told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Reported;

/// Where findings go, and which of its imports each file used.
#[derive(Default)]
pub(super) struct Sink {
    pub(super) findings: Vec<Diagnostic>,
    pub(super) used: NumberSet<(FileId, Name)>,
    /// Names in what could not be read.
    pub(super) lost: Arc<BTreeSet<Name>>,
    /// The same, of what is not looked at in every run: by the file it stands in.
    pub(super) kept: BTreeMap<FileId, Kept>,
}

/// What was said about the declarations of one file.
#[derive(Debug, Default)]
pub(super) struct Kept {
    pub(super) findings: Vec<Diagnostic>,
    pub(super) used: NumberSet<(FileId, Name)>,
}

impl Sink {
    /// Reports that `path` is not known, unless it may be declared in what could not be read.
    pub(super) fn unknown(&mut self, path: &str, finding: Diagnostic) {
        if !path.split('.').any(|name| self.lost.contains(&Name::new(name))) {
            self.report(finding);
        }
    }

    pub(super) fn has_errors(&self) -> bool {
        self.findings.iter().any(|finding| finding.severity == Severity::Error)
    }

    pub(super) fn report(&mut self, finding: Diagnostic) {
        self.findings.push(finding);
    }

    /// Looks at `declared` with a sink of its own, and keeps what is said for as long as it is not looked at again.
    pub(super) fn about<T>(&mut self, declared: &Declared, look: impl FnOnce(&mut Self) -> T) -> T {
        match declared.kind.reach() {
            Reach::Named | Reach::Inside => self.within(declared.file, look),
            Reach::Ground | Reach::Everywhere => look(self),
        }
    }

    /// As [`Self::about`], for what stands in `file`.
    pub(super) fn within<T>(&mut self, file: FileId, look: impl FnOnce(&mut Self) -> T) -> T {
        let mut own = Self { lost: self.lost.clone(), ..Self::default() };
        let result = look(&mut own);
        let kept = self.kept.entry(file).or_default();
        kept.findings.append(&mut own.findings);
        merge(&mut kept.used, own.used);
        result
    }

    /// What a sink of its own has seen used.
    pub(super) fn used_too(&mut self, used: NumberSet<(FileId, Name)>) {
        merge(&mut self.used, used);
    }

    /// Whether anything in `file` used `name`.
    pub(super) fn has_used(&self, file: FileId, name: Name) -> bool {
        let kept = self.kept.get(&file).is_some_and(|kept| kept.used.contains(&(file, name)));
        kept || self.used.contains(&(file, name))
    }
}

/// Puts the smaller set into the larger one.
fn merge(into: &mut NumberSet<(FileId, Name)>, mut more: NumberSet<(FileId, Name)>) {
    if into.len() < more.len() {
        std::mem::swap(into, &mut more);
    }
    into.extend(more);
}

impl<'a> World<'a> {
    /// The text that a file names beside itself; `None`: there is none, which is told under `code`.
    pub(super) fn beside(&self, file: FileId, path: &Text, code: Code, sink: &mut Sink) -> Option<&Arc<str>> {
        let text = self.named_files.get(&(file, path.value.clone()));
        if text.is_none() {
            let headline = format!("the file `{}` is not there", path.value);
            sink.report(
                Diagnostic::new(code, path.span, headline)
                    .label("no such file")
                    .help("write the path as seen from the folder of this file"),
            );
        }
        text
    }

    /// What is looked at in this run, of these kinds. A kind stands in the list itself: nothing else is read of the others.
    pub(super) fn due_of(&self, wanted: impl Fn(Kind) -> bool) -> Vec<Declared<'a>> {
        self.due.iter().filter(|declared| wanted(declared.kind)).copied().collect()
    }

    fn package(&self, file: FileId) -> Name {
        self.packages.get(&file).copied().unwrap_or_else(|| Name::new(""))
    }

    fn visible(&self, file: FileId, declared: &Declared) -> bool {
        declared.file == file
            || self.package(declared.file) == self.package(file)
            || self.imports.get(&file).is_some_and(|imports| imports.names.contains(&declared.name))
    }

    /// The declaration `name` means in `file`, if it may be seen there. Counts as a use. Never a journey.
    pub(super) fn find(&self, sink: &mut Sink, file: FileId, name: Name) -> Option<Declared<'a>> {
        self.find_in(&self.decls, sink, file, name)
    }

    fn find_in(
        &self,
        table: &NameMap<Declared<'a>>,
        sink: &mut Sink,
        file: FileId,
        name: Name,
    ) -> Option<Declared<'a>> {
        let declared = table.get(&name).filter(|declared| self.visible(file, declared))?;
        // Nobody asks what was used but an import.
        if self.imports.get(&file).is_some_and(|imports| imports.names.contains(&name)) {
            sink.used.insert((file, name));
        }
        Some(*declared)
    }

    fn table(&self, kind: Kind) -> &NameMap<Declared<'a>> {
        if kind.runs() { &self.journeys } else { &self.decls }
    }

    /// Whatever bears the name, wherever it is declared.
    pub(super) fn anywhere(&self, name: Name) -> Option<&Declared<'a>> {
        self.decls.get(&name).or_else(|| self.journeys.get(&name))
    }

    /// Takes the alias of an imported package off the front of a path.
    pub(super) fn qualified(
        &self,
        sink: &mut Sink,
        file: FileId,
        parts: &[ast::Ident],
    ) -> Option<Declared<'a>> {
        let [alias, name, ..] = parts else { return None };
        let package = self.imports.get(&file)?.packages.get(&alias.name)?;
        let declared = self.decls.get(&name.name)?;
        sink.used.insert((file, alias.name));
        (self.package(declared.file) == *package).then_some(*declared)
    }

    /// As [`Self::qualified`], for a declaration of `kind`.
    fn qualified_as(
        &self,
        sink: &mut Sink,
        file: FileId,
        parts: &[ast::Ident],
        kind: Kind,
    ) -> Option<Declared<'a>> {
        let [alias, name] = parts else { return None };
        let package = self.imports.get(&file)?.packages.get(&alias.name)?;
        let declared = self.table(kind).get(&name.name)?;
        sink.used.insert((file, alias.name));
        (self.package(declared.file) == *package && declared.kind == kind).then_some(*declared)
    }

    /// The declaration a whole path names, and how many parts it took.
    pub(super) fn find_path(
        &self,
        sink: &mut Sink,
        file: FileId,
        parts: &[ast::Ident],
    ) -> Option<(Declared<'a>, usize)> {
        if let Some(declared) = self.qualified(sink, file, parts) {
            return Some((declared, 2));
        }
        let first = parts.first()?;
        self.find(sink, file, first.name).map(|declared| (declared, 1))
    }

    /// The declaration of `kind` named here, or a finding.
    pub(super) fn expect(
        &self,
        sink: &mut Sink,
        file: FileId,
        ident: ast::Ident,
        kind: Kind,
    ) -> Option<Declared<'a>> {
        let found = self.find_in(self.table(kind), sink, file, ident.name);
        let other = if kind.runs() { &self.decls } else { &self.journeys };
        match found.or_else(|| self.find_in(other, sink, file, ident.name)) {
            Some(declared) if declared.kind == kind => Some(declared),
            Some(declared) => {
                sink.report(wrong_kind(ident, &declared, kind.words()));
                None
            }
            None => {
                let finding = self.unknown(file, ident, kind.words(), &self.visible_of(file, &[kind]));
                sink.unknown(ident.name.as_str(), finding);
                None
            }
        }
    }

    /// As [`Self::expect_path`], for a journey or replies.
    pub(super) fn expect_running(
        &self,
        sink: &mut Sink,
        file: FileId,
        path: &ast::Path,
    ) -> Option<Declared<'a>> {
        let named = path.parts.last().and_then(|last| self.journeys.get(&last.name));
        self.expect_path(sink, file, path, named.map_or(Kind::Journey, |declared| declared.kind))
    }

    /// As [`Self::expect`] for a path, which may begin with the alias of a package.
    pub(super) fn expect_path(
        &self,
        sink: &mut Sink,
        file: FileId,
        path: &ast::Path,
        kind: Kind,
    ) -> Option<Declared<'a>> {
        if let Some(declared) = self.qualified_as(sink, file, &path.parts, kind) {
            return Some(declared);
        }
        match path.parts.as_slice() {
            [only] => self.expect(sink, file, *only, kind),
            [first, ..] => {
                let whole = ast::Ident { name: Name::new(&path.text()), span: path.span };
                let among = self.visible_of(file, &[kind]);
                sink.unknown(
                    &path.text(),
                    self.unknown(file, whole, kind.words(), &among)
                        .note(format!("`{}` is not the name of an imported package", first.name)),
                );
                None
            }
            [] => None,
        }
    }

    /// Names of these kinds that `file` sees.
    pub(super) fn visible_of(&self, file: FileId, kinds: &[Kind]) -> Vec<&'static str> {
        let seen = self.order.iter().filter(|one| kinds.contains(&one.kind) && self.visible(file, one));
        seen.map(|one| one.name.as_str()).collect()
    }

    /// `word` means nothing here: says where it is declared instead, or what was probably meant.
    pub(super) fn unknown(
        &self,
        file: FileId,
        ident: ast::Ident,
        wanted: &str,
        among: &[&'static str],
    ) -> Diagnostic {
        if let Some(declared) = self.anywhere(ident.name).filter(|one| !self.visible(file, one)) {
            let package = self.package(declared.file);
            let headline = format!("`{}` is {} of another package", ident.name, declared.kind.words());
            let finding = Diagnostic::new(code::NOT_IMPORTED, ident.span, headline)
                .label("not imported here")
                .also(declared.span, "declared here");
            return if package.as_str().is_empty() {
                let name = ident.name;
                finding.help(format!("move `{name}` into a folder of its own and import it from there"))
            } else {
                let import = format!("import {package} {{ {} }}", ident.name);
                finding
                    .help(format!("write `{import}` at the top of this file"))
                    .with_fix(self.import(file, package, ident.name))
            };
        }
        let headline = format!("no {} is called `{}` here", bare(wanted), ident.name);
        let finding = Diagnostic::new(code::UNKNOWN_NAME, ident.span, headline).label("not known");
        finding.suggest(ident.name.as_str(), among.iter().copied(), || {
            "declare it, or import it from the package that has it".to_owned()
        })
    }

    /// Adds `name` to the imports of `file`: to the list of its package, below the last import, or at the top.
    fn import(&self, file: FileId, package: Name, name: Name) -> Fix {
        let import = format!("import {package} {{ {name} }}");
        let fix = Fix::safe(format!("add `{import}`"));
        let imports = self.imports.get(&file);
        if let Some(last) = imports.and_then(|imports| imports.lists.get(&package)) {
            return fix.add_behind(*last, format!(", {name}"));
        }
        match imports.and_then(|imports| imports.last) {
            Some(last) => fix.add_behind(last, format!("\n{import}")),
            None => fix.add_before(Span { file, ..Span::default() }, format!("{import}\n\n")),
        }
    }

    pub(super) fn entity(&self, name: Name) -> Option<&Entity> {
        self.model.entities.get(&name)
    }

    /// The entity whose state row holds subjects of this kind.
    pub(super) fn root(&self, subject: Name) -> Name {
        self.entity(subject).and_then(|entity| entity.parent).unwrap_or(subject)
    }
}

/// `a channel` -> `channel`
fn bare(words: &str) -> &str {
    words.strip_prefix("an ").or_else(|| words.strip_prefix("a ")).unwrap_or(words)
}

pub(super) fn wrong_kind(ident: ast::Ident, declared: &Declared, wanted: &str) -> Diagnostic {
    let headline = format!("`{}` is {}, but {wanted} is wanted here", ident.name, declared.kind.words());
    Diagnostic::new(code::WRONG_KIND, ident.span, headline)
        .label(format!("this is {}", declared.kind.words()))
        .also(declared.span, "declared here")
        .help(format!("write the name of {wanted}"))
}
