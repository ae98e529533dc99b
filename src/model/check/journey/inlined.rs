//! `do flow(args)`: the steps of a flow, written in, with what its parameters stand for.

use crate::diagnostic::{Diagnostic, code, suggest};
use crate::expr::Expr;
use crate::model::check::expr::{Checker, Given, Typed, What, flow::is_frozen};
use crate::model::check::pattern::Happening;
use crate::model::check::types;
use crate::model::check::world::{Declared, Kind, Reported};
use crate::model::journey::{Step, StepKind};
use crate::name::{Name, NumberSet};
use crate::program::{Chosen, ContentCall};
use crate::syntax::ast::{self, Arg, Call, DeclKind, Ident, Path, StepId};
use crate::text::Span;
use crate::value::{Type, Value};

/// Whether an argument is named almost as the parameter is: the argument is told, and what it was meant for is not missing.
fn is_misspelt(param: &ast::Param, args: &[Arg]) -> bool {
    let mut names = args.iter().filter_map(|arg| arg.name);
    names.any(|name| suggest::nearest(name.name.as_str(), [param.name.name.as_str()]).is_some())
}

/// What a parameter stands for that nothing is given to.
fn nothing(param: &ast::Param) -> Given {
    Given { name: param.name.name, ty: Type::Error, what: What::Nothing }
}

impl Checker<'_, '_> {
    pub(super) fn do_flow(&mut self, span: Span, call: &Call, id: &StepId) -> Option<StepKind> {
        let declared = self.world.expect_path(&mut self.sink, self.file, &call.path, Kind::Flow)?;
        let DeclKind::Flow { steps, .. } = &declared.decl.kind else { return None };
        if self.flows.contains(&declared.name) {
            let headline = format!("flow `{}` does itself", declared.name);
            let finding =
                Diagnostic::new(code::FLOW_RING, call.path.span, headline).label("once more, for ever");
            self.report(
                finding.also(declared.span, "the flow").help("use `repeat` for what is done several times"),
            );
            return None;
        }
        self.same_subject(&declared, call);
        let mut given = self.bind(call, &declared, false);
        if given.iter().any(|one| matches!(one.what, What::Nothing)) {
            return None;
        }
        let before = self.freeze(&mut given, span);
        let ids = self.messages.and_then(|journey| self.world.steps.get(&journey));
        let scope = ids.and_then(|ids| ids.inside(self.scope, span))?;
        let outside = (self.file, self.scope, std::mem::replace(&mut self.given, given), self.entry.take());
        let elements = std::mem::take(&mut self.elements);
        let said = self.sink.findings.len();
        (self.file, self.scope) = (declared.file, scope);
        self.flows.push(declared.name);
        let inside = self.steps(steps);
        self.flows.pop();
        (self.file, self.scope, self.given, self.entry) = outside;
        self.elements = elements;
        self.told_at_the_flow(&declared, call.span, said);
        let name = id.alias.or(call.path.parts.last().copied())?;
        Some(StepKind::Phase { name: name.name, steps: before.into_iter().chain(inside).collect() })
    }

    fn same_subject(&mut self, declared: &Declared, call: &Call) {
        let Some(path) = &declared.decl.subject else { return };
        let Some(of) = path.parts.last().map(|part| part.name) else { return };
        if self.subject.is_some_and(|subject| subject != of) {
            let headline = format!("flow `{}` is of `{of}`", declared.name);
            let finding = Diagnostic::new(code::OTHER_SUBJECT, call.path.span, headline)
                .label("another kind of subject");
            self.report(
                finding.also(declared.span, "declared here").help("do a flow of this journey's subject"),
            );
        }
    }

    /// Values that may change while the flow runs are remembered when it begins.
    fn freeze(&mut self, given: &mut [Given], span: Span) -> Vec<Step> {
        let mut before = Vec::new();
        for one in given {
            let What::Value(typed) = &mut one.what else { continue };
            let fixed = matches!(typed.expr, Expr::Const(_) | Expr::Def(..) | Expr::Table(_))
                || is_frozen(&typed.expr);
            if fixed || matches!(typed.ty, Type::Bool) && matches!(one.ty, Type::Audience(_)) {
                continue;
            }
            let hidden = Ident { name: Name::new(&format!("{}#{}", one.name, self.locals.len())), span };
            let Some(slot) = self.new_slot(hidden, typed.ty.clone(), None) else { continue };
            self.assigned.insert(slot);
            let value = std::mem::replace(&mut typed.expr, Expr::Local(slot));
            let id = Name::new(&format!("remember_{}", one.name));
            before.push(Step { id, was: None, label: None, kind: StepKind::Remember { slot, value }, span });
        }
        before
    }

