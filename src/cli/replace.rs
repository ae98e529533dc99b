//! Replacing a file whole: who reads it meanwhile, or after a crash, sees the old text or the new one.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// Gives the file at `path` the text `text`. Its permissions stay; a link stays a link, and its target is replaced.
///
/// # Errors
/// The file is not there or may not be written, or its folder has no room for a second copy.
pub(super) fn replace(path: &Path, text: &str) -> io::Result<()> {
    let target = fs::canonicalize(path)?;
    // Renaming asks the folder only: a file that is protected from writing would be replaced all the same.
    let permissions = OpenOptions::new().write(true).open(&target)?.metadata()?.permissions();
    let beside = beside(&target);
    let written = write(&beside, text, permissions).and_then(|()| fs::rename(&beside, &target));
    if written.is_err() {
        let _ = fs::remove_file(&beside);
    }
    written
}

fn write(path: &Path, text: &str, permissions: fs::Permissions) -> io::Result<()> {
    let mut file = File::create(path)?;
    file.write_all(text.as_bytes())?;
    file.set_permissions(permissions)?;
    file.sync_all()
}

/// A name in the same folder, hence on the same disk, that no journey has.
fn beside(target: &Path) -> PathBuf {
    let name = target.file_name().unwrap_or_default().to_string_lossy();
    target.with_file_name(format!(".{name}.{}.tmp", std::process::id()))
}
