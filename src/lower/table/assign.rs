//! `assign`.

use super::Table;
use crate::model::task::{self, OVERDUE};
use crate::name::Name;
use crate::program::{Assign, NodeId, NodeKind};

impl Table<'_> {
    pub(super) fn assign(&mut self, assign: &task::Assign, next: NodeId) -> Option<NodeKind> {
        let task = self.model.tasks.get(&assign.task)?;
        Some(NodeKind::Assign(Box::new(Assign {
            task: assign.task,
            subject: task.subject,
            to: self.expr(&assign.to),
            unit: assign.unit.as_ref().map(|unit| self.expr(unit)),
            due: assign.due,
            remind: task.remind,
            escalate: task.escalate.clone(),
            known: assign.results.clone(),
            results: self.results(assign, next)?,
            next,
        })))
    }

    /// Where each result leads: its arm, else on.
    fn results(&mut self, assign: &task::Assign, next: NodeId) -> Option<Vec<(Name, NodeId)>> {
        if !assign.tail.waits() {
            return Some(Vec::new());
        }
        let mut results: Vec<(Name, NodeId)> = Vec::new();
        for (named, body) in &assign.tail.arms {
            let to = self.arm(body, next)?;
            results.extend(named.iter().map(|&result| (result, to)));
        }
        let is_named =
            |results: &[(Name, NodeId)], wanted: Name| results.iter().any(|(known, _)| *known == wanted);
        let overdue = Name::new(OVERDUE);
        if !is_named(&results, overdue) {
            let to = match &assign.tail.otherwise {
                Some(body) => self.arm(body, next)?,
                None => next,
            };
            results.push((overdue, to));
        }
        for &result in &assign.results {
            if !is_named(&results, result) {
                results.push((result, next));
            }
        }
        Some(results)
    }
}
