//! `given`: who is there and what is known of them, as values written out.

use crate::diagnostic::{Diagnostic, code};
use crate::expr::{Expr, Window};
use crate::model::Literal;
use crate::model::check::derived::is_derived;
use crate::model::check::expr::Checker;
use crate::model::check::words;
use crate::model::check::world::Kind;
use crate::model::test::{Given, TestKind};
use crate::name::Name;
use crate::syntax::ast::{self, ExprKind, GivenField, Ident};
use crate::text::Span;
use crate::value::{Type, Value};

impl Checker<'_, '_> {
    pub(super) fn given(
        &mut self,
        who: &ast::Given,
        filter: Option<&ast::Expr>,
        fields: &[GivenField],
        cast: &mut Vec<Ident>,
    ) -> Option<TestKind> {
        let (entity, who) = match who {
            ast::Given::Any(entity) => (*entity, Given::Any),
            ast::Given::Many(count, entity) => (*entity, Given::Many(*count)),
            ast::Given::One(entity, name) => {
                self.named_once(*name, cast);
                (*entity, Given::One(name.map(|name| name.name)))
            }
        };
        let entity = self.entity_of(entity)?;
        let subject = self.subject.replace(entity);
        let filter = filter.map(|filter| self.condition(filter));
        let mut parent = None;
        let (mut literals, mut days) = (Vec::new(), Vec::new());
        for field in fields {
            if self.is_parent(entity, field) {
                parent = self.cast_member(&field.value, cast);
            } else if let Some(window) = &field.window {
                days.extend(self.given_days(entity, field, window));
            } else {
                literals.extend(self.given_field(entity, field));
            }
        }
        self.subject = subject;
        Some(TestKind::Given { entity, who, filter, fields: literals, days, parent })
    }

    fn named_once(&mut self, name: Option<Ident>, cast: &mut Vec<Ident>) {
        let Some(name) = name else { return };
        if let Some(first) = cast.iter().find(|known| known.name == name.name).copied() {
            let finding =
                Diagnostic::new(code::DECLARED_TWICE, name.span, format!("`{}` is given twice", name.name));
            self.report(
                finding
                    .label("again here")
                    .also(first.span, "first here")
                    .help("give the second another name"),
            );
        }
        cast.push(name);
        self.cast.push(name.name);
    }

    /// `customer`, and for many of them `customers`.
    fn entity_of(&mut self, ident: Ident) -> Option<Name> {
        let text = ident.name.as_str();
        let is_entity = |name: Name| self.world.decls.get(&name).is_some_and(|one| one.kind == Kind::Entity);
        let singular = [
            text.strip_suffix("ies").map(|stem| format!("{stem}y")),
            text.strip_suffix('s').map(str::to_owned),
        ];
        let name = if is_entity(ident.name) {
            ident.name
        } else {
            let known = singular.iter().flatten().map(|word| Name::new(word)).find(|name| is_entity(*name));
            known.unwrap_or(ident.name)
        };
        let declared =
            self.world.expect(&mut self.sink, self.file, Ident { name, span: ident.span }, Kind::Entity)?;
        Some(declared.name)
    }

    fn is_parent(&self, entity: Name, field: &GivenField) -> bool {
        let parent = self.world.entity(entity).and_then(|entity| entity.parent);
        matches!(field.path.parts.as_slice(), [only] if Some(only.name) == parent)
    }

    fn cast_member(&mut self, value: &ast::Expr, cast: &[Ident]) -> Option<Name> {
        let ExprKind::Path(path) = &value.kind else {
            self.not_given(value.span, &words::quote(value), cast);
            return None;
        };
        let known = cast.iter().find(|known| known.name.as_str() == path.text());
        if known.is_none() {
            self.not_given(value.span, &format!("`{}`", path.text()), cast);
        }
        known.map(|known| known.name)
    }

    pub(super) fn not_given(&mut self, span: Span, quoted: &str, cast: &[Ident]) {
        let finding =
            Diagnostic::new(code::UNKNOWN_NAME, span, format!("nobody in this test is called {quoted}"));
        let names = cast.iter().map(|known| known.name.as_str());
        let name = quoted.trim_matches('`');
        let finding = finding
            .label("not given")
            .suggest(name, names, || "write `given customer li { … }` above".into());
        self.sink.unknown(name, finding);
    }

