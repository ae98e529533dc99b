//! Contents: one variant per channel, typed holes that are never empty.
//!
//! A content speaks to a root subject; its copy may use that subject's attributes, its own parameters and derived
//! attributes, and no history, so that it can be resolved by name at dispatch.

use super::expr::{Checker, Place, Typed};
use super::segments::{self, Extent};
use super::words;
use super::world::{Declared, Kind, Sink, World};
use super::{asset, length, locales, schema};
use crate::diagnostic::{Diagnostic, Fix, code};
use crate::expr::{Expr, Owner};
use crate::model::Content;
use crate::model::govern::Approval;
use crate::name::Name;
use crate::program::{Copy, CopyPiece, Listed, Part, Variant};
use crate::syntax::ast::{self, ContentItem};
use crate::value::Type;

/// A sign to close it that is seen from the first moment on; a touch beside it; a sign that comes after some seconds;
/// no way at all.
const CLOSES: [&str; 4] = ["visible", "outside", "countdown", "never"];
/// The word of one message of an ordered list.
const MESSAGE: &str = "message";

pub(super) fn content(world: &World, declared: &Declared, items: &[ContentItem], sink: &mut Sink) -> Content {
    let subject = addressee(world, declared, sink);
    let mut checker = Checker::new(world, declared.file, Place::Content, subject);
    checker.params = world.takes.get(&declared.name).cloned().unwrap_or_default();
    checker.parts = checker.parts_of(items);
    let mut variants: Vec<Variant> = Vec::new();
    let (mut open, mut product, mut commits) = (None, None, None);
    let (mut offers, mut approvals) = (Vec::new(), Vec::new());
    for item in items {
        match item {
            ContentItem::Open(range) => open = length::date_range(range, &mut checker.sink),
            ContentItem::Via(variant) => {
                let again = variants.iter().any(|known| known.channel == variant.channel.name);
                if again {
                    checker.report(said_twice(variant.channel));
                } else {
                    checker.sink.findings.extend(locales::findings(world, subject, variant));
                    variants.push(checker.variant(variant));
                }
            }
            ContentItem::Product(path) => {
                let found = world.expect_path(&mut checker.sink, declared.file, path, Kind::Product);
                product = found.map(|product| product.name);
            }
            ContentItem::Commits(path) => {
                let found = world.expect_path(&mut checker.sink, declared.file, path, Kind::Product);
                commits = found.map(|product| (product.name, path.span));
            }
            ContentItem::Approved { by, on, binds, span } => {
                let binds = binds.as_ref().map(|text| (text.value.clone(), text.span));
                let on = length::date(on, &mut checker.sink);
                let approval = |(on, _)| Approval { by: by.value.clone(), on, binds, span: *span };
                approvals.extend(on.map(approval));
            }
            ContentItem::Offers(path) => {
                let found = world.expect_path(&mut checker.sink, declared.file, path, Kind::Reward);
                offers.extend(found.map(|reward| reward.name));
            }
            ContentItem::Part { .. } | ContentItem::Takes(_) | ContentItem::Error(_) => {}
        }
    }
    if variants.is_empty() && !items.iter().any(|item| matches!(item, ContentItem::Error(_))) {
        let headline = format!("content `{}` says nothing on any channel", declared.name);
        let finding = Diagnostic::new(code::CONTENT_ITEM, declared.span, headline).label("no `via`");
        checker.report(finding.help("write `via sms \"\"\"…\"\"\"` in it, with the text"));
    }
    sink.findings.append(&mut checker.sink.findings);
    sink.used_too(std::mem::take(&mut checker.sink.used));
    Content {
        name: declared.name,
        label: schema::label(declared.decl),
        reads: subject.filter(|_| reads_subject(&variants)),
        takes: checker.params,
        product,
        commits,
        approvals,
        offers,
        open,
        variants,
        uses: checker.uses,
        span: declared.span,
    }
}

