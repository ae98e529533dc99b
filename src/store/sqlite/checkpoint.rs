//! Copying the write-ahead log into the file beside the writer. Left to itself SQLite does it within the commit that finds
//! the log too long, and whoever waits for that commit waits for thousands of pages and a flush of the file.
//!
//! A passive checkpoint locks nobody out. What was written meanwhile is left, so it goes over the log again until nothing is:
//! then the next commit begins the log anew. If that never happens SQLite's own checkpoint is the bound ([`LONGEST_LOG`]).

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use sqlx::SqlitePool;

use crate::store::{Commit, StoreError};

/// Pages of log, about, before it is copied (256 MiB): each changed page is copied once, however often it changed, so at the
/// usual 1,000 pages random writes would cost every page twice.
const LONG_LOG: usize = 65_536;
/// Pages of log before the writer copies it itself, as a text for SQLite.
pub(super) const LONGEST_LOG: &str = "131072";
/// How often it goes over the log. The first time leaves what was written while it copied, the second a small part of that.
const MOST_PASSES: usize = 4;
const PAGE: usize = 4_096;

pub(super) struct Checkpoints {
    /// One connection of its own.
    pool: SqlitePool,
    /// Pages written since the last one began, as far as the rows say.
    pages: AtomicUsize,
    under_way: Arc<AtomicBool>,
}

impl Checkpoints {
    pub(super) fn new(pool: SqlitePool) -> Self {
        Self { pool, pages: AtomicUsize::new(0), under_way: Arc::default() }
    }

    /// `commit` is in the log now.
    pub(super) fn wrote(&self, commit: &Commit) {
        let pages = pages(commit) + self.pages.fetch_add(pages(commit), Ordering::Relaxed);
        if pages < LONG_LOG || self.under_way.swap(true, Ordering::AcqRel) {
            return;
        }
        self.pages.store(0, Ordering::Relaxed);
        let (pool, under_way) = (self.pool.clone(), Arc::clone(&self.under_way));
        tokio::spawn(async move {
            if let Err(error) = copy(&pool).await {
                tracing::warn!(%error, "the log of the store cannot be copied into its file yet");
            }
            under_way.store(false, Ordering::Release);
        });
    }

    pub(super) async fn close(&self) {
        self.pool.close().await;
    }
}

async fn copy(pool: &SqlitePool) -> Result<(), StoreError> {
    for _ in 0..MOST_PASSES {
        let query = sqlx::query_as("PRAGMA wal_checkpoint(PASSIVE)");
        let (_, log, copied): (i64, i64, i64) = query.fetch_one(pool).await?;
        if copied >= log {
            break;
        }
    }
    Ok(())
}

/// Each row of a customer or an event is on a page of its own, nearly; what is packed fills pages.
fn pages(commit: &Commit) -> usize {
    let packed = commit.log.iter().chain(&commit.trace).map(|row| row.body.len());
    let bytes: usize = packed.chain(commit.outbox.iter().map(|row| row.body.len())).sum();
    commit.states.len() + commit.dedup.len() + bytes / PAGE + 8
}
