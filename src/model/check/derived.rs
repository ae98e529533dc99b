//! Metrics, audiences and stages, each after those it uses; rings among them are told once and broken.

use std::collections::BTreeSet;

use super::expr::{Checker, Place};
use super::schema;
use super::world::{Declared, Kind, Sink, World};
use crate::diagnostic::{Diagnostic, code};
use crate::expr::Expr;
use crate::model::Derived;
use crate::name::{Name, NumberMap, NumberSet};
use crate::syntax::ast::{self, Arg, DeclKind, DerivedItem, ExprKind, Ident, OccurrenceKind, Window};
use crate::text::FileId;
use crate::value::{Type, Value};

/// Checks those that are due into the model.
///
/// # Errors
/// [`Tangled`], for a run that looks at a part only.
pub(super) fn derived(world: &mut World, whole: bool, sink: &mut Sink) -> Result<(), Tangled> {
    world.model.derived = std::mem::take(&mut world.before.derived);
    let all: Vec<Declared> = world.due.iter().filter(|one| is_derived(one.kind)).copied().collect();
    let cases = cases(world);
    let is_one = |name: &Name| world.decls.get(name).is_some_and(|one| is_derived(one.kind));
    let doubtful = cases.iter().any(is_one);
    let (order, ring) = ordered(world, &all, &cases, sink);
    if (doubtful || ring) && !whole {
        return Err(Tangled);
    }
    world.tangled = doubtful || ring;
    for declared in order {
        let derived = sink.about(&declared, |sink| {
            let (derived, found) = one(world, &declared);
            sink.findings.extend(found.findings);
            sink.used_too(found.used);
            derived
        });
        world.model.derived.extend(derived.map(|derived| (declared.name, derived)));
    }
    Ok(())
}

/// Definitions that go round, or that are called like a case of a choice: what is said of them hangs on the order in
/// which they are looked at, so all are looked at in every run.
pub(super) struct Tangled;

/// Kinds whose value follows from other things.
pub(super) fn is_derived(kind: Kind) -> bool {
    matches!(kind, Kind::Metric | Kind::Audience | Kind::Stages)
}

fn body<'a>(declared: &Declared<'a>) -> Option<&'a ast::Derived> {
    match &declared.decl.kind {
        DeclKind::Metric(derived) | DeclKind::Audience(derived) => Some(derived),
        _ => None,
    }
}

/// Every expression of the definition.
fn exprs<'a>(declared: &Declared<'a>) -> Vec<&'a ast::Expr> {
    match &declared.decl.kind {
        DeclKind::Metric(derived) | DeclKind::Audience(derived) => vec![&derived.value],
        DeclKind::Stages { rows, .. } => super::stages::conditions(rows),
        _ => Vec::new(),
    }
}

fn one(world: &World, declared: &Declared) -> (Option<Derived>, Sink) {
    let mut sink = Sink { lost: world.lost.clone(), ..Sink::default() };
    let subject = schema::subject(world, declared, &mut sink);
    if let (Some(subject), DeclKind::Stages { rows, .. }) = (subject, &declared.decl.kind) {
        let mut checker = Checker::new(world, declared.file, Place::Derived, Some(subject));
        checker.sink = sink;
        let value = checker.stages(rows);
        let ty = Type::Choice(declared.name);
        let sound = !checker.sink.has_errors();
        let derived = Derived { ty, value, uses: checker.uses, sound, ..poisoned(declared, subject) };
        return (Some(derived), checker.sink);
    }
    let (Some(subject), Some(body)) = (subject, body(declared)) else {
        return (Some(poisoned(declared, declared.name)), sink);
    };
    let mut checker = Checker::new(world, declared.file, Place::Derived, Some(subject));
    checker.sink = sink;
    let audience = declared.kind == Kind::Audience;
    let (value, ty) = if audience {
        (checker.condition(&body.value), Type::Bool)
    } else {
        let typed = checker.expr(&body.value, None);
        (typed.expr, typed.ty)
    };
    for item in &body.items {
        if let DerivedItem::Size(size) = item {
            checker.expect(size, &Type::Int);
        }
    }
    let derived = Derived {
        name: declared.name,
        label: schema::label(declared.decl),
        audience,
        priority: priority(body).filter(|_| audience),
        subject,
        ty,
        value,
        uses: checker.uses,
        sound: !checker.sink.has_errors(),
        span: declared.span,
    };
    (Some(derived), checker.sink)
}