    /// Mistakes of the flow itself were told when it was looked at by itself; the others come from this use of it.
    fn told_at_the_flow(&mut self, declared: &Declared, used: Span, said: usize) {
        let new = self.sink.findings.split_off(said.min(self.sink.findings.len()));
        let mut seen: NumberSet<(&str, Span)> =
            self.sink.findings.iter().map(|finding| (finding.code.as_str(), finding.primary.span)).collect();
        let known = self.world.told.get(&declared.name);
        for finding in new {
            let place = (finding.code.as_str(), finding.primary.span);
            if known.is_some_and(|known| known.contains(&place)) || !seen.insert(place) {
                continue;
            }
            self.sink.findings.push(finding.also(used, "with what is given here"));
        }
    }

    /// The parameters of a flow or template that is looked at by itself.
    pub(super) fn open(&mut self, declared: &Declared) -> Vec<Given> {
        let mut given: Vec<Given> = Vec::new();
        for param in &declared.decl.params {
            let ty = types::resolve(self.world, &mut self.sink, declared.file, &param.ty);
            let name = param.name.name;
            if given.iter().any(|given| given.name == name) {
                self.report(types::twice(param.name));
            }
            let what = match &ty {
                Type::Occurrence => What::Event(unknown_event(name)),
                Type::Audience(_) => What::Value(Typed::new(Expr::Param(name), Type::Bool)),
                _ => What::Value(Typed::new(Expr::Param(name), ty.clone())),
            };
            if ty == Type::Int {
                self.param_bounds.push((name, (1, 1)));
            }
            given.push(Given { name, ty, what });
        }
        given
    }

    /// What the parameters of `declared` stand for in this call; `fixed` if it must be known from the text.
    pub(super) fn bind(&mut self, call: &Call, declared: &Declared, fixed: bool) -> Vec<Given> {
        let params = &declared.decl.params;
        let mut given: Vec<Given> = Vec::new();
        for arg in &call.args {
            let Some(param) = self.param_for(arg, params, &given, declared) else { continue };
            // Its type was looked at with the declaration.
            let mut quiet = crate::model::check::world::Sink::default();
            let ty = types::resolve(self.world, &mut quiet, declared.file, &param.ty);
            let what = self.meant(&arg.value, &ty);
            if fixed && let What::Value(typed) = &what {
                self.known_from_the_text(&arg.value, typed, &ty);
            }
            given.push(Given { name: param.name.name, ty, what });
        }
        let (misspelt, missing): (Vec<&ast::Param>, Vec<&ast::Param>) = params
            .iter()
            .filter(|param| given.iter().all(|one| one.name != param.name.name))
            .partition(|param| is_misspelt(param, &call.args));
        given.extend(misspelt.iter().map(|param| nothing(param)));
        if !missing.is_empty() {
            let names: Vec<String> = missing.iter().map(|param| format!("`{}`", param.name.name)).collect();
            let headline = format!("`{}` is not given {}", call.path.text(), names.join(" and "));
            let finding =
                Diagnostic::new(code::WRONG_ARGUMENTS, call.span, headline).label("something is missing");
            let all: Vec<&str> = params.iter().map(|param| param.name.name.as_str()).collect();
            let help = format!("write `{}({})`", call.path.text(), all.join(", "));
            self.report(finding.also(declared.span, "declared here").help(help));
            given.extend(missing.iter().map(|param| nothing(param)));
        }
        given
    }

