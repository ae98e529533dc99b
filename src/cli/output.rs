//! The only file that prints. Stdout carries data, stderr talk; both may be shared between threads.

use std::fmt::Display;
use std::io::{self, IsTerminal, Write};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use anstream::AutoStream;
use clap::ColorChoice;
use clap::builder::StyledStr;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::exit::Failure;
use crate::diagnostic::Diagnostic;
use crate::diagnostic::render::{concise, github, gitlab, human, json, json_lines, junit, sarif, summary};
use crate::text::Sources;

/// How findings are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// The source with arrows, help and notes.
    #[default]
    Full,
    /// One line per finding.
    Concise,
    /// One JSON document.
    Json,
    /// One JSON object per line and finding.
    JsonLines,
    /// GitHub workflow commands.
    Github,
    /// A Code Quality report of GitLab.
    Gitlab,
    /// SARIF 2.1.0, for code scanning.
    Sarif,
    /// `JUnit` XML, for build servers.
    Junit,
}

/// Where a command writes. Clones write to the same place.
#[derive(Clone)]
pub struct Output {
    data: Stream,
    talk: Stream,
    terminal: bool,
}

#[derive(Clone)]
struct Stream {
    to: Arc<Mutex<Box<dyn Write + Send>>>,
    color: human::Color,
}

impl Output {
    /// The process's own streams. Colour follows `choice`, then `NO_COLOR` and `CLICOLOR_FORCE`, then the terminal.
    #[must_use]
    pub fn stdio(choice: ColorChoice) -> Self {
        let (out, err) = (io::stdout(), io::stderr());
        let color = |auto: anstream::ColorChoice| match choice {
            ColorChoice::Always => human::Color::On,
            ColorChoice::Auto if auto != anstream::ColorChoice::Never => human::Color::On,
            ColorChoice::Auto | ColorChoice::Never => human::Color::Off,
        };
        let (data, talk) = (color(AutoStream::choice(&out)), color(AutoStream::choice(&err)));
        let terminal = err.is_terminal();
        Self { data: Stream::new(io::BufWriter::new(out), data), talk: Stream::new(err, talk), terminal }
    }

