//! `replies`: rules of which the first that fits an event is done.
//!
//! Checked into an ordinary journey of its own: entered by what the rules listen to, once for each occurrence, with one
//! `match` over the name of the rule. `limit` says how often and when they answer.

mod limit;

use std::collections::BTreeSet;
use std::sync::Arc;

use super::clauses::Clauses;
use super::enter::of_entry;
use super::identity::{self, StepIds};
use super::steps;
use crate::diagnostic::{Diagnostic, code};
use crate::expr::{Anchor, Expr, Pattern, Source};
use crate::model::Journey;
use crate::model::check::expr::{Block, Checker, Place, Shape, flow};
use crate::model::check::pattern::Messages;
use crate::model::check::schema;
use crate::model::check::world::{Declared, Sink, World};
use crate::model::journey::{Case, Rules, Step, StepKind};
use crate::name::Name;
use crate::program::{self, CaseTest, Enter, Reenter};
use crate::syntax::ast::{self, Body, DeclKind, Ident, RepliesItem};
use crate::text::Span;
use crate::value::{Type, Value};

/// The end of an answer that names none.
const ANSWERED: &str = "answered";
/// What answers to somebody who wrote are for, where nothing else is said.
const PURPOSE: &str = "service";
/// What `why` calls what `else` does.
const OTHERWISE: &str = "else";

/// The items as the text of a journey: what has an identity, and what ends there are, is the same for both.
fn as_journey(declared: &Declared, items: &[RepliesItem]) -> ast::Journey {
    let span = declared.span;
    let mut journey =
        ast::Journey { clauses: Vec::new(), steps: Vec::new(), close: declared.decl.span.after() };
    let (mut cases, mut otherwise) = (Vec::new(), None);
    for item in items {
        match item {
            RepliesItem::Clause(clause) => journey.clauses.push((**clause).clone()),
            RepliesItem::Rule { name, body, .. } => {
                cases.push(ast::Case { patterns: Vec::new(), body: below(*name, body) });
            }
            RepliesItem::Else(body) => otherwise = otherwise.or_else(|| Some(body.clone())),
            RepliesItem::Limit(_) | RepliesItem::QuietFor { .. } | RepliesItem::Error(_) => {}
        }
    }
    let word = Ident { name: Name::new("match"), span };
    let kind = ast::StepKind::Match { subjects: Vec::new(), cases, otherwise };
    journey.steps.push(ast::Step { word, kind, span });
    journey
}

/// The steps of a named rule bear its name in front, as those of a phase.
fn below(name: Option<Ident>, body: &Body) -> Body {
    let (Some(name), Body::Block(steps, span)) = (name, body) else { return body.clone() };
    let kind = ast::StepKind::Phase { name, label: None, steps: steps.clone() };
    Body::Block(vec![ast::Step { word: name, kind, span: name.span }], *span)
}

/// The identities of the steps of all rules.
pub(super) fn step_ids(
    world: &World,
    declared: &Declared,
    items: &[RepliesItem],
    sink: &mut Sink,
) -> StepIds {
    identity::identify(world, declared.file, &as_journey(declared, items), sink)
}

/// Every end state of an answer.
pub(in crate::model::check) fn ends(
    world: &World,
    declared: &Declared,
    items: &[RepliesItem],
) -> BTreeSet<Name> {
    let mut ends = super::ends(world, &as_journey(declared, items));
    ends.insert(Name::new(ANSWERED));
    ends
}

