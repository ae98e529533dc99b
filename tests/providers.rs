//! Providers as they are set in `wayfare.toml`, against real peers on loopback.

mod general;
mod load;
mod oracle;
mod order;
mod peer;
mod smtp;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use jiff::Timestamp;
use wayfare::channel::webhook::id;
use wayfare::channel::{Channel, Channels, Means, SendResult};
use wayfare::config::{Config, FILE, Inputs};
use wayfare::name::Name;
use wayfare::step::{Delivery, MessageKey, RootKey};
use wayfare::text::Sources;

/// When everything here happens.
fn wall() -> Timestamp {
    "2026-11-22T02:00:00Z".parse().unwrap()
}

fn folder() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/suite/providers"))
}

/// The channel `it` of these settings, where `SECRETS/NAME` is a file that holds `NAME-test-secret`.
fn channel(settings: &str) -> Arc<dyn Channel> {
    let channels = channels(settings).unwrap_or_else(|reason| panic!("{reason}"));
    Arc::clone(channels.get(Name::new("it")).unwrap())
}

fn channels(settings: &str) -> Result<Channels, String> {
    let read = |path: &str| {
        if let Some(name) = path.strip_prefix("SECRETS/") {
            return Ok(format!("{name}-test-secret"));
        }
        std::fs::read_to_string(folder().join(path)).map_err(|error| error.to_string())
    };
    let env = BTreeMap::new();
    let inputs = Inputs { path: FILE, text: settings, env: &env, read: &read };
    let config =
        Config::parse(&inputs, &mut Sources::default()).map_err(|findings| format!("{findings:#?}"))?;
    let means = Means { root: folder(), print: Arc::new(|_: &str| {}), wall };
    Channels::open(&config, &means).map_err(|(name, reason)| format!("{name}: {reason}"))
}

/// What docs/providers.md shows can be set.
#[test]
fn the_documented_settings_hold() {
    let document = include_str!("../docs/providers.md");
    let blocks: Vec<&str> = document.split("```").filter_map(|block| block.strip_prefix("toml\n")).collect();
    assert_eq!(blocks.len(), 3);
    for text in blocks {
        let (env, read) = (BTreeMap::new(), |_: &str| Ok("0123456789abcdef".to_owned()));
        let inputs = Inputs { path: FILE, text, env: &env, read: &read };
        let findings = Config::parse(&inputs, &mut Sources::default()).err();
        assert!(findings.is_none(), "{findings:#?}");
    }
}

const BODY: &str = "您的稳健理财 90天将于12月1日到期";

/// A message of the content `due`; its key is made of `step`.
fn delivery(step: &str, address: &str, parts: &[(&str, &str)]) -> Delivery {
    Delivery {
        message: MessageKey {
            journey: "due".into(),
            root: "C-17".into(),
            child: None,
            entry: "C-17".into(),
            step: step.into(),
        },
        channel: Name::new("it"),
        addressee: RootKey { entity: Name::new("customer"), id: "C-17".into() },
        address: address.into(),
        purpose: Name::new("service"),
        content: Name::new("due"),
        parts: parts.iter().map(|(name, text)| (Name::new(name), (*text).into())).collect(),
        links: vec![],
        program_hash: "p1".into(),
        content_hash: "c1".into(),
        policy_hash: None,
    }
}

/// The first word of what came of it.
fn word(result: &SendResult) -> &'static str {
    match result {
        SendResult::Accepted { .. } => "accepted",
        SendResult::Retry { .. } => "retry",
        SendResult::Rejected { .. } => "rejected",
        SendResult::Ambiguous { .. } => "ambiguous",
        SendResult::Closed { .. } => "closed",
    }
}
