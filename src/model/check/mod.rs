//! From the trees of all files to the checked [`Model`].
//!
//! Reading order: `world` (tables and what a file may see), `collect` (declarations, imports), `schema` (shapes of
//! what is known), `expr` (expressions), `derived`, `content`, `pattern`, `arguments` and `anchor` (what happens, and
//! instants), `journey` (clauses and steps), `test_block`. Each phase runs over all files before the next begins, so
//! order never matters.
//! Every mistake is told in one run; what hangs on a mistake stays quiet.

mod anchor;
mod arguments;
pub mod asset;
mod calendar;
mod channel;
mod collect;
mod content;
mod derived;
mod entity;
mod experiment;
mod expr;
mod journey;
mod length;
mod locales;
mod memory;
mod org;
mod outline;
mod pattern;
mod phrases;
mod policy;
mod product;
mod schedule;
mod schema;
mod segments;
mod stages;
mod table;
mod task;
mod test_block;
mod types;
mod value;
mod visit;
mod waiver;
mod words;
mod world;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use self::derived::Tangled;
pub use self::memory::{Checked, Memory};
pub use self::outline::{Due, Outline, Outlines};
pub use self::segments::sms_parts;
use self::world::{Kind, Sink, World};
use super::Model;
use crate::diagnostic::Diagnostic;
use crate::name::Name;
use crate::syntax::ast::{self, CalendarItem, DeclKind, OrgItem, PolicyItem};
use crate::text::FileId;

/// What the trees do not say.
#[derive(Clone, Debug, Default)]
pub struct Context {
    /// The package of each file: its folder, dotted (`loans.cards`, `std.cn.bank`), empty for the top folder.
    pub packages: BTreeMap<FileId, Arc<str>>,
    /// Texts of calendars, of trees of organisations and of forbidden words, by the file that names them and the path it writes.
    pub named: BTreeMap<(FileId, Arc<str>), Arc<str>>,
    /// Names in what the parser could not read. That they are unknown follows from that, and is not told.
    pub lost: BTreeSet<Name>,
}

/// The paths that a tree names for its calendars, organisations and forbidden words, as written: relative to the folder of its file.
#[must_use]
pub fn named_files(file: &ast::File) -> Vec<Arc<str>> {
    let mut paths = Vec::new();
    for decl in &file.decls {
        match &decl.kind {
            DeclKind::Calendar(items) => paths.extend(items.iter().filter_map(|item| match item {
                CalendarItem::File(text) => Some(text.value.clone()),
                _ => None,
            })),
            DeclKind::Org(items) => units_named(items, &mut paths),
            DeclKind::Policy(items) => paths.extend(items.iter().filter_map(|item| match item {
                PolicyItem::ForbidWords(text) => Some(text.value.clone()),
                _ => None,
            })),
            _ => {}
        }
    }
    paths
}

fn units_named(items: &[OrgItem], paths: &mut Vec<Arc<str>>) {
    for item in items {
        match item {
            OrgItem::File(text) => paths.push(text.value.clone()),
            OrgItem::Unit(unit) => units_named(&unit.units, paths),
            OrgItem::Error(_) => {}
        }
    }
}

/// Checks the trees of all files at once. The model holds everything that is right; the findings, sorted by place,
/// say what is not. Neither depends on the order of `files`.
#[must_use]
pub fn check(files: &[(FileId, &ast::File)], context: &Context) -> (Model, Vec<Diagnostic>) {
    let mut memory = Memory::default();
    let checked = memory.check(files, context, Due::everything());
    (memory.take_model(), checked.findings)
}

/// All phases over what is due. What `memory` holds of the rest is taken as it is.
fn phases(
    files: &[(FileId, &ast::File)],
    context: &Context,
    memory: &mut Memory,
    due: &Due,
) -> Result<Vec<Diagnostic>, Tangled> {
    let lost = Arc::new(context.lost.clone());
    let mut sink = Sink { lost: lost.clone(), ..Sink::default() };
    let mut world = collect::collect(files, context, due, &mut sink);
    world.lost = lost;
    memory.lend(&mut world, &mut sink);
    collect::see_imports(files, due, &mut world, &mut sink);
    schema::shapes(&mut world, &mut sink);
    product::shapes(&mut world);
    org::orgs(&mut world, &mut sink);
    table::tables(&mut world, &mut sink);
    derived::fields(&mut world, &mut sink);
    derived::derived(&mut world, due.is_everything(), &mut sink)?;
    task::values(&mut world, &mut sink);
    value::values(&mut world, &mut sink);
    experiment::experiments(&mut world, &mut sink);
    product::products(&mut world, &mut sink);
    policy::policies(&mut world, &mut sink);
    policy::priorities(&world, &mut sink);
    contents(&mut world, &mut sink);
    journeys(&mut world, &mut sink);
    waiver::waivers(&mut world, &mut sink);
    tests(&mut world, &mut sink);
    for (file, decl) in &world.adjusts {
        let Some(name) = decl.name else { continue };
        let path = ast::Path { parts: vec![name], span: name.span };
        let journey = world.expect_path(&mut sink, *file, &path, Kind::Journey);
        if let Some(journey) = journey.filter(|journey| !journey.decl.params.is_empty()) {
            sink.report(journey::template::only_a_template(name.span, &journey));
        }
    }
    collect::unused_imports(files, due, &mut sink);
    Ok(memory.keep(world, sink))
}

fn contents(world: &mut World, sink: &mut Sink) {
    world.model.contents = std::mem::take(&mut world.before.contents);
    let mut contents = Vec::new();
    for declared in world.due_of(|kind| kind == Kind::Content) {
        if let DeclKind::Content(items) = &declared.decl.kind {
            let content = sink.about(&declared, |sink| content::content(world, &declared, items, sink));
            contents.push((declared.name, content));
        }
    }
    put(&mut world.model.contents, contents);
}

/// Puts all of `new` into the table: one by one they would be moved and compared often in a table of ten thousand.
fn put<V>(table: &mut BTreeMap<Name, V>, new: Vec<(Name, V)>) {
    if table.is_empty() { *table = new.into_iter().collect() } else { table.extend(new) }
}

/// Identities of all steps first: a journey's own conditions and its tests name them.
fn journeys(world: &mut World, sink: &mut Sink) {
    world.model.journeys = std::mem::take(&mut world.before.journeys);
    let due = world.due_of(Kind::runs);
    for declared in &due {
        let steps = sink.about(declared, |sink| journey::template::steps(world, declared, sink));
        world.steps.extend(steps.map(|steps| (declared.name, steps)));
    }
    journey::template::flows(world, sink);
    let mut journeys = Vec::new();
    for declared in &due {
        let journey = sink.about(declared, |sink| journey::template::journey(world, declared, sink));
        journeys.extend(journey.map(|journey| (declared.name, Box::new(journey))));
    }
    put(&mut world.model.journeys, journeys);
}

fn tests(world: &mut World, sink: &mut Sink) {
    world.model.tests = std::mem::take(&mut world.before.tests);
    for (file, decl) in std::mem::take(&mut world.tests) {
        let test = sink.within(file, |sink| test_block::test(world, file, decl, sink));
        world.model.tests.extend(test);
    }
    world.model.tests.sort_by_key(|test| test.span);
}
