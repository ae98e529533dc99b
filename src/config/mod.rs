//! The daemon's settings: `wayfare.toml`, overlaid by the environment, checked as strictly as journeys are.
//!
//! Reading order: [`Config`] (what is set), [`provider`] with [`copy`] and [`pattern`], `tree` (file and environment as one tree), `section` (typed reading of it,
//! with findings), [`Secret`]. Here is no IO: text, environment and a reader of secret files come in as [`Inputs`].
//! What a journey means never depends on settings; `WAYFARE__SERVER__LISTEN` overlays `listen` of `[server]`.

mod address;
pub mod copy;
pub mod pattern;
pub mod provider;
mod read;
mod secret;
mod section;
mod tree;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use jiff::SignedDuration;
use jiff::tz::TimeZone;

pub use address::is_private;
pub use provider::Provider;
pub use secret::Secret;

use crate::diagnostic::Diagnostic;
use crate::name::Name;
use crate::text::{Sources, Span};

/// The name of the settings file, at the root of a project.
pub const FILE: &str = "wayfare.toml";

/// Everything a daemon can be told. [`Config::default`] is what holds without a file.
#[derive(Clone, Debug)]
pub struct Config {
    /// Civil times of those who have no zone of their own.
    pub zone: TimeZone,
    pub store: Store,
    pub server: Server,
    /// How each channel of the journeys really sends.
    pub channels: BTreeMap<Name, Channel>,
    /// Names of event sources, and the `CloudEvents` source URIs they stand for. No URI is there twice.
    pub sources: BTreeMap<Name, String>,
    pub intake: Intake,
    /// Where tracked links lead through us; `None`: links are as they are written.
    pub links: Option<Links>,
    /// Seals the seeds of lotteries in the store; `None`: they lie there in clear.
    pub lotteries: Option<Secret>,
    pub upkeep: Upkeep,
    pub dev: Dev,
    pub rules: Rules,
}

/// Which rules of compliance journeys are held to. What the names mean is not known here.
#[derive(Clone, Debug, Default)]
pub struct Rules {
    /// Names of packs and where they are written; `None`: nothing is said.
    pub packs: Option<Vec<(String, Span)>>,
    /// Hosts of the bank's own pages.
    pub domains: Vec<String>,
}

/// Links that say when they are followed.
#[derive(Clone, Debug)]
pub struct Links {
    /// Where this daemon is reached by customers, under the bank's own domain; without a slash at its end.
    pub url: String,
    /// Seals what a link holds.
    pub secret: Secret,
    /// Whose messages are tracked with links that hold what they say.
    pub channels: Vec<Name>,
    /// Whose messages are tracked with short links; none of `channels`.
    pub short: Vec<Name>,
}

#[derive(Clone, Debug)]
pub enum Store {
    /// A file, relative to the folder of the settings file.
    Sqlite { path: PathBuf },
    Postgres {
        /// `postgres://USER@HOST/DATABASE`, with the password where one is set.
        url: Secret,
        /// The name of this worker among those that share the store; `None`: host and port.
        worker: Option<String>,
    },
}

/// INVARIANT: without a token, `listen` is a loopback address.
#[derive(Clone, Debug)]
pub struct Server {
    pub listen: SocketAddr,
    /// What requests that change state must bear.
    pub token: Option<Secret>,
    /// Bytes of a request's body; larger ones are refused whole.
    pub max_body: u64,
}

#[derive(Clone, Debug)]
pub enum Channel {
    /// Prints messages.
    Console,
    /// Appends messages to a file, one JSON document a line.
    File {
        path: PathBuf,
    },
    Webhook(Webhook),
    /// Keeps messages in memory, for tests.
    Record,
    /// Hands messages to the first of these that can take them. Never empty.
    Providers(Vec<Provider>),
}

/// POST of each message to a URL, signed.
///
/// INVARIANT: `url` is absolute; it is `https` and names no private address unless `allow_private`.
#[derive(Clone, Debug)]
pub struct Webhook {
    pub url: String,
    /// Signs the body (HMAC-SHA-256).
    pub secret: Option<Secret>,
    /// From the request's start to its answer's end.
    pub timeout: Duration,
    /// Whether the URL may lead to a private address ([`is_private`]), also by its name.
    pub allow_private: bool,
}

/// What becomes of events that come in.
#[derive(Clone, Copy, Debug)]
pub struct Intake {
    /// How long events of a subject that is not known wait for it.
    pub park: SignedDuration,
}

impl Default for Intake {
    fn default() -> Self {
        Self { park: SignedDuration::from_hours(7 * 24) }
    }
}

/// Work in the background, and how long records are kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Upkeep {
    /// Customers looked at by sweeps, and events replayed, in a second; `None`: as fast as it goes.
    pub rows_per_second: Option<u32>,
    /// Days for which the log of events, the trace and the identities of events are kept; `None`: for ever.
    pub keep_days: Option<u32>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dev {
    /// How much faster than the wall `wayfare dev` runs its clock. At least 1.
    pub speed: u32,
}

/// What settings are made of.
pub struct Inputs<'a> {
    /// The file's path, for messages.
    pub path: &'a str,
    /// Its text; empty where there is no file.
    pub text: &'a str,
    /// The environment. Only names that begin with `WAYFARE__` are looked at.
    pub env: &'a BTreeMap<String, String>,
    /// Reads a secret's file (`token_file`, `secret_file`); an error is a reason for people.
    pub read: &'a dyn Fn(&str) -> Result<String, String>,
}

impl Config {
    /// Reads settings. The file, and the environment if it says anything, are added to `sources`, so that findings
    /// have a place; secrets are not.
    pub fn parse(inputs: &Inputs, sources: &mut Sources) -> Result<Self, Vec<Diagnostic>> {
        read::config(inputs, sources)
    }

    /// Reads `[rules]` alone: whoever only checks journeys need not have the secrets of the daemon.
    pub fn parse_rules(inputs: &Inputs, sources: &mut Sources) -> Result<Rules, Vec<Diagnostic>> {
        read::rules(inputs, sources)
    }
}

impl Default for Config {
    fn default() -> Self {
        Self {
            zone: TimeZone::get("Asia/Shanghai").unwrap_or(TimeZone::UTC),
            store: Store::Sqlite { path: PathBuf::from(".wayfare/wayfare.db") },
            server: Server { listen: (Ipv4Addr::LOCALHOST, 7171).into(), token: None, max_body: 8 << 20 },
            channels: BTreeMap::new(),
            sources: BTreeMap::new(),
            intake: Intake::default(),
            links: None,
            lotteries: None,
            upkeep: Upkeep::default(),
            dev: Dev { speed: 1 },
            rules: Rules::default(),
        }
    }
}
