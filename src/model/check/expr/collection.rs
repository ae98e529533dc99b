//! Collections: `any login during last 90 days`, `sum(payment.amount where … during this month)`,
//! `no holding where …`, `most(opened.channel during last 180 days)`.
//!
//! Events and message events have a window, always; child entities never. A history condition is kept up to date as
//! events come in, so its `where` sees the event only: an attribute would have to be known for every past event.

use super::{Checker, Element, Place, Shape, Typed};
use crate::diagnostic::{Diagnostic, code};
use crate::expr::{Aggregate, AggregateFn, Anchor, Expr, Source, Window};
use crate::model::check::pattern::Happening;
use crate::model::check::world::{Kind, Reported};
use crate::model::check::{length, visit, words};
use crate::name::Name;
use crate::syntax::ast::{self, Arg, CivilUnit, DurKind, ExprKind, Occurrence, OccurrenceKind, Quantifier};
use crate::text::Span;
use crate::value::{Money, Type, Value};

pub(super) const NAMES: [(&str, AggregateFn); 10] = [
    ("count", AggregateFn::Count),
    ("sum", AggregateFn::Sum),
    ("avg", AggregateFn::Avg),
    ("min", AggregateFn::Min),
    ("max", AggregateFn::Max),
    ("first", AggregateFn::First),
    ("last", AggregateFn::Last),
    ("most", AggregateFn::Most),
    ("spread", AggregateFn::Spread),
    ("trend", AggregateFn::Trend),
];

pub(super) fn function(name: &str) -> Option<AggregateFn> {
    NAMES.iter().find(|(known, _)| *known == name).map(|(_, function)| *function)
}

/// A collection, and the field of its elements that is asked for.
struct Collection {
    happening: Happening,
    value: Option<ast::Ident>,
}

impl Checker<'_, '_> {
    pub(super) fn quantified(
        &mut self,
        span: Span,
        quantifier: Quantifier,
        pattern: &ast::Pattern,
        window: Option<&ast::Window>,
    ) -> Typed {
        let Some(happening) = self.counted(&pattern.occurrence) else { return Typed::error() };
        if let Some(without) = &pattern.without {
            let finding = Diagnostic::new(
                code::MISPLACED,
                without.pattern.span,
                "`without` cannot stand in a condition",
            );
            self.report(
                finding
                    .label("only an entry waits for what does not follow")
                    .help("write `enter on A without B within D`"),
            );
        }
        let function = if quantifier == Quantifier::Once { AggregateFn::Once } else { AggregateFn::Any };
        let collection = Collection { happening, value: None };
        let typed = self.fold(span, function, collection, pattern.filter.as_deref(), window);
        match quantifier {
            Quantifier::No if typed.ty != Type::Error => {
                Typed::new(Expr::Not(Box::new(typed.expr)), Type::Bool)
            }
            _ => typed,
        }
    }

    fn counted(&mut self, occurrence: &Occurrence) -> Option<Happening> {
        match &occurrence.kind {
            OccurrenceKind::Change { verb, of } => self.change(*verb, of),
            OccurrenceKind::Expr(expr) => self.collection(expr).map(|found| found.happening),
        }
    }

    pub(super) fn aggregate(
        &mut self,
        whole: &ast::Expr,
        function: AggregateFn,
        name: &str,
        args: &[Arg],
    ) -> Typed {
        let [arg] = args else {
            self.report(
                Diagnostic::new(
                    code::WRONG_ARGUMENTS,
                    whole.span,
                    format!("`{name}` looks at one collection"),
                )
                .label(format!("{} given", args.len()))
                .help(format!("write for example `{name}(payment.amount during last 30 days)`")),
            );
            return Typed::error();
        };
        if !self.is_collection(&arg.value)
            && let Some(attribute) = self.attribute_named(&arg.value)
            && (attribute.is_daily() || !matches!(function, AggregateFn::Count | AggregateFn::Most))
        {
            return self.over_days(whole.span, function, &attribute, arg);
        }
        if !self.is_collection(&arg.value)
            && let Some(value) = self.followed(&arg.value)
        {
            return self.over_changes(whole.span, function, value, arg);
        }
        let Some(collection) = self.collection(&arg.value) else { return Typed::error() };
        self.fold(whole.span, function, collection, arg.filter.as_deref(), arg.window.as_deref())
    }

