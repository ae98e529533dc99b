//! Who invites whom, in a file: there is one writer, so that whoever binds is alone.

use futures_util::FutureExt;
use sqlx::sqlite::SqliteRow;
use sqlx::{Row as _, SqlitePool};

use super::SqliteStore;
use super::write::{Tx, begin, give_back, held};
use crate::store::referral::{decide, queries, sql};
use crate::store::{
    Binding, Bound, CodeRow, Commit, EdgeRow, Referrals, RefusalRow, StoreError, Stored, row,
};

queries!(SqliteRow, Tx<'_>, SqlitePool);

/// Does one thing in a transaction.
macro_rules! alone {
    ($store:expr, $done:ident($($with:expr),+)) => {{
        let mut writer = $store.writer()?.acquire().await?;
        let done = async {
            let mut tx = begin(&mut writer).await?;
            held(&mut tx, &$store.lease).await?;
            let done = $done(&mut tx, $($with),+).await?;
            tx.commit().await?;
            Ok(done)
        };
        match done.await {
            Ok(done) => give_back(writer, Ok(())).await.map(|()| done),
            Err(error) => match give_back(writer, Err(error)).await {
                Err(error) => Err(error),
                Ok(()) => Err(StoreError::Conflict),
            },
        }
    }};
}

impl Referrals for SqliteStore {
    fn hand_out<'a>(&'a self, code: &'a CodeRow) -> Stored<'a, Option<CodeRow>> {
        async move { alone!(self, keep(code)) }.boxed()
    }

    fn code<'a>(&'a self, text: &'a str) -> Stored<'a, Option<CodeRow>> {
        code(&self.readers, text).boxed()
    }

    fn bind<'a>(&'a self, binding: &'a Binding) -> Stored<'a, Bound> {
        async move { alone!(self, settle(binding)) }.boxed()
    }

    fn heard<'a>(&'a self, edge: &'a EdgeRow, at: i64) -> Stored<'a, ()> {
        async move { alone!(self, note(edge, at)) }.boxed()
    }

    fn unheard(&self, before: i64, limit: usize) -> Stored<'_, Vec<EdgeRow>> {
        unheard(&self.readers, before, limit).boxed()
    }

    fn links<'a>(&'a self, whom: &'a str, limit: usize) -> Stored<'a, (Vec<EdgeRow>, Vec<RefusalRow>)> {
        links(&self.readers, whom, limit).boxed()
    }
}
