//! The checker, on stories: files that are right are left alone, in files that are not every mistake is told, once,
//! on its line, whatever the order of the files.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use proptest::prelude::*;
use wayfare::diagnostic::{Code, Diagnostic, code};
use wayfare::model::check::asset::Asset;
use wayfare::model::check::named_files;
use wayfare::model::{Context, Model, check};
use wayfare::syntax::{ast, parse};
use wayfare::text::{FileId, Sources};

/// Files with their packages, parsed.
#[derive(Default)]
struct Project {
    sources: Sources,
    files: Vec<(FileId, ast::File)>,
    context: Context,
}

impl Project {
    fn add(&mut self, package: &str, path: &Path) {
        let text = std::fs::read_to_string(path).unwrap();
        let id = self.add_text(package, &path.to_string_lossy(), &text);
        let named = named_files(&self.files.last().unwrap().1);
        for calendar in named {
            if let Ok(text) = std::fs::read_to_string(path.parent().unwrap().join(&*calendar)) {
                self.context.named.insert((id, calendar), text.into());
            }
        }
    }

    fn add_text(&mut self, package: &str, path: &str, text: &str) -> FileId {
        let id = self.sources.add(path, text);
        let parsed = parse(id, text);
        let told: Vec<_> =
            parsed.diagnostics.iter().map(|one| (one.primary.span.start, &one.headline)).collect();
        assert!(told.is_empty(), "{path}: {told:?}");
        self.files.push((id, parsed.file));
        self.context.packages.insert(id, Arc::from(package));
        id
    }

    fn folder(&mut self, package: &str, folder: &str) {
        for path in journeys_in(Path::new(folder)) {
            self.add(package, &path);
        }
    }

    fn check(&self) -> (Model, Vec<Diagnostic>) {
        let files: Vec<(FileId, &ast::File)> = self.files.iter().map(|(id, file)| (*id, file)).collect();
        check(&files, &self.context)
    }

    /// `line:column code headline | label | help`, one line each.
    fn told(&self, findings: &[Diagnostic]) -> String {
        let mut out = String::new();
        for finding in findings {
            let source = self.sources.get(finding.primary.span.file).unwrap();
            let place = source.position(finding.primary.span.start);
            let (headline, label) = (&finding.headline, &finding.primary.text);
            let help = finding.help.join(" / ");
            writeln!(out, "{}:{} {} {headline} | {label} | {help}", place.line, place.column, finding.code)
                .unwrap();
        }
        out
    }
}

fn journeys_in(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut paths: Vec<PathBuf> =
        entries.filter(|path| path.extension().is_some_and(|ext| ext == "journey")).collect();
    paths.sort();
    paths
}

/// What the stories import. They have customers and branches of their own.
fn stdlib(project: &mut Project) {
    project.add("std.cn.bank", Path::new("stdlib/cn/bank.journey"));
}

/// The bank of the stories, with one story.
fn story(path: &Path) -> Project {
    let mut project = Project::default();
    stdlib(&mut project);
    project.folder("", "tests/suite/check/world");
    project.add("", path);
    project
}

#[test]
fn the_banks_own_journeys_are_right() {
    let mut project = Project::default();
    stdlib(&mut project);
    project.add("std.cn.people", Path::new("stdlib/cn/people.journey"));
    project.add("std.cn.flows", Path::new("stdlib/cn/flows.journey"));
    project.add("std.cn.zones", Path::new("stdlib/cn/zones.journey"));
    project.add("std.cn.scenes", Path::new("stdlib/cn/scenes.journey"));
    project.add("std.cn.growth", Path::new("stdlib/cn/growth.journey"));
    project.add("std.cn.community", Path::new("stdlib/cn/community.journey"));
    project.folder("", "journeys");
    let (model, findings) = project.check();
    assert_eq!(project.told(&findings), "");
    assert!(model.journeys.len() >= 5, "{:?}", model.journeys.keys());
    assert!(model.tests.len() >= 30, "{}", model.tests.len());
}

#[test]
fn good_stories_are_left_alone() {
    insta::glob!("suite/check/good/*.journey", |path| {
        let project = story(path);
        let (_, findings) = project.check();
        assert_eq!(project.told(&findings), "", "{}", path.display());
    });
}

#[test]
fn every_mistake_is_told() {
    insta::glob!("suite/check/bad/*.journey", |path| {
        let project = story(path);
        let (_, findings) = project.check();
        let story = project.files.last().unwrap().0;
        assert!(
            findings.iter().all(|finding| finding.primary.span.file == story),
            "{}",
            project.told(&findings)
        );
        insta::assert_snapshot!(project.told(&findings));
    });
}

