//! `file`: appends each message to a file, one JSON object a line.
//!
//! A message counts as sent once its line is on disk (`fdatasync`); messages that are under way together share one
//! sync. After a crash a line may be there twice, and the last one may be torn: readers drop repeated `message` keys
//! and a line that is not JSON.

use std::fs::{File as Disk, OpenOptions};
use std::io::{self, Write};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use futures_util::FutureExt;
use futures_util::future::BoxFuture;

use super::payload::Payload;
use super::{Channel, SendResult};
use crate::step::Delivery;

#[derive(Clone, Debug)]
pub struct File(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    file: Disk,
    /// Lines written so far.
    written: Mutex<u64>,
    /// Lines known to be on disk.
    synced: Mutex<u64>,
}

impl File {
    /// Opens `path` for appending; makes it and its folder if they are not there.
    pub fn open(path: &Path) -> io::Result<Self> {
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder)?;
        }
        let file = OpenOptions::new().create(true).append(true).open(path)?;
        // A torn last line must not swallow the next one.
        if file.metadata()?.len() > 0 && !ends_a_line(path)? {
            (&file).write_all(b"\n")?;
        }
        Ok(Self(Arc::new(Shared { file, written: Mutex::new(0), synced: Mutex::new(0) })))
    }
}

impl Channel for File {
    fn send<'a>(&'a self, delivery: &'a Delivery) -> BoxFuture<'a, SendResult> {
        let line = Payload(delivery).to_json() + "\n";
        let shared = Arc::clone(&self.0);
        async move {
            match tokio::task::spawn_blocking(move || shared.append(&line)).await {
                Ok(Ok(())) => SendResult::Accepted { detail: "written".into() },
                Ok(Err(error)) => SendResult::Ambiguous { detail: error.to_string().into() },
                Err(error) => SendResult::Ambiguous { detail: error.to_string().into() },
            }
        }
        .boxed()
    }

    /// Readers drop repeated keys.
    fn idempotent(&self) -> bool {
        true
    }
}

impl Shared {
    fn append(&self, line: &str) -> io::Result<()> {
        let mut written = self.written.lock().unwrap_or_else(PoisonError::into_inner);
        (&self.file).write_all(line.as_bytes())?;
        *written += 1;
        let mine = *written;
        drop(written);
        self.sync(mine)
    }

    /// Returns once line number `mine` is on disk; one sync serves everybody who wrote before it began.
    fn sync(&self, mine: u64) -> io::Result<()> {
        let mut synced = self.synced.lock().unwrap_or_else(PoisonError::into_inner);
        if *synced >= mine {
            return Ok(());
        }
        let written = *self.written.lock().unwrap_or_else(PoisonError::into_inner);
        self.file.sync_data()?;
        *synced = written;
        Ok(())
    }
}

fn ends_a_line(path: &Path) -> io::Result<bool> {
    use std::io::{Read, Seek, SeekFrom};
    let mut file = Disk::open(path)?;
    file.seek(SeekFrom::End(-1))?;
    let mut last = [0];
    file.read_exact(&mut last)?;
    Ok(last == *b"\n")
}
