//! Types as written, resolved.

use super::world::{Kind, Sink, World};
use crate::diagnostic::{Diagnostic, code};
use crate::model::govern::RISK;
use crate::name::Name;
use crate::syntax::ast::{Ident, TypeKind, TypeRef};
use crate::text::{FileId, Span};
use crate::value::{Currency, Type};

const PLAIN: [(&str, Type); 16] = [
    ("Bool", Type::Bool),
    ("Int", Type::Int),
    ("Decimal", Type::Decimal),
    ("Percent", Type::Percent),
    ("Text", Type::Text),
    ("Id", Type::Id),
    ("Date", Type::Date),
    ("Time", Type::Time),
    ("Moment", Type::Moment),
    ("Duration", Type::Duration),
    ("Period", Type::Period),
    ("Content", Type::Content),
    ("Reward", Type::Reward),
    ("Event", Type::Occurrence),
    ("Channel", Type::Channel),
    ("channel", Type::Channel),
];

/// The type written at `reference`; [`Type::Error`] once it has been reported.
pub(super) fn resolve(world: &World, sink: &mut Sink, file: FileId, reference: &TypeRef) -> Type {
    let ty = match &reference.kind {
        TypeKind::Error => Type::Error,
        TypeKind::List(inner) => list(world, sink, file, inner),
        TypeKind::OneOf(cases) => Type::OneOf(distinct(cases, sink)),
        TypeKind::Sized { name, most } => sized(sink, *name, *most, reference.span),
        TypeKind::Named { name, args } => named(world, sink, file, *name, args, reference.span),
    };
    if reference.optional { ty.optional() } else { ty }
}

fn list(world: &World, sink: &mut Sink, file: FileId, inner: &TypeRef) -> Type {
    let element = resolve(world, sink, file, inner);
    if !element.is_optional() {
        return Type::List(Box::new(element));
    }
    sink.report(
        Diagnostic::new(code::BAD_TYPE, inner.span, "the elements of a list are never missing")
            .label("takes no `?`")
            .help("put the `?` behind the list: `[…]?`"),
    );
    Type::Error
}

fn distinct(cases: &[Ident], sink: &mut Sink) -> Vec<Name> {
    let mut names: Vec<Name> = Vec::new();
    for case in cases {
        if names.contains(&case.name) {
            sink.report(twice(*case));
        } else {
            names.push(case.name);
        }
    }
    names
}

/// A case that is in its list already.
pub(super) fn twice(case: Ident) -> Diagnostic {
    Diagnostic::new(code::DECLARED_TWICE, case.span, format!("`{}` is in this list twice", case.name))
        .label("again here")
        .help("take one of them out")
}

fn named(world: &World, sink: &mut Sink, file: FileId, name: Ident, args: &[Ident], span: Span) -> Type {
    match (name.name.as_str(), args) {
        ("Money", [currency]) => money(*currency, sink),
        ("Money", _) => wrong_args(sink, span, "money needs its currency", "write `Money(CNY)`"),
        ("Audience", [entity]) => {
            let found = world.expect(sink, file, *entity, Kind::Entity);
            found.map_or(Type::Error, |declared| Type::Audience(declared.name))
        }
        ("Audience", _) => {
            wrong_args(sink, span, "an audience needs its entity", "write `Audience(customer)`")
        }
        (_, []) => plain(world, sink, file, name),
        _ => wrong_args(
            sink,
            span,
            "this type takes nothing in parentheses",
            "only `Money(CNY)`, `Audience(customer)` and `Text(20)` do",
        ),
    }
}

/// The longest text with a bound of its own; whatever is longer is no text that anybody prints.
const MOST_SIGNS: u16 = 1_000;

fn sized(sink: &mut Sink, name: Ident, most: i64, span: Span) -> Type {
    if name.name.as_str() != "Text" {
        let headline = format!("`{}` takes no number", name.name);
        return wrong_args(sink, span, &headline, "only texts have a length: `Text(20)`");
    }
    if let Ok(most @ 1..=MOST_SIGNS) = u16::try_from(most) {
        return Type::ShortText(most);
    }
    let headline = format!("a text of at most {most} signs is none that can be bounded");
    wrong_args(sink, span, &headline, &format!("write `Text(20)`: from 1 to {MOST_SIGNS} signs"))
}

fn money(currency: Ident, sink: &mut Sink) -> Type {
    if let Some(currency) = Currency::parse(currency.name.as_str()) {
        return Type::Money(currency);
    }
    wrong_args(
        sink,
        currency.span,
        &format!("`{}` is not a currency", currency.name),
        "write its three capitals, for example `CNY`",
    )
}

fn wrong_args(sink: &mut Sink, span: Span, headline: &str, help: &str) -> Type {
    sink.report(Diagnostic::new(code::BAD_TYPE, span, headline).label("here").help(help));
    Type::Error
}

fn plain(world: &World, sink: &mut Sink, file: FileId, name: Ident) -> Type {
    if name.name.as_str() == RISK {
        return Type::Choice(name.name);
    }
    if let Some((_, ty)) = PLAIN.iter().find(|(word, _)| *word == name.name.as_str()) {
        return ty.clone();
    }
    match world.find(sink, file, name.name) {
        Some(declared) if matches!(declared.kind, Kind::Choice | Kind::Stages) => Type::Choice(name.name),
        Some(declared) if declared.kind == Kind::Entity => Type::Entity(name.name),
        Some(declared) => {
            sink.report(super::world::wrong_kind(name, &declared, "a type"));
            Type::Error
        }
        None => {
            sink.unknown(name.name.as_str(), unknown(world, file, name));
            Type::Error
        }
    }
}

fn unknown(world: &World, file: FileId, name: Ident) -> Diagnostic {
    let mut among: Vec<&str> = PLAIN.iter().map(|(word, _)| *word).chain(["Money"]).collect();
    among.extend(world.visible_of(file, &[Kind::Choice, Kind::Stages, Kind::Entity]));
    let finding = world.unknown(file, name, "a type", &[]);
    if finding.code == code::NOT_IMPORTED {
        return finding;
    }
    let finding = Diagnostic::new(code::UNKNOWN_TYPE, name.span, finding.headline).label("not a type");
    finding.suggest(name.name.as_str(), among, || {
        "types are `Bool Int Decimal Percent Money(CNY) Text Id Date Time Moment`, choices and entities"
            .into()
    })
}
