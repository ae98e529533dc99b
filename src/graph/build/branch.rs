//! `if` and `match`.

use super::super::{Delay, Edge, EdgeKind, PointKind, words};
use super::{Builder, Loose};
use crate::expr::{Expr, show};
use crate::model::journey::{Case, Step};
use crate::name::Name;

impl Builder<'_> {
    pub(super) fn decide(
        &mut self,
        step: &Step,
        arms: &[(Expr, Vec<Step>)],
        otherwise: &[Step],
        loose: Loose,
    ) -> Loose {
        let text = self.say(|names| match arms {
            [(only, _)] => format!("if {}", show::expr(only, names)),
            _ => "if".to_owned(),
        });
        let point = self.reached(step, PointKind::Decision, text, loose);
        let mut behind = Vec::new();
        for (at, (condition, body)) in arms.iter().enumerate() {
            let text = self.say(|names| match arms.len() {
                1 => "yes".to_owned(),
                _ => show::expr(condition, names),
            });
            behind.extend(self.arm(body, point, branch(text, at)));
        }
        let text = self.say(|_| if arms.len() == 1 { "no" } else { "else" }.to_owned());
        behind.extend(self.arm(otherwise, point, branch(text, arms.len())));
        behind
    }

    /// Without `else`, `match` was checked to be exhaustive.
    pub(super) fn select(
        &mut self,
        step: &Step,
        subjects: &[Expr],
        cases: &[Case],
        otherwise: Option<&[Step]>,
        loose: Loose,
    ) -> Loose {
        let text = self.say(|names| {
            let subjects: Vec<String> = subjects.iter().map(|subject| show::expr(subject, names)).collect();
            format!("match {}", subjects.join(", "))
        });
        let point = self.reached(step, PointKind::Decision, text, loose);
        let mut behind = Vec::new();
        for (at, case) in cases.iter().enumerate() {
            let text =
                self.say(|names| words::rule(case, names).unwrap_or_else(|| words::case(&case.tests, names)));
            behind.extend(self.arm(&case.body, point, branch(text, at)));
        }
        if let Some(body) = otherwise {
            let text = self.say(|_| "else".to_owned());
            behind.extend(self.arm(body, point, branch(text, cases.len())));
        }
        behind
    }
}

impl Builder<'_> {
    /// One way for each arm, and one past it where not all take part.
    pub(super) fn split(
        &mut self,
        step: &Step,
        experiment: Name,
        arms: &[(Name, u16, Vec<Step>)],
        loose: Loose,
    ) -> Loose {
        let text = self.say(|_| format!("split {experiment}"));
        let point = self.reached(step, PointKind::Split, text, loose);
        let mut behind = Vec::new();
        for (at, (name, _, body)) in arms.iter().enumerate() {
            let text = self.say(|_| format!("arm {name}"));
            behind.extend(self.arm(body, point, branch(text, at)));
        }
        if arms.last().is_none_or(|(_, last, _)| *last < 10_000) {
            behind.push((point, branch(self.say(|_| "takes no part".to_owned()), arms.len())));
        }
        behind
    }
}

fn branch(text: String, arm: usize) -> Edge {
    Edge::new(EdgeKind::Branch, text, Delay::NONE).arm(arm)
}
