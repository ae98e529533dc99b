//! Reading what was decided about a subject, from its state row and the trace rows it points to.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::tz::TimeZone;

use super::deploy;
use super::handle::EngineError;
use super::pack::unpack;
use crate::step::{RootKey, State, Trace, World, codec};
use crate::store::{EdgeRow, PackedKind, RefusalRow, RowKey, RowRef, Store};

/// Links that are told of.
pub(super) const LINKS: usize = 1_000;

/// A subject and its newest decisions.
pub struct Account {
    pub state: State,
    /// In the order they were made.
    pub trace: Vec<Trace>,
    /// How many places of trace could not be read.
    pub unreadable: usize,
}

/// Who was brought by whom, and links that did not count.
pub type Links = (Vec<EdgeRow>, Vec<RefusalRow>);

/// The links of a root, of every referral.
///
/// # Errors
/// If the store cannot be read.
pub async fn links(store: &dyn Store, root: &RootKey) -> Result<Links, EngineError> {
    let Some(kept) = store.referrals() else { return Ok(Links::default()) };
    Ok(kept.links(&format!("{}/{}", root.entity, root.id), LINKS).await?)
}

/// The world of a store, for reading: words for the symbols and programs in an [`Account`].
pub async fn world(store: &dyn Store, zone: TimeZone) -> Result<Arc<World>, EngineError> {
    Ok(Arc::new(deploy::read(store, zone).await?))
}

/// What is known about `root`; `None` if there is no such subject.
pub async fn account(
    store: &dyn Store,
    world: &World,
    root: &RootKey,
) -> Result<Option<Account>, EngineError> {
    let Some(kind) = world.symbols.sym(root.entity) else { return Ok(None) };
    let key = RowKey::new(kind.0, root.entity.as_str(), Arc::clone(&root.id));
    let group = store.lease().group(key.bucket);
    let Some(row) = store.load(&[key]).await?.pop() else { return Ok(None) };
    let state = codec::decode(&row.body).map_err(|error| EngineError::Refused(error.to_string().into()))?;
    let places: Vec<RowRef> =
        state.trace_refs.iter().map(|(batch, _)| RowRef { batch: *batch, group }).collect();
    let rows = store.packed(PackedKind::Trace, &places).await?;
    let rows: BTreeMap<u64, _> = rows.into_iter().map(|row| (row.at.batch, row)).collect();
    let (mut trace, mut unreadable) = (Vec::new(), 0);
    for (batch, offset) in &state.trace_refs {
        let row = rows.get(batch);
        match row.and_then(|row| unpack::<Vec<Trace>>(row, PackedKind::Trace, *offset, &state.payload_key)) {
            Some(found) => trace.extend(found),
            None => unreadable += 1,
        }
    }
    Ok(Some(Account { state, trace, unreadable }))
}
