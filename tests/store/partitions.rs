//! The same store with every per-customer table cut into partitions by bucket or group: it conforms, and the plans of
//! its hot statements, given one bucket, touch one partition. That is what keeps a distributed PostgreSQL from asking
//! all its nodes.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use wayfare::store::{
    InboxRef, InboxRow, PackedKind, PostgresStore, RowKey, RowRef, StateRow, Store, TaskRow, TaskStatus,
    Worker,
};

use super::migrations::{counted, scripts};
use super::{at, conforms, full_commit, row};
use crate::support::postgres::{self, Server, run};

const TABLES: [(&str, &str); 12] = [
    ("state", "bucket"),
    ("lease", "grp"),
    ("log", "grp"),
    ("trace", "grp"),
    ("outbox", "grp"),
    ("timer", "grp"),
    ("dedup", "grp"),
    ("quarantine", "grp"),
    ("inbox", "grp"),
    ("task", "grp"),
    ("task_count", "grp"),
    ("entry", "grp"),
];
const PARTS: usize = 8;

/// The schema with partitions: the scripts of the store, each table rewritten.
fn schema() -> String {
    let scripts = scripts("postgres");
    let mut text = scripts.join("\n");
    for (table, column) in TABLES {
        let begin = text.find(&format!("CREATE TABLE {table} (")).unwrap();
        let end = begin + text[begin..].find("\n)").unwrap() + 2;
        let rest = text[end..].find(';').unwrap() + 1;
        let mut parts = format!("\nPARTITION BY HASH ({column});\n");
        for part in 0..PARTS {
            parts += &format!(
                "CREATE TABLE {table}_p{part} PARTITION OF {table}
                 FOR VALUES WITH (MODULUS {PARTS}, REMAINDER {part});\n"
            );
        }
        text.replace_range(end..end + rest, &parts);
    }
    counted(scripts.len()) + &text
}

async fn open(url: &str) -> PostgresStore {
    PostgresStore::open(url, &Worker::named("test"), false).await.unwrap()
}

#[tokio::test]
async fn a_partitioned_store_conforms() {
    let Some(server) = postgres::server("store::partitions::conforms") else { return };
    let url = server.url(&server.database().await);
    run(&url, &schema()).await;
    conforms(&open(&url).await).await;
}

/// Has the plans of all statements on a database written into the server's log.
async fn watch_plans(server: &Server, database: &str) {
    let set = ["session_preload_libraries = auto_explain", "auto_explain.log_min_duration = 0"];
    let set = set.into_iter().chain(["auto_explain.log_format = json"]);
    let sql: Vec<String> = set.map(|set| format!("ALTER DATABASE {database} SET {set}")).collect();
    run(&server.url("postgres"), &sql.join(";")).await;
}

/// The plans that the log has of a database, in their order.
fn plans(server: &Server, database: &str) -> Vec<Value> {
    let (log, mut plans, mut open) = (server.log(), Vec::new(), None::<String>);
    let prefix = format!("{database} LOG:");
    for line in log.lines().chain([""]) {
        if let (Some(text), Some(more)) = (&mut open, line.strip_prefix('\t')) {
            text.push_str(more);
            continue;
        }
        plans.extend(open.take().map(|text| serde_json::from_str(&text).unwrap()));
        open = (line.starts_with(&prefix) && line.ends_with("plan:")).then(String::new);
    }
    plans
}

/// The tables that a plan touches, and which partitions of each.
fn touched(plan: &Value, into: &mut BTreeMap<String, BTreeSet<String>>) {
    match plan {
        Value::Object(fields) => {
            if let Some(relation) = fields.get("Relation Name").and_then(Value::as_str) {
                let (table, part) = relation.split_once("_p").unwrap_or((relation, ""));
                let parts = into.entry(table.to_owned()).or_default();
                parts.extend((!part.is_empty()).then(|| part.to_owned()));
            }
            fields.values().for_each(|inner| touched(inner, into));
        }
        Value::Array(items) => items.iter().for_each(|inner| touched(inner, into)),
        _ => {}
    }
}

/// Everything that a batch asks and writes, all of it of one bucket of group 5.
async fn a_batch_of_one_bucket(store: &PostgresStore) {
    let group = |place: &mut RowRef| place.group = 5;
    let mut commit = full_commit();
    for state in &mut commit.states {
        state.key.bucket = 323;
    }
    commit.log.iter_mut().chain(&mut commit.trace).for_each(|row| group(&mut row.at));
    commit.outbox.iter_mut().for_each(|row| group(&mut row.at));
    commit.timers.iter_mut().for_each(|row| group(&mut row.at));
    commit.dedup.iter_mut().for_each(|event| event.group = 5);
    let at_five = InboxRef { group: 5, at: 7, ..InboxRef::default() };
    commit.inbox = vec![InboxRow { at: at_five, body: vec![1] }];
    commit.tasks = vec![TaskRow { group: 5, id: "a".to_owned(), ..TaskRow::default() }];
    store.commit(&commit).await.unwrap();
    let left = store.inbox(9).await.unwrap();
    assert_eq!(left.len(), 1);
    let keys: Vec<RowKey> = commit.states.iter().map(|state| state.key.clone()).collect();
    let states = store.load(&keys).await.unwrap();
    assert_eq!(states.len(), 3);
    assert_eq!(store.seen(&commit.dedup).await.unwrap().len(), 2);
    assert_eq!(store.next_due(None).await.unwrap(), Some(at(50)));
    assert_eq!(store.due(at(0)..=at(60), 9).await.unwrap().len(), 1);
    assert_eq!(store.outbox(3, row(0), 9).await.unwrap().len(), 1);
    let place = RowRef { batch: 1, group: 5 };
    assert_eq!(store.packed(PackedKind::Trace, &[place]).await.unwrap().len(), 1);
    assert_eq!(store.packed(PackedKind::Log, &[place]).await.unwrap().len(), 1);
    let mut done = super::empty(2);
    done.states = states.into_iter().map(|state| StateRow { body: vec![1], ..state }).collect();
    done.timers_done = vec![(at(50), place)];
    done.outbox_done = vec![(3, place)];
    done.tasks = vec![TaskRow { status: TaskStatus::Done, ..commit.tasks.remove(0) }];
    done.inbox_done = left.into_iter().map(|row| row.at).collect();
    store.commit(&done).await.unwrap();
}

