//! `wayfare events send`: CloudEvents from a file or a pipe to the daemon.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use serde_json::Value as Json;

use super::tally::Tally;
use crate::cli::client::{Client, Target, block_on};
use crate::cli::{Exit, Failure, Output};

/// Lines per request.
const BATCH: usize = 1000;

/// Work with events.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, clap::Subcommand)]
enum Verb {
    Send(Send),
}

/// Send CloudEvents to the daemon.
///
/// Reads one JSON event per line, or with `.json` one event or an array of them. Sending the same events again does no
/// harm.
#[derive(Debug, clap::Args)]
struct Send {
    /// File of events; `-` reads the standard input.
    #[arg(value_name = "FILE", default_value = "-")]
    file: PathBuf,

    #[command(flatten)]
    target: Target,
}

pub fn run(args: &Args, output: &Output) -> Result<Exit, Failure> {
    let Verb::Send(send) = &args.verb;
    let client = Client::new(&send.target, output)?;
    let (reader, name) = open(&send.file)?;
    let is_document = send.file.extension().is_some_and(|ending| ending == "json");
    let tally = block_on(async {
        if is_document {
            document(reader, &send.file, &client, output).await
        } else {
            lines(reader, &name, &client, output).await
        }
    })?;
    Ok(tally.finish(output))
}

/// A reader of `path`, or of the standard input for `-`, and what to call it.
pub(super) fn open(path: &Path) -> Result<(Box<dyn BufRead>, String), Failure> {
    if path == Path::new("-") {
        return Ok((Box::new(BufReader::new(io::stdin())), "standard input".to_owned()));
    }
    let file = File::open(path).map_err(|error| Failure::file("read", path, &error))?;
    Ok((Box::new(BufReader::new(file)), path.display().to_string()))
}

async fn lines(
    mut reader: Box<dyn BufRead>,
    name: &str,
    client: &Client,
    output: &Output,
) -> Result<Tally, Failure> {
    let mut tally = Tally::new("event");
    let mut before = 0;
    loop {
        let (text, count) =
            batch(&mut reader).map_err(|error| Failure::file("read", Path::new(name), &error))?;
        if count == 0 {
            return Ok(tally);
        }
        if !text.trim_ascii().is_empty() {
            let answer = client.send_lines(text, output).await?;
            tally.add(answer, output, |_, line| format!("{name}:{}", before + line.unwrap_or(0)));
        }
        before += count;
    }
}

/// The next lines and how many they are. Bytes that are not UTF-8 are replaced: the daemon says what is wrong then.
fn batch(reader: &mut dyn BufRead) -> io::Result<(String, u64)> {
    let (mut text, mut count) = (Vec::new(), 0);
    while count < BATCH as u64 && reader.read_until(b'\n', &mut text)? > 0 {
        count += 1;
    }
    Ok((String::from_utf8_lossy(&text).into_owned(), count))
}

async fn document(
    mut reader: Box<dyn BufRead>,
    path: &Path,
    client: &Client,
    output: &Output,
) -> Result<Tally, Failure> {
    let mut text = Vec::new();
    reader.read_to_end(&mut text).map_err(|error| Failure::file("read", path, &error))?;
    let events = match serde_json::from_slice(&text) {
        Ok(Json::Array(events)) => events,
        Ok(event) => vec![event],
        Err(error) => {
            let failure = Failure::new(format_args!("`{}` is not JSON: {error}", path.display()));
            return Err(failure.help("a file with one event per line is called `.ndjson`"));
        }
    };
    let mut tally = Tally::new("event");
    for (number, events) in events.chunks(BATCH).enumerate() {
        let lines: Vec<String> = events.iter().map(ToString::to_string).collect();
        let text = lines.join("\n") + "\n";
        let answer = client.send_lines(text, output).await?;
        let place = |index, _| format!("{}: event {}", path.display(), number * BATCH + index + 1);
        tally.add(answer, output, place);
    }
    Ok(tally)
}
