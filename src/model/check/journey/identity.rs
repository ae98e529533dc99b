//! Step identity: `as name`, else the content's name, below the phases around it. Unique in the journey.
//!
//! The identity of a message is in its idempotency key, so it comes from names only: never from labels, order or
//! copy. Steps that send nothing get a name too, for traces and for the people who stand there; where two of those
//! would be equal they are numbered.

use std::borrow::Cow;
use std::hash::BuildHasherDefault;

use crate::diagnostic::{Diagnostic, code};
use crate::model::check::length;
use crate::model::check::world::{Sink, World};
use crate::name::{Name, NumberMap, NumberSet};
use crate::syntax::ast::{
    self, Body, ClauseKind, DeclKind, ExprKind, Ident, OccurrenceKind, Pattern, Rung, Step, StepId, StepKind,
    Wait,
};
use crate::text::{FileId, Span};

/// The journey's own text (0), or one use of a flow in it.
pub(in crate::model::check) type Scope = u32;

/// The identities of one journey's steps.
#[derive(Debug, Default)]
pub(in crate::model::check) struct StepIds {
    /// By scope, and the span of the step, body or rung: a flow's steps are written once and stand in many places.
    by_span: NumberMap<(Scope, Span), Name>,
    /// The scope of the flow that a `do` writes in.
    scopes: NumberMap<(Scope, Span), Scope>,
    /// What stands in front of the names of a scope's steps; that of the journey's own is empty.
    fronts: Vec<String>,
    /// Steps and rungs that send, shows and their slots, in the order written.
    messages: Vec<Name>,
    /// Shows and their slots, of the messages.
    shows: NumberSet<Name>,
}

impl StepIds {
    /// The identity of what is written at `span`.
    pub(in crate::model::check) fn at(&self, scope: Scope, span: Span) -> Name {
        self.by_span.get(&(scope, span)).copied().unwrap_or_else(|| Name::new("step"))
    }

    /// The scope of the `do` written at `span`.
    pub(in crate::model::check) fn inside(&self, scope: Scope, span: Span) -> Option<Scope> {
        self.scopes.get(&(scope, span)).copied()
    }

    /// What stands in front of the names of a scope's steps.
    pub(in crate::model::check) fn front(&self, scope: Scope) -> &str {
        self.fronts.get(scope as usize).map_or("", String::as_str)
    }

    /// As [`Self::message`], looked for among the messages of a flow first.
    pub(in crate::model::check) fn message_in(&self, scope: Scope, text: &str) -> Result<Name, Vec<Name>> {
        let front = self.front(scope);
        if !front.is_empty() {
            let found = self.message(&below(front, text));
            if found.is_ok() {
                return found;
            }
        }
        self.message(text)
    }

    /// The message that `text` names: its whole identity, the end of just one, or a phase with messages in it.
    ///
    /// # Errors
    /// The candidates where there are several; none where there is none.
    pub(in crate::model::check) fn message(&self, text: &str) -> Result<Name, Vec<Name>> {
        if let Some(exact) = self.messages.iter().find(|id| id.as_str() == text) {
            return Ok(*exact);
        }
        let ends = |id: &&Name| id.as_str().strip_suffix(text).is_some_and(|front| front.ends_with('.'));
        let found: Vec<Name> = self.messages.iter().filter(ends).copied().collect();
        match found.as_slice() {
            [only] => Ok(*only),
            [] => {
                let below =
                    |id: &Name| id.as_str().strip_prefix(text).is_some_and(|rest| rest.starts_with('.'));
                if self.messages.iter().any(below) { Ok(Name::new(text)) } else { Err(Vec::new()) }
            }
            _ => Err(found),
        }
    }

    /// Whether the message of this identity stands in a slot; `None` of a phase, which may hold both.
    pub(in crate::model::check) fn is_shown(&self, message: Name) -> Option<bool> {
        self.messages.contains(&message).then(|| self.shows.contains(&message))
    }

    /// Every step, in the order of the alphabet.
    pub(in crate::model::check) fn all(&self) -> Vec<Name> {
        let mut all: Vec<Name> = self.by_span.values().copied().collect();
        all.sort_unstable_by_key(|id| id.as_str());
        all.dedup();
        all
    }

    /// How each message may be called, as short as it can be.
    pub(in crate::model::check) fn spellings(&self) -> Vec<String> {
        self.messages.iter().map(|id| self.spelling(*id)).collect()
    }

