//! What the answer to an attempt means for its message: over, or once more after a while.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use super::pack::Queued;
use crate::channel::{Attempt, SendResult};
use crate::program::{LONGEST_RETRY_MS, Outcome};

const FIRST_RETRY_MS: i64 = 1_000;

/// What the answer to an attempt makes of its message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Over(Outcome, Arc<str>),
    Again(Queued),
}

/// How a channel deals with attempts that fail.
#[derive(Clone, Copy)]
pub(super) struct Manner {
    /// Attempts before it is over.
    pub most: u32,
    pub idempotent: bool,
    /// Whether what may have arrived is sent again without that.
    pub repeats: bool,
}

/// What becomes of `queued`; no attempt: it did not get so far.
pub(super) fn judge(queued: &Queued, attempt: Option<&Attempt>, manner: Manner, now: Timestamp) -> Verdict {
    let mut queued = queued.clone();
    let Some(Attempt { result, provider, idempotent }) = attempt else {
        // The gate looks again at once, and says why.
        queued.not_before = now.as_millisecond();
        return Verdict::Again(queued);
    };
    if let SendResult::Closed { after, .. } = result {
        // As many as wait do not come back at once.
        let wait = SignedDuration::try_from(*after).unwrap_or_default() + backoff(&queued);
        queued.not_before = now.saturating_add(wait).unwrap_or(Timestamp::MAX).as_millisecond();
        return Verdict::Again(queued);
    }
    queued.attempts = queued.attempts.saturating_add(1);
    let idempotent = idempotent.unwrap_or(manner.idempotent);
    let (after, detail) = match result {
        SendResult::Accepted { detail } => return Verdict::Over(Outcome::Sent, Arc::clone(detail)),
        SendResult::Rejected { detail } => return Verdict::Over(Outcome::Failed, Arc::clone(detail)),
        SendResult::Retry { after, detail } => (*after, detail),
        SendResult::Ambiguous { detail } => {
            queued.ambiguous = true;
            queued.provider = queued.provider.or_else(|| provider.clone());
            (None, detail)
        }
        SendResult::Closed { after, detail } => (Some(*after), detail),
    };
    let is_unclear = matches!(result, SendResult::Ambiguous { .. });
    // Without a provider to go back to, another one could be asked.
    let is_final = is_unclear && !manner.repeats && (!idempotent || queued.provider.is_none());
    if queued.attempts < manner.most && !is_final {
        let wait = backoff(&queued).max(after.and_then(|after| after.try_into().ok()).unwrap_or_default());
        queued.not_before = now.saturating_add(wait).unwrap_or(Timestamp::MAX).as_millisecond();
        return Verdict::Again(queued);
    }
    let attempts = queued.attempts;
    if queued.ambiguous && (!idempotent || is_final) {
        return Verdict::Over(
            Outcome::Sent,
            format!("unconfirmed after {attempts} attempts: {detail}").into(),
        );
    }
    Verdict::Over(Outcome::Failed, format!("given up after {attempts} attempts: {detail}").into())
}