#[tokio::test]
async fn what_a_batch_of_one_bucket_asks_touches_one_partition() {
    let Some(server) = postgres::server("store::partitions::touches_one") else { return };
    let database = server.database().await;
    let url = server.url(&database);
    // A worker that holds one group, as each does for a transaction on a distributed server.
    run(&url, &format!("{}; DELETE FROM lease WHERE grp <> 5", schema())).await;
    let store = open(&url).await;
    store.close().await;
    watch_plans(server, &database).await;
    let store = open(&url).await;
    assert_eq!(store.lease().groups.len(), 1);
    a_batch_of_one_bucket(&store).await;
    store.close().await;

    let mut seen = BTreeSet::new();
    for plan in plans(server, &database) {
        let query = plan["Query Text"].as_str().unwrap().to_owned();
        // Who lives and who owns what is asked now and then, of all groups.
        if query.contains("worker") || query.contains("owner") {
            continue;
        }
        let mut tables = BTreeMap::new();
        touched(&plan, &mut tables);
        for (table, parts) in tables.iter().filter(|(table, _)| TABLES.iter().any(|(name, _)| name == table))
        {
            assert!(parts.len() <= 1, "{query}\ntouches {parts:?} of {table}:\n{plan:#}");
            let word = query.split(' ').next().unwrap();
            seen.insert(format!("{word} {table}"));
        }
    }
    let expected = [
        "DELETE inbox",
        "DELETE outbox",
        "DELETE timer",
        "INSERT dedup",
        "INSERT inbox",
        "INSERT log",
        "INSERT outbox",
        "INSERT quarantine",
        "INSERT state",
        "INSERT task",
        "INSERT task_count",
        "INSERT timer",
        "INSERT trace",
        "SELECT dedup",
        "SELECT inbox",
        "SELECT log",
        "SELECT outbox",
        "SELECT state",
        "SELECT timer",
        "SELECT trace",
        "UPDATE lease",
        "UPDATE state",
    ];
    assert_eq!(seen.iter().map(String::as_str).collect::<Vec<_>>(), expected);
}

/// Plans made while a table was empty must not stay: a prepared statement would read a full table from end to end.
#[tokio::test]
async fn statements_prepared_on_an_empty_store_are_planned_anew_on_a_full_one() {
    let Some(server) = postgres::server("store::partitions::planned_anew") else { return };
    let database = server.database().await;
    let url = server.url(&database);
    let store = open(&url).await;
    store.close().await;
    // Nobody looks at the tables' sizes in between.
    run(
        &url,
        "ALTER TABLE state SET (autovacuum_enabled = off); ALTER TABLE timer SET (autovacuum_enabled = off)",
    )
    .await;
    watch_plans(server, &database).await;
    let store = open(&url).await;
    let key = |n: u64| RowKey::new(0, "customer", format!("c{n}").into());
    let mut batch = 0;
    // Often enough for a plan that is kept.
    for _ in 0..10 {
        batch += 1;
        let mut commit = super::empty(batch);
        commit.states = vec![StateRow { key: key(batch), version: 0, body: vec![1] }];
        store.commit(&commit).await.unwrap();
        let mut again = store.load(&[key(batch)]).await.unwrap();
        batch += 1;
        let mut commit = super::empty(batch);
        commit.states.append(&mut again);
        store.commit(&commit).await.unwrap();
    }
    let mut many = super::empty(batch + 1);
    many.states = (1_000..31_000).map(|n| StateRow { key: key(n), version: 0, body: vec![7; 120] }).collect();
    store.commit(&many).await.unwrap();
    let before = plans(server, &database).len();
    let some: Vec<RowKey> = (1_000..1_020).map(key).collect();
    let mut commit = super::empty(batch + 2);
    commit.states = store.load(&some).await.unwrap();
    store.commit(&commit).await.unwrap();
    store.close().await;

    let mut looked = 0;
    for plan in plans(server, &database).split_off(before) {
        let text = plan.to_string();
        if text.contains("\"Relation Name\":\"state\"") {
            looked += 1;
            assert!(!text.contains("Seq Scan"), "{plan:#}");
        }
    }
    assert_eq!(looked, 2, "one statement reads, one writes");
}
