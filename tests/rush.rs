//! Everybody wants the same few coupons at the same moment: exactly as many are given as there are, one each, nobody
//! else gets one, and everybody is told, on one worker and on three, also when one of them is killed in the middle.
//! `scripts/rush` does it with fifty thousand customers.

use std::cell::Cell;
use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::{Instant, sleep};
use wayfare::engine::audit;
use wayfare::ledger::Act;
use wayfare::store::{EntryQuery, PostgresStore, SqliteStore, Store};

use crate::support::alone;
use crate::support::client::{event, http, ndjson, try_send};
use crate::support::daemon::Project;
use crate::support::postgres::Server;
use crate::support::stores::Place;

const JOURNEYS: &str = r#"
entity customer "客户" { key id : Id; consent "同意接收的渠道" : [channel] }
event tapped "抢券" of customer { }
channel bell "门铃" { kind push; surface owned; owner "bell@bank.example" }
budget autumn "秋季活动" { total 1_000_000 CNY; owner "o@bank.example"; alert 80% }
reward fuel "周五加油券" {
  kind coupon
  value 50 CNY
  stock STOCK
  limit 1 per customer ever
  keep 30 days
  budget autumn
}
journey rush "周五抢券" of customer {
  purpose service
  owner "o@bank.example"
  enter on tapped
  reenter never
  grant fuel {
    on sold_out { send sorry via bell; end late }
  } else end refused
  send yours via bell
  end given
}
content yours "到账" { via bell """加油券已到账，请在三十天内使用。""" }
content sorry "抢完" { via bell """今天的加油券已抢完，下周五再来。""" }
"#;

const CHUNK: usize = 100;
/// Clients that knock at once.
const CLIENTS: usize = 6;
const PATIENCE: Duration = Duration::from_mins(10);

/// Customers, unless `WAYFARE_RUSH` says otherwise; one coupon for every fifty.
fn customers() -> usize {
    std::env::var("WAYFARE_RUSH").ok().and_then(|count| count.parse().ok()).unwrap_or(900)
}

fn bank(place: impl Fn() -> Place, workers: usize, stock: usize) -> Vec<Project> {
    let project = |_| {
        let project = Project::of(&JOURNEYS.replace("STOCK", &stock.to_string())).on(place());
        project.settings("", "[channels.bell]\nkind = \"file\"\npath = \"messages.ndjson\"\n");
        project
    };
    (0..workers).map(project).collect()
}

/// Sends every `CLIENTS`th chunk, to all doors in turn, until each is acknowledged.
async fn knock(http: &reqwest::Client, doors: &[String], client: usize, known: &Cell<usize>) {
    let known_as = json!({ "consent": ["bell"] });
    let comes = |n: usize| {
        let id = format!("C{n:05}");
        [
            event(&format!("known:{id}"), "wayfare.attributes", &id, &known_as),
            event(&format!("tap:{id}"), "tapped", &id, &json!({})),
        ]
    };
    let mut turn = client;
    for chunk in (0..customers().div_ceil(CHUNK)).filter(|chunk| chunk % CLIENTS == client) {
        let ids = chunk * CHUNK..customers().min((chunk + 1) * CHUNK);
        let events: Vec<Value> = ids.clone().flat_map(comes).collect();
        let lines = ndjson(&events);
        let until = Instant::now() + PATIENCE;
        loop {
            turn += 1;
            if let Some(account) = try_send(http, &doors[turn % doors.len()], &lines).await {
                assert!(account.rejected.is_empty(), "{:?}", account.rejected);
                break;
            }
            assert!(Instant::now() < until, "nobody takes anything");
            sleep(Duration::from_millis(50)).await;
        }
        known.set(known.get() + ids.len());
    }
}

async fn store(project: &Project, url: Option<&str>) -> std::sync::Arc<dyn Store> {
    match url {
        Some(url) => PostgresStore::open_reader(url).await.unwrap().shared(),
        None => SqliteStore::open_reader(&project.store()).await.unwrap().shared(),
    }
}

