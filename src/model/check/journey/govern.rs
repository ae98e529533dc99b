//! What may be set and watched from outside: `param`, `rollout`, `guardrail`, `migrate`.

use std::cmp::Ordering;

use crate::diagnostic::{Diagnostic, code, suggest};
use crate::expr::{Expr, show};
use crate::model::check::expr::{Checker, Given, Typed, What};
use crate::model::check::{types, words};
use crate::model::journey::Param;
use crate::name::Name;
use crate::syntax::ast::{
    self, AdjustItem, BinaryOp, Clause, ClauseKind, DeclKind, ExprKind, MigrateRule, RolloutItem,
};
use crate::text::Span;
use crate::value::{Type, Value};

/// Shares of people that are known of every journey.
const RATES: [&str; 6] =
    ["click_rate", "complaint_rate", "failure_rate", "goal_rate", "open_rate", "unsubscribe_rate"];

impl Checker<'_, '_> {
    pub(super) fn param(&mut self, clause: &Clause, params: &mut Vec<Param>) {
        let ClauseKind::Param(written) = &clause.kind else { return };
        let ast::Tunable { name, label, ty, value, range } = &**written;
        let ty = types::resolve(self.world, &mut self.sink, self.file, ty);
        if self.is_taken(name.name) {
            let headline = format!("`{}` already means something here", name.name);
            let finding = Diagnostic::new(code::SHADOWS, name.span, headline).label("would hide it");
            self.report(finding.help("choose another name for the parameter"));
            return;
        }
        let value = self.constant(value, &ty);
        let range = range.as_ref().and_then(|range| self.range_of(range, &ty, value.as_ref()));
        if let (Type::Int, Some(Value::Int(number))) = (&ty, &value) {
            let bounds = match &range {
                Some((Value::Int(least), Value::Int(most))) => (*least, *most),
                _ => (*number, *number),
            };
            self.param_bounds.push((name.name, bounds));
        }
        let what = What::Value(Typed::new(Expr::Param(name.name), ty.clone()));
        self.given.push(Given { name: name.name, ty: ty.clone(), what });
        if let Some(value) = value {
            let label = label.as_ref().map(|label| label.value.clone());
            let (name, span) = (name.name, name.span);
            params.push(Param { name, label, ty, value, range, adjusted: Vec::new(), span });
        }
    }

    /// What each `adjust` of this journey sets, for whom.
    pub(super) fn adjust(&mut self, journey: Name, params: &mut [Param]) {
        let world = self.world;
        let own = world.adjusts.iter().filter(|(_, decl)| decl.name.is_some_and(|name| name.name == journey));
        let mut found: Vec<(usize, Name, Expr, Value)> = Vec::new();
        for (file, decl) in own {
            let (DeclKind::Adjust(items), Some(unit)) = (&decl.kind, &decl.unit) else { continue };
            let home = std::mem::replace(&mut self.file, *file);
            let belongs = self.in_unit(unit);
            for item in items {
                let AdjustItem::Set { name, value } = item else { continue };
                let Some(param) = params.iter().find(|param| param.name == name.name) else {
                    self.no_such_param(journey, *name, params);
                    continue;
                };
                let Some(set) = self.constant(value, &param.ty) else { continue };
                if let Some((least, most)) = param.range.as_ref().filter(|range| is_outside(&set, range)) {
                    let (least, most) = (show::value(least), show::value(most));
                    let headline = format!("`{}` is set outside its range {least}..{most}", name.name);
                    let finding = Diagnostic::new(code::PARAM, value.span, headline).label("not allowed");
                    self.report(
                        finding
                            .also(param.span, "the range")
                            .help("set a value in it, or ask the journey's owner to widen it"),
                    );
                    continue;
                }
                found.push((self.size_of_unit(unit), name.name, belongs.expr.clone(), set));
            }
            self.file = home;
        }
        // The most specific unit wins.
        found.sort_by_key(|(size, ..)| *size);
        for (_, name, belongs, value) in found {
            if let Some(param) = params.iter_mut().find(|param| param.name == name) {
                param.adjusted.push((belongs, value));
            }
        }
    }

    fn no_such_param(&mut self, journey: Name, name: ast::Ident, params: &[Param]) {
        let headline = format!("journey `{journey}` has no parameter `{}`", name.name);
        let known = params.iter().map(|param| param.name.as_str());
        let help = suggest::did_you_mean(name.name.as_str(), known);
        let help = help.unwrap_or_else(|| format!("write `param {} : … = …` in the journey", name.name));
        self.report(Diagnostic::new(code::PARAM, name.span, headline).label("no such parameter").help(help));
    }

    /// A value that the text says.
    fn constant(&mut self, written: &ast::Expr, ty: &Type) -> Option<Value> {
        let before = self.sink.findings.len();
        match self.expect(written, ty) {
            Expr::Const(value) if !value.is_missing() => Some(value),
            Expr::Param(_) => None,
            _ => {
                if self.sink.findings.len() == before {
                    self.no_param(
                        written.span,
                        "a parameter has a fixed value",
                        "write a value such as `3` or `100 CNY`",
                    );
                }
                None
            }
        }
    }

    fn no_param(&mut self, span: Span, headline: &str, help: &str) {
        self.report(Diagnostic::new(code::PARAM, span, headline).label("not fixed").help(help));
    }

