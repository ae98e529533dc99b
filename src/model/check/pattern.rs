//! What happens: events, message events, changes of an attribute, dates; and the instants that time counts from.

use super::expr::collection::both;
use super::expr::{Block, Checker, Element, Shape, Typed};
use super::words;
use super::world::{Kind, Reported};
use crate::diagnostic::{Diagnostic, Fix, code};
use crate::expr::{ChangeVerb, Expr, MessageEvent, Pattern, Source};
use crate::name::Name;
use crate::program::value::GRANTED;
use crate::syntax::ast::{self, Arg, ExprKind, Ident, Occurrence, OccurrenceKind, Path};
use crate::text::Span;
use crate::value::Type;

/// An event that may be waited for, counted or entered by.
#[derive(Clone, Debug)]
pub(super) struct Happening {
    pub(super) source: Source,
    pub(super) shape: Shape,
    /// What its record may be called in a `where`.
    pub(super) names: Vec<Name>,
    /// What its arguments demand: `tapped(page = draw)`.
    pub(super) filter: Option<Expr>,
}

/// Whether a message event must say which message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Messages {
    /// Any message of the subject will do: conditions on the past, entries.
    Any,
    /// Inside the rung of a `reach`: that rung's message.
    Of(Name),
    /// An open of *which* message is never implicit.
    Named,
}

impl Checker<'_, '_> {
    /// The event an expression names; `None` if it names none.
    pub(super) fn happening(
        &mut self,
        expr: &ast::Expr,
        step: Option<Name>,
    ) -> Option<Result<Happening, Reported>> {
        match &expr.kind {
            ExprKind::Path(path) => self.event_named(path, step),
            ExprKind::Call { callee, args } => self.event_called(callee, args),
            _ => None,
        }
    }

    fn event_named(&mut self, path: &Path, step: Option<Name>) -> Option<Result<Happening, Reported>> {
        if let [only] = path.parts.as_slice()
            && let Some(kind) = message_event(only.name)
        {
            if let Some(step) = step
                && !self.can_happen(kind, step, path.span)
            {
                return Some(Err(Reported));
            }
            return Some(Ok(message(kind, step)));
        }
        if path.text() == GRANTED {
            return Some(Ok(granted(None, None)));
        }
        if let Some(given) = self.given_event(path) {
            return Some(given);
        }
        if let Some(name) = self.referral_event(path) {
            return Some(self.event(name, path.span).ok_or(Reported));
        }
        let (declared, taken) = self.world.find_path(&mut self.sink, self.file, &path.parts)?;
        if !happens(declared.kind) || taken != path.parts.len() {
            return None;
        }
        Some(self.event(declared.name, path.span).ok_or(Reported))
    }

    /// `joined` and `qualified`, where there is a referral and nobody declared an event of that name.
    pub(super) fn referral_event(&self, path: &Path) -> Option<Name> {
        let [only] = path.parts.as_slice() else { return None };
        let is_built_in = super::value::REFERRAL_EVENTS.contains(&only.name.as_str())
            && !self.world.decls.contains_key(&only.name)
            && self.world.model.events.contains_key(&only.name);
        is_built_in.then_some(only.name)
    }

    fn event(&mut self, name: Name, span: Span) -> Option<Happening> {
        let of = self.world.model.events.get(&name)?.subject;
        if self.subject.is_some() && self.owner_of(of).is_none() {
            if self.block == Block::Answer {
                return self.told(name, of, span);
            }
            let here = self.subject.map(|subject| subject.to_string()).unwrap_or_default();
            let headline = format!("`{name}` happens to a `{of}`, and this is about a `{here}`");
            self.report(
                Diagnostic::new(code::OTHER_SUBJECT, span, headline)
                    .label(format!("of `{of}`"))
                    .help(format!("use an event `of {here}`, or make this `of {of}`")),
            );
            return None;
        }
        Some(Happening {
            source: Source::Event(name),
            shape: Shape::Event(name),
            names: vec![name],
            filter: None,
        })
    }