    fn param_for<'p>(
        &mut self,
        arg: &Arg,
        params: &'p [ast::Param],
        given: &[Given],
        declared: &Declared,
    ) -> Option<&'p ast::Param> {
        let mut free = params.iter().filter(|param| given.iter().all(|one| one.name != param.name.name));
        let found = match arg.name {
            None => free.next(),
            Some(name) => free.find(|param| param.name.name == name.name),
        };
        if found.is_some() {
            return found;
        }
        let (headline, span) = match arg.name {
            Some(name) => (format!("`{}` takes no `{}`", declared.name, name.name), name.span),
            None => (format!("`{}` takes no more than it is given already", declared.name), arg.value.span),
        };
        let finding = Diagnostic::new(code::WRONG_ARGUMENTS, span, headline).label("not taken");
        let among = params.iter().map(|param| param.name.name.as_str());
        let help = arg.name.and_then(|name| suggest::did_you_mean(name.name.as_str(), among));
        self.report(
            finding.also(declared.span, "declared here").help(help.unwrap_or_else(|| "leave it out".into())),
        );
        None
    }

    /// What an argument stands for where `ty` is wanted.
    fn meant(&mut self, value: &ast::Expr, ty: &Type) -> What {
        match ty {
            Type::Error => What::Nothing,
            Type::Occurrence => match self.happening(value, None) {
                Some(Ok(happening)) => What::Event(happening),
                Some(Err(Reported)) => What::Nothing,
                None => {
                    self.not_an_event(&ast::Occurrence {
                        first: false,
                        kind: ast::OccurrenceKind::Expr(value.clone()),
                        span: value.span,
                    });
                    What::Nothing
                }
            },
            Type::Audience(_) => What::Value(Typed::new(self.condition(value), Type::Bool)),
            _ => What::Value(Typed::new(self.expect(value, ty), ty.clone())),
        }
    }

    fn known_from_the_text(&mut self, written: &ast::Expr, typed: &Typed, ty: &Type) {
        let known = matches!(typed.expr, Expr::Const(_) | Expr::Param(_)) || matches!(ty, Type::Audience(_));
        if !known {
            let headline = "what a journey is made with must be known when it is written";
            let finding =
                Diagnostic::new(code::TEMPLATE, written.span, headline).label("differs from one to another");
            self.report(finding.help("give a value such as `3` or `100 CNY`, the name of a case, a content, an event or an audience"));
        }
    }

    /// Whether a path is the name of a parameter.
    pub(super) fn is_given(&self, path: &Path) -> bool {
        matches!(path.parts.as_slice(), [only] if self.given.iter().any(|given| given.name == only.name))
    }

    /// The event that a parameter stands for.
    pub(in crate::model::check) fn given_event(&self, path: &Path) -> Option<Result<Happening, Reported>> {
        let [only] = path.parts.as_slice() else { return None };
        let given = self.given.iter().find(|given| given.name == only.name)?;
        if !matches!(given.ty, Type::Occurrence | Type::Error) {
            return None;
        }
        match &given.what {
            What::Event(happening) => Some(Ok(happening.clone())),
            _ => Some(Err(Reported)),
        }
    }

    /// The event that a name means: where it is a parameter, that of its argument.
    pub(in crate::model::check) fn event_meant(&self, name: Name) -> Name {
        let given = self.given.iter().find(|given| given.name == name);
        match given.map(|given| &given.what) {
            Some(What::Event(Happening { source: crate::expr::Source::Event(event), .. })) => *event,
            _ => name,
        }
    }

    /// The content that a parameter stands for; `None` if the call names no parameter, `Some(None)` if it is wrong.
    #[expect(
        clippy::option_option,
        reason = "no parameter, and a parameter that is wrong, are different things"
    )]
    pub(super) fn given_content(&mut self, call: &Call) -> Option<Option<ContentCall>> {
        let [only] = call.path.parts.as_slice() else { return None };
        let given = self.given.iter().find(|given| given.name == only.name)?;
        let what = given.what.clone();
        match (&given.ty, what) {
            (Type::Content, What::Value(typed)) => Some(self.content_meant(typed, call)),
            (Type::Error | Type::Content, _) => Some(None),
            _ => None,
        }
    }

    fn content_meant(&mut self, typed: Typed, call: &Call) -> Option<ContentCall> {
        match typed.expr {
            Expr::Const(Value::Choice(content)) => self.content_named(content, call),
            Expr::Table(ref table) => {
                let among = self.possible(table.table);
                for content in &among {
                    self.fits_without_arguments(*content, call);
                }
                let first = *among.first()?;
                let chosen = Some(Box::new(Chosen { by: typed.expr, among }));
                Some(ContentCall { content: first, args: Vec::new(), chosen })
            }
            // Looked at by itself: any content, which is checked where it is given.
            Expr::Param(name) => Some(ContentCall { content: name, args: Vec::new(), chosen: None }),
            _ => None,
        }
    }

    /// A name that a flow sets is the flow's own: `nudge.baseline`.
    pub(in crate::model::check) fn scoped(&self, name: Name) -> Name {
        if self.scope == 0 {
            return name;
        }
        let ids = self.messages.and_then(|journey| self.world.steps.get(&journey));
        let front = ids.map_or("", |ids| ids.front(self.scope));
        Name::new(&format!("{front}.{name}"))
    }
}

/// Whatever a flow will be given: an event without known fields.
fn unknown_event(name: Name) -> Happening {
    Happening {
        source: crate::expr::Source::Event(name),
        shape: crate::model::check::expr::Shape::Event(name),
        names: vec![name],
        filter: None,
    }
}
