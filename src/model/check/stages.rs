//! Stages: a choice whose value follows from conditions, and how far it is to the next better one.
//!
//! The first row that holds is the stage. `ranked` ones are written best first and can be compared; the others are
//! names only.

use super::expr::{Checker, Typed};
use super::world::{Declared, Sink};
use super::{schema, types, visit};
use crate::diagnostic::{Diagnostic, code};
use crate::expr::{BinaryOp, Expr, Owner};
use crate::model::Choice;
use crate::name::Name;
use crate::syntax::ast::{self, Arg, DeclKind, ExprKind, Ident, StageItem};
use crate::text::Span;
use crate::value::{Type, Value};

/// The choice that the stages are, least first where they are ranked.
pub(super) fn choice(declared: &Declared, ranked: bool, rows: &[StageItem], sink: &mut Sink) -> Choice {
    let mut cases = Vec::new();
    for row in rows {
        let (StageItem::If { name, label, .. } | StageItem::Else { name, label }) = row else { continue };
        if cases.iter().any(|(case, _)| *case == name.name) {
            sink.report(types::twice(*name));
        } else {
            cases.push((name.name, label.as_ref().map(|label| label.value.clone())));
        }
    }
    rest(declared, rows, sink);
    if ranked {
        cases.reverse();
    }
    let label = schema::label(declared.decl);
    Choice { name: declared.name, label, cases, ordered: ranked, span: declared.span }
}

/// Everybody is in some stage: the last row is the `else`.
fn rest(declared: &Declared, rows: &[StageItem], sink: &mut Sink) {
    if rows.iter().any(|row| matches!(row, StageItem::Error(_))) {
        return;
    }
    let Some(at) = rows.iter().position(|row| matches!(row, StageItem::Else { .. })) else {
        let headline = format!("who is in none of `{}` is not said", declared.name);
        let finding = Diagnostic::new(code::STAGES, declared.span, headline).label("no `else`");
        return sink.report(finding.help("write the last row as `else NAME`"));
    };
    if let Some(StageItem::If { name, .. } | StageItem::Else { name, .. }) = rows.get(at + 1) {
        let finding = Diagnostic::new(code::STAGES, name.span, format!("nobody gets to `{}`", name.name));
        sink.report(finding.label("behind the `else`").help("move it in front of the `else`"));
    }
}

pub(super) fn conditions(rows: &[StageItem]) -> Vec<&ast::Expr> {
    let found = rows.iter().filter_map(|row| match row {
        StageItem::If { condition, .. } => Some(condition),
        _ => None,
    });
    found.collect()
}

impl Checker<'_, '_> {
    /// The stage, from the first row that holds.
    pub(super) fn stages(&mut self, rows: &[StageItem]) -> Expr {
        let case = |name: &Ident| Expr::Const(Value::Choice(name.name));
        let mut found = Vec::new();
        let mut otherwise = Expr::Const(Value::Missing);
        for row in rows {
            match row {
                StageItem::If { name, condition, .. } => found.push((self.condition(condition), case(name))),
                StageItem::Else { name, .. } => otherwise = case(name),
                StageItem::Error(_) => {}
            }
        }
        Expr::Choose { rows: found, otherwise: Box::new(otherwise) }
    }

    /// `gap(membership)`: how much is missing to the next better stage; missing for those in the best.
    pub(super) fn gap(&mut self, whole: &ast::Expr, args: &[Arg]) -> Typed {
        let [Arg { value: ast::Expr { kind: ExprKind::Path(path), span }, .. }] = args else {
            self.no_gap(whole.span, "`gap` is of stages");
            return Typed::error();
        };
        let typed = self.path(path, None);
        if typed.ty == Type::Error {
            return typed;
        }
        let Some((stages, rows)) = self.ranked_rows(&typed.expr) else {
            self.no_gap(*span, &format!("`{}` is not ranked stages of this subject", path.text()));
            return Typed::error();
        };
        let Some(gap) = self.gap_of(stages, &typed.expr, &rows) else {
            self.no_gap(*span, &format!("how far it is to the next of `{stages}` cannot be measured"));
            return Typed::error();
        };
        gap
    }

    /// The name and the rows of ranked stages, best first.
    fn ranked_rows(&self, stages: &Expr) -> Option<(Name, Vec<(Expr, Expr)>)> {
        let Expr::Def(Owner::Subject, at) = stages else { return None };
        let name = *self.uses.defs.get(usize::from(*at))?;
        let declared = self.world.decls.get(&name)?;
        let DeclKind::Stages { ranked: true, .. } = declared.decl.kind else { return None };
        match &self.world.model.derived.get(&name)?.value {
            Expr::Choose { rows, .. } => Some((name, rows.clone())),
            _ => None,
        }
    }

    /// `None`: the condition of some stage is not `amount >= constant`.
    fn gap_of(&self, stages: Name, stage: &Expr, rows: &[(Expr, Expr)]) -> Option<Typed> {
        let mut ty = None;
        let mut gaps = Vec::new();
        let next = rows.iter().skip(1).map(|(_, case)| Some(case)).chain([None]);
        for ((condition, _), case) in rows.iter().zip(next) {
            let Expr::Binary(BinaryOp::GreaterEq, amount, limit) = condition else { return None };
            let has_numbers = |part: &Expr| matches!(part, Expr::Def(..) | Expr::History(_));
            let Expr::Const(value) = &**limit else { return None };
            if visit::any(amount, &has_numbers) {
                return None;
            }
            ty = Some(match value {
                Value::Money(money) => Type::Money(money.currency),
                Value::Int(_) => Type::Int,
                _ => return None,
            });
            let missing = Expr::Binary(BinaryOp::Sub, limit.clone(), amount.clone());
            let is_below = match case {
                Some(case) => is(stage, case),
                None => self.is_least(stages, stage)?,
            };
            gaps.push((is_below, missing));
        }
        let otherwise = Box::new(Expr::Const(Value::Missing));
        Some(Typed::new(Expr::Choose { rows: gaps, otherwise }, ty?.optional()))
    }

    fn is_least(&self, stages: Name, stage: &Expr) -> Option<Expr> {
        let (least, _) = self.world.model.choices.get(&stages)?.cases.first()?;
        Some(is(stage, &Expr::Const(Value::Choice(*least))))
    }

    fn no_gap(&mut self, span: Span, headline: &str) {
        self.report(
            Diagnostic::new(code::GAP, span, headline)
                .label("no gap")
                .help("give it `stages … ranked` whose rows are all written as `aum >= 50_000 CNY`"),
        );
    }
}

fn is(stage: &Expr, case: &Expr) -> Expr {
    Expr::Binary(BinaryOp::Is, Box::new(stage.clone()), Box::new(case.clone()))
}
