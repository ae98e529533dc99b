//! Calls: functions over values. Aggregates over collections are calls too and go to `collection`.

use super::{Checker, Typed};
use crate::diagnostic::{Diagnostic, code};
use crate::expr::{Expr, Function, MessageEvent};
use crate::model::check::words;
use crate::syntax::ast::{self, Arg, Path};
use crate::value::Type;

const FUNCTIONS: [(&str, Function, usize); 9] = [
    ("money", Function::Money, 1),
    ("date", Function::Date, 1),
    ("mask", Function::Mask, 1),
    ("link", Function::Link, 1),
    ("max", Function::Max, 2),
    ("min", Function::Min, 2),
    ("round", Function::Round, 1),
    ("days", Function::Days, 1),
    ("ratio", Function::Ratio, 2),
];

impl Checker<'_, '_> {
    pub(super) fn call(
        &mut self,
        whole: &ast::Expr,
        callee: &Path,
        args: &[Arg],
        want: Option<&Type>,
    ) -> Typed {
        if let Some(table) = self.table_named(callee) {
            return self.table_call(whole, &table, args);
        }
        let name = callee.text();
        if name == "balance" {
            return self.balance(callee, args);
        }
        let of_values = matches!(name.as_str(), "max" | "min") && args.len() == 2;
        if !of_values && let Some(function) = super::collection::function(&name) {
            return self.aggregate(whole, function, &name, args);
        }
        if name == "gap" {
            return self.gap(whole, args);
        }
        let Some((_, function, arity)) = FUNCTIONS.iter().find(|(known, ..)| *known == name) else {
            self.unknown_function(callee, &name);
            return Typed::error();
        };
        if args.len() != *arity {
            let times = if *arity == 1 { "one value" } else { "two values" };
            self.report(
                Diagnostic::new(code::WRONG_ARGUMENTS, whole.span, format!("`{name}` takes {times}"))
                    .label(format!("{} given", args.len()))
                    .help(format!("write `{name}({})`", if *arity == 1 { "x" } else { "a, b" })),
            );
            return Typed::error();
        }
        self.function(*function, args, want)
    }

    fn unknown_function(&mut self, callee: &Path, name: &str) {
        let event = callee.parts.first().and_then(|part| {
            let declared = self.world.find(&mut self.sink, self.file, part.name);
            declared.filter(|declared| declared.kind == crate::model::check::world::Kind::Event)
        });
        let message = MessageEvent::ALL.iter().any(|kind| kind.as_str() == name);
        if event.is_some() || message {
            self.report(
                Diagnostic::new(code::NOT_A_VALUE, callee.span, format!("`{name}` is an event, not a value"))
                    .label("an event")
                    .help(format!("ask whether it happened: `any {name}(…) since entered`")),
            );
            return;
        }
        let aggregates = super::collection::NAMES.iter().map(|(name, _)| *name);
        let among = FUNCTIONS.iter().map(|(name, ..)| *name).chain(aggregates).chain(["gap"]);
        let finding =
            Diagnostic::new(code::UNKNOWN_NAME, callee.span, format!("no function is called `{name}`"))
                .label("not known");
        self.report(finding.suggest(name, among, || {
            "functions are `count sum avg min max first last most spread trend gap ratio money date mask link round days`".into()
        }));
    }

    fn function(&mut self, function: Function, args: &[Arg], want: Option<&Type>) -> Typed {
        let [first, rest @ ..] = args else { return Typed::error() };
        let value = self.expr(&first.value, want.filter(|_| !rest.is_empty()));
        let value = self.present(&first.value, value);
        let mut exprs = vec![value.expr.clone()];
        for arg in rest {
            exprs.push(self.expect(&arg.value, &value.ty));
        }
        if value.ty == Type::Error {
            return Typed::error();
        }
        let ty = match (function, &value.ty) {
            (Function::Ratio, Type::Int | Type::Decimal | Type::Percent | Type::Money(_)) => {
                Type::Percent.optional()
            }
            (Function::Money, Type::Money(_))
            | (Function::Date, Type::Date | Type::Moment)
            | (Function::Mask | Function::Link, Type::Text | Type::ShortText(_) | Type::Id) => Type::Text,
            (Function::Round, Type::Decimal) => Type::Int,
            (Function::Round, Type::Money(currency)) => Type::Money(*currency),
            (Function::Days, Type::Range(inner)) if **inner == Type::Date => Type::Int,
            (
                Function::Max | Function::Min,
                Type::Int
                | Type::Decimal
                | Type::Percent
                | Type::Money(_)
                | Type::Date
                | Type::Moment
                | Type::Time,
            ) => value.ty.clone(),
            _ => {
                self.wrong_argument(function, &first.value, &value.ty);
                return Typed::error();
            }
        };
        Typed::new(Expr::Call(function, exprs), ty)
    }

    fn wrong_argument(&mut self, function: Function, written: &ast::Expr, ty: &Type) {
        let name = FUNCTIONS.iter().find(|(_, known, _)| *known == function).map_or("…", |(name, ..)| name);
        let wanted = match function {
            Function::Money => "an amount such as `100 CNY`",
            Function::Date => "a date",
            Function::Mask => "a text",
            Function::Link => "a text with an address",
            Function::Round => "an amount or a decimal number",
            Function::Days => "a range of dates",
            Function::Ratio => "two numbers or two amounts",
            Function::Max | Function::Min | Function::DateOf => "numbers, amounts or dates",
        };
        let headline =
            format!("{} is {}, and `{name}` takes {wanted}", words::quote(written), words::of_type(ty));
        self.report(
            Diagnostic::new(code::WRONG_ARGUMENTS, written.span, headline)
                .label(ty.to_string())
                .help(format!("give it {wanted}")),
        );
    }
}
