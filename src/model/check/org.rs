//! The organisation: its tree of units, who is in one, and who stands for one. `file` reads a tree from beside the text.

mod file;

use std::collections::{HashMap, HashSet};

use super::expr::{Checker, Typed};
use super::schema;
use super::task::STAFF;
use super::world::{Declared, Kind, Sink, World};
use crate::diagnostic::{Diagnostic, code};
use crate::expr::{BinaryOp, Expr, Owner};
use crate::model::govern::{Org, Unit};
use crate::name::Name;
use crate::syntax::ast::{DeclKind, OrgItem, Path, Text};
use crate::text::{FileId, Span};
use crate::value::{Type, Value};

/// Who can stand for a unit: `ops.desk`.
const ROLES: [&str; 2] = ["desk", "head"];
const BRANCH: &str = "branch";

pub(super) fn orgs(world: &mut World, sink: &mut Sink) {
    for declared in world.due_of(|kind| kind == Kind::Org) {
        if let DeclKind::Org(items) = &declared.decl.kind {
            let org = org(world, &declared, items, sink);
            world.model.orgs.insert(declared.name, org);
        }
    }
}

fn org(world: &World, declared: &Declared, items: &[OrgItem], sink: &mut Sink) -> Org {
    let mut tree = Tree { world, file: declared.file, units: Vec::new(), spans: HashMap::new() };
    tree.add(items, None, sink);
    Org { name: declared.name, label: schema::label(declared.decl), units: tree.units, span: declared.span }
}

/// A tree as it grows, parents before their children.
struct Tree<'w, 'a> {
    world: &'w World<'a>,
    file: FileId,
    units: Vec<Unit>,
    /// Where each unit comes from.
    spans: HashMap<Name, Span>,
}

impl Tree<'_, '_> {
    fn add(&mut self, items: &[OrgItem], parent: Option<Name>, sink: &mut Sink) {
        for item in items {
            match item {
                OrgItem::Unit(unit) => {
                    let name = unit.name;
                    if let Some(first) = self.spans.get(&name.name) {
                        sink.report(
                            Diagnostic::new(
                                code::DECLARED_TWICE,
                                name.span,
                                format!("two units are called `{}`", name.name),
                            )
                            .label("again here")
                            .also(*first, "the first")
                            .help("a unit is called by its name alone: give one of them another"),
                        );
                        continue;
                    }
                    let label = unit.label.as_ref().map(|label| label.value.clone());
                    self.push(Unit { name: name.name, label, parent, span: name.span });
                    self.add(&unit.units, Some(name.name), sink);
                }
                OrgItem::File(text) => self.read(text, parent, sink),
                OrgItem::Error(_) => {}
            }
        }
    }

    fn push(&mut self, unit: Unit) {
        self.spans.insert(unit.name, unit.span);
        self.units.push(unit);
    }

    /// The units of a file, its top below `parent`.
    fn read(&mut self, path: &Text, parent: Option<Name>, sink: &mut Sink) {
        let Some(text) = self.world.beside(self.file, path, code::ORG_FILE, sink) else { return };
        let known: HashSet<Name> = self.spans.keys().copied().collect();
        let (rows, mistakes) = file::read(text, &known);
        for mistake in mistakes {
            let place = match mistake.column {
                "" => format!("line {}", mistake.line),
                column => format!("line {}, column `{column}`", mistake.line),
            };
            let headline = format!("`{}`, {place}: {}", path.value, mistake.what);
            let finding = Diagnostic::new(code::ORG_FILE, path.span, headline).label("in this file");
            sink.report(finding.help(mistake.help));
        }
        for row in rows {
            let parent = row.parent.or(parent);
            self.push(Unit { name: row.unit, label: row.label, parent, span: path.span });
        }
    }
}

impl Checker<'_, '_> {
    /// The units that a path means: one, with all below it. `None`: it names none.
    fn units(&self, path: &Path) -> Option<Vec<Name>> {
        let mut orgs = self.world.model.orgs.values();
        let found = match path.parts.as_slice() {
            [only] => orgs.map(|org| org.below(only.name)).find(|found| !found.is_empty()),
            [org, .., unit] => orgs.find(|known| known.name == org.name).map(|known| known.below(unit.name)),
            [] => None,
        };
        found.filter(|found| !found.is_empty())
    }

