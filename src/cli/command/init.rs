//! `wayfare init [DIR]`: a small project that passes `check` and `test`, to grow from.

use std::borrow::Cow;
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
    /// What to begin with.
    #[arg(long, value_name = "NAME", default_value = "welcome")]
    template: Template,
}

/// What a project may begin with.
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum Template {
    /// One journey with its tests.
    Welcome,
    /// A file for each step of the five-step method: who, place, shelf, operations, reach.
    FiveSteps,
}

/// Path in the project and text.
type File = (&'static str, &'static str);

/// What every project has; the channels of its journeys follow.
const SETTINGS: &str = include_str!("init/wayfare.toml");
const IGNORED: File = (".gitignore", include_str!("init/gitignore"));

const WELCOME: [File; 3] = [
    ("model.journey", include_str!("init/model.journey")),
    ("welcome.journey", include_str!("init/welcome.journey")),
    ("welcome_test.journey", include_str!("init/welcome_test.journey")),
];

const FIVE_STEPS: [File; 6] = [
    ("who.journey", include_str!("init/five_steps/who.journey")),
    ("place.journey", include_str!("init/five_steps/place.journey")),
    ("shelf.journey", include_str!("init/five_steps/shelf.journey")),
    ("operations.journey", include_str!("init/five_steps/operations.journey")),
    ("reach.journey", include_str!("init/five_steps/reach.journey")),
    ("operations_test.journey", include_str!("init/five_steps/operations_test.journey")),
];

const WORKFLOW: File = (".github/workflows/journeys.yml", include_str!("init/journeys.yml"));

impl Template {
    /// The channels its journeys send through: the daemon wants to know of each how.
    fn channels(self) -> &'static [&'static str] {
        match self {
            Self::Welcome => &["push", "sms"],
            Self::FiveSteps => &["in_app", "push", "sms"],
        }
    }

    fn settings(self) -> String {
        let channel = |name: &&str| format!("\n[channels.{name}]\nkind = \"console\"\n");
        SETTINGS.to_owned() + &self.channels().iter().map(channel).collect::<String>()
    }

    /// Every file, in the order they are written.
    fn files(self) -> impl Iterator<Item = (&'static str, Cow<'static, str>)> {
        let journeys: &[File] = match self {
            Self::Welcome => &WELCOME,
            Self::FiveSteps => &FIVE_STEPS,
        };
        let settings = ("wayfare.toml", Cow::Owned(self.settings()));
        let rest = [IGNORED].into_iter().chain(journeys.iter().copied()).chain([WORKFLOW]);
        std::iter::once(settings).chain(rest.map(|(path, text)| (path, Cow::Borrowed(text))))
    }
}

pub fn run(args: &Args, output: &Output) -> Result<Exit, Failure> {
    let there = args.template.files().map(|(path, _)| args.dir.join(path)).find(|path| path.exists());
    if let Some(path) = there {
        return Err(Failure::new(format_args!("`{}` is already there", path.display()))
            .help("`init` writes over nothing; choose another folder with `wayfare init DIR`"));
    }
    for (path, text) in args.template.files() {
        let path = args.dir.join(path);
        write(&path, &text)?;
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