/// Doubles with each attempt up to ten minutes; spread by half, by the message's own key, so that messages that
/// failed together do not come back together.
fn backoff(queued: &Queued) -> SignedDuration {
    let doubled = FIRST_RETRY_MS << queued.attempts.saturating_sub(1).min(20);
    let longest = doubled.min(LONGEST_RETRY_MS);
    let spread = crate::store::bucket::murmur2(format!("{}#{}", queued.message, queued.attempts).as_bytes());
    SignedDuration::from_millis(longest / 2 + i64::from(spread) % (longest / 2 + 1))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Attempt, Manner, Outcome, Queued, SendResult, Timestamp, Verdict};
    use crate::step::MessageKey;

    struct Answer {
        queued: Queued,
        attempt: Option<Attempt>,
    }

    fn answer(result: SendResult, attempts: u32, ambiguous: bool) -> Answer {
        let message = MessageKey {
            journey: "j".into(),
            root: "c".into(),
            child: None,
            entry: "e".into(),
            step: "s".into(),
        };
        let queued =
            Queued { kind: 0, id: "c".into(), message, attempts, not_before: 0, ambiguous, provider: None };
        Answer { queued, attempt: Some(result.into()) }
    }

    fn judge(answer: &Answer, manner: Manner, now: Timestamp) -> Verdict {
        super::judge(&answer.queued, answer.attempt.as_ref(), manner, now)
    }

    fn judged(answer: &Answer, most: u32, idempotent: bool, now: Timestamp) -> Verdict {
        judge(answer, Manner { most, idempotent, repeats: true }, now)
    }

    fn retry() -> SendResult {
        SendResult::Retry { after: None, detail: "503".into() }
    }

    #[test]
    fn attempts_grow_apart_and_end() {
        let now = Timestamp::UNIX_EPOCH;
        let mut last = 0;
        for attempts in 0..7 {
            let Verdict::Again(queued) = judged(&answer(retry(), attempts, false), 8, false, now) else {
                panic!("attempt {attempts} is not the last")
            };
            assert_eq!(queued.attempts, attempts + 1);
            let most = 1_000 << attempts;
            assert!((most / 2..=most).contains(&queued.not_before), "{queued:?}");
            assert!(queued.not_before > last / 2);
            last = queued.not_before;
        }
        let over = judged(&answer(retry(), 7, false), 8, false, now);
        assert_eq!(over, Verdict::Over(Outcome::Failed, "given up after 8 attempts: 503".into()));
    }

    #[test]
    fn what_a_switch_stopped_was_no_attempt() {
        let stopped = Answer { attempt: None, ..answer(retry(), 7, true) };
        let now = Timestamp::from_millisecond(5).unwrap();
        let Verdict::Again(queued) = judged(&stopped, 8, false, now) else { panic!("it is not over") };
        assert_eq!((queued.attempts, queued.not_before, queued.ambiguous), (7, 5, true));
        assert!(queued.has_moved());
    }

    #[test]
    fn a_provider_may_ask_for_more_time() {
        let slow = SendResult::Retry { after: Some(Duration::from_mins(1)), detail: "429".into() };
        let Verdict::Again(queued) = judged(&answer(slow, 0, false), 8, false, Timestamp::UNIX_EPOCH) else {
            panic!("it may be tried again")
        };
        assert_eq!(queued.not_before, 60_000);
    }

    #[test]
    fn what_may_have_arrived_is_not_called_failed() {
        let now = Timestamp::UNIX_EPOCH;
        let unclear = || SendResult::Ambiguous { detail: "timeout".into() };
        let over = judged(&answer(unclear(), 1, false), 2, false, now);
        assert_eq!(over, Verdict::Over(Outcome::Sent, "unconfirmed after 2 attempts: timeout".into()));
        let earlier = judged(&answer(retry(), 1, true), 2, false, now);
        assert!(matches!(earlier, Verdict::Over(Outcome::Sent, _)));
        let idempotent = judged(&answer(unclear(), 1, false), 2, true, now);
        assert!(matches!(idempotent, Verdict::Over(Outcome::Failed, _)));
    }

    #[test]
    fn what_may_have_arrived_stays_with_its_provider() {
        let now = Timestamp::UNIX_EPOCH;
        let unclear = |idempotent| Answer {
            attempt: Some(Attempt {
                result: SendResult::Ambiguous { detail: "timeout".into() },
                provider: Some("a".into()),
                idempotent: Some(idempotent),
            }),
            ..answer(retry(), 0, false)
        };
        let manner = Manner { most: 8, idempotent: false, repeats: false };
        let Verdict::Again(queued) = judge(&unclear(true), manner, now) else {
            panic!("it can be cleared up")
        };
        assert_eq!((queued.provider.as_deref(), queued.ambiguous), (Some("a"), true));
        let over = judge(&unclear(false), manner, now);
        assert_eq!(over, Verdict::Over(Outcome::Sent, "unconfirmed after 1 attempts: timeout".into()));
        // Nobody knows at whom: there is no going back to it.
        let lost = Answer {
            attempt: Some(SendResult::Ambiguous { detail: "it did not come back".into() }.into()),
            ..answer(retry(), 0, false)
        };
        let over = judge(&lost, Manner { idempotent: true, ..manner }, now);
        assert!(matches!(over, Verdict::Over(Outcome::Sent, _)));
        // What a crash left open was perhaps never sent: a refusal for now is no end.
        let crashed = judge(&answer(retry(), 0, true), manner, now);
        assert!(matches!(crashed, Verdict::Again(_)));
    }

    #[test]
    fn what_was_not_tried_was_no_attempt() {
        let closed = SendResult::Closed { after: Duration::from_mins(1), detail: "out of order".into() };
        let Verdict::Again(queued) = judged(&answer(closed, 7, false), 8, false, Timestamp::UNIX_EPOCH)
        else {
            panic!("it is not over")
        };
        assert_eq!(queued.attempts, 7);
        assert!(queued.not_before > 60_000 && queued.has_moved());
    }
}
