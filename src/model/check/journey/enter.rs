//! How instances come to be.

use crate::diagnostic::{Diagnostic, code};
use crate::expr::{Anchor, Expr, Pattern, Source};
use crate::model::check::expr::{Checker, Shape, flow};
use crate::model::check::pattern::{Happening, Messages};
use crate::model::check::schedule::{self, Place as ScheduleAt};
use crate::model::check::{length, words};
use crate::name::Name;
use crate::program::{Enter, Schedule};
use crate::syntax::ast::{self, BinaryOp, ExprKind, OccurrenceKind};
use crate::text::Span;
use crate::value::{Length, Type};

impl Checker<'_, '_> {
    pub(super) fn enter(&mut self, enter: &ast::Enter) -> Option<Enter> {
        match enter {
            ast::Enter::ByStart => Some(Enter::Start),
            ast::Enter::ByList => Some(Enter::List),
            ast::Enter::When { condition, schedule } => {
                let condition = self.condition(condition);
                let schedule = match schedule {
                    Some(schedule) => Some(self.schedule(schedule)?),
                    None => None,
                };
                self.facts = flow::when_true(&condition);
                Some(Enter::When { condition, schedule })
            }
            ast::Enter::Every { schedule, filter } => {
                let schedule = self.schedule(schedule);
                let filter = filter.as_ref().map(|filter| self.condition(filter));
                self.facts = filter.as_ref().map(flow::when_true).unwrap_or_default();
                Some(Enter::Every { schedule: schedule?, filter })
            }
            ast::Enter::On(patterns) => self.enter_on(patterns),
        }
    }

    pub(super) fn schedule(&mut self, written: &ast::Schedule) -> Option<Schedule> {
        let world = self.world;
        let fields =
            self.subject.and_then(|subject| world.entity(subject)).map(|entity| entity.fields.as_slice());
        let place =
            ScheduleAt { fields: fields.unwrap_or_default(), calendar: self.calendar(), needs_time: true };
        schedule::schedule(&place, written, &mut self.sink)
    }

    fn enter_on(&mut self, patterns: &[ast::Pattern]) -> Option<Enter> {
        let [first, rest @ ..] = patterns else { return None };
        if rest.is_empty() {
            return match self.occurs(&first.occurrence, Messages::Any) {
                Some(found) => {
                    let happening = found.ok()?;
                    match &first.without {
                        Some(without) => self.enter_without(first, happening, without),
                        None => Some(self.enter_events(vec![(first, happening)])),
                    }
                }
                None => self.enter_date(first),
            };
        }
        let mut events = Vec::new();
        for pattern in patterns {
            if let Some(without) = &pattern.without {
                let finding = Diagnostic::new(
                    code::MISPLACED,
                    without.pattern.span,
                    "`without` looks at one event only",
                );
                self.report(finding.label("among several events").help("write a journey of its own for it"));
            }
            match self.occurs(&pattern.occurrence, Messages::Any) {
                Some(found) => events.extend(found.map(|happening| (pattern, happening)).ok()),
                None => self.not_an_event(&pattern.occurrence),
            }
        }
        (events.len() == patterns.len()).then(|| self.enter_events(events))
    }

    fn enter_events(&mut self, events: Vec<(&ast::Pattern, Happening)>) -> Enter {
        let shapes: Vec<Shape> = events.iter().map(|(_, happening)| happening.shape.clone()).collect();
        let single = shapes.len() == 1;
        let patterns: Vec<Pattern> =
            events.into_iter().map(|(written, happening)| self.entry_pattern(written, happening)).collect();
        if let ([pattern], true) = (patterns.as_slice(), single) {
            self.facts = pattern.filter.iter().flat_map(flow::when_true).map(of_entry).collect();
            if let Source::Event(name) = pattern.source {
                self.occurred.push((name, Anchor::Entry));
            }
        }
        self.entry = match shapes.as_slice() {
            [only] => Some(only.clone()),
            _ => Some(Shape::AnyOf(shapes)),
        };
        Enter::Event(patterns)
    }

