//! The checker, on stories: files that are right are left alone, in files that are not every mistake is told, once,
//! on its line, whatever the order of the files.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use proptest::prelude::*;
use wayfare::diagnostic::Diagnostic;
use wayfare::model::check::calendar_files;
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
        let named = calendar_files(&self.files.last().unwrap().1);
        for calendar in named {
            if let Ok(text) = std::fs::read_to_string(path.parent().unwrap().join(&*calendar)) {
                self.context.calendars.insert((id, calendar), text.into());
            }
        }
    }

    fn add_text(&mut self, package: &str, path: &str, text: &str) -> FileId {
        let id = self.sources.add(path, text);
        let parsed = parse(id, text);
        assert!(parsed.diagnostics.is_empty(), "{path}: {:#?}", parsed.diagnostics);
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

fn stdlib(project: &mut Project) {
    project.folder_each("std.cn", "stdlib/cn");
}

impl Project {
    /// Each file a package of its own, as the standard library has them.
    fn folder_each(&mut self, package: &str, folder: &str) {
        for path in journeys_in(Path::new(folder)) {
            let stem = path.file_stem().unwrap().to_string_lossy().into_owned();
            self.add(&format!("{package}.{stem}"), &path);
        }
    }
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
        insta::assert_snapshot!(project.told(&findings));
    });
}
