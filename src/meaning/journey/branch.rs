//! `if` and `match`: of each arm, whether anybody is left for it, and who.

use super::Walk;
use super::facts::Known;
use crate::diagnostic::{Code, Diagnostic, code};
use crate::expr::{BinaryOp, Expr, show};
use crate::logic::Trust;
use crate::meaning::tell::Said;
use crate::meaning::words::sentence;
use crate::model::journey::{Case, Step, StepKind};
use crate::program::CaseTest;
use crate::text::Span;
use crate::value::Value;

/// One way of several, of which the first true one is taken.
struct Arm<'a> {
    condition: Expr,
    wording: Wording<'a>,
    span: Span,
    body: &'a [Step],
    row: bool,
}

/// What to say of an arm, as the user reads it: `if tier is gold`.
enum Wording<'a> {
    If(&'a Expr),
    ElseIf(&'a Expr),
    Case(&'a [CaseTest]),
}

impl Walk<'_> {
    fn words(&self, arm: &Arm) -> String {
        match arm.wording {
            Wording::If(condition) => format!("if {}", show::expr(condition, self.journey)),
            Wording::ElseIf(condition) => format!("else if {}", show::expr(condition, self.journey)),
            Wording::Case(tests) => format!("case {}", cells(tests, self.journey)),
        }
    }

    pub(super) fn branch(
        &mut self,
        step: &Step,
        arms: &[(Expr, Vec<Step>)],
        otherwise: &[Step],
        known: &Known,
    ) -> Option<Known> {
        let mut ways = Vec::new();
        for (at, (condition, body)) in arms.iter().enumerate() {
            let wording = if at == 0 { Wording::If(condition) } else { Wording::ElseIf(condition) };
            let span = if at == 0 { step.span } else { body.first().map_or(step.span, |first| first.span) };
            let condition = self.expand(condition);
            ways.push(Arm { condition, wording, span, body, row: false });
        }
        self.arms(&ways, Some(otherwise), known)
    }

    pub(super) fn matched(
        &mut self,
        subjects: &[Expr],
        cases: &[Case],
        otherwise: Option<&[Step]>,
        known: &Known,
    ) -> Option<Known> {
        let subjects: Vec<Expr> = subjects.iter().map(|subject| self.expand(subject)).collect();
        let ways: Vec<Arm> = cases
            .iter()
            .map(|case| {
                let condition = row(&subjects, &case.tests);
                let wording = Wording::Case(&case.tests);
                Arm { condition, wording, span: case.span, body: &case.body, row: true }
            })
            .collect();
        self.arms(&ways, otherwise, known)
    }

    fn arms(&mut self, arms: &[Arm], otherwise: Option<&[Step]>, known: &Known) -> Option<Known> {
        let mut behind: Vec<Known> = Vec::new();
        let mut rest = known.clone();
        let mut nobody_left = false;
        for (at, arm) in arms.iter().enumerate() {
            let mut taken = rest.clone();
            self.facts.learn(&mut taken, &mut self.reader, &arm.condition, Said::True, arm.span);
            let truth = self.reader.truth(&arm.condition);
            if let Some(because) = self.facts.exclude(&rest, &self.reader, &truth) {
                if self.can_hold(arm_word(arm), &arm.condition, arm.span) {
                    self.not_taken(arm, known, &because);
                }
            } else {
                let last = at + 1 == arms.len() && otherwise.is_none_or(<[Step]>::is_empty);
                let because = self.facts.exclude(&rest, &self.reader, &truth.negated());
                nobody_left = because.is_some();
                if let Some(because) = because.filter(|_| last && !arm.row) {
                    self.always(arm, at, &because);
                }
                behind.extend(self.steps(arm.body, taken));
            }
            self.facts.learn(&mut rest, &mut self.reader, &arm.condition, Said::NotTrue, arm.span);
        }
        match otherwise {
            _ if nobody_left => self.nobody_for_else(otherwise.unwrap_or_default()),
            Some(otherwise) => behind.extend(self.steps(otherwise, rest)),
            None => behind.push(rest),
        }
        behind.into_iter().reduce(|one, other| one.met(&other))
    }

    fn not_taken(&mut self, arm: &Arm, before: &Known, because: &Known) {
        let (code, headline): (Code, String) = if !arm.row {
            (code::BRANCH_NOT_TAKEN, format!("nobody takes the branch `{}`", self.words(arm)))
        } else if because.met(before) == Known::default() {
            (code::ROW_COVERED, format!("the rows above take everything of `{}`", self.words(arm)))
        } else {
            // Rows must name every value, also those that the way here excludes.
            return;
        };
        let mut finding = Diagnostic::new(code, arm.span, headline).label("nobody is left for this");
        let words = self.facts.words(because, &self.reader);
        for (span, said) in self.facts.told(because, &self.reader, arm.span) {
            finding = finding.also(span, said);
        }
        let truth = self.reader.truth(&arm.condition);
        if let Some(example) = self.reader.solve(&[&truth], Trust::Types).example() {
            let example = sentence(&self.reader, &example);
            finding = finding.note(format!(
                "for example, a `{}` with {example} has gone another way: whoever gets here has {}",
                self.journey.subject,
                words.join(" and ")
            ));
        }
        self.found.push(finding.help("remove the branch, or put it above what takes its people"));
    }

    fn always(&mut self, arm: &Arm, at: usize, because: &Known) {
        let headline = format!("`{}` is always true here", self.words(arm));
        let help = if at == 0 { "leave the `if` out" } else { "write `else` instead" };
        let mut finding = Diagnostic::new(code::ALWAYS_TRUE, arm.span, headline)
            .label("everybody goes this way")
            .help(help);
        for (span, said) in self.facts.told(because, &self.reader, arm.span) {
            finding = finding.also(span, said);
        }
        self.found.push(finding);
    }

    fn nobody_for_else(&mut self, otherwise: &[Step]) {
        let Some(first) = otherwise.first().filter(|first| !matches!(first.kind, StepKind::Continue)) else {
            return;
        };
        self.found.push(
            Diagnostic::new(code::BRANCH_NOT_TAKEN, first.span, "nobody is left for this `else`")
                .label("nobody gets here")
                .note("the conditions above it take everybody")
                .help("remove the `else`, or narrow a condition above it"),
        );
    }
}

fn arm_word(arm: &Arm) -> &'static str {
    if arm.row { "case" } else { "if" }
}