    /// While an entry is looked at, `event` is the event under test.
    pub(super) fn entry_pattern(&mut self, written: &ast::Pattern, happening: Happening) -> Pattern {
        self.entry = Some(happening.shape.clone());
        let pattern = self.pattern(written, happening).0;
        self.entry = None;
        pattern
    }

    fn enter_without(
        &mut self,
        written: &ast::Pattern,
        happening: Happening,
        without: &ast::Without,
    ) -> Option<Enter> {
        let Enter::Event(mut patterns) = self.enter_events(vec![(written, happening)]) else { return None };
        let trigger = patterns.pop()?;
        let within = length::positive(without.within, &mut self.sink);
        let Some(found) = self.occurs(&without.pattern.occurrence, Messages::Any) else {
            self.not_an_event(&without.pattern.occurrence);
            return None;
        };
        let (absent, _) = self.pattern(&without.pattern, found.ok()?);
        Some(Enter::Without { trigger, absent, within })
    }

    /// A date of the subject, or a recurring anchor of it.
    fn enter_date(&mut self, written: &ast::Pattern) -> Option<Enter> {
        let OccurrenceKind::Expr(expr) = &written.occurrence.kind else { return None };
        if let Some(without) = &written.without {
            let finding = Diagnostic::new(
                code::MISPLACED,
                without.pattern.span,
                "`without` follows an event, not a date",
            );
            self.report(
                finding
                    .label("no event before it")
                    .help("write `where` with a condition on the past instead"),
            );
        }
        if let Some(enter) = self.enter_anchor(expr, written) {
            return Some(enter);
        }
        if self.is_unknown_occurrence(expr) {
            return None;
        }
        let typed = self.expr(expr, None);
        match typed.ty.known() {
            Type::Error => return None,
            Type::Moment => {}
            Type::Date => {
                let headline = format!("{} does not say at what time", words::quote(expr));
                let finding = Diagnostic::new(code::NOT_A_DATE, expr.span, headline)
                    .label("a date without a clock time");
                self.report(finding.help("write for example `at 10:00` behind it"));
                return None;
            }
            other => {
                let headline =
                    format!("{} is {}: nothing happens on it", words::quote(expr), words::of_type(other));
                let finding = Diagnostic::new(code::NOT_AN_EVENT, expr.span, headline)
                    .label("neither an event nor a date");
                self.report(finding.help("write an event or a date; a condition goes behind `enter when`"));
                return None;
            }
        }
        // The occurrence is this instance's reason to be, so its date counts as known while it lives.
        self.lasting = dates(&typed.expr);
        self.facts.clone_from(&self.lasting);
        let filter = self.date_filter(written);
        Some(Enter::Date { moment: typed.expr, filter })
    }

    fn date_filter(&mut self, written: &ast::Pattern) -> Option<Expr> {
        let filter = written.filter.as_ref().map(|filter| self.condition(filter))?;
        self.facts.extend(flow::when_true(&filter));
        Some(filter)
    }

    /// `3 workdays before payday at 10:00`, where `payday` is an anchor of the subject.
    fn enter_anchor(&mut self, expr: &ast::Expr, written: &ast::Pattern) -> Option<Enter> {
        let (day, at) = match &expr.kind {
            ExprKind::Binary { op: BinaryOp::At, left, right, .. } => match right.kind {
                ExprKind::Time(time) => (&**left, Some(time)),
                _ => return None,
            },
            _ => (expr, None),
        };
        let (base, shift) = match &day.kind {
            ExprKind::Binary { op: op @ (BinaryOp::Before | BinaryOp::After), left, right, .. } => {
                let length = Checker::written_length(left)?;
                (&**right, Some((length, *op == BinaryOp::Before)))
            }
            _ => (day, None),
        };
        let (of, anchor) = self.anchor_named(base)?;
        if at.is_none() {
            let headline = format!("{} does not say at what time", words::quote(expr));
            let finding =
                Diagnostic::new(code::NOT_A_DATE, expr.span, headline).label("a date without a clock time");
            self.report(finding.help("write for example `at 10:00` behind it"));
        }
        if let Some((length, _)) = shift {
            self.check_shift(length, of.as_ref().map(|(_, entity)| *entity), day.span);
        }
        let date = Expr::Anchored {
            of: of.as_ref().map(|(of, _)| Box::new(of.clone())),
            entity: of.as_ref().map(|(_, entity)| *entity).or(self.subject)?,
            anchor,
            back: shift.is_some_and(|(_, before)| !before),
        };
        self.lasting = of.iter().map(|(of, _)| of.clone()).chain([date.clone()]).collect();
        self.facts.clone_from(&self.lasting);
        self.passed = Some(date).filter(|date| matches!(date, Expr::Anchored { back: true, .. }));
        let filter = self.date_filter(written);
        Some(Enter::Anchor { of, anchor, shift, at, filter })
    }

