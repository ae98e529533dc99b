//! Clauses: what a journey is for, who enters, who leaves, what counts as success.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::flow::Flow;
use crate::diagnostic::{Diagnostic, Fix, code};
use crate::expr::{Anchor, Expr, Pattern};
use crate::model::check::content::person;
use crate::model::check::expr::{Block, Checker};
use crate::model::check::length;
use crate::model::check::pattern::Messages;
use crate::model::check::policy;
use crate::model::check::value::opening_every;
use crate::model::check::world::{Declared, Kind};
use crate::model::govern::{Cap, Quiet};
use crate::model::journey::{Exit, Goal, Param, Trigger, Unserved};
use crate::name::Name;
use crate::program::{Enter, EntryUnit, Opening, Reenter};
use crate::syntax::ast::{self, Clause, ClauseKind, Ident, Step};
use crate::text::Span;
use crate::value::{Length, Type};

/// The clauses of a journey; what is required and absent has been reported.
#[derive(Default)]
pub(super) struct Clauses<'a> {
    pub(super) purpose: Option<Name>,
    pub(super) owner: Option<Arc<str>>,
    pub(super) open: Option<Opening>,
    pub(super) enter: Option<Enter>,
    pub(super) existing: Option<bool>,
    pub(super) stale: Option<Length>,
    pub(super) reenter: Option<Reenter>,
    /// With the steps of their blocks, which are checked after the journey's own.
    pub(super) exits: Vec<(Exit, Option<&'a [Step]>)>,
    pub(super) goals: Vec<Goal>,
    pub(super) lasts: Option<Length>,
    pub(super) reviewed: Option<(jiff::civil::Date, Span)>,
    pub(super) params: Vec<Param>,
    pub(super) holdout: u16,
    pub(super) unserved: Vec<(Unserved, Span)>,
    pub(super) product: Option<Name>,
    pub(super) lane: Option<Name>,
    pub(super) priority: Option<Name>,
    pub(super) caps: Vec<Cap>,
    pub(super) quiet: Option<Quiet>,
}

