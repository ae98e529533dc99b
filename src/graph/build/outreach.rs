//! `send` and `reach`.

use petgraph::graph::NodeIndex;

use super::super::{Delay, Edge, EdgeKind, Most, Point, PointKind, words};
use super::{Builder, Loose};
use crate::expr::{Expr, show};
use crate::model::journey::{GiveTail, Rung, Send, Step, Tail};
use crate::program::{ContentCall, Giving, LONGEST_RETRY_MS, Outcome};
use crate::value::Length;

/// The parts of a `reach` step.
pub(super) struct Reach<'a> {
    pub(super) content: &'a ContentCall,
    pub(super) prefer: Option<&'a Expr>,
    pub(super) rungs: &'a [Rung],
    pub(super) not_sent: &'a Option<Vec<Step>>,
    pub(super) otherwise: &'a [Step],
}

impl Builder<'_> {
    pub(super) fn send(&mut self, step: &Step, send: &Send, tail: &Tail, loose: Loose) -> Loose {
        let text = self.say(|names| words::send(send, names));
        let point = self.reached(step, PointKind::Send, text, loose);
        let named: Vec<Outcome> = tail.arms.iter().flat_map(|(outcomes, _)| outcomes.clone()).collect();
        let wait = receipt_delay(send, &named);
        let mut behind = Vec::new();
        for (at, (outcomes, body)) in tail.arms.iter().enumerate() {
            let receipts = outcomes.iter().all(|outcome| outcome.is_receipt());
            let delay = if receipts { Delay { instant: false, ..wait.clone() } } else { wait.clone() };
            let text = self.say(|_| words::outcomes(outcomes));
            behind.extend(self.arm(body, point, outcome(text, delay).arm(at)));
        }
        if let Some(body) = &tail.otherwise {
            let text = self.say(|_| "else".to_owned());
            behind.extend(self.arm(body, point, outcome(text, wait.clone()).arm(tail.arms.len())));
        }
        if goes_on(&named, tail.otherwise.is_some()) {
            behind.push((point, Edge { delay: wait, ..Edge::then() }.arm(tail.arms.len() + 1)));
        }
        behind
    }

    pub(super) fn give(&mut self, step: &Step, giving: &Giving, tail: &GiveTail, loose: Loose) -> Loose {
        let text = self.say(|names| words::giving(giving, names));
        let point = self.reached(step, PointKind::Give, text, loose);
        let mut behind = Vec::new();
        for (at, (outcomes, body)) in tail.arms.iter().enumerate() {
            let text = self.say(|_| {
                let names: Vec<&str> = outcomes.iter().map(|name| name.as_str()).collect();
                format!("on {}", names.join(", "))
            });
            behind.extend(self.arm(body, point, outcome(text, Delay::NONE).arm(at)));
        }
        if let Some(body) = &tail.otherwise {
            let text = self.say(|_| "else".to_owned());
            behind.extend(self.arm(body, point, outcome(text, Delay::NONE).arm(tail.arms.len())));
        }
        if tail.goes_on {
            behind.push((point, Edge::then().arm(tail.arms.len() + 1)));
        }
        behind
    }

    pub(super) fn reach(&mut self, step: &Step, reach: &Reach<'_>, loose: Loose) -> Loose {
        let text = self.say(|names| {
            let prefer = reach.prefer.map(|prefer| format!(" prefer {}", show::expr(prefer, names)));
            format!("reach {}{}", words::call(reach.content, names), prefer.unwrap_or_default())
        });
        let start = self.reached(step, PointKind::Reach, text, loose);
        let mut from = (start, Edge::then());
        let mut behind = Vec::new();
        for rung in reach.rungs {
            let point = self.rung(rung, from);
            let awaited = self.say(|names| show::patterns(&rung.awaited, names));
            let passes = tried(rung.within);
            let happened = Delay { instant: false, ..passes.clone() };
            behind.extend(self.arm(&rung.success, point, Edge::new(EdgeKind::Happened, awaited, happened)));
            let text = self.say(|_| format!("not sent, or {} passed", rung.within));
            from = (point, Edge::new(EdgeKind::Timeout, text, passes).arm(1));
        }
        let (last, mut edge) = from;
        // Whoever gets to `else` was written to at least once, and that rung waited.
        edge.delay.instant = reach.rungs.iter().any(|rung| rung.within.is_zero());
        edge.text = self.say(|_| "else".to_owned());
        behind.extend(self.arm(reach.otherwise, last, edge));
        if let Some(body) = reach.not_sent {
            let text = self.say(|_| "on not_sent".to_owned());
            behind.extend(self.arm(body, start, outcome(text, Delay::NONE).arm(1)));
        }
        behind
    }

    fn rung(&mut self, rung: &Rung, (from, edge): (NodeIndex, Edge)) -> NodeIndex {
        let text = self.say(|names| {
            let content = words::call(&rung.content, names);
            let awaited = show::patterns(&rung.awaited, names);
            format!("via {} with {content} for {awaited} within {}", rung.channel, rung.within)
        });
        let point = Point { kind: PointKind::Rung, id: rung.id, label: None, text, span: rung.span };
        let point = self.graph.add_node(point);
        self.graph.add_edge(from, point, edge);
        point
    }
}

/// How long a rung is waited for: its time, the same again while its provider does not take the message, and, where that
/// took it at the last of its tries, from then on.
fn tried(within: Length) -> Delay {
    let most = within.at_most_ms().saturating_mul(3).saturating_add(LONGEST_RETRY_MS);
    Delay { most: Most::Within(most), ..Delay::up_to(within) }
}

/// Receipts are only waited for where the tail names one.
fn receipt_delay(send: &Send, named: &[Outcome]) -> Delay {
    let mut delay = match send.receipt {
        Some(within) if named.iter().any(|outcome| outcome.is_receipt()) => Delay::up_to(within),
        _ => Delay::NONE,
    };
    if let Most::Within(ms) = &mut delay.most {
        *ms = ms.saturating_add(send.spread_ms);
    }
    delay
}

/// Whether some outcome goes on behind the send: a good one, or one that is neither named nor caught by `else`.
fn goes_on(named: &[Outcome], has_else: bool) -> bool {
    let refusals = || Outcome::ALL.into_iter().filter(|outcome| outcome.is_refusal());
    let all_refusals = refusals().all(|outcome| named.contains(&outcome));
    !named.contains(&Outcome::Sent) || !(has_else || all_refusals)
}

fn outcome(text: String, delay: Delay) -> Edge {
    Edge::new(EdgeKind::Outcome, text, delay)
}

/// The deadline of a wait as people say it.
pub(super) fn passed(length: Length) -> String {
    format!("{length} passed")
}