    fn check_shift(&mut self, length: Length, of: Option<Name>, span: Span) {
        if matches!(length, Length::Elapsed(_)) {
            let finding = Diagnostic::new(
                code::NOT_A_DATE,
                span,
                format!("`{length}` is stopwatch time, and this is a day"),
            );
            self.report(finding.label("counts hours and minutes").help("write days: `1 day before …`"));
        }
        let workdays = matches!(length, Length::Civil { unit: crate::value::CivilUnit::Workday, .. });
        let calendar = match of {
            Some(entity) => self.world.entity(entity).and_then(|entity| entity.calendar),
            None => self.calendar(),
        };
        if workdays && calendar.is_none() {
            self.report(schedule::no_calendar(span));
        }
    }

    /// The recurring date that is named, and whose it is if it is not the subject's own.
    fn anchor_named(&mut self, base: &ast::Expr) -> Option<(Option<(Expr, Name)>, Name)> {
        let ExprKind::Path(path) = &base.kind else { return None };
        let subject = self.subject?;
        let own = match path.parts.as_slice() {
            [name] => Some(name.name),
            [owner, name] if owner.name == subject => Some(name.name),
            _ => None,
        };
        if let Some(name) = own {
            let anchors = &self.world.entity(subject)?.anchors;
            return anchors.iter().find(|anchor| anchor.name == name).map(|anchor| (None, anchor.name));
        }
        let [.., link, _] = path.parts.as_slice() else { return None };
        let world = self.world;
        let entity = match world.entity(subject)?.field(link.name)?.ty.known() {
            Type::Entity(entity) => *entity,
            _ => return None,
        };
        let name = path.parts.last()?.name;
        world.entity(entity)?.anchors.iter().find(|anchor| anchor.name == name)?;
        match self.path(path, None).expr {
            Expr::Anchored { of: Some(of), entity, anchor, .. } => Some((Some((*of, entity)), anchor)),
            _ => None,
        }
    }

    /// A bare name that is nothing at all: told as an unknown event or date, not as an unknown value.
    pub(in crate::model::check) fn is_unknown_occurrence(&mut self, expr: &ast::Expr) -> bool {
        let (ExprKind::Path(path) | ExprKind::Call { callee: path, .. }) = &expr.kind else { return false };
        let [only] = path.parts.as_slice() else { return false };
        if matches!(expr.kind, ExprKind::Path(_)) && self.is_taken(only.name) {
            return false;
        }
        self.not_an_event(&ast::Occurrence {
            first: false,
            kind: OccurrenceKind::Expr(expr.clone()),
            span: expr.span,
        });
        true
    }
}

/// What a filter on the event under test proved of the entry event.
pub(super) fn of_entry(fact: Expr) -> Expr {
    match fact {
        Expr::Element => Expr::Entry,
        Expr::Field(base, name) => Expr::Field(Box::new(of_entry(*base)), name),
        other => other,
    }
}

/// The attributes a date is made of.
fn dates(expr: &Expr) -> Vec<Expr> {
    match expr {
        Expr::At(day, _) => dates(day),
        Expr::Shift { from, .. } => dates(from),
        Expr::Attr(..) | Expr::Def(..) => vec![expr.clone()],
        _ => Vec::new(),
    }
}
