//! The file and the environment as one tree of values that know their places.

use std::collections::BTreeMap;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::Inputs;
use crate::diagnostic::{Diagnostic, code};
use crate::text::{FileId, Sources, Span};

const PREFIX: &str = "WAYFARE__";

pub(super) type Table = BTreeMap<String, Entry>;

#[derive(Debug)]
pub(super) struct Entry {
    /// Where its key is written.
    pub(super) key: Span,
    pub(super) value: Value,
    /// Where its value is written.
    pub(super) span: Span,
}

#[derive(Debug)]
pub(super) enum Value {
    Table(Table),
    Text(String),
    Integer(i64),
    Bool(bool),
    /// What the environment says: it is read as whatever is wanted.
    Raw(String),
    /// A float, a date or an array, in TOML's own words: no setting is one.
    Other(&'static str),
}

/// The tree of both, the environment over the file.
pub(super) fn build(
    inputs: &Inputs,
    sources: &mut Sources,
    findings: &mut Vec<Diagnostic>,
) -> (Table, FileId) {
    let (document, errors) = DeTable::parse_recoverable(inputs.text);
    let file = sources.add(inputs.path, &masked(inputs.text, document.get_ref()));
    findings.extend(errors.iter().map(|error| invalid(file, error)));
    let mut tree = table(file, document.get_ref());
    overlay(&mut tree, inputs.env, sources, findings);
    (tree, file)
}

/// The text as findings may show it: secrets are stars.
fn masked(text: &str, document: &DeTable) -> String {
    let mut secrets = Vec::new();
    find_secrets(document, &mut secrets);
    let hidden = |at: usize| secrets.iter().any(|secret| secret.contains(&at));
    text.char_indices()
        .flat_map(|(at, c)| {
            // As many bytes as before, so that every span stays where it is.
            let stars = if hidden(at) && c != '\n' { c.len_utf8() } else { 0 };
            std::iter::repeat_n('*', stars).chain((stars == 0).then_some(c))
        })
        .collect()
}

fn find_secrets(table: &DeTable, into: &mut Vec<std::ops::Range<usize>>) {
    for (key, value) in table {
        match value.get_ref() {
            DeValue::Table(inner) => find_secrets(inner, into),
            _ if is_secret(key.get_ref()) => into.push(value.span()),
            DeValue::String(text) if has_password(text) => into.push(value.span()),
            _ => {}
        }
    }
}

fn is_secret(key: &str) -> bool {
    matches!(key, "token" | "secret" | "password" | "key" | "account_key" | "callback_secret")
}

/// Whether this is a URL in which somebody is named, and may be let in.
fn has_password(text: &str) -> bool {
    text.split_once("://").is_some_and(|(_, rest)| rest.contains('@') || rest.contains("password="))
}

fn invalid(file: FileId, error: &toml::de::Error) -> Diagnostic {
    let range = error.span().unwrap_or_default();
    let reason = error.message().lines().next().unwrap_or_default().to_owned();
    Diagnostic::new(
        code::SETTINGS_SYNTAX,
        Span::new(file, range.start, range.end),
        "the settings are not valid TOML",
    )
    .label(reason)
}

fn table(file: FileId, from: &DeTable) -> Table {
    let span = |range: std::ops::Range<usize>| Span::new(file, range.start, range.end);
    let entry =
        |value: &Spanned<DeValue>, key| Entry { key, value: convert(file, value), span: span(value.span()) };
    let pairs = from.iter().map(|(key, value)| (key.get_ref().to_string(), entry(value, span(key.span()))));
    pairs.collect()
}

fn convert(file: FileId, value: &Spanned<DeValue>) -> Value {
    match value.get_ref() {
        DeValue::String(text) => Value::Text(text.to_string()),
        DeValue::Integer(number) => match i64::from_str_radix(number.as_str(), number.radix()) {
            Ok(number) => Value::Integer(number),
            Err(_) => Value::Other("number beyond all bounds"),
        },
        DeValue::Boolean(flag) => Value::Bool(*flag),
        DeValue::Table(inner) => Value::Table(table(file, inner)),
        DeValue::Float(_) => Value::Other("number with a fraction"),
        DeValue::Datetime(_) => Value::Other("date"),
        DeValue::Array(_) => Value::Other("list"),
    }
}

/// Lays `WAYFARE__SERVER__LISTEN=…` over `server.listen`. For its findings the environment becomes a source of its
/// own, in which secrets are not written out.
fn overlay(
    tree: &mut Table,
    env: &BTreeMap<String, String>,
    sources: &mut Sources,
    findings: &mut Vec<Diagnostic>,
) {
    let ours: Vec<_> = env.iter().filter(|(name, _)| name.starts_with(PREFIX)).collect();
    if ours.is_empty() {
        return;
    }
    let shown = |(name, value): &(&String, &String)| format!("{name}={}\n", show(name, value));
    let lines: Vec<String> = ours.iter().map(shown).collect();
    let file = sources.add("environment", &lines.concat());
    let mut start = 0;
    for ((name, value), line) in ours.iter().zip(&lines) {
        let key = Span::new(file, start, start + name.len());
        let span = Span::new(file, start + name.len() + 1, start + line.len() - 1);
        let path: Vec<String> = name.trim_start_matches(PREFIX).split("__").map(str::to_lowercase).collect();
        let entry = Entry { key, value: Value::Raw((*value).clone()), span };
        findings.extend(insert(tree, &path, entry));
        start += line.len();
    }
}

fn show(name: &str, value: &str) -> String {
    let key = name.rsplit("__").next().unwrap_or_default().to_lowercase();
    if is_secret(&key) || has_password(value) { "…".to_owned() } else { value.replace('\n', " ") }
}

fn insert(tree: &mut Table, path: &[String], entry: Entry) -> Option<Diagnostic> {
    let (first, rest) = path.split_first()?;
    if rest.is_empty() {
        if let Some(Entry { value: Value::Table(_), .. }) = tree.get(first) {
            return Some(unplaced(&entry, &format!("`{first}` is a section, not a setting")));
        }
        tree.insert(first.clone(), entry);
        return None;
    }
    let (key, span) = (entry.key, entry.span);
    let section =
        tree.entry(first.clone()).or_insert_with(|| Entry { key, value: Value::Table(Table::new()), span });
    match &mut section.value {
        Value::Table(inner) => insert(inner, rest, entry),
        _ => Some(unplaced(&entry, &format!("`{first}` is a setting, not a section"))),
    }
}

fn unplaced(entry: &Entry, label: &str) -> Diagnostic {
    Diagnostic::new(code::SETTING_UNKNOWN, entry.key, "the environment sets something that is not a setting")
        .label(label)
        .help("write `WAYFARE__SECTION__KEY`, as in `WAYFARE__SERVER__LISTEN`")
}
