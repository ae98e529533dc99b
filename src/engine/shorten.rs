//! Links in text messages: led through short names, which are written in the transaction that lets the message out.
//!
//! Whoever holds a bucket is the only one who writes its names, so what a look before the commit finds free is free. And
//! who is forgotten, in what is kept beside the rows.

use std::collections::BTreeMap;
use std::sync::Arc;

use ring::digest::{SHA256, digest};

use super::batch::Made;
use super::desk;
use crate::channel::track::short::names_of;
use crate::channel::track::{self, Tracks};
use crate::config;
use crate::name::Name;
use crate::step::input::escaped;
use crate::step::{RootKey, Sym, World};
use crate::store::{Erased, Lease, LinkRow, Links, RowKey, Store, StoreError, bucket};

/// Names that are tried for a link before it stays as it is written. Even with a hundred million names one is taken once in
/// a million times.
const MOST_TRIES: u32 = 8;

/// Gives links their short names.
#[derive(Clone)]
pub struct Shortener {
    tracks: Tracks,
    channels: Arc<[Name]>,
}

/// A link of a message of a batch.
struct Wanted {
    /// Which of the sends.
    send: usize,
    message: String,
    to: Arc<str>,
    bucket: u16,
    row: LinkRow,
    nth: u32,
    done: bool,
}

impl Shortener {
    /// `None` where no channel has short links.
    #[must_use]
    pub fn new(settings: &config::Links, tracks: &Tracks) -> Option<Self> {
        let channels: Arc<[Name]> = settings.short.as_slice().into();
        (!channels.is_empty()).then(|| Self { tracks: tracks.clone(), channels })
    }

    /// Puts short names into the messages that are about to leave, and the names into the commit.
    pub(super) async fn shorten(
        &self,
        store: &dyn Store,
        world: &World,
        lease: &Lease,
        made: &mut Made,
    ) -> Result<(), StoreError> {
        let Some(links) = store.links() else { return Ok(()) };
        let mut wanted = self.wanted(world, lease, made);
        let rows = self.settle(links, &mut wanted).await?;
        made.commit.links.extend(rows);
        let mut of: BTreeMap<usize, Vec<(Arc<str>, String)>> = BTreeMap::new();
        for one in wanted.into_iter().filter(|one| one.done) {
            of.entry(one.send).or_default().push((one.to, self.tracks.address(&one.row.name)));
        }
        for (at, addresses) in of {
            let Some((_, delivery)) = made.sends.get_mut(at) else { continue };
            let through = |link: &str| {
                addresses.iter().find(|(to, _)| **to == *link).map(|(_, address)| address.clone())
            };
            self.tracks.lead(delivery, &through);
        }
        Ok(())
    }

    fn wanted(&self, world: &World, lease: &Lease, made: &Made) -> Vec<Wanted> {
        let mut wanted = Vec::new();
        for (send, (ticket, delivery)) in made.sends.iter().enumerate() {
            if !self.channels.contains(&delivery.channel) {
                continue;
            }
            let Some(entity) = world.symbols.name(Sym(ticket.queued.kind)) else { continue };
            let bucket = bucket::of(entity.as_str(), &ticket.queued.id);
            let whom = whom(entity, &ticket.queued.id);
            let message = delivery.message.to_string();
            for to in track::links(delivery) {
                let Some(body) = self.tracks.sealed(&message, &to) else { continue };
                let name = self.tracks.name(bucket, (&message, &to), 0);
                let row = LinkRow { group: lease.group(bucket), name, whom, body };
                wanted.push(Wanted { send, message: message.clone(), to, bucket, row, nth: 0, done: false });
            }
        }
        wanted
    }

    /// Finds each its name: one that is free, or has it already. Returns the rows that are new.
    async fn settle(&self, links: &dyn Links, wanted: &mut [Wanted]) -> Result<Vec<LinkRow>, StoreError> {
        let mut new = Vec::new();
        let mut taken: BTreeMap<String, Vec<u8>> = BTreeMap::new();
        for _ in 0..MOST_TRIES {
            let open = wanted.iter().filter(|one| !one.done);
            let names: Vec<(u16, String)> = open.map(|one| (one.row.group, one.row.name.clone())).collect();
            if names.is_empty() {
                break;
            }
            taken.extend(links.links(&names).await?.into_iter().map(|row| (row.name, row.body)));
            for one in wanted.iter_mut().filter(|one| !one.done) {
                match taken.get(&one.row.name) {
                    Some(body) if *body == one.row.body => one.done = true,
                    Some(_) => {
                        one.nth += 1;
                        one.row.name = self.tracks.name(one.bucket, (&one.message, &one.to), one.nth);
                    }
                    None => {
                        one.done = true;
                        taken.insert(one.row.name.clone(), one.row.body.clone());
                        new.push(one.row.clone());
                    }
                }
            }
        }
        Ok(new)
    }
}

/// A hash of whose a link is.
fn whom(entity: Name, id: &str) -> i64 {
    let hash = digest(&SHA256, format!("{entity}/{id}").as_bytes());
    hash.as_ref().iter().take(8).fold(0, |sum, byte| (sum << 8) | i64::from(*byte))
}

/// What is to be forgotten beside the row of a root.
pub(super) fn forgotten(lease: &Lease, key: &RowKey, root: &RootKey) -> Erased {
    Erased {
        group: lease.group(key.bucket),
        whom: whom(root.entity, &root.id),
        names: names_of(key.bucket),
        tasks: desk::ids_of(key.bucket),
        entity: root.entity.to_string(),
        root: escaped(&root.id),
        id: root.id.to_string(),
    }
}
