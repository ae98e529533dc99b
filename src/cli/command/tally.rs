//! What became of the records of a command that sends many.

use crate::cli::client::Answer;
use crate::cli::{Exit, Output};

#[derive(Debug, Default)]
pub(super) struct Tally {
    /// What a record is called, in the singular.
    what: &'static str,
    accepted: u64,
    duplicates: u64,
    refused: u64,
}

impl Tally {
    pub(super) fn new(what: &'static str) -> Self {
        Self { what, ..Self::default() }
    }

    /// Counts an answer; each refusal is told with its place, which `place` finds.
    pub(super) fn add(
        &mut self,
        answer: Answer,
        output: &Output,
        place: impl Fn(usize, Option<u64>) -> String,
    ) {
        self.accepted += answer.accepted;
        self.duplicates += answer.duplicates;
        self.refused += answer.rejected_more;
        for rejected in answer.rejected {
            let id = rejected.id.map(|id| format!(" (id `{id}`)")).unwrap_or_default();
            let place = place(rejected.index, rejected.line);
            self.refuse(output, &place, &format!("{}{id} [{}]", rejected.reason, rejected.code));
        }
    }

    pub(super) fn refuse(&mut self, output: &Output, place: &str, reason: &str) {
        self.refused += 1;
        output.say(format_args!("{place}: {reason}"));
    }

    /// Says how it went.
    pub(super) fn finish(&self, output: &Output) -> Exit {
        let plural = if self.accepted == 1 { "" } else { "s" };
        let known =
            if self.duplicates > 0 { format!(", {} known before", self.duplicates) } else { String::new() };
        let refused = if self.refused > 0 { format!(", {} refused", self.refused) } else { String::new() };
        output.say(format_args!("{} {}{plural} taken{known}{refused}", self.accepted, self.what));
        if self.refused > 0 { Exit::Findings } else { Exit::Clean }
    }
}
