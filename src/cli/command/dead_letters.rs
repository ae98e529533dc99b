//! `wayfare dead-letters`: messages that providers never took, and sending them once more.
//!
//! Reads the store beside the daemon; what is replayed goes through the daemon as an event, so it is durable, looked at by
//! the gate again, and the same letter is never replayed twice.

use std::path::Path;

use serde::Deserialize;
use serde_json::{Value as Json, json};

use crate::cli::client::{Client, Target, block_on};
use crate::cli::settings::Settings;
use crate::cli::{Exit, Failure, Output, shelf};
use crate::diagnostic::code;
use crate::store::Quarantined;

/// How many are looked at, the newest first.
const MOST: usize = 100_000;

/// List messages that no provider took in all its attempts, or send them again.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Only of this channel.
    #[arg(long, value_name = "NAME")]
    channel: Option<String>,

    /// Send them again. What has arrived meanwhile stays as it is, and the gate decides anew.
    #[arg(long)]
    replay: bool,

    /// A JSON array, one object per message.
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    target: Target,
}

/// What a record says of its message.
#[derive(Deserialize)]
struct Letter {
    message: String,
    channel: String,
}

pub fn run(args: &Args, output: &Output) -> Result<Exit, Failure> {
    let settings = Settings::load(Path::new("."), output)?;
    block_on(list(args, &settings, output))
}

async fn list(args: &Args, settings: &Settings, output: &Output) -> Result<Exit, Failure> {
    let store = shelf::open_reader(settings).await?;
    let records = store.quarantined(MOST).await.map_err(Failure::new)?;
    store.close().await;
    let letter = |record: &Quarantined| serde_json::from_slice::<Letter>(&record.body).ok();
    let mut letters: Vec<(Quarantined, Letter)> = records
        .into_iter()
        .filter(|record| record.code == code::DEAD_LETTER.as_str())
        .filter_map(|record| letter(&record).map(|letter| (record, letter)))
        .filter(|(_, letter)| args.channel.as_ref().is_none_or(|channel| *channel == letter.channel))
        .collect();
    letters.reverse();
    if args.json {
        let one = |(record, letter): &(Quarantined, Letter)| {
            json!({"at": record.at.to_string(), "message": letter.message, "channel": letter.channel,
                "reason": record.reason})
        };
        output.data(Json::Array(letters.iter().map(one).collect()))?;
    } else {
        for (record, letter) in &letters {
            output.data(format_args!(
                "{} {} {}: {}",
                record.at, letter.channel, letter.message, record.reason
            ))?;
        }
    }
    if args.replay && !letters.is_empty() {
        let client = Client::new(&args.target, output)?;
        for some in letters.chunks(1_000) {
            let line = |all: String, (record, letter): &(Quarantined, Letter)| {
                all + &event(record, letter).to_string() + "\n"
            };
            let lines = some.iter().fold(String::new(), line);
            client.send_lines(lines, output).await?;
        }
        output.say(format_args!("{} messages are sent again", letters.len()));
    }
    Ok(Exit::Clean)
}

/// Its identity is that of the record: a letter that died again is another one.
fn event(record: &Quarantined, letter: &Letter) -> Json {
    json!({
        "specversion": "1.0",
        "source": "urn:wayfare:dead-letters",
        "id": format!("{}/{}", record.at.as_millisecond(), letter.message),
        "type": "wayfare.resend",
        "data": {"message": letter.message},
    })
}