    /// `aum = 20_000 CNY during 2026-12-01..2026-12-31`
    fn given_days(
        &mut self,
        entity: Name,
        field: &GivenField,
        window: &ast::Window,
    ) -> Option<(Name, Literal, Window)> {
        let (name, literal) = self.given_field(entity, field)?;
        let known = self.world.entity(entity)?.field(name)?;
        let headline = match (window, known.daily) {
            (ast::Window::Since(_) | ast::Window::Ever, _) => "a given value needs a first and a last day",
            (_, true) => return self.window(window).map(|window| (name, literal, window)),
            (_, false) => "a given attribute has one value, unless it is daily",
        };
        let span = match window {
            ast::Window::Last(dur) => dur.span,
            ast::Window::Span(expr) => expr.span,
            ast::Window::Since(anchor) => anchor.span,
            ast::Window::Ever => field.path.span,
        };
        self.report(
            Diagnostic::new(code::MISPLACED, span, headline)
                .label("a window")
                .help("leave the window out, and let it change later: `happen change of …`")
                .help("of a daily attribute say which days: `during 2026-12-01..2026-12-31`"),
        );
        None
    }

    fn given_field(&mut self, entity: Name, field: &GivenField) -> Option<(Name, Literal)> {
        let [name] = field.path.parts.as_slice() else {
            let finding = Diagnostic::new(
                code::MISPLACED,
                field.path.span,
                "an attribute of the subject itself is wanted here",
            );
            self.report(
                finding
                    .label("of something else")
                    .help(format!("give the other one a line of its own: `given {} …`", field.path.text())),
            );
            return None;
        };
        let ty = self.given_type(entity, *name)?;
        let expr = self.expect(&field.value, &ty);
        let literal = self.literal_of(&field.value, expr)?;
        Some((name.name, literal))
    }

    /// The type of an attribute that may be given: a stored one, or a tag.
    fn given_type(&mut self, entity: Name, name: Ident) -> Option<Type> {
        let world = self.world;
        let known = world.entity(entity)?;
        if let Some(field) = known.field(name.name) {
            return Some(field.ty.clone());
        }
        if world.find(&mut self.sink, self.file, name.name).is_some_and(|one| one.kind == Kind::Tag) {
            return Some(Type::Bool);
        }
        let finding = Diagnostic::new(
            code::UNKNOWN_FIELD,
            name.span,
            format!("`{entity}` has no attribute `{}`", name.name),
        );
        let among = known.fields.iter().map(|field| field.name.as_str());
        let derived = world.decls.get(&name.name).is_some_and(|one| is_derived(one.kind));
        let finding = finding.label("no such attribute");
        let finding = if derived {
            finding.help(format!(
                "`{}` follows from other attributes and from what happened: give those",
                name.name
            ))
        } else {
            finding.suggest(name.name.as_str(), among, || "name a declared attribute or a tag".into())
        };
        self.sink.unknown(name.name.as_str(), finding);
        None
    }

    fn literal_of(&mut self, written: &ast::Expr, expr: Expr) -> Option<Literal> {
        match expr {
            // What was wrong has been reported.
            Expr::Const(Value::Missing) => None,
            Expr::Const(value) => Some(value),
            Expr::Neg(inner) => match *inner {
                Expr::Const(Value::Int(value)) => Some(Value::Int(-value)),
                Expr::Const(Value::Decimal(value)) => Some(Value::Decimal(-value)),
                Expr::Const(Value::Percent(value)) => Some(Value::Percent(-value)),
                Expr::Const(Value::Money(mut money)) => {
                    money.minor = money.minor.checked_neg()?;
                    Some(Value::Money(money))
                }
                _ => self.not_fixed(written),
            },
            _ => self.not_fixed(written),
        }
    }

    pub(super) fn not_fixed(&mut self, written: &ast::Expr) -> Option<Literal> {
        let finding = Diagnostic::new(code::NOT_A_VALUE, written.span, "a given value is written out");
        self.report(
            finding
                .label("must be computed")
                .help("write the value itself, for example `50_000 CNY` or `2026-12-01`"),
        );
        None
    }
}
