//! The house rules that a compiler cannot keep: which module may use which, where a crate may be named, and how a
//! file begins and how long it grows.

use std::path::{Path, PathBuf};

/// The compiler's floors, from the ground up: a module may use every module before it. The types of `program` are
/// ground that the model builds on; filling them (`program/lower`) comes after the graph.
const COMPILER: &[&str] = &[
    "text",
    "name",
    "diagnostic",
    "config",
    "value",
    "expr",
    "program",
    "logic",
    "syntax",
    "format",
    "model",
    "graph",
    "meaning",
    "analysis",
    "lower",
    "rules",
    "compile",
    "project",
];

/// The other modules and what each may use besides [`GROUND`].
const RUNTIME: &[(&str, &[&str])] = &[
    ("lottery", &[]),
    ("step", &["lottery"]),
    ("intake", &["step"]),
    ("ledger", &[]),
    ("store", &["step", "ledger", "lottery"]),
    ("channel", &["step"]),
    ("engine", &["step", "intake", "ledger", "lottery", "store", "channel"]),
    ("http", &["step", "intake", "ledger", "lottery", "store", "channel", "engine"]),
    ("demo", &[]),
    ("testing", &["syntax", "model", "graph", "compile", "step"]),
];

/// What the compiler and the runtime share. `syntax`, `model` and `graph` are not in it.
const GROUND: &[&str] = &["text", "name", "diagnostic", "config", "value", "expr", "program"];

/// Crates that are named in one place only, so that they can be exchanged there.
const CRATES: &[(&str, &[&str])] = &[
    ("aho_corasick", &["src/rules/words/mod.rs", "src/rules/words/phrases.rs"]),
    ("ariadne", &["src/diagnostic/render/human.rs"]),
    ("axum", &["src/http/", "src/http.rs"]),
    ("hyper", &["src/http/"]),
    ("clap", &["src/cli/"]),
    ("indicatif", &["src/cli/"]),
    ("lettre", &["src/channel/smtp.rs"]),
    ("logos", &["src/syntax/"]),
    ("nom", &["src/syntax/parser/", "src/syntax/parser.rs"]),
    ("notify", &["src/cli/"]),
    ("sqlx", &["src/store/"]),
];

const PRINTING: &[&str] = &["println!", "eprintln!", "print!", "eprint!"];
const LONGEST: usize = 600;

#[test]
fn modules_use_only_what_is_below_them() {
    let mut broken = Vec::new();
    for file in sources() {
        let Some(module) = file.module() else { continue };
        let Some(allowed) = allowed(&module) else {
            broken.push(format!("{}: `{module}` has no floor: add it to tests/layers.rs", file.path));
            continue;
        };
        for (line, used) in file.uses() {
            if used != module && !allowed.contains(&used.as_str()) && is_module(&used) {
                broken.push(format!("{}:{line}: `{module}` may not use `{used}`", file.path));
            }
        }
    }
    assert_none(&broken);
}

#[test]
fn crates_are_named_in_one_place() {
    let mut broken = Vec::new();
    for file in sources() {
        for (name, places) in CRATES {
            if places.iter().any(|place| file.path.starts_with(place)) {
                continue;
            }
            let lines = file.code().filter(|(_, line)| names_crate(line, name));
            broken.extend(
                lines.map(|(line, _)| format!("{}:{line}: `{name}` is only for {places:?}", file.path)),
            );
        }
    }
    assert_none(&broken);
}

#[test]
fn only_the_output_prints() {
    let mut broken = Vec::new();
    for file in sources().into_iter().filter(|file| file.path != "src/cli/output.rs") {
        let lines = file.code().filter(|(_, line)| PRINTING.iter().any(|word| has_word(line, word)));
        broken.extend(lines.map(|(line, _)| format!("{}:{line}: print through `cli::Output`", file.path)));
    }
    assert_none(&broken);
}

#[test]
fn files_say_what_they_are_for_and_stay_small() {
    let mut broken = Vec::new();
    for file in sources() {
        if file.module().is_some() && !file.text.starts_with("//!") {
            broken.push(format!("{}:1: begin with `//!`: what the module is for", file.path));
        }
        let lines = file.text.lines().count();
        if lines > LONGEST {
            broken.push(format!("{}: {lines} lines, split it by kind (at most {LONGEST})", file.path));
        }
    }
    assert_none(&broken);
}

#[test]
fn the_rules_see_what_they_forbid() {
    let text = "//! x\nuse crate::{\n    model::Thing,\n    text::{FileId, Span},\n};\n\
                // crate::http::x\nfn f() { crate::store::open(); super::engine::run(); }\n\
                #[cfg(test)]\nmod tests { use crate::cli::Args; }\n";
    let file = SourceFile { path: "src/step/mod.rs".to_owned(), text: text.to_owned() };
    let expected = [(3, "model"), (4, "text"), (7, "engine"), (7, "store")];
    assert_eq!(file.uses(), expected.map(|(line, used)| (line, used.to_owned())));
    assert!(names_crate("use nom::Parser;", "nom"));
    assert!(names_crate("    let x = nom::bytes::tag;", "nom"));
    assert!(!names_crate("let economy = nominal::x;", "nom"));
    assert!(!names_crate("use crate::syntax::nom_input;", "nom"));
    assert!(has_word("    println!(\"x\")", "println!"));
    assert!(!has_word("eprintln!(\"x\")", "println!"));
}

