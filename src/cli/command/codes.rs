//! `wayfare codes`: codes of partners, from their file to the daemon, and how many are left.

use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::json;

use super::events::open;
use crate::cli::client::{Client, Target, block_on};
use crate::cli::{Exit, Failure, Output};
use crate::engine::partner::is_code;

/// Codes per request.
const BATCH: usize = 5_000;
/// The column that is read.
const COLUMN: &str = "code";

/// Work with the codes of partners.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, clap::Subcommand)]
enum Verb {
    /// Import the codes of a reward.
    ///
    /// The first line of the CSV file names the columns; read is `code`. What is no code is told with its line and skipped;
    /// importing the same file again does no harm.
    Import {
        /// The reward that comes with them.
        reward: String,

        /// File of codes; `-` reads the standard input.
        #[arg(value_name = "FILE")]
        file: PathBuf,

        #[command(flatten)]
        target: Target,
    },
    /// Every reward that comes with codes: how many there are, and how many went.
    List {
        #[command(flatten)]
        target: Target,
    },
}

#[derive(Deserialize)]
struct Imported {
    imported: u64,
    known: u64,
}

#[derive(Deserialize)]
struct Counts {
    rewards: Vec<Count>,
}

#[derive(Deserialize)]
struct Count {
    reward: String,
    partner: String,
    imported: i64,
    given: i64,
    shown: i64,
    left: i64,
}

pub fn run(args: &Args, output: &Output) -> Result<Exit, Failure> {
    match &args.verb {
        Verb::Import { reward, file, target } => {
            let client = Client::new(target, output)?;
            block_on(import(reward, file, &client, output))
        }
        Verb::List { target } => {
            let client = Client::new(target, output)?;
            block_on(list(&client, output))
        }
    }
}

async fn import(reward: &str, file: &Path, client: &Client, output: &Output) -> Result<Exit, Failure> {
    let (reader, name) = open(file)?;
    let mut rows = csv::ReaderBuilder::new().flexible(true).trim(csv::Trim::All).from_reader(reader);
    let unreadable = |error: &csv::Error| Failure::new(format_args!("{name}: {error}"));
    let header = rows.headers().map_err(|error| unreadable(&error))?;
    let column = header.iter().position(|column| column.trim_start_matches('\u{feff}') == COLUMN);
    let column = column.ok_or_else(|| {
        Failure::new(format_args!("{name}:1: there is no column `{COLUMN}`"))
            .help("name the columns in the first line; that of the codes is `code`")
    })?;
    let (mut batch, mut skipped) = (Vec::new(), 0_u64);
    let (mut imported, mut known) = (0, 0);
    let mut rows = rows.into_records();
    loop {
        let row = rows.next();
        let is_end = row.is_none();
        if let Some(row) = row {
            let row = row.map_err(|error| unreadable(&error))?;
            let code = row.get(column).unwrap_or_default();
            if is_code(code) {
                batch.push(code.to_owned());
            } else {
                skipped += 1;
                let line = row.position().map_or(0, csv::Position::line);
                output.say(format_args!("{name}:{line}: this is no code, and is skipped"));
            }
        }
        if batch.len() >= BATCH || is_end && !batch.is_empty() {
            let body = json!({ "codes": std::mem::take(&mut batch) });
            let answer: Imported = client.ask(&format!("/v1/codes/{reward}"), &body).await?;
            imported += answer.imported;
            known += answer.known;
        }
        if is_end {
            break;
        }
    }
    output.say(format_args!("{imported} codes imported, {known} known before, {skipped} skipped"));
    Ok(if skipped == 0 { Exit::Clean } else { Exit::Findings })
}

async fn list(client: &Client, output: &Output) -> Result<Exit, Failure> {
    let Counts { rewards } = client.get("/v1/codes").await?;
    for Count { reward, partner, imported, given, shown, left } in &rewards {
        output.data(format_args!(
            "{reward} ({partner}): {imported} imported, {given} given, {shown} of them shown, {left} left"
        ))?;
    }
    Ok(Exit::Clean)
}