    /// Whether the first word names an event or child entities.
    fn is_collection(&mut self, expr: &ast::Expr) -> bool {
        let ExprKind::Path(path) = &expr.kind else { return true };
        let Some(first) = path.parts.first() else { return true };
        let of_subject = path.parts.len() > 1 && self.owner_of(first.name).is_some();
        let declared = self.world.find(&mut self.sink, self.file, first.name);
        !of_subject && declared.is_some_and(|one| matches!(one.kind, Kind::Event | Kind::Entity))
    }

    /// The collection that an expression names: `payment`, `payment.amount`, `opened(offer).channel`, `holding`.
    fn collection(&mut self, expr: &ast::Expr) -> Option<Collection> {
        match &expr.kind {
            ExprKind::Error => None,
            ExprKind::Path(path) => {
                let mut parts = path.parts.clone();
                let front = ast::Path { parts: parts.drain(..1).collect(), span: path.span };
                let named = ast::Expr { kind: ExprKind::Path(front), span: path.span };
                let Some(happening) = self.countable(&named) else {
                    self.not_countable(expr);
                    return None;
                };
                Some(Collection { happening: happening.ok()?, value: parts.first().copied() })
            }
            ExprKind::Field { base, field } => {
                let found = self.collection(base)?;
                Some(Collection { value: Some(*field), ..found })
            }
            _ => {
                let Some(happening) = self.countable(expr) else {
                    self.not_countable(expr);
                    return None;
                };
                Some(Collection { happening: happening.ok()?, value: None })
            }
        }
    }

    /// `None`: not something that can be counted.
    fn countable(&mut self, expr: &ast::Expr) -> Option<Result<Happening, Reported>> {
        if let Some(children) = self.children(expr) {
            return Some(Ok(children));
        }
        self.happening(expr, None)
    }

    fn children(&mut self, expr: &ast::Expr) -> Option<Happening> {
        let ExprKind::Path(path) = &expr.kind else { return None };
        let [name] = path.parts.as_slice() else { return None };
        let subject = self.subject?;
        let is_child =
            self.world.children.get(&subject).is_some_and(|children| children.contains(&name.name));
        if !is_child {
            return None;
        }
        self.world.find(&mut self.sink, self.file, name.name)?;
        Some(Happening {
            source: Source::Children(name.name),
            shape: Shape::Child(name.name),
            names: vec![name.name],
            filter: None,
        })
    }

    fn not_countable(&mut self, expr: &ast::Expr) {
        let ExprKind::Path(path) = &expr.kind else {
            self.report(not_a_collection(expr.span, &words::quote(expr)));
            return;
        };
        let [first, ..] = path.parts.as_slice() else { return };
        if self.world.find(&mut self.sink, self.file, first.name).is_some() || self.knows(first.name) {
            self.report(not_a_collection(path.span, &words::quote(expr)));
            return;
        }
        let mut among = self.world.visible_of(self.file, &[Kind::Event, Kind::Entity]);
        among.extend(crate::expr::MessageEvent::ALL.map(crate::expr::MessageEvent::as_str));
        let finding = self.world.unknown(self.file, *first, "an event or child entity", &among);
        self.sink.unknown(&path.text(), finding);
    }

    fn knows(&self, name: Name) -> bool {
        let attribute = self.subject.and_then(|subject| self.world.entity(subject)?.field(name));
        attribute.is_some() || self.locals.iter().any(|local| local.name == name)
    }

