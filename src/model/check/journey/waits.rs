//! The four waits of the language, each with what it must say.

use super::flow::Flow;
use crate::diagnostic::{Diagnostic, Fix, code};
use crate::expr::{Anchor, Source};
use crate::model::check::expr::{Checker, flow};
use crate::model::check::pattern::Messages;
use crate::model::check::{length, words};
use crate::model::journey::{Awaited, StepKind, WaitArm};
use crate::name::Name;
use crate::syntax::ast::{self, Body, Dur, Wait};
use crate::text::Span;
use crate::value::{Length, Type};

impl Checker<'_, '_> {
    pub(super) fn wait(&mut self, wait: &Wait, step: &ast::Step) -> Option<StepKind> {
        match wait {
            Wait::Pause(dur) => {
                let length = length::positive(*dur, &mut self.sink);
                self.needs_calendar(length, *dur);
                self.time_passes();
                Some(StepKind::Pause(length))
            }
            Wait::Until { target, within, from, otherwise } => {
                self.until(step, target, *within, from.as_ref(), otherwise.as_ref())
            }
            Wait::For { awaited, within, from, otherwise } => {
                self.events(step, awaited, *within, from.as_ref(), otherwise.as_ref())
            }
            Wait::Branches { within, from, arms, timeout } => {
                Some(self.first_of(step, *within, from.as_ref(), arms, timeout.as_ref()))
            }
        }
    }

    fn needs_calendar(&mut self, length: Length, dur: Dur) {
        let workdays = matches!(length, Length::Civil { unit: crate::value::CivilUnit::Workday, .. });
        if workdays && self.calendar().is_none() {
            self.report(crate::model::check::schedule::no_calendar(dur.span));
        }
    }

    fn limit(&mut self, within: Dur) -> Length {
        let length = length::positive(within, &mut self.sink);
        self.needs_calendar(length, within);
        length
    }

    fn from(&mut self, from: Option<&ast::Anchor>) -> Option<Anchor> {
        from.and_then(|from| self.anchor(from))
    }

    fn missing(&mut self, step: &ast::Step, headline: &str, label: &str, help: &str) {
        self.report(must_say(step, headline, label, help));
    }

    /// As [`Self::missing`]; to go on is what a wait without more words would be taken to mean.
    fn missing_way(&mut self, step: &ast::Step, behind: Span, headline: &str, help: &str, way: &str) {
        let label = format!("no `{}`", way.trim().trim_end_matches(" continue"));
        let fix = Fix::suggested(format!("add `{}`", way.trim())).add_behind(behind, way);
        self.report(must_say(step, headline, &label, help).with_fix(fix));
    }

    fn until(
        &mut self,
        step: &ast::Step,
        target: &ast::Expr,
        within: Option<Dur>,
        from: Option<&ast::Anchor>,
        otherwise: Option<&Body>,
    ) -> Option<StepKind> {
        let typed = self.expr(target, None);
        let typed = self.present(target, typed);
        match typed.ty {
            Type::Moment => {
                if within.is_some() || otherwise.is_some() {
                    let headline = "a moment comes by itself: this wait needs neither `within` nor `else`";
                    self.missing(step, headline, "waits for a moment", "leave them out");
                }
                self.time_passes();
                Some(StepKind::UntilMoment(typed.expr))
            }
            Type::Bool => self.until_state(step, typed.expr, within, from, otherwise),
            Type::Error => None,
            Type::Date => {
                let headline = format!("{} does not say at what time", words::quote(target));
                let finding = Diagnostic::new(code::NOT_A_DATE, target.span, headline)
                    .label("a date without a clock time");
                self.report(finding.help("write for example `at 10:00` behind it"));
                None
            }
            other => {
                let headline = format!(
                    "{} is {}: one cannot wait until it",
                    words::quote(target),
                    words::of_type(&other)
                );
                let finding = Diagnostic::new(code::TYPE_MISMATCH, target.span, headline)
                    .label("neither a moment nor a condition");
                self.report(finding.help("write a moment (`2 days after today at 10:00`) or a condition; for an event write `wait for …`"));
                None
            }
        }
    }

    fn until_state(
        &mut self,
        step: &ast::Step,
        condition: crate::expr::Expr,
        within: Option<Dur>,
        from: Option<&ast::Anchor>,
        otherwise: Option<&Body>,
    ) -> Option<StepKind> {
        let help = "write how long and what then: `within 2 days else end gave_up`";
        if within.is_none() {
            let headline = "a condition may never come true: `within` is missing";
            self.missing(step, headline, "no `within`", help);
        } else if otherwise.is_none() {
            let headline = "a condition may never come true: `else` is missing";
            self.missing_way(step, step.span, headline, help, " else continue");
        }
        let within = within.map(|within| self.limit(within));
        let from = self.from(from).unwrap_or(Anchor::Here);
        self.time_passes();
        let base = self.flow();
        let otherwise = otherwise.map(|body| self.body(body)).unwrap_or_default();
        let late = self.flow();
        self.set_flow(base);
        self.facts.extend(flow::when_true(&condition));
        let came = self.flow();
        self.meet(vec![came, late]);
        Some(StepKind::UntilState { condition, within: within?, from, otherwise })
    }

