//! What operators have switched off, as far as this worker knows: whatever is about to leave asks here last.
//!
//! Where several workers share a store, a switch that is set at one is read by the others at their next heartbeat. One that
//! cannot look, because its store hangs or it stood still, does not know what was switched meanwhile: after two heartbeats without a
//! look its messages wait here for the next.

use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;

use crate::name::Name;
use crate::step::Kill;

/// Heartbeats after which a look at the switches is too old to send by.
const BLIND: u32 = 2;

/// What a worker knows of the switches, for all of its sends.
#[derive(Clone, Debug, Default)]
pub(super) struct Switches(watch::Sender<Known>);

/// The same, for one send.
pub(super) struct Gatekeeper(watch::Receiver<Known>);

#[derive(Debug, Default)]
struct Known {
    kill: Kill,
    /// Until when that may be relied on; `None`: nobody else sets any.
    until: Option<Instant>,
}

impl Switches {
    pub(super) fn set(&self, kill: &Kill) {
        self.0.send_modify(|known| known.kill.clone_from(kill));
    }

    /// What is set here was so in the store at `looked`, or later.
    pub(super) fn looked(&self, looked: Instant, beat: Duration) {
        self.0.send_modify(|known| known.until = Some(looked + beat * BLIND));
    }

    pub(super) fn gatekeeper(&self) -> Gatekeeper {
        Gatekeeper(self.0.subscribe())
    }
}

impl Gatekeeper {
    /// Whether a switch stops what `journey` sends by `channel`, or the engine is gone. Waits until that is known.
    pub(super) async fn stops(&mut self, channel: Name, journey: Name) -> bool {
        let is_known = |known: &Known| known.until.is_none_or(|until| Instant::now() <= until);
        match self.0.wait_for(is_known).await {
            Ok(known) => known.kill.stops(channel, journey),
            Err(_) => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    const BEAT: Duration = Duration::from_secs(1);

    fn push() -> (Name, Name) {
        (Name::new("push"), Name::new("welcome"))
    }

    fn off() -> Kill {
        Kill { channels: [Name::new("push")].into(), ..Kill::default() }
    }

    #[tokio::test]
    async fn who_is_alone_knows_all_switches() {
        let switches = Switches::default();
        let (channel, journey) = push();
        assert!(!switches.gatekeeper().stops(channel, journey).await);
        switches.set(&off());
        assert!(switches.gatekeeper().stops(channel, journey).await);
    }

    /// The store hung while another worker was told to switch the channel off: what was handed over meanwhile waits for the next
    /// look, and does not leave.
    #[tokio::test(start_paused = true)]
    async fn who_has_not_looked_for_two_heartbeats_lets_nothing_go() {
        let switches = Switches::default();
        let (channel, journey) = push();
        switches.looked(Instant::now(), BEAT);
        tokio::time::advance(BEAT).await;
        let mut gatekeeper = switches.gatekeeper();
        assert_eq!(gatekeeper.stops(channel, journey).now_or_never(), Some(false));
        tokio::time::advance(BEAT * 2).await;
        let mut others = switches.gatekeeper();
        assert_eq!(gatekeeper.stops(channel, journey).now_or_never(), None);
        switches.looked(Instant::now(), BEAT);
        assert_eq!(gatekeeper.stops(channel, journey).now_or_never(), Some(false));
        tokio::time::advance(BEAT * 3).await;
        assert_eq!(others.stops(channel, journey).now_or_never(), None);
        switches.set(&off());
        assert_eq!(others.stops(channel, journey).now_or_never(), None, "it may be on again by now");
        switches.looked(Instant::now(), BEAT);
        assert_eq!(others.stops(channel, journey).now_or_never(), Some(true));
    }

    #[tokio::test(start_paused = true)]
    async fn nothing_leaves_when_the_engine_is_gone() {
        let switches = Switches::default();
        switches.looked(Instant::now(), BEAT);
        tokio::time::advance(BEAT * 3).await;
        let mut gatekeeper = switches.gatekeeper();
        drop(switches);
        let (channel, journey) = push();
        assert!(gatekeeper.stops(channel, journey).await);
    }
}
