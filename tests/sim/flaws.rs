//! Faults put in on purpose, in the simulated world: a check that finds none of them proves nothing.

use jiff::Timestamp;
use wayfare::step::{Input, Output, RootKey, State, World};
use wayfare::store::Commit;

use super::process::poisoned;

/// What does not do what it says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flaw {
    /// A commit in fifty is acknowledged and not written.
    ForgetsCommits,
    /// A commit in fifty is written without its timers.
    ForgetsTimers,
    /// A commit in fifty is written without its messages.
    ForgetsMessages,
    /// No event is known again.
    KnowsNoEvent,
    /// Who was replaced may go on writing.
    FencesNobody,
    /// The network delivers a request twice.
    DeliversTwice,
    /// Receipts say that all is well.
    AlwaysAccepts,
    /// The daemon says that a switch is on, and it is not.
    IgnoresSwitches,
    /// The gate does not ask for consent.
    IgnoresConsent,
    /// Who left a journey is sent its messages all the same.
    IgnoresExits,
    /// Not all decisions are told.
    KeepsSilent,
    /// A channel without its rate.
    NoRate,
    /// An event that may be late without that being said.
    NoLateness,
    /// Half of the versions hold nobody out.
    NoHoldout,
}

impl Flaw {
    /// Each with what must be said of it.
    pub(crate) const ALL: [(Self, &'static str); 14] = [
        (Self::ForgetsCommits, "follows"),
        (Self::ForgetsTimers, "nobody looked"),
        (Self::ForgetsMessages, "does not come to an end"),
        (Self::KnowsNoEvent, "was taken twice"),
        (Self::FencesNobody, "follows"),
        (Self::DeliversTwice, "is sent again"),
        (Self::AlwaysAccepts, "is durable"),
        (Self::IgnoresSwitches, "is switched off"),
        (Self::IgnoresConsent, "without consent"),
        (Self::IgnoresExits, "is still to be sent"),
        (Self::KeepsSilent, "the trace does not say"),
        (Self::NoRate, "messages left by"),
        (Self::NoLateness, "too early"),
        (Self::NoHoldout, "held out"),
    ];

    /// What the store makes of a commit that it acknowledges; `None`: nothing at all.
    pub(crate) fn written(self, commit: &Commit) -> Option<Commit> {
        let mut written = commit.clone();
        let now = commit.batch.is_multiple_of(50);
        match self {
            Self::ForgetsCommits if now => return None,
            Self::ForgetsTimers if now => written.timers.clear(),
            Self::ForgetsMessages if now => written.outbox.clear(),
            _ => {}
        }
        Some(written)
    }

    /// What the bank deploys in its stead.
    pub(crate) fn deployed(self, version: usize, text: &str) -> String {
        match self {
            Self::NoRate => text.replace("rate 2 per minute;", ""),
            Self::NoLateness => {
                text.replace("\"绑卡成功\" of customer { late 5min }", "\"绑卡成功\" of customer { }")
            }
            Self::NoHoldout if version % 2 == 1 => text.replace("  holdout 40%\n", ""),
            _ => text.to_owned(),
        }
    }

    /// The step function that the engine runs with.
    pub(crate) fn step(self) -> Step {
        match self {
            Self::IgnoresConsent => without_consent,
            Self::IgnoresExits => without_exits,
            Self::KeepsSilent => silent,
            _ => poisoned,
        }
    }
}

pub(crate) type Step = fn(&World, &RootKey, &mut State, &Input, Timestamp) -> Output;

/// Who withdraws a consent is not heard.
fn without_consent(
    world: &World,
    root: &RootKey,
    state: &mut State,
    input: &Input,
    now: Timestamp,
) -> Output {
    let Input::Event(event) = input else { return poisoned(world, root, state, input, now) };
    let mut event = event.clone();
    event.fields.retain(|(name, value)| name.as_str() != "consent" || format!("{value:?}").contains("push"));
    poisoned(world, root, state, &Input::Event(event), now)
}

/// What an exit cancelled is pending again.
fn without_exits(world: &World, root: &RootKey, state: &mut State, input: &Input, now: Timestamp) -> Output {
    use wayfare::step::state::MessageStatus::{Cancelled, Pending};
    let output = poisoned(world, root, state, input, now);
    for message in state.messages.iter_mut().filter(|message| message.status == Cancelled) {
        message.status = Pending;
    }
    output
}

fn silent(world: &World, root: &RootKey, state: &mut State, input: &Input, now: Timestamp) -> Output {
    let mut output = poisoned(world, root, state, input, now);
    if now.as_second() % 7 == 0 {
        output.trace.pop();
    }
    output
}
