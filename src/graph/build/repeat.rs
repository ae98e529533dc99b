//! `repeat`: a place where each round begins, and how long all of them can take.

use super::super::{Delay, Edge, EdgeKind, Least, Most, PointKind, longest, words};
use super::{Builder, Loose, Telling, with_steps};
use crate::graph::rounds;
use crate::model::journey::{Repeat, Step};

impl Builder<'_> {
    pub(super) fn repeat(&mut self, step: &Step, repeat: &Repeat, loose: Loose) -> Loose {
        let text = self.say(|names| words::repeat(repeat, names));
        let head = self.reached(step, PointKind::Repeat, text, loose);
        let clock = repeat.schedule.is_some();
        let tick = repeat.schedule.as_ref().map_or(0, |schedule| rounds::most_ms(&schedule.every));
        let begin = Delay { instant: !clock, least: Least::Here(0), most: Most::Within(tick) };
        let text = self.say(|_| "each round".to_owned());
        let behind = self.arm(&repeat.steps, head, Edge::new(EdgeKind::Branch, text, begin));
        for (from, mut edge) in behind {
            // Rounds are counted, so going back is no endless way, even where it takes no time.
            edge.kind = EdgeKind::Again;
            edge.delay.instant = false;
            if edge.text.is_empty() {
                edge.text = self.say(|_| "next round".to_owned());
            }
            self.graph.add_edge(from, head, edge);
        }
        let round = with_steps(self.journey, &repeat.steps, Telling::Nothing);
        let body = longest(&round).ms.unwrap_or_default();
        let whole = rounds::all_ms(repeat, body);
        let instant = !clock || repeat.until.is_some();
        let over = Delay { instant, least: Least::Here(0), most: Most::Within(whole) };
        vec![(head, Edge::new(EdgeKind::Then, self.say(|_| "no more rounds".to_owned()), over).arm(1))]
    }
}
