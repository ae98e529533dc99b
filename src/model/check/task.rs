//! Tasks: what they ask for, of whom, by when; and the event that a task is.

use super::expr::{Checker, Place, Shape};
use super::world::{Declared, Kind, Sink, World};
use super::{length, schema, types, visit};
use crate::diagnostic::{Diagnostic, code};
use crate::expr::{BinaryOp, Expr};
use crate::model::task::{DONE, STATUSES, Task};
use crate::model::{Event, Field};
use crate::name::Name;
use crate::syntax::ast::{self, ChoiceItem, DeclKind, TaskItem};
use crate::text::Span;
use crate::value::{Type, Value};

/// The entity of those who do tasks: people and desks of the bank.
pub(super) const STAFF: &str = "staff";
/// In an `escalate`: who was asked first.
pub(super) const ASSIGNEE: &str = "assignee";

/// The task without its conditions, and the event it is.
pub(super) fn shape(world: &mut World, declared: &Declared, items: &[TaskItem], sink: &mut Sink) {
    said_twice(items, declared, sink);
    let Some(subject) = schema::subject(world, declared, sink) else { return };
    let mut task = Task {
        name: declared.name,
        label: schema::label(declared.decl),
        subject,
        results: Vec::new(),
        to: None,
        due: None,
        remind: None,
        escalate: None,
        script: None,
        licence: None,
        recorded: false,
        span: declared.span,
    };
    for item in items {
        match item {
            TaskItem::Due(dur) => task.due = Some(length::positive(*dur, sink)),
            TaskItem::Remind(dur) => task.remind = Some(length::positive(*dur, sink)),
            TaskItem::Result(results) => results.iter().for_each(|result| add(&mut task, result, sink)),
            TaskItem::Licence(licence) => task.licence = Some(licence.name),
            TaskItem::Recorded(_) => task.recorded = true,
            _ => {}
        }
    }
    if task.results.is_empty() {
        task.results.push((Name::new(DONE), None));
    }
    world.model.events.insert(declared.name, event(world, &task));
    world.model.tasks.insert(declared.name, task);
}

fn add(task: &mut Task, result: &ChoiceItem, sink: &mut Sink) {
    let name = result.name;
    if task.results.iter().any(|(known, _)| *known == name.name) {
        return sink.report(types::twice(name));
    }
    if STATUSES.contains(&name.name.as_str()) && name.name.as_str() != DONE {
        let finding = Diagnostic::new(
            code::TASK_ITEM,
            name.span,
            format!("`{}` is what becomes of a task by itself", name.name),
        );
        return sink.report(finding.label("not a result").help("name what somebody found out or did"));
    }
    task.results.push((name.name, result.label.as_ref().map(|label| label.value.clone())));
}

fn said_twice(items: &[TaskItem], declared: &Declared, sink: &mut Sink) {
    let word = |item: &TaskItem| match item {
        TaskItem::To(to) => Some(("to", to.span)),
        TaskItem::By(by) => Some(("by", by.span)),
        TaskItem::Script(path) => Some(("script", path.span)),
        TaskItem::Licence(licence) => Some(("licence", licence.span)),
        TaskItem::Recorded(span) => Some(("recorded", *span)),
        TaskItem::Due(dur) => Some(("due", dur.span)),
        TaskItem::Result(results) => Some(("result", results.first()?.name.span)),
        TaskItem::Remind(dur) => Some(("remind", dur.span)),
        TaskItem::Escalate { to, .. } => Some(("escalate", to.span)),
        TaskItem::Limit(rate) => Some(("limit", rate.span)),
        TaskItem::Error(_) => None,
    };
    let said: Vec<(&str, Span)> = items.iter().filter_map(word).collect();
    for (at, (word, span)) in said.iter().enumerate() {
        let first = said.iter().take(at).find(|(known, _)| known == word);
        if let Some((_, first)) = first {
            sink.report(
                Diagnostic::new(code::TASK_ITEM, *span, format!("`{word}` of a task is said twice"))
                    .label("again here")
                    .also(*first, "first said here")
                    .help("keep one of them; several results stand in one list"),
            );
        }
    }
    let has = |wanted: &str| said.iter().find(|(word, _)| *word == wanted);
    if let Some((word, span)) = has("remind").or_else(|| has("escalate")).filter(|_| has("due").is_none()) {
        sink.report(
            Diagnostic::new(
                code::TASK_ITEM,
                *span,
                format!("`{word}` counts from the due time of `{}`, and it has none", declared.name),
            )
            .label("due when?")
            .help("write `due 2 workdays` in the task"),
        );
    }
}