/// `kills`: the second worker, or the only one, is killed when a third has come.
async fn rush(projects: &[Project], url: Option<&str>, stock: usize, kills: bool) {
    let http = http();
    let mut daemons = Vec::new();
    for project in projects {
        daemons.push(project.start(&http).await);
    }
    if projects.len() > 1 {
        // Everybody has its share before it begins.
        sleep(Duration::from_secs(4)).await;
    }
    let victim = (projects.len() - 1).min(1);
    let doors: Vec<String> = projects.iter().map(Project::url).collect();
    let (known, begun) = (Cell::new(0), Instant::now());
    let clients: Vec<_> = (0..CLIENTS).map(|client| knock(&http, &doors, client, &known)).collect();
    let killer = async {
        if !kills {
            return;
        }
        while known.get() * 3 < customers() {
            sleep(Duration::from_millis(5)).await;
        }
        daemons.remove(victim).kill();
        sleep(Duration::from_millis(300)).await;
        daemons.push(projects[victim].start(&http).await);
    };
    tokio::join!(futures_util::future::join_all(clients), killer);
    let took = begun.elapsed();

    let ended = |books: &crate::support::books::Books, end: &str| {
        let ends = |entry: &wayfare::step::state::Entry| {
            entry.ended.is_some_and(|(name, _)| books.name(name) == end)
        };
        books.customers.iter().filter(|(_, state)| state.entries.iter().any(ends)).count()
    };
    let until = Instant::now() + PATIENCE;
    let books = loop {
        let books = projects[0].books().await;
        if books.unsettled("rush", customers()) == 0 {
            break books;
        }
        assert!(Instant::now() < until, "not settled: {:?}", books.standings());
        sleep(Duration::from_millis(300)).await;
    };
    println!(
        "{} customers, {stock} coupons, {} workers{}: {:.1} s to the last answer, {:.0} customers/s; {:.1} s until all were told",
        customers(),
        projects.len(),
        if kills { ", one killed" } else { "" },
        took.as_secs_f64(),
        f64::from(u32::try_from(customers()).unwrap()) / took.as_secs_f64(),
        begun.elapsed().as_secs_f64(),
    );
    assert_eq!((ended(&books, "given"), ended(&books, "late")), (stock, customers() - stock));
    assert_eq!(books.quarantined, []);
    for (id, state) in &books.customers {
        assert_eq!(books.sent(state, "rush").len(), 1, "{id} was told once");
    }
    redeem(&http, &doors[0]).await;
    for daemon in daemons {
        assert!(daemon.stop().await.success());
    }
    let store = store(&projects[0], url).await;
    let ledger = store.ledger().unwrap();
    let quotas = ledger.quotas().await.unwrap();
    let stock = i64::try_from(stock).unwrap();
    let found: Vec<(bool, i64, i64)> =
        quotas.iter().map(|it| (it.account.starts_with("stock/"), it.given, it.under_way)).collect();
    assert_eq!(found, [(false, stock * 5_000, 0), (true, stock, 0)]);
    let rows = ledger.entries(&EntryQuery::Account("reward/fuel".to_owned()), None, 100_000).await.unwrap();
    let rows: Vec<_> = rows.into_iter().filter(|row| row.entry.act == Act::Grant).collect();
    let holders: BTreeSet<&str> = rows.iter().map(|row| &*row.holder).collect();
    assert_eq!((rows.len(), holders.len()), (holders.len(), usize::try_from(stock).unwrap()), "one each");
    assert_eq!(audit::audit(ledger).await.unwrap().faults, [""; 0]);
    store.close().await;
    assert!(projects[0].wayfare(&["ledger", "check"]).status().unwrap().success());
}

/// A partner takes a coupon, and says so twice.
async fn redeem(http: &reqwest::Client, door: &str) {
    let entries =
        http.get(format!("{door}/v1/ledger/entries?account=reward/fuel&limit=1")).send().await.unwrap();
    let page: Value = entries.json().await.unwrap();
    assert!(page["next"].is_string(), "{page}");
    let gift = page["entries"][0]["gift"].as_str().unwrap();
    for repeated in [false, true] {
        let answer = http.post(format!("{door}/v1/gifts/{gift}/redeem")).send().await.unwrap();
        let answer: Value = answer.json().await.unwrap();
        assert_eq!(answer["repeated"], json!(repeated), "{answer}");
    }
    let unknown = http.post(format!("{door}/v1/gifts/0123/redeem")).send().await.unwrap();
    assert_eq!(unknown.status().as_u16(), 404);
    let books: Value = http.get(format!("{door}/v1/ledger")).send().await.unwrap().json().await.unwrap();
    let accounts = books["accounts"].as_array().unwrap();
    let fuel = accounts.iter().find(|it| it["account"] == "reward/fuel").unwrap();
    assert_eq!(fuel["used"], json!(1), "{fuel}");
}

#[tokio::test]
async fn one_worker_gives_exactly_what_there_is() {
    let _alone = alone().await;
    let stock = customers() / 50;
    let projects = bank(Place::file, 1, stock);
    rush(&projects, None, stock, false).await;
}

#[tokio::test]
async fn one_worker_that_is_killed_gives_exactly_what_there_is() {
    let _alone = alone().await;
    let stock = customers() / 50;
    let projects = bank(Place::file, 1, stock);
    rush(&projects, None, stock, true).await;
}

#[tokio::test]
async fn three_workers_give_exactly_what_there_is() {
    let Some(server) = Server::own("rush::three_workers") else { return };
    let _alone = alone().await;
    let (stock, url) = (customers() / 50, server.url(&server.database().await));
    let projects = bank(|| Place::Database(url.clone()), 3, stock);
    rush(&projects, Some(&url), stock, false).await;
}

#[tokio::test]
async fn three_workers_of_which_one_is_killed_give_exactly_what_there_is() {
    let Some(server) = Server::own("rush::one_is_killed") else { return };
    let _alone = alone().await;
    let (stock, url) = (customers() / 50, server.url(&server.database().await));
    let projects = bank(|| Place::Database(url.clone()), 3, stock);
    rush(&projects, Some(&url), stock, true).await;
}
