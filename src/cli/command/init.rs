//! `wayfare init [DIR]`: a small project that passes `check` and `test`, to grow from.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use crate::cli::{Exit, Failure, Output};

/// Begin a project: settings, one journey with its tests, and a CI workflow.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Folder to begin in; made if it is not there. Files that exist are never written over.
    #[arg(value_name = "DIR", default_value = ".")]
    dir: PathBuf,
}

/// Path and text of every file, in the order they are written.
const FILES: [(&str, &str); 6] = [
    ("wayfare.toml", include_str!("init/wayfare.toml")),
    (".gitignore", include_str!("init/gitignore")),
    ("model.journey", include_str!("init/model.journey")),
    ("welcome.journey", include_str!("init/welcome.journey")),
    ("welcome_test.journey", include_str!("init/welcome_test.journey")),
    (".github/workflows/journeys.yml", include_str!("init/journeys.yml")),
];

pub fn run(args: &Args, output: &Output) -> Result<Exit, Failure> {
    let there = FILES.iter().map(|(path, _)| args.dir.join(path)).find(|path| path.exists());
    if let Some(path) = there {
        return Err(Failure::new(format_args!("`{}` is already there", path.display()))
            .help("`init` writes over nothing; choose another folder with `wayfare init DIR`"));
    }
    for (path, text) in FILES {
        let path = args.dir.join(path);
        write(&path, text)?;
        output.say(format_args!("wrote {}", path.display()));
    }
    output.say(format_args!(
        "next: `cd {}`, then `wayfare check`, `wayfare test`, `wayfare dev`",
        args.dir.display()
    ));
    Ok(Exit::Clean)
}

fn write(path: &Path, text: &str) -> Result<(), Failure> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(|error| Failure::file("make", folder, &error))?;
    }
    // Not even a file that came to be since we looked is written over.
    let file = fs::File::create_new(path).and_then(|mut file| file.write_all(text.as_bytes()));
    file.map_err(|error| Failure::file("write", path, &error))
}