    fn events(
        &mut self,
        step: &ast::Step,
        awaited: &[ast::Pattern],
        within: Option<Dur>,
        from: Option<&ast::Anchor>,
        otherwise: Option<&Body>,
    ) -> Option<StepKind> {
        if within.is_none() {
            let headline = "how long to wait for it is not said";
            self.missing(
                step,
                headline,
                "no `within`",
                "write `within 2 days`, and what then: `else end gave_up`",
            );
        } else if otherwise.is_none() {
            let headline = "what happens if it does not come is not said";
            let help = "write `else end gave_up`, or `else continue` to go on";
            self.missing_way(step, step.span, headline, help, " else continue");
        }
        let within = within.map(|within| self.limit(within));
        let anchor = self.from(from);
        self.time_passes();
        let base = self.flow();
        let listened = self.listen(awaited, anchor.is_none());
        let came = self.flow();
        self.set_flow(base);
        let timeout = otherwise.map(|body| self.body(body)).unwrap_or_default();
        let late = self.flow();
        self.meet(vec![came, late]);
        let arms = vec![WaitArm { awaited: listened, body: Vec::new() }];
        Some(StepKind::Events { arms, within: within?, from: anchor.unwrap_or(Anchor::Here), timeout })
    }

    fn first_of(
        &mut self,
        step: &ast::Step,
        within: Dur,
        from: Option<&ast::Anchor>,
        arms: &[ast::WaitArm],
        timeout: Option<&Body>,
    ) -> StepKind {
        if timeout.is_none() {
            let headline = "what happens if nothing comes is not said";
            let help = "write `on timeout continue`, or `on timeout end gave_up`";
            match arms.last().map(|arm| end_of(&arm.body)) {
                Some(last) => self.missing_way(step, last, headline, help, "\non timeout continue"),
                None => self.missing(step, headline, "no `on timeout`", help),
            }
        }
        let within = self.limit(within);
        let anchor = self.from(from);
        self.time_passes();
        let base = self.flow();
        let mut ways: Vec<Flow> = Vec::new();
        let mut checked = Vec::new();
        for arm in arms {
            self.set_flow(base.clone());
            let awaited = self.listen(&arm.awaited, anchor.is_none());
            let body = self.body(&arm.body);
            ways.push(self.flow());
            checked.push(WaitArm { awaited, body });
        }
        self.set_flow(base);
        let timeout = timeout.map(|body| self.body(body)).unwrap_or_default();
        ways.push(self.flow());
        self.meet(ways);
        StepKind::Events { arms: checked, within, from: anchor.unwrap_or(Anchor::Here), timeout }
    }

    /// What is waited for; behind it, a name is set only if every alternative sets it.
    fn listen(&mut self, awaited: &[ast::Pattern], default_anchor: bool) -> Vec<Awaited> {
        let base = self.flow();
        let mut ways = Vec::new();
        let mut listened = Vec::new();
        for written in awaited {
            self.set_flow(base.clone());
            listened.extend(self.awaited(written, default_anchor));
            ways.push(self.flow());
        }
        if !ways.is_empty() {
            self.meet(ways);
        }
        listened
    }

    fn awaited(&mut self, written: &ast::Pattern, default_anchor: bool) -> Option<Awaited> {
        if let Some(without) = &written.without {
            let finding =
                Diagnostic::new(code::MISPLACED, without.pattern.span, "`without` cannot stand in a wait");
            self.report(
                finding
                    .label("only an entry waits for what does not follow")
                    .help("wait for the other event in a branch of its own: `on … body`"),
            );
        }
        let Some(found) = self.occurs(&written.occurrence, Messages::Named) else {
            self.not_awaitable(written);
            return None;
        };
        let (pattern, shape) = self.pattern(written, found.ok()?);
        let ty = Type::Event(event_name(&pattern.source));
        let mut slot = written.alias.and_then(|alias| self.slot(alias, &ty, Some(shape.clone())));
        if let Source::Event(name) = pattern.source {
            if slot.is_none() && self.anchored.contains(&name) {
                let hidden = ast::Ident { name: Name::new(&format!("{name}#")), span: written.span };
                slot = self.slot(hidden, &ty, Some(shape));
            }
            if let Some(slot) = slot {
                self.occurred.push((name, Anchor::Local(slot)));
            }
        }
        self.assigned.extend(slot);
        let from = match &pattern.source {
            Source::Message { step: Some(step), .. } if default_anchor => Some(Anchor::Sent(*step)),
            _ => None,
        };
        Some(Awaited { pattern, slot, from })
    }

    /// A name in a wait that is not an event: perhaps a moment or a condition, which `until` waits for.
    fn not_awaitable(&mut self, written: &ast::Pattern) {
        let ast::OccurrenceKind::Expr(expr) = &written.occurrence.kind else { return };
        let ast::ExprKind::Path(path) = &expr.kind else { return self.not_an_event(&written.occurrence) };
        let known = path.parts.first().is_some_and(|first| self.is_taken(first.name));
        if !known {
            return self.not_an_event(&written.occurrence);
        }
        let headline = format!("{} is not an event", words::quote(expr));
        let finding = Diagnostic::new(code::NOT_AN_EVENT, expr.span, headline).label("never happens");
        self.report(
            finding.help(format!("wait for a condition or a moment with `wait until {}`", path.text())),
        );
    }
}

/// What the record is called in its type.
fn event_name(source: &Source) -> Name {
    match source {
        Source::Event(name)
        | Source::Children(name)
        | Source::Close(name)
        | Source::Daily { attribute: name, .. } => *name,
        Source::Message { kind, .. } => Name::new(kind.as_str()),
        Source::Change { attribute, .. } => *attribute,
    }
}

fn must_say(step: &ast::Step, headline: &str, label: &str, help: &str) -> Diagnostic {
    Diagnostic::new(code::WAIT_MUST_SAY, step.span, headline).label(label).help(help)
}

/// Where a body ends.
pub(super) fn end_of(body: &Body) -> Span {
    match body {
        Body::Block(_, span) | Body::End { span, .. } | Body::Continue(span) | Body::Error(span) => *span,
    }
}
