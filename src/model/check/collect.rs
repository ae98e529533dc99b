//! From trees to tables: every declaration under its name, every file's imports, and the first complaint about both.

use std::collections::hash_map::Entry;

use super::Context;
use super::outline::Due;
use super::world::{Declared, Imports, Kind, Reach, Sink, World};
use crate::diagnostic::{Diagnostic, Fix, code};
use crate::expr::MessageEvent;
use crate::name::{Name, NumberMap, NumberSet};
use crate::program::value::GRANTED;
use crate::syntax::ast::{self, DeclKind};
use crate::text::{FileId, Span};

/// Names that mean something by themselves in every expression.
pub(super) const BUILT_IN: [&str; 8] =
    ["today", "yesterday", "now", "event", "entered", "here", "timeout", "not_sent"];

/// Tables of all `files`, which are sorted by their id so that the order given never matters.
pub(super) fn collect<'a>(
    files: &[(FileId, &'a ast::File)],
    context: &Context,
    due: &Due,
    sink: &mut Sink,
) -> World<'a> {
    let mut files = files.to_vec();
    files.sort_by_key(|(id, _)| *id);
    let reserved = reserved();
    let mut world = World {
        packages: packages(context),
        named_files: context.named.iter().map(|(path, text)| (path.clone(), text.clone())).collect(),
        ..World::default()
    };
    let count = files.iter().map(|(_, file)| file.decls.len()).sum();
    world.decls.reserve(count);
    world.order.reserve(count);
    for (id, file) in &files {
        let due = due.has(*id);
        for decl in &file.decls {
            declare(&mut world, (*id, decl), due, &reserved, sink);
        }
    }
    world
}

/// Files of one package mostly stand together: its name is looked up for the first of them.
fn packages(context: &Context) -> NumberMap<FileId, Name> {
    let mut last: Option<(&str, Name)> = None;
    let named = context.packages.iter().map(|(id, package)| {
        let (_, name) =
            last.filter(|(text, _)| **text == **package).unwrap_or_else(|| (package, Name::new(package)));
        last = Some((package, name));
        (*id, name)
    });
    named.collect()
}

/// What the files that are due import. What the others do was kept: it hangs on the packages there are and on names
/// that they write.
pub(super) fn see_imports(files: &[(FileId, &ast::File)], due: &Due, world: &mut World, sink: &mut Sink) {
    let packages: NumberSet<Name> = world.packages.values().copied().collect();
    for (id, file) in files.iter().filter(|(id, file)| due.has(*id) && !file.imports.is_empty()) {
        let imports = sink.within(*id, |sink| imports(world, &packages, *id, file, sink));
        world.imports.insert(*id, imports);
    }
}

fn declare<'a>(
    world: &mut World<'a>,
    (file, decl): (FileId, &'a ast::Decl),
    due: bool,
    reserved: &NumberSet<Name>,
    sink: &mut Sink,
) {
    let Some(kind) = kind(&decl.kind) else { return nameless(world, file, decl, due) };
    let Some(ident) = decl.name else { return };
    if reserved.contains(&ident.name) {
        sink.report(reserved_name(ident));
        return;
    }
    let declared = Declared { name: ident.name, kind, file, span: ident.span, decl };
    let table = if kind.runs() { &mut world.journeys } else { &mut world.decls };
    match table.entry(ident.name) {
        Entry::Occupied(first) => {
            sink.report(duplicate(ident, first.get()));
            return;
        }
        Entry::Vacant(place) => place.insert(declared),
    };
    world.order.push(declared);
    if due || matches!(kind.reach(), Reach::Ground | Reach::Everywhere) {
        world.due.push(declared);
    }
}

/// What declares no name of its own.
fn nameless<'a>(world: &mut World<'a>, file: FileId, decl: &'a ast::Decl, due: bool) {
    match decl.kind {
        DeclKind::Extend(_) => world.extends.push((file, decl)),
        DeclKind::Adjust(_) => world.adjusts.push((file, decl)),
        DeclKind::Test(_) if due => world.tests.push((file, decl)),
        _ => {}
    }
}

/// What a declaration declares; `None` if it adds to another, or is a test.
pub(super) fn kind(kind: &DeclKind) -> Option<Kind> {
    Some(match kind {
        DeclKind::Extend(_) | DeclKind::Test(_) | DeclKind::Adjust(_) | DeclKind::Error => return None,
        DeclKind::Choice(_) => Kind::Choice,
        DeclKind::Entity(_) => Kind::Entity,
        DeclKind::Event(_) => Kind::Event,
        DeclKind::Tag { .. } => Kind::Tag,
        DeclKind::Metric(_) => Kind::Metric,
        DeclKind::Audience(_) => Kind::Audience,
        DeclKind::Calendar(_) => Kind::Calendar,
        DeclKind::Channel(_) => Kind::Channel,
        DeclKind::Content(_) => Kind::Content,
        DeclKind::Journey(_) | DeclKind::Instance(_) => Kind::Journey,
        DeclKind::Flow { .. } => Kind::Flow,
        DeclKind::Stages { .. } => Kind::Stages,
        DeclKind::Table { .. } => Kind::Table,
        DeclKind::Org(_) => Kind::Org,
        DeclKind::Product(_) => Kind::Product,
        DeclKind::Policy(_) => Kind::Policy,
        DeclKind::Budget(_) => Kind::Budget,
        DeclKind::Reward(_) => Kind::Reward,
        DeclKind::Points(_) => Kind::Points,
        DeclKind::Lottery(_) => Kind::Lottery,
        DeclKind::Referral(_) => Kind::Referral,
        DeclKind::Experiment(_) => Kind::Experiment,
        DeclKind::Task(_) => Kind::Task,
        DeclKind::Replies(_) => Kind::Replies,
        DeclKind::Waiver(_) => Kind::Waiver,
    })
}

