//! `[store]`: a file, or a server with its password.

use std::path::PathBuf;

use super::{Given, Inputs, PASSWORD_LENGTH, Section, secret};
use crate::config::{Secret, Store};

/// What a URL names.
enum Kind {
    Sqlite(PathBuf),
    Postgres(String),
}

pub(super) fn store(mut section: Section, inputs: &Inputs, default: Store) -> Store {
    let url =
        section.parsed("url", "`sqlite:` and the path of a file, or `postgres://USER@HOST/DATABASE`", kind);
    let store = match url.map(|url| (url.value, url.span)) {
        None => None,
        Some((Kind::Sqlite(path), _)) => Some(Store::Sqlite { path }),
        Some((Kind::Postgres(url), span)) => {
            let password = secret(&mut section, ["password", "password_file"], PASSWORD_LENGTH, inputs);
            let worker =
                section.parsed("worker", "a name", |name| (!name.is_empty()).then(|| name.to_owned()));
            let url = match password {
                Given::Secret(password) => joined(&url, password.expose()).or_else(|| {
                    let wanted = "a URL with a user name and no password, which is set beside it";
                    section.bad_value("url", span, wanted)
                }),
                Given::Not | Given::Bad => Some(url),
            };
            let worker = worker.map(|worker| worker.value);
            url.map(|url| Store::Postgres { url: Secret::new(url), worker })
        }
    };
    section.finish();
    store.unwrap_or(default)
}

fn kind(url: &str) -> Option<Kind> {
    if let Some(path) = url.strip_prefix("sqlite:") {
        return (!path.is_empty()).then(|| Kind::Sqlite(PathBuf::from(path)));
    }
    let rest = url.strip_prefix("postgres://").or_else(|| url.strip_prefix("postgresql://"))?;
    let clean = !rest.is_empty() && !rest.contains(char::is_whitespace);
    clean.then(|| Kind::Postgres(url.to_owned()))
}

/// `None` where the URL has no user name, or has a password already.
fn joined(url: &str, password: &str) -> Option<String> {
    let (scheme, rest) = url.split_once("://")?;
    let (user, place) = rest.split_once('@')?;
    if user.is_empty() || user.contains([':', '/']) {
        return None;
    }
    let mut encoded = String::new();
    for byte in password.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' => encoded.push(char::from(byte)),
            _ => encoded.push_str(&format!("%{byte:02X}")),
        }
    }
    Some(format!("{scheme}://{user}:{encoded}@{place}"))
}