/// Whose attributes the copy may use: said by `of`, else the one root with a consent, else the only root.
fn addressee(world: &World, declared: &Declared, sink: &mut Sink) -> Option<Name> {
    if let Some(path) = &declared.decl.subject {
        let entity = world.expect_path(sink, declared.file, path, Kind::Entity)?.name;
        if world.root(entity) == entity {
            return Some(entity);
        }
        let headline = format!("a content speaks to a root, and `{entity}` is a child");
        sink.report(
            Diagnostic::new(code::CONTENT_ITEM, path.span, headline)
                .label(format!("belongs to a `{}`", world.root(entity)))
                .help("leave `of` out and pass what it needs: `takes amount : Money(CNY)`"),
        );
        return None;
    }
    person(world)
}

/// Whom the bank speaks to where nothing else is said: the one root with a consent, else the only root.
pub(super) fn person(world: &World) -> Option<Name> {
    let roots = || world.model.entities.values().filter(|entity| entity.parent.is_none());
    let mut persons = roots().filter(|entity| entity.field(Name::new("consent")).is_some());
    match (persons.next(), persons.next()) {
        (Some(only), None) => Some(only.name),
        (Some(_), Some(_)) => None,
        (None, _) => {
            let mut roots = roots();
            let first = roots.next()?;
            roots.next().is_none().then_some(first.name)
        }
    }
}

fn reads_subject(variants: &[Variant]) -> bool {
    let reads = |expr: &Expr| matches!(expr, Expr::Attr(Owner::Subject, _) | Expr::Def(..) | Expr::Tag(..));
    let pieces = variants.iter().flat_map(Variant::copies).flat_map(|copy| &copy.0);
    pieces.into_iter().any(|piece| reads_in(piece, &reads))
}

fn reads_in(piece: &CopyPiece, reads: &impl Fn(&Expr) -> bool) -> bool {
    match piece {
        CopyPiece::Text(_) => false,
        CopyPiece::Hole(expr) => super::visit::any(expr, reads),
        CopyPiece::Part(part) => {
            part.levels.iter().flat_map(|(_, copy)| &copy.0).any(|piece| reads_in(piece, reads))
        }
    }
}

fn said_twice(channel: ast::Ident) -> Diagnostic {
    Diagnostic::new(code::CONTENT_ITEM, channel.span, format!("`via {}` is said twice", channel.name))
        .label("again here")
        .help("keep one text per channel; give languages with `locale` inside it")
}

impl Checker<'_, '_> {
    /// The parts under experiment, each of which has a text for every level of its factor.
    fn parts_of(&mut self, items: &[ContentItem]) -> Vec<(Name, Part, Extent)> {
        let mut parts = Vec::new();
        for item in items {
            let ContentItem::Part { name, factor, levels } = item else { continue };
            let [experiment, factor] = factor.parts.as_slice() else {
                self.wrong_part(
                    factor.span,
                    "a factor is written behind its experiment",
                    "write `of copy_test.greeting`",
                );
                continue;
            };
            let found = self.world.expect(&mut self.sink, self.file, *experiment, Kind::Experiment);
            let world = self.world;
            let Some(known) = found.and_then(|found| world.model.experiments.get(&found.name)) else {
                continue;
            };
            let Some((_, wanted)) = known.factors.iter().find(|(known, _)| *known == factor.name) else {
                let headline = format!("experiment `{}` has no factor `{}`", known.name, factor.name);
                let among: Vec<&str> = known.factors.iter().map(|(factor, _)| factor.as_str()).collect();
                self.wrong_part(factor.span, &headline, &format!("its factors are `{}`", among.join("`, `")));
                continue;
            };
            let mut texts: Vec<(Name, Copy)> = Vec::new();
            let mut longest = Extent::default();
            for (level, copy) in levels {
                let (copy, length) = self.copy(copy, None);
                longest = longest.or(length);
                let again = texts.iter().any(|(known, _)| *known == level.name);
                if again || !wanted.contains(&level.name) {
                    let headline = format!("`{}` is no level of this factor, or is there twice", level.name);
                    self.wrong_part(level.span, &headline, &format!("its levels are `{}`", listed(wanted)));
                    continue;
                }
                texts.push((level.name, copy));
            }
            let absent: Vec<Name> = wanted
                .iter()
                .filter(|level| texts.iter().all(|(known, _)| known != *level))
                .copied()
                .collect();
            if !absent.is_empty() {
                let headline = format!("part `{}` has no text for `{}`", name.name, listed(&absent));
                self.wrong_part(name.span, &headline, "write one text for each level, `\"\"` for none");
            }
            let place = |level: &Name| wanted.iter().position(|known| known == level);
            texts.sort_by_key(|(level, _)| place(level));
            let part =
                Part { experiment: known.name, factor: factor.name, allocate: known.allocate, levels: texts };
            parts.push((name.name, part, longest));
        }
        parts
    }