/// `None` for a module without a floor.
fn allowed(module: &str) -> Option<Vec<&'static str>> {
    if let Some(floor) = COMPILER.iter().position(|&name| name == module) {
        return Some(COMPILER.iter().copied().take(floor).collect());
    }
    if matches!(module, "cli" | "lib" | "main") {
        return Some(all_modules().collect());
    }
    let (_, besides) = RUNTIME.iter().find(|(name, _)| *name == module)?;
    Some(GROUND.iter().chain(*besides).copied().collect())
}

fn all_modules() -> impl Iterator<Item = &'static str> {
    COMPILER.iter().copied().chain(RUNTIME.iter().map(|(name, _)| *name)).chain(["cli"])
}

fn is_module(name: &str) -> bool {
    all_modules().any(|module| module == name)
}

/// `name::` or `use name` as a path of its own, not the end of a longer one.
fn names_crate(line: &str, name: &str) -> bool {
    line.match_indices(name).any(|(at, _)| {
        let (before, after) = (&line[..at], &line[at + name.len()..]);
        let starts = !before.ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == ':');
        let used = before.trim_end().ends_with("use") && after.starts_with([';', ' ']);
        starts && (after.starts_with("::") || used)
    })
}

fn has_word(line: &str, word: &str) -> bool {
    let stands_alone = |at: usize| !line[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_');
    line.match_indices(word).any(|(at, _)| stands_alone(at))
}

fn assert_none(broken: &[String]) {
    assert!(broken.is_empty(), "\n{}\n", broken.join("\n"));
}

struct SourceFile {
    /// From the project's root, with `/`.
    path: String,
    text: String,
}

impl SourceFile {
    /// The top-level module this file belongs to; `None` for files of tests alone.
    fn module(&self) -> Option<String> {
        let inside = self.path.strip_prefix("src/").unwrap_or(&self.path);
        let tests = inside.ends_with("/tests.rs") || inside.contains("/tests/");
        if inside.starts_with("program/lower") {
            return Some("lower".to_owned());
        }
        let first = inside.split('/').next().unwrap_or_default();
        (!tests).then(|| first.trim_end_matches(".rs").to_owned())
    }

    /// Numbered lines up to the tests at the end, without comments.
    fn code(&self) -> impl Iterator<Item = (usize, &str)> {
        let is_tests = |line: &str| line.starts_with("#[cfg(test)]");
        let lines = (1..).zip(self.text.lines()).take_while(move |(_, line)| !is_tests(line));
        lines.map(|(number, line)| (number, without_comment(line)))
    }

    /// The top-level modules this file names, by `crate::` or by `super::` out of its own module, with their lines.
    fn uses(&self) -> Vec<(usize, String)> {
        let depth = self.path.trim_end_matches("/mod.rs").matches('/').count();
        let climb = "super::".repeat(depth);
        let code = self.code().map(|(_, line)| line).collect::<Vec<_>>().join("\n");
        let line = |at: usize| 1 + code[..at].matches('\n').count();
        let roots = roots(&code, "crate::").chain(roots(&code, &climb));
        let names = roots.flat_map(|at| first_names(&code, at));
        let mut uses: Vec<_> = names.map(|(at, name)| (line(at), name.to_owned())).collect();
        uses.sort();
        uses
    }
}

/// Where the paths that begin with `prefix` go on.
fn roots<'a>(code: &'a str, prefix: &'a str) -> impl Iterator<Item = usize> + 'a {
    let begins =
        |at: usize| !code[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == ':' || c == '$');
    code.match_indices(prefix).map(|(at, _)| at).filter(move |&at| begins(at)).map(|at| at + prefix.len())
}

/// The name at `at`, or the first-level names of the `{…}` group there.
fn first_names(code: &str, at: usize) -> Vec<(usize, &str)> {
    if !code[at..].starts_with('{') {
        return vec![(at, leading_name(&code[at..]))];
    }
    let (mut names, mut depth, mut starts) = (Vec::new(), 0, true);
    for (offset, c) in code[at..].char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth == 1 => break,
            '}' => depth -= 1,
            ',' => starts = true,
            c if c.is_alphanumeric() && starts && depth == 1 => {
                names.push((at + offset, leading_name(&code[at + offset..])));
                starts = false;
            }
            _ => {}
        }
    }
    names
}

fn leading_name(text: &str) -> &str {
    let end = text.find(|c: char| !c.is_alphanumeric() && c != '_');
    &text[..end.unwrap_or(text.len())]
}

fn without_comment(line: &str) -> &str {
    let quotes = |text: &str| text.matches('"').count();
    let comment = line.match_indices("//").find(|&(at, _)| quotes(&line[..at]).is_multiple_of(2));
    comment.map_or(line, |(at, _)| &line[..at])
}

fn sources() -> Vec<SourceFile> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut paths = Vec::new();
    collect(&root.join("src"), &mut paths);
    paths.sort();
    let read = |path: &PathBuf| SourceFile {
        path: path.strip_prefix(root).expect("it is below the root").to_string_lossy().replace('\\', "/"),
        text: std::fs::read_to_string(path).expect("a source file can be read"),
    };
    paths.iter().map(read).collect()
}

fn collect(folder: &Path, into: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).expect("a source folder can be read") {
        let path = entry.expect("a source folder can be read").path();
        if path.is_dir() {
            collect(&path, into);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            into.push(path);
        }
    }
}
