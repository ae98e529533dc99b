//! `show`: a content that stands in slots.

use super::journey::Step;
use crate::expr::Expr;
use crate::program::{ContentCall, ShowEnd, ShowOutcome, SightCap, Slot};

#[derive(Clone, Debug)]
pub struct Show {
    pub content: ContentCall,
    /// In the order written.
    pub slots: Vec<Slot>,
    pub rank: Option<Expr>,
    pub caps: Vec<SightCap>,
    /// `None`: as long as the content is open.
    pub end: Option<ShowEnd>,
    pub tail: ShowTail,
}

#[derive(Clone, Debug, Default)]
pub struct ShowTail {
    pub arms: Vec<(Vec<ShowOutcome>, Vec<Step>)>,
    /// `else`: whatever is neither named nor good.
    pub otherwise: Option<Vec<Step>>,
}

impl Show {
    /// Whether some outcome goes on behind the step: the good one, or one that is neither named nor caught by `else`.
    #[must_use]
    pub fn goes_on(&self) -> bool {
        let is_named =
            |outcome: &ShowOutcome| self.tail.arms.iter().any(|(named, _)| named.contains(outcome));
        // Only what may be seen so often in all is ever `capped`.
        let may_be_capped = self.caps.iter().any(|cap| cap.within.is_none());
        let can_be = |outcome: &ShowOutcome| may_be_capped || *outcome != ShowOutcome::Capped;
        let mut unnamed = ShowOutcome::ALL.iter().filter(|outcome| !is_named(outcome) && can_be(outcome));
        unnamed.any(|outcome| *outcome == ShowOutcome::Placed || self.tail.otherwise.is_none())
    }
}
