//! Experiments: arms or factors whose shares add up, and a rule for the winner that can be applied.

use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;

use super::expr::{Checker, Place};
use super::world::{Declared, Kind, Sink, World};
use super::{length, schema, types};
use crate::diagnostic::{Diagnostic, code, suggest};
use crate::expr::Expr;
use crate::model::Experiment;
use crate::name::Name;
use crate::program::Winner;
use crate::syntax::ast::{self, ClauseKind, DeclKind, ExperimentItem, WinnerItem};
use crate::text::Span;
use crate::value::{Type, Value};

/// Subjects fall into this many cells; a share is a number of them.
const CELLS: u16 = 10_000;
/// Where nothing was decided, everybody goes on as by chance.
const KEEP_MIX: &str = "keep_mix";

/// Checks all of them into the model.
pub(super) fn experiments(world: &mut World, sink: &mut Sink) {
    let all: Vec<Declared> = world.due.iter().filter(|one| one.kind == Kind::Experiment).copied().collect();
    for declared in all {
        if let Some(experiment) = sink.about(&declared, |sink| one(world, &declared, sink)) {
            world.model.experiments.insert(declared.name, experiment);
        }
    }
}

fn one(world: &World, declared: &Declared, sink: &mut Sink) -> Option<Experiment> {
    let DeclKind::Experiment(written_items) = &declared.decl.kind else { return None };
    let subject = schema::subject(world, declared, sink)?;
    let mut checker = Checker::new(world, declared.file, Place::Derived, Some(subject));
    let mut written: Vec<(ast::Ident, Option<std::sync::Arc<str>>, u16)> = Vec::new();
    let mut factors: Vec<(Name, Vec<Name>)> = Vec::new();
    let mut allocate = CELLS;
    let mut winner = None;
    let mut broken = false;
    for item in written_items {
        match item {
            ExperimentItem::Arm { name, label, share } => {
                if written.iter().any(|(arm, ..)| arm.name == name.name) {
                    checker.report(types::twice(*name));
                }
                let cells = checker.share(share);
                broken |= cells.is_none();
                written.push((
                    *name,
                    label.as_ref().map(|label| label.value.clone()),
                    cells.unwrap_or_default(),
                ));
            }
            ExperimentItem::Factor { name, levels, .. } => {
                if levels.len() < 2 {
                    let headline = format!("factor `{}` has nothing to compare", name.name);
                    let help = "write at least two levels: `{ warm; plain }`";
                    checker.wrong(name.span, headline, "fewer than two levels", help);
                }
                factors.push((name.name, levels.iter().map(|level| level.name.name).collect()));
            }
            ExperimentItem::Design(word) if !matches!(word.name.as_str(), "full" | "fractional") => {
                let headline = format!("`{}` is no design", word.name);
                checker.wrong(word.span, headline, "not known", "write `design full` or `design fractional`");
            }
            ExperimentItem::Allocate(share) => allocate = checker.share(share).unwrap_or(CELLS),
            ExperimentItem::Winner { goal, items } => winner = checker.winner(goal, items, &written),
            ExperimentItem::Design(_) => {}
            ExperimentItem::Error(_) => broken = true,
        }
    }
    if !broken {
        checker.adds_up(declared, &written, &factors);
    }
    sink.findings.append(&mut checker.sink.findings);
    sink.used_too(std::mem::take(&mut checker.sink.used));
    Some(Experiment {
        name: declared.name,
        label: schema::label(declared.decl),
        subject,
        arms: cells(written, allocate),
        factors,
        allocate,
        winner,
        span: declared.span,
    })
}

/// The cell behind the last of each arm: the allocated ones in the order written.
fn cells(
    written: Vec<(ast::Ident, Option<std::sync::Arc<str>>, u16)>,
    allocate: u16,
) -> Vec<(Name, Option<std::sync::Arc<str>>, u16)> {
    let mut before: u32 = 0;
    let mut arms = Vec::new();
    for (name, label, share) in written {
        before += u32::from(share);
        let behind = before.min(u32::from(CELLS)) * u32::from(allocate) / u32::from(CELLS);
        arms.push((name.name, label, u16::try_from(behind).unwrap_or(CELLS)));
    }
    arms
}

impl Checker<'_, '_> {
    fn wrong(&mut self, span: Span, headline: String, label: &str, help: &str) {
        self.report(Diagnostic::new(code::EXPERIMENT, span, headline).label(label).help(help));
    }

    /// A percentage as a number of cells.
    pub(super) fn share(&mut self, written: &ast::Expr) -> Option<u16> {
        let typed = self.expr(written, Some(&Type::Percent));
        if typed.ty == Type::Error {
            return None;
        }
        let value = self.coerce(written, typed, &Type::Percent);
        let Expr::Const(Value::Percent(share)) = value else { return None };
        let cells = share * Decimal::from(CELLS);
        if cells.fract().is_zero() && cells > Decimal::ZERO && cells <= Decimal::from(CELLS) {
            return cells.to_u16();
        }
        let headline = "a share is between 0.01% and 100%, in steps of 0.01%".to_owned();
        self.wrong(written.span, headline, "not such a share", "write for example `5%` or `0.5%`");
        None
    }

