//! Domain time: the only place where the runtime reads a clock.
//!
//! Everything else gets `now` as an argument. [`WallClock`] is real time; [`Accelerated`] runs days in minutes on a
//! store made for development; [`ManualClock`] moves only when a test says so.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use jiff::{SignedDuration, Timestamp};
use tokio::sync::Notify;

/// How late a wait notices at most that the wall clock was set forward.
const LONGEST_NAP: Duration = Duration::from_secs(5);

pub trait Clock: Send + Sync {
    fn now(&self) -> Timestamp;

    /// Resolves when domain time has reached `at`, or a little later.
    fn wait_until(&self, at: Timestamp) -> BoxFuture<'_, ()>;
}

/// Domain time is real time.
#[derive(Clone, Copy, Debug, Default)]
pub struct WallClock;

impl Clock for WallClock {
    fn now(&self) -> Timestamp {
        wall()
    }

    fn wait_until(&self, at: Timestamp) -> BoxFuture<'_, ()> {
        sleep_until(self, at, 1, LONGEST_NAP).boxed()
    }
}

/// `now = origin + (wall - start) x speed`. The three are kept in the store, so that a restart goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Accelerated {
    /// Domain time at `start`.
    pub origin: Timestamp,
    /// Real time of the first run.
    pub start: Timestamp,
    /// Domain seconds per real second, at least 1.
    pub speed: u32,
}

impl Accelerated {
    /// A clock that begins now, in real time.
    #[must_use]
    pub fn from_now(speed: u32) -> Self {
        let start = wall();
        Self { origin: start, start, speed: speed.max(1) }
    }

    /// As kept in the store: `origin start speed`, the first two in milliseconds since 1970.
    #[must_use]
    pub fn to_text(self) -> String {
        format!("{} {} {}", self.origin.as_millisecond(), self.start.as_millisecond(), self.speed)
    }

    /// The inverse of [`Accelerated::to_text`].
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split(' ');
        let origin = Timestamp::from_millisecond(parts.next()?.parse().ok()?).ok()?;
        let start = Timestamp::from_millisecond(parts.next()?.parse().ok()?).ok()?;
        let speed = parts.next()?.parse().ok().filter(|&speed| speed > 0)?;
        parts.next().is_none().then_some(Self { origin, start, speed })
    }

    /// Domain time when the wall clock shows `wall`; stands still at the end of time.
    #[must_use]
    pub fn at(&self, wall: Timestamp) -> Timestamp {
        let passed = wall.duration_since(self.start);
        let speed = i32::try_from(self.speed).unwrap_or(i32::MAX);
        let scaled = passed.checked_mul(speed).unwrap_or(SignedDuration::MAX);
        self.origin.saturating_add(scaled).unwrap_or(Timestamp::MAX)
    }
}

impl Clock for Accelerated {
    fn now(&self) -> Timestamp {
        self.at(wall())
    }

    fn wait_until(&self, at: Timestamp) -> BoxFuture<'_, ()> {
        sleep_until(self, at, self.speed, LONGEST_NAP).boxed()
    }
}

/// Stands still until it is moved.
#[derive(Debug)]
pub struct ManualClock {
    now: Mutex<Timestamp>,
    moved: Notify,
}

impl ManualClock {
    #[must_use]
    pub fn new(now: Timestamp) -> Self {
        Self { now: Mutex::new(now), moved: Notify::new() }
    }

    /// Moves to `at`; never back.
    pub fn set(&self, at: Timestamp) {
        let mut now = self.now.lock().unwrap_or_else(PoisonError::into_inner);
        *now = at.max(*now);
        drop(now);
        self.moved.notify_waiters();
    }

    pub fn advance(&self, by: SignedDuration) {
        self.set(self.now().saturating_add(by).unwrap_or(Timestamp::MAX));
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        *self.now.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait_until(&self, at: Timestamp) -> BoxFuture<'_, ()> {
        async move {
            loop {
                let moved = self.moved.notified();
                tokio::pin!(moved);
                // Registered before the look, so that a move in between is not missed.
                moved.as_mut().enable();
                if self.now() >= at {
                    return;
                }
                moved.await;
            }
        }
        .boxed()
    }
}

/// Real time: used by clocks, and to measure how long something takes.
#[expect(clippy::disallowed_methods, reason = "the one place that reads the wall clock")]
#[must_use]
pub fn wall() -> Timestamp {
    Timestamp::now()
}

/// Sleeps until `clock` has reached `at`. tokio's timer knows nothing of a wall clock that is set, or of a machine
/// that was suspended, so a long sleep is cut into pieces of `nap` at most, with a look at the clock behind each.
async fn sleep_until(clock: &impl Clock, at: Timestamp, speed: u32, nap: Duration) {
    loop {
        let real = Duration::try_from(at.duration_since(clock.now())).unwrap_or_default() / speed.max(1);
        // tokio's timer counts whole milliseconds; a shorter sleep would return at once and spin.
        tokio::time::sleep(real.clamp(Duration::from_millis(1), nap)).await;
        if clock.now() >= at {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn an_accelerated_clock_goes_on_after_a_restart() {
        let clock = Accelerated { origin: at(1_000), start: at(500), speed: 3_600 };
        let again = Accelerated::parse(&clock.to_text()).unwrap();
        assert_eq!(again, clock);
        assert_eq!(again.at(at(501)), at(4_600));
        assert_eq!(again.at(at(100_000_000_000)), Timestamp::MAX);
        assert_eq!(Accelerated::parse("1 2 0"), None);
        assert_eq!(Accelerated::parse("1 2"), None);
    }

    #[tokio::test]
    async fn a_clock_that_is_set_forward_ends_a_sleep() {
        let clock = Arc::new(ManualClock::new(at(0)));
        let sleeping = tokio::spawn({
            let clock = Arc::clone(&clock);
            async move { sleep_until(&*clock, at(3_600), 1, Duration::from_millis(2)).await }
        });
        tokio::time::sleep(Duration::from_millis(20)).await;
        assert!(!sleeping.is_finished());
        clock.set(at(3_600));
        tokio::time::timeout(Duration::from_secs(20), sleeping).await.unwrap().unwrap();
    }

    #[tokio::test]
    async fn a_manual_clock_wakes_those_who_wait() {
        let clock = Arc::new(ManualClock::new(at(0)));
        let waiting = tokio::spawn({
            let clock = Arc::clone(&clock);
            async move { clock.wait_until(at(10)).await }
        });
        clock.set(at(9));
        tokio::task::yield_now().await;
        assert!(!waiting.is_finished());
        clock.advance(SignedDuration::from_secs(1));
        waiting.await.unwrap();
        clock.set(at(3));
        assert_eq!(clock.now(), at(10));
    }
}
