//! `wayfare fmt` as people and editors call it.

use std::io::{ErrorKind, Write};
use std::path::Path;
use std::process::{Command, Output, Stdio};

const MESSY: &str = "tag a of customer{keep 2d}\n";
const TIDY: &str = "tag a of customer { keep 2 days }\n";
const BROKEN: &str = "tag a of customer { keep }\n";

fn fmt(folder: &Path, args: &[&str], stdin: &str) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_wayfare"));
    command.arg("fmt").args(args).current_dir(folder).env_remove("CLICOLOR_FORCE").env("NO_COLOR", "1");
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    match child.stdin.take().unwrap().write_all(stdin.as_bytes()) {
        // Who refuses the arguments ends without reading.
        Err(error) if error.kind() == ErrorKind::BrokenPipe => {}
        written => written.unwrap(),
    }
    child.wait_with_output().unwrap()
}

fn project(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    folder
}

fn said(output: &Output) -> (i32, String, String) {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    (output.status.code().unwrap(), text(&output.stdout), text(&output.stderr))
}

fn text(folder: &Path, name: &str) -> String {
    std::fs::read_to_string(folder.join(name)).unwrap()
}

#[test]
fn a_project_is_formatted_from_anywhere_in_it() {
    let files = [
        ("wayfare.toml", ""),
        (".gitignore", "build/\n"),
        ("a.journey", MESSY),
        ("loans/b.journey", MESSY),
        ("loans/c.journey", TIDY),
        ("build/d.journey", MESSY),
    ];
    let folder = project(&files);
    let (code, data, talk) = said(&fmt(&folder.path().join("loans"), &[], ""));
    assert_eq!((code, &*data, &*talk), (0, "", "2 files formatted, 1 file unchanged\n"));
    for name in ["a.journey", "loans/b.journey", "loans/c.journey"] {
        assert_eq!(text(folder.path(), name), TIDY);
    }
    assert_eq!(text(folder.path(), "build/d.journey"), MESSY);
    let leftovers = std::fs::read_dir(folder.path()).unwrap().count();
    assert_eq!(leftovers, 5, "no other file is left behind");
}

#[test]
fn checking_writes_nothing() {
    let folder = project(&[("a.journey", MESSY), ("b.journey", TIDY)]);
    let (code, data, talk) = said(&fmt(folder.path(), &["--check"], ""));
    assert_eq!((code, &*data, &*talk), (1, "a.journey\n", "1 file would be formatted, 1 file unchanged\n"));
    assert_eq!(text(folder.path(), "a.journey"), MESSY);
    assert_eq!(said(&fmt(folder.path(), &["--check", "b.journey"], "")).0, 0);
    let (code, data, _) = said(&fmt(folder.path(), &["--diff"], ""));
    let diff = "--- a.journey\n+++ a.journey\n@@ -1 +1 @@\n-tag a of customer{keep 2d}\n+tag a of customer { keep 2 days }\n";
    assert_eq!((code, &*data), (1, diff));
    assert_eq!(text(folder.path(), "a.journey"), MESSY);
}

#[test]
fn a_file_with_syntax_errors_is_left_alone_and_the_others_are_not() {
    let folder = project(&[("a.journey", MESSY), ("b.journey", BROKEN)]);
    let (code, data, talk) = said(&fmt(folder.path(), &[], ""));
    assert_eq!((code, &*data), (1, ""));
    assert_eq!(text(folder.path(), "a.journey"), TIDY);
    assert_eq!(text(folder.path(), "b.journey"), BROKEN);
    insta::assert_snapshot!(talk);
}

#[test]
fn stdin_goes_to_stdout() {
    let folder = project(&[]);
    assert_eq!(said(&fmt(folder.path(), &["-"], MESSY)), (0, TIDY.to_owned(), String::new()));
    assert_eq!(said(&fmt(folder.path(), &["-"], TIDY)), (0, TIDY.to_owned(), String::new()));
    let (code, data, talk) = said(&fmt(folder.path(), &["-"], BROKEN));
    assert_eq!((code, &*data), (1, ""));
    assert!(talk.contains("stdin"), "{talk}");
    assert_eq!(said(&fmt(folder.path(), &["-", "--check"], MESSY)), (1, String::new(), String::new()));
    assert_eq!(said(&fmt(folder.path(), &["-", "a.journey"], MESSY)).0, 2);
    assert_eq!(said(&fmt(folder.path(), &["none.journey"], "")).0, 2);
}

#[cfg(unix)]
#[test]
fn permissions_and_links_stay() {
    use std::os::unix::fs::PermissionsExt;
    let folder = project(&[("real.journey", MESSY)]);
    let real = folder.path().join("real.journey");
    std::fs::set_permissions(&real, std::fs::Permissions::from_mode(0o640)).unwrap();
    std::os::unix::fs::symlink("real.journey", folder.path().join("link.journey")).unwrap();
    assert_eq!(said(&fmt(folder.path(), &["link.journey"], "")).0, 0);
    assert!(folder.path().join("link.journey").is_symlink());
    assert_eq!(text(folder.path(), "real.journey"), TIDY);
    assert_eq!(std::fs::metadata(&real).unwrap().permissions().mode() & 0o777, 0o640);
}
