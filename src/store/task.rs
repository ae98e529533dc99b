//! The directory of work: what people of the bank are asked to do, as lists need it.
//!
//! A copy of what the states say, written in the same transaction: keys and columns to look for, no attributes of
//! anybody. Numbers for each unit are kept beside it, changed by what a commit changes.

use super::Stored;

/// A task. What is `None` of `unit`, `result`, `reminded` and `escalated` stays as it is stored; so do `opened` and `day`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TaskRow {
    pub group: u16,
    /// Names it to the outside: letters and digits, the bucket first.
    pub id: String,
    /// Its key in the state, as a text.
    pub key: String,
    /// The kind of the root whose row has it.
    pub entity: String,
    /// `entity:id` of the child that it is about; empty: the root.
    pub about: String,
    pub task: String,
    pub assignee: String,
    /// Who has taken it on; empty: nobody.
    pub holder: String,
    pub unit: Option<String>,
    pub status: TaskStatus,
    pub result: Option<String>,
    /// Milliseconds since 1970, as all instants here.
    pub opened: i64,
    /// Of opening, in the bank's zone, since 1970.
    pub day: i32,
    pub due: Option<i64>,
    pub reminded: Option<i64>,
    /// To whom.
    pub escalated: Option<String>,
    pub changed: i64,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TaskStatus {
    #[default]
    Open,
    /// Open, and its due time has passed.
    Overdue,
    Done,
    Withdrawn,
}

impl TaskStatus {
    pub const ALL: [Self; 4] = [Self::Open, Self::Overdue, Self::Done, Self::Withdrawn];

    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Overdue => "overdue",
            Self::Done => "done",
            Self::Withdrawn => "withdrawn",
        }
    }

    /// As stored.
    #[must_use]
    pub fn number(self) -> u8 {
        match self {
            Self::Open => 0,
            Self::Overdue => 1,
            Self::Done => 2,
            Self::Withdrawn => 3,
        }
    }

    #[must_use]
    pub fn of(number: i64) -> Option<Self> {
        Self::ALL.into_iter().find(|status| i64::from(status.number()) == number)
    }

    /// Whether somebody is still to do it.
    #[must_use]
    pub fn is_open(self) -> bool {
        matches!(self, Self::Open | Self::Overdue)
    }
}

/// Which tasks are wanted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TaskQuery {
    pub assignee: Option<String>,
    /// Of any of these.
    pub units: Option<Vec<String>>,
    pub task: Option<String>,
    /// `None`: whatever is open, overdue or not.
    pub status: Option<TaskStatus>,
    /// Due before this.
    pub before: Option<i64>,
    /// Behind this one in the order: due time, id.
    pub after: Option<(i64, String)>,
    pub limit: usize,
}

impl TaskQuery {
    pub(super) fn is_of_open(&self) -> bool {
        self.status.is_none_or(TaskStatus::is_open)
    }
}

/// How many tasks there are of a unit (empty: of none), kind and status.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct TaskCount {
    pub unit: String,
    pub task: String,
    pub status: TaskStatus,
    pub count: i64,
}

/// Which tasks are counted: those opened on these days.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Days {
    pub from: i32,
    pub to: i32,
}

/// Reading the directory, of all groups.
pub trait Directory: Send + Sync {
    /// The task of this id, in its group.
    fn task<'a>(&'a self, group: u16, id: &'a str) -> Stored<'a, Option<TaskRow>>;

    /// The first of those wanted, by due time; those without one last.
    fn tasks<'a>(&'a self, query: &'a TaskQuery) -> Stored<'a, Vec<TaskRow>>;

    /// In the order of unit, task and status.
    fn task_counts(&self, days: Days) -> Stored<'_, Vec<TaskCount>>;

    /// What changed behind the batch given for each group (behind the first where none is), each with the batch of its
    /// last change: the changes of whole batches, about `limit` of them, those of a group in order.
    fn task_changes<'a>(&'a self, after: &'a [(u16, u64)], limit: usize) -> Stored<'a, Vec<(u64, TaskRow)>>;
}

/// Behind all due times.
pub(super) const NEVER: i64 = i64::MAX;
