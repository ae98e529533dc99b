//! What the databases say, in the store's words.

use sqlx::postgres::PgDatabaseError;

use super::{StoreError, postgres, sqlite};

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        match error {
            sqlx::Error::Database(said) => match said.try_downcast_ref::<PgDatabaseError>() {
                Some(said) => postgres::error::from_state(said.code(), said.message()),
                None => sqlite::error::from_code(said.code().as_deref(), said.message()),
            },
            sqlx::Error::Io(reason) => Self::Unreachable(reason.to_string()),
            sqlx::Error::Tls(reason) => Self::Unreachable(reason.to_string()),
            sqlx::Error::PoolTimedOut => Self::Unreachable("no connection in time".to_owned()),
            sqlx::Error::PoolClosed => Self::Database("the store is closed".to_owned()),
            other => Self::Database(other.to_string()),
        }
    }
}
