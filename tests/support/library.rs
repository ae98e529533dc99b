//! The standard library and single pages, as projects for the compiler.

use std::path::Path;

use wayfare::compile::{File, Input};

const CALENDAR: &str = "calendars/cn_2026_2027.csv";

/// A project of what everybody can import, and of `pages`: path and text of files in the top folder.
pub(crate) fn project(pages: &[(&str, &str)]) -> Input {
    let mut input = Input::default();
    for entry in std::fs::read_dir("stdlib/cn").unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "journey") {
            let package = format!("std.cn.{}", path.file_stem().unwrap().to_string_lossy());
            add(&mut input, &path.to_string_lossy(), &package, &std::fs::read_to_string(&path).unwrap());
        }
    }
    for (path, text) in pages {
        add(&mut input, path, "", text);
    }
    input
}

/// A file that may name the calendar of the library as its own.
fn add(input: &mut Input, path: &str, package: &str, text: &str) {
    let calendar = std::fs::read_to_string(Path::new("stdlib/cn").join(CALENDAR)).unwrap();
    input.calendars.insert((path.into(), CALENDAR.into()), calendar.into());
    input.files.push(File { path: path.into(), package: package.into(), text: text.into() });
}
