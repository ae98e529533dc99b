//! Content addresses: SHA-256 over canonical JSON, in lower-case hex.
//!
//! Canonical JSON is what serde makes of our types: fields in the order of their declaration, maps sorted, numbers
//! exact, no white space.

use std::fmt::Write;
use std::sync::Arc;

use ring::digest::{SHA256, digest};
use serde::Serialize;

use crate::name::Name;
use crate::program::{Bundle, Content, Hash, Hashed, Policies, Program, Values};

/// The hash of a program leaves out where it stands: moving a journey is not a new version of it.
#[must_use]
pub fn program(body: Program) -> Hashed<Program> {
    let placeless = Program { origin: None, lines: Vec::new(), rung_lines: Vec::new(), ..body.clone() };
    Hashed { hash: of(&placeless), body: Arc::new(body) }
}

#[must_use]
pub fn content(body: Content) -> Hashed<Content> {
    Hashed { hash: of(&body), body: Arc::new(body) }
}

#[must_use]
pub fn policies(body: Policies) -> Hashed<Policies> {
    Hashed { hash: of(&body), body: Arc::new(body) }
}

/// The hash of everything in `bundle` but its own hash.
#[must_use]
pub fn bundle(bundle: &Bundle) -> Hash {
    let contents: Vec<(Name, &Hash)> = bundle.contents.iter().map(|(&name, it)| (name, &it.hash)).collect();
    let programs: Vec<(Name, &Hash)> = bundle.programs.iter().map(|(&name, it)| (name, &it.hash)).collect();
    let parts = (bundle.format, &bundle.schema, &bundle.channels, contents, &bundle.calendars, programs);
    let policy = bundle.policy.as_ref().map(|policy| &policy.hash);
    let hash = match (bundle.lanes.is_empty(), policy) {
        (true, None) => of(&parts),
        (false, None) => of(&(parts, &bundle.lanes)),
        (_, Some(policy)) => of(&(parts, &bundle.lanes, policy)),
    };
    if bundle.values == Values::default() && bundle.units.is_empty() {
        return hash;
    }
    of(&(hash, &bundle.values, &bundle.units))
}

/// Sixteen hex digits that stand for `value`: an id that two journeys share when they say the same.
pub(super) fn short(value: &impl Serialize) -> Name {
    let whole = of(value);
    Name::new(whole.get(..16).unwrap_or(&whole))
}

fn of(value: &impl Serialize) -> Hash {
    // Our types have string keys and no numbers that JSON lacks, so this cannot fail; an empty input would still
    // only make a hash that fits nothing.
    let json = serde_json::to_vec(value).unwrap_or_default();
    let mut hex = String::with_capacity(64);
    for byte in digest(&SHA256, &json).as_ref() {
        let _ = write!(hex, "{byte:02x}");
    }
    hex.into()
}
