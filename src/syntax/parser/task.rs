//! Work for people: what a task is, and the step that assigns one.

use nom::Parser;
use nom::combinator::map;

use super::duration::duration;
use super::expr::expr;
use super::heading::{Heads, heading};
use super::input::In;
use super::primitive::{P, expect_word, ident, item, label, list, path};
use super::rate::rate;
use super::step::{once, option};
use super::tail::{optional_tail, step_id};
use crate::syntax::ast::{Assign, ChoiceItem, Dur, Expr, StepId, StepKind, TaskItem};
use crate::syntax::words;
use crate::text::Span;

const ITEMS: Heads = Heads { what: "an item of a task", words: &[words::TASK_ITEMS, &["to"]] };

pub(super) fn task_item<'a>(i: In<'a>) -> (In<'a>, TaskItem) {
    let read = |start: In<'a>| {
        let (_, word) = heading(start, &ITEMS)?;
        task_item_of(start.next(), word, start.span())
    };
    item(i, read, TaskItem::Error)
}

fn task_item_of<'a>(i: In<'a>, word: &str, head: Span) -> P<'a, TaskItem> {
    match word {
        "to" => map(expr, TaskItem::To).parse(i),
        "by" => map(expr, TaskItem::By).parse(i),
        "script" => map(path("a content"), TaskItem::Script).parse(i),
        "licence" => map(ident("a licence"), TaskItem::Licence).parse(i),
        "due" => map(duration, TaskItem::Due).parse(i),
        "recorded" => Ok((i, TaskItem::Recorded(head))),
        "result" => map(list(result), TaskItem::Result).parse(i),
        "remind" => map((duration, expect_word("before"), expect_word("due")), |(before, _, _)| {
            TaskItem::Remind(before)
        })
        .parse(i),
        "escalate" => {
            let (i, (_, after, _, to)) =
                (expect_word("after"), duration, expect_word("to"), expr).parse(i)?;
            Ok((i, TaskItem::Escalate { after, to }))
        }
        _ => map(rate, TaskItem::Limit).parse(i),
    }
}

/// `interested "有意向"`
fn result(i: In<'_>) -> P<'_, ChoiceItem> {
    map((ident("a result"), label), |(name, label)| ChoiceItem { name, label }).parse(i)
}

/// What may follow the task of an `assign`, in any order.
#[derive(Default)]
struct Options {
    to: Option<Expr>,
    due: Option<Dur>,
    id: Option<StepId>,
}

/// `assign visit to manager otherwise branch.desk due 2 workdays as call { on interested … } else …`
pub(super) fn assign(i: In<'_>) -> P<'_, StepKind> {
    let (mut i, task) = path("a task")(i)?;
    let mut options = Options::default();
    loop {
        i = match i.word() {
            "to" if once(i, options.to.is_none()) => option(expr, i.next(), &mut options.to)?,
            "due" if once(i, options.due.is_none()) => option(duration, i.next(), &mut options.due)?,
            "as" if once(i, options.id.is_none()) => option(step_id, i, &mut options.id)?,
            _ => break,
        };
    }
    let (i, tail) = optional_tail(i)?;
    let Options { to, due, id } = options;
    Ok((i, StepKind::Assign(Box::new(Assign { task, to, due, id: id.unwrap_or_default(), tail }))))
}
