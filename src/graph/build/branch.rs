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
        let names = self.journey;
        let text = match arms {
            [(only, _)] => format!("if {}", show::expr(only, names)),
            _ => "if".to_owned(),
        };
        let point = self.reached(step, PointKind::Decision, text, loose);
        let mut behind = Vec::new();
        for (condition, body) in arms {
            let text = if arms.len() == 1 { "yes".to_owned() } else { show::expr(condition, names) };
            behind.extend(self.arm(body, point, branch(text)));
        }
        let text = if arms.len() == 1 { "no" } else { "else" };
        behind.extend(self.arm(otherwise, point, branch(text)));
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
        let names = self.journey;
        let subjects: Vec<String> = subjects.iter().map(|subject| show::expr(subject, names)).collect();
        let point = self.reached(step, PointKind::Decision, format!("match {}", subjects.join(", ")), loose);
        let mut behind = Vec::new();
        for case in cases {
            let text = words::rule(case, names).unwrap_or_else(|| words::case(&case.tests, names));
            behind.extend(self.arm(&case.body, point, branch(text)));
        }
        if let Some(body) = otherwise {
            behind.extend(self.arm(body, point, branch("else")));
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
        let point = self.reached(step, PointKind::Split, format!("split {experiment}"), loose);
        let mut behind = Vec::new();
        for (name, _, body) in arms {
            behind.extend(self.arm(body, point, branch(format!("arm {name}"))));
        }
        if arms.last().is_none_or(|(_, last, _)| *last < 10_000) {
            behind.push((point, branch("takes no part")));
        }
        behind
    }
}

fn branch(text: impl Into<String>) -> Edge {
    Edge::new(EdgeKind::Branch, text, Delay::NONE)
}
