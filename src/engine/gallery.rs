//! Pictures that were deployed, for all workers: each is kept once, under the hash of what is in it, and stays, since the app
//! of a customer may still know its address.

use std::collections::{BTreeMap, BTreeSet};

use crate::program::{Hash, Picture};
use crate::store::{Store, StoreError};

const KEPT: &str = "picture/";

fn name(hash: &str) -> String {
    format!("{KEPT}{hash}")
}

/// Keeps those that the store does not have yet.
pub(super) async fn keep(store: &dyn Store, pictures: BTreeMap<Hash, Picture>) -> Result<(), StoreError> {
    let names: Vec<String> = pictures.keys().map(|hash| name(hash)).collect();
    if names.is_empty() {
        return Ok(());
    }
    let known: BTreeSet<String> = store.metas(&names).await?.into_iter().map(|(name, _)| name).collect();
    for (name, picture) in names.into_iter().zip(pictures.values()).filter(|(name, _)| !known.contains(name))
    {
        store.set_meta(&[(name, picture.to_text())]).await?;
    }
    Ok(())
}

pub(super) async fn picture(store: &dyn Store, hash: &str) -> Result<Option<Picture>, StoreError> {
    Ok(store.meta(&name(hash)).await?.and_then(|text| Picture::of_text(&text)))
}