    fn spelling(&self, id: Name) -> String {
        let last = id.as_str().rsplit('.').next().unwrap_or_default();
        if self.message(last) == Ok(id) { last.to_owned() } else { id.as_str().to_owned() }
    }
}

/// Gives every step of `journey`, which stands in `file`, its identity.
pub(in crate::model::check) fn identify(
    world: &World,
    file: FileId,
    journey: &ast::Journey,
    sink: &mut Sink,
) -> StepIds {
    // A step has a name, and so have its ends.
    let many = journey.steps.len() * 3;
    let ids = StepIds {
        by_span: NumberMap::with_capacity_and_hasher(many, BuildHasherDefault::default()),
        fronts: vec![String::new()],
        ..StepIds::default()
    };
    let mut walk = Walk {
        world,
        file,
        scope: 0,
        flows: Vec::new(),
        again: false,
        ids,
        taken: NumberMap::default(),
        used: NumberSet::with_capacity_and_hasher(many, BuildHasherDefault::default()),
        sink,
    };
    let blocks = journey.clauses.iter().filter_map(|clause| match &clause.kind {
        ClauseKind::Exit(exit) => exit.block.as_ref(),
        _ => None,
    });
    let bodies: Vec<&Vec<Step>> = std::iter::once(&journey.steps).chain(blocks).collect();
    for body in &bodies {
        walk.steps(body, "", Pass::Messages);
    }
    for body in bodies {
        walk.steps(body, "", Pass::Others);
    }
    walk.ids
}

/// Messages are named first, so that nothing else ever takes a name from one.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Pass {
    Messages,
    Others,
}

struct Walk<'s> {
    world: &'s World<'s>,
    /// Of the steps that are looked at.
    file: FileId,
    scope: Scope,
    /// The flows around them.
    flows: Vec<Name>,
    /// In a second use of a flow by the same name, which has been told.
    again: bool,
    ids: StepIds,
    /// Where each message's name was given.
    taken: NumberMap<Name, Span>,
    /// All names, numbered ones too.
    used: NumberSet<Name>,
    sink: &'s mut Sink,
}

fn below<'n>(prefix: &str, name: &'n str) -> Cow<'n, str> {
    if prefix.is_empty() { name.into() } else { format!("{prefix}.{name}").into() }
}

