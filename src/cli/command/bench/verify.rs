//! A benchmark counts only if the work was done: every customer has ended, and those who did not open got the SMS, but
//! for the few whose open came too late because the machine was slower than their wait.

use jiff::tz::TimeZone;

use crate::cli::Failure;
use crate::engine::why;
use crate::name::Name;
use crate::step::codec;
use crate::store::Store;

const PAGE: usize = 10_000;

/// Late opens that are still the same workload: one in so many customers.
const LATE_AT_MOST: usize = 50;

/// What the store holds of a finished run.
pub(super) struct Verified {
    /// Bytes of a state row, on average.
    pub(super) state: usize,
    /// Customers who opened in vain: their SMS was already decided.
    pub(super) late: usize,
}

/// `opened`: how many customers opened the first message.
pub(super) async fn everybody_went_through(
    store: &dyn Store,
    customers: usize,
    opened: usize,
) -> Result<Verified, Failure> {
    let failed =
        |error: &dyn std::fmt::Display| Failure::new(format_args!("the store cannot be read: {error}"));
    let world = why::world(store, TimeZone::UTC).await.map_err(|error| failed(&error))?;
    let kind = world.symbols.sym(Name::new("customer")).map_or(0, |sym| sym.0);
    let (mut rows, mut bytes, mut ended, mut messages) = (0_usize, 0_usize, 0_usize, 0_usize);
    let mut after = None;
    loop {
        let page = store.scan(kind, after.as_ref(), PAGE).await.map_err(|error| failed(&error))?;
        let Some(last) = page.last() else { break };
        after = Some(last.key.clone());
        for row in &page {
            let state = codec::decode(&row.body).map_err(|error| failed(&error))?;
            rows += 1;
            bytes += row.body.len();
            ended += state.entries.iter().filter(|entry| entry.ended.is_some()).count();
            messages += state.messages.len();
        }
    }
    let expected = customers + customers.saturating_sub(opened);
    let late = messages.saturating_sub(expected);
    if (rows, ended) == (customers, customers) && messages >= expected && late <= customers / LATE_AT_MOST {
        return Ok(Verified { state: bytes / rows.max(1), late });
    }
    Err(Failure::new(format_args!(
        "the work was not done: of {customers} customers {rows} are stored, {ended} have ended, and {messages} messages were sent instead of {expected}"
    ))
    .help("the daemon may have been too slow to take opens within the wait; try a smaller --batch, or more --waiting"))
}
