//! `repeat`: bounded, its rounds numbered, perhaps on a clock.

use crate::diagnostic::{Diagnostic, code};
use crate::expr::{Anchor, Expr};
use crate::model::check::expr::Checker;
use crate::model::journey::{Repeat, StepKind};
use crate::name::Name;
use crate::syntax::ast::{self, BinaryOp, ExprKind, Ident, Missed};
use crate::text::Span;
use crate::value::{Type, Value};

/// Rounds of one `repeat`. More are hardly meant, and each has names of its own for its messages.
const MOST_ROUNDS: i64 = 1_000;

/// One end of the range: what it is, and the least and most it can be.
struct End {
    expr: Expr,
    least: i64,
    most: i64,
}

impl Checker<'_, '_> {
    /// `word` is where it says `repeat`.
    pub(super) fn repeat(&mut self, word: Span, written: &ast::Repeat) -> Option<StepKind> {
        let ast::Repeat { name, range, schedule, from, until, missed, steps } = written;
        let bounds = self.rounds_of(range);
        let clock = schedule.as_ref().and_then(|schedule| self.schedule(schedule));
        self.only_on_a_clock(schedule.is_some(), from.as_ref(), *missed, word);
        let from = from.as_ref().and_then(|from| self.anchor(from)).unwrap_or(Anchor::Entered);
        let slot = self.number_of_round(*name, word)?;
        self.time_passes();
        let base = self.flow();
        let until = until.as_ref().map(|until| self.condition(until));
        self.assigned.insert(slot);
        self.rounds.push(slot);
        let steps = self.steps(steps);
        self.rounds.pop();
        // Behind the last round nothing holds but what held before the first.
        self.set_flow(base);
        self.assigned.remove(&slot);
        let (first, last, numbers) = bounds?;
        let missed_all = missed.map(|missed| missed == Missed::All);
        Some(StepKind::Repeat(Box::new(Repeat {
            slot,
            first,
            last,
            numbers,
            schedule: clock,
            from,
            until,
            missed_all,
            steps,
        })))
    }

    /// The slot of the round's number, which is no other one's.
    fn number_of_round(&mut self, name: Option<Ident>, word: Span) -> Option<u16> {
        let Some(name) = name else {
            let hidden = Name::new(&format!("round#{}", self.locals.len()));
            return self.new_slot(Ident { name: hidden, span: word }, Type::Int, None);
        };
        let slot = self.slot(name, &Type::Int, None)?;
        if self.rounds.contains(&slot) || self.assigned.contains(&slot) {
            let headline = format!("`{}` already holds another number", name.name);
            let finding = Diagnostic::new(code::SHADOWS, name.span, headline).label("would hide it");
            self.report(finding.help("give the number of this `repeat` another name"));
            return None;
        }
        Some(slot)
    }

    fn only_on_a_clock(
        &mut self,
        clock: bool,
        from: Option<&ast::Anchor>,
        missed: Option<Missed>,
        word: Span,
    ) {
        let (what, span) = match (from, missed) {
            _ if clock => return,
            (Some(from), _) => ("from", from.span),
            (None, Some(_)) => ("missed", word),
            (None, None) => return,
        };
        let headline = format!("`{what}` is for a `repeat` on a clock, and this one has none");
        let finding = Diagnostic::new(code::REPEAT, span, headline).label("no clock");
        self.report(finding.help(format!("write `every …` behind the range, or leave `{what}` out")));
    }

    /// `1..4`, `1..rounds` with a parameter whose range is known.
    fn rounds_of(&mut self, range: &ast::Expr) -> Option<(Expr, Expr, (i64, i64))> {
        let ExprKind::Binary { op: BinaryOp::Range, left, right, .. } = &range.kind else {
            if !matches!(range.kind, ExprKind::Error) {
                self.unbounded(range.span, "this does not say from where to where", "write a range: `1..4`");
            }
            return None;
        };
        let (first, last) = (self.end_of_range(left), self.end_of_range(right));
        let (first, last) = (first?, last?);
        if first.least > last.most {
            self.unbounded(range.span, "this range is empty", "write the smaller number first");
            return None;
        }
        if last.most.saturating_sub(first.least) >= MOST_ROUNDS {
            let headline = format!("this repeats more than {MOST_ROUNDS} times");
            self.unbounded(range.span, &headline, "hand over with `start` for what goes on for so long");
            return None;
        }
        Some((first.expr, last.expr, (first.least, last.most)))
    }

    fn end_of_range(&mut self, written: &ast::Expr) -> Option<End> {
        let typed = self.expr(written, Some(&Type::Int));
        if typed.ty == Type::Error {
            return None;
        }
        let expr = self.coerce(written, typed, &Type::Int);
        match &expr {
            Expr::Const(Value::Int(number)) => {
                let number = *number;
                Some(End { expr, least: number, most: number })
            }
            Expr::Const(_) => None,
            Expr::Param(name) if self.bounds_of(*name).is_some() => {
                let (least, most) = self.bounds_of(*name)?;
                Some(End { expr, least, most })
            }
            _ => {
                self.unbounded(
                    written.span,
                    "how often this repeats must be known from the text",
                    "write a number, or a parameter with a range: `param rounds : Int = 3 in 1..5`",
                );
                None
            }
        }
    }

    /// What a whole-number parameter can be.
    fn bounds_of(&self, param: Name) -> Option<(i64, i64)> {
        self.param_bounds.iter().find(|(name, _)| *name == param).map(|(_, bounds)| *bounds)
    }

    fn unbounded(&mut self, span: Span, headline: &str, help: &str) {
        let finding = Diagnostic::new(code::REPEAT, span, headline).label("not a bounded range");
        self.report(finding.help(help));
    }
}