    /// An event of somebody else, which replies hear of because it names their subject.
    fn told(&mut self, event: Name, of: Name, span: Span) -> Option<Happening> {
        let here = self.subject?;
        let names_us = |ty: &Type| *ty.known() == Type::Entity(here);
        let fields = &self.world.model.events.get(&event)?.fields;
        let fields: Vec<Name> =
            fields.iter().filter(|field| names_us(&field.ty)).map(|field| field.name).collect();
        let is_root = self.world.root(here) == here;
        let wrong = match fields.as_slice() {
            [_] if is_root => None,
            [first, second, ..] if is_root => Some((
                format!("`{event}` names a `{here}` more than once"),
                format!("`{first}` and `{second}`"),
                format!("leave one `{here}` in it: the one that is to answer"),
            )),
            _ => Some((
                format!("`{event}` happens to a `{of}` and names no `{here}`"),
                format!("of `{of}`"),
                format!("use an event `of {here}`, or one with a field `{here} : {here}`"),
            )),
        };
        if let Some((headline, label, help)) = wrong {
            self.report(Diagnostic::new(code::OTHER_SUBJECT, span, headline).label(label).help(help));
            return None;
        }
        Some(Happening {
            source: Source::Event(event),
            shape: Shape::Told { event, of: self.world.root(of) },
            names: vec![event],
            filter: None,
        })
    }

    fn event_called(&mut self, callee: &Path, args: &[Arg]) -> Option<Result<Happening, Reported>> {
        if let [only] = callee.parts.as_slice()
            && let Some(kind) = message_event(only.name)
        {
            return Some(self.message_called(kind, *only, args).ok_or(Reported));
        }
        if callee.text() == GRANTED {
            return Some(self.granted_called(callee.span, args).ok_or(Reported));
        }
        if let Some(given) = self.given_event(callee) {
            return Some(given.map(|happening| self.with_arguments(happening, args)));
        }
        if let Some(name) = self.referral_event(callee) {
            let event = self.event(name, callee.span);
            return Some(event.map(|happening| self.with_arguments(happening, args)).ok_or(Reported));
        }
        let (declared, _) = self.world.find_path(&mut self.sink, self.file, &callee.parts)?;
        if !happens(declared.kind) {
            return None;
        }
        let event =
            self.event(declared.name, callee.span).map(|happening| self.with_arguments(happening, args));
        Some(event.ok_or(Reported))
    }

    pub(super) fn message_called(
        &mut self,
        kind: MessageEvent,
        word: Ident,
        args: &[Arg],
    ) -> Option<Happening> {
        let [arg] = args else {
            let finding = Diagnostic::new(
                code::WRONG_ARGUMENTS,
                word.span,
                format!("`{}` is of one message", word.name),
            );
            self.report(
                finding
                    .label("which one?")
                    .help(format!("write `{}(x)` with the name of the step that sends", word.name)),
            );
            return None;
        };
        let ExprKind::Path(path) = &arg.value.kind else {
            if !matches!(arg.value.kind, ExprKind::Error) {
                let finding =
                    Diagnostic::new(code::UNKNOWN_STEP, arg.value.span, "the name of a step is wanted here");
                self.report(
                    finding
                        .label("not a name")
                        .help("write the name of the step that sends: `opened(offer)`"),
                );
            }
            return None;
        };
        let step = self.message_step(path)?;
        self.can_happen(kind, step, word.span).then(|| message(kind, Some(step)))
    }

    /// Whether this can ever become of the message of `step`: what stands in a slot is seen and clicked, and all else
    /// happens to what was sent.
    pub(super) fn can_happen(&mut self, kind: MessageEvent, step: Name, word: Span) -> bool {
        let ids = self.messages.and_then(|journey| self.world.steps.get(&journey));
        let Some(is_shown) = ids.and_then(|ids| ids.is_shown(step)) else { return true };
        let fits = match kind {
            MessageEvent::Clicked => true,
            MessageEvent::Shown | MessageEvent::Dismissed => is_shown,
            _ => !is_shown,
        };
        if !fits {
            let name = kind.as_str();
            let finding = if is_shown {
                let headline = format!("`{step}` stands in a slot: nobody says of it that it was {name}");
                let finding = Diagnostic::new(code::NOT_SHOWN, word, headline).label("happens to messages");
                finding.help(format!(
                    "write `shown({step})` for whoever saw it, `clicked({step})` for whoever touched it, `dismissed({step})` for whoever closed it"
                ))
            } else {
                let headline = format!("`{step}` is sent, so it is never {name} in a slot");
                let finding = Diagnostic::new(code::NOT_SHOWN, word, headline)
                    .label("happens to what stands in a slot");
                finding.help(format!("write `opened({step})`, or `show` it in a slot"))
            };
            self.report(finding);
        }
        fits
    }

