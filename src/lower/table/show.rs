//! `show`.

use super::Table;
use crate::model::show;
use crate::program::{NodeId, NodeKind, Show, ShowEnd, ShowOutcome};

impl Table<'_> {
    pub(super) fn show(&mut self, show: &show::Show, next: NodeId) -> Option<NodeKind> {
        let mut outcomes: Vec<(ShowOutcome, NodeId)> = Vec::new();
        for (named, body) in &show.tail.arms {
            let to = self.arm(body, next)?;
            outcomes.extend(named.iter().map(|&outcome| (outcome, to)));
        }
        let otherwise = match &show.tail.otherwise {
            Some(body) => self.arm(body, next)?,
            None => next,
        };
        let end = show.end.as_ref().map(|end| match end {
            ShowEnd::Keep(length) => ShowEnd::Keep(*length),
            ShowEnd::Until(moment) => ShowEnd::Until(self.expr(moment)),
        });
        Some(NodeKind::Show(Box::new(Show {
            content: self.call(&show.content),
            slots: show.slots.clone(),
            rank: show.rank.as_ref().map(|rank| self.expr(rank)),
            caps: show.caps.clone(),
            end,
            outcomes,
            otherwise,
            next,
        })))
    }
}
