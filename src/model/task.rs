//! Work for people.

use std::sync::Arc;

use crate::expr::Expr;
use crate::name::Name;
use crate::text::Span;
use crate::value::Length;

use super::journey::Step;

/// The result of a task that names none: it was done.
pub const DONE: &str = "done";
/// The outcome of a task that nobody finished in time.
pub const OVERDUE: &str = "overdue";
/// What `status` of a task can be, in this order.
pub const STATUSES: [&str; 3] = ["open", DONE, OVERDUE];

/// A kind of work, `of` the subject it is about. It is also an event of that subject: it happens when such a task is
/// opened, done or overdue, with the fields `status`, `result` and `assignee`.
#[derive(Clone, Debug)]
pub struct Task {
    pub name: Name,
    pub label: Option<Arc<str>>,
    pub subject: Name,
    /// Never empty, [`DONE`] where none was written.
    pub results: Vec<(Name, Option<Arc<str>>)>,
    /// Who does it, where the step does not say: `to`, else `by`.
    pub to: Option<Expr>,
    /// By when, where the step does not say.
    pub due: Option<Length>,
    /// This long before it is due.
    pub remind: Option<Length>,
    /// This long behind its due time it is shown to somebody else, who is asked for then.
    pub escalate: Option<(Length, Expr)>,
    pub script: Option<Name>,
    pub licence: Option<Name>,
    /// What is said is recorded, by sound and picture.
    pub recorded: bool,
    pub span: Span,
}

/// `assign visit to manager due 2 workdays`
#[derive(Clone, Debug)]
pub struct Assign {
    pub task: Name,
    /// Seen from the journey's subject.
    pub to: Expr,
    /// The branch that the journey's subject belongs to.
    pub unit: Option<Expr>,
    pub due: Option<Length>,
    /// Every result the task can have.
    pub results: Vec<Name>,
    pub tail: AssignTail,
}

/// What becomes of a task that is waited for; nothing in it: it is not waited for.
#[derive(Clone, Debug, Default)]
pub struct AssignTail {
    /// Results, and [`OVERDUE`].
    pub arms: Vec<(Vec<Name>, Vec<Step>)>,
    /// When it is overdue and no arm says so.
    pub otherwise: Option<Vec<Step>>,
}

impl AssignTail {
    #[must_use]
    pub fn waits(&self) -> bool {
        !self.arms.is_empty() || self.otherwise.is_some()
    }
}
