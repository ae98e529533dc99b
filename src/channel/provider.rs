//! A provider behind HTTP: makes the preset's request, asks, and keeps the tokens that requests must bear.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use jiff::Timestamp;

use super::preset::{Moment, Preset, Token, Verdict, preset};
use super::wire::digest::nonce;
use super::wire::{Peer, Wall};
use super::{Channel, SendResult};
use crate::config::provider::{Kind, Line};
use crate::step::Delivery;

/// A token is not used in the last minute of its life.
const MARGIN: Duration = Duration::from_mins(1);
/// Tokens kept at once; with more, those that expire first go.
const MOST_TOKENS: usize = 10_000;

pub(super) struct Web {
    peer: Peer,
    preset: Box<dyn Preset>,
    wall: Wall,
    sends: usize,
    /// By name, with the end of their lives.
    tokens: Mutex<BTreeMap<String, (String, Timestamp)>>,
}

impl Web {
    /// `None` for what is no HTTP.
    ///
    /// # Errors
    /// A reason for people.
    pub(super) fn new(kind: &Kind, line: &Line, wall: Wall) -> Result<Option<Self>, String> {
        let Some(preset) = preset(kind)? else { return Ok(None) };
        let peer = Peer::new(line.timeout, line.allow_private, line.ca.as_deref())?;
        Ok(Some(Self { peer, preset, wall, sends: line.sends, tokens: Mutex::default() }))
    }

    async fn hand_over(&self, delivery: &Delivery) -> SendResult {
        match self.ask(delivery).await {
            Ok(Verdict::Over(result)) | Err(result) => result,
            // It was refused for its token alone: once more with a new one.
            Ok(Verdict::Stale(_)) => match self.ask(delivery).await {
                Ok(Verdict::Over(result) | Verdict::Stale(result)) | Err(result) => result,
            },
        }
    }

    async fn ask(&self, delivery: &Delivery) -> Result<Verdict, SendResult> {
        let rejected = |reason: String| SendResult::Rejected { detail: reason.into() };
        let now = (self.wall)();
        let (name, token) = match self.preset.token(delivery, now).map_err(rejected)? {
            None => (String::new(), String::new()),
            Some(wanted) => (wanted.name.clone(), self.token(wanted, now).await?),
        };
        let nonce = nonce();
        let moment = Moment { now, nonce: &nonce, token: &token };
        let request = self.preset.request(delivery, &moment).map_err(rejected)?;
        let verdict = self.preset.verdict(&self.peer.ask(request).await?);
        if matches!(verdict, Verdict::Stale(_)) {
            let mut tokens = self.tokens.lock().unwrap_or_else(PoisonError::into_inner);
            // Somebody else may have fetched a new one meanwhile.
            if tokens.get(&name).is_some_and(|(kept, _)| *kept == token) {
                tokens.remove(&name);
            }
        }
        Ok(verdict)
    }

    /// The token that is kept, or a new one. Nothing was sent where there is none.
    async fn token(&self, wanted: Token, now: Timestamp) -> Result<String, SendResult> {
        let kept = self.tokens.lock().unwrap_or_else(PoisonError::into_inner).get(&wanted.name).cloned();
        if let Some((token, until)) = kept
            && now < until
        {
            return Ok(token);
        }
        let reply = match self.peer.ask(wanted.request).await {
            Ok(reply) => reply,
            Err(rejected @ SendResult::Rejected { .. }) => return Err(rejected),
            Err(_) => return Err(SendResult::Retry { after: None, detail: "no token could be had".into() }),
        };
        let Some((token, life)) = reply.json().and_then(|answer| (wanted.read)(&answer)) else {
            return Err(reply.later("no token was given"));
        };
        let until = now.saturating_add(life.saturating_sub(MARGIN)).unwrap_or(Timestamp::MAX);
        let mut tokens = self.tokens.lock().unwrap_or_else(PoisonError::into_inner);
        if tokens.len() >= MOST_TOKENS
            && let Some(first) =
                tokens.iter().min_by_key(|(_, (_, until))| *until).map(|(name, _)| name.clone())
        {
            tokens.remove(&first);
        }
        tokens.insert(wanted.name, (token.clone(), until));
        Ok(token)
    }
}

impl Channel for Web {
    fn send<'a>(&'a self, delivery: &'a Delivery) -> BoxFuture<'a, SendResult> {
        self.hand_over(delivery).boxed()
    }

    fn concurrency(&self) -> usize {
        self.sends
    }

    fn idempotent(&self) -> bool {
        self.preset.idempotent()
    }
}
