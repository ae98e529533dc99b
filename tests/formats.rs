//! Findings for machines, as the program writes them: documents that others' programs accept, places that are right
//! beside Chinese text, and fixes that can be asked for.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use boon::{Compiler, Schemas};
use serde_json::Value;

const WORLD: &str = "\
entity customer \"客户\" { key id : Id; consent : [channel]; name : Text?; vip : Bool }
channel push { kind push; receipt within 10min }
event signed_up \"注册\" of customer { key id : Id }
content hello \"问候\" of customer { via push { title \"你好\"; body \"\"\"尊敬的客户，欢迎。\"\"\" } }
";

const MISTAKES: &str = "\
journey welcome \"欢迎 😀\" of customer {
  purpose service
  owner \"crm@bank.example\"
  enter on signed_upp
  reenter never
  if name is \"李\" && vip { send hello via psuh }
  end greeted
}
";

fn project(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("wayfare.toml"), "").unwrap();
    for (path, text) in files {
        fs::write(folder.path().join(path), text).unwrap();
    }
    folder
}

fn wayfare(folder: &Path, line: &str) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_wayfare"));
    command.args(line.split(' ')).current_dir(folder).env_remove("CLICOLOR_FORCE").env("NO_COLOR", "1");
    command.output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

fn mistakes() -> tempfile::TempDir {
    project(&[("world.journey", WORLD), ("欢迎.journey", MISTAKES)])
}

