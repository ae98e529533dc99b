//! What goes wrong, and when.

use std::sync::atomic::Ordering;
use std::time::Duration;

use jiff::SignedDuration;
use wayfare::name::Name;
use wayfare::step::Kill;

use super::{Episode, GIVEN_UP};
use crate::sim::faults::WriteFault;

impl Episode {
    /// Something goes wrong.
    pub(super) fn fault(&mut self) {
        let write = |episode: &mut Self, fault| {
            episode.say(|| format!("the next write: {fault:?}"));
            episode.around.ground.plan().write = Some(fault);
        };
        match self.chance.below(100) {
            0..12 => write(self, WriteFault::Refused),
            12..24 => write(self, WriteFault::LostAck),
            24..32 => write(self, WriteFault::StallBefore),
            32..40 => write(self, WriteFault::StallAfter),
            40..46 => {
                let reads = u32::try_from(self.chance.below(4)).unwrap() + 1;
                self.say(|| format!("{reads} reads fail"));
                self.around.ground.plan().reads = reads;
            }
            46..52 => {
                self.say(|| "the disk is full".to_owned());
                self.around.ground.plan().full = true;
            }
            52..60 | 90..94 if self.is_shared() => self.pause(),
            52..68 => self.crash(),
            68..72 => self.leave(),
            72..78 => self.take_over(),
            78..86 => self.jump(),
            86..90 => self.kill(),
            90..94 => self.real_time(Duration::from_secs(130)),
            _ => self.burst(),
        }
    }

    fn crash(&mut self) {
        let place = self.any();
        self.say(|| format!("crash of {place}"));
        let Some(mut process) = self.slots[place].process.take() else { return };
        self.slots[place].paused = None;
        self.source.unsure.extend(process.unanswered());
        drop(process);
        self.forget_faults();
        self.around.ground.plan().happen("crash");
        let odds = if self.is_shared() { 40 } else { 70 };
        if self.chance.percent(odds) {
            self.start(place);
        } else if self.is_shared() && self.chance.percent(50) {
            self.real_time(GIVEN_UP);
        }
    }

    /// A worker stands still before its next commit; by the time it goes on others may have what it had.
    fn pause(&mut self) {
        let place = self.any();
        if self.slots[place].paused.is_some() {
            return self.wake(place);
        }
        let now = self.now();
        let count = self.chance.below(20);
        let events: Vec<_> = (0..count).map(|_| self.source.next(&mut self.chance, now)).collect();
        let Some(process) = &mut self.slots[place].process else { return };
        if let Some(turn) = &process.turn {
            turn.holds.store(true, Ordering::Relaxed);
        }
        process.submit(events);
        process.run(Duration::from_millis(1));
        self.slots[place].paused = Some(self.real);
        self.around.ground.plan().happen("stood still");
        self.around.ground.model().switching();
        self.say(|| format!("{place} stands still"));
        if self.chance.percent(70) {
            self.real_time(GIVEN_UP);
        }
    }

    /// Faults that were meant for a daemon that is gone.
    pub(super) fn forget_faults(&mut self) {
        let mut plan = self.around.ground.plan();
        (plan.write, plan.reads) = (None, 0);
    }

    fn leave(&mut self) {
        let place = self.any();
        let Some(process) = &mut self.slots[place].process else { return };
        process.stop();
        self.around.ground.plan().happen("stop");
        self.say(|| format!("stop of {place}"));
        self.run_for(Duration::from_secs(16));
    }

    /// Another owner begins while the first still runs.
    fn take_over(&mut self) {
        self.say(|| "another owner takes over".to_owned());
        if let Some(mut old) = self.zombie.take() {
            self.source.unsure.extend(old.unanswered());
            return;
        }
        let place = self.any();
        let slot = &mut self.slots[place];
        if !self.backing.is_shared() || slot.process.is_none() || slot.paused.is_some() {
            return;
        }
        self.zombie = slot.process.take();
        self.forget_faults();
        self.around.ground.plan().happen("take-over");
        self.start(place);
    }

    fn jump(&mut self) {
        let seconds = i64::try_from(self.chance.below(90)).unwrap();
        let (by, what) = if self.chance.percent(60) {
            (SignedDuration::from_secs(-seconds), "clock set back")
        } else {
            (SignedDuration::from_secs(seconds * 60), "clock set forward")
        };
        self.around.ground.plan().happen(what);
        self.around.clock.advance(by);
        self.say(|| format!("{what} by {by}"));
    }

    pub(super) fn kill(&mut self) {
        self.killed = !self.killed;
        let mut kill = Kill::default();
        if self.killed {
            kill.channels.insert(Name::new("push"));
        }
        let place = self.any();
        self.say(|| format!("switches at {place}: {kill:?}"));
        if let Some(process) = &mut self.slots[place].process {
            self.around.ground.model().switching();
            self.switched = None;
            self.switches += 1;
            process.kill(self.switches, kill);
            self.around.ground.plan().happen("kill switch");
        }
    }

    /// Many events at once.
    fn burst(&mut self) {
        let now = self.now();
        let count = self.chance.below(60);
        let events: Vec<_> = (0..count).map(|_| self.source.next(&mut self.chance, now)).collect();
        self.around.ground.plan().happen("burst");
        self.send(events);
    }
}
