//! How fast messages leave that were held over a quiet time: so many per minute over all customers, whatever the
//! channel.
//!
//! Whoever finds no room gets an instant of their own at which they ask again, one behind the other. What this worker
//! let go in the last stretch of time is in memory only, and workers share the rate; so a worker that begins, or finds
//! that their number has changed, lets nothing go for one such stretch. That way no window ever holds more than the rate.

use jiff::Timestamp;

use super::rate::Window;
use crate::program::Rate;

/// Instants that are given away lie a little further apart than the rate says, so that whoever comes a moment late
/// still finds room: parts in a hundred.
const SLACK: i64 = 102;

pub(super) struct Release {
    workers: usize,
    window: Window,
    /// When this began, in milliseconds.
    since: i64,
    /// The latest instant that was given away.
    last: i64,
}

impl Release {
    /// Begins now, with so many workers.
    pub(super) fn new(workers: usize, now: Timestamp) -> Self {
        Self { workers, window: Window::default(), since: now.as_millisecond(), last: i64::MIN }
    }

    /// So many workers share the rate from now on.
    pub(super) fn share(&mut self, workers: usize, now: Timestamp) {
        if self.workers != workers {
            (self.workers, self.since) = (workers, now.as_millisecond());
        }
    }

    /// When a message may leave. If that is `now`, it is counted; else it is to ask again then.
    pub(super) fn next(&mut self, rate: Rate, now: Timestamp) -> Timestamp {
        let part = rate.part(self.workers);
        let (ms, per) = (now.as_millisecond(), i64::from(part.per_ms));
        let from = self.since.saturating_add(per);
        if from <= ms && self.window.room(part, now) > 0 {
            self.window.take(1, now);
            return now;
        }
        let room = self.window.next_room(part).map_or(from, Timestamp::as_millisecond).max(from);
        let apart = (per * SLACK / 100 / i64::from(part.count.max(1))).max(1);
        self.last = self.last.max(ms).saturating_add(apart).max(room);
        Timestamp::from_millisecond(self.last).unwrap_or(Timestamp::MAX)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    const RATE: Rate = Rate { count: 500, per_ms: 60_000 };

    fn at(ms: i64) -> Timestamp {
        Timestamp::from_millisecond(ms).unwrap()
    }

    /// Lets `many` come at once, and each again when it is told to, up to `late` milliseconds behind that. Returns when
    /// they left.
    fn leave(release: &mut Release, many: usize, late: i64) -> Vec<i64> {
        let mut waiting: BTreeSet<(i64, usize)> = (0..many).map(|one| (600_000, one)).collect();
        let (mut left, mut now) = (Vec::new(), 0);
        while let Some((due, one)) = waiting.pop_first() {
            // Batches come at whole multiples of the lateness.
            now = now.max((due + late).div_euclid(late + 1) * (late + 1));
            match release.next(RATE, at(now)).as_millisecond() {
                then if then <= now => left.push(now),
                then => drop(waiting.insert((then, one))),
            }
        }
        left
    }

    fn fullest(left: &[i64]) -> usize {
        let of = |first: &i64| left.iter().filter(|at| (*first..first + 60_000).contains(at)).count();
        left.iter().step_by(97).map(of).max().unwrap_or_default()
    }

    #[test]
    fn fifty_thousand_leave_at_the_rate_and_none_is_forgotten() {
        for late in [0, 999, 9_999] {
            let mut release = Release::new(1, at(0));
            let left = leave(&mut release, 50_000, late);
            assert_eq!(left.len(), 50_000);
            assert!(fullest(&left) <= 500, "{late}: {}", fullest(&left));
            let minutes = (left.last().unwrap() - left[0]) / 60_000;
            assert!((99..=125).contains(&minutes), "{late}: {minutes} minutes");
        }
    }

    #[test]
    fn who_begins_or_is_joined_waits_until_what_others_let_go_is_over() {
        let mut release = Release::new(1, at(0));
        assert_eq!(release.next(RATE, at(0)), at(60_000));
        assert_eq!(release.next(RATE, at(60_000)), at(60_000));
        release.share(3, at(61_000));
        assert!(release.next(RATE, at(61_000)) >= at(121_000));
        let now = (0..500).filter(|_| release.next(RATE, at(121_000)) == at(121_000)).count();
        assert_eq!(now, 166);
    }
}