fn sarif(folder: &Path) -> Value {
    let output = wayfare(folder, "check --format sarif");
    assert_eq!(output.status.code(), Some(1), "{}", text(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// Every finding of every page, so that no code and no fix is left out.
#[test]
fn sarif_is_what_its_schema_says() {
    let mut files: Vec<(String, String)> = Vec::new();
    for code in wayfare::diagnostic::code::ALL {
        let bad = code.page().split("```journey bad\n").skip(1);
        let bad = bad.filter_map(|rest| rest.split_once("```"));
        files
            .extend(bad.enumerate().map(|(at, (text, _))| (format!("{code}_{at}.journey"), text.to_owned())));
    }
    assert!(files.len() > 60, "{}", files.len());
    let files: Vec<(&str, &str)> = files.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
    valid(&sarif(project(&files).path()));
    valid(&sarif(mistakes().path()));
}

fn valid(log: &Value) {
    let schema = serde_json::from_str(include_str!("suite/schema/sarif-2.1.0.json")).unwrap();
    let (mut schemas, mut compiler) = (Schemas::new(), Compiler::new());
    compiler.add_resource("sarif.json", schema).unwrap();
    let index = compiler.compile("sarif.json", &mut schemas).unwrap();
    if let Err(error) = schemas.validate(log, index) {
        panic!("{error:#}");
    }
    let mut broken = log.clone();
    broken["runs"][0]["results"][0]["level"] = "fatal".into();
    assert!(schemas.validate(&broken, index).is_err(), "the schema is looked at");
}

#[test]
fn sarif_rules_are_the_pages_of_explain() {
    let log = sarif(mistakes().path());
    let run = &log["runs"][0];
    let rules = run["tool"]["driver"]["rules"].as_array().unwrap();
    for result in run["results"].as_array().unwrap() {
        let index = usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap();
        let rule = &rules[index];
        assert_eq!(rule["id"], result["ruleId"]);
        let code = wayfare::diagnostic::Code::find(rule["id"].as_str().unwrap()).unwrap();
        assert_eq!(rule["help"]["markdown"], code.page());
        let name = rule["name"].as_str().unwrap();
        assert!(name.chars().all(char::is_alphanumeric) && name.starts_with(char::is_uppercase), "{name}");
    }
    assert_eq!(run["columnKind"], "unicodeCodePoints");
    let foreign = run["results"].as_array().unwrap().iter().find(|one| one["ruleId"] == "E0107").unwrap();
    let region = &foreign["locations"][0]["physicalLocation"]["region"];
    // `  if name is "李" && vip`: every character is one column, the wide one too.
    assert_eq!((region["startColumn"].as_u64(), region["endColumn"].as_u64()), (Some(18), Some(20)));
}

#[test]
fn fingerprints_outlive_lines_that_are_inserted_above() {
    let folder = mistakes();
    let prints = |folder: &Path| -> Vec<Value> {
        let results = sarif(folder)["runs"][0]["results"].as_array().unwrap().clone();
        results.iter().map(|one| one["partialFingerprints"]["primaryLocationLineHash"].clone()).collect()
    };
    let before = prints(folder.path());
    let moved = MISTAKES.replace("journey welcome", "// 说明\n\n/// 文档\njourney welcome");
    fs::write(folder.path().join("欢迎.journey"), moved).unwrap();
    assert_eq!(before, prints(folder.path()));
    let report = wayfare(folder.path(), "check --output-format gitlab --output-file report.json");
    assert!(report.stdout.is_empty(), "the report is in its file");
    let report: Value =
        serde_json::from_slice(&fs::read(folder.path().join("report.json")).unwrap()).unwrap();
    let same: Vec<Value> = report.as_array().unwrap().iter().map(|one| one["fingerprint"].clone()).collect();
    assert_eq!(before, same, "GitLab is told the same");
}

#[test]
fn safe_fixes_are_written_and_the_rest_is_told() {
    let folder = mistakes();
    let at = folder.path().join("欢迎.journey");
    let output = wayfare(folder.path(), "check --diff --unsafe-fixes");
    assert_eq!(output.status.code(), Some(1));
    insta::assert_snapshot!(
        "the_diff",
        format!("{}--- stderr\n{}", text(&output.stdout), text(&output.stderr))
    );
    assert_eq!(fs::read_to_string(&at).unwrap(), MISTAKES, "a diff writes nothing");

    let output = wayfare(folder.path(), "check --fix --format concise");
    assert_eq!(output.status.code(), Some(1), "what was guessed remains");
    insta::assert_snapshot!(
        "what_remains",
        format!("{}--- stderr\n{}", text(&output.stdout), text(&output.stderr))
    );
    assert_eq!(fs::read_to_string(&at).unwrap(), MISTAKES.replace("&&", "and"));

    let output = wayfare(folder.path(), "check --fix --unsafe-fixes");
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let right = MISTAKES.replace("&&", "and").replace("psuh", "push").replace("upp", "up");
    assert_eq!(fs::read_to_string(&at).unwrap(), right.replace("if name", "if (name otherwise \"\")"));
    assert_eq!(fs::read_to_string(folder.path().join("world.journey")).unwrap(), WORLD);
}

/// Whatever the pages of `explain` show as bad: fixing never panics, and never adds an error.
#[test]
fn fixing_any_bad_example_makes_nothing_worse() {
    use wayfare::compile::{File, Input, compile, mend};
    let world = fs::read_dir("tests/suite/check/world").unwrap().map(|entry| entry.unwrap().path());
    let world: Vec<File> = world
        .filter(|path| path.extension().is_some_and(|it| it == "journey"))
        .map(|path| File {
            path: path.to_string_lossy().into(),
            package: "".into(),
            text: fs::read_to_string(&path).unwrap().into(),
        })
        .collect();
    let mut fixed = 0;
    for code in wayfare::diagnostic::code::ALL {
        for part in code.page().split("```journey bad\n").skip(1) {
            let (text, _) = part.split_once("```").unwrap();
            let page = File { path: "page.journey".into(), package: "".into(), text: text.into() };
            let input = Input { files: world.iter().cloned().chain([page]).collect(), ..Input::default() };
            let request = mend::Request { suggested: true, files: ["page.journey".into()].into() };
            let before = compile(&input).diagnostics.len();
            let mended = mend::mend(input, &request);
            assert!(mended.compilation.diagnostics.len() <= before, "{code}: {:?}", mended.fixed);
            fixed += mended.fixed.len();
        }
    }
    assert!(fixed >= 15, "only {fixed} were mended");
}

#[test]
fn a_file_that_somebody_else_wrote_is_not_overwritten() {
    let folder = mistakes();
    let output = wayfare(folder.path(), "check --fix world.journey");
    assert_eq!(output.status.code(), Some(0), "nothing to mend in what was asked for");
    assert_eq!(fs::read_to_string(folder.path().join("欢迎.journey")).unwrap(), MISTAKES);
    let output = wayfare(folder.path(), "check --unsafe-fixes");
    assert_eq!(output.status.code(), Some(2), "nothing to be unsafe about");
}

#[test]
fn warnings_are_excused_with_a_reason() {
    let unused = |comment: &str| format!("import std.cn.bank {{ sms }}{comment}\n\n{MISTAKES}");
    let folder = project(&[("world.journey", WORLD), ("a.journey", &unused(""))]);
    let told = |comment: &str| {
        fs::write(folder.path().join("a.journey"), unused(comment)).unwrap();
        let output = text(&wayfare(folder.path(), "check --format concise").stdout);
        output.lines().filter(|line| line.contains("W0")).map(str::to_owned).collect::<Vec<_>>()
    };
    insta::assert_debug_snapshot!(
        "excused",
        [
            told(""),
            told(" // allow(W0201) 下个版本使用"),
            told(" // allow(W0201)"),
            told(" // allow(W0450) 下个版本使用"),
            told(" // allow(E0202) 下个版本使用"),
        ]
    );
}

/// The commands of the page are run as they are written there.
#[test]
fn the_page_on_formats_is_right() {
    let page = include_str!("../docs/output-formats.md");
    let lines: Vec<&str> = page
        .split("```")
        .flat_map(str::lines)
        .map(|line| line.trim_start_matches("- ").trim_start_matches("run: ").trim())
        .filter_map(|line| line.strip_prefix("wayfare check "))
        .map(|line| line.trim_end_matches(" || true"))
        .collect();
    assert!(lines.len() >= 5, "{lines:?}");
    let folder = mistakes();
    for line in lines {
        let output = wayfare(folder.path(), &format!("check {line}"));
        assert!(matches!(output.status.code(), Some(0 | 1)), "{line}: {}", text(&output.stderr));
    }
    for format in ["full", "concise", "json", "json-lines", "github", "gitlab", "sarif", "junit"] {
        assert!(page.contains(&format!("`{format}`")), "{format}");
    }
}
