//! What holds at a point of a journey: named values that are set, optional values that were proved, events that came.

use std::collections::BTreeSet;

use crate::expr::{Anchor, Expr};
use crate::model::check::expr::{Checker, flow};
use crate::name::Name;

#[derive(Clone, Debug)]
pub(super) struct Flow {
    assigned: BTreeSet<u16>,
    facts: Vec<Expr>,
    occurred: Vec<(Name, Anchor)>,
    /// Behind an `end`: nothing comes here, so anything may be assumed.
    ended: bool,
}

impl Checker<'_, '_> {
    pub(super) fn flow(&self) -> Flow {
        Flow {
            assigned: self.assigned.clone(),
            facts: self.facts.clone(),
            occurred: self.occurred.clone(),
            ended: self.ended,
        }
    }

    pub(super) fn set_flow(&mut self, flow: Flow) {
        self.assigned = flow.assigned;
        self.facts = flow.facts;
        self.occurred = flow.occurred;
        self.ended = flow.ended;
    }

    /// Where several ways meet, only what all of them brought holds.
    pub(super) fn meet(&mut self, ways: Vec<Flow>) {
        let mut open = ways.into_iter().filter(|way| !way.ended);
        let Some(mut met) = open.next() else {
            self.ended = true;
            return;
        };
        for way in open {
            met.assigned = met.assigned.intersection(&way.assigned).copied().collect();
            met.facts = flow::meet(&met.facts, &way.facts);
            met.occurred.retain(|event| way.occurred.contains(event));
        }
        self.set_flow(met);
    }

    /// Time passes here: attributes may change, so only what the instance itself holds stays proved.
    pub(super) fn time_passes(&mut self) {
        let lasting = &self.lasting;
        self.facts.retain(|fact| flow::is_frozen(fact) || lasting.contains(fact));
    }
}