impl Walk<'_> {
    fn steps(&mut self, steps: &[Step], prefix: &str, pass: Pass) {
        for step in steps {
            match pass {
                Pass::Messages => self.message(step, prefix),
                Pass::Others => self.other(step, prefix),
            }
            self.inside(&step.kind, prefix, pass);
            if let StepKind::Do(it) = &step.kind {
                self.flow(step.span, &it.flow, &it.id, prefix, pass);
            }
        }
    }

    /// The steps of a flow, below the name of its use.
    fn flow(&mut self, span: Span, call: &ast::Call, id: &StepId, prefix: &str, pass: Pass) {
        let found = self.world.find_path(&mut Sink::default(), self.file, &call.path.parts);
        let Some((declared, _)) = found.filter(|(declared, _)| !self.flows.contains(&declared.name)) else {
            return;
        };
        let DeclKind::Flow { steps, .. } = &declared.decl.kind else { return };
        let name = own(id, &call.path);
        let front = below(prefix, name.name.as_str());
        let again = self.again;
        if pass == Pass::Messages {
            self.enter_scope(span, &front, name);
        }
        let Some(scope) = self.ids.inside(self.scope, span) else { return };
        let outside = (self.scope, self.file);
        (self.scope, self.file) = (scope, declared.file);
        self.flows.push(declared.name);
        self.steps(steps, &front, pass);
        self.flows.pop();
        (self.scope, self.file) = outside;
        self.again = again;
    }

    fn enter_scope(&mut self, span: Span, front: &str, name: Ident) {
        if self.ids.fronts.iter().any(|known| known == front) && !self.again {
            self.again = true;
            let headline = format!("two uses of a flow are called `{front}`");
            let finding = Diagnostic::new(code::STEP_TWICE, name.span, headline).label("a second one");
            let help = format!("give this one a name of its own: `as {}_again`", name.name);
            self.sink.report(finding.help(help));
        }
        let scope = Scope::try_from(self.ids.fronts.len()).unwrap_or(Scope::MAX);
        self.ids.fronts.push(front.to_owned());
        self.ids.scopes.insert((self.scope, span), scope);
    }

    fn message(&mut self, step: &Step, prefix: &str) {
        let (what, is_message, id) = match &step.kind {
            StepKind::Send(send) => (&send.content.path, true, &send.id),
            StepKind::Reach(reach) => (&reach.content.path, true, &reach.id),
            StepKind::Assign(assign) => (&assign.task, false, &assign.id),
            StepKind::Show(show) => (&show.content.path, true, &show.id),
            StepKind::Grant(give) | StepKind::Draw(give) => (&give.what.path, false, &give.id),
            StepKind::Exchange(exchange) => (&exchange.give.what.path, false, &exchange.give.id),
            _ => return,
        };
        let name = own(id, what);
        let again = || format!("give this one a name of its own: `as {}_again`", name.name);
        if let Some(taken) = self.take(step.span, name, prefix, "a second step of this name", again)
            && is_message
        {
            self.ids.messages.push(taken);
        }
        if let StepKind::Reach(reach) = &step.kind {
            self.rungs(&reach.rungs, &below(prefix, name.name.as_str()));
        }
        if let StepKind::Show(show) = &step.kind {
            let front = below(prefix, name.name.as_str());
            self.ids.shows.insert(Name::new(&front));
            for slot in &show.channels {
                let help = || "name each slot once: a content stands in it or does not".to_owned();
                let taken = self.take(slot.span, *slot, &front, "the same slot again", help);
                self.ids.shows.extend(taken);
                self.ids.messages.extend(taken);
            }
        }
    }

    fn other(&mut self, step: &Step, prefix: &str) {
        let named = matches!(step.kind, StepKind::Reach(_)) || step.kind.tail().is_some();
        if !named {
            self.number(step.span, prefix, &by_kind(&step.kind));
        }
    }

    fn inside(&mut self, kind: &StepKind, prefix: &str, pass: Pass) {
        if let Some(tail) = kind.tail() {
            for arm in &tail.outcomes {
                self.body(&arm.body, prefix, pass);
            }
            self.optional(tail.otherwise.as_ref(), prefix, pass);
        }
        match kind {
            StepKind::Reach(reach) => {
                for rung in &reach.rungs {
                    self.steps(&rung.success, prefix, pass);
                }
                self.optional(reach.not_sent.as_ref(), prefix, pass);
                self.body(&reach.otherwise, prefix, pass);
            }
            StepKind::Wait(wait) => self.wait(wait, prefix, pass),
            StepKind::If { arms, otherwise } => {
                for (_, steps) in arms {
                    self.steps(steps, prefix, pass);
                }
                self.steps(otherwise.as_deref().unwrap_or_default(), prefix, pass);
            }
            StepKind::Match { cases, otherwise, .. } => {
                for case in cases {
                    self.body(&case.body, prefix, pass);
                }
                self.optional(otherwise.as_ref(), prefix, pass);
            }
            StepKind::Phase { name, steps, .. } => {
                self.steps(steps, &below(prefix, name.name.as_str()), pass);
            }
            StepKind::Repeat(repeat) => self.steps(&repeat.steps, prefix, pass),
            StepKind::Split { arms, .. } => {
                for arm in arms {
                    self.steps(&arm.steps, &below(prefix, arm.name.name.as_str()), pass);
                }
            }
            _ => {}
        }
    }

    fn wait(&mut self, wait: &Wait, prefix: &str, pass: Pass) {
        match wait {
            Wait::Pause(_) => {}
            Wait::Until { otherwise, .. } | Wait::For { otherwise, .. } => {
                self.optional(otherwise.as_ref(), prefix, pass);
            }
            Wait::Branches { arms, timeout, .. } => {
                for arm in arms {
                    self.body(&arm.body, prefix, pass);
                }
                self.optional(timeout.as_ref(), prefix, pass);
            }
        }
    }

    fn optional(&mut self, body: Option<&Body>, prefix: &str, pass: Pass) {
        if let Some(body) = body {
            self.body(body, prefix, pass);
        }
    }

    fn body(&mut self, body: &Body, prefix: &str, pass: Pass) {
        match body {
            Body::Block(steps, _) => self.steps(steps, prefix, pass),
            Body::End { name, span, .. } if pass == Pass::Others => {
                self.number(*span, prefix, &format!("end_{}", name.name));
            }
            Body::Continue(span) if pass == Pass::Others => self.number(*span, prefix, "continue"),
            _ => {}
        }
    }

    /// A rung is called after its channel; a second one on that channel after its `with` content.
    fn rungs(&mut self, rungs: &[Rung], reach: &str) {
        let mut channels: NumberSet<Name> = NumberSet::default();
        for rung in rungs {
            let first = channels.insert(rung.channel.name);
            let with = rung.with.as_ref().and_then(|call| call.path.parts.last().copied());
            let name = if first { rung.channel } else { with.unwrap_or(rung.channel) };
            let help = || {
                let channel = rung.channel.name;
                format!("say something else the second time: `via {channel} with another_content`")
            };
            let taken = self.take(rung.span, name, reach, "the same channel with the same content", help);
            self.ids.messages.extend(taken);
        }
    }

    /// The name of what leaves the bank must be its own: it is in its key.
    fn take(
        &mut self,
        span: Span,
        name: Ident,
        prefix: &str,
        label: &str,
        help: impl FnOnce() -> String,
    ) -> Option<Name> {
        let id = Name::new(&below(prefix, name.name.as_str()));
        self.ids.by_span.insert((self.scope, span), id);
        if let Some(first) = self.taken.get(&id) {
            if self.again {
                return None;
            }
            let finding =
                Diagnostic::new(code::STEP_TWICE, name.span, format!("two steps are called `{id}`"));
            self.sink.report(finding.label(label).also(*first, "the first").help(help()));
            return None;
        }
        self.taken.insert(id, name.span);
        self.used.insert(id);
        Some(id)
    }

    fn number(&mut self, span: Span, prefix: &str, name: &str) {
        let plain = below(prefix, name);
        let mut id = Name::new(&plain);
        let mut nth = 1;
        while !self.used.insert(id) {
            nth += 1;
            id = Name::new(&format!("{plain}_{nth}"));
        }
        self.ids.by_span.insert((self.scope, span), id);
    }
}