    fn fold(
        &mut self,
        span: Span,
        function: AggregateFn,
        collection: Collection,
        filter: Option<&ast::Expr>,
        window: Option<&ast::Window>,
    ) -> Typed {
        let Collection { happening, value } = collection;
        let children = matches!(happening.source, Source::Children(_));
        if !children && self.no_history(span) {
            return Typed::error();
        }
        self.elements.push(Element { names: happening.names.clone(), shape: happening.shape.clone() });
        let written = filter;
        let filter = filter.map(|filter| self.condition(filter));
        let facts = self.facts.len();
        self.facts.extend(filter.as_ref().map(super::flow::when_true).unwrap_or_default());
        let value = value.map(|field| {
            let path = ast::Path { parts: vec![field], span: field.span };
            (field, self.record_field(&happening.shape, &path))
        });
        self.facts.truncate(facts);
        self.elements.pop();
        let filter = self.of_opening(both(happening.filter.clone(), filter), &happening.shape);
        if !children && let (Some(filter), Some(written)) = (&filter, written) {
            self.only_the_event(filter, written);
        }
        let window = self.window_of(span, children, &happening, window);
        let Some(ty) = self.result(span, function, value.as_ref(), &happening.shape) else {
            return Typed::error();
        };
        let (Ok(window), true) = (window, value.as_ref().is_none_or(|(_, value)| value.ty != Type::Error))
        else {
            return Typed::error();
        };
        let value = value.map(|(_, value)| value.expr);
        let aggregate = Aggregate { function, source: happening.source, filter, value, window };
        let expr = if children { Expr::Aggregate(Box::new(aggregate)) } else { self.feature(aggregate) };
        Typed::new(zero_if_none(function, expr, &ty), ty)
    }

    fn record_field(&mut self, shape: &Shape, path: &ast::Path) -> Typed {
        let Some(part) = path.parts.first() else { return Typed::error() };
        self.element_field(shape, *part)
    }

    pub(super) fn no_history(&mut self, span: Span) -> bool {
        let (headline, help) = match self.place {
            Place::Content => {
                ("copy cannot look into the past", "declare a `metric` and write its name here")
            }
            Place::Field => ("a derived field cannot look into the past", "declare a `metric` instead"),
            Place::Table => ("a table cannot look into the past", "pass what it needs in as a parameter"),
            Place::Derived | Place::Journey | Place::Test => return false,
        };
        self.report(Diagnostic::new(code::MISPLACED, span, headline).label("history").help(help));
        true
    }

    /// History is kept per event, so its `where` may look at nothing that changes afterwards.
    fn only_the_event(&mut self, filter: &Expr, written: &ast::Expr) {
        let beyond = |expr: &Expr| {
            matches!(
                expr,
                Expr::Attr(..)
                    | Expr::Def(..)
                    | Expr::Tag(..)
                    | Expr::Local(_)
                    | Expr::Entry
                    | Expr::Entered
                    | Expr::Now
                    | Expr::Today
                    | Expr::History(_)
                    | Expr::Reference { .. }
                    | Expr::Anchored { .. }
                    | Expr::Aggregate(_)
                    | Expr::Span { .. }
            )
        };
        if visit::any(filter, &beyond) {
            let headline = "a condition on past events may look at the events only";
            self.report(
                Diagnostic::new(code::HISTORY_FILTER, written.span, headline)
                    .label("looks at something else as well")
                    .help("compare the event's own fields with fixed values")
                    .help("or put the other condition outside: `any … during … and …`"),
            );
        }
    }

