//! Saves in a project: a hint from the file system, then a look at the files themselves.
//!
//! A hint may come early, twice or for a file that does not matter; what decides is whether the texts have changed.

use std::path::Path;
use std::time::Duration;

use notify_debouncer_full::notify::{RecommendedWatcher, RecursiveMode};
use notify_debouncer_full::{DebounceEventResult, Debouncer, RecommendedCache, new_debouncer};
use tokio::sync::mpsc;

use crate::cli::Failure;

/// Editors save in several steps; a look in between would see half a file.
const SETTLED: Duration = Duration::from_millis(150);

/// Hints that something below a folder has changed, for as long as it lives.
pub(in crate::cli) struct Watch {
    hints: mpsc::UnboundedReceiver<()>,
    _debouncer: Debouncer<RecommendedWatcher, RecommendedCache>,
}

impl Watch {
    /// Watches the folder, not its files: an atomic save replaces the file.
    pub(in crate::cli) fn folder(path: &Path) -> Result<Self, Failure> {
        let (sender, hints) = mpsc::unbounded_channel();
        // Events tell whole paths, with links resolved.
        let root = path.canonicalize().unwrap_or_else(|_| path.to_owned());
        let on_change = move |result: DebounceEventResult| {
            // An error means that events may have been lost: worth a look.
            let matters = result.map_or(true, |events| {
                events.iter().any(|event| {
                    !event.kind.is_access() && event.paths.iter().any(|path| is_seen(&root, path))
                })
            });
            if matters {
                // The receiver is gone only when the command ends.
                let _ = sender.send(());
            }
        };
        let failed = |error: &dyn std::fmt::Display| {
            Failure::new(format_args!("`{}` cannot be watched: {error}", path.display()))
        };
        let mut debouncer = new_debouncer(SETTLED, None, on_change).map_err(|error| failed(&error))?;
        debouncer.watch(path, RecursiveMode::Recursive).map_err(|error| failed(&error))?;
        Ok(Self { hints, _debouncer: debouncer })
    }

    /// The next hint; several that have gathered count as one.
    pub(in crate::cli) async fn changed(&mut self) {
        if self.hints.recv().await.is_none() {
            std::future::pending::<()>().await;
        }
        while self.hints.try_recv().is_ok() {}
    }
}

/// Whether a change of `path` can change a project: the store and other hidden things are written all the time.
fn is_seen(root: &Path, path: &Path) -> bool {
    let inside = path.strip_prefix(root).unwrap_or(path);
    let hidden = |part: &std::ffi::OsStr| part.to_string_lossy().starts_with('.') && part != ".gitignore";
    !inside.iter().any(hidden)
}
