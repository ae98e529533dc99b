//! Documents made from the program: `docs/rules/` from the pages of `explain`, `docs/cli.md` from the command line's own
//! definitions. A document that is not what would be made now is stale, and red.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use clap::{Arg, Command, CommandFactory};
use wayfare::cli::Exit;
use wayfare::cli::args::Args;
use wayfare::compile::compile;
use wayfare::diagnostic::{Code, Severity, code};
use wayfare::rules::page;
use wayfare::rules::registry::ALL;

use crate::support::library::project;

const UPDATE: &str = "DOCS_UPDATE";
const HOW: &str = "`DOCS_UPDATE=1 cargo test --test suite docs` writes it anew";
const RULES: &str = "docs/rules";
const CLI: &str = "docs/cli.md";
const COMPLIANCE: &str = "docs/compliance.md";
/// What `scripts/mutants` wrote down.
const MUTANTS: &str = "tests/suite/rules/mutants.md";

#[test]
fn the_rules_are_up_to_date() {
    let made = rules();
    let written = || -> BTreeSet<String> {
        let entries = fs::read_dir(RULES).into_iter().flatten();
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    };
    if std::env::var_os(UPDATE).is_some() {
        fs::create_dir_all(RULES).unwrap();
        for gone in written().iter().filter(|name| !made.contains_key(*name)) {
            fs::remove_file(Path::new(RULES).join(gone)).unwrap();
        }
        for (name, text) in &made {
            fs::write(Path::new(RULES).join(name), text).unwrap();
        }
    }
    let stale = |(name, text): &(&String, &String)| {
        fs::read_to_string(Path::new(RULES).join(name)).unwrap_or_default() != **text
    };
    let stale: Vec<&String> = made.iter().filter(stale).map(|(name, _)| name).collect();
    assert!(stale.is_empty(), "{RULES}: {stale:?} are stale: {HOW}");
    assert_eq!(written(), made.keys().cloned().collect(), "{RULES}: {HOW}");
}

#[test]
fn the_reference_of_commands_is_up_to_date() {
    let made = commands();
    if std::env::var_os(UPDATE).is_some() {
        fs::write(CLI, &made).unwrap();
    }
    assert_eq!(fs::read_to_string(CLI).unwrap_or_default(), made, "{HOW}");
}

#[test]
fn the_table_of_rules_is_up_to_date() {
    let made = page::table() + &fs::read_to_string(MUTANTS).unwrap();
    if std::env::var_os(UPDATE).is_some() {
        fs::write(COMPLIANCE, &made).unwrap();
    }
    assert_eq!(fs::read_to_string(COMPLIANCE).unwrap_or_default(), made, "{HOW}");
}

#[test]
fn documents_lead_to_files_that_are_there() {
    let mut broken = Vec::new();
    for document in
        ["README.md", "docs/README.md", "docs/language.md", CLI, COMPLIANCE, "docs/rules/README.md"]
    {
        let text = fs::read_to_string(document).unwrap_or_default();
        let anchors: BTreeSet<String> =
            text.lines().filter(|line| line.starts_with('#')).map(anchor).collect();
        for target in links(&text).filter(|target| !target.contains("://")) {
            let (file, place) = target.split_once('#').unwrap_or((target, ""));
            let leads = Path::new(document).parent().unwrap().join(file).exists();
            let here = !file.is_empty() || place.is_empty() || anchors.contains(place);
            if !(leads && here) {
                broken.push(format!("{document}: {target}"));
            }
        }
    }
    assert!(broken.is_empty(), "{broken:#?}");
}

/// What GitHub calls the place of a heading.
fn anchor(heading: &str) -> String {
    let text = heading.trim_start_matches('#').trim().to_lowercase();
    let kept = text.chars().filter(|sign| sign.is_alphanumeric() || matches!(sign, ' ' | '-' | '_'));
    kept.map(|sign| if sign == ' ' { '-' } else { sign }).collect()
}

/// Where the links of a text lead.
fn links(text: &str) -> impl Iterator<Item = &str> {
    text.split("](").skip(1).filter_map(|rest| rest.split(')').next())
}