    /// None for child entities, which have no past.
    fn window_of(
        &mut self,
        span: Span,
        children: bool,
        happening: &Happening,
        window: Option<&ast::Window>,
    ) -> Result<Option<Window>, Reported> {
        let name = happening.shape.words();
        match (children, window) {
            (true, None) => Ok(None),
            (true, Some(_)) => {
                self.report(
                    Diagnostic::new(
                        code::WINDOW,
                        span,
                        format!("{name} is what there is now: it has no window"),
                    )
                    .label("this has a window")
                    .help("leave the window out, or put the dates into the `where`"),
                );
                Err(Reported)
            }
            (false, None) => {
                self.report(
                    Diagnostic::new(
                        code::WINDOW,
                        span,
                        format!("how far back to look for {name} is not said"),
                    )
                    .label("no window")
                    .help("write `during last 90 days` behind it, or `ever`"),
                );
                Err(Reported)
            }
            (false, Some(window)) => self.window(window).map(Some).ok_or(Reported),
        }
    }

    pub(in crate::model::check) fn window(&mut self, window: &ast::Window) -> Option<Window> {
        match window {
            ast::Window::Ever => Some(Window::Ever),
            ast::Window::Last(dur) => {
                self.one_unit(*dur);
                Some(Window::Last(length::positive(*dur, &mut self.sink)))
            }
            ast::Window::Span(expr) => {
                let span = self.expr(expr, Some(&Type::Range(Box::new(Type::Date))));
                let want = Type::Range(Box::new(Type::Date));
                if span.ty == Type::Error {
                    return None;
                }
                Some(Window::Span(self.coerce(expr, span, &want)))
            }
            ast::Window::Since(anchor) => self.since(anchor).map(Window::Since),
        }
    }

    /// `during last 1 month` ends today and `during last month` ended with the month: one digit tells them apart.
    fn one_unit(&mut self, dur: ast::Dur) {
        let (unit, days) = match dur.kind {
            DurKind::Civil { count: 1, unit: CivilUnit::Week } => ("week", "7 days"),
            DurKind::Civil { count: 1, unit: CivilUnit::Month } => ("month", "30 days"),
            DurKind::Civil { count: 1, unit: CivilUnit::Year } => ("year", "12 months"),
            _ => return,
        };
        let headline = format!("`last 1 {unit}` is easily read as `last {unit}`");
        self.report(
            Diagnostic::new(code::LAST_ONE, dur.span, headline)
                .label(format!("the {unit} that ends today"))
                .help(format!("write `last {days}` for the days up to today"))
                .help(format!("write `last {unit}` for the calendar {unit} before this one")),
        );
    }

    fn since(&mut self, anchor: &ast::Anchor) -> Option<Anchor> {
        if self.place != Place::Journey {
            if let OccurrenceKind::Expr(expr) = &anchor.kind
                && !matches!(&expr.kind, ExprKind::Path(path) if path.parts.len() == 1 && path.text() == "entered")
            {
                let typed = self.expr(expr, Some(&Type::Date));
                let typed = self.present(expr, typed);
                return (typed.ty != Type::Error).then_some(Anchor::At(typed.expr));
            }
            let finding = Diagnostic::new(
                code::WINDOW,
                anchor.span,
                "this belongs to no journey, so nothing was entered",
            );
            self.report(
                finding.label("no such instant here").help("write `during last 90 days`, or `since` a date"),
            );
            return None;
        }
        self.anchor(anchor)
    }