fn own(id: &StepId, content: &ast::Path) -> Ident {
    let nameless = || Ident { name: Name::new("send"), span: content.span };
    id.alias.or(content.parts.last().copied()).unwrap_or_else(nameless)
}

/// What a step that sends nothing is called.
fn by_kind(kind: &StepKind) -> String {
    match kind {
        StepKind::Wait(wait) => by_wait(wait),
        StepKind::If { .. } => "if".into(),
        StepKind::Split { experiment, .. } => format!("split_{}", last(experiment)),
        StepKind::Do(it) => format!("do_{}", last(&it.flow.path)),
        StepKind::Repeat(repeat) => {
            repeat.name.map_or_else(|| "repeat".into(), |name| format!("repeat_{}", name.name))
        }
        StepKind::Match { .. } => "match".into(),
        StepKind::Tag { tag, .. } => format!("tag_{}", last(tag)),
        StepKind::Untag { tag } => format!("untag_{}", last(tag)),
        StepKind::Start { journey, .. } => format!("start_{}", last(&journey.path)),
        StepKind::Remember { name, .. } => format!("remember_{}", name.name),
        StepKind::Phase { name, .. } => name.name.as_str().to_owned(),
        StepKind::End { name, .. } => format!("end_{}", name.name),
        StepKind::Continue => "continue".into(),
        StepKind::Hide { content, .. } => format!("hide_{}", last(&content.path)),
        StepKind::Show(_)
        | StepKind::Grant(_)
        | StepKind::Draw(_)
        | StepKind::Exchange(_)
        | StepKind::Assign(_)
        | StepKind::Send(_)
        | StepKind::Reach(_)
        | StepKind::Error => "step".into(),
    }
}

fn last(path: &ast::Path) -> &'static str {
    path.parts.last().map_or("", |part| part.name.as_str())
}

/// Waits are called after what they wait for.
fn by_wait(wait: &Wait) -> String {
    let awaited = match wait {
        Wait::Pause(dur) => return format!("wait_{}", length::of(dur.kind).to_string().replace(' ', "_")),
        Wait::Until { .. } => return "until".into(),
        Wait::For { awaited, .. } => awaited.first(),
        Wait::Branches { arms, .. } => arms.first().and_then(|arm| arm.awaited.first()),
    };
    awaited.and_then(by_pattern).unwrap_or_else(|| "wait".into())
}

fn by_pattern(pattern: &Pattern) -> Option<String> {
    if let Some(alias) = pattern.alias {
        return Some(alias.name.as_str().to_owned());
    }
    match &pattern.occurrence.kind {
        OccurrenceKind::Change { verb, of } => Some(format!("{}_of_{}", verb.name, last(of))),
        OccurrenceKind::Expr(expr) => match &expr.kind {
            ExprKind::Path(path) => Some(path.text()),
            ExprKind::Call { callee, .. } => Some(callee.text()),
            _ => None,
        },
    }
}
