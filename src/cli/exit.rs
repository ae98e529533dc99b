//! What a run of the program ends in.

use std::fmt::Display;
use std::io;
use std::process::ExitCode;

use super::Output;

/// The exit codes, as scripts see them. They never change their meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    /// Everything asked for was done and nothing was found.
    Clean = 0,
    /// The command worked and has findings: errors in journeys, failed tests, rows that were skipped.
    Findings = 1,
    /// The command could not do its work: bad arguments or configuration, a file that cannot be read, a defect.
    Usage = 2,
    /// The daemon that should have answered could not be reached.
    Unreachable = 3,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// Why a command stopped early.
#[derive(Debug)]
pub enum Failure {
    /// It could not do its work. Ends in [`Exit::Usage`].
    Failed { headline: String, help: Option<String> },
    /// The daemon could not be reached. Ends in [`Exit::Unreachable`].
    Unreachable { headline: String, help: Option<String> },
    /// Findings have been printed already and there is nothing to add. Ends in [`Exit::Findings`].
    Found,
    /// Bad configuration has been printed already. Ends in [`Exit::Usage`].
    Told,
    /// Whoever read our output went away (`wayfare … | head`). Ends in [`Exit::Clean`].
    Closed,
}

impl Failure {
    /// `headline` is lower-case, one sentence, without a full stop.
    #[must_use]
    pub fn new(headline: impl Display) -> Self {
        Self::Failed { headline: headline.to_string(), help: None }
    }

    /// A file or folder that could not be used: "cannot read `x`: no such file".
    #[must_use]
    pub fn file(doing: &str, path: &std::path::Path, error: &io::Error) -> Self {
        Self::new(format_args!("cannot {doing} `{}`: {}", path.display(), reason(error)))
    }

    #[must_use]
    pub fn unreachable(headline: impl Display) -> Self {
        Self::Unreachable { headline: headline.to_string(), help: None }
    }

    /// Adds what to do next.
    #[must_use]
    pub fn help(mut self, text: impl Display) -> Self {
        if let Self::Failed { help, .. } | Self::Unreachable { help, .. } = &mut self {
            *help = Some(text.to_string());
        }
        self
    }

    /// Says on stderr what there is to say, and gives the exit code.
    pub(super) fn tell(self, output: &Output) -> Exit {
        let (exit, headline, help) = match self {
            Self::Failed { headline, help } => (Exit::Usage, headline, help),
            Self::Unreachable { headline, help } => (Exit::Unreachable, headline, help),
            Self::Found => return Exit::Findings,
            Self::Told => return Exit::Usage,
            Self::Closed => return Exit::Clean,
        };
        output.say(format_args!("error: {headline}"));
        if let Some(help) = help {
            output.say(format_args!("  help: {help}"));
        }
        exit
    }
}

/// The operating system's reason without its number and capital letter.
pub(super) fn reason(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => "there is no such file".to_owned(),
        io::ErrorKind::PermissionDenied => "permission denied".to_owned(),
        io::ErrorKind::InvalidData => "it is not UTF-8 text".to_owned(),
        _ => error.to_string(),
    }
}
