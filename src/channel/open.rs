//! From settings to channels.

use std::path::Path;
use std::sync::Arc;

use super::console::Print;
use super::webhook::Wall;
use super::{Channel, Channels, Console, File, Record, Webhook};
use crate::config::{self, Config};
use crate::name::Name;

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
            channels.insert(name, one(settings, means).map_err(|reason| (name, reason))?);
        }
        Ok(channels)
    }
}

fn one(settings: &config::Channel, means: &Means) -> Result<Arc<dyn Channel>, String> {
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
    })
}