    /// The full identity of the step that sends, from its name or the end of its path.
    pub(super) fn message_step(&mut self, path: &Path) -> Option<Name> {
        let Some(ids) = self.messages.and_then(|journey| self.world.steps.get(&journey)) else {
            let finding = Diagnostic::new(
                code::UNKNOWN_STEP,
                path.span,
                "only a journey and its tests can name a message",
            );
            self.report(
                finding
                    .label("of which journey?")
                    .help("leave the parentheses out: any message of the subject counts"),
            );
            return None;
        };
        let text = path.text();
        match ids.message_in(self.scope, &text) {
            Ok(id) => Some(id),
            Err(several) if !several.is_empty() => {
                let finding =
                    Diagnostic::new(code::AMBIGUOUS, path.span, format!("several steps are called `{text}`"));
                let among: Vec<&str> = several.iter().map(|id| id.as_str()).collect();
                self.report(
                    finding
                        .label("which one?")
                        .help(format!("write its whole name: `{}`", among.join("` or `"))),
                );
                None
            }
            Err(_) => {
                let headline = format!("no step that sends is called `{text}`");
                let finding = Diagnostic::new(code::UNKNOWN_STEP, path.span, headline).label("no such step");
                let known = ids.spellings();
                let finding = finding.suggest(&text, known.iter().map(String::as_str), || {
                    if known.is_empty() {
                        "this journey sends nothing".into()
                    } else {
                        format!("its messages are `{}`", known.join("`, `"))
                    }
                });
                self.sink.unknown(&text, finding);
                None
            }
        }
    }

    /// A field of the record under test, or a finding.
    pub(super) fn element_field(&mut self, shape: &Shape, field: Ident) -> Typed {
        if let Some(ty) = shape.field(self.world, field.name) {
            return self.proved(Typed::new(Expr::Field(Box::new(Expr::Element), field.name), ty));
        }
        let headline = format!("{} has no field `{}`", shape.words(), field.name);
        let finding = Diagnostic::new(code::UNKNOWN_FIELD, field.span, headline).label("no such field");
        let fields = shape.fields(self.world);
        let finding = finding.suggest(field.name.as_str(), fields.iter().copied(), || {
            format!("its fields are `{}`", fields.join("`, `"))
        });
        self.sink.unknown(field.name.as_str(), finding);
        Typed::error()
    }

    /// `change of loan_limit`, `rise of aum`
    pub(super) fn change(&mut self, verb: Ident, of: &Path) -> Option<Happening> {
        let kind = match verb.name.as_str() {
            "change" => ChangeVerb::Change,
            "rise" => ChangeVerb::Rise,
            "drop" => ChangeVerb::Drop,
            _ => return self.close(of),
        };
        let typed = self.path(of, None);
        let derived = matches!(typed.expr, Expr::Def(..));
        let attribute = match typed.expr {
            Expr::Attr(_, attribute) => Some(attribute),
            // Its value is worked out after every input, so a change is seen.
            Expr::Def(_, at) => self.uses.defs.get(usize::from(at)).copied(),
            _ => None,
        };
        let Some(attribute) = attribute else {
            if typed.ty != Type::Error {
                let finding = Diagnostic::new(
                    code::NOT_A_VALUE,
                    of.span,
                    format!("`{}` is not a stored attribute", of.text()),
                );
                self.report(finding.label("its changes are not seen").help(
                    "name an attribute that a system of the bank writes, stages, a metric or an audience",
                ));
            }
            return None;
        };
        if kind != ChangeVerb::Change && !self.has_order(&typed.ty) {
            let headline = format!("`{attribute}` is {}: it cannot rise or drop", words::of_type(&typed.ty));
            self.report(
                Diagnostic::new(code::NO_ORDER, of.span, headline)
                    .label("has no order")
                    .help(format!("write `change of {attribute}`"))
                    .with_fix(
                        Fix::suggested(format!("write `change of {attribute}`")).replace(verb.span, "change"),
                    ),
            );
            return None;
        }
        Some(Happening {
            source: Source::Change { verb: kind, attribute },
            shape: Shape::Change { attribute, ty: typed.ty, verb: verb.name, derived },
            names: vec![attribute],
            filter: None,
        })
    }

    /// Whether of two values one is the greater.
    pub(in crate::model::check) fn has_order(&self, ty: &Type) -> bool {
        match ty.known() {
            Type::Int | Type::Decimal | Type::Percent | Type::Money(_) | Type::Date | Type::Moment => true,
            Type::Choice(name) => self.is_ranked(*name),
            _ => false,
        }
    }