impl Checker<'_, '_> {
    pub(super) fn clauses<'a>(&mut self, declared: &Declared, journey: &'a ast::Journey) -> Clauses<'a> {
        let mut clauses = Clauses::default();
        self.said_twice(&journey.clauses);
        // Parameters before anything that may look at them.
        for clause in &journey.clauses {
            self.param(clause, &mut clauses.params);
        }
        // The entry first: the other clauses may look at its event, wherever they stand.
        let entering = |clause: &&Clause| matches!(clause.kind, ClauseKind::Enter(_));
        if let Some(Clause { kind: ClauseKind::Enter(enter), .. }) = journey.clauses.iter().find(entering) {
            clauses.enter = self.enter(enter);
        }
        for clause in &journey.clauses {
            self.clause(clause, &mut clauses);
        }
        self.budget_clause(journey);
        self.required(declared, journey);
        self.belonging(journey);
        self.consent_for_marketing(declared, journey, clauses.purpose);
        clauses
    }

    /// The budget that everything this journey gives counts against.
    fn budget_clause(&mut self, journey: &ast::Journey) {
        let budgets = journey.clauses.iter().filter_map(|clause| match &clause.kind {
            ClauseKind::Budget(path) => Some(path),
            _ => None,
        });
        for path in budgets {
            let declared = self.world.expect_path(&mut self.sink, self.file, path, Kind::Budget);
            self.budget = declared.map(|declared| declared.name);
        }
    }

    fn journey_opening(&mut self, written: &ast::Opening) -> Option<Opening> {
        match written {
            ast::Opening::Range(range) => {
                length::date_range(range, &mut self.sink).map(|(first, last)| Opening::Days(first, last))
            }
            ast::Opening::Every(schedule) => {
                let calendar = self.calendar();
                opening_every(schedule, calendar, &mut self.sink)
            }
        }
    }

    pub(super) fn said_twice(&mut self, clauses: &[Clause]) {
        let mut seen: BTreeMap<Name, &Clause> = BTreeMap::new();
        for clause in clauses {
            if matches!(
                clause.kind,
                ClauseKind::Exit(_)
                    | ClauseKind::Goal(_)
                    | ClauseKind::Param(_)
                    | ClauseKind::Guardrail(_)
                    | ClauseKind::Migrate { .. }
                    | ClauseKind::Cap(_)
                    | ClauseKind::Error
            ) {
                continue;
            }
            let word = clause.word;
            let Some(first) = seen.insert(word.name, clause) else { continue };
            let finding =
                Diagnostic::new(code::CLAUSE_TWICE, word.span, format!("`{}` is said twice", word.name))
                    .label("again here")
                    .also(first.word.span, "first said here")
                    .help("keep one of them");
            let fix = Fix::safe("take the second one out").remove(clause.span);
            self.report(if says_same(first, clause) { finding.with_fix(fix) } else { finding });
        }
    }

    pub(super) fn clause<'a>(&mut self, clause: &'a Clause, clauses: &mut Clauses<'a>) {
        match &clause.kind {
            ClauseKind::Purpose(word) => clauses.purpose = Some(policy::purpose(*word, &mut self.sink)),
            ClauseKind::Owner(text) => clauses.owner = Some(text.value.clone()),
            ClauseKind::Open(opening) => clauses.open = self.journey_opening(opening),
            ClauseKind::Existing(include) => clauses.existing = Some(*include),
            ClauseKind::Stale(dur) => clauses.stale = Some(length::positive(*dur, &mut self.sink)),
            ClauseKind::Reenter(reenter) => {
                clauses.reenter = Some(self.reenter(reenter, clauses.enter.as_ref(), clause.span));
            }
            ClauseKind::Exit(exit) => {
                let ast::Exit { trigger, alias, label, block } = &**exit;
                let end = alias.map_or_else(|| Name::new("exited"), |alias| alias.name);
                let exit = Exit {
                    trigger: self.trigger(trigger),
                    end,
                    label: label.as_ref().map(|label| label.value.clone()),
                    block: Vec::new(),
                    span: clause.span,
                };
                clauses.exits.push((exit, block.as_deref()));
            }
            ClauseKind::Goal(goal) => {
                let ast::Goal { name, label, trigger, within, from } = &**goal;
                self.goal_twice(*name, &clauses.goals);
                let trigger = self.trigger(trigger);
                clauses.goals.push(Goal {
                    name: name.name,
                    label: label.as_ref().map(|label| label.value.clone()),
                    trigger,
                    within: length::positive(*within, &mut self.sink),
                    from: self.goal_anchor(from),
                    span: clause.span,
                });
            }
            ClauseKind::Lasts(dur) => clauses.lasts = Some(length::positive(*dur, &mut self.sink)),
            ClauseKind::Reviewed(day) => clauses.reviewed = length::date(day, &mut self.sink),
            ClauseKind::Holdout(share) => clauses.holdout = self.share(share).unwrap_or_default(),
            ClauseKind::Guardrail(rate) => {
                self.rate(rate);
                clauses.unserved.push((Unserved::Guardrail, clause.word.span));
            }
            ClauseKind::Rollout { shares, items } => {
                self.rollout(shares, items);
                clauses.unserved.push((Unserved::Rollout, clause.word.span));
            }
            ClauseKind::Migrate { rules, .. } => {
                self.migrate(rules);
                clauses.unserved.push((Unserved::Migrate, clause.word.span));
            }
            ClauseKind::Enter(enter) if **enter == ast::Enter::ByList => {
                clauses.unserved.push((Unserved::EnterByList, clause.word.span));
            }
            ClauseKind::Product(path) => {
                let found = self.world.expect_path(&mut self.sink, self.file, path, Kind::Product);
                clauses.product = found.map(|product| product.name);
            }
            ClauseKind::Lane(path) => {
                let journey = self.messages.unwrap_or_else(|| Name::new(""));
                clauses.lane = self.lane_of(path, journey);
            }
            ClauseKind::Cap(cap) => clauses.caps.extend(self.narrow_cap(cap)),
            ClauseKind::Quiet(quiet) => clauses.quiet = self.narrow_quiet(quiet),
            ClauseKind::Priority(word) => {
                self.priority(*word);
                clauses.priority = Some(word.name);
            }
            ClauseKind::Enter(_) | ClauseKind::Param(_) | ClauseKind::Budget(_) | ClauseKind::Error => {}
        }
    }

    fn goal_twice(&mut self, name: Ident, goals: &[Goal]) {
        if let Some(first) = goals.iter().find(|goal| goal.name == name.name) {
            let finding = Diagnostic::new(
                code::CLAUSE_TWICE,
                name.span,
                format!("two goals are called `{}`", name.name),
            );
            self.report(
                finding
                    .label("again here")
                    .also(first.span, "the first")
                    .help("give one of them another name"),
            );
        }
    }

    fn goal_anchor(&mut self, from: &ast::Anchor) -> Anchor {
        match self.anchor(from) {
            Some(Anchor::Here | Anchor::Local(_)) => {
                self.report(
                    Diagnostic::new(
                        code::NO_ANCHOR,
                        from.span,
                        "a goal counts from an instant of the whole journey",
                    )
                    .label("belongs to a step")
                    .help("write `from entered`, `from first sent` or `from sent(x)`"),
                );
                Anchor::Entered
            }
            anchor => anchor.unwrap_or(Anchor::Entered),
        }
    }

    pub(super) fn trigger(&mut self, trigger: &ast::Trigger) -> Trigger {
        match trigger {
            ast::Trigger::When(condition) => Trigger::When(self.condition(condition)),
            ast::Trigger::On(patterns) => {
                Trigger::On(patterns.iter().filter_map(|pattern| self.trigger_pattern(pattern)).collect())
            }
        }
    }

    fn trigger_pattern(&mut self, written: &ast::Pattern) -> Option<Pattern> {
        if let Some(without) = &written.without {
            let finding =
                Diagnostic::new(code::MISPLACED, without.pattern.span, "`without` cannot stand here");
            self.report(
                finding
                    .label("only an entry waits for what does not follow")
                    .help("write `exit when …` with a condition"),
            );
        }
        let Some(found) = self.occurs(&written.occurrence, Messages::Named) else {
            self.not_an_event(&written.occurrence);
            return None;
        };
        found.ok().map(|happening| self.pattern(written, happening).0)
    }

    /// Where an event is wanted and something else, or nothing known, is named.
    pub(super) fn not_an_event(&mut self, occurrence: &ast::Occurrence) {
        let ast::OccurrenceKind::Expr(expr) = &occurrence.kind else { return };
        match &expr.kind {
            ast::ExprKind::Path(path) | ast::ExprKind::Call { callee: path, .. } => self.not_this_event(path),
            ast::ExprKind::Error => {}
            _ => {
                let finding = Diagnostic::new(code::NOT_AN_EVENT, expr.span, "an event is wanted here");
                self.report(finding.label("not an event").help("write the name of a declared event"));
            }
        }
    }

    fn not_this_event(&mut self, path: &ast::Path) {
        use crate::model::check::world::{Kind, wrong_kind};
        let Some(first) = path.parts.first().copied() else { return };
        if let Some(declared) = self.world.find(&mut self.sink, self.file, first.name) {
            return self.report(wrong_kind(first, &declared, Kind::Event.words()));
        }
        let mut among = self.world.visible_of(self.file, &[Kind::Event]);
        among.push(crate::program::value::GRANTED);
        among.extend(crate::expr::MessageEvent::ALL.map(crate::expr::MessageEvent::as_str));
        let finding = self.world.unknown(self.file, first, Kind::Event.words(), &among);
        self.sink.unknown(&path.text(), finding);
    }

    fn reenter(&mut self, reenter: &ast::Reenter, enter: Option<&Enter>, span: Span) -> Reenter {
        match reenter {
            ast::Reenter::Never => Reenter::Never,
            ast::Reenter::After(dur) => Reenter::After(length::positive(*dur, &mut self.sink)),
            ast::Reenter::Restart => Reenter::Restart,
            ast::Reenter::Per(paths) => {
                let occurrence = paths.iter().any(|path| path.text() == "occurrence");
                if !occurrence {
                    return Reenter::Per(paths.iter().filter_map(|path| self.entry_unit(path)).collect());
                }
                self.per_occurrence(paths.len(), enter, span);
                Reenter::Occurrence
            }
        }
    }

    fn per_occurrence(&mut self, units: usize, enter: Option<&Enter>, span: Span) {
        let dated = enter.is_none_or(|enter| matches!(enter, Enter::Date { .. } | Enter::Anchor { .. }));
        if dated && units == 1 {
            return;
        }
        let finding =
            Diagnostic::new(code::REENTER, span, "`per occurrence` is for journeys that a date enters");
        let label = if dated { "with another unit beside it" } else { "no date enters here" };
        let help = if dated {
            "write `reenter per occurrence` alone"
        } else {
            "write `reenter never`, `after 30 days`, `per week` or `per event.id`"
        };
        self.report(finding.label(label).help(help));
    }

    fn entry_unit(&mut self, path: &ast::Path) -> Option<EntryUnit> {
        match path.text().as_str() {
            "day" => return Some(EntryUnit::Day),
            "week" => return Some(EntryUnit::Week),
            "month" => return Some(EntryUnit::Month),
            "opening" => return self.opening_unit(path),
            _ => {}
        }
        if path.parts.first().is_some_and(|part| part.name.as_str() == "event") {
            let typed = self.path(path, None);
            return self.unit_value(path, typed);
        }
        let finding =
            Diagnostic::new(code::REENTER, path.span, format!("`{}` is no unit to enter by", path.text()));
        let units = ["day", "week", "month", "occurrence"];
        self.report(finding.label("not a unit").suggest(&path.text(), units, || {
            "write `per day`, `per week`, `per month`, `per occurrence` or a field of the entry event: `per event.id`".into()
        }));
        None
    }

    /// `per opening`: of the reward that the entry event names.
    fn opening_unit(&mut self, path: &ast::Path) -> Option<EntryUnit> {
        let world = self.world;
        let shape = self.entry.clone();
        let fields = shape.as_ref().map(|shape| shape.fields(world)).unwrap_or_default();
        let is_reward = |field: &Name| {
            shape.as_ref().and_then(|shape| shape.field(world, *field)).is_some_and(|ty| ty == Type::Reward)
        };
        let mut rewards = fields.into_iter().map(Name::new).filter(is_reward);
        if let (Some(only), None) = (rewards.next(), rewards.next()) {
            Some(EntryUnit::Opening(Expr::Field(Box::new(Expr::Entry), only)))
        } else {
            let headline = "`per opening` needs an entry event that names one reward";
            let finding = Diagnostic::new(code::REENTER, path.span, headline).label("the opening of what?");
            self.report(
                finding.help(
                    "enter on an event with a field of type `Reward`: `enter on tapped_claim(fuel_rush)`",
                ),
            );
            None
        }
    }

    fn unit_value(&mut self, path: &ast::Path, typed: crate::model::check::expr::Typed) -> Option<EntryUnit> {
        match typed.ty {
            Type::Error => None,
            Type::Optional(_) => {
                let headline =
                    format!("`{}` may be missing, so two entries could look the same", path.text());
                let finding = Diagnostic::new(code::REENTER, path.span, headline).label("may be missing");
                self.report(finding.help(format!(
                    "enter only where it is there: `where {} is known`",
                    path.parts.last().map_or("x", |part| part.name.as_str())
                )));
                None
            }
            Type::List(_) | Type::Range(_) | Type::Event(_) => {
                let finding = Diagnostic::new(
                    code::REENTER,
                    path.span,
                    format!("`{}` is not a single value", path.text()),
                );
                self.report(
                    finding
                        .label("several values")
                        .help("write a field of the event that holds one: `per event.id`"),
                );
                None
            }
            _ => Some(EntryUnit::Value(typed.expr)),
        }
    }

    fn required(&mut self, declared: &Declared, journey: &ast::Journey) {
        let unread = |step: &Step| matches!(step.kind, ast::StepKind::Error);
        if journey.clauses.iter().any(|clause| matches!(clause.kind, ClauseKind::Error))
            || journey.steps.iter().any(unread)
        {
            // What could not be read may be just what seems to be missing.
            return;
        }
        for (word, help) in [
            ("purpose", "write `purpose marketing`, or `service`, `transactional`, `survey`, …"),
            ("owner", "write `owner \"team@bank.example\"`: who answers for it"),
            ("enter", "write `enter on …`, `enter when …`, `enter every …`, or `enter by start`"),
            (
                "reenter",
                "below `enter`, write `reenter never`, or how often: `reenter after 30 days`, `reenter per week`",
            ),
        ] {
            if !journey.clauses.iter().any(|clause| clause.word.name.as_str() == word) {
                let headline = format!("journey `{}` has no `{word}`", declared.name);
                let finding = Diagnostic::new(code::CLAUSE_MISSING, declared.span, headline);
                let finding = finding.label(format!("`{word}` is missing")).help(help);
                let enter = journey.clauses.iter().find(|clause| clause.word.name.as_str() == "enter");
                self.report(match enter {
                    // Whoever wants more than once will say how often.
                    Some(enter) if word == "reenter" => finding.with_fix(
                        Fix::suggested("add `reenter never`").add_behind(enter.span, "\nreenter never"),
                    ),
                    _ => finding,
                });
            }
        }
    }

    /// Clauses that depend on how the journey is entered.
    fn belonging(&mut self, journey: &ast::Journey) {
        let find = |word: &str| journey.clauses.iter().find(|clause| clause.word.name.as_str() == word);
        let Some(enter) = find("enter") else { return };
        let ClauseKind::Enter(form) = &enter.kind else { return };
        let when = matches!(**form, ast::Enter::When { .. });
        match find("existing") {
            None if when => self.report(
                Diagnostic::new(code::CLAUSE_MISSING, enter.span, "who is in the audience already is not spoken of")
                    .label("`existing` is missing")
                    .help("below `enter`, write `existing skip`: only who joins later; or `existing include`: they enter at the first look")
                    // Of the two, the one that sends nothing to anybody yet.
                    .with_fix(Fix::suggested("add `existing skip`").add_behind(enter.span, "\nexisting skip")),
            ),
            Some(existing) if !when => self.report(
                Diagnostic::new(code::MISPLACED, existing.span, "`existing` belongs to `enter when` only")
                    .label("nothing to include or skip")
                    .help("take this line out")
                    .with_fix(Fix::safe("take this line out").remove(existing.span)),
            ),
            _ => {}
        }
        let without = matches!(&**form, ast::Enter::On(patterns) if patterns.iter().any(|pattern| pattern.without.is_some()));
        if without && find("stale").is_none() {
            self.report(
                Diagnostic::new(code::CLAUSE_MISSING, enter.span, "how late is too late is not said")
                    .label("`stale after` is missing")
                    .help("write `stale after 10min`: whoever is found later is left alone"),
            );
        }
    }

    /// Marketing needs a consent to look at.
    pub(super) fn consent_for_marketing(
        &mut self,
        declared: &Declared,
        journey: &ast::Journey,
        purpose: Option<Name>,
    ) {
        if purpose.is_none_or(|purpose| purpose.as_str() != "marketing") {
            return;
        }
        let Some(root) = self.subject.map(|subject| self.world.root(subject)) else { return };
        // The journey of a group or branch: whoever gets something from it is asked, not its subject.
        if speaks(journey) && person(self.world).is_some_and(|person| person != root) {
            return;
        }
        let Some(entity) = self.world.entity(root) else { return };
        let list = Type::List(Box::new(Type::Channel));
        if entity.field(Name::new("consent")).is_some_and(|field| field.ty == list || field.ty == Type::Error)
        {
            return;
        }
        let headline = format!("marketing needs a consent, and `{root}` has none");
        let at = entity.span;
        self.report(
            Diagnostic::new(code::NO_CONSENT, declared.span, headline)
                .label("a journey of purpose `marketing`")
                .also(at, "without `consent`")
                .help(format!(
                    "write `consent : [channel]` in entity `{root}`, the channels a person agreed to"
                )),
        );
    }

    /// The steps of exits, which begin anywhere in the journey: nothing that steps set may be relied on.
    pub(super) fn exit_blocks(&mut self, exits: Vec<(Exit, Option<&[Step]>)>, before: &Flow) -> Vec<Exit> {
        self.block = Block::Exit;
        let mut checked = Vec::with_capacity(exits.len());
        for (mut exit, block) in exits {
            self.set_flow(before.clone());
            exit.block = self.steps(block.unwrap_or_default());
            checked.push(exit);
        }
        self.block = Block::Steps;
        checked
    }
}