/// The checked replies; `None` where so little is right that nothing can be said about their steps.
pub(super) fn replies(
    world: &World,
    declared: &Declared,
    items: &[RepliesItem],
    sink: &mut Sink,
) -> Option<Journey> {
    let subject = world.signatures.get(&declared.name)?.subject;
    let written = as_journey(declared, items);
    let mut checker = Checker::new(world, declared.file, Place::Journey, Some(subject));
    checker.messages = Some(declared.name);
    checker.block = Block::Answer;
    let clauses = checker.reply_clauses(declared, &written);
    checker.said_once(declared, items);
    let mut ways = Ways::default();
    checker.rules(items, &written, &mut ways);
    let (patterns, steps) = checker.chosen(declared, &written, &mut ways);
    let run = checker.answers(declared, items, &ways);
    let locals = checker.locals.iter().map(|local| (local.name, local.ty.clone())).collect();
    let uses = std::mem::take(&mut checker.uses);
    sink.findings.append(&mut checker.sink.findings);
    sink.used_too(std::mem::take(&mut checker.sink.used));
    let otherwise = items.iter().find_map(|item| match item {
        RepliesItem::Else(body) => Some(place(body)),
        _ => None,
    });
    Some(Journey {
        name: declared.name,
        label: schema::label(declared.decl),
        subject,
        root: world.root(subject),
        purpose: clauses.purpose?,
        owner: clauses.owner?,
        open: clauses.open,
        enter: Enter::Event(patterns),
        existing: None,
        stale: clauses.stale,
        reenter: Reenter::Occurrence,
        exits: Vec::new(),
        goals: Vec::new(),
        lasts: None,
        reviewed: None,
        params: Vec::new(),
        holdout: 0,
        unserved: clauses.unserved,
        product: clauses.product,
        lane: None,
        priority: None,
        caps: clauses.caps,
        quiet: clauses.quiet,
        steps,
        locals,
        uses,
        rules: Some(Rules { run, spans: ways.spans, otherwise }),
        close: written.close,
        span: declared.span,
    })
}

/// What is found rule by rule.
#[derive(Default)]
struct Ways {
    names: Vec<Name>,
    patterns: Vec<Pattern>,
    shapes: Vec<Shape>,
    spans: Vec<Span>,
    cases: Vec<Case>,
    /// What holds behind each.
    flows: Vec<super::flow::Flow>,
}

impl Ways {
    /// What the rules listen to, each once.
    fn heard(&self) -> Vec<(Source, Shape)> {
        let mut heard: Vec<(Source, Shape)> = Vec::new();
        for (pattern, shape) in self.patterns.iter().zip(&self.shapes) {
            if heard.iter().all(|(source, _)| *source != pattern.source) {
                heard.push((pattern.source.clone(), shape.clone()));
            }
        }
        heard
    }

    /// The event as whatever may be any of them.
    fn entry(&self) -> Option<Shape> {
        let mut shapes: Vec<Shape> = self.heard().into_iter().map(|(_, shape)| shape).collect();
        if shapes.len() < 2 { shapes.pop() } else { Some(Shape::AnyOf(shapes)) }
    }
}

