//! The step function on stories: journeys compiled from text, customers that things happen to, and what became of
//! them in the words of `why`.

mod bank;
mod dates;
mod entries;
mod gate;
mod held;
mod imports;
mod invariants;
mod journeys;
mod lanes;
mod looks;
mod merges;
mod messages;
mod post;
mod slots;
mod waits;