fn priority(body: &ast::Derived) -> Option<Name> {
    body.items.iter().find_map(|item| match item {
        DerivedItem::Priority(word) => Some(word.name),
        _ => None,
    })
}

/// Each of `all` after those of them it names, and whether there are rings. Those in a ring come out as errors and are
/// left out.
fn ordered<'a>(
    world: &mut World<'a>,
    all: &[Declared<'a>],
    cases: &NumberSet<Name>,
    sink: &mut Sink,
) -> (Vec<Declared<'a>>, bool) {
    for declared in all {
        let mut names = BTreeSet::new();
        for expr in exprs(declared) {
            mentioned(expr, &mut |parts| {
                // Behind an attribute that refers to another root come that root's attributes.
                let through = parts.first().is_some_and(|first| is_link(world, declared, first.name));
                let named = parts.iter().take(if through { 1 } else { 2 }).map(|part| part.name);
                // `tier is gold` means the case, even where an audience is called `gold`.
                let meant = named.filter(|name| !cases.contains(name));
                let derived = |name: &Name| world.decls.get(name).is_some_and(|other| is_derived(other.kind));
                names.extend(meant.filter(derived));
            });
        }
        world.needs.insert(declared.name, names);
    }
    let needs = std::mem::take(&mut world.needs);
    let mut search = Search { needs: &needs, done: BTreeSet::new(), order: Vec::new(), ring: false };
    for declared in all {
        search.visit(world, declared.name, sink);
    }
    let Search { mut order, ring, .. } = search;
    world.needs = needs;
    let due: NumberSet<Name> = all.iter().map(|declared| declared.name).collect();
    order.retain(|declared| due.contains(&declared.name));
    (order, ring)
}

/// Whether the name is an attribute of the subject that refers to another root.
fn is_link(world: &World, declared: &Declared, name: Name) -> bool {
    let subject = declared.decl.subject.as_ref().and_then(|path| path.parts.last());
    let field = subject.and_then(|subject| world.entity(subject.name)?.field(name));
    field.is_some_and(|field| matches!(field.ty.known(), Type::Entity(_)))
}

/// Every case of every choice.
fn cases(world: &World) -> NumberSet<Name> {
    let declared = world.model.choices.values().flat_map(|choice| choice.cases.iter().map(|(case, _)| *case));
    let fields = world.model.events.values().flat_map(|event| &event.fields);
    let fields = fields.chain(world.model.entities.values().flat_map(|entity| &entity.fields));
    let in_place = fields.filter_map(|field| match field.ty.known() {
        Type::OneOf(cases) => Some(cases),
        _ => None,
    });
    declared.chain(in_place.flatten().copied()).collect()
}

struct Search<'n, 'a> {
    needs: &'n NumberMap<Name, BTreeSet<Name>>,
    done: BTreeSet<Name>,
    order: Vec<Declared<'a>>,
    ring: bool,
}

impl<'a> Search<'_, 'a> {
    /// Depth first with its own stack: definitions may hang together in long chains.
    fn visit(&mut self, world: &mut World<'a>, start: Name, sink: &mut Sink) {
        if self.done.contains(&start) {
            return;
        }
        let mut stack: Vec<(Name, Vec<Name>)> = vec![(start, self.pending(start))];
        while let Some((name, rest)) = stack.last_mut() {
            let name = *name;
            match rest.pop() {
                Some(next) if self.done.contains(&next) => {}
                Some(next) => match stack.iter().position(|(open, _)| *open == next) {
                    Some(at) => {
                        self.ring = true;
                        ring(world, stack.get(at..).unwrap_or_default(), &mut self.done, sink);
                    }
                    None => stack.push((next, self.pending(next))),
                },
                None => {
                    stack.pop();
                    if self.done.insert(name) {
                        self.order.extend(world.decls.get(&name));
                    }
                }
            }
        }
    }

    fn pending(&self, name: Name) -> Vec<Name> {
        let names = self.needs.get(&name).into_iter().flatten().rev();
        names.copied().collect()
    }
}

