//! `if` and `match`.

use crate::diagnostic::{Diagnostic, Fix, code};
use crate::expr::{BinaryOp as Op, Expr};
use crate::logic::coverage::{Columns, Coverage, Pat};
use crate::logic::{Domain, Example, Test};
use crate::model::check::expr::{Checker, flow};
use crate::model::check::words;
use crate::model::journey::{Case, StepKind};
use crate::program::CaseTest;
use crate::syntax::ast::{self, BinaryOp, Body, CasePattern, ExprKind};
use crate::text::Span;
use crate::value::{Type, Value};

impl Checker<'_, '_> {
    pub(super) fn branch(
        &mut self,
        arms: &[(ast::Expr, Vec<ast::Step>)],
        otherwise: Option<&[ast::Step]>,
    ) -> StepKind {
        let mut ways = Vec::new();
        let mut checked = Vec::new();
        for (condition, steps) in arms {
            let condition = self.condition(condition);
            let not_this = {
                let before = self.flow();
                self.facts.extend(flow::when_true(&condition));
                let steps = self.steps(steps);
                ways.push(self.flow());
                checked.push((condition, steps));
                before
            };
            self.set_flow(not_this);
            if let Some((condition, _)) = checked.last() {
                self.facts.extend(flow::when_false(condition));
            }
        }
        let otherwise = self.steps(otherwise.unwrap_or_default());
        ways.push(self.flow());
        self.meet(ways);
        StepKind::If { arms: checked, otherwise }
    }

    pub(super) fn matched(
        &mut self,
        word: Span,
        subjects: &[ast::Expr],
        cases: &[ast::Case],
        otherwise: Option<&Body>,
    ) -> StepKind {
        let mut exprs = Vec::new();
        let mut types = Vec::new();
        for subject in subjects {
            let value = self.expr(subject, None);
            let value = self.present(subject, value);
            exprs.push(value.expr);
            types.push(value.ty);
        }
        let base = self.flow();
        let mut ways = Vec::new();
        let mut checked: Vec<Case> = Vec::new();
        for case in cases {
            let tests = self.tests_of_case(case, &types);
            self.set_flow(base.clone());
            let body = self.body(&case.body);
            ways.push(self.flow());
            checked.push(Case { tests, body, span: case_span(case) });
        }
        let (columns, coverage) = self.coverage(&types, &checked);
        let exhaustive = matches!(coverage, Coverage::Full) || checked.iter().any(is_unread);
        if otherwise.is_none() && !exhaustive {
            let last = cases.last().map(|case| super::waits::end_of(&case.body));
            let lacks = match &coverage {
                Coverage::Lacks(example) => Some(example),
                Coverage::Full | Coverage::Unknown => None,
            };
            self.not_exhaustive((word, last), subjects, &columns, lacks);
        }
        self.set_flow(base);
        let otherwise = otherwise.map(|body| self.body(body));
        if otherwise.is_some() || !exhaustive {
            ways.push(self.flow());
        }
        self.meet(ways);
        StepKind::Match { subjects: exprs, cases: checked, otherwise }
    }

    fn tests_of_case(&mut self, case: &ast::Case, types: &[Type]) -> Vec<CaseTest> {
        if case.patterns.len() != types.len() {
            let headline =
                format!("{} are matched, and this row tests {}", values(types.len()), case.patterns.len());
            let finding = Diagnostic::new(code::MATCH_ROW, case_span(case), headline);
            self.report(finding.label("another number").help("write one pattern for each, `_` for any"));
        }
        let tests = case.patterns.iter().zip(types);
        tests.map(|(pattern, ty)| self.case_test(pattern, ty)).collect()
    }

    pub(in crate::model::check) fn case_test(&mut self, pattern: &CasePattern, ty: &Type) -> CaseTest {
        match pattern {
            CasePattern::Any(_) => CaseTest::Any,
            CasePattern::Compare { op, value } => {
                let expr = self.expect(value, ty);
                self.compared(*op, value, expr, ty)
            }
            CasePattern::OneOf(values) => {
                CaseTest::OneOf(values.iter().map(|value| self.case_value(value, ty)).collect())
            }
        }
    }

    fn case_value(&mut self, value: &ast::Expr, ty: &Type) -> Expr {
        let range = matches!(value.kind, ExprKind::Binary { op: BinaryOp::Range, .. });
        let want = if range && *ty != Type::Error { Type::Range(Box::new(ty.clone())) } else { ty.clone() };
        if *ty == Type::Error {
            // Its cases cannot be known; the subject has been reported.
            return Expr::Const(Value::Missing);
        }
        self.expect(value, &want)
    }

