//! `wayfare init`: a fresh folder that passes `check` and `test`, and nothing written over.

use std::fs;
use std::io::{BufRead, BufReader};
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

#[test]
fn a_fresh_project_passes_check_and_test() {
    let folder = tempfile::tempdir().unwrap();
    let (code, _, talk) = wayfare(folder.path(), &["init", "bank"]);
    assert_eq!(code, 0, "{talk}");
    let bank = folder.path().join("bank");
    let (code, data, talk) = wayfare(&bank, &["check"]);
    assert_eq!((code, data.as_str()), (0, ""), "{talk}");
    let (code, data, talk) = wayfare(&bank, &["test"]);
    assert_eq!(code, 0, "{data}{talk}");
    assert_eq!(data.lines().filter(|line| line.starts_with("ok ")).count(), 3, "{data}");
    assert!(fs::read_to_string(bank.join(".gitignore")).unwrap().contains(".wayfare/"));
}

#[test]
fn the_five_steps_pass_check_test_and_fmt() {
    let folder = tempfile::tempdir().unwrap();
    let (code, _, talk) = wayfare(folder.path(), &["init", "--template", "five-steps", "zones"]);
    assert_eq!(code, 0, "{talk}");
    let zones = folder.path().join("zones");
    for step in ["who", "place", "shelf", "operations", "reach"] {
        assert!(zones.join(format!("{step}.journey")).exists(), "{step}: {talk}");
    }
    let (code, data, talk) = wayfare(&zones, &["check"]);
    assert_eq!((code, data.as_str()), (0, ""), "{talk}");
    let (code, data, talk) = wayfare(&zones, &["fmt", "--check"]);
    assert_eq!(code, 0, "{data}{talk}");
    let (code, data, talk) = wayfare(&zones, &["test"]);
    assert_eq!(code, 0, "{data}{talk}");
    assert_eq!(data.lines().filter(|line| line.starts_with("ok ")).count(), 4, "{data}");
}

/// The daemon asks for no setting: it says where it listens. It is killed again at once.
#[test]
fn a_fresh_project_runs() {
    for template in ["welcome", "five-steps"] {
        let folder = tempfile::tempdir().unwrap();
        wayfare(folder.path(), &["init", "--template", template]);
        let mut command = Command::new(env!("CARGO_BIN_EXE_wayfare"));
        command.args(["run", "--listen", "127.0.0.1:0"]).current_dir(folder.path()).env("NO_COLOR", "1");
        let mut daemon =
            command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let talk = BufReader::new(daemon.stderr.take().unwrap());
        let mut said = Vec::new();
        for line in talk.lines() {
            said.push(line.unwrap());
            if said.last().unwrap().contains("listening on http://127.0.0.1:") {
                break;
            }
        }
        daemon.kill().unwrap();
        daemon.wait().unwrap();
        let last = said.last().map_or("", String::as_str);
        assert!(last.contains("listening on"), "{template}: {}", said.join("\n"));
    }
}

#[test]
fn the_workflow_calls_verbs_that_exist() {
    let folder = tempfile::tempdir().unwrap();
    wayfare(folder.path(), &["init"]);
    let workflow = fs::read_to_string(folder.path().join(".github/workflows/journeys.yml")).unwrap();
    let lines = workflow.lines().filter_map(|line| line.trim().strip_prefix("- run: wayfare "));
    let lines: Vec<Vec<&str>> = lines.map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(lines.len(), 3, "{workflow}");
    for line in lines {
        let (code, _, talk) = wayfare(folder.path(), &line);
        assert_eq!(code, 0, "{line:?}: {talk}");
    }
    let junit = fs::read_to_string(folder.path().join("journeys.xml")).unwrap();
    assert!(junit.contains(r#"<testsuites name="wayfare" tests="3" failures="0">"#), "{junit}");
}