/// What happens to the subject when a task is opened, done or overdue. Only what is done has a `result`; a condition
/// on it is false before.
fn event(world: &World, task: &Task) -> Event {
    let staff = Name::new(STAFF);
    let assignee = if world.entity(staff).is_some() { Type::Entity(staff) } else { Type::Id };
    let results = task.results.iter().map(|(name, _)| *name).collect();
    let fields = [
        ("status", Type::OneOf(STATUSES.iter().map(|status| Name::new(status)).collect())),
        ("result", Type::OneOf(results)),
        (ASSIGNEE, assignee),
    ];
    let field = |(name, ty): (&str, Type)| Field {
        name: Name::new(name),
        label: None,
        ty,
        daily: false,
        class: None,
        purposes: Vec::new(),
        value: None,
        span: task.span,
    };
    Event {
        name: task.name,
        label: task.label.clone(),
        subject: task.subject,
        fields: fields.map(field).into(),
        source: None,
        late: None,
        captures: Vec::new(),
        span: task.span,
    }
}

/// Who does it and who is told, which may look at the subject's attributes.
pub(super) fn values(world: &mut World, sink: &mut Sink) {
    for declared in world.due_of(|kind| kind == Kind::Task) {
        let DeclKind::Task(items) = &declared.decl.kind else { continue };
        let Some(mut task) = world.model.tasks.remove(&declared.name) else { continue };
        let mut checker = Checker::new(world, declared.file, Place::Field, Some(task.subject));
        for item in items {
            checker.task_item(&mut task, item);
        }
        let Checker { sink: found, .. } = checker;
        sink.findings.extend(found.findings);
        sink.used_too(found.used);
        world.model.tasks.insert(declared.name, task);
    }
}

impl Checker<'_, '_> {
    fn task_item(&mut self, task: &mut Task, item: &TaskItem) {
        match item {
            TaskItem::To(to) => task.to = Some(self.staff(to)),
            TaskItem::By(by) => {
                let by = self.staff(by);
                task.to.get_or_insert(by);
            }
            TaskItem::Escalate { after, to } => {
                let after = length::positive(*after, &mut self.sink);
                let staff = Name::new(STAFF);
                self.params = vec![(Name::new(ASSIGNEE), Type::Entity(staff))];
                let to = self.staff(to);
                self.params.clear();
                task.escalate = Some((after, to));
            }
            TaskItem::Script(path) => {
                let content = self.world.expect_path(&mut self.sink, self.file, path, Kind::Content);
                task.script = content.map(|content| content.name);
            }
            _ => {}
        }
    }

    /// Somebody who does a task: never missing.
    pub(super) fn staff(&mut self, written: &ast::Expr) -> Expr {
        self.expect(written, &Type::Entity(Name::new(STAFF)))
    }

    /// A task is counted, and heard of, when it is opened, unless a condition asks for its `status` or `result`.
    pub(super) fn of_opening(&self, filter: Option<Expr>, shape: &Shape) -> Option<Expr> {
        let Shape::Event(name) = shape else { return filter };
        if !self.world.model.tasks.contains_key(name) {
            return filter;
        }
        let asked = |expr: &Expr| {
            matches!(expr, Expr::Field(record, field)
                if **record == Expr::Element && matches!(field.as_str(), "status" | "result"))
        };
        match filter {
            Some(filter) if visit::any(&filter, &asked) => Some(filter),
            filter => {
                let status = Expr::Field(Box::new(Expr::Element), Name::new("status"));
                let open = Expr::Const(Value::Choice(Name::new("open")));
                let is_open = Expr::Binary(BinaryOp::Is, Box::new(status), Box::new(open));
                Some(match filter {
                    Some(filter) => Expr::Binary(BinaryOp::And, Box::new(is_open), Box::new(filter)),
                    None => is_open,
                })
            }
        }
    }
}