    /// How many units are in this one, itself included.
    pub(super) fn size_of_unit(&self, path: &Path) -> usize {
        self.units(path).map_or(0, |units| units.len())
    }

    /// `branch in bank.east`, where the right side names a unit.
    pub(super) fn is_unit(&self, path: &Path) -> bool {
        self.units(path).is_some()
    }

    /// Whether `value`, whose key is the name of a unit, is in the unit or below it.
    pub(super) fn within_unit(&mut self, value: Typed, path: &Path) -> Typed {
        let units = self.units(path).unwrap_or_default();
        let names = units.iter().map(|unit| Value::text(unit.as_str())).collect();
        let list = Expr::Const(Value::List(names));
        Typed::new(Expr::Binary(BinaryOp::In, Box::new(value.expr), Box::new(list)), Type::Bool)
    }

    /// `in shanghai`: the subject is in this unit, by its own key or by the branch it belongs to.
    pub(super) fn in_unit(&mut self, path: &Path) -> Typed {
        if !self.is_unit(path) {
            self.unknown_unit(path);
            return Typed::error();
        }
        let Some(branch) = self.own_branch() else {
            let subject = self.subject.map(|subject| subject.to_string()).unwrap_or_default();
            let headline = format!("a `{subject}` does not say which unit it belongs to");
            self.report(
                Diagnostic::new(code::NO_UNIT, path.span, headline)
                    .label("in which unit is it?")
                    .help(format!("write `branch : branch` in entity `{subject}`"))
                    .help("or say what is in the unit: `event.branch in …`"),
            );
            return Typed::error();
        };
        self.within_unit(branch, path)
    }

    /// The branch that the subject is or belongs to.
    pub(super) fn own_branch(&self) -> Option<Typed> {
        let subject = self.subject?;
        let branch = Type::Entity(Name::new(BRANCH));
        let entity = self.world.entity(subject)?;
        if subject.as_str() == BRANCH {
            return Some(Typed::new(Expr::Attr(Owner::Subject, entity.key), branch));
        }
        let of = |owner: Owner, entity: Name| {
            let entity = self.world.entity(entity)?;
            if entity.name.as_str() == BRANCH {
                return Some(Expr::Attr(owner, entity.key));
            }
            let field = entity.fields.iter().find(|field| *field.ty.known() == branch)?;
            Some(Expr::Attr(owner, field.name))
        };
        let found = of(Owner::Subject, subject).or_else(|| of(Owner::Parent, entity.parent?))?;
        Some(Typed::new(found, branch))
    }

    pub(super) fn unknown_unit(&mut self, path: &Path) {
        let text = path.text();
        let finding = Diagnostic::new(
            code::UNKNOWN_UNIT,
            path.span,
            format!("no unit of the organisation is called `{text}`"),
        )
        .label("not a unit");
        let last = path.parts.last().map_or("", |part| part.name.as_str());
        let known = self.world.model.orgs.values().flat_map(|org| &org.units);
        let known: Vec<&str> = known.map(|unit| unit.name.as_str()).collect();
        self.report(finding.suggest(last, known, || "declare it: `org bank { east { … } }`".to_owned()));
    }

    /// `ops.desk`, `bank.east.head`: who stands for a unit. `None`: the path means something else.
    pub(super) fn role(&mut self, path: &Path) -> Option<Typed> {
        let (role, unit) = path.parts.split_last()?;
        if unit.is_empty() || !ROLES.contains(&role.name.as_str()) {
            return None;
        }
        let span: Span = path.span;
        let unit = Path { parts: unit.to_vec(), span };
        let units = self.units(&unit)?;
        let id = format!("{}.{}", units.first()?, role.name);
        Some(Typed::new(Expr::Const(Value::text(&id)), Type::Entity(Name::new(STAFF))))
    }
}
