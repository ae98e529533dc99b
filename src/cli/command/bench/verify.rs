//! A benchmark counts only if the work was done: every customer has ended, and half of them got the SMS.

use std::path::Path;

use jiff::tz::TimeZone;

use crate::cli::Failure;
use crate::engine::why;
use crate::name::Name;
use crate::step::codec;
use crate::store::{SqliteStore, Store};

const PAGE: usize = 10_000;

/// Bytes of a state row, on average.
pub(super) async fn everybody_went_through(store: &Path, customers: usize) -> Result<usize, Failure> {
    let failed =
        |error: &dyn std::fmt::Display| Failure::new(format_args!("the store cannot be read: {error}"));
    let store = SqliteStore::open_reader(store).await.map_err(|error| failed(&error))?;
    let world = why::world(&store, TimeZone::UTC).await.map_err(|error| failed(&error))?;
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
    let expected = (customers, customers, customers + customers / 2);
    let found = (rows, ended, messages);
    if found == expected {
        return Ok(bytes / rows.max(1));
    }
    Err(Failure::new(format_args!(
        "the work was not done: (customers, ended, messages) are {found:?} instead of {expected:?}"
    ))
    .help("the daemon may have been too slow to take opens within the wait of 2 s; try a smaller --batch"))
}
