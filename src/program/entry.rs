//! How instances come to be: what enters, on which schedule, and what makes two entries the same.

use jiff::civil::Time;
use serde::{Deserialize, Serialize};

pub use crate::expr::civil::{Every, Schedule, WeekdayName};
use crate::expr::{Expr, Pattern};
use crate::name::Name;
use crate::value::Length;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Enter {
    Event(Vec<Pattern>),
    /// A without B within D: fires at A + D (+ lateness) unless B came.
    Without {
        trigger: Pattern,
        absent: Pattern,
        within: Length,
    },
    /// False to true, looked for at the schedule; without a schedule at every input of the subject.
    When {
        condition: Expr,
        schedule: Option<Schedule>,
    },
    /// A date or moment of the subject, one occurrence per value.
    Date {
        moment: Expr,
        filter: Option<Expr>,
    },
    /// Every occurrence of a recurring anchor, shifted.
    Anchor {
        /// Of another root: what refers to it, and its kind. `None`: the subject's own anchor.
        #[serde(default)]
        of: Option<(Expr, Name)>,
        anchor: Name,
        shift: Option<(Length, bool)>,
        at: Option<Time>,
        filter: Option<Expr>,
    },
    Every {
        schedule: Schedule,
        filter: Option<Expr>,
    },
    Start,
    List,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Reenter {
    Never,
    After(Length),
    /// Values that make the entry key besides the subject.
    Per(Vec<EntryUnit>),
    /// Once per date of `Enter::Date` or `Enter::Anchor`.
    Occurrence,
    Restart,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum EntryUnit {
    Day,
    Week,
    Month,
    /// The opening of the reward that this names: when it began, or the day where it is closed.
    Opening(Expr),
    /// A path below the entry event: `event.txn`.
    Value(Expr),
}
