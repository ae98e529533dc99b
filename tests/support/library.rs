//! The standard library and single pages, as projects for the compiler.

use std::path::Path;

use wayfare::compile::{File, Input};

const CALENDAR: &str = "calendars/cn_2026_2027.csv";
/// What the pages say of it.
const WORDS: (&str, &str) = ("words/forbidden.txt", "# 不得使用\n内部渠道\n包过\n第一\n! 第一次\n");

/// A project of `pages` (path and text of files in the top folder) and of what they import, as it would be loaded.
pub(crate) fn project(pages: &[(&str, &str)]) -> Input {
    let mut input = Input::default();
    for (path, text) in pages {
        add(&mut input, path, "", text);
    }
    let entries = std::fs::read_dir("stdlib/cn").unwrap().map(|entry| entry.unwrap().path());
    let mut open: Vec<_> =
        entries.filter(|path| path.extension().is_some_and(|extension| extension == "journey")).collect();
    open.sort();
    // What is imported imports in turn.
    while let Some(at) = open.iter().position(|path| is_imported(&input, &package(path))) {
        let path = open.remove(at);
        add(&mut input, &path.to_string_lossy(), &package(&path), &std::fs::read_to_string(&path).unwrap());
    }
    input
}

fn package(path: &Path) -> String {
    format!("std.cn.{}", path.file_stem().unwrap().to_string_lossy())
}

fn is_imported(input: &Input, package: &str) -> bool {
    let mut lines = input.files.iter().flat_map(|file| file.text.lines());
    lines.any(|line| line.strip_prefix("import ").and_then(|rest| rest.split(' ').next()) == Some(package))
}

/// A file that may name the calendar of the library as its own, and a list of words.
fn add(input: &mut Input, path: &str, package: &str, text: &str) {
    let calendar = std::fs::read_to_string(Path::new("stdlib/cn").join(CALENDAR)).unwrap();
    input.named.insert((path.into(), CALENDAR.into()), calendar.into());
    input.named.insert((path.into(), WORDS.0.into()), WORDS.1.into());
    input.files.push(File { path: path.into(), package: package.into(), text: text.into() });
}
