//! Whether a value may stand where another is wanted, and what is said if it may not.

use super::{Checker, Place, Typed, compare};
use crate::diagnostic::{Diagnostic, Fix, code};
use crate::expr::Expr;
use crate::model::check::words;
use crate::syntax::ast;
use crate::value::{Type, Value};

impl Checker<'_, '_> {
    /// Checks `expr` as a value of `want`; `what` names the place in messages: "the amount".
    pub(in crate::model::check) fn expect(&mut self, expr: &ast::Expr, want: &Type) -> Expr {
        let typed = self.expr(expr, Some(want));
        self.coerce(expr, typed, want)
    }

    /// The value if it may stand where `want` is wanted, else a finding.
    pub(in crate::model::check) fn coerce(&mut self, written: &ast::Expr, typed: Typed, want: &Type) -> Expr {
        if assignable(&typed.ty, want) {
            return typed.expr;
        }
        if assignable(typed.ty.known(), want) {
            self.may_be_missing(written, &typed.ty);
        } else {
            self.mismatch(written, &typed.ty, want);
        }
        Expr::Const(Value::Missing)
    }

    fn mismatch(&mut self, written: &ast::Expr, found: &Type, want: &Type) {
        let want = want.known();
        if *want == Type::Bool {
            return self.not_a_condition(written, found);
        }
        let headline = format!(
            "{} is {}, but {} is wanted here",
            words::quote(written),
            words::of_type(found),
            words::of_type(want)
        );
        let mut finding = Diagnostic::new(code::TYPE_MISMATCH, written.span, headline)
            .label(format!("{found}, not {want}"));
        for help in compare::hints(written, found, want) {
            finding = finding.help(help);
        }
        if finding.help.is_empty() {
            finding = finding.help(format!("write {} instead", words::of_type(want)));
        }
        self.report(finding);
    }

    fn not_a_condition(&mut self, written: &ast::Expr, found: &Type) {
        let headline = format!("{} is {}, not a condition", words::quote(written), words::of_type(found));
        let text = words::short(written).unwrap_or_else(|| "…".into());
        let help = match found.known() {
            Type::List(_) | Type::Range(_) => format!("ask what is in it: `{text} has …`"),
            Type::Int | Type::Decimal | Type::Percent | Type::Money(_) => {
                format!("compare it: `{text} > {}`", fallback_for(found.known()))
            }
            _ => format!("compare it: `{text} is …`"),
        };
        self.report(
            Diagnostic::new(code::TYPE_MISMATCH, written.span, headline)
                .label("neither true nor false")
                .help(help),
        );
    }

    /// A condition: yes or no.
    pub(in crate::model::check) fn condition(&mut self, expr: &ast::Expr) -> Expr {
        self.expect(expr, &Type::Bool)
    }

    /// The value without its `?`: proved, or a finding.
    pub(in crate::model::check) fn present(&mut self, written: &ast::Expr, typed: Typed) -> Typed {
        if !typed.ty.is_optional() {
            return typed;
        }
        self.may_be_missing(written, &typed.ty);
        Typed::error()
    }

    fn may_be_missing(&mut self, written: &ast::Expr, ty: &Type) {
        let name = words::short(written).unwrap_or_else(|| "…".into());
        let fallback = match (&self.place, ty.known()) {
            // Which word reads well there, only the author knows.
            (Place::Content, Type::Text) => "\"…\"".to_owned(),
            (_, known) => fallback_for(known),
        };
        let headline = format!("{} may be missing", words::quote(written));
        let finding = Diagnostic::new(code::MAY_BE_MISSING, written.span, headline)
            .label("there may be no value here")
            .help(format!("say what counts then: `({name} otherwise {fallback})`"));
        let finding = match self.place {
            // A copy can say another word, but cannot ask.
            Place::Content => finding,
            _ => finding.help(format!("or ask first: `{name} is known and …`")),
        };
        self.report(match self.fallback_fix(written, ty.known()) {
            Some(fix) => finding.with_fix(fix),
            None => finding,
        });
    }

    /// What may stand for a missing value without saying anything false: to a reader, a text that is not there; to a
    /// condition, also nothing and no.
    fn fallback_fix(&self, written: &ast::Expr, ty: &Type) -> Option<Fix> {
        let fallback = match ty {
            Type::Text | Type::ShortText(_) => "\"\"".to_owned(),
            _ if self.place == Place::Content => return None,
            Type::Bool | Type::Int | Type::Decimal | Type::Percent | Type::Money(_) => fallback_for(ty),
            _ => return None,
        };
        let fix = Fix::suggested(format!("add `otherwise {fallback}`"));
        let behind = format!(" otherwise {fallback}");
        Some(match self.place {
            Place::Content => fix.add_behind(written.span, behind),
            _ => fix.add_before(written.span, "(").add_behind(written.span, format!("{behind})")),
        })
    }
}

/// Whether a value of `found` may stand where `want` is wanted.
pub(in crate::model::check) fn assignable(found: &Type, want: &Type) -> bool {
    match (found, want) {
        (Type::Error, _)
        | (_, Type::Error)
        | (Type::Int, Type::Decimal)
        | (Type::Text | Type::ShortText(_), Type::Id)
        | (Type::Id | Type::ShortText(_), Type::Text) => true,
        (Type::ShortText(found), Type::ShortText(want)) => found <= want,
        (Type::Optional(found), Type::Optional(want))
        | (Type::List(found), Type::List(want))
        | (Type::Range(found), Type::Range(want)) => assignable(found, want),
        (found, Type::Optional(want)) => assignable(found, want),
        (Type::OneOf(found), Type::OneOf(want)) => found.iter().all(|case| want.contains(case)),
        _ => found == want,
    }
}

/// A value to suggest behind `otherwise`.
fn fallback_for(ty: &Type) -> String {
    match ty {
        Type::Bool => "false".into(),
        Type::Int | Type::Decimal => "0".into(),
        Type::Percent => "0%".into(),
        Type::Money(currency) => format!("0 {currency}"),
        Type::Text | Type::ShortText(_) => "\"您\"".into(),
        Type::Date => "today".into(),
        _ => "…".into(),
    }
}
