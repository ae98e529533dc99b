//! What stages or a metric were at their best or least: `max(membership during last 30 days)`, which is how tiers have a
//! grace period.
//!
//! Their changes are followed, so what it was before each change inside the window is known, and what it is now is too:
//! nothing else is kept. Before the first look nothing is known of it.

use super::{Checker, Typed};
use crate::diagnostic::{Diagnostic, code};
use crate::expr::{Aggregate, AggregateFn, ChangeVerb, Expr, Function, Source};
use crate::model::check::words;
use crate::model::check::world::Kind;
use crate::name::Name;
use crate::syntax::ast::{self, Arg, ExprKind};
use crate::text::Span;
use crate::value::Type;

/// A derived value of the subject.
pub(super) struct Followed {
    name: Name,
    now: Typed,
}

impl Checker<'_, '_> {
    /// The stages or the metric that is named here.
    pub(super) fn followed(&mut self, expr: &ast::Expr) -> Option<Followed> {
        let ExprKind::Path(path) = &expr.kind else { return None };
        let (declared, parts) = self.world.find_path(&mut self.sink, self.file, &path.parts)?;
        if parts < path.parts.len() || !matches!(declared.kind, Kind::Stages | Kind::Metric) {
            return None;
        }
        let now = self.path(path, None);
        let Expr::Def(_, at) = now.expr else { return None };
        let name = self.uses.defs.get(usize::from(at)).copied()?;
        Some(Followed { name, now })
    }

    /// The greatest or least that it was in the window, now included.
    pub(super) fn over_changes(
        &mut self,
        span: Span,
        function: AggregateFn,
        value: Followed,
        arg: &Arg,
    ) -> Typed {
        let Followed { name, now } = value;
        if now.ty == Type::Error || self.no_history(span) {
            return Typed::error();
        }
        let both = match function {
            AggregateFn::Max => Function::Max,
            AggregateFn::Min => Function::Min,
            _ => return self.not_kept(span, name),
        };
        if !self.has_order(&now.ty) {
            let headline = format!("`{name}` is {}: none is the greatest", words::of_type(&now.ty));
            self.report(
                Diagnostic::new(code::NO_ORDER, arg.value.span, headline)
                    .label("has no order")
                    .help("name `ranked` stages, or a metric that is a number, an amount or a date"),
            );
            return Typed::error();
        }
        if let Some(filter) = &arg.filter {
            let headline = "what it was has no fields";
            let finding = Diagnostic::new(code::MISPLACED, filter.span, headline);
            self.report(finding.label("no `where` here").help("leave the `where` out"));
        }
        let Some(written) = arg.window.as_deref() else {
            let headline = format!("over which time `{name}` is meant is not said");
            self.report(
                Diagnostic::new(code::WINDOW, span, headline)
                    .label("no window")
                    .help("write `during last 30 days` behind it"),
            );
            return Typed::error();
        };
        let Some(window) = self.window(written) else { return Typed::error() };
        let before = Aggregate {
            function,
            source: Source::Change { verb: ChangeVerb::Change, attribute: name },
            filter: None,
            value: Some(Expr::Field(Box::new(Expr::Element), Name::new("old"))),
            window: Some(window),
        };
        let before = self.feature(before);
        let before = Expr::Otherwise(Box::new(before), Box::new(now.expr.clone()));
        Typed::new(Expr::Call(both, vec![now.expr, before]), now.ty)
    }

    fn not_kept(&mut self, span: Span, name: Name) -> Typed {
        let headline = format!("of `{name}` only what it was at most and at least can be asked");
        self.report(
            Diagnostic::new(code::WRONG_ARGUMENTS, span, headline)
                .label("not kept")
                .help(format!("write `max({name} during last 30 days)` or `min(…)`"))
                .help(format!("or count its changes: `count(change of {name} during last 30 days)`")),
        );
        Typed::error()
    }
}
