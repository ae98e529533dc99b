//! Who invites whom, on a server: whoever binds holds the row of the referral until it is done.

use futures_util::FutureExt;
use sqlx::postgres::PgRow;
use sqlx::{PgPool, Postgres, Row as _, Transaction};

use super::lease::check_life;
use super::write::begin;
use super::{PostgresStore, again};
use crate::store::referral::{decide, queries, sql};
use crate::store::{
    Binding, Bound, CodeRow, Commit, EdgeRow, Referrals, RefusalRow, StoreError, Stored, row,
};

const KNOWN: &str = "INSERT INTO referral (name, bound) VALUES ($1, 0) ON CONFLICT DO NOTHING";
const HOLD: &str = "UPDATE referral SET bound = bound + 1 WHERE name = $1";

type Tx = Transaction<'static, Postgres>;

queries!(PgRow, Tx, PgPool);

impl PostgresStore {
    /// A transaction of this worker, unless its life is over. Batches that are committed meanwhile are not waited for.
    async fn own(&self) -> Result<Tx, StoreError> {
        let (life, _) = self.writing.as_ref().ok_or(StoreError::ReadOnly)?;
        let mut tx = begin(&self.pool).await?;
        check_life(&mut tx, &life.worker.name, life.epoch).await?;
        Ok(tx)
    }

    async fn bind(&self, binding: &Binding) -> Result<Bound, StoreError> {
        let mut tx = self.own().await?;
        for statement in [KNOWN, HOLD] {
            sqlx::query(statement).bind(&binding.edge.referral).execute(&mut *tx).await?;
        }
        let bound = settle(&mut tx, binding).await?;
        tx.commit().await?;
        Ok(bound)
    }

    async fn keep(&self, code: &CodeRow) -> Result<Option<CodeRow>, StoreError> {
        let mut tx = self.own().await?;
        let kept = keep(&mut tx, code).await?;
        tx.commit().await?;
        Ok(kept)
    }

    async fn note(&self, edge: &EdgeRow, at: i64) -> Result<(), StoreError> {
        let mut tx = self.own().await?;
        note(&mut tx, edge, at).await?;
        tx.commit().await?;
        Ok(())
    }
}

impl Referrals for PostgresStore {
    fn hand_out<'a>(&'a self, code: &'a CodeRow) -> Stored<'a, Option<CodeRow>> {
        self.keep(code).boxed()
    }

    fn code<'a>(&'a self, text: &'a str) -> Stored<'a, Option<CodeRow>> {
        again(move || code(&self.pool, text).boxed()).boxed()
    }

    fn bind<'a>(&'a self, binding: &'a Binding) -> Stored<'a, Bound> {
        self.bind(binding).boxed()
    }

    fn heard<'a>(&'a self, edge: &'a EdgeRow, at: i64) -> Stored<'a, ()> {
        self.note(edge, at).boxed()
    }

    fn unheard(&self, before: i64, limit: usize) -> Stored<'_, Vec<EdgeRow>> {
        again(move || unheard(&self.pool, before, limit).boxed()).boxed()
    }

    fn links<'a>(&'a self, whom: &'a str, limit: usize) -> Stored<'a, (Vec<EdgeRow>, Vec<RefusalRow>)> {
        again(move || links(&self.pool, whom, limit).boxed()).boxed()
    }
}
