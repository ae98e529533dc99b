//! The examples on the pages of `explain`: a bad one gives the code of its page, a good one gives nothing.

use std::collections::{BTreeMap, BTreeSet};

use wayfare::config::{Config, Inputs};
use wayfare::diagnostic::{Code, Diagnostic, code};
use wayfare::syntax::parse;
use wayfare::text::Sources;

#[test]
fn examples_of_syntax_give_their_code_or_nothing() {
    check("E01", "journey", syntax);
}

/// What the parser finds.
fn syntax(text: &str) -> Vec<Diagnostic> {
    parse(Sources::default().add("page.journey", text), text).diagnostics
}

#[test]
fn examples_of_settings_give_their_code_or_nothing() {
    check("E051", "toml", settings);
}

#[test]
fn the_documented_settings_hold() {
    let document = include_str!("../docs/settings.md");
    let text =
        document.split("```").find_map(|block| block.strip_prefix("toml\n")).expect("there is an example");
    let findings = settings(text);
    assert!(findings.is_empty(), "{findings:?}");
}

fn settings(text: &str) -> Vec<Diagnostic> {
    let read = |path: &str| match path {
        "/run/secrets/wayfare" => Ok("0123456789abcdef".to_owned()),
        _ => Err("there is no such file".to_owned()),
    };
    let inputs = Inputs { path: "wayfare.toml", text, env: &BTreeMap::new(), read: &read };
    Config::parse(&inputs, &mut Sources::default()).err().unwrap_or_default()
}

/// Runs every example in a fence of `language` on the pages whose code begins with `range`.
fn check(range: &str, language: &str, find: impl Fn(&str) -> Vec<Diagnostic>) {
    let found = |text: &str| find(text).iter().map(|finding| finding.code.as_str()).collect::<BTreeSet<_>>();
    let mut wrong = Vec::new();
    for code in code::ALL.iter().filter(|code| code.as_str().starts_with(range)) {
        let bad = examples(*code, &format!("```{language} bad\n"));
        let good = examples(*code, &format!("```{language} good\n"));
        if bad.is_empty() || good.is_empty() {
            wrong.push(format!("{code}: the page lacks a bad or a good example"));
        }
        for text in bad.iter().filter(|text| !found(text).contains(code.as_str())) {
            wrong.push(format!("{code}: the bad example gives {:?}\n{text}", found(text)));
        }
        for text in good.iter().filter(|text| !found(text).is_empty()) {
            wrong.push(format!("{code}: the good example gives {:?}\n{text}", found(text)));
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

fn examples(code: Code, fence: &str) -> Vec<&'static str> {
    let behind = code.page().split(fence).skip(1);
    behind.filter_map(|rest| rest.split_once("```")).map(|(text, _)| text).collect()
}