    /// A choice is ordered as declared, so `>= gold` is the list of cases from there on.
    fn compared(&mut self, op: BinaryOp, written: &ast::Expr, value: Expr, ty: &Type) -> CaseTest {
        let op = match op {
            BinaryOp::Less => Op::Less,
            BinaryOp::LessEq => Op::LessEq,
            BinaryOp::Greater => Op::Greater,
            _ => Op::GreaterEq,
        };
        match ty {
            Type::Choice(_) => {
                let cases = words::cases(&self.world.model, ty);
                let Expr::Const(Value::Choice(limit)) = &value else { return CaseTest::Any };
                let at = cases.iter().position(|case| case == limit).unwrap_or_default();
                let keep = |index: usize| match op {
                    Op::Less => index < at,
                    Op::LessEq => index <= at,
                    Op::Greater => index > at,
                    _ => index >= at,
                };
                let kept = cases.iter().enumerate().filter(|(index, _)| keep(*index));
                CaseTest::OneOf(kept.map(|(_, case)| Expr::Const(Value::Choice(*case))).collect())
            }
            Type::Int
            | Type::Decimal
            | Type::Percent
            | Type::Money(_)
            | Type::Date
            | Type::Time
            | Type::Moment
            | Type::Duration
            | Type::Error => CaseTest::Compare(op, value),
            other => {
                let finding = Diagnostic::new(
                    code::NO_ORDER,
                    written.span,
                    format!("{} has no order", words::of_type(other)),
                );
                self.report(finding.label("cannot be more or less").help("write the value itself"));
                CaseTest::Any
            }
        }
    }

    /// Whether the rows name every combination of values.
    fn coverage(&self, types: &[Type], cases: &[Case]) -> (Columns, Coverage) {
        let domain = |ty: &Type| Domain::of(ty, || Some(words::cases(&self.world.model, ty)));
        let columns = Columns::new(types.iter().map(|ty| domain(ty).unwrap_or(Domain::Open)));
        if types.contains(&Type::Error) {
            return (columns, Coverage::Full);
        }
        let rows: Vec<Vec<Pat>> = cases.iter().map(|case| case.tests.iter().map(pat).collect()).collect();
        let coverage = columns.exhaustive(&rows);
        (columns, coverage)
    }

    fn not_exhaustive(
        &mut self,
        (word, last): (Span, Option<Span>),
        subjects: &[ast::Expr],
        columns: &Columns,
        lacks: Option<&Example>,
    ) {
        let headline = "some values have no row here";
        let held = subjects.iter().enumerate().filter_map(|(at, subject)| {
            let name = words::short(subject).unwrap_or_else(|| "it".to_owned());
            Some(lacks?.held(columns.var(at)?)?.words(&name))
        });
        let missing: Vec<String> = held.collect();
        let finding = if missing.is_empty() {
            Diagnostic::new(code::MATCH_ROW, word, headline).label("not all are named")
        } else {
            let label = format!("nothing is said for {}", missing.join(" with "));
            Diagnostic::new(code::MATCH_ROW, word, headline).label(label)
        };
        let finding = finding.help("write the rows that are missing, or `else continue` at the end");
        let fix = |last| Fix::suggested("add `else continue`").add_behind(last, "\nelse continue");
        self.report(match last {
            Some(last) => finding.with_fix(fix(last)),
            None => finding,
        });
    }
}

/// Whether a row holds a value that was reported: which one was meant is not known.
fn is_unread(case: &Case) -> bool {
    let missing = |expr: &Expr| matches!(expr, Expr::Const(Value::Missing));
    case.tests.iter().any(|test| matches!(test, CaseTest::OneOf(values) if values.iter().any(missing)))
}

/// What a cell takes. A value that is only known at run time may take nothing.
pub(in crate::model::check) fn pat(test: &CaseTest) -> Pat {
    let constant = |expr: &Expr| match expr {
        Expr::Const(value) => Some(value.clone()),
        _ => None,
    };
    match test {
        CaseTest::Any => Pat::Any,
        CaseTest::Compare(op, value) => {
            let test = constant(value).and_then(|value| match op {
                Op::Less => Some(Test::Less(value)),
                Op::LessEq => Some(Test::LessEq(value)),
                Op::Greater => Some(Test::Greater(value)),
                Op::GreaterEq => Some(Test::GreaterEq(value)),
                _ => None,
            });
            Pat::Tests(test.into_iter().collect())
        }
        CaseTest::OneOf(values) => {
            Pat::Tests(values.iter().filter_map(constant).map(Test::of_value).collect())
        }
    }
}

fn values(count: usize) -> String {
    if count == 1 { "one value".into() } else { format!("{count} values") }
}

fn case_span(case: &ast::Case) -> Span {
    let spans = case.patterns.iter().map(|pattern| match pattern {
        CasePattern::Any(span) => *span,
        CasePattern::Compare { value, .. } => value.span,
        CasePattern::OneOf(values) => values.first().map(|value| value.span).unwrap_or_default(),
    });
    spans.reduce(Span::to).unwrap_or_default()
}