    fn range_of(&mut self, range: &ast::Expr, ty: &Type, value: Option<&Value>) -> Option<(Value, Value)> {
        let ExprKind::Binary { op: BinaryOp::Range, left, right, .. } = &range.kind else {
            if !matches!(range.kind, ExprKind::Error) {
                self.no_param(range.span, "this is not a range", "write the least and the most: `1..5`");
            }
            return None;
        };
        let ordered = matches!(
            ty,
            Type::Int | Type::Decimal | Type::Percent | Type::Money(_) | Type::Date | Type::Time
        );
        if !ordered {
            if *ty != Type::Error {
                let headline = format!("{} has no range", words::of_type(ty));
                self.no_param(range.span, &headline, "leave `in …` out");
            }
            return None;
        }
        let (least, most) = (self.constant(left, ty), self.constant(right, ty));
        let (least, most) = (least?, most?);
        let bounds = (least, most);
        let outside = value.is_some_and(|value| is_outside(value, &bounds));
        if outside {
            self.no_param(
                range.span,
                "the value of the parameter is outside its own range",
                "widen the range",
            );
        }
        Some(bounds)
    }

    /// `click_rate > 3%`: a rate that is known of every journey, and its limit.
    pub(super) fn rate(&mut self, written: &ast::Expr) {
        let (path, limit) = match &written.kind {
            ExprKind::Binary { op, left, right, .. } => match (op, &left.kind) {
                (
                    BinaryOp::Less | BinaryOp::LessEq | BinaryOp::Greater | BinaryOp::GreaterEq,
                    ExprKind::Path(path),
                ) => (path, right),
                _ => return self.no_rate(written.span),
            },
            ExprKind::Error => return,
            _ => return self.no_rate(written.span),
        };
        self.expect(limit, &Type::Percent);
        if !RATES.contains(&path.text().as_str()) {
            let headline = format!("`{}` is not a rate that is known of every journey", path.text());
            let help = suggest::did_you_mean(&path.text(), RATES);
            let help = help.unwrap_or_else(|| format!("rates are `{}`", RATES.join("`, `")));
            self.report(Diagnostic::new(code::RATE, path.span, headline).label("not known").help(help));
        }
    }

    fn no_rate(&mut self, span: Span) {
        let headline = "a rate and its limit are wanted here";
        let finding = Diagnostic::new(code::RATE, span, headline).label("not such a limit");
        self.report(finding.help("write for example `complaint_rate < 0.1%`"));
    }

    /// Ever more people, so that those of a step are among those of the next.
    pub(super) fn rollout(&mut self, shares: &[ast::Expr], items: &[RolloutItem]) {
        let mut before = 0;
        for share in shares {
            let Some(cells) = self.share(share) else { continue };
            if cells <= before {
                let headline = "a rollout only ever grows";
                let finding = Diagnostic::new(code::RATE, share.span, headline).label("not more than before");
                self.report(finding.help("write the shares in rising order: `5%, 20%, 100%`"));
            }
            before = cells;
        }
        for item in items {
            match item {
                RolloutItem::Gate(rate) => self.rate(rate),
                RolloutItem::Hold(dur) => _ = crate::model::check::length::positive(*dur, &mut self.sink),
                RolloutItem::Alert(_) | RolloutItem::Error(_) => {}
            }
        }
    }

    /// Where people are moved to must be there; where they come from is in the version they stand in.
    pub(super) fn migrate(&mut self, rules: &[MigrateRule]) {
        for rule in rules {
            let target = match rule {
                MigrateRule::Move { to, .. } => to,
                MigrateRule::Retime { step, .. } => step,
                MigrateRule::End { .. } | MigrateRule::Error(_) => continue,
            };
            let ids = self.messages.and_then(|journey| self.world.steps.get(&journey));
            let known = ids.map(super::identity::StepIds::all).unwrap_or_default();
            let text = target.text();
            let found = known.iter().any(|id| {
                id.as_str() == text
                    || id.as_str().strip_prefix(text.as_str()).is_some_and(|rest| rest.starts_with('.'))
            });
            if !found {
                let headline = format!("this version has no step `{text}`");
                let help = suggest::did_you_mean(&text, known.iter().map(|id| id.as_str()));
                let help = help.unwrap_or_else(|| "write the whole name of a step, phases in front".into());
                self.report(
                    Diagnostic::new(code::UNKNOWN_STEP, target.span, headline)
                        .label("no such step")
                        .help(help),
                );
            }
        }
    }
}

fn is_outside(value: &Value, (least, most): &(Value, Value)) -> bool {
    order(value, least).is_none_or(Ordering::is_lt) || order(value, most).is_none_or(Ordering::is_gt)
}

/// How two values of one type compare; `None` for types without an order.
fn order(left: &Value, right: &Value) -> Option<Ordering> {
    match (left, right) {
        (Value::Int(left), Value::Int(right)) => Some(left.cmp(right)),
        (Value::Decimal(left), Value::Decimal(right)) | (Value::Percent(left), Value::Percent(right)) => {
            Some(left.cmp(right))
        }
        (Value::Money(left), Value::Money(right)) => Some(left.minor.cmp(&right.minor)),
        (Value::Date(left), Value::Date(right)) => Some(left.cmp(right)),
        (Value::Time(left), Value::Time(right)) => Some(left.cmp(right)),
        _ => None,
    }
}
