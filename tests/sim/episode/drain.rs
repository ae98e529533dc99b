//! The end of a simulation: the faults are gone, everybody comes to an end, and everything can be explained.

use std::sync::Arc;
use std::time::Duration;

use jiff::SignedDuration;
use wayfare::engine::why;
use wayfare::name::Name;
use wayfare::step::RootKey;
use wayfare::step::explain::explain;

use super::{Checked, Episode};
use crate::sim::process::Process;

/// Until everybody has come to an end: rounds of the clock, with the faults gone.
const LONGEST_DRAIN: u32 = 4_000;

impl Episode {
    pub(super) fn explained(&mut self, id: &Arc<str>) {
        let Some(process) = self.running().last() else { return };
        let world = process.handle.world();
        let root = RootKey { entity: Name::new("customer"), id: Arc::clone(id) };
        let found = process.block_on(why::account(&*process.store, &world, &root));
        let mut wrong = Vec::new();
        // A read that fails by a fault is no finding.
        if let Ok(Some(account)) = found {
            if account.unreadable > 0 {
                wrong.push(format!("{id}: {} places of trace cannot be read", account.unreadable));
            }
            let silent = account.trace.iter().find(|trace| explain(trace, &world).sentence.is_empty());
            wrong.extend(silent.map(|trace| format!("{id}: nothing explains {trace:?}")));
        }
        self.around.ground.model().broken.extend(wrong);
    }

    /// The faults stop and the clock runs on, until everybody has come to an end.
    pub(super) fn drain(&mut self) -> Checked {
        self.forget_faults();
        self.around.ground.plan().full = false;
        self.release();
        self.script.faults = 0;
        self.start_all();
        if let Some(mut zombie) = self.zombie.take() {
            self.source.unsure.extend(zombie.unanswered());
        }
        if self.killed {
            self.kill();
        }
        let mut rounds = 0;
        loop {
            rounds += 1;
            self.start_all();
            self.release();
            let now = self.now();
            let mut events = self.source.planned(now);
            events.extend(self.source.again(now));
            self.send(events);
            self.settle()?;
            while !self.around.providers.lock().unwrap().open.is_empty() {
                self.answer_one();
                self.run_for(Duration::from_millis(1));
            }
            self.run_for(Duration::from_secs(6));
            self.settle()?;
            let is_over = self.around.ground.model().unfinished().next().is_none();
            let asked = |slot: &super::Slot| slot.process.as_ref().is_none_or(Process::has_asked);
            let waiting = self.slots.iter().any(asked);
            if is_over && self.source.is_done() && !waiting {
                return Ok(());
            }
            if rounds > LONGEST_DRAIN {
                let first = format!("the faults are gone, and it does not come to an end; asked: {waiting}");
                let model = self.around.ground.model();
                return Err(std::iter::once(first).chain(model.unfinished().take(20)).collect());
            }
            self.next_moment();
        }
    }

    /// On to the next moment at which something is due; at least a little, at most a few hours.
    fn next_moment(&mut self) {
        let now = self.now();
        let next = self.around.ground.model().next_due().unwrap_or(now);
        let least = now + SignedDuration::from_secs(20);
        let most = now + SignedDuration::from_hours(6);
        let to = next.clamp(least, most);
        self.say(|| format!("clock {to}"));
        self.around.clock.set(to);
    }

    pub(super) fn every_account(&mut self) -> Checked {
        let ids = self.around.ground.model().ids();
        for id in &ids {
            self.explained(id);
        }
        let chains = self.backing.tables().map(|tables| tables.wheel.audit());
        if let Some(chains) = chains {
            self.around.ground.model().chained(chains);
        }
        self.settle()
    }
}
