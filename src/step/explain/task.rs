//! Words for tasks.

use super::Words;
use crate::expr::show;
use crate::step::trace::Decision;

impl Words<'_> {
    pub(super) fn task(&self, what: &Decision) -> String {
        match what {
            Decision::Assigned { task, to, due, .. } => {
                let due = due.map(|due| format!(", due {}", self.clock(due))).unwrap_or_default();
                format!("asks {} to do `{}`{due}", show::value(to), self.name(*task))
            }
            Decision::Reminded { task, to, .. } => {
                format!("reminds {} of `{}`", show::value(to), self.name(*task))
            }
            Decision::Overdue { task, .. } => format!("`{}` was not done in time", self.name(*task)),
            Decision::Escalated { task, to, .. } => {
                format!("tells {} that `{}` is not done", show::value(to), self.name(*task))
            }
            Decision::TaskDone { task, result, at, .. } => {
                format!("`{}` was done at {}: {}", self.name(*task), self.clock(*at), self.name(*result))
            }
            Decision::Withdrawn { task, .. } => format!("`{}` is no longer asked for", self.name(*task)),
            Decision::Claimed { task, by, .. } => {
                format!("{} takes on `{}`", show::value(by), self.name(*task))
            }
            Decision::NotClaimed { task, by, .. } => {
                format!("{} cannot take on `{}`: somebody else has", show::value(by), self.name(*task))
            }
            Decision::Reassigned { task, from, to, .. } => {
                format!(
                    "asks {} instead of {} to do `{}`",
                    show::value(to),
                    show::value(from),
                    self.name(*task)
                )
            }
            Decision::NoSuchTask { task } => {
                format!("what is said of `{}` changes nothing: no such task is open", self.name(*task))
            }
            _ => String::new(),
        }
    }
}
