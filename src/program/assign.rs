//! Work for people: what a step asks of whom.

use serde::{Deserialize, Serialize};

use super::NodeId;
use crate::expr::Expr;
use crate::name::Name;
use crate::value::Length;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Assign {
    pub task: Name,
    /// The entity the task is about: the journey's subject or its root.
    pub subject: Name,
    /// The id of who does it.
    pub to: Expr,
    /// The key of the branch in whose account it is, where the subject says which.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<Expr>,
    pub due: Option<Length>,
    /// This long before it is due, whoever does it is reminded.
    pub remind: Option<Length>,
    /// This long behind its due time somebody else is told; the expression may use the parameter `assignee`.
    pub escalate: Option<(Length, Expr)>,
    /// Every result the task can have.
    pub known: Vec<Name>,
    /// Where each result leads, and `overdue`. Empty: the step does not wait.
    pub results: Vec<(Name, NodeId)>,
    /// Where it goes on without waiting.
    pub next: NodeId,
}
