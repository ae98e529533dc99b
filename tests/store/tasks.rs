//! The directory of work: what a commit says of tasks is found by who does them, by unit and by what changed, and the
//! numbers are those of the rows.

use wayfare::store::{Commit, Days, Directory, TaskCount, TaskQuery, TaskRow, TaskStatus, Trim};

use super::empty;
use crate::support::stores::{Place, on_both_stores};

on_both_stores!(
    tasks_are_listed_and_counted,
    a_page_goes_on_where_the_last_ended,
    closed_tasks_go_when_they_are_old
);

const ALWAYS: Days = Days { from: i32::MIN, to: i32::MAX };

fn task(id: &str, assignee: &str, unit: &str, due: Option<i64>) -> TaskRow {
    TaskRow {
        group: 0,
        id: id.to_owned(),
        key: format!("j/客户/客户/{id}"),
        entity: "customer".to_owned(),
        task: "visit".to_owned(),
        assignee: assignee.to_owned(),
        unit: Some(unit.to_owned()).filter(|unit| !unit.is_empty()),
        opened: 1_000,
        day: 7,
        due,
        changed: 1_000,
        ..TaskRow::default()
    }
}

/// The same as a step tells of it later: what it was opened with is not said again.
fn later(row: &TaskRow, status: TaskStatus, changed: i64) -> TaskRow {
    TaskRow { unit: None, opened: changed, day: 99, status, changed, ..row.clone() }
}

fn commit(batch: u64, tasks: Vec<TaskRow>) -> Commit {
    Commit { tasks, ..empty(batch) }
}

async fn ids(directory: &dyn Directory, query: TaskQuery) -> Vec<String> {
    directory.tasks(&query).await.unwrap().into_iter().map(|row| row.id).collect()
}

fn wanted() -> TaskQuery {
    TaskQuery { limit: 10, ..TaskQuery::default() }
}

fn count(unit: &str, status: TaskStatus, count: i64) -> TaskCount {
    TaskCount { unit: unit.to_owned(), task: "visit".to_owned(), status, count }
}

async fn tasks_are_listed_and_counted(place: Place) {
    let store = place.open(false).await.unwrap();
    let rows = vec![
        task("a", "zhang", "east", Some(50)),
        task("b", "zhang", "west", Some(40)),
        task("c", "li", "", None),
    ];
    store.commit(&commit(1, rows.clone())).await.unwrap();
    let directory = store.directory().unwrap();
    assert_eq!(ids(directory, wanted()).await, ["b", "a", "c"], "by due time, those without one last");
    let of = |name: &str| TaskQuery { assignee: Some(name.to_owned()), ..wanted() };
    assert_eq!(ids(directory, of("zhang")).await, ["b", "a"]);
    let units = |units: &[&str]| Some(units.iter().map(|unit| (*unit).to_owned()).collect::<Vec<_>>());
    assert_eq!(ids(directory, TaskQuery { units: units(&["east", "west"]), ..wanted() }).await, ["b", "a"]);
    assert_eq!(ids(directory, TaskQuery { units: units(&["west"]), ..of("zhang") }).await, ["b"]);
    assert_eq!(ids(directory, TaskQuery { before: Some(50), ..wanted() }).await, ["b"]);
    assert_eq!(ids(directory, TaskQuery { task: Some("call".to_owned()), ..wanted() }).await, [""; 0]);
    assert_eq!(directory.task(0, "a").await.unwrap(), Some(rows[0].clone()));
    assert_eq!(directory.task(0, "z").await.unwrap(), None);

    let overdue = TaskRow { reminded: Some(1_500), ..later(&rows[1], TaskStatus::Overdue, 2_000) };
    let done = TaskRow { result: Some("met".to_owned()), ..later(&rows[0], TaskStatus::Done, 2_000) };
    let moved = TaskRow { assignee: "wu".to_owned(), ..later(&rows[2], TaskStatus::Open, 2_000) };
    store.commit(&commit(2, vec![done, overdue, moved])).await.unwrap();
    assert_eq!(ids(directory, wanted()).await, ["b", "c"]);
    let of_status = |status| TaskQuery { status: Some(status), ..wanted() };
    assert_eq!(ids(directory, of_status(TaskStatus::Overdue)).await, ["b"]);
    assert_eq!(ids(directory, of_status(TaskStatus::Done)).await, ["a"]);
    let row = directory.task(0, "b").await.unwrap().unwrap();
    assert_eq!(
        (row.unit.as_deref(), row.opened, row.day, row.reminded),
        (Some("west"), 1_000, 7, Some(1_500))
    );
    let again = TaskRow { status: TaskStatus::Withdrawn, ..later(&rows[1], TaskStatus::Withdrawn, 3_000) };
    let mut numbers = vec![count("", TaskStatus::Open, 1), count("east", TaskStatus::Done, 1)];
    numbers.push(count("west", TaskStatus::Overdue, 1));
    assert_eq!(directory.task_counts(ALWAYS).await.unwrap(), numbers);
    store.commit(&commit(3, vec![again])).await.unwrap();
    numbers[2] = count("west", TaskStatus::Withdrawn, 1);
    assert_eq!(directory.task_counts(ALWAYS).await.unwrap(), numbers);
    assert_eq!(directory.task_counts(Days { from: 8, to: 99 }).await.unwrap(), []);
    assert_eq!(
        directory.task(0, "b").await.unwrap().unwrap().reminded,
        Some(1_500),
        "what is not said stays"
    );

    // A commit that fails leaves no number behind.
    assert!(store.commit(&commit(9, vec![task("d", "li", "east", None)])).await.is_err());
    assert_eq!(directory.task_counts(ALWAYS).await.unwrap(), numbers);
}

