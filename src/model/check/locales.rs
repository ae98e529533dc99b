//! Languages of a copy: whoever is sent it finds one that he reads, and no text waits for a reader who cannot be.
//!
//! The language is that of the customer's attribute `locale`; a text without a language, or in `zh`, is for whoever has
//! none or reads no other.

use super::world::World;
use crate::diagnostic::suggest;
use crate::diagnostic::{Diagnostic, code};
use crate::name::Name;
use crate::syntax::ast::{Ident, Variant};
use crate::value::Type;

/// The attribute that says which language is read.
const LOCALE: &str = "locale";
/// What everybody is taken to read of whom nothing is known.
const DEFAULT: &str = "zh";
/// The part that `locale en """…"""` is of.
const BODY: &str = "body";

/// What is wrong with the languages of a variant for subjects of `subject`.
pub(super) fn findings(world: &World, subject: Option<Name>, written: &Variant) -> Vec<Diagnostic> {
    let known = subject.and_then(|subject| cases(world, subject));
    let mut found = Vec::new();
    let mut seen: Vec<Name> = Vec::new();
    for part in &written.parts {
        let Some(locale) = part.locale else { continue };
        found.extend(known.as_ref().and_then(|known| nobody_reads(locale, known)));
        let word = word_of(part.word);
        if !seen.contains(&word) {
            seen.push(word);
            found.extend(somebody_reads_none(written, word, part.word, known.as_deref()));
        }
    }
    found
}

/// The languages that a customer may have; `None`: any, or nobody says.
fn cases(world: &World, subject: Name) -> Option<Vec<Name>> {
    let field = world.model.entities.get(&subject)?.field(Name::new(LOCALE))?;
    match field.ty.known() {
        Type::OneOf(cases) => Some(cases.clone()),
        Type::Choice(choice) => {
            Some(world.model.choices.get(choice)?.cases.iter().map(|(case, _)| *case).collect())
        }
        _ => None,
    }
}

fn word_of(word: Ident) -> Name {
    if word.name.as_str() == LOCALE { Name::new(BODY) } else { word.name }
}

fn nobody_reads(locale: Ident, known: &[Name]) -> Option<Diagnostic> {
    if known.contains(&locale.name) {
        return None;
    }
    let headline = format!("no customer reads `{}`", locale.name);
    let all = known.iter().map(|case| format!("`{case}`")).collect::<Vec<_>>().join(", ");
    let near = suggest::did_you_mean(locale.name.as_str(), known.iter().map(|case| case.as_str()));
    let help = near.unwrap_or_else(|| format!("the attribute `{LOCALE}` is one of {all}"));
    Some(Diagnostic::new(code::LOCALE, locale.span, headline).label("nobody gets this").help(help))
}

/// Whoever has no language of the list is sent one that he does not read.
fn somebody_reads_none(
    written: &Variant,
    word: Name,
    first: Ident,
    known: Option<&[Name]>,
) -> Option<Diagnostic> {
    let of_word = written.parts.iter().filter(|part| word_of(part.word) == word);
    let locales: Vec<Option<Name>> = of_word.map(|part| part.locale.map(|locale| locale.name)).collect();
    let default = Name::new(DEFAULT);
    if locales.iter().any(|locale| locale.is_none_or(|locale| locale == default)) {
        return None;
    }
    let missing = known.unwrap_or_default().iter().filter(|case| !locales.contains(&Some(**case)));
    let missing: Vec<String> = missing.map(|case| format!("`{case}`")).collect();
    let whom = if missing.is_empty() {
        "whoever has no language on record".to_owned()
    } else {
        format!("whoever reads {}", missing.join(", "))
    };
    let headline = format!("`{word}` has no text for {whom}");
    let help =
        format!("write it in `{DEFAULT}` too (`locale {DEFAULT} \"\"\"…\"\"\"`), or once without a language");
    Some(
        Diagnostic::new(code::LOCALE, first.span, headline)
            .label("a text for everybody is missing")
            .help(help),
    )
}