impl Checker<'_, '_> {
    fn reply_clauses<'a>(&mut self, declared: &Declared, written: &'a ast::Journey) -> Clauses<'a> {
        let mut clauses = Clauses::default();
        self.said_twice(&written.clauses);
        for clause in &written.clauses {
            self.clause(clause, &mut clauses);
        }
        let purpose = *clauses.purpose.get_or_insert_with(|| Name::new(PURPOSE));
        self.consent_for_marketing(declared, written, Some(purpose));
        if clauses.owner.is_none() {
            clauses.owner = self.owner_of_channels(written);
        }
        let unread = written.clauses.iter().any(|clause| matches!(clause.kind, ast::ClauseKind::Error));
        if clauses.owner.is_none() && !unread {
            let headline = format!("nobody answers for replies `{}`", declared.name);
            self.report(
                Diagnostic::new(code::REPLIES_ITEM, declared.span, headline)
                    .label("`owner` is missing")
                    .help("write `owner \"team@bank.example\"`, or give the channel that they use one"),
            );
        }
        clauses
    }

    /// Who runs the channel that answers first, answers for what is said there.
    fn owner_of_channels(&self, written: &ast::Journey) -> Option<Arc<str>> {
        let mut owner = None;
        steps::each(&written.steps, &mut |step| {
            if let ast::StepKind::Send(send) = &step.kind {
                let channel = self.world.model.channels.get(&send.channel.name);
                owner = owner.take().or_else(|| channel.and_then(|channel| channel.owner.clone()));
            }
        });
        owner
    }

    /// One `else`, one `quiet_for`, and at least one rule, each with a name of its own.
    fn said_once(&mut self, declared: &Declared, items: &[RepliesItem]) {
        let (mut otherwise, mut quiet): (Option<Span>, Option<Span>) = (None, None);
        let mut names: Vec<Ident> = Vec::new();
        let mut is_any = false;
        for item in items {
            let (word, known, span) = match item {
                RepliesItem::Else(body) => ("else", &mut otherwise, place(body)),
                RepliesItem::QuietFor { length, .. } => ("quiet_for", &mut quiet, length.span),
                RepliesItem::Rule { name, .. } => {
                    is_any = true;
                    let first = name.and_then(|name| names.iter().find(|known| known.name == name.name));
                    if let (Some(name), Some(first)) = (name, first) {
                        let headline = format!("two rules are called `{}`", name.name);
                        let finding = Diagnostic::new(code::REPLIES_ITEM, name.span, headline);
                        let finding = finding.label("a second one").also(first.span, "the first");
                        self.sink.report(finding.help("give one of them another name"));
                    }
                    names.extend(*name);
                    continue;
                }
                // What could not be read may have been a rule.
                RepliesItem::Error(_) => {
                    is_any = true;
                    continue;
                }
                RepliesItem::Limit(_) | RepliesItem::Clause(_) => continue,
            };
            if let Some(first) = *known {
                let finding = Diagnostic::new(code::REPLIES_ITEM, span, format!("`{word}` is said twice"));
                let finding = finding.label("again here").also(first, "first said here");
                self.sink.report(finding.help("keep one of them"));
            }
            *known = known.or(Some(span));
        }
        if !is_any {
            let headline = format!("replies `{}` answer nothing", declared.name);
            let finding = Diagnostic::new(code::REPLIES_ITEM, declared.span, headline).label("no rules");
            self.report(finding.help("write `on message where text has \"…\" { send … via … }`"));
        }
    }

    fn rules(&mut self, items: &[RepliesItem], written: &ast::Journey, ways: &mut Ways) {
        let base = self.flow();
        let bodies = cases(written).iter().map(|case| &case.body);
        let rules = items.iter().filter_map(|item| match item {
            RepliesItem::Rule { pattern, name, .. } => Some((pattern, name)),
            _ => None,
        });
        for ((nth, (pattern, name)), body) in (1..).zip(rules).zip(bodies) {
            self.set_flow(base.clone());
            let Some((checked, shape)) = self.rule(pattern) else { continue };
            let name = name.map_or_else(|| Name::new(&format!("rule_{nth}")), |name| name.name);
            self.facts.extend(checked.filter.iter().flat_map(flow::when_true).map(of_entry));
            if let Source::Event(event) = checked.source {
                self.occurred.push((event, Anchor::Entry));
            }
            self.entry = Some(shape.clone());
            let steps = self.body(body);
            ways.cases.push(case(name, steps, pattern.span));
            ways.flows.push(self.flow());
            ways.names.push(name);
            ways.patterns.push(checked);
            ways.shapes.push(shape);
            ways.spans.push(pattern.span);
        }
        self.set_flow(base);
    }

    fn rule(&mut self, written: &ast::Pattern) -> Option<(Pattern, Shape)> {
        if let Some(without) = &written.without {
            let finding =
                Diagnostic::new(code::MISPLACED, without.pattern.span, "`without` cannot stand here");
            self.report(
                finding
                    .label("an answer is given at once")
                    .help("write a journey that enters on `A without B within D`"),
            );
        }
        let Some(found) = self.occurs(&written.occurrence, Messages::Any) else {
            self.not_an_event(&written.occurrence);
            return None;
        };
        let happening = found.ok()?;
        let shape = happening.shape.clone();
        Some((self.entry_pattern(written, happening), shape))
    }

    /// The patterns of the entry, and the step that takes the rule.
    fn chosen(
        &mut self,
        declared: &Declared,
        written: &ast::Journey,
        ways: &mut Ways,
    ) -> (Vec<Pattern>, Vec<Step>) {
        self.entry = ways.entry();
        let base = self.flow();
        if let Some(body) = otherwise(written).filter(|body| !matches!(body, Body::Continue(_))) {
            let steps = self.body(body);
            ways.cases.push(case(Name::new(OTHERWISE), steps, place(body)));
            ways.flows.push(self.flow());
            for (source, shape) in ways.heard() {
                ways.names.push(Name::new(OTHERWISE));
                ways.patterns.push(Pattern { source, first: false, filter: None });
                ways.shapes.push(shape);
                ways.spans.push(place(body));
            }
        }
        self.set_flow(base);
        let names: Vec<Name> = ways.cases.iter().filter_map(named).collect();
        let word = Ident { name: Name::new("rule"), span: declared.span };
        let slot = self.new_slot(word, Type::OneOf(names), None).unwrap_or(u16::MAX);
        self.meet(std::mem::take(&mut ways.flows));
        let subjects = vec![Expr::Local(slot)];
        let kind = StepKind::Match { subjects, cases: std::mem::take(&mut ways.cases), otherwise: None };
        let mut steps = vec![self.bare(declared.span, kind)];
        if !self.ended {
            let kind = StepKind::End { name: Name::new(ANSWERED) };
            let id = Name::new("end_of_answer");
            steps.push(Step { id, was: None, label: None, kind, span: written.close });
        }
        (ways.patterns.clone(), steps)
    }

    fn answers(&mut self, declared: &Declared, items: &[RepliesItem], ways: &Ways) -> program::Rules {
        let slot = self.locals.len().checked_sub(1).and_then(|last| u16::try_from(last).ok());
        let (limits, writer) = self.limits(declared, items, ways);
        program::Rules {
            slot: slot.unwrap_or(u16::MAX),
            names: ways.names.clone(),
            limits,
            writer,
            quiet: self.silence(items, ways),
        }
    }
}

