//! Work for people: lists, one task, numbers for each unit, what changed; and what people say of it.
//!
//! Reading is of the directory in the store; what is said goes in as an event, and is answered when the directory
//! shows it. A task that another worker keeps may take a moment, so an answer can also be 202.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use axum::Json as Body;
use axum::body::Bytes;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use jiff::Timestamp;
use jiff::civil::Date;
use serde::Deserialize;
use serde_json::{Value as Json, json};

use super::problem::Problem;
use super::{Door, ops};
use crate::diagnostic::code;
use crate::engine::desk::days_since_1970;
use crate::engine::{EngineError, Receipt};
use crate::intake::{MAX_ID, quote};
use crate::name::Name;
use crate::step::{Event, EventKind, MessageKey, RootKey, TaskOrder, symbols, task};
use crate::store::{Days, Directory, TaskQuery, TaskRow, TaskStatus};
use crate::value::Value;

/// Tasks of one answer, where nothing is said, and at most.
const PAGE: usize = 100;
const MOST: usize = 1_000;
/// How long an answer waits for a worker that keeps the task, and how often it looks.
const PATIENCE: Duration = Duration::from_secs(2);
const LOOK: Duration = Duration::from_millis(10);
/// The source of what comes by this door.
const SOURCE: &str = "wayfare.tasks";

