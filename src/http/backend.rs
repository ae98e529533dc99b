//! What the door needs of an engine. A trait, so that tests can put one behind the door that is full or broken.

use std::sync::Arc;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use jiff::Timestamp;

use crate::engine::audience::Funnel;
use crate::engine::partner::{Merchant, Redeemed};
use crate::engine::referral::{Answer, Followed, Marks};
use crate::engine::trial::Standing;
use crate::engine::why::Links;
use crate::engine::{EngineError, EngineHandle, Receipt, Stats, SubmitError};
use crate::ledger::Act;
use crate::name::Name;
use crate::program::Picture;
use crate::step::slots;
use crate::step::world::Kill;
use crate::step::{Event, RootKey, World};
use crate::store::{Acted, Directory, Ledger, Lotteries, PartnerCodes, Quarantined, Shown, TaskRow};

/// See the methods of the same names of [`EngineHandle`].
pub trait Backend: Send + Sync {
    fn submit(&self, events: Vec<(RootKey, Event)>) -> BoxFuture<'_, Result<Vec<Receipt>, SubmitError>>;

    fn quarantine(&self, records: Vec<Quarantined>) -> BoxFuture<'_, Result<(), EngineError>>;

    fn kill(&self, seen: u64, kill: Kill) -> BoxFuture<'_, Result<(), EngineError>>;

    /// Counts an audience; `None` if no live journey asks it.
    fn audience(&self, name: Name) -> BoxFuture<'_, Result<Option<Funnel>, EngineError>>;

    fn experiments(&self) -> BoxFuture<'_, Result<Vec<Standing>, EngineError>>;

    /// Of work for people; `None`: none is kept.
    fn directory(&self) -> Option<&dyn Directory>;

    fn task<'a>(&'a self, id: &'a str) -> BoxFuture<'a, Result<Option<TaskRow>, EngineError>>;

    fn link<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<Option<Vec<u8>>, EngineError>>;

    fn picture<'a>(&'a self, hash: &'a str) -> BoxFuture<'a, Result<Option<Picture>, EngineError>>;

    /// The books; `None`: none are kept.
    fn ledger(&self) -> Option<&dyn Ledger>;

    /// `None` where the store keeps no codes of partners.
    fn codes(&self) -> Option<&dyn PartnerCodes>;

    /// The code that comes with a gift.
    fn code_of(&self, gift: String) -> BoxFuture<'_, Result<Option<Shown>, EngineError>>;

    /// The customer has used it, there.
    fn redeem(
        &self,
        gift: String,
        merchant: Merchant,
    ) -> BoxFuture<'_, Result<Option<Redeemed>, EngineError>>;

    /// `None`: none are kept.
    fn lotteries(&self) -> Option<&dyn Lotteries>;

    fn act(&self, gift: String, act: Act) -> BoxFuture<'_, Result<Option<Acted>, EngineError>>;

    fn invite(
        &self,
        referral: Name,
        inviter: String,
        marks: Marks,
    ) -> BoxFuture<'_, Result<Answer, EngineError>>;

    fn follow(&self, followed: Followed) -> BoxFuture<'_, Result<Answer, EngineError>>;

    fn links_of(&self, holder: String) -> BoxFuture<'_, Result<Links, EngineError>>;

    fn slots(
        &self,
        root: RootKey,
        slots: Vec<Name>,
    ) -> BoxFuture<'_, Result<Vec<slots::Standing>, EngineError>>;

    fn world(&self) -> Arc<World>;

    /// Domain time.
    fn now(&self) -> Timestamp;

    fn stats(&self) -> Stats;
}

impl Backend for EngineHandle {
    fn submit(&self, events: Vec<(RootKey, Event)>) -> BoxFuture<'_, Result<Vec<Receipt>, SubmitError>> {
        self.submit(events).boxed()
    }

    fn quarantine(&self, records: Vec<Quarantined>) -> BoxFuture<'_, Result<(), EngineError>> {
        self.quarantine(records).boxed()
    }

    fn kill(&self, seen: u64, kill: Kill) -> BoxFuture<'_, Result<(), EngineError>> {
        self.kill(seen, kill).boxed()
    }

    fn audience(&self, name: Name) -> BoxFuture<'_, Result<Option<Funnel>, EngineError>> {
        self.audience(name).boxed()
    }

    fn experiments(&self) -> BoxFuture<'_, Result<Vec<Standing>, EngineError>> {
        self.experiments().boxed()
    }

    fn directory(&self) -> Option<&dyn Directory> {
        self.directory()
    }

    fn task<'a>(&'a self, id: &'a str) -> BoxFuture<'a, Result<Option<TaskRow>, EngineError>> {
        self.task(id).boxed()
    }

    fn link<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<Option<Vec<u8>>, EngineError>> {
        self.link(name).boxed()
    }

    fn picture<'a>(&'a self, hash: &'a str) -> BoxFuture<'a, Result<Option<Picture>, EngineError>> {
        self.picture(hash).boxed()
    }

    fn ledger(&self) -> Option<&dyn Ledger> {
        self.ledger()
    }

    fn codes(&self) -> Option<&dyn PartnerCodes> {
        self.codes()
    }

    fn code_of(&self, gift: String) -> BoxFuture<'_, Result<Option<Shown>, EngineError>> {
        async move { self.code_of(&gift).await }.boxed()
    }

    fn redeem(
        &self,
        gift: String,
        merchant: Merchant,
    ) -> BoxFuture<'_, Result<Option<Redeemed>, EngineError>> {
        async move { self.redeem(&gift, &merchant).await }.boxed()
    }

    fn lotteries(&self) -> Option<&dyn Lotteries> {
        self.lotteries()
    }

    fn act(&self, gift: String, act: Act) -> BoxFuture<'_, Result<Option<Acted>, EngineError>> {
        async move { self.act(&gift, act).await }.boxed()
    }

    fn invite(
        &self,
        referral: Name,
        inviter: String,
        marks: Marks,
    ) -> BoxFuture<'_, Result<Answer, EngineError>> {
        async move { self.invite(referral, &inviter, &marks).await }.boxed()
    }

    fn follow(&self, followed: Followed) -> BoxFuture<'_, Result<Answer, EngineError>> {
        async move { self.follow(&followed).await }.boxed()
    }

    fn links_of(&self, holder: String) -> BoxFuture<'_, Result<Links, EngineError>> {
        async move { self.links_of(&holder).await }.boxed()
    }

    fn slots(
        &self,
        root: RootKey,
        slots: Vec<Name>,
    ) -> BoxFuture<'_, Result<Vec<slots::Standing>, EngineError>> {
        async move { self.slots(&root, &slots).await }.boxed()
    }

    fn world(&self) -> Arc<World> {
        self.world()
    }

    fn now(&self) -> Timestamp {
        self.now()
    }

    fn stats(&self) -> Stats {
        self.stats()
    }
}
