//! The editor grammar knows the words of the parser: all of them, and no other.

use std::collections::BTreeSet;

use serde_json::Value;
use wayfare::syntax::words;

fn grammar() -> Value {
    serde_json::from_str(include_str!("../editors/vscode/syntaxes/journey.tmLanguage.json")).unwrap()
}

/// Every pattern of the grammar, whatever its place.
fn patterns(value: &Value, out: &mut Vec<String>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| patterns(item, out)),
        Value::Object(fields) => {
            for (key, field) in fields {
                match field {
                    Value::String(text) if matches!(key.as_str(), "match" | "begin" | "end") => {
                        out.push(text.clone());
                    }
                    _ => patterns(field, out),
                }
            }
        }
        _ => {}
    }
}

/// The words of all groups `(?:word|word)`.
fn listed(pattern: &str) -> Vec<String> {
    let groups = pattern.split("(?:").skip(1).filter_map(|rest| rest.split_once(')')).map(|(group, _)| group);
    let of_words =
        groups.filter(|group| group.chars().all(|c| c.is_ascii_lowercase() || c == '_' || c == '|'));
    of_words.flat_map(|group| group.split('|')).map(str::to_owned).collect()
}

#[test]
fn words_are_those_of_the_parser() {
    let mut found = Vec::new();
    patterns(&grammar(), &mut found);
    let coloured: BTreeSet<String> = found.iter().flat_map(|pattern| listed(pattern)).collect();
    let known: BTreeSet<String> = words::all().into_iter().map(str::to_owned).collect();
    let missing: Vec<&String> = known.difference(&coloured).collect();
    let extra: Vec<&String> = coloured.difference(&known).collect();
    assert!(
        missing.is_empty() && extra.is_empty(),
        "not coloured: {missing:?}, not in the language: {extra:?}"
    );
}

#[test]
fn every_included_rule_exists() {
    fn includes(value: &Value, out: &mut Vec<String>) {
        match value {
            Value::Array(items) => items.iter().for_each(|item| includes(item, out)),
            Value::Object(fields) => {
                out.extend(fields.get("include").and_then(Value::as_str).map(str::to_owned));
                fields.values().for_each(|field| includes(field, out));
            }
            _ => {}
        }
    }
    let grammar = grammar();
    let mut named = Vec::new();
    includes(&grammar, &mut named);
    assert!(!named.is_empty());
    for name in named {
        let rule = name.strip_prefix('#').expect("only rules of this grammar are included");
        assert!(grammar["repository"][rule].is_object(), "{name}");
    }
}

#[test]
fn the_manifest_names_files_that_exist() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/editors/vscode");
    let read = |file: &str| std::fs::read_to_string(format!("{folder}/{file}")).unwrap();
    let manifest: Value = serde_json::from_str(&read("package.json")).unwrap();
    let contributes = &manifest["contributes"];
    let configuration = contributes["languages"][0]["configuration"].as_str().unwrap();
    let path = contributes["grammars"][0]["path"].as_str().unwrap();
    for file in [configuration, path] {
        let parsed: Value = serde_json::from_str(&read(file)).unwrap();
        assert!(parsed.is_object(), "{file}");
    }
    assert_eq!(contributes["grammars"][0]["scopeName"], grammar()["scopeName"]);
}
