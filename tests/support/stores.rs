//! Both stores, behind one face: a story that is told of a store is told of each.

use std::path::PathBuf;
use std::sync::Arc;

use tempfile::TempDir;
use wayfare::store::{PostgresStore, SqliteStore, Store, StoreError, Worker};

use super::postgres;

/// Where a store is kept, to be opened again and again.
pub(crate) enum Place {
    File(TempDir),
    /// The URL of a database of its own.
    Database(String),
}

impl Place {
    pub(crate) fn file() -> Self {
        Self::File(tempfile::tempdir().unwrap())
    }

    /// `None` where there is no PostgreSQL, which is said aloud for `test`.
    pub(crate) async fn database(test: &str) -> Option<Self> {
        let server = postgres::server(test)?;
        Some(Self::Database(server.url(&server.database().await)))
    }

    pub(crate) fn is_file(&self) -> bool {
        matches!(self, Self::File(_))
    }

    /// An empty one of the same kind.
    pub(crate) async fn another(&self) -> Self {
        match self {
            Self::File(_) => Self::file(),
            Self::Database(_) => Self::database("another").await.expect("the server is there"),
        }
    }

    /// The store, for writing. Another one that is open, or was not closed, is an error on a file and fenced on a
    /// server: as a process that is started again.
    pub(crate) async fn open(&self, development: bool) -> Result<Arc<dyn Store>, StoreError> {
        match self {
            Self::File(folder) => {
                SqliteStore::open(&path(folder), development).await.map(SqliteStore::shared)
            }
            Self::Database(url) => {
                let worker = Worker::named("test");
                PostgresStore::open(url, &worker, development).await.map(PostgresStore::shared)
            }
        }
    }

    pub(crate) async fn reader(&self) -> Result<Arc<dyn Store>, StoreError> {
        match self {
            Self::File(folder) => SqliteStore::open_reader(&path(folder)).await.map(SqliteStore::shared),
            Self::Database(url) => PostgresStore::open_reader(url).await.map(PostgresStore::shared),
        }
    }
}

fn path(folder: &TempDir) -> PathBuf {
    folder.path().join("wayfare.db")
}

/// Makes a test on each store of every `async fn NAME(place: Place)`.
macro_rules! on_both_stores {
    ($($name:ident),+ $(,)?) => {
        mod sqlite {
            $(#[tokio::test]
            async fn $name() {
                super::$name(crate::support::stores::Place::file()).await;
            })+
        }
        mod postgres {
            $(#[tokio::test]
            async fn $name() {
                let test = concat!(module_path!(), "::", stringify!($name));
                if let Some(place) = crate::support::stores::Place::database(test).await {
                    super::$name(place).await;
                }
            })+
        }
    };
}
pub(crate) use on_both_stores;
