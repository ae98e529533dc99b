//! `wayfare init`: a fresh folder that passes `check` and `test`, and nothing written over.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

/// Exit code, stdout and stderr of `wayfare args` in `folder`.
fn wayfare(folder: &Path, args: &[&str]) -> (i32, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_wayfare"));
    command
        .args(args)
        .current_dir(folder)
        .env_remove("CLICOLOR_FORCE")
        .env("NO_COLOR", "1")
        .stdin(Stdio::null());
    let output = command.output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    (output.status.code().unwrap(), text(&output.stdout), text(&output.stderr))
}

#[test]
fn nothing_is_written_over() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("welcome.journey"), "mine").unwrap();
    let (code, _, talk) = wayfare(folder.path(), &["init"]);
    assert_eq!(code, 2, "{talk}");
    assert!(talk.contains("`./welcome.journey` is already there"), "{talk}");
    let left: Vec<_> = fs::read_dir(folder.path()).unwrap().collect();
    assert_eq!(left.len(), 1);
    assert_eq!(fs::read_to_string(folder.path().join("welcome.journey")).unwrap(), "mine");
}