    /// An output that is kept, and what is said on it.
    #[cfg(test)]
    pub(crate) fn kept() -> (Self, Arc<Mutex<Vec<u8>>>) {
        struct Kept(Arc<Mutex<Vec<u8>>>);
        impl Write for Kept {
            fn write(&mut self, text: &[u8]) -> io::Result<usize> {
                self.0.lock().unwrap().write(text)
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let said = Arc::new(Mutex::new(Vec::new()));
        let stream = |to| Stream::new(Kept(to), human::Color::Off);
        let (data, talk) = (stream(Arc::default()), stream(Arc::clone(&said)));
        (Self { data, talk, terminal: false }, said)
    }

    /// A line of data.
    pub fn data(&self, line: impl Display) -> Result<(), Failure> {
        self.data.write(|to, _| writeln!(to, "{line}")).or_else(lost)
    }

    /// Data that is a document of its own: no line break is added.
    pub fn document(&self, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<(), Failure> {
        self.data.write(|to, _| write(to)).or_else(lost)
    }

    /// A line of data that must be seen at once, as in a log that is followed.
    pub fn live(&self, line: impl Display) -> Result<(), Failure> {
        self.data.write(|to, _| writeln!(to, "{line}").and_then(|()| to.flush())).or_else(lost)
    }

    /// A line of talk. Nobody listening is fine.
    pub fn say(&self, line: impl Display) {
        let _ = self.talk.write(|to, _| writeln!(to, "{line}"));
    }

    /// Findings as the data of the command, for `check` and its like.
    pub fn findings(&self, found: &[Diagnostic], sources: &Sources, format: Format) -> Result<(), Failure> {
        self.data.write(|to, color| render(found, sources, format, color, to)).or_else(lost)?;
        if format == Format::Full && !found.is_empty() {
            self.say(summary(found));
        }
        Ok(())
    }

    /// Findings into the file at `path`, which is made or replaced; never in colour.
    pub fn findings_into(
        &self,
        path: &Path,
        found: &[Diagnostic],
        sources: &Sources,
        format: Format,
    ) -> Result<(), Failure> {
        let mut text = Vec::new();
        let written = render(found, sources, format, human::Color::Off, &mut text);
        written
            .and_then(|()| std::fs::write(path, text))
            .map_err(|error| Failure::file("write", path, &error))?;
        if !found.is_empty() {
            self.say(summary(found));
        }
        Ok(())
    }

    /// Empties the screen before a new result, where there is one.
    pub fn clear(&self) -> Result<(), Failure> {
        if !self.terminal || !io::stdout().is_terminal() {
            return Ok(());
        }
        self.data.write(|to, _| write!(to, "\x1b[2J\x1b[3J\x1b[H").and_then(|()| to.flush())).or_else(lost)
    }

    /// Findings as talk, for commands whose data is something else.
    pub fn complain(&self, found: &[Diagnostic], sources: &Sources) {
        let _ = self.talk.write(|to, color| render(found, sources, Format::Full, color, to));
        if !found.is_empty() {
            self.say(summary(found));
        }
    }

    /// A bar on stderr for `total` steps of work; invisible where nobody watches.
    #[must_use]
    pub fn progress(&self, total: u64, what: &'static str) -> ProgressBar {
        let target = if self.terminal { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        let style = ProgressStyle::with_template("{msg} {wide_bar} {pos}/{len} {per_sec} {eta}");
        let bar = ProgressBar::with_draw_target(Some(total), target).with_message(what);
        match style {
            Ok(style) => bar.with_style(style),
            Err(_) => bar,
        }
    }

    pub fn flush(&self) -> Result<(), Failure> {
        self.data.write(|to, _| to.flush()).or_else(lost)
    }

    pub(super) fn data_styled(&self, text: &StyledStr) -> Result<(), Failure> {
        self.data.write(|to, color| write_styled(to, text, color)).or_else(lost)
    }

    pub(super) fn say_styled(&self, text: &StyledStr) {
        let _ = self.talk.write(|to, color| write_styled(to, text, color));
    }
}

impl Stream {
    fn new(to: impl Write + Send + 'static, color: human::Color) -> Self {
        Self { to: Arc::new(Mutex::new(Box::new(to))), color }
    }

    fn write(&self, write: impl FnOnce(&mut dyn Write, human::Color) -> io::Result<()>) -> io::Result<()> {
        let mut to = self.to.lock().unwrap_or_else(PoisonError::into_inner);
        write(&mut **to, self.color)
    }
}

fn render(
    found: &[Diagnostic],
    sources: &Sources,
    format: Format,
    color: human::Color,
    out: &mut dyn Write,
) -> io::Result<()> {
    match format {
        Format::Full => human::render(found, sources, color, out),
        Format::Concise => concise::render(found, sources, out),
        Format::Json => json::render(found, sources, out),
        Format::JsonLines => json_lines::render(found, sources, out),
        Format::Github => github::render(found, sources, out),
        Format::Gitlab => gitlab::render(found, sources, out),
        Format::Sarif => sarif::render(found, sources, out),
        Format::Junit => junit::render(found, sources, out),
    }
}

fn write_styled(to: &mut dyn Write, text: &StyledStr, color: human::Color) -> io::Result<()> {
    match color {
        human::Color::On => write!(to, "{}", text.ansi()),
        human::Color::Off => write!(to, "{text}"),
    }
}

#[expect(clippy::needless_pass_by_value, reason = "the shape that `or_else` wants")]
fn lost(error: io::Error) -> Result<(), Failure> {
    match error.kind() {
        io::ErrorKind::BrokenPipe => Err(Failure::Closed),
        _ => Err(Failure::new(format_args!("cannot write to the output: {error}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::Exit;

    struct Broken(io::ErrorKind);

    impl Write for Broken {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(self.0.into())
        }

        fn flush(&mut self) -> io::Result<()> {
            Err(self.0.into())
        }
    }

    fn output(kind: io::ErrorKind) -> Output {
        let stream = || Stream::new(Broken(kind), human::Color::Off);
        Output { data: stream(), talk: stream(), terminal: false }
    }

    #[test]
    fn a_reader_that_left_ends_the_command_well() {
        let output = output(io::ErrorKind::BrokenPipe);
        let failure = output.data("x").unwrap_err();
        assert_eq!(failure.tell(&output), Exit::Clean);
    }

    #[test]
    fn a_full_disk_is_a_failure() {
        let output = output(io::ErrorKind::StorageFull);
        let failure = output.data("x").unwrap_err();
        assert_eq!(failure.tell(&output), Exit::Usage);
        output.say("nobody hears this, and that is fine");
    }
}