/// One file per code, and the table of them all.
fn rules() -> BTreeMap<String, String> {
    let mut files = BTreeMap::new();
    for code in code::ALL {
        files.insert(format!("{code}.md"), rule(*code));
    }
    for rule in ALL {
        let (id, title, page) = (rule.id(), rule.entry.title, page::page(rule));
        let text = format!(
            "# {id}: {title}\n\n[All codes](README.md) and [all rules](../compliance.md)\n\n{page}\n"
        );
        files.insert(format!("{id}.md"), text);
    }
    files.insert("README.md".to_owned(), index());
    files
}

fn rule(code: Code) -> String {
    let kind = match severity(code) {
        "refusal" => "A refusal of the running daemon.",
        "warning" => "A warning: the project compiles all the same.",
        _ => "An error: nothing is built until it is mended.",
    };
    let fix = match fixable(code) {
        "yes" => " `wayfare check --fix` mends it.",
        "suggested" => " It comes with a suggestion how to mend it.",
        _ => "",
    };
    let page = code.page().trim_end();
    format!("# {code}: {}\n\n{kind}{fix} [All codes](README.md)\n\n{page}\n", code.title())
}

fn index() -> String {
    let mut out = "\
# Codes

Every finding has a code that never changes its meaning. `wayfare explain CODE` prints the same pages. Codes that begin
with `E` are errors, with `W` warnings, with `R` refusals of the running daemon. *Fixable*: `yes` means that
`wayfare check --fix` mends it, `suggested` that the finding carries a correction which decides something for you.

Made from `src/diagnostic/codes/` and checked by `tests/docs.rs`. To write it anew:
`DOCS_UPDATE=1 cargo test --test suite docs`.
"
    .to_owned();
    let groups = [
        ("E01", "Syntax"),
        ("E02", "Names"),
        ("E03", "Types"),
        ("E04", "Journeys"),
        ("E050", "Who gets something"),
        ("E052", "Content"),
        ("E05", "Projects, files and settings"),
        ("W", "Warnings"),
        ("R", "Refusals of the daemon"),
        ("E06", "Packs of rules and waivers"),
    ];
    for (range, title) in groups {
        let is_of = |code: &str| {
            code.starts_with(range)
                && (range != "E05" || !(code.starts_with("E050") || code.starts_with("E052")))
        };
        let of_range = code::ALL.iter().filter(|code| is_of(code.as_str()));
        let sorted: BTreeMap<&str, &Code> = of_range.map(|code| (code.as_str(), code)).collect();
        writeln!(out, "\n## {title}\n\n| code | about | severity | fixable |\n|---|---|---|---|").unwrap();
        for code in sorted.into_values() {
            let (title, severity, fix) = (code.title(), severity(*code), fixable(*code));
            writeln!(out, "| [{code}]({code}.md) | {title} | {severity} | {fix} |").unwrap();
        }
    }
    out.push_str(
        "\nRules of compliance, such as CLAIM-001, are in [a table of their own](../compliance.md).\n",
    );
    out
}

fn severity(code: Code) -> &'static str {
    match code.severity() {
        _ if code.as_str().starts_with('R') => "refusal",
        Severity::Warning => "warning",
        _ => "error",
    }
}

/// How what the page calls bad can be mended by the program; empty if it cannot.
fn fixable(code: Code) -> &'static str {
    let bank = fs::read_to_string("tests/suite/check/world/bank.journey").unwrap();
    let examples = code.page().split("```journey bad\n").skip(1);
    let found = examples.filter_map(|rest| rest.split("```").next()).flat_map(|text| {
        // Some pages bring a bank of their own.
        let alone = compile(&project(&[("page.journey", text)])).diagnostics;
        let within = compile(&project(&[("bank.journey", &bank), ("page.journey", text)])).diagnostics;
        alone.into_iter().chain(within)
    });
    let mut fixes = found.filter(|finding| finding.code == code).filter_map(|finding| finding.fix);
    match fixes.next() {
        Some(fix) if fix.safe => "yes",
        Some(_) => "suggested",
        None => "",
    }
}

