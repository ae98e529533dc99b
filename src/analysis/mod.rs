//! What can be said of every run of a journey without running it: reusable passes over its graph.
//!
//! | pass | answers | promise |
//! |---|---|---|
//! | [`facts`] | what holds at a step, on every way to it, and how old that knowledge is | sound |
//! | [`mod@path`] | a way to a step, with times and an example customer | a witness, feasible unless it says that this was not decided |
//! | [`window`] | the most messages in any stretch of time | sound upper bound |
//! | [`glance`] | the same from the steps alone: whether there can be too many at all | sound upper bound, coarser |
//! | [`entries`] | how often one subject can enter | sound upper bound |
//! | [`clock`] | at which times of the day an instance can be at a step | sound over-approximation |
//! | [`cover`] | whether one thing comes before another on every way | sound |
//! | [`order`] | whether a way goes on to what is forbidden behind an event | sound for what the journey hears |
//! | [`circle`] | whether journeys set each other off without any time passing | sound |
//! | [`liability`] | the most that is given to one customer, and to all | sound upper bound |
//! | [`portfolio`] | what all journeys together can do to one customer | sound upper bounds, and tighter ones as long as nobody changes |
//! | [`exposure`] | what a change does to what may have to be given | sound upper bounds, before and after |
//! | [`proof`] | all of it about one journey, as people and tools read it | says which is which |
//!
//! All passes look at the journey as [`flow`] has it: the graph of [`crate::graph`] with every place tied to what was
//! written there, and without the ways that [`facts`] proves nobody takes. They are pure and near linear in the size of
//! the journey. What "sound" means everywhere: no run of the journey as compiled does what a pass excludes, where
//! clocks are not set forward or back (a change of clocks moves a civil day by an hour) and as long as an instance
//! stays with its version.

pub mod amount;
pub mod circle;
pub mod clock;
pub mod cover;
pub mod entries;
pub mod exposure;
pub mod facts;
pub mod flow;
pub mod glance;
pub mod liability;
pub mod order;
pub mod path;
pub mod portfolio;
pub mod proof;
pub mod window;

/// The same of lengths that come of clocks and calendars: whole days, rounded up, where it is more than two.
#[must_use]
pub fn about(ms: i64) -> String {
    const DAY: i64 = 86_400_000;
    if ms <= 2 * DAY { told(ms) } else { told(ms.saturating_add(DAY - 1) / DAY * DAY) }
}

/// A length of time in the words of a person: `2 days`, `36h`, `10min`. Of milliseconds.
#[must_use]
pub fn told(ms: i64) -> String {
    const DAY: i64 = 86_400_000;
    match ms {
        0 => "at once".to_owned(),
        DAY => "1 day".to_owned(),
        ms if ms % DAY == 0 => format!("{} days", ms / DAY),
        ms => crate::value::Length::Elapsed(ms).to_string(),
    }
}