#[test]
fn six_mistakes_are_six_findings_on_their_lines() {
    let project = story(Path::new("tests/suite/check/bad/six.journey"));
    let (_, findings) = project.check();
    let line = |finding: &Diagnostic| {
        let span = finding.primary.span;
        (project.sources.get(span.file).unwrap().line(span.start), finding.code.as_str())
    };
    let told: Vec<_> = findings.iter().map(line).collect();
    assert_eq!(
        told,
        [(5, "E0403"), (7, "E0202"), (10, "E0202"), (11, "E0301"), (12, "E0412"), (13, "E0314")]
    );
}

/// The bank of the stories, with a text of one page.
fn page(text: &str) -> Project {
    let mut project = Project::default();
    stdlib(&mut project);
    project.folder("", "tests/suite/check/world");
    project.add_text("", "page.journey", text);
    let calendar = std::fs::read_to_string("stdlib/cn/calendars/cn_2026_2027.csv").unwrap();
    let id = project.files.last().unwrap().0;
    project.context.named.insert((id, "calendars/cn_2026_2027.csv".into()), calendar.into());
    project
        .context
        .named
        .insert((id, "orgs/branches.csv".into()), "unit,parent\neast,\nshanghai,east\n".into());
    project.context.named.insert((id, "words/forbidden.txt".into()), "# 不得使用\n包过\n".into());
    let (there, absent) =
        (Asset::of_bytes("0".repeat(64).into(), b"GIF89a"), Asset::Absent(vec!["spring.png".into()]));
    for (path, asset) in [("img/spring.png", there), ("img/sprnig.png", absent)] {
        project.context.named.insert((id, path.into()), asset.to_text().into());
    }
    project
}

#[test]
fn examples_of_explain_pages_give_their_code_or_nothing() {
    let mut wrong = String::new();
    let ours = |code: &&Code| {
        ["E02", "E03", "E040", "E041", "E044", "E047", "E050", "E052", "W02", "W03", "W047"]
            .iter()
            .any(|range| code.as_str().starts_with(range))
    };
    // What hangs on the day of compiling is looked at by the tests of `compile`.
    let timeless = |code: &&Code| ![code::CALENDAR_ENDS, code::PROVISIONAL].contains(code);
    // What rules leave to one another is looked at by the tests of meaning.
    let shape =
        |code: &&Code| ![code::REPLY_NOT_REACHED, code::REPLY_GAP, code::REPLY_KEYWORD].contains(code);
    for code in code::ALL.iter().filter(ours).filter(timeless).filter(shape) {
        for (kind, text) in examples(*code) {
            let project = page(text);
            let (_, findings) = project.check();
            let said: BTreeSet<&str> = findings.iter().map(|finding| finding.code.as_str()).collect();
            let right = if kind == "bad" { said.contains(code.as_str()) } else { said.is_empty() };
            if !right {
                writeln!(wrong, "{code} {kind}:\n{text}\n{}", project.told(&findings)).unwrap();
            }
        }
    }
    assert_eq!(wrong, "");
}

fn examples(code: Code) -> Vec<(&'static str, &'static str)> {
    let fences = code.page().split("```journey ").skip(1);
    let examples: Vec<_> = fences.filter_map(|rest| rest.split("```").next()?.split_once('\n')).collect();
    assert!(
        examples.iter().any(|(kind, _)| *kind == "bad") && examples.iter().any(|(kind, _)| *kind == "good"),
        "{code}"
    );
    examples
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    /// What is said, and what is built, never depends on the order of the files.
    #[test]
    fn the_order_of_files_does_not_matter(order in Just((0..MANY).collect::<Vec<usize>>()).prop_shuffle()) {
        let project = many();
        let files: Vec<(FileId, &ast::File)> = project.files.iter().map(|(id, file)| (*id, file)).collect();
        let shuffled: Vec<_> = order.iter().map(|at| files[*at]).collect();
        let (model, findings) = check(&files, &project.context);
        let (other, others) = check(&shuffled, &project.context);
        prop_assert_eq!(project.told(&findings), project.told(&others));
        prop_assert_eq!(format!("{model:?}"), format!("{other:?}"));
        prop_assert!(findings.len() > 30, "there is something to say: {}", findings.len());
    }
}

const MANY: usize = 14;

/// Good and bad stories together, which also collide with one another.
fn many() -> Project {
    let mut project = Project::default();
    stdlib(&mut project);
    project.folder("", "tests/suite/check/world");
    project.folder("", "tests/suite/check/good");
    project.folder("", "tests/suite/check/bad");
    project.files.truncate(MANY);
    assert_eq!(project.files.len(), MANY);
    project
}
