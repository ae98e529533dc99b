//! `wayfare lottery`: what was published of each, its draws as a file, and whether every draw is what the seed says.
//!
//! Reads the store beside the daemon, or a file.

use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};

use crate::cli::client::block_on;
use crate::cli::settings::Settings;
use crate::cli::{Exit, Failure, Output, shelf};
use crate::engine::show::{self, moment};
use crate::lottery::audit::{Audit, Auditor};
use crate::lottery::file;
use crate::store::{Lotteries, LotteryRow};

/// Draws read at once.
const PAGE: usize = 10_000;

/// Look into lotteries: what was published, who has drawn what, and whether that can be repeated.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, clap::Subcommand)]
enum Verb {
    /// Every lottery: the hash of its seed, how many draws there were, and the seed once it is over.
    List {
        /// A JSON array, one object per lottery.
        #[arg(long)]
        json: bool,
    },
    /// All draws of a lottery as a file to be published: a line of what was published of it, then a line for each draw.
    Draws {
        /// Name of the lottery.
        name: String,
        /// Say who drew: not for publishing, and no file for `verify`.
        #[arg(long)]
        holders: bool,
    },
    /// Look at every draw again: its place, its link and, once the seed is known, what its ticket draws.
    Verify {
        /// A file that `wayfare lottery draws` wrote.
        #[arg(required_unless_present = "stored", conflicts_with = "stored")]
        file: Option<PathBuf>,
        /// The lottery of this name, beside the daemon.
        #[arg(long, value_name = "NAME")]
        stored: Option<String>,
    },
}

pub fn run(args: &Args, output: &Output) -> Result<Exit, Failure> {
    if let Verb::Verify { file: Some(path), .. } = &args.verb {
        return verify_file(path, output);
    }
    let settings = Settings::load(Path::new("."), output)?;
    block_on(look(&args.verb, &settings, output))
}

fn verify_file(path: &Path, output: &Output) -> Result<Exit, Failure> {
    let opened = File::open(path).map_err(|error| Failure::file("read", path, &error))?;
    let lines = BufReader::new(opened).lines();
    let (header, audit) =
        file::audit(lines).map_err(|why| Failure::new(format_args!("`{}`: {why}", path.display())))?;
    tell(&header.lottery, &audit, output)
}

async fn look(verb: &Verb, settings: &Settings, output: &Output) -> Result<Exit, Failure> {
    let store = shelf::open_reader(settings).await?;
    let Some(kept) = store.lotteries() else { return Err(Failure::new("this store keeps no lotteries")) };
    let done = match verb {
        Verb::List { json } => list(kept, *json, output).await,
        Verb::Draws { name, holders } => draws(kept, name, *holders, output).await,
        Verb::Verify { stored, .. } => verify(kept, stored.as_deref().unwrap_or_default(), output).await,
    };
    store.close().await;
    done
}

async fn list(kept: &dyn Lotteries, json: bool, output: &Output) -> Result<Exit, Failure> {
    let all = kept.lotteries().await.map_err(Failure::new)?;
    if json {
        output.data(serde_json::Value::Array(all.iter().map(show::lottery).collect()))?;
        return Ok(Exit::Clean);
    }
    for row in &all {
        let ends = moment(row.ends).map(|at| format!(", until {at}")).unwrap_or_default();
        let seed = match row.seed() {
            Some(seed) => format!(", seed {}", seed.reveal()),
            None => String::new(),
        };
        let won: Vec<String> = row.head.won.iter().map(|(prize, count)| format!("{count} {prize}")).collect();
        let won = if won.is_empty() { String::new() } else { format!(", won: {}", won.join(", ")) };
        output.data(format_args!(
            "{}: {} draws{won}{ends}; the seed's SHA-256 is {}{seed}",
            row.name, row.head.draws, row.commitment
        ))?;
    }
    Ok(Exit::Clean)
}

async fn one(kept: &dyn Lotteries, name: &str) -> Result<LotteryRow, Failure> {
    let all = kept.lotteries().await.map_err(Failure::new)?;
    let known: Vec<&str> = all.iter().map(|row| &*row.name).collect();
    let missing = Failure::new(format_args!("there is no lottery `{name}`; there are: {}", known.join(", ")));
    all.iter().find(|row| row.name == name).cloned().ok_or(missing)
}

async fn draws(kept: &dyn Lotteries, name: &str, holders: bool, output: &Output) -> Result<Exit, Failure> {
    let row = one(kept, name).await?;
    output.data(serde_json::to_string(&show::header(&row)).map_err(Failure::new)?)?;
    let mut after = 0;
    while after < row.head.draws {
        let page = kept.draws(name, after, PAGE).await.map_err(Failure::new)?;
        let Some(last) = page.last() else { break };
        let next = last.record.nth;
        // What was drawn since the first line was written is no part of it.
        for drawn in page.iter().filter(|drawn| drawn.record.nth <= row.head.draws) {
            output.data(show::draw(drawn, holders))?;
        }
        after = next;
    }
    Ok(Exit::Clean)
}

async fn verify(kept: &dyn Lotteries, name: &str, output: &Output) -> Result<Exit, Failure> {
    let row = one(kept, name).await?;
    let mut auditor = Auditor::new(&row.published()).map_err(Failure::new)?;
    let mut after = 0;
    while after < row.head.draws {
        let page = kept.draws(name, after, PAGE).await.map_err(Failure::new)?;
        let Some(last) = page.last() else { break };
        after = last.record.nth;
        let page = page.iter().filter(|drawn| drawn.record.nth <= row.head.draws);
        page.for_each(|drawn| auditor.take(&drawn.record));
    }
    tell(name, &auditor.end(Some((row.head.draws, &row.head.link))), output)
}

fn tell(name: &str, audit: &Audit, output: &Output) -> Result<Exit, Failure> {
    for fault in &audit.faults {
        output.data(fault)?;
    }
    let how = if audit.is_repeated {
        "each is what the seed draws, unless it stands above"
    } else {
        "only the chain was looked at: the seed is known when the lottery is over"
    };
    let early = match audit.early {
        0 => String::new(),
        early => format!("; {early} found a prize gone that another worker was about to give"),
    };
    output.say(format_args!("{name}: {} draws, {} faults; {how}{early}", audit.draws, audit.faults.len()));
    Ok(if audit.faults.is_empty() { Exit::Clean } else { Exit::Findings })
}
