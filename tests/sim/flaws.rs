//! Faults put in on purpose, in the simulated world: a check that finds none of them proves nothing.

use jiff::Timestamp;
use wayfare::lottery::Outcome;
use wayfare::step::post::{Errand, Parcel};
use wayfare::step::state::MessageStatus;
use wayfare::step::{Effect, Input, Output, RootKey, State, World};
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
    /// Points and rewards without their limits.
    NoLimits,
    /// What has left is not counted.
    ForgetsMarks,
    /// A bank that never sleeps.
    NoQuiet,
    /// What somebody said is forgotten when a list of another system comes.
    ForgetsWords,
    /// Nobody stands on a list.
    ForgetsLists,
    /// Whom the policy protects is written to.
    NoSuppression,
    /// A commit in twenty is written without what it leaves for other rows.
    LosesPosts,
    /// What a row had sent that goes into another is sent by that one too.
    SendsAgainAfterMerge,
    /// What was given of a stock is not counted.
    Oversells,
    /// What one row says to another is heard twice.
    TakesPostsTwice,
    /// A draw hangs on the second in which it is made.
    DrawsByTheClock,
    /// A draw is told twice.
    DrawsTwice,
    /// A draw leaves the chance that it costs.
    DrawsForNothing,
    /// A commit in twenty is written without its draws.
    ForgetsDraws,
    /// What was taken back is taken back again.
    TakesBackTwice,
}

impl Flaw {
    /// Each with what must be said of it.
    pub(crate) const ALL: [(Self, &'static str); 29] = [
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
        (Self::NoLimits, "the limit is"),
        (Self::ForgetsMarks, "the cap is"),
        (Self::NoQuiet, "in a quiet time"),
        (Self::ForgetsWords, "without consent"),
        (Self::ForgetsLists, "is on the list"),
        (Self::NoSuppression, "is suppressed"),
        (Self::LosesPosts, "does not come to an end"),
        (Self::SendsAgainAfterMerge, "and arrived as"),
        (Self::Oversells, "the stock is"),
        (Self::TakesPostsTwice, "twice"),
        (Self::DrawsByTheClock, "and the seed says"),
        (Self::DrawsTwice, "was drawn twice"),
        (Self::DrawsForNothing, "chances"),
        (Self::ForgetsDraws, "in the chain"),
        (Self::TakesBackTwice, "the stock is"),
    ];

    /// What the store makes of a commit that it acknowledges; `None`: nothing at all.
    pub(crate) fn written(self, commit: &Commit) -> Option<Commit> {
        let mut written = commit.clone();
        let now = commit.batch.is_multiple_of(50);
        match self {
            Self::ForgetsCommits if now => return None,
            Self::ForgetsTimers if now => written.timers.clear(),
            Self::ForgetsDraws if commit.batch.is_multiple_of(20) => written.draws.clear(),
            Self::LosesPosts if commit.batch.is_multiple_of(20) => written.inbox.clear(),
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
            Self::NoLimits => {
                text.replace("limit 50 per", "limit 50000 per").replace("limit 2 per", "limit 200 per")
            }
            Self::NoQuiet => {
                text.replace("  quiet 21:30..08:30 { defer 3 days; release 20 per minute }\n", "")
            }
            Self::NoSuppression => text.replace("  suppress marketing if quiet\n", ""),
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
            Self::ForgetsMarks => without_marks,
            Self::ForgetsWords => without_words,
            Self::ForgetsLists => without_lists,
            Self::TakesPostsTwice => twice,
            Self::SendsAgainAfterMerge => sent_again,
            Self::DrawsByTheClock => by_the_clock,
            Self::DrawsTwice => drawn_twice,
            Self::DrawsForNothing => for_nothing,
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

fn without_marks(world: &World, root: &RootKey, state: &mut State, input: &Input, now: Timestamp) -> Output {
    state.marks.clear();
    poisoned(world, root, state, input, now)
}

fn without_words(world: &World, root: &RootKey, state: &mut State, input: &Input, now: Timestamp) -> Output {
    state.agreements.retain(|said| said.given);
    poisoned(world, root, state, input, now)
}

fn without_lists(world: &World, root: &RootKey, state: &mut State, input: &Input, now: Timestamp) -> Output {
    state.listed.clear();
    poisoned(world, root, state, input, now)
}

fn twice(world: &World, root: &RootKey, state: &mut State, input: &Input, now: Timestamp) -> Output {
    let output = poisoned(world, root, state, input, now);
    if !matches!(input, Input::Post(_)) {
        return output;
    }
    state.posted.clear();
    let mut again = poisoned(world, root, state, input, now);
    again.trace.splice(0..0, output.trace);
    again.effects.splice(0..0, output.effects);
    again
}

fn by_the_clock(world: &World, root: &RootKey, state: &mut State, input: &Input, now: Timestamp) -> Output {
    let mut output = poisoned(world, root, state, input, now);
    for effect in &mut output.effects {
        if let Effect::Draw(drawing) = effect
            && now.as_second() % 2 == 0
        {
            (drawing.drawn, drawing.outcome) = (None, Outcome::Blank);
        }
    }
    output
}

fn drawn_twice(world: &World, root: &RootKey, state: &mut State, input: &Input, now: Timestamp) -> Output {
    let mut output = poisoned(world, root, state, input, now);
    let draws = output.effects.iter().filter(|effect| matches!(effect, Effect::Draw(_)));
    let again: Vec<Effect> = draws.cloned().collect();
    output.effects.extend(again);
    output
}

fn for_nothing(world: &World, root: &RootKey, state: &mut State, input: &Input, now: Timestamp) -> Output {
    let before = state.accounts.clone();
    let output = poisoned(world, root, state, input, now);
    if output.effects.iter().any(|effect| matches!(effect, Effect::Draw(_))) {
        for account in &mut state.accounts {
            if let Some(before) = before.iter().find(|before| before.what == account.what) {
                account.lots.clone_from(&before.lots);
            }
        }
    }
    output
}

fn sent_again(world: &World, root: &RootKey, state: &mut State, input: &Input, now: Timestamp) -> Output {
    let mut output = poisoned(world, root, state, input, now);
    for effect in &mut output.effects {
        if let Effect::Post(post) = effect
            && let Errand::Parcel { parcel, .. } = &mut post.errand
            && let Parcel::Estate(estate) = &mut **parcel
        {
            let sent = estate.messages.iter_mut().filter(|message| message.status == MessageStatus::Sent);
            sent.for_each(|message| message.status = MessageStatus::Pending);
        }
    }
    output
}
