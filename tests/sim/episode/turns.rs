//! Who runs when: one after the other, in an order that the seed makes.

use std::time::Duration;

use wayfare::store::Store as _;

use super::{Episode, LOOK, MOST_DELIVERIES, MOST_TURNS, Slot};
use crate::sim::process::Process;

impl Episode {
    /// What workers left for each other is taken, as far as those are there who are to take it.
    pub(super) fn deliver(&mut self) {
        for _ in 0..MOST_DELIVERIES {
            if !self.backing.tables().is_some_and(|tables| tables.has_post()) {
                return;
            }
            self.run_for(LOOK);
        }
    }

    /// All that run; of those that stand still nothing is seen.
    pub(super) fn running(&self) -> impl Iterator<Item = &Process> {
        let slots = self.slots.iter().filter(|slot| slot.paused.is_none());
        self.zombie.iter().chain(slots.filter_map(|slot| slot.process.as_ref()))
    }

    pub(super) fn is_shared(&self) -> bool {
        self.slots.len() > 1
    }

    /// Lets everybody run; those who wait for their turn have it in an order that the seed makes.
    pub(super) fn run_for(&mut self, real: Duration) {
        self.pass(real);
        if !self.is_shared() {
            return self.running().for_each(|process| process.run(real));
        }
        let mut real = real;
        for _ in 0..MOST_TURNS {
            let mut waiting: Vec<&Process> = self.running().collect();
            if real.is_zero() {
                waiting.retain(|process| process.waits_its_turn());
            }
            if waiting.is_empty() {
                return;
            }
            let mut plan = self.around.ground.plan();
            for at in (1..waiting.len()).rev() {
                waiting.swap(at, plan.chance.place(at + 1));
            }
            drop(plan);
            for process in waiting {
                process.go_on();
                process.run(real.max(Duration::from_micros(1)));
            }
            real = Duration::ZERO;
        }
    }

    /// Real time passes, also for the server; whoever is alive gives signs of it.
    fn pass(&mut self, real: Duration) {
        let ms = u64::try_from(real.as_millis()).unwrap();
        self.real += ms;
        if let Some(mut tables) = self.backing.tables() {
            tables.leases.pass(ms);
        }
        for memory in self.running().filter_map(|process| process.memory.as_ref()) {
            memory.beat_once();
        }
    }

    /// Whether nothing keeps the daemons from what is due.
    pub(super) fn is_healthy(&self) -> bool {
        let plan = self.around.ground.plan();
        let free = self.zombie.is_none() && !plan.full && !self.has_trouble() && !plan.stalls();
        let idle = |slot: &Slot| {
            let process = slot.process.as_ref().filter(|_| slot.paused.is_none());
            process.is_some_and(|process| !process.has_asked() && !process.waits_its_turn())
        };
        free && self.slots.iter().all(idle) && self.are_settled()
    }

    /// Whether those who run have all rows among them.
    fn are_settled(&self) -> bool {
        let leases: Vec<_> =
            self.running().filter_map(|process| Some(process.memory.as_ref()?.lease())).collect();
        !self.is_shared() || self.backing.tables().is_some_and(|tables| tables.leases.are_settled(&leases))
    }
}
