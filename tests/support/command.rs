//! The program as it is typed.

use std::path::Path;
use std::process::{Command, Stdio};

/// `wayfare args` in `folder`: the exit code, and both streams.
pub(crate) fn wayfare(folder: &Path, args: &[&str]) -> (i32, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_wayfare"));
    command.args(args).current_dir(folder).env_remove("CLICOLOR_FORCE").env("NO_COLOR", "1");
    let output = command.stdin(Stdio::null()).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

/// The same as people see it.
pub(crate) fn transcript(folder: &Path, args: &[&str]) -> String {
    let (code, data, talk) = wayfare(folder, args);
    format!("$ wayfare {}\nexit: {code}\n--- stdout\n{data}--- stderr\n{talk}", args.join(" "))
}
