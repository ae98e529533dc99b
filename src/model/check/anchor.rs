//! The instants that a `within`, a `since` or a goal counts from.

use super::expr::Checker;
use crate::diagnostic::{Diagnostic, code};
use crate::expr::{Anchor, MessageEvent, Source};
use crate::model::check::words;
use crate::syntax::ast::{self, ExprKind, OccurrenceKind, Path};
use crate::text::Span;
use crate::value::Type;

impl Checker<'_, '_> {
    /// The instant that a `within` or `since` counts from.
    pub(super) fn anchor(&mut self, written: &ast::Anchor) -> Option<Anchor> {
        let OccurrenceKind::Expr(expr) = &written.kind else {
            self.no_instant(written.span);
            return None;
        };
        if written.first {
            if matches!(&expr.kind, ExprKind::Path(path) if path.text() == "sent") {
                return Some(Anchor::FirstSent);
            }
            self.no_instant(written.span);
            return None;
        }
        match &expr.kind {
            ExprKind::Path(path) if path.parts.len() == 1 => self.named_anchor(path, expr),
            ExprKind::Call { callee, args } if callee.text() == "sent" => {
                let word = callee.parts.first()?;
                match self.message_called(MessageEvent::Sent, *word, args)?.source {
                    Source::Message { step: Some(step), .. } => Some(Anchor::Sent(step)),
                    _ => None,
                }
            }
            ExprKind::Call { .. } if self.happening(expr, None).is_some() => {
                self.no_instant(written.span);
                None
            }
            _ => self.date_anchor(expr),
        }
    }

    fn named_anchor(&mut self, path: &Path, expr: &ast::Expr) -> Option<Anchor> {
        let name = path.parts.first()?.name;
        match name.as_str() {
            "here" => return Some(Anchor::Here),
            "entered" => return Some(Anchor::Entered),
            "event" if self.entry.is_some() => return Some(Anchor::Entry),
            _ => {}
        }
        let scoped = self.scoped(name);
        if let Some(slot) = self.locals.iter().position(|local| local.name == scoped && local.shape.is_some())
        {
            let slot = u16::try_from(slot).ok()?;
            self.must_be_assigned(slot, path.span);
            return Some(Anchor::Local(slot));
        }
        let event = self.event_meant(name);
        if let Some((_, anchor)) = self.occurred.iter().rev().find(|(known, _)| *known == event) {
            return Some(anchor.clone());
        }
        if self.happening(expr, None).is_some() {
            let finding = Diagnostic::new(
                code::NO_ANCHOR,
                path.span,
                format!("`{name}` has not happened on every path to here"),
            );
            self.report(
                finding
                    .label("may not have happened")
                    .help("count from `here`, `entered` or `sent(x)`")
                    .help(format!("or wait for it first: `wait for {name} as x within …`")),
            );
            return None;
        }
        self.date_anchor(expr)
    }

    fn date_anchor(&mut self, expr: &ast::Expr) -> Option<Anchor> {
        if self.is_unknown_occurrence(expr) {
            return None;
        }
        let typed = self.expr(expr, Some(&Type::Date));
        let typed = self.present(expr, typed);
        match typed.ty {
            Type::Error => None,
            Type::Date | Type::Moment => Some(Anchor::At(typed.expr)),
            Type::Period | Type::Duration => {
                let finding =
                    Diagnostic::new(code::NO_ANCHOR, expr.span, "this is a length of time, not an instant");
                self.report(finding.label("how long, not since when").help(format!(
                    "write `during last {}`",
                    words::short(expr).unwrap_or_else(|| "30 days".into())
                )));
                None
            }
            _ => {
                self.no_instant(expr.span);
                None
            }
        }
    }

    fn no_instant(&mut self, span: Span) {
        self.report(
            Diagnostic::new(code::NO_ANCHOR, span, "this is not an instant to count from")
                .label("not an instant")
                .help("write `here`, `entered`, `event`, `sent(x)`, `first sent`, the name of an event that came, or a date"),
        );
    }

    /// A named value that some path to here has not set.
    pub(super) fn must_be_assigned(&mut self, slot: u16, span: Span) {
        if self.ended || self.assigned.contains(&slot) {
            return;
        }
        let Some(local) = self.locals.get(usize::from(slot)) else { return };
        let (name, declared) = (local.name, local.span);
        self.report(
            Diagnostic::new(code::NOT_ASSIGNED, span, format!("`{name}` is not set on every path to here"))
                .label("may not be set")
                .also(declared, "set here")
                .help("move this into the branch that sets it, or set it on the other paths too"),
        );
    }
}
