//! `assign`.

use super::super::{Delay, Edge, EdgeKind, Least, Most, PointKind, words};
use super::{Builder, Loose};
use crate::model::journey::Step;
use crate::model::task::{Assign, OVERDUE};
use crate::name::Name;

impl Builder<'_> {
    pub(super) fn assign(&mut self, step: &Step, assign: &Assign, loose: Loose) -> Loose {
        let text = self.say(|names| words::assign(assign, names));
        let point = self.reached(step, PointKind::Assign(assign.task), text, loose);
        if !assign.tail.waits() {
            return vec![(point, Edge::then())];
        }
        let most = assign.due.map_or(Most::Within(i64::MAX), |due| Most::Within(due.at_most_ms()));
        let delay = Delay { instant: false, least: Least::Here(0), most };
        let mut behind = Vec::new();
        let mut is_named = false;
        for (at, (results, body)) in assign.tail.arms.iter().enumerate() {
            is_named = is_named || results.iter().any(|result| result.as_str() == OVERDUE);
            let text = self.say(|_| {
                let results: Vec<&str> = results.iter().map(|result| result.as_str()).collect();
                format!("on {}", results.join(", "))
            });
            let edge = Edge::new(EdgeKind::Outcome, text, delay.clone()).arm(at);
            behind.extend(self.arm(body, point, edge));
        }
        if let Some(body) = assign.tail.otherwise.as_ref().filter(|_| !is_named) {
            let text = self.say(|_| "overdue".to_owned());
            let edge = Edge::new(EdgeKind::Timeout, text, delay.clone()).arm(assign.tail.arms.len());
            behind.extend(self.arm(body, point, edge));
        }
        if goes_on(assign) {
            behind.push((point, Edge { delay, ..Edge::then() }.arm(assign.tail.arms.len() + 1)));
        }
        behind
    }
}

/// Whether some result has no arm of its own: it is good, and goes on.
fn goes_on(assign: &Assign) -> bool {
    let named = |result: &Name| assign.tail.arms.iter().any(|(known, _)| known.contains(result));
    !assign.results.iter().all(named)
}
