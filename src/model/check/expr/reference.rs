//! Other roots, through an attribute that refers to one: `employer.pay_day`, `employer.payday`, `branch.head`.
//!
//! Every root but the journey's own kind can be read so: these are few (employers, branches, groups), and the runtime
//! holds them all. A customer cannot be read by another.

use super::{Checker, Typed};
use crate::diagnostic::{Diagnostic, code, suggest};
use crate::expr::Expr;
use crate::name::Name;
use crate::syntax::ast::Ident;
use crate::value::Type;

impl Checker<'_, '_> {
    /// A part of the root that `link` refers to. Where the link may be missing, so may the part.
    pub(super) fn through(&mut self, link: Typed, entity: Name, part: Ident) -> Option<Typed> {
        let link = self.proved(link);
        let world = self.world;
        let known = world.entity(entity)?;
        if self.subject.is_some_and(|subject| world.root(subject) == entity) {
            let headline = format!("what is known of another `{entity}` cannot be read here");
            self.report(
                Diagnostic::new(code::OTHER_SUBJECT, part.span, headline)
                    .label(format!("kept with the `{entity}`"))
                    .help(format!("let its system send `{}` as an attribute of this subject", part.name)),
            );
            return None;
        }
        if known.key == part.name {
            return Some(Typed::new(
                link.expr,
                if link.ty.is_optional() { Type::Id.optional() } else { Type::Id },
            ));
        }
        let optional = link.ty.is_optional();
        if let Some(date) = self.date_of_anchor(Some(link.expr.clone()), entity, part.name) {
            let ty = if optional { date.ty.optional() } else { date.ty };
            return Some(self.proved(Typed::new(date.expr, ty)));
        }
        let Some(field) = known.field(part.name) else {
            self.no_such_part(entity, part);
            return None;
        };
        if field.value.is_some() {
            let headline = format!("`{}` follows from other attributes of the `{entity}`", part.name);
            self.report(
                Diagnostic::new(code::REFERENCE, part.span, headline)
                    .label("not kept")
                    .also(field.span, "derived here")
                    .help("read what it follows from"),
            );
            return None;
        }
        let ty = if optional { field.ty.clone().optional() } else { field.ty.clone() };
        let expr = Expr::Reference { of: Box::new(link.expr), entity, attribute: part.name };
        Some(self.proved(Typed::new(expr, ty)))
    }

    /// The date of a recurring anchor; `None` if the entity has none of this name.
    pub(super) fn date_of_anchor(&self, of: Option<Expr>, entity: Name, name: Name) -> Option<Typed> {
        let known = self.world.entity(entity)?;
        let anchor = known.anchors.iter().find(|anchor| anchor.name == name)?;
        let on = anchor.schedule.attribute().and_then(|on| known.field(on));
        let ty = if on.is_some_and(|on| on.ty.is_optional()) { Type::Date.optional() } else { Type::Date };
        let of = of.map(Box::new);
        let passed = Expr::Anchored { of: of.clone(), entity, anchor: name, back: true };
        let back = self.passed.as_ref() == Some(&passed);
        Some(Typed::new(Expr::Anchored { of, entity, anchor: name, back }, ty))
    }

    fn no_such_part(&mut self, entity: Name, part: Ident) {
        let known = self.world.entity(entity);
        let fields = known.into_iter().flat_map(|entity| entity.fields.iter().map(|field| field.name));
        let anchors = known.into_iter().flat_map(|entity| entity.anchors.iter().map(|anchor| anchor.name));
        let among: Vec<&str> = fields.chain(anchors).map(Name::as_str).collect();
        let headline = format!("`{entity}` has no attribute `{}`", part.name);
        let finding = Diagnostic::new(code::UNKNOWN_FIELD, part.span, headline).label("no such attribute");
        let help = suggest::did_you_mean(part.name.as_str(), among);
        let declare = || format!("declare it: `extend {entity} {{ {} : Text }}`", part.name);
        self.report(finding.help(help.unwrap_or_else(declare)));
    }
}
