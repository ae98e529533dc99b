//! The worked examples of this repository that stories of the runtime tell of. The other journeys beside them are left
//! out: they would answer to the same events.

use std::path::{Path, PathBuf};

use wayfare::compile::Input;

/// Files of `journeys/`, without their ending.
pub(crate) const EXAMPLES: [&str; 6] =
    ["model", "bind_card_recall", "first_loan", "login_activation", "maturity", "opening_nudge"];

pub(crate) fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("journeys")
}

/// The examples, and what they import.
pub(crate) fn input() -> Input {
    of(&EXAMPLES)
}

/// These files of `journeys/`, and what they import.
pub(crate) fn of(stems: &[&str]) -> Input {
    let mut input = wayfare::project::load(&[folder()]).unwrap().input;
    input.files.retain(|file| {
        let stem = Path::new(&*file.path).file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
        file.path.starts_with("std/") || stems.contains(&stem)
    });
    input
}