    fn wrong_part(&mut self, span: crate::text::Span, headline: &str, help: &str) {
        let finding = Diagnostic::new(code::CONTENT_PART, span, headline).label("does not follow its factor");
        self.report(finding.help(help));
    }

    /// The part that a hole names.
    fn part_named(&self, hole: &ast::Expr) -> Option<(Part, Extent)> {
        let ast::ExprKind::Path(path) = &hole.kind else { return None };
        let [only] = path.parts.as_slice() else { return None };
        let found = self.parts.iter().find(|(name, ..)| *name == only.name);
        found.map(|(_, part, longest)| (part.clone(), *longest))
    }

    fn variant(&mut self, written: &ast::Variant) -> Variant {
        self.world.expect(&mut self.sink, self.file, written.channel, Kind::Channel);
        let mut parts: Vec<(Name, Option<Name>, Copy)> = Vec::new();
        let messages = self.messages_of(written);
        for part in written.parts.iter().filter(|part| part.word.name.as_str() != MESSAGE) {
            // `locale en """…"""` is the body in that language.
            let word = if part.word.name.as_str() == "locale" { Name::new("body") } else { part.word.name };
            let locale = part.locale.map(|locale| locale.name);
            if parts.iter().any(|(known, language, _)| *known == word && *language == locale) {
                let headline = format!("`{word}` is said twice");
                let finding =
                    Diagnostic::new(code::CONTENT_ITEM, part.word.span, headline).label("again here");
                self.report(finding.help("keep one of them"));
                continue;
            }
            let (copy, extent) = self.copy(&part.copy, locale);
            let most =
                self.world.model.channels.get(&written.channel.name).and_then(|channel| channel.segments);
            if let Some(most) = most.filter(|_| word.as_str() == "body") {
                let found = segments::finding(extent, written.channel.name, most, written.channel.span);
                self.sink.findings.extend(found);
            }
            parts.push((word, locale, copy));
        }
        let close = written.close.and_then(|close| self.closed_by(close, written.channel));
        let gap = written.gap.map(|gap| length::positive(gap, &mut self.sink)).filter(|_| messages.len() > 1);
        let assets = asset::of_variant(self.world, self.file, written, &mut self.sink);
        Variant { channel: written.channel.name, parts, assets, close, messages, gap }
    }

    /// How what stands in a slot is closed.
    fn closed_by(&mut self, close: ast::Ident, channel: ast::Ident) -> Option<Name> {
        if !CLOSES.contains(&close.name.as_str()) {
            let headline = format!("`{}` is no way of closing", close.name);
            let finding =
                Diagnostic::new(code::CLOSE, close.span, headline).label("how do customers get rid of it?");
            self.report(
                finding.suggest(close.name.as_str(), CLOSES, || {
                    format!("write one of `{}`", CLOSES.join("`, `"))
                }),
            );
            return None;
        }
        let known = self.world.model.channels.get(&channel.name);
        if let Some(other) = known.filter(|known| known.kind.as_str() != "slot") {
            let headline = format!("nothing stands in `{}` that could be closed", channel.name);
            self.report(
                Diagnostic::new(code::CLOSE, close.span, headline)
                    .label(format!("its kind is `{}`", other.kind))
                    .also(other.span, "declared here")
                    .help("leave `close` out: only what stands in a slot is closed"),
            );
            return None;
        }
        Some(close.name)
    }