fn commands() -> String {
    let mut program = Args::command();
    program.build();
    let mut out = "\
# Commands

All that `wayfare` can do. `wayfare COMMAND --help` prints the same.

Made from the program's own definitions and checked by `tests/docs.rs`. To write it anew:
`DOCS_UPDATE=1 cargo test --test suite docs`.

Data goes to the standard output, talk to the standard error, so that output can be piped. What a run ended in:

| exit code | means |
|---|---|
"
    .to_owned();
    for exit in [Exit::Clean, Exit::Findings, Exit::Usage, Exit::Unreachable] {
        writeln!(out, "| {} | {} |", exit as u8, means(exit)).unwrap();
    }
    out.push_str("\n| command | does |\n|---|---|\n");
    for command in program.get_subcommands() {
        let name = command.get_name();
        let about = command.get_about().map(ToString::to_string).unwrap_or_default();
        writeln!(out, "| [`{name}`](#wayfare-{name}) | {} |", cell(&about)).unwrap();
    }
    out.push_str("\nEvery command takes:\n");
    arguments(&mut out, program.get_arguments().filter(|arg| arg.is_global_set()));
    for command in program.get_subcommands() {
        section(&mut out, command, &format!("wayfare {}", command.get_name()), 2);
    }
    out
}

fn means(exit: Exit) -> &'static str {
    match exit {
        Exit::Clean => "everything asked for was done, and nothing was found",
        Exit::Findings => {
            "the command worked and has findings: errors in journeys, failed tests, skipped rows"
        }
        Exit::Usage => {
            "the command could not do its work: bad arguments or settings, a file that cannot be read, a defect"
        }
        Exit::Unreachable => "the daemon that should have answered could not be reached",
    }
}

fn section(out: &mut String, command: &Command, path: &str, depth: usize) {
    let about = command.get_long_about().or_else(|| command.get_about());
    let about = about.map(ToString::to_string).unwrap_or_default();
    let usage = command.clone().render_usage().to_string();
    let usage = usage.trim().trim_start_matches("Usage: ");
    let head = "#".repeat(depth);
    write!(out, "\n{head} {path}\n\n{}\n\n```text\n{usage}\n```\n", about.trim_end()).unwrap();
    arguments(out, command.get_arguments().filter(|arg| !arg.is_global_set()));
    for inner in command.get_subcommands() {
        section(out, inner, &format!("{path} {}", inner.get_name()), depth + 1);
    }
}

fn arguments<'a>(out: &mut String, args: impl Iterator<Item = &'a Arg>) {
    let told = args.filter(|arg| !arg.is_hide_set() && !matches!(arg.get_id().as_str(), "help" | "version"));
    let rows: Vec<String> = told.map(row).collect();
    if !rows.is_empty() {
        write!(out, "\n| argument | means |\n|---|---|\n{}\n", rows.join("\n")).unwrap();
    }
}

fn row(arg: &Arg) -> String {
    let mut names = Vec::new();
    names.extend(arg.get_short().map(|short| format!("-{short}")));
    names.extend(arg.get_long().map(|long| format!("--{long}")));
    let takes = arg.get_action().takes_values();
    let value = arg.get_value_names().unwrap_or_default().join(" ");
    let value = if takes { value } else { String::new() };
    let name = format!("{} {value}", names.join(", "));
    let mut help =
        arg.get_long_help().or_else(|| arg.get_help()).map(ToString::to_string).unwrap_or_default();
    let words: Vec<String> =
        arg.get_possible_values().iter().map(|value| format!("`{}`", value.get_name())).collect();
    if takes && !words.is_empty() {
        write!(help, ". One of {}", words.join(", ")).unwrap();
    }
    let defaults: Vec<String> =
        arg.get_default_values().iter().map(|value| value.to_string_lossy().into_owned()).collect();
    if takes && !defaults.is_empty() {
        write!(help, ". Otherwise `{}`", defaults.join(" ")).unwrap();
    }
    format!("| `{}` | {} |", name.trim(), cell(&help))
}

/// On one line, with nothing that ends a cell.
fn cell(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ").replace('|', "\\|")
}