/// Whether anything is sent, given or started in it.
fn speaks(journey: &ast::Journey) -> bool {
    let mut found = false;
    super::steps::each(&journey.steps, &mut |step| {
        found |= matches!(
            step.kind,
            ast::StepKind::Send(_)
                | ast::StepKind::Reach(_)
                | ast::StepKind::Grant(_)
                | ast::StepKind::Start { .. }
        );
    });
    found
}

/// Whether two clauses of one word say the same, as far as this is plain to see.
fn says_same(one: &Clause, other: &Clause) -> bool {
    match (&one.kind, &other.kind) {
        (ClauseKind::Purpose(one), ClauseKind::Purpose(other))
        | (ClauseKind::Priority(one), ClauseKind::Priority(other)) => one.name == other.name,
        (ClauseKind::Owner(one), ClauseKind::Owner(other)) => one.value == other.value,
        (ClauseKind::Existing(one), ClauseKind::Existing(other)) => one == other,
        (ClauseKind::Lasts(one), ClauseKind::Lasts(other))
        | (ClauseKind::Stale(one), ClauseKind::Stale(other)) => one.kind == other.kind,
        (ClauseKind::Reenter(one), ClauseKind::Reenter(other)) => match (one, other) {
            (ast::Reenter::After(one), ast::Reenter::After(other)) => one.kind == other.kind,
            _ => one == other,
        },
        _ => false,
    }
}
