//! Where the settings keep the store, and opening it there.

use std::path::PathBuf;
use std::sync::Arc;

use super::Failure;
use super::settings::Settings;
use crate::config;
use crate::store::{PostgresStore, SqliteStore, Store, StoreError, Worker};

/// Opens the store for writing, one that is on a server beside other workers. `port`: where this daemon listens already,
/// which tells it from others on the same machine.
pub async fn open(settings: &Settings, development: bool, port: u16) -> Result<Arc<dyn Store>, Failure> {
    match &settings.config.store {
        config::Store::Sqlite { path } => {
            let path = settings.path(path);
            if let Some(folder) = path.parent() {
                std::fs::create_dir_all(folder).map_err(|error| Failure::file("make", folder, &error))?;
            }
            let opened = SqliteStore::open(&path, development).await;
            opened.map(SqliteStore::shared).map_err(|error| refused("open", settings, &error))
        }
        config::Store::Postgres { url, worker } => {
            let name = worker.clone().unwrap_or_else(|| format!("{}:{port}", host()));
            let opened = PostgresStore::open(url.expose(), &Worker::named(name), development).await;
            opened.map(PostgresStore::shared).map_err(|error| refused("open", settings, &error))
        }
    }
}

/// Opens the store for reading, beside a daemon that writes it.
pub async fn open_reader(settings: &Settings) -> Result<Arc<dyn Store>, Failure> {
    let opened = match &settings.config.store {
        config::Store::Sqlite { path } => {
            SqliteStore::open_reader(&settings.path(path)).await.map(SqliteStore::shared)
        }
        config::Store::Postgres { url, .. } => {
            PostgresStore::open_reader(url.expose()).await.map(PostgresStore::shared)
        }
    };
    opened.map_err(|error| refused("read", settings, &error))
}

/// The file of the store; a failure where it is on a server.
pub fn file(settings: &Settings) -> Result<PathBuf, Failure> {
    match &settings.config.store {
        config::Store::Sqlite { path } => Ok(settings.path(path)),
        config::Store::Postgres { .. } => Err(Failure::new(format_args!(
            "the store is on a server, `{}`, and not in a file",
            name(settings)
        ))
        .help("run this in a folder whose wayfare.toml sets no `[store]`")),
    }
}

fn refused(what: &str, settings: &Settings, error: &StoreError) -> Failure {
    let failure = Failure::new(format_args!("cannot {what} the store `{}`: {error}", name(settings)));
    match error {
        StoreError::InUse(_) => failure.help("another daemon is running on it; stop that one first"),
        _ if what == "read" => {
            failure.help("`wayfare run` or `wayfare dev` makes it; ask in the same project")
        }
        _ => failure,
    }
}

/// For messages: the path, or the server and the database without who is let in and how.
fn name(settings: &Settings) -> String {
    match &settings.config.store {
        config::Store::Sqlite { path } => settings.path(path).display().to_string(),
        config::Store::Postgres { url, .. } => {
            let place = url.expose().split("://").last().unwrap_or_default();
            let place = place.rsplit('@').next().unwrap_or_default();
            format!("postgres://{}", place.split('?').next().unwrap_or_default())
        }
    }
}

fn host() -> String {
    let named =
        std::fs::read_to_string("/proc/sys/kernel/hostname").ok().or_else(|| std::env::var("HOSTNAME").ok());
    named.map_or_else(|| "localhost".to_owned(), |name| name.trim().to_owned())
}
