//! Paths: `aum`, `customer.risk`, `event.amount`, `pay.amount`, `today`.
//!
//! In this order: the fields of the record under test, what the instance holds (`remember`, `as`, parameters), the
//! subject's attributes, then tags, metrics and audiences in sight. A name found twice is an error, so nothing far
//! away ever changes what a line means.

use super::{Checker, Place, Shape, Typed, What};
use crate::diagnostic::{Diagnostic, code};
use crate::expr::{Expr, Owner};
use crate::model::check::collect::BUILT_IN;
use crate::model::check::derived::is_derived;
use crate::model::check::words;
use crate::model::check::world::{Declared, Kind, Reported};
use crate::model::govern::RISK;
use crate::name::Name;
use crate::program::value::GRANTED;
use crate::syntax::ast::{self, ExprKind, Ident, Path};
use crate::value::{CivilUnit, Length, Type, Value};

/// What a name stands for before its parts are taken.
enum Head {
    Value(Typed),
    Record(Expr, Shape),
    /// The subject itself, or its parent.
    Subject(Owner, Name),
}

/// A meaning of a name, and how to write it so that only this one is meant.
pub(super) struct Meaning {
    head: Head,
    pub(super) instead: Instead,
}

/// Put into words only where a name means two things.
pub(super) enum Instead {
    /// `write …`
    Name(&'static str),
    /// The record or subject it is of.
    Field(&'static str, Name),
    /// What it is, which needs another name.
    Other(&'static str, Name),
}

impl Instead {
    pub(super) fn help(&self) -> String {
        match self {
            Self::Name(name) => format!("write `{name}`"),
            Self::Field(of, name) => format!("write `{of}.{name}`"),
            Self::Other(what, name) => format!("give another name for {what} `{name}`"),
        }
    }
}

impl Checker<'_, '_> {
    pub(in crate::model::check) fn path(&mut self, path: &Path, want: Option<&Type>) -> Typed {
        if let ([only], Some(want)) = (path.parts.as_slice(), want)
            && let Some(case) = self.case(*only, want)
        {
            return case;
        }
        if let Some(fixed) = self.fixed(path) {
            return fixed;
        }
        if let Some(of_caller) = self.of_caller(path) {
            return of_caller;
        }
        let parts = path.parts.as_slice();
        let (head, rest) = if let Some(declared) = self.world.qualified(&mut self.sink, self.file, parts) {
            (self.declared_value(&declared), parts.get(2..).unwrap_or_default())
        } else {
            let [first, rest @ ..] = parts else { return Typed::error() };
            (self.head(*first, !rest.is_empty(), want), rest)
        };
        let Some(mut head) = head else { return Typed::error() };
        for part in rest {
            let Some(next) = self.member(head, *part, path) else { return Typed::error() };
            head = next;
        }
        self.value_of(head, path)
    }

    /// What the bank itself says: who stands for a unit, the risk of a product. An attribute or local of the name
    /// goes first.
    fn fixed(&mut self, path: &Path) -> Option<Typed> {
        let [first, .., last] = path.parts.as_slice() else { return None };
        let is_product =
            self.world.model.products.get(&first.name).is_some_and(|product| product.risk.is_some());
        let is_role = matches!(last.name.as_str(), "desk" | "head");
        if !(is_product && last.name.as_str() == "risk" || is_role)
            || self.owner_of(first.name).is_some()
            || !self.meanings(first.name).is_empty()
        {
            return None;
        }
        if is_role {
            return self.role(path);
        }
        let risk = self.world.model.products.get(&first.name)?.risk?;
        self.world.find(&mut self.sink, self.file, first.name)?;
        Some(Typed::new(Expr::Const(Value::Choice(risk)), Type::Choice(Name::new(RISK))))
    }

    fn value_of(&mut self, head: Head, path: &Path) -> Typed {
        match head {
            Head::Value(typed) => self.proved(typed),
            Head::Subject(owner, entity) => {
                let key = self.world.entity(entity).map_or_else(|| Name::new("id"), |entity| entity.key);
                Typed::new(Expr::Attr(owner, key), Type::Entity(entity))
            }
            Head::Record(expr, Shape::Event(event) | Shape::Told { event, .. }) => {
                Typed::new(expr, Type::Event(event))
            }
            Head::Record(_, shape) => {
                let headline = format!("`{}` has several fields", path.text());
                let fields = shape.fields(self.world).join("`, `");
                self.report(
                    Diagnostic::new(code::NOT_A_VALUE, path.span, headline)
                        .label("which of them?")
                        .help(format!("write one of them behind a dot: `{fields}`")),
                );
                Typed::error()
            }
        }
    }

    /// Takes the `?` off a value that a condition around it has proved.
    pub(in crate::model::check) fn proved(&self, typed: Typed) -> Typed {
        match typed.ty {
            Type::Optional(inner) if self.facts.contains(&typed.expr) => {
                Typed { expr: typed.expr, ty: *inner }
            }
            _ => typed,
        }
    }

    /// A bare word where a case, a channel or a content is wanted.
    fn case(&mut self, ident: Ident, want: &Type) -> Option<Typed> {
        let want = match want.known() {
            Type::List(inner) | Type::Range(inner) => inner.known(),
            other => other,
        };
        let is_case = match want {
            Type::Choice(_) | Type::OneOf(_) => words::cases(&self.world.model, want).contains(&ident.name),
            Type::Channel => self.names_a(ident, Kind::Channel),
            Type::Content => self.names_a(ident, Kind::Content),
            Type::Reward => self.names_a(ident, Kind::Reward),
            // In a test somebody who was given stands for its key.
            Type::Entity(_) if self.cast.contains(&ident.name) => {
                return Some(Typed::new(Expr::Const(Value::text(ident.name.as_str())), want.clone()));
            }
            _ => false,
        };
        is_case.then(|| Typed::new(Expr::Const(Value::Choice(ident.name)), want.clone()))
    }

    fn names_a(&mut self, ident: Ident, kind: Kind) -> bool {
        self.world.find(&mut self.sink, self.file, ident.name).is_some_and(|declared| declared.kind == kind)
    }

    fn head(&mut self, ident: Ident, more: bool, want: Option<&Type>) -> Option<Head> {
        if let Some(head) = self.built_in(ident) {
            return head.ok();
        }
        let mut meanings = self.meanings(ident.name);
        if more && let Some(subject) = self.subject_named(ident.name) {
            return Some(subject);
        }
        if meanings.len() > 1 {
            self.ambiguous(ident, &meanings);
            return None;
        }
        if let Some(meaning) = meanings.pop() {
            if let Head::Value(Typed { expr: Expr::Local(slot), .. }) | Head::Record(Expr::Local(slot), _) =
                meaning.head
            {
                self.must_be_assigned(slot, ident.span);
            }
            return Some(meaning.head);
        }
        if let Some(subject) = self.subject_named(ident.name) {
            return Some(subject);
        }
        self.nothing_called(ident, want);
        None
    }

    /// What a built-in word means here.
    fn built_in(&mut self, ident: Ident) -> Option<Result<Head, Reported>> {
        let value = |expr, ty| Some(Ok(Head::Value(Typed::new(expr, ty))));
        match ident.name.as_str() {
            "today" => value(Expr::Today, Type::Date),
            "now" => value(Expr::Now, Type::Moment),
            "yesterday" => {
                let by = Length::Civil { count: 1, unit: CivilUnit::Day };
                let from = Box::new(Expr::Today);
                value(Expr::Shift { by, back: true, from, calendar: None }, Type::Date)
            }
            "entered" if self.place == Place::Journey => value(Expr::Entered, Type::Moment),
            "event" => {
                if let Some(shape) = self.entry.clone() {
                    return Some(Ok(Head::Record(Expr::Entry, shape)));
                }
                self.no_entry_event(ident);
                Some(Err(Reported))
            }
            _ => None,
        }
    }

    fn no_entry_event(&mut self, ident: Ident) {
        let headline = "`event` is what entered the journey, and here no event did";
        self.report(
            Diagnostic::new(code::NO_ENTRY_EVENT, ident.span, headline)
                .label("no entry event")
                .help("write `enter on …` with an event, or name the event you wait for: `wait for E as x`"),
        );
    }

    fn meanings(&mut self, name: Name) -> Vec<Meaning> {
        // A parameter is meant wherever its name is written: a field of that name is written `event.x`.
        if self.given.iter().any(|given| given.name == name) {
            return self.held(name).into_iter().collect();
        }
        let mut meanings = Vec::new();
        if let Some(element) = self.elements.last() {
            let own = element.names.first().map_or("event", |name| name.as_str());
            if element.names.contains(&name) {
                let head = Head::Record(Expr::Element, element.shape.clone());
                return vec![Meaning { head, instead: Instead::Name(own) }];
            }
            if let Some(ty) = element.shape.field(self.world, name) {
                let head = Head::Value(Typed::new(field(Expr::Element, name), ty));
                meanings.push(Meaning { head, instead: Instead::Field(own, name) });
            }
        }
        meanings.extend(self.held(name));
        if let Some(subject) = self.subject
            && let Some(typed) = self.attribute(Owner::Subject, subject, name)
        {
            meanings
                .push(Meaning { head: Head::Value(typed), instead: Instead::Field(subject.as_str(), name) });
        }
        meanings.extend(self.derived_or_tag(name));
        meanings
    }

    /// Whether a name has a meaning of its own here, other than that of a subject.
    pub(in crate::model::check) fn means_something(&mut self, name: Name) -> bool {
        !self.meanings(name).is_empty()
    }

    /// Whether a name already means something that a new one would hide.
    pub(in crate::model::check) fn is_taken(&mut self, name: Name) -> bool {
        BUILT_IN.contains(&name.as_str()) || !self.meanings(name).is_empty()
    }

    /// Locals and parameters.
    fn held(&mut self, name: Name) -> Option<Meaning> {
        if let Some((_, ty)) = self.params.iter().find(|(param, _)| *param == name) {
            let head = Head::Value(Typed::new(Expr::Param(name), ty.clone()));
            return Some(Meaning { head, instead: Instead::Other("the parameter", name) });
        }
        if let Some(given) = self.given.iter().find(|given| given.name == name) {
            let What::Value(typed) = &given.what else { return None };
            let head = Head::Value(typed.clone());
            return Some(Meaning { head, instead: Instead::Other("the parameter", name) });
        }
        let scoped = self.scoped(name);
        let slot = self.locals.iter().position(|local| local.name == scoped)?;
        let local = self.locals.get(slot)?;
        let expr = Expr::Local(u16::try_from(slot).unwrap_or(u16::MAX));
        let head = match &local.shape {
            Some(shape) => Head::Record(expr, shape.clone()),
            None => Head::Value(Typed::new(expr, local.ty.clone())),
        };
        Some(Meaning { head, instead: Instead::Other("what the journey holds as", name) })
    }

    /// A stored or derived field of the subject or its parent.
    fn attribute(&self, owner: Owner, entity: Name, name: Name) -> Option<Typed> {
        if owner == Owner::Subject
            && let Some(date) = self.date_of_anchor(None, entity, name)
        {
            return Some(date);
        }
        let field = self.world.entity(entity)?.field(name)?;
        Some(Typed::new(Expr::Attr(owner, name), field.ty.clone()))
    }

    /// Whose subject an entity is, seen from here.
    pub(in crate::model::check) fn owner_of(&self, entity: Name) -> Option<Owner> {
        let subject = self.subject?;
        if entity == subject {
            return Some(Owner::Subject);
        }
        (self.world.entity(subject)?.parent == Some(entity)).then_some(Owner::Parent)
    }

    fn subject_named(&mut self, name: Name) -> Option<Head> {
        self.owner_of(name).map(|owner| Head::Subject(owner, name))
    }

    fn derived_or_tag(&mut self, name: Name) -> Option<Meaning> {
        let declared = self.world.find(&mut self.sink, self.file, name)?;
        if declared.kind != Kind::Tag && !is_derived(declared.kind) {
            return None;
        }
        let head = self.declared_value(&declared)?;
        Some(Meaning { head, instead: Instead::Other(words_of(&declared), name) })
    }

    /// The value of a tag, metric or audience of the subject or its parent.
    fn declared_value(&mut self, declared: &Declared) -> Option<Head> {
        let name = declared.name;
        let of = match declared.kind {
            Kind::Tag => self.world.model.tags.get(&name).map(|tag| (tag.subject, Type::Bool)),
            Kind::Metric | Kind::Audience | Kind::Stages => {
                self.world.model.derived.get(&name).map(|derived| (derived.subject, derived.ty.clone()))
            }
            _ => None,
        };
        let Some((subject, ty)) = of else {
            // A wrong tag has been reported where it is declared; a metric is only missing while it is being checked.
            if declared.kind != Kind::Tag {
                self.leans_on(declared);
            }
            return Some(Head::Value(Typed::error()));
        };
        if ty == Type::Error {
            return Some(Head::Value(Typed::error()));
        }
        let owner = self.owner_of(subject)?;
        let expr = if declared.kind == Kind::Tag { Expr::Tag(owner, name) } else { self.def(owner, name) };
        Some(Head::Value(Typed::new(expr, ty)))
    }

    /// A ring that the names alone did not show: the word is also a case of a choice.
    fn leans_on(&mut self, declared: &Declared) {
        let headline = format!("`{}` is needed here before it is defined", declared.name);
        self.report(
            Diagnostic::new(code::DEFINED_BY_ITSELF, declared.span, headline)
                .label("leans on something that leans on it")
                .help("give it a name that is no case of a choice"),
        );
    }

    fn def(&mut self, owner: Owner, name: Name) -> Expr {
        let at = self.uses.defs.iter().position(|known| *known == name).unwrap_or_else(|| {
            self.uses.defs.push(name);
            self.uses.defs.len() - 1
        });
        Expr::Def(owner, u16::try_from(at).unwrap_or(u16::MAX))
    }

    fn member(&mut self, head: Head, part: Ident, path: &Path) -> Option<Head> {
        match head {
            Head::Record(expr, shape) => self.field_of_record(expr, &shape, part).map(Head::Value),
            Head::Subject(owner, entity) => self.member_of_subject(owner, entity, part),
            Head::Value(typed) => self.part_of(typed, part, path).map(Head::Value),
        }
    }

    fn field_of_record(&mut self, record: Expr, shape: &Shape, part: Ident) -> Option<Typed> {
        if let Some(ty) = shape.field(self.world, part.name) {
            let typed = Typed::new(field(record, part.name), ty);
            return Some(self.proved(typed));
        }
        let headline = format!("{} has no field `{}`", shape.words(), part.name);
        let finding = Diagnostic::new(code::UNKNOWN_FIELD, part.span, headline).label("no such field");
        let fields = shape.fields(self.world);
        let finding = finding.suggest(part.name.as_str(), fields.iter().copied(), || {
            format!("its fields are `{}`", fields.join("`, `"))
        });
        self.sink.unknown(part.name.as_str(), finding);
        None
    }

    fn member_of_subject(&mut self, owner: Owner, entity: Name, part: Ident) -> Option<Head> {
        if let Some(typed) = self.attribute(owner, entity, part.name) {
            return Some(Head::Value(self.proved(typed)));
        }
        if let Some(declared) = self.world.find(&mut self.sink, self.file, part.name)
            && (declared.kind == Kind::Tag || is_derived(declared.kind))
            && let Some(head) = self.declared_value(&declared)
        {
            return Some(head);
        }
        let headline = format!("`{entity}` has no attribute `{}`", part.name);
        let finding = Diagnostic::new(code::UNKNOWN_FIELD, part.span, headline).label("no such attribute");
        let among = self.attributes(entity);
        let finding = finding.suggest(part.name.as_str(), among.iter().copied(), || {
            format!("declare it: `extend {entity} {{ {} : Text }}`", part.name)
        });
        self.sink.unknown(part.name.as_str(), finding);
        None
    }

    pub(super) fn attributes(&self, entity: Name) -> Vec<&'static str> {
        let fields = self.world.entity(entity).map(|entity| entity.fields.as_slice()).unwrap_or_default();
        let mut names: Vec<&'static str> = fields.iter().map(|field| field.name.as_str()).collect();
        names.extend(
            self.world.visible_of(self.file, &[Kind::Tag, Kind::Metric, Kind::Audience, Kind::Stages]),
        );
        names
    }

    /// `.date` of a moment, and what is known of another root; nothing else has parts.
    fn part_of(&mut self, typed: Typed, part: Ident, path: &Path) -> Option<Typed> {
        match (typed.ty.known(), part.name.as_str()) {
            (Type::Error, _) => None,
            (Type::Moment, "date") => Some(Self::date_of(typed)),
            (Type::Entity(entity), _)
                if self.world.entity(*entity).is_some_and(|one| one.parent.is_none()) =>
            {
                let entity = *entity;
                self.through(typed, entity, part)
            }
            (ty, _) => {
                let headline = format!("`{}` has no part `{}`", front(path, part), part.name);
                let ty = words::of_type(ty);
                self.report(
                    Diagnostic::new(code::UNKNOWN_FIELD, part.span, headline)
                        .label(format!("`{}` is {ty}", front(path, part)))
                        .help(format!("leave `.{}` out", part.name)),
                );
                None
            }
        }
    }

    pub(super) fn field_of(&mut self, base: &ast::Expr, part: Ident) -> Typed {
        if let ExprKind::Call { callee, args } = &base.kind
            && callee.text() == GRANTED
        {
            return self.amount_granted(args, part);
        }
        let typed = self.expr(base, None);
        let path = Path { parts: vec![part], span: part.span };
        self.part_of(typed, part, &path).unwrap_or_else(Typed::error)
    }
}

fn field(record: Expr, name: Name) -> Expr {
    Expr::Field(Box::new(record), name)
}

fn words_of(declared: &Declared) -> &'static str {
    match declared.kind {
        Kind::Tag => "the tag",
        Kind::Metric => "the metric",
        Kind::Stages => "the stages",
        _ => "the audience",
    }
}

/// The path as written in front of `part`.
fn front(path: &Path, part: Ident) -> String {
    let before: Vec<&str> =
        path.parts.iter().take_while(|one| one.span != part.span).map(|one| one.name.as_str()).collect();
    if before.is_empty() { "this".into() } else { before.join(".") }
}