    /// An ordered list of messages, each of which is sent by itself.
    fn messages_of(&mut self, written: &ast::Variant) -> Vec<Listed> {
        let (messages, others): (Vec<_>, Vec<_>) =
            written.parts.iter().partition(|part| part.word.name.as_str() == MESSAGE);
        if let (Some(first), [other, ..]) = (messages.first(), others.as_slice()) {
            let headline = format!("`{}` stands beside messages that are sent one by one", other.word.name);
            let finding =
                Diagnostic::new(code::CONTENT_ITEM, other.word.span, headline).label("of which of them?");
            self.report(
                finding
                    .also(first.word.span, "the first of the list")
                    .help("write it as a `message` of its own, or leave the others"),
            );
        }
        if let Some(gap) = written.gap.filter(|_| messages.len() < 2) {
            let finding = Diagnostic::new(code::SEND_GAP, gap.span, "a gap lies between two messages")
                .label(if messages.is_empty() { "there is no list" } else { "there is only one" });
            self.report(
                finding.help("leave `gap …` out, or write several: `message \"\"\"…\"\"\"` for each"),
            );
        }
        let listed =
            messages.into_iter().map(|part| Listed { file: part.file, copy: self.copy(&part.copy, None).0 });
        listed.collect()
    }

    /// The copy, and how long it can get.
    fn copy(&mut self, copy: &ast::Copy, locale: Option<Name>) -> (Copy, Extent) {
        let mut pieces = Vec::with_capacity(copy.pieces.len());
        let mut extent = Extent::default();
        for piece in &copy.pieces {
            match piece {
                ast::CopyPiece::Text(text) => {
                    extent = extent.and(Extent::of_text(text));
                    pieces.push(CopyPiece::Text(text.clone()));
                }
                ast::CopyPiece::Hole(hole) => {
                    if let Some((part, longest)) = self.part_named(hole) {
                        extent = extent.and(longest);
                        pieces.push(CopyPiece::Part(Box::new(part)));
                        continue;
                    }
                    let typed = self.hole(hole);
                    extent = extent.and(segments::of_hole(self.world, &typed.expr, &typed.ty, locale));
                    pieces.push(CopyPiece::Hole(typed.expr));
                }
            }
        }
        (Copy(pieces), extent)
    }

    fn hole(&mut self, hole: &ast::Expr) -> Typed {
        let typed = self.expr(hole, None);
        let typed = self.present(hole, typed);
        if !printable(&typed.ty) {
            let headline =
                format!("{} is {}: it cannot be printed", words::quote(hole), words::of_type(&typed.ty));
            let help = match typed.ty {
                Type::Bool => "write two contents and choose between them with `if`".to_owned(),
                Type::Date | Type::Moment => {
                    format!("write `date({})`", words::short(hole).unwrap_or_else(|| "…".into()))
                }
                _ => "print a text, a number, an amount or a date".to_owned(),
            };
            let finding = Diagnostic::new(code::NOT_PRINTABLE, hole.span, headline)
                .label(typed.ty.to_string())
                .help(help);
            let fix =
                || Fix::suggested("print its date").add_before(hole.span, "date(").add_behind(hole.span, ")");
            let is_date = matches!(typed.ty, Type::Date | Type::Moment);
            self.report(if is_date { finding.with_fix(fix()) } else { finding });
        }
        typed
    }
}

fn listed(names: &[Name]) -> String {
    names.iter().map(|name| name.as_str()).collect::<Vec<_>>().join("`, `")
}

fn printable(ty: &Type) -> bool {
    matches!(
        ty,
        Type::Text
            | Type::ShortText(_)
            | Type::Id
            | Type::Int
            | Type::Decimal
            | Type::Percent
            | Type::Money(_)
            | Type::Date
            | Type::Time
            | Type::Choice(_)
            | Type::OneOf(_)
            | Type::Error
    )
}