    /// Stages that are `ranked`: the better rises, the worse drops.
    fn is_ranked(&self, name: Name) -> bool {
        let declared = self.world.decls.get(&name);
        declared.is_some_and(|one| matches!(one.decl.kind, ast::DeclKind::Stages { ranked: true, .. }))
    }

    /// `close of aum`: the values of a daily attribute are complete for a period.
    fn close(&mut self, of: &Path) -> Option<Happening> {
        let expr = ast::Expr { kind: ExprKind::Path(of.clone()), span: of.span };
        let Some(attribute) = self.daily_attribute(&expr) else {
            if self.path(of, None).ty != Type::Error {
                let headline = format!("`{}` has no days, so no period of it closes", of.text());
                let finding =
                    Diagnostic::new(code::NOT_DAILY, of.span, headline).label("not a daily attribute");
                self.report(finding.help("name an attribute that is declared `daily`"));
            }
            return None;
        };
        Some(Happening {
            source: Source::Close(attribute),
            shape: Shape::Close(attribute),
            names: vec![attribute],
            filter: None,
        })
    }

    /// The event of a pattern. `None`: it is not one of an event (perhaps a date), nothing was reported.
    pub(super) fn occurs(
        &mut self,
        occurrence: &Occurrence,
        messages: Messages,
    ) -> Option<Result<Happening, Reported>> {
        match &occurrence.kind {
            OccurrenceKind::Change { verb, of } => Some(self.change(*verb, of).ok_or(Reported)),
            OccurrenceKind::Expr(expr) => {
                let step = if let Messages::Of(step) = messages { Some(step) } else { None };
                let found = self.happening(expr, step)?;
                if let (Messages::Named, Ok(Source::Message { step: None, kind })) =
                    (messages, found.as_ref().map(|happening| &happening.source))
                {
                    let word = kind.as_str();
                    self.which_message(word, expr.span);
                    return Some(Err(Reported));
                }
                Some(found)
            }
        }
    }

    fn which_message(&mut self, word: &str, span: Span) {
        let names = self
            .messages
            .and_then(|journey| self.world.steps.get(&journey))
            .map(super::journey::identity::StepIds::spellings);
        let names = names.unwrap_or_default();
        let example = names.first().map_or("offer", String::as_str);
        let written = format!("{word}({example})");
        let finding =
            Diagnostic::new(code::WHICH_MESSAGE, span, format!("`{word}` does not say of which message"))
                .label("of which message?")
                .help(format!("write `{written}` with the name of the step that sends it"));
        let fix = Fix::suggested(format!("write `{written}`")).replace(span, written);
        self.report(if names.len() == 1 { finding.with_fix(fix) } else { finding });
    }

    /// The pattern of an event, with its `where`, and the record's shape.
    pub(super) fn pattern(&mut self, written: &ast::Pattern, happening: Happening) -> (Pattern, Shape) {
        let mut names = happening.names;
        names.extend(written.alias.map(|alias| alias.name));
        self.elements.push(Element { names, shape: happening.shape.clone() });
        let filter = written.filter.as_ref().map(|filter| self.condition(filter));
        self.elements.pop();
        let pattern = Pattern {
            source: happening.source,
            first: written.occurrence.first,
            filter: self.of_opening(both(happening.filter, filter), &happening.shape),
        };
        (pattern, happening.shape)
    }
}

/// A task is an event too: it is opened, done, overdue.
pub(super) fn happens(kind: Kind) -> bool {
    matches!(kind, Kind::Event | Kind::Task)
}

/// What was granted: anything, or what bears this name.
pub(super) fn granted(what: Option<Name>, amount: Option<Type>) -> Happening {
    let reward = |name| {
        let field = Expr::Field(Box::new(Expr::Element), Name::new("reward"));
        let name = Expr::Const(crate::value::Value::Choice(name));
        Expr::Binary(crate::expr::BinaryOp::Is, Box::new(field), Box::new(name))
    };
    let name = Name::new(GRANTED);
    Happening {
        source: Source::Event(name),
        shape: Shape::Granted(amount),
        names: vec![name],
        filter: what.map(reward),
    }
}

fn message(kind: MessageEvent, step: Option<Name>) -> Happening {
    Happening {
        source: Source::Message { kind, step },
        shape: Shape::Message(kind),
        names: vec![Name::new(kind.as_str())],
        filter: None,
    }
}

pub(super) fn message_event(name: Name) -> Option<MessageEvent> {
    MessageEvent::ALL.into_iter().find(|event| event.as_str() == name.as_str())
}
