//! Findings about audiences: nobody can be in one, everybody is, two are the same.

use super::read::{Reader, Term};
use super::scope::{Scope, is_right};
use super::tell::{Written, why_never};
use crate::diagnostic::{Diagnostic, code};
use crate::expr::{Aggregate, Expr, show};
use crate::logic::{Formula, Trust};
use crate::model::{Derived, Model, Uses};
use crate::name::Name;
use crate::text::Span;

/// Audiences that are compared with one another, of all that look at the same things.
const MOST_ALIKE: usize = 32;

/// Audiences that may be the same: those of one subject that look at the same things and compare with the same.
pub(super) type Alike = (Name, String);

/// What one definition says by itself.
#[derive(Debug, Default)]
pub(super) struct Look {
    pub(super) found: Vec<Diagnostic>,
    /// Among which it may have a twin.
    pub(super) alike: Option<Alike>,
}

pub(super) fn look(model: &Model, derived: &Derived) -> Look {
    if !is_right(derived) {
        return Look::default();
    }
    let mut reader = Reader::new(Scope::of(model, derived.subject));
    let mut look = Look { found: filters(&mut reader, &derived.uses, derived.span), alike: None };
    if !derived.audience {
        return look;
    }
    let expr = reader.scope.expand(&derived.value, &derived.uses);
    let truth = reader.truth(&expr);
    if reader.is_never(&[&truth], Trust::Nothing) {
        look.found.push(never(&mut reader, derived));
    } else if reader.is_never(&[&truth.clone().negated()], Trust::Types) {
        look.found.push(always(derived));
    } else if is_right_throughout(&reader) {
        look.alike = Some((derived.subject, signature(&reader, &truth)));
    }
    look
}

fn never(reader: &mut Reader, derived: &Derived) -> Diagnostic {
    let written = Written { expr: &derived.value, uses: &derived.uses };
    Diagnostic::new(code::NOBODY, derived.span, format!("nobody can be in `{}`", derived.name))
        .label("always empty")
        .note(written.why_never(reader))
        .help("take one of them out, or change it; `or` instead of `and` where either is enough")
}

fn always(derived: &Derived) -> Diagnostic {
    Diagnostic::new(
        code::ALWAYS_TRUE,
        derived.span,
        format!("every `{}` is in `{}`", derived.subject, derived.name),
    )
    .label("excludes nobody")
    .help("say who should not be in it, or do without this audience")
}

/// What a formula looks at and compares with: audiences with other signatures are taken to be different.
fn signature(reader: &Reader, truth: &Formula) -> String {
    let mut parts = Vec::new();
    truth.each(&mut |var, test| {
        let term = reader.space.vars().zip(&reader.terms).find(|(known, _)| *known == var);
        parts.extend(term.map(|(_, term)| format!("{}{}", words(reader, term), constants(test))));
    });
    parts.sort();
    parts.dedup();
    parts.join(";")
}

fn words(reader: &Reader, term: &Term) -> String {
    match term {
        Term::Value(expr) => show::expr(expr, &reader.scope),
        Term::Order(left, right) => {
            let mut sides = [left, right].map(|side| show::expr(side, &reader.scope));
            sides.sort();
            sides.join(" ")
        }
    }
}

/// Only the things compared with, as `not a < b` is `a >= b`.
fn constants(test: &crate::logic::Test) -> String {
    use crate::logic::Test;
    match test {
        Test::Missing | Test::Compares(_) | Test::OneOf(_) => String::new(),
        Test::Less(value) | Test::LessEq(value) | Test::Greater(value) | Test::GreaterEq(value) => {
            show::value(value)
        }
        Test::Between { from, to, .. } => format!("{} {}", show::value(from), show::value(to)),
    }
}

/// A definition with a mistake in it looks like any other that has one.
fn is_right_throughout(reader: &Reader) -> bool {
    reader.terms.iter().all(|term| match term {
        Term::Value(expr) => !super::scope::any(expr, &|part| matches!(part, Expr::Def(..))),
        Term::Order(..) => true,
    })
}

/// The twins in a group of audiences that are alike.
pub(super) fn same<'m>(model: &'m Model, group: impl Iterator<Item = &'m Derived>) -> Vec<Diagnostic> {
    let mut group: Vec<&Derived> = group.take(MOST_ALIKE).collect();
    group.sort_by_key(|derived| derived.span);
    let mut found = Vec::new();
    let mut kept: Vec<&Derived> = Vec::new();
    for derived in group {
        match kept.iter().find(|known| is_same(model, known, derived)) {
            Some(known) => found.push(twice(derived, known)),
            None => kept.push(derived),
        }
    }
    found
}

fn is_same(model: &Model, first: &Derived, second: &Derived) -> bool {
    let mut reader = Reader::new(Scope::of(model, first.subject));
    let [first, second] = [first, second].map(|derived| {
        let expr = reader.scope.expand(&derived.value, &derived.uses);
        reader.truth(&expr)
    });
    let (not_first, not_second) = (first.clone().negated(), second.clone().negated());
    reader.is_never(&[&first, &not_second], Trust::Types)
        && reader.is_never(&[&second, &not_first], Trust::Types)
}

fn twice(derived: &Derived, known: &Derived) -> Diagnostic {
    let headline = format!("`{}` and `{}` are the same audience", derived.name, known.name);
    Diagnostic::new(code::SAME_AUDIENCE, derived.span, headline)
        .label("whoever is in one is in the other")
        .also(known.span, "the other one")
        .help("keep one of the two, and write its name where the other is used".to_string())
}

/// The `where`s of history conditions.
pub(super) fn filters(reader: &mut Reader, uses: &Uses, span: Span) -> Vec<Diagnostic> {
    let found = uses.features.iter().filter_map(|aggregate| filter(reader, aggregate, uses, span));
    found.collect()
}

fn filter(reader: &mut Reader, aggregate: &Aggregate, uses: &Uses, span: Span) -> Option<Diagnostic> {
    let filter = reader.scope.expand(aggregate.filter.as_ref()?, uses);
    no_such(reader, &aggregate.source, &filter, span)
}

/// The finding, if nothing of `source` ever passes `filter`.
pub(super) fn no_such(
    reader: &mut Reader,
    source: &crate::expr::Source,
    filter: &Expr,
    span: Span,
) -> Option<Diagnostic> {
    let mut on = reader.on(source);
    let truth = on.truth(filter);
    if !on.is_never(&[&truth], Trust::Nothing) {
        return None;
    }
    let headline = format!("no `{source}` is ever one `where {}`", show::expr(filter, &on.scope));
    Some(
        Diagnostic::new(code::NEVER_TRUE, span, headline)
            .label("never true")
            .note(why_never(&mut on, filter))
            .help("change one of them, or write `or` where either is enough"),
    )
}
