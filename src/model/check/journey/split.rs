//! `split`: all arms of the experiment, each once.

use crate::diagnostic::{Diagnostic, code, suggest};
use crate::model::check::expr::Checker;
use crate::model::check::world::Kind;
use crate::model::journey::{Step, StepKind};
use crate::name::Name;
use crate::syntax::ast::{Arm, Path};

impl Checker<'_, '_> {
    pub(super) fn split(&mut self, path: &Path, arms: &[Arm]) -> Option<StepKind> {
        let declared = self.world.expect_path(&mut self.sink, self.file, path, Kind::Experiment)?;
        let world = self.world;
        let experiment = world.model.experiments.get(&declared.name)?;
        if self.owner_of(experiment.subject).is_none() {
            let of = experiment.subject;
            let headline = format!("experiment `{}` is of `{of}`", declared.name);
            let finding =
                Diagnostic::new(code::OTHER_SUBJECT, path.span, headline).label("another kind of subject");
            self.report(
                finding.also(declared.span, "declared here").help("declare one of this journey's subject"),
            );
        }
        if experiment.arms.is_empty() {
            let headline = format!("`{}` has no arms to split into", declared.name);
            let finding = Diagnostic::new(code::ARMS, path.span, headline).label("factors, not arms");
            self.report(
                finding
                    .also(declared.span, "declared here")
                    .help("factors vary parts of a content; for a split write `arm …`"),
            );
            return None;
        }
        let base = self.flow();
        let mut ways = Vec::new();
        let mut checked: Vec<(Name, Vec<Step>)> = Vec::new();
        for arm in arms {
            self.set_flow(base.clone());
            let steps = self.steps(&arm.steps);
            ways.push(self.flow());
            if self.is_arm(arm, experiment, &checked) {
                checked.push((arm.name.name, steps));
            }
        }
        // Who takes no part goes on behind the split.
        let everybody = experiment.arms.last().is_some_and(|(.., behind)| *behind >= 10_000);
        if !everybody {
            ways.push(base);
        }
        self.meet(ways);
        self.all_arms(path, experiment, &checked);
        let in_order = experiment.arms.iter().filter_map(|(name, _, behind)| {
            let at = checked.iter().position(|(arm, _)| arm == name)?;
            Some((*name, *behind, std::mem::take(&mut checked.get_mut(at)?.1)))
        });
        let winner = experiment.winner.clone().map(Box::new);
        Some(StepKind::Split { experiment: declared.name, arms: in_order.collect(), winner })
    }

    fn is_arm(
        &mut self,
        arm: &Arm,
        experiment: &crate::model::Experiment,
        before: &[(Name, Vec<Step>)],
    ) -> bool {
        let name = arm.name;
        if before.iter().any(|(known, _)| *known == name.name) {
            let headline = format!("arm `{}` is there twice", name.name);
            self.report(
                Diagnostic::new(code::ARMS, name.span, headline)
                    .label("again here")
                    .help("take one of them out"),
            );
            return false;
        }
        let known = experiment.arms.iter().any(|(known, ..)| *known == name.name);
        if !known {
            let headline = format!("experiment `{}` has no arm `{}`", experiment.name, name.name);
            let among = experiment.arms.iter().map(|(arm, ..)| arm.as_str());
            let help = suggest::did_you_mean(name.name.as_str(), among);
            let finding = Diagnostic::new(code::ARMS, name.span, headline).label("not an arm");
            self.report(
                finding
                    .also(experiment.span, "declared here")
                    .help(help.unwrap_or_else(|| format!("write `arm {} 50%` in the experiment", name.name))),
            );
        }
        known
    }

    fn all_arms(&mut self, path: &Path, experiment: &crate::model::Experiment, found: &[(Name, Vec<Step>)]) {
        let absent = experiment.arms.iter().filter(|(arm, ..)| found.iter().all(|(known, _)| known != arm));
        let absent: Vec<String> = absent.map(|(arm, ..)| format!("`arm {arm}`")).collect();
        if !absent.is_empty() {
            let headline = format!("this split leaves out {}", absent.join(" and "));
            let finding = Diagnostic::new(code::ARMS, path.span, headline).label("not all arms are here");
            self.report(
                finding
                    .also(experiment.span, "declared here")
                    .help("write every arm, with `{ }` for one in which nothing happens"),
            );
        }
    }
}