fn ring(world: &mut World, members: &[(Name, Vec<Name>)], done: &mut BTreeSet<Name>, sink: &mut Sink) {
    let names: Vec<Name> = members.iter().map(|(name, _)| *name).collect();
    // Told at the first of them in the alphabet, so that it does not matter where the search began.
    let Some(first) = names.iter().min().copied() else { return };
    let at = names.iter().position(|name| *name == first).unwrap_or_default();
    let turned = names.iter().cycle().skip(at).take(names.len() + 1);
    let path = turned.map(|name| format!("`{name}`")).collect::<Vec<_>>().join(" -> ");
    if let Some(declared) = world.decls.get(&first) {
        let headline = if names.len() == 1 {
            format!("`{first}` is defined by itself")
        } else {
            format!("`{first}` is defined by itself: {path}")
        };
        let mut finding = Diagnostic::new(code::DEFINED_BY_ITSELF, declared.span, headline)
            .label("needs its own value")
            .help("break the ring: one of them must be said without the others");
        for other in names.iter().filter(|name| **name != first).filter_map(|name| world.decls.get(name)) {
            finding = finding.also(other.span, "part of the ring");
        }
        sink.report(finding);
    }
    for name in names {
        done.insert(name);
        poison(world, name);
    }
}

/// Stands for a definition that cannot be checked, so that its users stay quiet.
fn poison(world: &mut World, name: Name) {
    let Some(declared) = world.decls.get(&name).copied() else { return };
    let subject = schema::subject(world, &declared, &mut Sink::default()).unwrap_or(name);
    world.model.derived.insert(name, poisoned(&declared, subject));
}

fn poisoned(declared: &Declared, subject: Name) -> Derived {
    Derived {
        name: declared.name,
        label: schema::label(declared.decl),
        audience: declared.kind == Kind::Audience,
        priority: None,
        subject,
        ty: Type::Error,
        value: Expr::Const(Value::Missing),
        uses: crate::model::Uses::default(),
        sound: false,
        span: declared.span,
    }
}

/// Calls `found` with the parts of every path in `expr`.
fn mentioned(expr: &ast::Expr, found: &mut impl FnMut(&[Ident])) {
    match &expr.kind {
        ExprKind::Path(path) => found(&path.parts),
        ExprKind::Field { base, .. } => mentioned(base, found),
        ExprKind::Call { args, .. } => args.iter().for_each(|arg| in_argument(arg, found)),
        ExprKind::List(items) => items.iter().for_each(|item| mentioned(item, found)),
        ExprKind::Not(inner) | ExprKind::Neg(inner) => mentioned(inner, found),
        ExprKind::Binary { left, right, .. } => {
            mentioned(left, found);
            mentioned(right, found);
        }
        ExprKind::Known { value, .. } => mentioned(value, found),
        ExprKind::Otherwise { value, fallback } => {
            mentioned(value, found);
            mentioned(fallback, found);
        }
        ExprKind::Quantified { pattern, window, .. } => {
            match &pattern.occurrence.kind {
                OccurrenceKind::Expr(expr) => mentioned(expr, found),
                OccurrenceKind::Change { of, .. } => found(&of.parts),
            }
            pattern.filter.iter().for_each(|filter| mentioned(filter, found));
            in_window(window.as_ref(), found);
        }
        ExprKind::Windowed { value, window } => {
            mentioned(value, found);
            in_window(Some(window), found);
        }
        ExprKind::SpanOf { of, .. } => mentioned(of, found),
        _ => {}
    }
}

fn in_argument(arg: &Arg, found: &mut impl FnMut(&[Ident])) {
    mentioned(&arg.value, found);
    arg.filter.iter().for_each(|filter| mentioned(filter, found));
    in_window(arg.window.as_deref(), found);
}

fn in_window(window: Option<&Window>, found: &mut impl FnMut(&[Ident])) {
    if let Some(Window::Span(span)) = window {
        mentioned(span, found);
    }
}

/// Derived fields and anchors of entities, once all attributes are known.
pub(super) fn fields(world: &mut World, sink: &mut Sink) {
    let sources: Vec<(FileId, &ast::Decl)> = world
        .due
        .iter()
        .filter(|one| one.kind == Kind::Entity)
        .map(|one| (one.file, one.decl))
        .chain(world.extends.iter().copied())
        .collect();
    for (file, decl) in sources {
        super::entity::values(world, file, decl, sink);
    }
}
