//! A benchmark counts only if the work was done: every customer entered once, whose wait was over has ended, and those who did
//! not open got the SMS, but for the few whose open came too late because the machine was slower than their wait.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::cli::Failure;
use crate::engine::why;
use crate::name::Name;
use crate::step::{State, codec};
use crate::store::Store;

const PAGE: usize = 10_000;

/// Late opens that are still the same workload: one in so many customers.
const LATE_AT_MOST: usize = 50;

/// What the store holds of a finished run.
pub(super) struct Verified {
    /// Bytes of a state row at its end, on average.
    pub(super) state: usize,
    /// Bytes of one that waits.
    pub(super) waiting: usize,
    /// Customers whose wait was over, and nobody had opened.
    pub(super) due: usize,
    /// Customers who opened in vain: their SMS was already decided.
    pub(super) late: usize,
}

/// What went through a journey.
#[derive(Default)]
struct Crowd {
    rows: usize,
    /// Bytes of rows that have ended.
    done: usize,
    /// Bytes of rows that wait.
    waiting: usize,
    entered: usize,
    ended: usize,
    overdue: usize,
    messages: usize,
}

impl Crowd {
    fn add(&mut self, bytes: usize, state: &State, due: Timestamp) {
        self.rows += 1;
        self.entered += state.entries.len();
        self.messages += state.messages.len();
        let ended = state.entries.iter().filter(|entry| entry.ended.is_some()).count();
        self.ended += ended;
        // An entry has the time of its event; the wait begins with the first message.
        let first = state.messages.iter().map(|message| message.at).min();
        let waits = ended < state.entries.len();
        *(if waits { &mut self.waiting } else { &mut self.done }) += bytes;
        self.overdue += usize::from(waits && first.is_none_or(|at| at <= due));
    }
}

/// `opened`: how many customers opened the first message. Who got it by `due` must have ended.
pub(super) async fn nobody_was_left(
    store: &dyn Store,
    customers: usize,
    opened: usize,
    due: Timestamp,
) -> Result<Verified, Failure> {
    let failed =
        |error: &dyn std::fmt::Display| Failure::new(format_args!("the store cannot be read: {error}"));
    let world = why::world(store, TimeZone::UTC).await.map_err(|error| failed(&error))?;
    let kind = world.symbols.sym(Name::new("customer")).map_or(0, |sym| sym.0);
    let mut crowd = Crowd::default();
    let mut after = None;
    loop {
        let page = store.scan(kind, after.as_ref(), PAGE).await.map_err(|error| failed(&error))?;
        let Some(last) = page.last() else { break };
        after = Some(last.key.clone());
        for row in &page {
            let state = codec::decode(&row.body).map_err(|error| failed(&error))?;
            crowd.add(row.body.len(), &state, due);
        }
    }
    let Crowd { rows, done, waiting, entered, ended, overdue, messages } = crowd;
    let expected = customers + ended.saturating_sub(opened);
    let late = messages.saturating_sub(expected);
    let is_whole = (rows, entered, overdue) == (customers, customers, 0);
    if is_whole && messages >= expected && late <= customers / LATE_AT_MOST {
        let [state, waiting] = [done / ended.max(1), waiting / rows.saturating_sub(ended).max(1)];
        return Ok(Verified { state, waiting, due: messages - rows, late });
    }
    Err(Failure::new(format_args!(
        "the work was not done: of {customers} customers {rows} are stored, {entered} have entered, {ended} have ended, {overdue} should have, and {messages} messages were sent instead of {expected}"
    ))
    .help("the daemon may have been too slow to take opens within the wait; try a smaller --batch, or more --waiting"))
}
