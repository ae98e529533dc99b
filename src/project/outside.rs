//! What a text names outside itself: packages, calendars, trees of organisations, forbidden words, pictures.
//!
//! Every file is asked on every run, so what cannot name anything is not read by the parser a second time, and of a text
//! that only imports no more than its head is.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::model::check::asset::assets;
use crate::model::check::named_files;
use crate::syntax::{ast, parse};
use crate::text::FileId;

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Outside {
    /// Calendars, trees of organisations and forbidden words, as written.
    pub named: Vec<Arc<str>>,
    /// Pictures and files of contents, as written.
    pub assets: Vec<Arc<str>>,
    /// Packages, dotted.
    pub imports: BTreeSet<String>,
}

impl Outside {
    pub(super) fn of(text: &str) -> Self {
        match worth_reading(text) {
            0 => Self::default(),
            end => Self::of_tree(&parse(FileId::default(), text.get(..end).unwrap_or(text)).file),
        }
    }

    fn of_tree(tree: &ast::File) -> Self {
        Self { named: named_files(tree), assets: assets(tree), imports: imported(tree) }
    }
}

/// How many bytes from the beginning have all that names something: the whole text, or its imports, or nothing.
fn worth_reading(text: &str) -> usize {
    let (mut at, mut end) = (0, 0);
    let mut imports = false;
    for line in text.split_inclusive('\n') {
        let words = line.trim_start();
        let begins = |word: &str| words.starts_with(word);
        if begins("calendar") || begins("org") || begins("policy") {
            return text.len();
        }
        // Its names may stand on several lines; the next line that is empty is behind them.
        imports = begins("import") || (imports && !words.is_empty());
        at += line.len();
        if imports {
            end = at;
        }
    }
    let of_content = ["image", "message"].iter().any(|word| text.contains(word));
    if of_content { text.len() } else { end }
}

fn imported(tree: &ast::File) -> BTreeSet<String> {
    let dotted = |import: &ast::Import| {
        let parts: Vec<&str> = import.path.parts.iter().map(|part| part.name.as_str()).collect();
        parts.join(".")
    };
    tree.imports.iter().map(dotted).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whatever is left out of reading, nothing that is named is missed.
    fn is_whole(text: &str) {
        let whole = Outside::of_tree(&parse(FileId::default(), text).file);
        assert_eq!(Outside::of(text), whole, "{text}");
    }

    #[test]
    fn what_is_read_in_part_names_what_the_whole_names() {
        let journeys = ignore::Walk::new(concat!(env!("CARGO_MANIFEST_DIR"), "/journeys"));
        let library = ignore::Walk::new(concat!(env!("CARGO_MANIFEST_DIR"), "/stdlib"));
        let mut files = 0;
        for path in journeys.chain(library).map(|entry| entry.unwrap().into_path()) {
            if path.extension().is_some_and(|extension| extension == "journey") {
                is_whole(&std::fs::read_to_string(path).unwrap());
                files += 1;
            }
        }
        assert!(files > 100, "{files} files say little");
    }

    #[test]
    fn imports_are_found_wherever_they_stand() {
        let late = "entity a { key id : Id }\n\nimport std.cn.bank {\n  push,\n  sms\n}\nimport std.cn.people { staff }\n";
        assert_eq!(Outside::of(late).imports.len(), 2);
        is_whole(late);
        is_whole("tag vip of customer\r\nimport std.cn.bank { push }\r\n\r\njourney x of customer {\r\n}");
        is_whole("  calendar c { file \"days.csv\" }");
        assert_eq!(worth_reading("journey x of customer {\n  purpose service\n}\n"), 0);
        assert!(worth_reading("import std.a { b }\n\njourney x of customer {\n}\n") < 30);
    }
}
