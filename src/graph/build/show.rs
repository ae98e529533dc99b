//! `show` and `hide`.

use super::super::{Delay, Edge, EdgeKind, PointKind, words};
use super::{Builder, Loose};
use crate::model::journey::Step;
use crate::model::show::Show;

impl Builder<'_> {
    /// What becomes of it is known at once.
    pub(super) fn show(&mut self, step: &Step, show: &Show, loose: Loose) -> Loose {
        let text = self.say(|names| words::show(show, names));
        let point = self.reached(step, PointKind::Show, text, loose);
        let mut behind = Vec::new();
        for (at, (outcomes, body)) in show.tail.arms.iter().enumerate() {
            let text = self.say(|_| {
                let names: Vec<&str> = outcomes.iter().map(|outcome| outcome.as_str()).collect();
                format!("on {}", names.join(", "))
            });
            behind.extend(self.arm(body, point, Edge::new(EdgeKind::Outcome, text, Delay::NONE).arm(at)));
        }
        if let Some(body) = &show.tail.otherwise {
            let text = self.say(|_| "else".to_owned());
            let edge = Edge::new(EdgeKind::Outcome, text, Delay::NONE).arm(show.tail.arms.len());
            behind.extend(self.arm(body, point, edge));
        }
        if show.goes_on() {
            behind.push((point, Edge::then().arm(show.tail.arms.len() + 1)));
        }
        behind
    }
}
