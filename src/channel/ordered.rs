//! The providers of a channel in their order, each behind a breaker.
//!
//! The first that is not out of order gets the message. Where it says that it did not take it, the next is asked at once.
//! Where nobody knows whether it took it, nobody else is asked, now or later: only that provider can clear it up, and only
//! if it drops what it had before. A refusal is about the message, and no reason to ask somebody else.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use tokio::time::Instant;

use super::{Attempt, Channel, SendResult};
use crate::program::Rate;
use crate::step::Delivery;

/// Failures in a row that put a provider out of order.
const FAILURES: u32 = 5;
/// For so long at first, twice as long after each probe that fails.
const FIRST_REST: Duration = Duration::from_secs(1);
const LONGEST_REST: Duration = Duration::from_mins(1);
/// A probe that has not come back after so long is given up: the next one may go.
const PROBE: Duration = Duration::from_secs(130);
/// About three hours, with pauses of ten minutes at the end.
const ATTEMPTS: u32 = 30;

pub(super) struct Ordered(Vec<One>);

pub(super) struct One {
    name: Arc<str>,
    channel: Arc<dyn Channel>,
    /// What this channel may send to it.
    rate: Option<Rate>,
    breaker: Breaker,
}

impl One {
    pub(super) fn new(name: &str, channel: Arc<dyn Channel>, rate: Option<Rate>) -> Self {
        Self { name: name.into(), channel, rate, breaker: Breaker::default() }
    }
}

impl Ordered {
    pub(super) fn new(list: Vec<One>) -> Self {
        Self(list)
    }

    async fn attempt(&self, delivery: &Delivery, earlier: Option<&str>) -> Attempt {
        let pinned = earlier.and_then(|name| self.0.iter().find(|one| *one.name == *name));
        let (mut refused, mut rest) = (None, LONGEST_REST);
        for one in self.0.iter().filter(|one| pinned.is_none_or(|pinned| pinned.name == one.name)) {
            if let Err(wait) = one.breaker.admit(Instant::now()) {
                rest = rest.min(wait);
                continue;
            }
            let result = one.channel.send(delivery).await;
            one.breaker.record(Instant::now(), &result);
            match result {
                SendResult::Retry { .. } => refused = Some((one, result)),
                _ => return self.said(one, result),
            }
        }
        if let Some((one, result)) = refused {
            return self.said(one, result);
        }
        let detail = "every provider is out of order".into();
        Attempt::from(SendResult::Closed { after: rest, detail })
    }

    fn said(&self, one: &One, result: SendResult) -> Attempt {
        let named = |detail: Arc<str>| match self.0.len() {
            1 => detail,
            _ => format!("{}: {detail}", one.name).into(),
        };
        Attempt {
            result: result.map_detail(named),
            provider: Some(Arc::clone(&one.name)),
            idempotent: Some(one.channel.idempotent()),
        }
    }
}

impl Channel for Ordered {
    fn send<'a>(&'a self, delivery: &'a Delivery) -> BoxFuture<'a, SendResult> {
        self.attempt(delivery, None).map(|attempt| attempt.result).boxed()
    }

    fn send_again<'a>(&'a self, delivery: &'a Delivery, earlier: Option<&'a str>) -> BoxFuture<'a, Attempt> {
        self.attempt(delivery, earlier).boxed()
    }

    fn max_attempts(&self) -> u32 {
        ATTEMPTS
    }

    fn concurrency(&self) -> usize {
        self.0.iter().map(|one| one.channel.concurrency()).min().unwrap_or(1)
    }

    fn idempotent(&self) -> bool {
        self.0.iter().all(|one| one.channel.idempotent())
    }

    /// What may have arrived is only sent again where that does no harm.
    fn repeats(&self) -> bool {
        false
    }

    /// The slowest of them: whoever takes over must keep up.
    fn rate(&self) -> Option<Rate> {
        self.0.iter().filter_map(|one| one.rate).reduce(Rate::tighter)
    }
}

/// Whether a provider is worth asking. After failures in a row it rests; then one message at a time finds out whether it is
/// back.
#[derive(Debug, Default)]
struct Breaker(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    failures: u32,
    /// Out of order until then.
    until: Option<Instant>,
    rest: Duration,
    /// Whether a message is under way that finds out.
    probing: bool,
}

impl Breaker {
    /// # Errors
    /// How long it will go on resting.
    fn admit(&self, now: Instant) -> Result<(), Duration> {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match state.until {
            Some(until) if now < until => {
                Err(until.saturating_duration_since(now).min(state.rest.max(FIRST_REST)))
            }
            Some(_) => {
                // This one finds out; the others go on waiting.
                state.until = Some(now + PROBE);
                state.probing = true;
                Ok(())
            }
            None => Ok(()),
        }
    }

    fn record(&self, now: Instant, result: &SendResult) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let asked_for = match result {
            SendResult::Retry { after, .. } => *after,
            SendResult::Ambiguous { .. } => None,
            SendResult::Accepted { .. } | SendResult::Rejected { .. } | SendResult::Closed { .. } => {
                *state = State::default();
                return;
            }
        };
        if state.until.is_some() && !state.probing {
            // It was under way before the provider was found out of order, and says nothing new.
            return;
        }
        state.probing = false;
        state.failures = state.failures.saturating_add(1);
        if state.failures >= FAILURES {
            state.rest = (state.rest * 2).clamp(FIRST_REST, LONGEST_REST);
            state.until =
                Some(now + asked_for.map_or(state.rest, |asked| asked.clamp(state.rest, LONGEST_REST)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal() -> SendResult {
        SendResult::Retry { after: None, detail: "HTTP 503".into() }
    }

    #[tokio::test(start_paused = true)]
    async fn a_provider_that_fails_rests_longer_and_longer() {
        let breaker = Breaker::default();
        for _ in 0..FAILURES {
            assert_eq!(breaker.admit(Instant::now()), Ok(()));
            breaker.record(Instant::now(), &refusal());
        }
        let mut rest = FIRST_REST;
        for _ in 0..8 {
            assert_eq!(breaker.admit(Instant::now()), Err(rest));
            tokio::time::advance(rest).await;
            // One message finds out, the next still waits.
            assert_eq!(breaker.admit(Instant::now()), Ok(()));
            assert!(breaker.admit(Instant::now()).is_err());
            breaker.record(Instant::now(), &refusal());
            rest = (rest * 2).min(LONGEST_REST);
        }
        tokio::time::advance(rest).await;
        assert_eq!(breaker.admit(Instant::now()), Ok(()));
        breaker.record(Instant::now(), &SendResult::Accepted { detail: "ok".into() });
        assert_eq!(breaker.admit(Instant::now()), Ok(()));
        assert_eq!(breaker.admit(Instant::now()), Ok(()));
    }

    #[tokio::test(start_paused = true)]
    async fn those_under_way_do_not_make_the_rest_longer() {
        let breaker = Breaker::default();
        (0..200).for_each(|_| breaker.record(Instant::now(), &refusal()));
        assert_eq!(breaker.admit(Instant::now()), Err(FIRST_REST));
    }

    #[tokio::test(start_paused = true)]
    async fn a_probe_that_never_comes_back_does_not_close_it_for_ever() {
        let breaker = Breaker::default();
        (0..FAILURES).for_each(|_| breaker.record(Instant::now(), &refusal()));
        tokio::time::advance(FIRST_REST).await;
        assert_eq!(breaker.admit(Instant::now()), Ok(()));
        tokio::time::advance(PROBE).await;
        assert_eq!(breaker.admit(Instant::now()), Ok(()));
    }
}
