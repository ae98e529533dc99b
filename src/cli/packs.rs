//! Which rules of compliance a project is held to: `[rules]` of its `wayfare.toml`.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use jiff::civil::Date;

use super::{Failure, Output};
use crate::config::{Config, FILE, Inputs};
use crate::rules::{self, Chosen, Pack};
use crate::text::Sources;

/// What the settings in the folder `root` choose, on the day `as_of`; `None`: no pack. Wrong settings are told on stderr.
pub fn chosen(root: &Path, as_of: Date, output: &Output) -> Result<Option<Chosen>, Failure> {
    let file = root.join(FILE);
    // Whoever needs a file that cannot be read says so.
    let text = fs::read_to_string(&file).unwrap_or_default();
    let env = std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
    let env: BTreeMap<String, String> = env.collect();
    let path = file.strip_prefix(".").unwrap_or(&file).display().to_string();
    let read = |_: &str| Err("rules have no secrets".to_owned());
    let inputs = Inputs { path: &path, text: &text, env: &env, read: &read };
    let mut sources = Sources::default();
    let told = |findings, sources: &Sources| {
        output.complain(findings, sources);
        Err(Failure::Told)
    };
    let set = match Config::parse_rules(&inputs, &mut sources) {
        Ok(set) => set,
        Err(findings) => return told(&findings, &sources),
    };
    let Some(packs) = set.packs else {
        return Ok(Some(Chosen { domains: set.domains, ..Chosen::usual(as_of) }));
    };
    let unknown = packs.iter().filter(|(name, _)| Pack::find(name).is_none());
    let findings: Vec<_> = unknown.map(|(name, span)| rules::unknown_pack(name, *span)).collect();
    if !findings.is_empty() {
        return told(&findings, &sources);
    }
    let packs: Vec<Pack> = packs.iter().filter_map(|(name, _)| Pack::find(name)).collect();
    Ok((!packs.is_empty()).then_some(Chosen { packs, as_of, domains: set.domains, before: None }))
}