    /// The type of the whole; `None` once it has been reported that the function and the value do not fit.
    fn result(
        &mut self,
        span: Span,
        function: AggregateFn,
        value: Option<&(ast::Ident, Typed)>,
        shape: &Shape,
    ) -> Option<Type> {
        let found = value.map(|(_, value)| value.ty.known().clone());
        let measured = |ty: &Type| {
            matches!(ty, Type::Int | Type::Decimal | Type::Percent | Type::Money(_) | Type::Error)
        };
        let ty = match (function, found) {
            (AggregateFn::Any | AggregateFn::Once, _) => Type::Bool,
            (AggregateFn::Count, _) => Type::Int,
            (AggregateFn::Spread | AggregateFn::Trend, _) => {
                let headline = "`spread` and `trend` look at the days of an attribute";
                self.report(
                    Diagnostic::new(code::WRONG_ARGUMENTS, span, headline)
                        .label("over events")
                        .help("name a daily attribute: `trend(aum during last 90 days)`"),
                );
                return None;
            }
            (_, None) => {
                self.field_not_said(span, shape);
                return None;
            }
            (AggregateFn::Sum, Some(ty)) if measured(&ty) => ty,
            (AggregateFn::Avg, Some(Type::Int)) => Type::Decimal.optional(),
            (AggregateFn::Avg, Some(ty)) if measured(&ty) => ty.optional(),
            (AggregateFn::Min | AggregateFn::Max, Some(ty))
                if measured(&ty) || matches!(ty, Type::Date | Type::Moment | Type::Time) =>
            {
                ty.optional()
            }
            (AggregateFn::First | AggregateFn::Last | AggregateFn::Most, Some(ty)) => ty.optional(),
            (_, Some(ty)) => {
                let (field, _) = value?;
                let headline =
                    format!("`{}` is {}: it has no sum, average or extreme", field.name, words::of_type(&ty));
                self.report(
                    Diagnostic::new(code::WRONG_ARGUMENTS, field.span, headline)
                        .label(ty.to_string())
                        .help("use `count`, `first`, `last` or `most`"),
                );
                return None;
            }
        };
        Some(ty)
    }
}

impl Checker<'_, '_> {
    /// `sum(payment)`: with what could be meant, in the words of the event itself.
    fn field_not_said(&mut self, span: Span, shape: &Shape) {
        let of = shape.words();
        let headline = format!("which field of {of} is meant is not said");
        let finding = Diagnostic::new(code::WRONG_ARGUMENTS, span, headline);
        let of = of.trim_matches('`');
        let can_be_summed = |field: &&&str| {
            let ty = shape.field(self.world, Name::new(field));
            ty.is_some_and(|ty| {
                matches!(ty.known(), Type::Int | Type::Decimal | Type::Percent | Type::Money(_))
            })
        };
        let fields = shape.fields(self.world);
        let help = match fields.iter().find(can_be_summed) {
            Some(field) => format!("write it behind a dot: `{of}.{field}`"),
            None => "write it behind a dot".to_owned(),
        };
        let all: Vec<String> = fields.iter().map(|field| format!("`{field}`")).collect();
        let finding = finding.label("this is a record with several fields").help(help);
        self.report(finding.note(format!("the fields of `{of}` are {}", all.join(", "))));
    }
}

fn not_a_collection(span: Span, quoted: &str) -> Diagnostic {
    let headline = format!("{quoted} is not something that can be counted");
    Diagnostic::new(code::NOT_A_COLLECTION, span, headline)
        .label("not an event or a child entity")
        .help("events, message events (`opened`, `clicked`, …) and child entities of the subject can be")
}

/// Both conditions, where there are two.
pub(in crate::model::check) fn both(left: Option<Expr>, right: Option<Expr>) -> Option<Expr> {
    match (left, right) {
        (Some(left), Some(right)) => {
            Some(Expr::Binary(crate::expr::BinaryOp::And, Box::new(left), Box::new(right)))
        }
        (left, right) => left.or(right),
    }
}

/// The sum of nothing is nothing of the right kind, which only the type knows.
pub(super) fn zero_if_none(function: AggregateFn, expr: Expr, ty: &Type) -> Expr {
    let zero = match (function, ty) {
        (AggregateFn::Sum, Type::Money(currency)) => Value::Money(Money { minor: 0, currency: *currency }),
        (AggregateFn::Sum, Type::Decimal) => Value::Decimal(rust_decimal::Decimal::ZERO),
        (AggregateFn::Sum, Type::Percent) => Value::Percent(rust_decimal::Decimal::ZERO),
        (AggregateFn::Sum, Type::Int) => Value::Int(0),
        _ => return expr,
    };
    Expr::Otherwise(Box::new(expr), Box::new(Expr::Const(zero)))
}
