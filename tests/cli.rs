//! The binary's manners: exit codes, which stream says what, and the pages of `explain`.

use std::process::{Command, Output, Stdio};

use wayfare::diagnostic::code::UNEXPECTED;

fn wayfare(args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_wayfare"));
    command.args(args).env_remove("CLICOLOR_FORCE").env("NO_COLOR", "1").stdin(Stdio::null());
    command.output().expect("the binary starts")
}

/// `$ wayfare args`, the exit code, and both streams.
fn transcript(args: &[&str]) -> String {
    let output = wayfare(args);
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).expect("output is UTF-8");
    let (data, talk) = (text(&output.stdout), text(&output.stderr));
    let code = output.status.code().expect("the binary ends by itself");
    format!("$ wayfare {}\nexit: {code}\n--- stdout\n{data}--- stderr\n{talk}", args.join(" "))
}

#[test]
fn explain_prints_pages_as_data() {
    let output = wayfare(&["explain", "e0101", "E0101"]);
    let page = format!("# E0101: {}\n\n{}\n", UNEXPECTED.title(), UNEXPECTED.page().trim_end());
    assert_eq!(String::from_utf8(output.stdout).expect("output is UTF-8"), format!("{page}\n{page}"));
    assert!(output.stderr.is_empty());
    assert_eq!(output.status.code(), Some(0));
}

#[test]
fn explain_helps_with_a_code_that_is_not_there() {
    insta::assert_snapshot!(transcript(&["explain", "E101"]));
    insta::assert_snapshot!(transcript(&["explain", "banana"]));
}

#[test]
fn explain_lists_every_code_once() {
    let output = wayfare(&["explain", "--all"]);
    let listed = String::from_utf8(output.stdout).expect("output is UTF-8");
    let codes: Vec<&str> = listed.lines().filter_map(|line| line.split_whitespace().next()).collect();
    let known = wayfare::diagnostic::code::ALL.iter().map(|code| code.as_str());
    let known: Vec<&str> = known.chain(wayfare::rules::registry::ALL.iter().map(|rule| rule.id())).collect();
    assert_eq!(codes, known);
    assert_eq!(output.status.code(), Some(0));
    assert!(output.stderr.is_empty());
}

/// A draw that has begun: the folder as it is against the commit before, against a folder, against nothing.
#[test]
fn check_compares_with_the_project_as_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("draws.journey");
    let text = |value: &str| {
        format!(
            "entity customer {{ key id : Id }}\nlottery spring_draw of customer {{\n  open 2026-11-01..2027-02-28\n  chance keep 7 days\n  rules \"rules.html\"\n  prize phone \"手机\" {{ value {value} CNY; count 5; odds 1 in 10_000; tax paid }}\n}}\n"
        )
    };
    std::fs::write(&path, text("6_999")).unwrap();
    std::fs::write(folder.path().join("rules.html"), "活动规则").unwrap();
    let git = |args: &[&str]| {
        let mut git = Command::new("git");
        git.arg("-C").arg(folder.path()).args(["-c", "user.name=a", "-c", "user.email=a@bank.example"]);
        assert!(git.args(args).output().expect("git is there").status.success(), "{args:?}");
    };
    git(&["init", "-q"]);
    git(&["add", "-A"]);
    git(&["commit", "-qm", "published"]);
    let at = folder.path().to_str().unwrap();
    let check = |against: &str| {
        let output =
            wayfare(&["check", at, "--today", "2026-11-22", "--against", against, "--format", "concise"]);
        (output.status.code().unwrap(), String::from_utf8(output.stdout).unwrap())
    };
    assert_eq!(check("HEAD"), (0, String::new()));
    std::fs::write(&path, text("4_999")).unwrap();
    let (code, said) = check("HEAD");
    assert!(code == 1 && said.contains("PRIZE-003") && said.contains("no longer 6999.00 CNY"), "{said}");
    assert_eq!(check(at), (0, String::new()), "as it is, it is as it is");
    assert_eq!(check("no-such-branch").0, 2);
    std::fs::write(&path, text("7_999")).unwrap();
    assert_eq!(check("HEAD"), (0, String::new()), "better terms pass");
}

#[test]
fn bad_usage_is_talk_and_ends_in_2() {
    insta::assert_snapshot!(transcript(&["explain"]));
    let output = wayfare(&["no-such-verb"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(output.stdout.is_empty());
}

#[test]
fn help_and_version_are_data() {
    for args in [["--help"], ["--version"]] {
        let output = wayfare(&args);
        assert_eq!(output.status.code(), Some(0));
        assert!(!output.stdout.is_empty());
        assert!(output.stderr.is_empty());
    }
}

#[test]
fn a_reader_that_leaves_is_no_error() {
    let (reader, writer) = std::io::pipe().expect("a pipe");
    drop(reader);
    let mut command = Command::new(env!("CARGO_BIN_EXE_wayfare"));
    let output = command.args(["explain", "--all"]).stdout(writer).stderr(Stdio::piped()).output();
    let output = output.expect("the binary starts");
    assert_eq!(output.status.code(), Some(0));
    assert!(output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
}
