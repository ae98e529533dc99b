//! Short names of links: written once, read in any order, gone when old; and who is forgotten leaves nothing beside the
//! rows.

use wayfare::store::{Commit, Erased, Lease, LinkRow, Store, TaskRow, Trim, bucket};

use super::empty;
use crate::support::stores::{Place, on_both_stores};

on_both_stores!(a_name_stands_for_what_it_first_stood_for, who_is_forgotten_leaves_nothing_beside_the_rows);

/// In the group of a bucket, as an engine names them: those of a bucket stand together.
fn link(lease: &Lease, bucket: u16, rest: &str, whom: i64, body: &str) -> LinkRow {
    LinkRow { group: lease.group(bucket), name: format!("{bucket:04}{rest}"), whom, body: body.into() }
}

async fn bodies(store: &dyn Store, wanted: &[&LinkRow]) -> Vec<String> {
    let names: Vec<(u16, String)> = wanted.iter().map(|row| (row.group, row.name.clone())).collect();
    let mut found = store.links().unwrap().links(&names).await.unwrap();
    found.sort_by(|a, b| a.name.cmp(&b.name));
    found.into_iter().map(|row| String::from_utf8(row.body).unwrap()).collect()
}

async fn a_name_stands_for_what_it_first_stood_for(place: Place) {
    let store = place.open(false).await.unwrap();
    let lease = store.lease();
    let (a, b, far) = (
        link(&lease, 7, "aaaa", -3, "a"),
        link(&lease, 7, "Aaaa", 4, "b"),
        link(&lease, 4095, "zzzz", 5, "c"),
    );
    let first = Commit { made: 1_000, links: vec![a.clone(), b.clone()], ..empty(1) };
    store.commit(&first).await.unwrap();
    let other = LinkRow { body: b"another".to_vec(), ..a.clone() };
    let second = Commit { made: 5_000, links: vec![other, far.clone()], ..empty(2) };
    store.commit(&second).await.unwrap();
    let unknown = link(&lease, 9, "aaaa", 0, "");
    assert_eq!(bodies(&*store, &[&far, &unknown, &a, &b]).await, ["b", "a", "c"]);
    assert_eq!(bodies(&*store, &[&unknown]).await, [""; 0]);
    // One row at once, the oldest first.
    for left in [2, 1, 1] {
        store.trim(Trim { before: 4_000, slot: 0, most: 1 }).await.unwrap();
        assert_eq!(bodies(&*store, &[&a, &b, &far]).await.len(), left);
    }
    assert_eq!(bodies(&*store, &[&far]).await, ["c"]);
}

fn task(lease: &Lease, bucket: u16, no: u8, root: &str, entity: &str) -> TaskRow {
    TaskRow {
        group: lease.group(bucket),
        id: format!("{bucket:03x}{no:024x}"),
        key: format!("due/{root}/{root}/ring"),
        entity: entity.to_owned(),
        about: "holding:h1".to_owned(),
        task: "ring".to_owned(),
        unit: Some("east".to_owned()),
        ..TaskRow::default()
    }
}

async fn who_is_forgotten_leaves_nothing_beside_the_rows(place: Place) {
    let store = place.open(false).await.unwrap();
    let lease = store.lease();
    let bucket = bucket::of("customer", "C%2F17");
    // His, somebody else's in the same bucket, and a branch of the same name.
    let links = vec![link(&lease, bucket, "aaaa", 17, "his"), link(&lease, bucket, "bbbb", 18, "hers")];
    let tasks = vec![
        task(&lease, bucket, 1, "C%252F17", "customer"),
        task(&lease, bucket, 2, "C%252F18", "customer"),
        task(&lease, bucket, 3, "C%252F17", "branch"),
    ];
    let commit = Commit { links: links.clone(), tasks: tasks.clone(), ..empty(1) };
    store.commit(&commit).await.unwrap();
    let erased = Erased {
        group: lease.group(bucket),
        whom: 17,
        names: (format!("{bucket:04}"), format!("{:04}", bucket + 1)),
        tasks: (format!("{bucket:03x}"), format!("{bucket:03x}g")),
        entity: "customer".to_owned(),
        root: "C%252F17".to_owned(),
        id: "C%2F17".to_owned(),
    };
    store.commit(&Commit { erased: vec![erased], ..empty(2) }).await.unwrap();
    assert_eq!(bodies(&*store, &[&links[0], &links[1]]).await, ["hers"]);
    let directory = store.directory().unwrap();
    let kept = async |at: usize| directory.task(tasks[at].group, &tasks[at].id).await.unwrap().unwrap();
    let blank = TaskRow { key: String::new(), about: String::new(), ..tasks[0].clone() };
    assert_eq!(kept(0).await, blank, "what was asked of whom of the bank stays");
    assert_eq!((kept(1).await, kept(2).await), (tasks[1].clone(), tasks[2].clone()));
    let changed = directory.task_changes(&[(tasks[0].group, 1)], 9).await.unwrap();
    let changed: Vec<&str> =
        changed.iter().filter(|(batch, _)| *batch == 2).map(|(_, row)| &*row.id).collect();
    assert_eq!(changed, [&*tasks[0].id], "whoever polls hears of it");
}
