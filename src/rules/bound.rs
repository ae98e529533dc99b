//! What a waiver saw: a digest of all that it excuses, as it was written on the day of the approval.
//!
//! Of a journey that is its declaration and the templates, flows, contents and tasks that its steps come from or name; of
//! a content or reward its own declaration. Comments, blanks between words and the order of files do not count, so that
//! neither `wayfare fmt` nor a move voids an approval; any other change does.

use std::collections::BTreeSet;

use ring::digest::{Context, SHA256};

use super::context::{sent, walk};
use super::trees::Trees;
use crate::model::govern::Waiver;
use crate::model::journey::StepKind;
use crate::model::{Content, Model};
use crate::name::Name;
use crate::syntax::ast;
use crate::text::{Sources, Span, hex};

/// What every digest begins with.
pub const PREFIX: &str = "sha256:";
/// Half of SHA-256: nobody finds another text for it, and a line still holds it.
const DIGITS: usize = 32;

/// `sha256:…` of what `waiver` excuses now.
#[must_use]
pub fn digest(model: &Model, sources: &Sources, trees: Trees, waiver: &Waiver) -> String {
    let mut places: Vec<Span> = Vec::new();
    let content = |name: &Name| model.contents.get(name).map(|content| content.span);
    if let Some(journey) = model.journeys.get(&waiver.of) {
        places.push(journey.span);
        walk(journey, &mut |step| {
            places.push(step.span);
            if let StepKind::Assign(assign) = &step.kind {
                places.extend(model.tasks.get(&assign.task).map(|task| task.span));
            }
        });
        places.extend(sent(model, journey).iter().filter_map(content));
    }
    places.extend(content(&waiver.of));
    let mut seen: BTreeSet<Span> =
        places.into_iter().filter_map(|place| Some(around(trees, place)?.span)).collect();
    if seen.is_empty() {
        seen.extend(named(trees, waiver.of).map(|decl| decl.span));
    }
    let approvals: Vec<Span> = model.contents.values().flat_map(approvals).collect();
    hashed(seen.into_iter().map(|span| without(sources, span, &approvals)).collect())
}

/// `sha256:…` of what a content says now, its pictures included, whoever has approved it.
#[must_use]
pub fn of_content(sources: &Sources, decl: &ast::Decl, content: &Content) -> String {
    let text = without(sources, decl.span, &approvals(content).collect::<Vec<_>>());
    let pictures = content.variants.iter().flat_map(|variant| &variant.assets);
    let pictures = pictures.map(|(path, hash)| format!("{path} {hash}"));
    hashed(std::iter::once(text).chain(pictures).collect())
}

fn approvals(content: &Content) -> impl Iterator<Item = Span> {
    content.approvals.iter().map(|approval| approval.span)
}

/// What stands at `place` but for `left_out`: an approval is no part of what it approves.
fn without(sources: &Sources, place: Span, left_out: &[Span]) -> String {
    let inside = |span: &&Span| span.file == place.file && place.start <= span.start && span.end <= place.end;
    let (mut text, mut at) = (String::new(), place.start);
    for span in left_out.iter().filter(inside) {
        text.push_str(sources.slice(Span { start: at, end: span.start, ..place }));
        text.push('\n');
        at = span.end;
    }
    text.push_str(sources.slice(Span { start: at, ..place }));
    plain(&text)
}

fn hashed(mut texts: Vec<String>) -> String {
    texts.sort_unstable();
    let mut hasher = Context::new(&SHA256);
    for text in texts {
        hasher.update(text.as_bytes());
        hasher.update(&[0]);
    }
    let mut found = format!("{PREFIX}{}", hex::of(hasher.finish().as_ref()));
    found.truncate(PREFIX.len() + DIGITS);
    found
}

/// The declaration that `place` stands in.
pub(super) fn around<'a>(trees: Trees<'_, 'a>, place: Span) -> Option<&'a ast::Decl> {
    let decls = &trees.get(place.file)?.decls;
    decls.iter().find(|decl| decl.span.start <= place.start && place.start < decl.span.end)
}

fn named<'a>(trees: Trees<'_, 'a>, name: Name) -> Option<&'a ast::Decl> {
    let mut decls = trees.iter().flat_map(|tree| &tree.decls);
    decls.find(|decl| {
        decl.name.is_some_and(|one| one.name == name) && !matches!(decl.kind, ast::DeclKind::Extend(_))
    })
}

/// Without comments, and without blanks and `;` but for those inside of quotes.
fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(sign) = rest.chars().next() {
        let quote = if rest.starts_with("\"\"\"") { "\"\"\"" } else { "\"" };
        if let Some(inside) = rest.strip_prefix(quote) {
            let end = inside.find(quote).map_or(inside.len(), |end| end + quote.len());
            let (quoted, behind) = rest.split_at_checked(quote.len() + end).unwrap_or((rest, ""));
            out.push_str(quoted);
            rest = behind;
        } else if rest.starts_with("//") {
            rest = rest.find('\n').and_then(|end| rest.get(end..)).unwrap_or_default();
        } else {
            if !sign.is_whitespace() && sign != ';' {
                out.push(sign);
            }
            rest = rest.get(sign.len_utf8()..).unwrap_or_default();
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::plain;

    #[test]
    fn what_changes_nothing_does_not_count() {
        let written = "content a {\n  // why\n  via sms \"\"\"你 好\"\"\"; }";
        assert_eq!(plain(written), "contenta{viasms\"\"\"你 好\"\"\"}");
        assert_eq!(plain("link \"https://a.example/b c\" // end"), "link\"https://a.example/b c\"");
    }
}