fn cases(written: &ast::Journey) -> &[ast::Case] {
    match written.steps.first().map(|step| &step.kind) {
        Some(ast::StepKind::Match { cases, .. }) => cases,
        _ => &[],
    }
}

fn otherwise(written: &ast::Journey) -> Option<&Body> {
    match written.steps.first().map(|step| &step.kind) {
        Some(ast::StepKind::Match { otherwise, .. }) => otherwise.as_ref(),
        _ => None,
    }
}

fn case(name: Name, body: Vec<Step>, span: Span) -> Case {
    Case { tests: vec![CaseTest::OneOf(vec![Expr::Const(Value::Choice(name))])], body, span }
}

fn named(case: &Case) -> Option<Name> {
    match case.tests.as_slice() {
        [CaseTest::OneOf(values)] => match values.as_slice() {
            [Expr::Const(Value::Choice(name))] => Some(*name),
            _ => None,
        },
        _ => None,
    }
}

/// Where a body stands.
fn place(body: &Body) -> Span {
    match body {
        Body::Block(_, span) | Body::End { span, .. } | Body::Continue(span) | Body::Error(span) => *span,
    }
}

/// The declaration's items, if it is of replies.
pub(in crate::model::check) fn items<'a>(declared: &Declared<'a>) -> Option<&'a [RepliesItem]> {
    match &declared.decl.kind {
        DeclKind::Replies(items) => Some(items),
        _ => None,
    }
}
