//! `wayfare customers`: rows of customers, of what belongs to them, of what they agreed to and of lists, to the daemon.

use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use indicatif::ProgressBar;

use super::events::open;
use super::tally::Tally;
use crate::cli::client::{Client, Target, block_on};
use crate::cli::{Exit, Failure, Output};
use crate::engine::clock::wall;
use crate::intake::{Format, Import, Refusal, Row, Rows, What};
use crate::name::Name;
use crate::program::Schema;

/// Rows per request.
const BATCH: usize = 1000;

/// Work with customers.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, clap::Subcommand)]
enum Verb {
    /// Import a file of customers, or of what belongs to them.
    ///
    /// The first line of a CSV file names the columns: the key, the parent (`customer` for a child entity) and fields as
    /// declared. Lists are written `push|sms`; an empty cell is a missing value. Bad rows are told with their line and
    /// skipped; importing the same file again does no harm.
    Import {
        #[command(flatten)]
        file: File,

        /// The file updates some fields of what is known: required ones may be missing.
        #[arg(long)]
        partial: bool,
    },
    /// Import what customers agreed to and what they refused.
    ///
    /// Columns: the key, `given` (true or false) and `time` (when it was said); `channel`, `purpose` and `wording` narrow
    /// it. What was said later counts, in whatever order it arrives; a row that is known is known again, also from another
    /// file. Bad rows are told with their line and skipped.
    Consents(File),
    /// Import a list of those whom nobody may write to.
    ///
    /// Columns: the key and `list` (its name); `channel`, `purpose` and `until` narrow it, `on` false takes somebody off,
    /// `time` says since when. A row with a time is known again, also from another file. Bad rows are told with their
    /// line and skipped.
    Lists(File),
}

/// Where the rows are and where they go.
#[derive(Debug, clap::Args)]
struct File {
    /// File of rows; `-` reads the standard input.
    #[arg(value_name = "FILE")]
    path: PathBuf,

    /// What the rows are, or whom they are about.
    #[arg(long, value_name = "NAME", default_value = "customer")]
    entity: String,

    /// How the rows are written [default: by the file's ending].
    #[arg(long, value_enum)]
    format: Option<Written>,

    #[command(flatten)]
    target: Target,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Written {
    Csv,
    Ndjson,
}

pub fn run(args: &Args, output: &Output) -> Result<Exit, Failure> {
    let (what, file, partial) = match &args.verb {
        Verb::Import { file, partial } => (What::Attributes, file, *partial),
        Verb::Consents(file) => (What::Consents, file, false),
        Verb::Lists(file) => (What::Lists, file, false),
    };
    Job { what, file: &file.path, entity: &file.entity, format: file.format, partial }
        .run(&file.target, output)
}

/// A file on its way to the daemon.
struct Job<'a> {
    what: What,
    file: &'a Path,
    entity: &'a str,
    format: Option<Written>,
    partial: bool,
}

impl Job<'_> {
    fn run(&self, target: &Target, output: &Output) -> Result<Exit, Failure> {
        let client = Client::new(target, output)?;
        let (reader, name) = open(self.file)?;
        let size = std::fs::metadata(self.file).map(|file| file.len()).unwrap_or_default();
        let bar = output.progress(size, "importing");
        let tally = block_on(async {
            let schema: Schema = client.get("/v1/schema").await?;
            let (reader, read) = Counted::new(reader);
            let (rows, skipped) = Rows::new(BufReader::new(reader), self.import(&schema))
                .map_err(|refusal| bad_file(&name, &refusal))?;
            for column in skipped {
                output.say(format_args!(
                    "{name}:1: the column `{column}` is no field of `{}` and is skipped",
                    self.entity
                ));
            }
            send(rows, &name, &client, output, &|| bar.set_position(read.load(Ordering::Relaxed))).await
        });
        finish(&bar);
        Ok(tally?.finish(output))
    }

    fn import<'a>(&self, schema: &'a Schema) -> Import<'a> {
        let lines = self.file.extension().is_some_and(|ending| ending == "ndjson" || ending == "jsonl");
        let format = match self.format {
            Some(Written::Ndjson) => Format::Ndjson,
            None if lines => Format::Ndjson,
            Some(Written::Csv) | None => Format::Csv,
        };
        let source = match self.what {
            What::Attributes => escaped(self.file),
            // The same words from another file are the same.
            What::Consents => "consents".to_owned(),
            What::Lists => "lists".to_owned(),
        };
        Import {
            what: self.what,
            schema,
            entity: Name::new(self.entity),
            format,
            partial: self.partial,
            source: format!("urn:wayfare:import:{source}"),
            batch: batch(self.file),
        }
    }
}

fn finish(bar: &ProgressBar) {
    bar.finish_and_clear();
}

async fn send(
    mut rows: Rows<'_, impl BufRead>,
    name: &str,
    client: &Client,
    output: &Output,
    moved: &dyn Fn(),
) -> Result<Tally, Failure> {
    let mut tally = Tally::new("row");
    loop {
        let (mut text, mut lines, mut ended) = (String::new(), Vec::new(), true);
        for Row { line, event } in rows.by_ref() {
            match event {
                Ok(event) => {
                    let _ = writeln!(text, "{}", event.to_json());
                    lines.push(line);
                }
                Err(refusal) => {
                    tally.refuse(
                        output,
                        &format!("{name}:{line}"),
                        &format!("{} [{}]", refusal.reason, refusal.code),
                    );
                }
            }
            if lines.len() >= BATCH {
                ended = false;
                break;
            }
        }
        if !lines.is_empty() {
            let mut answer = client.send_lines(text, output).await?;
            // The ids are ours; the line says where to look.
            answer.rejected.iter_mut().for_each(|rejected| rejected.id = None);
            tally
                .add(answer, output, |index, _| format!("{name}:{}", lines.get(index).copied().unwrap_or(0)));
        }
        moved();
        if ended {
            return Ok(tally);
        }
    }
}

/// Says which version of the file it is, so that importing it again is harmless and a new version is news.
fn batch(path: &Path) -> String {
    let version = std::fs::metadata(path).ok().filter(std::fs::Metadata::is_file).and_then(|file| {
        let changed = jiff::Timestamp::try_from(file.modified().ok()?).ok()?;
        Some(format!("{:x}-{:x}", changed.as_millisecond(), file.len()))
    });
    version.unwrap_or_else(|| format!("{:x}", wall().as_microsecond()))
}

/// The file's name in the characters of a URN.
fn escaped(path: &Path) -> String {
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let mut text = String::new();
    for byte in name.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_') {
            text.push(char::from(byte));
        } else {
            let _ = write!(text, "%{byte:02X}");
        }
    }
    text
}

fn bad_file(name: &str, refusal: &Refusal) -> Failure {
    let failure =
        Failure::new(format_args!("nothing of {name} was imported: {} [{}]", refusal.reason, refusal.code));
    failure.help(format_args!("`wayfare explain {}` says more", refusal.code))
}

/// Counts what is read, for the bar.
struct Counted {
    inner: Box<dyn BufRead>,
    read: Arc<AtomicU64>,
}

impl Counted {
    fn new(inner: Box<dyn BufRead>) -> (Self, Arc<AtomicU64>) {
        let read = Arc::new(AtomicU64::new(0));
        (Self { inner, read: Arc::clone(&read) }, read)
    }
}

impl Read for Counted {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.read.fetch_add(count as u64, Ordering::Relaxed);
        Ok(count)
    }
}