/// Names that nobody may declare.
fn reserved() -> NumberSet<Name> {
    let events = MessageEvent::ALL.iter().map(|event| event.as_str());
    BUILT_IN.into_iter().chain([GRANTED]).chain(events).map(Name::new).collect()
}

fn reserved_name(ident: ast::Ident) -> Diagnostic {
    let headline = format!("`{}` already means something in every journey", ident.name);
    Diagnostic::new(code::RESERVED_NAME, ident.span, headline)
        .label("cannot be declared")
        .help("choose another name, for example with the name of your system in front")
}

fn duplicate(ident: ast::Ident, first: &Declared) -> Diagnostic {
    let headline = format!("`{}` is declared twice", ident.name);
    let again = if first.kind == Kind::Choice || first.kind == Kind::Entity {
        "declared again here".to_owned()
    } else {
        format!("already {}", first.kind.words())
    };
    Diagnostic::new(code::DECLARED_TWICE, ident.span, headline)
        .label(again)
        .also(first.span, "first declared here")
        .help("give one of them another name: a name means one thing in the whole project")
}

fn imports(
    world: &World,
    packages: &NumberSet<Name>,
    id: FileId,
    file: &ast::File,
    sink: &mut Sink,
) -> Imports {
    let mut imports = Imports::default();
    for import in &file.imports {
        let package = Name::new(&import.path.text());
        imports.last = Some(import.span);
        imports.lists.extend(import.names.last().map(|last| (package, last.span)));
        if !packages.contains(&package) {
            sink.report(unknown_package(&import.path, packages.iter().map(|name| name.as_str())));
            // Names of a package that is not there are reported once, as the package.
            imports.names.extend(import.names.iter().map(|name| name.name));
            sink.used.extend(import.names.iter().map(|name| (id, name.name)));
            continue;
        }
        if import.names.is_empty() {
            let alias = import.alias.or(import.path.parts.last().copied());
            imports.packages.extend(alias.map(|alias| (alias.name, package)));
        }
        for ident in &import.names {
            let here = |one: &Declared| world.packages.get(&one.file) == Some(&package);
            let tables = [world.decls.get(&ident.name), world.journeys.get(&ident.name)];
            if tables.into_iter().flatten().any(here) {
                imports.names.insert(ident.name);
            } else {
                sink.used.insert((id, ident.name));
                sink.unknown(ident.name.as_str(), not_in_package(world, package, *ident));
            }
        }
    }
    imports
}

fn unknown_package<'n>(path: &ast::Path, among: impl Iterator<Item = &'n str>) -> Diagnostic {
    let headline = format!("no package is called `{}`", path.text());
    let finding = Diagnostic::new(code::UNKNOWN_PACKAGE, path.span, headline).label("no such folder");
    finding.suggest(&path.text(), among.filter(|name| !name.is_empty()), || {
        "a package is a folder of the project, written with dots: `std.cn.bank`".into()
    })
}

fn not_in_package(world: &World, package: Name, ident: ast::Ident) -> Diagnostic {
    let headline = format!("package `{package}` has no `{}`", ident.name);
    let finding = Diagnostic::new(code::UNKNOWN_NAME, ident.span, headline).label("not declared there");
    if let Some(one) = world.anywhere(ident.name)
        && let Some(home) = world.packages.get(&one.file)
        && !home.as_str().is_empty()
    {
        return finding
            .also(one.span, "declared here")
            .help(format!("write `import {home} {{ {} }}`", ident.name));
    }
    let there = world.order.iter().filter(|one| world.packages.get(&one.file) == Some(&package));
    finding.suggest(ident.name.as_str(), there.map(|one| one.name.as_str()), || {
        "take it out of the list, or declare it in that folder".into()
    })
}

/// Imports that nothing in their file needed.
pub(super) fn unused_imports(files: &[(FileId, &ast::File)], due: &Due, sink: &mut Sink) {
    for (id, file) in files.iter().filter(|(id, _)| due.has(*id)) {
        let mut unused: Vec<(ast::Ident, Span)> = Vec::new();
        for import in &file.imports {
            let alias = import.alias.or(import.path.parts.last().copied());
            let listed = if import.names.is_empty() { alias.as_slice() } else { &import.names };
            let names = listed.iter().enumerate();
            unused.extend(
                names
                    .filter(|(_, ident)| !sink.has_used(*id, ident.name))
                    .map(|(at, ident)| (*ident, in_list(import, at))),
            );
        }
        for (ident, whole) in unused {
            let headline = format!("`{}` is imported and never used", ident.name);
            let finding = Diagnostic::new(code::UNUSED_IMPORT, ident.span, headline)
                .label("not used in this file")
                .help("take it out of the import")
                .with_fix(Fix::safe("take it out of the import").remove(whole));
            sink.within(*id, |sink| sink.report(finding));
        }
    }
}

/// What goes with the name at `at`: the comma beside it, or the whole import if it is the only one.
fn in_list(import: &ast::Import, at: usize) -> Span {
    let spans: Vec<Span> = import.names.iter().map(|name| name.span).collect();
    match (at.checked_sub(1).and_then(|before| spans.get(before)), spans.get(at), spans.get(at + 1)) {
        (Some(before), Some(own), _) => Span { start: before.end, ..*own },
        (None, Some(own), Some(next)) => Span { end: next.start, ..*own },
        _ => import.span,
    }
}