    fn adds_up(
        &mut self,
        declared: &Declared,
        arms: &[(ast::Ident, Option<std::sync::Arc<str>>, u16)],
        factors: &[(Name, Vec<Name>)],
    ) {
        let name = declared.name;
        match (arms, factors) {
            ([], []) => {
                let headline = format!("experiment `{name}` compares nothing");
                let help = "write arms, `arm short 50%; arm story 50%`, or factors";
                self.wrong(declared.span, headline, "neither arms nor factors", help);
            }
            ([_, ..], [_, ..]) => {
                let headline = format!("experiment `{name}` has arms and factors");
                self.wrong(declared.span, headline, "one or the other", "make two experiments of it");
            }
            ([], _) => {}
            (arms, _) => {
                let sum: u32 = arms.iter().map(|(.., share)| u32::from(*share)).sum();
                if sum != u32::from(CELLS) {
                    let whole = Decimal::new(i64::from(sum), 2).normalize();
                    let headline = format!("the arms of `{name}` make {whole}%, not 100%");
                    let help = "let the shares add up; how many take part at all is said by `allocate 20%`";
                    self.wrong(declared.span, headline, "does not add up", help);
                }
            }
        }
    }

    fn winner(
        &mut self,
        goal: &ast::Path,
        items: &[WinnerItem],
        arms: &[(ast::Ident, Option<std::sync::Arc<str>>, u16)],
    ) -> Option<Winner> {
        self.goal_of_some_journey(goal);
        let (mut confidence, mut least, mut by, mut undecided) = (None, None, None, None);
        let mut broken = false;
        for item in items {
            match item {
                WinnerItem::Confidence(share) => confidence = Some(self.confidence(share)),
                WinnerItem::Least(count) => least = Some(self.least(count)),
                WinnerItem::By { after, from } => {
                    by = Some(length::positive(*after, &mut self.sink));
                    if from.name.as_str() != "open" {
                        let headline = format!("`{}` is no instant of an experiment", from.name);
                        self.wrong(from.span, headline, "not known", "write `by 14 days after open`");
                    }
                }
                WinnerItem::Undecided(word) => {
                    let arm = arms.iter().find(|(arm, ..)| arm.name == word.name);
                    if arm.is_none() && word.name.as_str() != KEEP_MIX {
                        let headline = format!("`{}` is no arm", word.name);
                        let help = "write `keep_mix`, or the name of an arm";
                        self.wrong(word.span, headline, "what then?", help);
                    }
                    undecided = Some(arm.map(|(arm, ..)| arm.name));
                }
                WinnerItem::Error(_) => broken = true,
            }
        }
        let said = [
            (confidence.is_some(), "`confidence 95%`"),
            (least.is_some(), "`least 2_000`"),
            (by.is_some(), "`by 14 days after open`"),
            (undecided.is_some(), "`undecided keep_mix`"),
        ];
        let lacking: Vec<&str> = said.iter().filter(|(said, _)| !said).map(|(_, item)| *item).collect();
        if !lacking.is_empty() && !broken {
            let headline = format!("`winner {}` does not say everything that it is decided by", goal.text());
            let finding = Diagnostic::new(code::EXPERIMENT, goal.span, headline).label("not complete");
            self.report(finding.help(format!("write {} as well", lacking.join(" and "))));
        }
        let last = goal.parts.last()?;
        Some(Winner {
            goal: last.name,
            confidence: confidence??,
            least: least??,
            by: by?,
            undecided: undecided?,
        })
    }

    /// How sure one must be: some doubt is always left.
    fn confidence(&mut self, written: &ast::Expr) -> Option<u16> {
        let cells = self.share(written)?;
        if (CELLS / 2..CELLS).contains(&cells) {
            return Some(cells);
        }
        let headline = "nobody can be so sure, or so unsure".to_owned();
        self.wrong(written.span, headline, "from 50% to 99.99%", "write for example `95%`");
        None
    }

    fn least(&mut self, written: &ast::Expr) -> Option<u32> {
        match self.expect(written, &Type::Int) {
            Expr::Const(Value::Int(least)) if least > 0 => u32::try_from(least).ok(),
            Expr::Const(Value::Int(_)) => {
                let headline = "nothing can be decided by nobody".to_owned();
                self.wrong(written.span, headline, "too few", "write how many of each arm: `least 2_000`");
                None
            }
            _ => None,
        }
    }

    fn goal_of_some_journey(&mut self, goal: &ast::Path) {
        let journeys = self.world.order.iter().filter_map(|one| match &one.decl.kind {
            DeclKind::Journey(journey) => Some(journey),
            _ => None,
        });
        let goals: Vec<Name> = journeys
            .flat_map(|journey| &journey.clauses)
            .filter_map(|clause| match &clause.kind {
                ClauseKind::Goal(goal) => Some(goal.name.name),
                _ => None,
            })
            .collect();
        let Some(last) = goal.parts.last() else { return };
        if goals.contains(&last.name) {
            return;
        }
        let headline = format!("no journey has a goal `{}`", last.name);
        let help = suggest::did_you_mean(last.name.as_str(), goals.iter().map(|goal| goal.as_str()));
        let help = help.unwrap_or_else(|| "write the name behind `goal` of the journey that splits".into());
        self.report(Diagnostic::new(code::EXPERIMENT, goal.span, headline).label("no such goal").help(help));
    }
}
