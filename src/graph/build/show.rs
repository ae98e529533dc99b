//! `show` and `hide`.

use super::super::{Delay, Edge, EdgeKind, PointKind, words};
use super::{Builder, Loose};
use crate::model::journey::Step;
use crate::model::show::Show;

impl Builder<'_> {
    /// What becomes of it is known at once.
    pub(super) fn show(&mut self, step: &Step, show: &Show, loose: Loose) -> Loose {
        let point = self.reached(step, PointKind::Show, words::show(show, self.journey), loose);
        let mut behind = Vec::new();
        for (outcomes, body) in &show.tail.arms {
            let names: Vec<&str> = outcomes.iter().map(|outcome| outcome.as_str()).collect();
            let edge = Edge::new(EdgeKind::Outcome, format!("on {}", names.join(", ")), Delay::NONE);
            behind.extend(self.arm(body, point, edge));
        }
        if let Some(body) = &show.tail.otherwise {
            behind.extend(self.arm(body, point, Edge::new(EdgeKind::Outcome, "else", Delay::NONE)));
        }
        if show.tail.goes_on() {
            behind.push((point, Edge::then()));
        }
        behind
    }
}