fn cells(tests: &[CaseTest], names: &dyn show::Names) -> String {
    let cells = tests.iter().map(|test| match test {
        CaseTest::Any => "_".to_owned(),
        CaseTest::Compare(op, value) => {
            let sign = match op {
                BinaryOp::Less => "<",
                BinaryOp::LessEq => "<=",
                BinaryOp::Greater => ">",
                _ => ">=",
            };
            format!("{sign} {}", show::expr(value, names))
        }
        CaseTest::OneOf(values) => {
            values.iter().map(|value| show::expr(value, names)).collect::<Vec<_>>().join(" | ")
        }
    });
    cells.collect::<Vec<_>>().join(", ")
}

/// A row as one condition.
pub(in crate::meaning) fn row(subjects: &[Expr], tests: &[CaseTest]) -> Expr {
    let cells = subjects.iter().zip(tests).filter_map(|(subject, test)| cell(subject, test));
    joined(BinaryOp::And, cells).unwrap_or(Expr::Const(Value::Bool(true)))
}

fn cell(subject: &Expr, test: &CaseTest) -> Option<Expr> {
    let compare =
        |op: BinaryOp, value: &Expr| Expr::Binary(op, Box::new(subject.clone()), Box::new(value.clone()));
    match test {
        CaseTest::Any => None,
        CaseTest::Compare(op, value) => Some(compare(*op, value)),
        CaseTest::OneOf(values) => {
            let ways = values.iter().map(|value| {
                let range = matches!(value, Expr::Range(..) | Expr::Const(Value::Range(_)));
                compare(if range { BinaryOp::In } else { BinaryOp::Is }, value)
            });
            Some(joined(BinaryOp::Or, ways).unwrap_or(Expr::Const(Value::Bool(false))))
        }
    }
}

fn joined(op: BinaryOp, parts: impl Iterator<Item = Expr>) -> Option<Expr> {
    parts.reduce(|left, right| Expr::Binary(op, Box::new(left), Box::new(right)))
}
