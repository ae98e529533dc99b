//! Where settings come from: `wayfare.toml` of the project around a folder, the process's environment, secret files.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::exit::reason;
use super::{Failure, Output};
use crate::config::{Config, FILE, Inputs};
use crate::project;
use crate::text::Sources;

/// The settings that hold in a folder.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The nearest folder at or above it that has a `wayfare.toml`; the folder itself where none has.
    pub root: PathBuf,
    pub config: Config,
}

impl Settings {
    /// Reads the settings that hold in `folder`, or where that file is. Wrong ones are told on stderr, all of them.
    pub fn load(folder: &Path, output: &Output) -> Result<Self, Failure> {
        let env = std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
        Self::load_with(folder, &env.collect(), output)
    }

    /// A path of the settings, which are relative to the root.
    #[must_use]
    pub fn path(&self, path: impl AsRef<Path>) -> PathBuf {
        self.root.join(path)
    }

    fn load_with(folder: &Path, env: &BTreeMap<String, String>, output: &Output) -> Result<Self, Failure> {
        let folder = if folder.is_file() { project::folder_of(folder) } else { folder };
        let root = project::root(folder).unwrap_or_else(|| folder.to_owned());
        let file = root.join(FILE);
        let text = match fs::read_to_string(&file) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(Failure::file("read", &file, &error));
            }
            text => text.unwrap_or_default(),
        };
        let read = |path: &str| fs::read_to_string(root.join(path)).map_err(|error| reason(&error));
        let path = file.strip_prefix(".").unwrap_or(&file).display().to_string();
        let inputs = Inputs { path: &path, text: &text, env, read: &read };
        let mut sources = Sources::default();
        match Config::parse(&inputs, &mut sources) {
            Ok(config) => Ok(Self { root, config }),
            Err(findings) => {
                output.complain(&findings, &sources);
                Err(Failure::Told)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::ColorChoice;

    use super::*;

    fn load(folder: &Path, env: &[(&str, &str)]) -> Result<Settings, Failure> {
        let env = env.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Settings::load_with(folder, &env, &Output::stdio(ColorChoice::Never))
    }

    #[test]
    fn settings_are_found_above_and_secrets_beside_them() {
        let project = tempfile::tempdir().unwrap();
        let inner = project.path().join("journeys/bank");
        fs::create_dir_all(&inner).unwrap();
        fs::write(project.path().join(FILE), "[server]\ntoken_file = \"token\"\n").unwrap();
        fs::write(project.path().join("token"), "0123456789abcdef\n").unwrap();
        let settings = load(&inner, &[("WAYFARE__DEV__SPEED", "5")]).unwrap();
        fs::write(inner.join("a.journey"), "").unwrap();
        assert_eq!(load(&inner.join("a.journey"), &[]).unwrap().root, project.path(), "that of the file");
        assert_eq!(settings.root, project.path());
        assert_eq!(settings.config.server.token.as_ref().unwrap().expose(), "0123456789abcdef");
        assert_eq!(settings.config.dev.speed, 5);
        assert_eq!(settings.path("x"), project.path().join("x"));
    }

    #[test]
    fn without_a_file_the_folder_is_the_root() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("a.journey"), "").unwrap();
        for path in [folder.path().to_owned(), folder.path().join("a.journey")] {
            assert_eq!(load(&path, &[]).unwrap().root, folder.path());
        }
    }

    #[test]
    fn wrong_settings_and_unreadable_ones_are_no_defaults() {
        let project = tempfile::tempdir().unwrap();
        fs::write(project.path().join(FILE), "[server]\ntoken_file = \"token\"\n").unwrap();
        assert!(matches!(load(project.path(), &[]), Err(Failure::Told)));
        fs::write(project.path().join(FILE), b"zone = \"\xff\"").unwrap();
        assert!(matches!(load(project.path(), &[]), Err(Failure::Failed { .. })));
    }
}
