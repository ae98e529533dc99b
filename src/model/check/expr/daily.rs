//! Daily attributes over time: `avg(aum during last month)`, `trend(aum during last 90 days)`.
//!
//! What is kept is the value at the end of each day, so windows are whole days, and nothing can be asked of a day but
//! its value.

use super::{Checker, Typed};
use crate::diagnostic::{Diagnostic, code};
use crate::expr::{Aggregate, AggregateFn, Owner, Source, Window};
use crate::model::Field;
use crate::model::check::words;
use crate::name::Name;
use crate::syntax::ast::{self, Arg, ExprKind};
use crate::text::Span;
use crate::value::{Length, Type};

/// An attribute of the subject or its parent.
pub(super) struct Attribute {
    owner: Owner,
    entity: Name,
    field: Field,
}

impl Attribute {
    pub(super) fn is_daily(&self) -> bool {
        self.field.daily
    }
}

impl Checker<'_, '_> {
    /// The attribute that is named here, daily or not. Events and children of the same name come first.
    pub(super) fn attribute_named(&self, expr: &ast::Expr) -> Option<Attribute> {
        let ExprKind::Path(path) = &expr.kind else { return None };
        let subject = self.subject?;
        let (entity, name) = match path.parts.as_slice() {
            [name] => (subject, name.name),
            [owner, name] => (owner.name, name.name),
            _ => return None,
        };
        let owner = self.owner_of(entity)?;
        let field = self.world.entity(entity)?.field(name)?.clone();
        Some(Attribute { owner, entity, field })
    }

    /// The name of the daily attribute that is named here.
    pub(in crate::model::check) fn daily_attribute(&self, expr: &ast::Expr) -> Option<Name> {
        self.attribute_named(expr).filter(Attribute::is_daily).map(|attribute| attribute.field.name)
    }

    /// An aggregate over the days of the attribute.
    pub(super) fn over_days(
        &mut self,
        span: Span,
        function: AggregateFn,
        attribute: &Attribute,
        arg: &Arg,
    ) -> Typed {
        if attribute.field.ty == Type::Error || self.no_history(span) {
            return Typed::error();
        }
        if !attribute.field.daily {
            self.not_daily(arg.value.span, attribute);
            return Typed::error();
        }
        if let Some(filter) = &arg.filter {
            let finding =
                Diagnostic::new(code::MISPLACED, filter.span, "a day has its value and nothing else");
            self.report(finding.label("no `where` here").help("leave the `where` out"));
        }
        let window = self.days(span, &arg.value, arg.window.as_deref());
        let Some(ty) = self.over_days_type(span, function, attribute) else { return Typed::error() };
        let Some(window) = window else { return Typed::error() };
        let source = Source::Daily { owner: attribute.owner, attribute: attribute.field.name };
        let aggregate = Aggregate { function, source, filter: None, value: None, window: Some(window) };
        let feature = self.feature(aggregate);
        Typed::new(super::collection::zero_if_none(function, feature, &ty), ty)
    }

    fn not_daily(&mut self, span: Span, attribute: &Attribute) {
        let (field, entity) = (&attribute.field, attribute.entity);
        let headline = format!("only the present value of `{}` is known", field.name);
        self.report(
            Diagnostic::new(code::NOT_DAILY, span, headline)
                .label("not a daily attribute")
                .also(field.span, "declared here")
                .help(format!("declare it so in `{entity}`: `{} : {} daily`", field.name, field.ty)),
        );
    }

    fn days(&mut self, span: Span, of: &ast::Expr, window: Option<&ast::Window>) -> Option<Window> {
        let quoted = words::quote(of);
        let Some(written) = window else {
            let headline = format!("over which days {quoted} is meant is not said");
            self.report(
                Diagnostic::new(code::WINDOW, span, headline)
                    .label("no window")
                    .help("write `during last 90 days` or `during last month` behind it"),
            );
            return None;
        };
        match self.window(written)? {
            Window::Last(Length::Elapsed(_)) | Window::Since(_) | Window::Ever => {
                let headline = format!("of {quoted} the value at the end of each day is known");
                self.report(
                    Diagnostic::new(code::DAILY_WINDOW, span, headline)
                        .label("not over whole days")
                        .help(
                            "write `during last 90 days`, `during this month`, `during month of 2027-03-31`",
                        )
                        .help("or two days: `during 2027-01-01..2027-03-31`"),
                );
                None
            }
            window => Some(window),
        }
    }

    fn over_days_type(&mut self, span: Span, function: AggregateFn, attribute: &Attribute) -> Option<Type> {
        let ty = attribute.field.ty.known().clone();
        Some(match (function, ty) {
            (AggregateFn::Sum, ty) => ty,
            (AggregateFn::Avg, Type::Int) => Type::Decimal.optional(),
            (AggregateFn::Spread | AggregateFn::Trend, _) => Type::Percent.optional(),
            (
                AggregateFn::Avg
                | AggregateFn::Min
                | AggregateFn::Max
                | AggregateFn::First
                | AggregateFn::Last,
                ty,
            ) => ty.optional(),
            (AggregateFn::Any | AggregateFn::Once | AggregateFn::Count | AggregateFn::Most, _) => {
                let headline = format!("the days of `{}` cannot be counted", attribute.field.name);
                self.report(
                    Diagnostic::new(code::WRONG_ARGUMENTS, span, headline)
                        .label("every day has a value")
                        .help("write `avg`, `min`, `max`, `first`, `last`, `sum`, `spread` or `trend`"),
                );
                return None;
            }
        })
    }
}
