//! Where a round keeps its rows: a file, or a database of its own on a server.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::limit::{Crowd, Sizes, postgres, sqlite};
use crate::cli::Failure;
use crate::cli::client::block_on;
use crate::store::{PostgresStore, SqliteStore, Store};

pub(super) enum Place {
    File(PathBuf),
    Server {
        /// The URL of a database whose user may make and drop others.
        admin: String,
        name: String,
        url: String,
    },
}

impl Place {
    /// A new one in `folder`, or on the server of `admin`.
    pub(super) fn new(folder: &Path, admin: Option<&str>, name: &str) -> Result<Self, Failure> {
        let Some(admin) = admin else { return Ok(Self::File(folder.join(format!("{name}.db")))) };
        let name = format!("wayfare_bench_{}_{name}", std::process::id());
        let url = block_on(async { postgres::create(admin, &name).await.map_err(|error| failed(&error)) })?;
        Ok(Self::Server { admin: admin.to_owned(), name, url })
    }

    /// What a daemon's settings say of it.
    pub(super) fn settings(&self) -> String {
        match self {
            Self::File(path) => format!("\n[store]\nurl = \"sqlite:{}\"\n", path.display()),
            Self::Server { url, .. } => format!("\n[store]\nurl = \"{url}\"\n"),
        }
    }

    /// For reading, while no daemon writes.
    pub(super) async fn open(&self) -> Result<Arc<dyn Store>, Failure> {
        let opened = match self {
            Self::File(path) => SqliteStore::open_reader(path).await.map(SqliteStore::shared),
            Self::Server { url, .. } => PostgresStore::open_reader(url).await.map(PostgresStore::shared),
        };
        opened.map_err(|error| failed(&error))
    }

    /// Brings a file into the system's memory, as it is on a machine that has the room and takes none of it away. Only where nobody in this
    /// process has the store open.
    pub(super) async fn warm(&self) -> Result<(), Failure> {
        let Self::File(path) = self else { return Ok(()) };
        let read = {
            let path = path.clone();
            move || std::io::copy(&mut std::fs::File::open(path)?, &mut std::io::sink())
        };
        match tokio::task::spawn_blocking(read).await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(error)) => Err(Failure::file("read", path, &error)),
            Err(error) => Err(failed(&error)),
        }
    }

    /// Seconds that the plain loop takes here.
    pub(super) async fn limit(&self, crowd: Crowd, sizes: &Sizes) -> Result<f64, Failure> {
        let seconds = match self {
            Self::File(path) => sqlite::write(path, crowd, sizes).await,
            Self::Server { url, .. } => postgres::write(url, crowd, sizes).await,
        };
        seconds.map_err(|error| Failure::new(format_args!("the limit loop failed: {error}")))
    }

    /// Bytes that it had. A file goes with its folder.
    pub(super) fn take_away(&self) -> Result<u64, Failure> {
        match self {
            Self::File(path) => Ok(std::fs::metadata(path).map(|file| file.len()).unwrap_or_default()),
            Self::Server { admin, name, .. } => {
                block_on(async { postgres::take_away(admin, name).await.map_err(|error| failed(&error)) })
            }
        }
    }
}

fn failed(error: &dyn std::fmt::Display) -> Failure {
    Failure::new(format_args!("the store of the benchmark failed: {error}"))
}