type Answer = (StatusCode, Body<Json>);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Wanted {
    assignee: Option<String>,
    unit: Option<String>,
    task: Option<String>,
    status: Option<String>,
    due_before: Option<Timestamp>,
    limit: Option<usize>,
    after: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Span {
    unit: Option<String>,
    task: Option<String>,
    from: Option<Date>,
    to: Option<Date>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Since {
    after: Option<String>,
    limit: Option<usize>,
}

impl Wanted {
    const KNOWN: [&str; 7] = ["assignee", "unit", "task", "status", "due_before", "limit", "after"];
}

impl Span {
    const KNOWN: [&str; 4] = ["unit", "task", "from", "to"];
}

impl Since {
    const KNOWN: [&str; 2] = ["after", "limit"];
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Said {
    result: Option<String>,
    by: Option<String>,
    to: Option<String>,
    key: Option<String>,
}

/// What is wanted, the first page or the next.
pub(super) async fn list(
    State(door): State<Arc<Door>>,
    wanted: Result<Query<Wanted>, QueryRejection>,
) -> Result<Body<Json>, Problem> {
    let Query(wanted) = wanted.map_err(|error| Problem::bad_query(&error, &Wanted::KNOWN))?;
    let limit = wanted.limit.unwrap_or(PAGE).clamp(1, MOST);
    let status = match wanted.status.as_deref() {
        // Whatever is still to be done.
        None | Some("open") => None,
        Some(text) => Some(
            TaskStatus::ALL
                .into_iter()
                .find(|known| known.as_str() == text)
                .ok_or_else(|| Problem::bad_request("`status` is one of open, overdue, done, withdrawn"))?,
        ),
    };
    let after = wanted.after.as_deref().map(place).transpose()?;
    let units = wanted.unit.map(|unit| below(&door.engine.world().bundle.units, &unit));
    let before = wanted.due_before.map(Timestamp::as_millisecond);
    let (assignee, task) = (wanted.assignee, wanted.task);
    let query = TaskQuery { assignee, units, task, status, before, after, limit };
    let found = directory(&door)?.tasks(&query).await.map_err(EngineError::from)?;
    let last = found.last().filter(|_| found.len() == limit);
    let next = last.map(|row| format!("{}.{}", row.due.unwrap_or(i64::MAX), row.id));
    Ok(Body(json!({"tasks": found.iter().map(shown).collect::<Vec<_>>(), "next": next})))
}

/// One task.
pub(super) async fn one(
    State(door): State<Arc<Door>>,
    Path(id): Path<String>,
) -> Result<Body<Json>, Problem> {
    Ok(Body(shown(&known(&door, &id).await?)))
}

/// How many are open, overdue, done and withdrawn: of each unit with what is below it, and in all.
pub(super) async fn summary(
    State(door): State<Arc<Door>>,
    span: Result<Query<Span>, QueryRejection>,
) -> Result<Body<Json>, Problem> {
    let Query(span) = span.map_err(|error| Problem::bad_query(&error, &Span::KNOWN))?;
    let days = Days {
        from: span.from.map_or(i32::MIN, days_since_1970),
        to: span.to.map_or(i32::MAX, days_since_1970),
    };
    let counts = directory(&door)?.task_counts(days).await.map_err(EngineError::from)?;
    let units = &door.engine.world().bundle.units;
    let inside = span.unit.as_deref().map(|unit| below(units, unit));
    let (mut total, mut each): (Numbers, BTreeMap<String, Numbers>) = Default::default();
    for count in counts {
        let is_asked = inside.as_ref().is_none_or(|inside| inside.contains(&count.unit))
            && span.task.as_ref().is_none_or(|task| *task == count.task);
        if !is_asked {
            continue;
        }
        total.add(count.status, count.count);
        for unit in above(units, &count.unit) {
            if inside.as_ref().is_none_or(|inside| inside.contains(&unit)) {
                each.entry(unit).or_default().add(count.status, count.count);
            }
        }
    }
    let row = |(unit, numbers): (String, Numbers)| {
        let mut row = numbers.shown();
        if let Json::Object(members) = &mut row {
            members.insert("unit".to_owned(), unit.into());
        }
        row
    };
    Ok(Body(json!({"total": total.shown(), "units": each.into_iter().map(row).collect::<Vec<_>>()})))
}

/// Every task that was opened or changed since, as it is now. Reminders, due times and escalations are changes.
pub(super) async fn changes(
    State(door): State<Arc<Door>>,
    since: Result<Query<Since>, QueryRejection>,
) -> Result<Body<Json>, Problem> {
    let Query(since) = since.map_err(|error| Problem::bad_query(&error, &Since::KNOWN))?;
    let mut seen = since.after.as_deref().map(cursor).transpose()?.unwrap_or_default();
    let limit = since.limit.unwrap_or(PAGE).clamp(1, MOST);
    let after: Vec<(u16, u64)> = seen.iter().map(|(group, batch)| (*group, *batch)).collect();
    let found = directory(&door)?.task_changes(&after, limit).await.map_err(EngineError::from)?;
    for (batch, row) in &found {
        let known = seen.entry(row.group).or_default();
        *known = (*known).max(*batch);
    }
    let next = seen.iter().map(|(group, batch)| format!("{group}.{batch}")).collect::<Vec<_>>().join("-");
    Ok(Body(json!({"tasks": found.iter().map(|(_, row)| shown(row)).collect::<Vec<_>>(), "next": next})))
}

/// `{"result": "interested", "by": "s-7"}`: it is done. Said again it is the same; another result is refused.
pub(super) async fn result(
    State(door): State<Arc<Door>>,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Answer, Problem> {
    let (row, said) = (known(&door, &id).await?, said(&headers, &body)?);
    let name = Name::lookup(&row.task).ok_or_else(|| gone(&row))?;
    let world = door.engine.world();
    let results = world.task_results(name).unwrap_or_default();
    let meant = match &said.result {
        None => results.first().copied().filter(|_| results.len() == 1),
        Some(text) => results.iter().copied().find(|result| result.as_str() == text),
    };
    let result = meant.ok_or_else(|| {
        let all: Vec<&str> = results.iter().map(|result| result.as_str()).collect();
        let detail = format!("a result of `{name}` is one of `{}`", all.join("`, `"));
        Problem::new(StatusCode::UNPROCESSABLE_ENTITY, code::NO_RESULT, detail)
    })?;
    let by = said.by.as_deref().map(|by| (Name::new(symbols::ASSIGNEE), Value::text(by)));
    let fields =
        [(Name::new("result"), Value::Choice(result)), (Name::new(task::TASK), Value::text(&row.key))];
    let fields = fields.into_iter().chain(by).collect();
    let event_id = format!("{id}#{}", said.key.as_deref().unwrap_or("result"));
    let is_so = |row: &TaskRow| !row.status.is_open() && row.result.as_deref() == Some(result.as_str());
    let say = submit(&door, &row, EventKind::Declared(name), event_id, fields);
    bring_about(&door, &row, is_so, must_be_open, say).await
}

/// `{"by": "s-7"}`: takes it on, unless somebody else has.
pub(super) async fn claim(
    State(door): State<Arc<Door>>,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Answer, Problem> {
    let (row, said) = (known(&door, &id).await?, said(&headers, &body)?);
    let by = said.by.ok_or_else(|| Problem::bad_request("`by` is missing: who takes it on"))?;
    let order = TaskOrder::Claim { by: by.as_str().into() };
    let is_so = |row: &TaskRow| row.status.is_open() && row.holder == by;
    bring_about(&door, &row, is_so, must_be_free, order_it(&door, &row, order, said.key)).await
}

/// `{"to": "s-9"}`: this one does it instead.
pub(super) async fn reassign(
    State(door): State<Arc<Door>>,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Answer, Problem> {
    let (row, said) = (known(&door, &id).await?, said(&headers, &body)?);
    let to = said.to.ok_or_else(|| Problem::bad_request("`to` is missing: who does it instead"))?;
    let order = TaskOrder::Reassign { to: to.as_str().into() };
    let is_so = |row: &TaskRow| row.status.is_open() && row.assignee == to && row.holder.is_empty();
    bring_about(&door, &row, is_so, must_be_open, order_it(&door, &row, order, said.key)).await
}

/// Says it unless it is so already, and answers when the directory shows it: with 202 where that takes longer than an
/// answer may.
async fn bring_about(
    door: &Door,
    row: &TaskRow,
    is_so: impl Fn(&TaskRow) -> bool,
    may_be: impl Fn(&TaskRow) -> Result<(), Problem>,
    say: impl Future<Output = Result<(), Problem>>,
) -> Result<Answer, Problem> {
    if is_so(row) {
        return Ok((StatusCode::OK, Body(shown(row))));
    }
    may_be(row)?;
    say.await?;
    let row = settled(door, row.clone(), |row| is_so(row) || may_be(row).is_err()).await?;
    if is_so(&row) {
        return Ok((StatusCode::OK, Body(shown(&row))));
    }
    may_be(&row)?;
    Ok((StatusCode::ACCEPTED, Body(shown(&row))))
}

fn must_be_open(row: &TaskRow) -> Result<(), Problem> {
    if row.status.is_open() { Ok(()) } else { Err(closed(row)) }
}

fn must_be_free(row: &TaskRow) -> Result<(), Problem> {
    must_be_open(row)?;
    if row.holder.is_empty() {
        return Ok(());
    }
    let detail = format!("{} has taken it on", quote(&row.holder));
    Err(Problem::new(StatusCode::CONFLICT, code::TASK_TAKEN, detail))
}

async fn order_it(door: &Door, row: &TaskRow, order: TaskOrder, key: Option<String>) -> Result<(), Problem> {
    let id = key.unwrap_or_else(|| format!("{order:?}@{}", row.changed));
    let key = MessageKey::parse(&row.key).ok_or_else(|| gone(row))?;
    submit(door, row, EventKind::Tasked { key, order }, format!("{}#{id}", row.id), Vec::new()).await
}

async fn submit(
    door: &Door,
    row: &TaskRow,
    kind: EventKind,
    id: String,
    fields: Vec<(Name, Value)>,
) -> Result<(), Problem> {
    let (key, entity) = (MessageKey::parse(&row.key), Name::lookup(&row.entity));
    let (Some(key), Some(entity)) = (key, entity) else { return Err(gone(row)) };
    let about = row.about.split_once(':');
    let child = about.and_then(|(entity, id)| Some((Name::lookup(entity)?, Arc::from(id))));
    let now = door.engine.now();
    let event = Event { source: SOURCE.into(), id: id.into(), kind, child, time: now, received: now, fields };
    let root = RootKey { entity, id: key.root };
    match door.engine.submit(vec![(root, event)]).await?.pop() {
        Some(Receipt::Conflict) => Err(closed(row)),
        Some(Receipt::Quarantined(reason)) => {
            Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, code::SET_ASIDE, reason))
        }
        _ => Ok(()),
    }
}

/// The task once `done` holds, or as it is when patience ends.
async fn settled(door: &Door, mut row: TaskRow, done: impl Fn(&TaskRow) -> bool) -> Result<TaskRow, Problem> {
    let until = tokio::time::Instant::now() + PATIENCE;
    loop {
        row = known(door, &row.id).await?;
        if done(&row) || tokio::time::Instant::now() > until {
            return Ok(row);
        }
        tokio::time::sleep(LOOK).await;
    }
}

async fn known(door: &Door, id: &str) -> Result<TaskRow, Problem> {
    let found = door.engine.task(id).await?;
    found.ok_or_else(|| {
        Problem::new(StatusCode::NOT_FOUND, code::NO_SUCH_THING, format!("there is no task {}", quote(id)))
    })
}

fn directory(door: &Door) -> Result<&dyn Directory, Problem> {
    door.engine.directory().ok_or_else(Problem::nothing_here)
}

fn gone(row: &TaskRow) -> Problem {
    let detail = format!("nothing that is deployed knows `{}` any more", row.task);
    Problem::new(StatusCode::CONFLICT, code::TASK_CLOSED, detail)
}

fn closed(row: &TaskRow) -> Problem {
    let detail = match &row.result {
        Some(result) => format!("it is done already: `{result}`"),
        None => format!("it is {}", row.status.as_str()),
    };
    Problem::new(StatusCode::CONFLICT, code::TASK_CLOSED, detail)
}

fn said(headers: &HeaderMap, body: &Bytes) -> Result<Said, Problem> {
    ops::must_be_json(headers)?;
    let said: Said = serde_json::from_slice(body)
        .map_err(|error| Problem::bad_request(format!("this does not say what to do: {error}")))?;
    let texts = [&said.by, &said.to, &said.key];
    let is_bad = |text: &String| text.is_empty() || text.len() > MAX_ID || text.chars().any(char::is_control);
    if texts.into_iter().flatten().any(is_bad) {
        let rule = format!("`by`, `to` and `key` have 1 to {MAX_ID} bytes and no control characters");
        return Err(Problem::bad_request(rule));
    }
    Ok(said)
}

/// A unit and all below it.
fn below(units: &BTreeMap<Name, Option<Name>>, unit: &str) -> Vec<String> {
    let is_inside = |name: &Name| above(units, name.as_str()).iter().any(|over| over == unit);
    let inside: Vec<String> = units.keys().filter(|name| is_inside(name)).map(ToString::to_string).collect();
    if inside.is_empty() { vec![unit.to_owned()] } else { inside }
}

/// A unit and all above it.
fn above(units: &BTreeMap<Name, Option<Name>>, unit: &str) -> Vec<String> {
    let mut found = vec![unit.to_owned()];
    let mut next = Name::lookup(unit).and_then(|name| *units.get(&name)?);
    // A tree has no ways back; a bundle of nobody knows where might.
    while let Some(name) = next.filter(|_| found.len() <= units.len()) {
        found.push(name.to_string());
        next = units.get(&name).copied().flatten();
    }
    found
}

#[derive(Default)]
struct Numbers {
    open: i64,
    overdue: i64,
    done: i64,
    withdrawn: i64,
}

impl Numbers {
    fn add(&mut self, status: TaskStatus, count: i64) {
        match status {
            TaskStatus::Open => self.open += count,
            TaskStatus::Overdue => (self.open, self.overdue) = (self.open + count, self.overdue + count),
            TaskStatus::Done => self.done += count,
            TaskStatus::Withdrawn => self.withdrawn += count,
        }
    }

    fn shown(&self) -> Json {
        json!({
            "open": self.open, "overdue": self.overdue, "done": self.done, "withdrawn": self.withdrawn,
        })
    }
}

/// Keys and states, no attributes.
fn shown(row: &TaskRow) -> Json {
    let moment = |ms: i64| Timestamp::from_millisecond(ms).ok().map(|at| at.to_string());
    let key = MessageKey::parse(&row.key);
    let (key, entity) = (key.as_ref(), &row.entity);
    let perhaps = |text: &String| Some(text.clone()).filter(|text| !text.is_empty());
    json!({
        "id": row.id,
        "task": row.task,
        "entity": entity,
        "subject": key.map(|key| &*key.root),
        "child": perhaps(&row.about),
        "journey": key.map(|key| &*key.journey),
        "step": key.map(|key| &*key.step),
        "assignee": perhaps(&row.assignee),
        "holder": perhaps(&row.holder),
        "unit": row.unit,
        "status": row.status.as_str(),
        "result": row.result,
        "opened": moment(row.opened),
        "due": row.due.and_then(moment),
        "reminded": row.reminded.and_then(moment),
        "escalated_to": row.escalated,
        "changed": moment(row.changed),
    })
}

/// Where a page of a list ended.
fn place(text: &str) -> Result<(i64, String), Problem> {
    let parts = text.split_once('.').and_then(|(due, id)| Some((due.parse().ok()?, id.to_owned())));
    parts.ok_or_else(|| Problem::bad_request("`after` is the `next` of the page before"))
}

/// How far each group was read.
fn cursor(text: &str) -> Result<BTreeMap<u16, u64>, Problem> {
    let part = |part: &str| {
        let (group, batch) = part.split_once('.')?;
        Some((group.parse().ok()?, batch.parse().ok()?))
    };
    let parts = text.split('-').filter(|text| !text.is_empty()).map(part).collect::<Option<_>>();
    parts.ok_or_else(|| Problem::bad_request("`after` is the `next` of the answer before"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_unit_has_what_is_below_it() {
        let name = Name::new;
        let units = BTreeMap::from([
            (name("east"), None),
            (name("shanghai"), Some(name("east"))),
            (name("b0101"), Some(name("shanghai"))),
            (name("west"), None),
        ]);
        assert_eq!(above(&units, "b0101"), ["b0101", "shanghai", "east"]);
        let mut inside = below(&units, "east");
        inside.sort();
        assert_eq!(inside, ["b0101", "east", "shanghai"]);
        assert_eq!(below(&units, "b9"), ["b9"], "a branch that the tree does not have is by itself");
    }

    #[test]
    fn a_cursor_is_read_as_it_was_written() {
        assert_eq!(cursor("0.12-7.3").unwrap(), BTreeMap::from([(0, 12), (7, 3)]));
        assert_eq!(cursor("").unwrap(), BTreeMap::new());
        assert!(cursor("x").is_err() && place("7").is_err());
        assert_eq!(place("-5.0ab").unwrap(), (-5, "0ab".to_owned()));
    }
}
