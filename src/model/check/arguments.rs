//! Arguments of events: `renewed(holding)`, `checked_in(page = draw)`.

use super::expr::collection::both;
use super::expr::{Checker, Shape};
use super::pattern::Happening;
use super::words;
use super::world::Kind;
use crate::diagnostic::{Diagnostic, code};
use crate::expr::{BinaryOp, Expr, Owner};
use crate::model::Event;
use crate::name::Name;
use crate::syntax::ast::{self, Arg, ExprKind, Ident};
use crate::value::Type;

impl Checker<'_, '_> {
    /// `renewed(holding)`, `checked_in(page = draw)`: only those whose fields are these.
    pub(super) fn with_arguments(&mut self, mut happening: Happening, args: &[Arg]) -> Happening {
        for arg in args {
            let test = match arg.name {
                Some(field) => self.named_argument(&happening.shape, field, &arg.value),
                None => self.positional_argument(&happening, &arg.value),
            };
            happening.filter = both(happening.filter, test);
        }
        happening
    }

    fn named_argument(&mut self, shape: &Shape, field: Ident, value: &ast::Expr) -> Option<Expr> {
        let typed = self.element_field(shape, field);
        let value = self.expect(value, typed.ty.known());
        (typed.ty != Type::Error).then(|| is(typed.expr, value))
    }

    /// The field that can hold the argument, if there is just one.
    fn positional_argument(&mut self, happening: &Happening, value: &ast::Expr) -> Option<Expr> {
        let Shape::Event(event) = happening.shape else { return None };
        let model = self.world.model.events.get(&event)?;
        if let Some((owner, entity)) = self.is_subject(value)
            && owner == Owner::Subject
            && model.subject == entity
        {
            // The event is about this very subject already.
            return None;
        }
        let one_reward = model.fields.iter().filter(|field| *field.ty.known() == Type::Reward).count() == 1;
        let want = self
            .names_declared(value)
            .or_else(|| self.names_referral(value, model))
            .or_else(|| self.may_name_reward(value, one_reward));
        let typed = self.expr(value, want.as_ref());
        if typed.ty == Type::Error {
            return None;
        }
        let fits = model.fields.iter().filter(|field| field.ty.known() == typed.ty.known());
        let fits: Vec<Name> = fits.map(|field| field.name).collect();
        if let [only] = fits.as_slice() {
            return Some(is(Expr::Field(Box::new(Expr::Element), *only), typed.expr));
        }
        self.no_single_field(event, &fits, model, value, &typed.ty);
        None
    }

    fn no_single_field(&mut self, event: Name, fits: &[Name], model: &Event, value: &ast::Expr, ty: &Type) {
        let quoted = words::quote(value);
        let (headline, help) = if fits.is_empty() {
            let fields: Vec<&str> = model.fields.iter().map(|field| field.name.as_str()).collect();
            let fields = match fields.as_slice() {
                [] => "it has no fields".to_owned(),
                _ => format!("its fields are `{}`", fields.join("`, `")),
            };
            (format!("`{event}` has no field that can be {quoted}"), fields)
        } else {
            let ways: Vec<String> = fits.iter().map(|field| format!("`{event}({field} = …)`")).collect();
            (
                format!("`{event}` has several fields that can be {quoted}"),
                format!("write {}", ways.join(" or ")),
            )
        };
        let finding = Diagnostic::new(code::WRONG_ARGUMENTS, value.span, headline);
        self.report(finding.label(words::of_type(ty)).help(help));
    }

    fn is_subject(&self, value: &ast::Expr) -> Option<(Owner, Name)> {
        let ExprKind::Path(path) = &value.kind else { return None };
        let [only] = path.parts.as_slice() else { return None };
        self.owner_of(only.name).map(|owner| (owner, only.name))
    }

    /// `joined(friends)`: one of the referrals there are.
    fn names_referral(&mut self, value: &ast::Expr, event: &Event) -> Option<Type> {
        let ExprKind::Path(path) = &value.kind else { return None };
        let (declared, _) = self.world.find_path(&mut self.sink, self.file, &path.parts)?;
        let field = event.field(Name::new(crate::program::value::REFERRAL))?;
        (declared.kind == Kind::Referral).then(|| field.ty.clone())
    }

    /// A name that means nothing else, where the event has a reward to be named.
    fn may_name_reward(&mut self, value: &ast::Expr, one_reward: bool) -> Option<Type> {
        let ExprKind::Path(path) = &value.kind else { return None };
        let [only] = path.parts.as_slice() else { return None };
        (one_reward && !self.is_taken(only.name)).then_some(Type::Reward)
    }

    /// What a bare name of a content or reward is.
    fn names_declared(&mut self, value: &ast::Expr) -> Option<Type> {
        let ExprKind::Path(path) = &value.kind else { return None };
        let (declared, _) = self.world.find_path(&mut self.sink, self.file, &path.parts)?;
        match declared.kind {
            Kind::Content => Some(Type::Content),
            Kind::Reward => Some(Type::Reward),
            _ => None,
        }
    }
}

fn is(left: Expr, right: Expr) -> Expr {
    Expr::Binary(BinaryOp::Is, Box::new(left), Box::new(right))
}
