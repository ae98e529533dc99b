//! From settings to channels.

use std::path::Path;
use std::sync::Arc;

use super::console::Print;
use super::ordered::{One, Ordered};
use super::provider::Web;
use super::smtp::Smtp;
use super::track::{Tracked, Tracks};
use super::webhook::Wall;
use super::{Channel, Channels, Console, File, Record, Webhook};
use crate::config::provider::{Kind, Provider};
use crate::config::{self, Config};
use crate::name::Name;
use crate::program::Rate;

/// What channels are made with, besides their settings.
#[derive(Clone)]
pub struct Means<'a> {
    /// The folder that paths in the settings are relative to.
    pub root: &'a Path,
    pub print: Print,
    pub wall: Wall,
}

impl Channels {
    /// Opens every channel of the settings.
    ///
    /// # Errors
    /// The channel that cannot be opened, and a reason for people.
    pub fn open(config: &Config, means: &Means) -> Result<Self, (Name, String)> {
        let mut channels = Self::default();
        for (&name, settings) in &config.channels {
            let mut channel = one(settings, means, config).map_err(|reason| (name, reason))?;
            if let Some(links) = config.links.as_ref().filter(|links| links.channels.contains(&name)) {
                let tracks = Tracks::new(links).map_err(|reason| (name, reason))?;
                channel = Arc::new(Tracked { inner: channel, tracks });
            }
            channels.insert(name, channel);
        }
        Ok(channels)
    }
}

fn one(settings: &config::Channel, means: &Means, config: &Config) -> Result<Arc<dyn Channel>, String> {
    Ok(match settings {
        config::Channel::Console => Arc::new(Console::new(Arc::clone(&means.print))),
        config::Channel::Record => Arc::new(Record),
        config::Channel::File { path } => {
            let path = means.root.join(path);
            let file =
                File::open(&path).map_err(|error| format!("cannot open `{}`: {error}", path.display()))?;
            Arc::new(file)
        }
        config::Channel::Webhook(settings) => Arc::new(Webhook::new(settings, means.wall)?),
        config::Channel::Providers(list) => {
            let list = list.iter().map(|settings| provider(settings, means, config));
            Arc::new(Ordered::new(list.collect::<Result<_, _>>()?))
        }
    })
}

fn provider(settings: &Provider, means: &Means, config: &Config) -> Result<One, String> {
    let Provider { name, line, kind, shared } = settings;
    let about = |reason| if *shared { format!("provider `{name}`: {reason}") } else { reason };
    let channel: Arc<dyn Channel> = match kind {
        Kind::Smtp(settings) => Arc::new(Smtp::new(settings, line, means.wall).map_err(about)?),
        other => match Web::new(other, line, means.wall).map_err(about)? {
            Some(web) => Arc::new(web),
            None => return Err(about("there is no way to it".to_owned())),
        },
    };
    // Channels that share a provider share its rate evenly, so that together they keep it.
    let sharers = config.channels.values().filter(|channel| {
        let config::Channel::Providers(list) = channel else { return false };
        list.iter().any(|other| other.shared && other.name == *name)
    });
    let parts = if *shared { sharers.count() } else { 1 };
    let rate = line.rate.map(|rate| Rate { count: rate.count, per_ms: rate.per_ms }.part(parts));
    Ok(One::new(name, channel, rate))
}