async fn a_page_goes_on_where_the_last_ended(place: Place) {
    let store = place.open(false).await.unwrap();
    // All due at once, so that the id decides.
    let rows = (0..25).map(|n| task(&format!("t{n:02}"), "zhang", "east", Some(5))).collect();
    store.commit(&commit(1, rows)).await.unwrap();
    store.commit(&commit(2, vec![task("u", "zhang", "east", None)])).await.unwrap();
    let directory = store.directory().unwrap();
    let (mut seen, mut after) = (Vec::new(), None);
    loop {
        let page = directory.tasks(&TaskQuery { after: after.clone(), limit: 7, ..wanted() }).await.unwrap();
        let Some(last) = page.last() else { break };
        after = Some((last.due.unwrap_or(i64::MAX), last.id.clone()));
        seen.extend(page.into_iter().map(|row| row.id));
    }
    assert_eq!(seen.len(), 26);
    assert!(seen.is_sorted());

    // What changed: never half a batch, and nothing twice.
    let first = directory.task_changes(&[], 5).await.unwrap();
    assert_eq!(first.len(), 25);
    assert!(first.iter().all(|(batch, _)| *batch == 1));
    let second = directory.task_changes(&[(0, 1)], 5).await.unwrap();
    assert_eq!(second.iter().map(|(batch, row)| (*batch, &*row.id)).collect::<Vec<_>>(), [(2, "u")]);
    assert_eq!(directory.task_changes(&[(0, 2)], 5).await.unwrap(), []);
}

async fn closed_tasks_go_when_they_are_old(place: Place) {
    let store = place.open(false).await.unwrap();
    let rows =
        vec![task("a", "zhang", "east", None), task("b", "zhang", "east", None), task("c", "li", "", None)];
    store.commit(&commit(1, rows.clone())).await.unwrap();
    let closed = vec![later(&rows[0], TaskStatus::Done, 2_000), later(&rows[1], TaskStatus::Done, 5_000)];
    store.commit(&commit(2, closed)).await.unwrap();
    let went = store.trim(Trim { before: 4_000, slot: 0, most: 10 }).await.unwrap();
    assert_eq!(went.tasks, 1);
    let directory = store.directory().unwrap();
    assert_eq!(directory.task(0, "a").await.unwrap(), None);
    assert_eq!(ids(directory, wanted()).await, ["c"], "an open one stays, however old");
    let done = directory.task_counts(ALWAYS).await.unwrap();
    assert_eq!(done[1], count("east", TaskStatus::Done, 2), "what was done stays counted");
}
