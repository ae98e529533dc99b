//! Draws that can be repeated: whatever is done to one of many is found, and what the daemon has drawn is what its seed
//! says, also when it is killed in the middle. `scripts/lottery` looks at a million.

use std::collections::BTreeSet;
use std::fs;
use std::process::Stdio;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::{Instant, sleep};
use wayfare::lottery::audit::{Audit, Auditor, Published};
use wayfare::lottery::{Draw, Head, Outcome, Record, Seed, Terms, drawn, ticket};
use wayfare::name::Name;
use wayfare::program::value::Prize;
use wayfare::store::{PostgresStore, Publication, Revealed, SqliteStore, Store, Worker};

use crate::support::alone;
use crate::support::client::{event, http, ndjson, try_send};
use crate::support::daemon::Project;
use crate::support::postgres::Server;
use crate::support::stores::Place;

/// Draws, unless `WAYFARE_DRAWS` says otherwise.
fn many() -> usize {
    std::env::var("WAYFARE_DRAWS").ok().and_then(|count| count.parse().ok()).unwrap_or(40_000)
}

fn terms() -> Terms {
    let prize = |name: &str, odds, count| Prize {
        name: Name::new(name),
        label: None,
        value: None,
        count,
        odds,
        gives: None,
        tax: None,
    };
    Terms {
        lottery: Name::new("weekly"),
        subject: Name::new("customer"),
        open: None,
        keep: None,
        limits: Vec::new(),
        rules: None,
        prizes: vec![prize("coupon", (1, 5), None), prize("box", (1, 200), Some(50))],
    }
}

/// A lottery that is over, and all of its draws.
fn played(count: usize) -> (Published, Vec<Record>, Head) {
    let (terms, seed) = (terms(), Seed::random().unwrap());
    let text = serde_json::to_string(&terms).unwrap();
    let mut head = Head::first(&seed.commitment(), &text);
    let mut records = Vec::with_capacity(count);
    for n in 0..count {
        let ticket = ticket(terms.lottery, &format!("weekly/C{n}/1/draw"));
        let prize = drawn(&seed, &ticket, &terms.prizes).map(|prize| prize.name.to_string());
        let is_gone = prize.as_deref() == Some("box") && head.won.get("box").is_some_and(|won| *won >= 50);
        let outcome = match &prize {
            None => Outcome::Blank,
            Some(_) if is_gone => Outcome::SoldOut,
            Some(_) => Outcome::Won,
        };
        let at = 1_000 + i64::try_from(n).unwrap();
        records.push(head.append(&terms, Draw { ticket, drawn: prize, outcome, at }));
    }
    let published = Published { terms: text, commitment: seed.commitment(), seed: Some(seed) };
    (published, records, head)
}

fn look(published: &Published, records: &[Record], head: &Head) -> Audit {
    let mut auditor = Auditor::new(published).unwrap();
    records.iter().for_each(|record| auditor.take(record));
    auditor.end(Some((head.draws, &head.link)))
}

#[test]
fn one_altered_draw_among_many_is_found() {
    let (published, mut records, head) = played(many());
    let sound = look(&published, &records, &head);
    assert!(sound.faults.is_empty() && sound.early == 0, "{:?}", sound.faults);
    assert!(sound.is_repeated && sound.won["box"] == 50 && sound.won["coupon"] > 0);
    let middle = records.len() / 2 + 7;
    let nth = format!("draw {}", middle + 1);
    let mut found = |what: &str, alter: &dyn Fn(&mut Vec<Record>)| {
        let kept: Vec<Record> = records[middle - 2..middle + 3].to_vec();
        let length = records.len();
        alter(&mut records);
        let audit = look(&published, &records, &head);
        assert!(audit.faults.iter().any(|fault| fault.contains(&nth)), "{what}: {:?}", audit.faults);
        assert!(audit.faults.len() < 8, "{what}: {:?}", audit.faults);
        match records.len() {
            longer if longer > length => _ = records.remove(middle),
            shorter if shorter < length => records.insert(middle, kept[2].clone()),
            _ => {}
        }
        records[middle - 2..middle + 3].clone_from_slice(&kept);
    };
    found("another prize", &|records| {
        records[middle].draw.drawn = Some("box".to_owned());
        records[middle].draw.outcome = Outcome::Won;
    });
    found("another outcome", &|records| {
        let outcome = &mut records[middle].draw.outcome;
        *outcome = if *outcome == Outcome::Blank { Outcome::Refused } else { Outcome::Blank };
    });
    found("another instant", &|records| records[middle].draw.at += 1);
    found("another ticket", &|records| {
        records[middle].draw.ticket = ticket(Name::new("weekly"), "somebody else");
    });
    found("another count", &|records| records[middle].left = Some(9));
    found("dropped", &|records| _ = records.remove(middle));
    found("doubled", &|records| records.insert(middle, records[middle].clone()));
    found("reordered", &|records| records.swap(middle, middle + 1));
    assert_eq!(look(&published, &records, &head).faults, [""; 0], "all is as it was");
}

/// Who writes the whole chain anew, so that it hangs together, has drawn what the seed does not draw.
#[test]
fn a_chain_that_was_written_anew_is_not_what_the_seed_draws() {
    let (published, records, _) = played(500);
    let terms = terms();
    let mut head = Head::first(&published.commitment, &published.terms);
    let forged: Vec<Record> = records
        .iter()
        .map(|record| {
            let mut draw = record.draw.clone();
            if record.nth == 77 {
                (draw.drawn, draw.outcome) = (Some("box".to_owned()), Outcome::Won);
            }
            head.append(&terms, draw)
        })
        .collect();
    let audit = look(&published, &forged, &head);
    assert_eq!(audit.faults.len(), 1, "{:?}", audit.faults);
    assert!(audit.faults[0].starts_with("draw 77 says `box`"), "{:?}", audit.faults);
    // And who brings another seed has not bound to it.
    let other = Published { seed: Seed::random(), ..published };
    assert!(look(&other, &forged, &head).faults[0].contains("not the one whose hash was published"));
}

const JOURNEYS: &str = r#"
entity customer "客户" { key id : Id; consent "同意接收的渠道" : [channel] }
event checked_in "签到" of customer { }
channel bell "门铃" { kind push; surface owned; owner "bell@bank.example" }
budget autumn "秋季活动" { total 1_000_000 CNY; owner "o@bank.example"; alert 80% }
lottery weekly "周周抽" of customer {
  open 2026-01-01..2027-12-31
  chance keep 7 days
  rules "pages/weekly.html"
  prize gold "贴金券" { value 5 CNY; odds 1 in 3 }
  prize gift_box "实物礼盒" { value 88 CNY; count 20; odds 1 in 4 }
  budget autumn
}
journey draw_once "周周抽" of customer {
  purpose service
  owner "o@bank.example"
  enter on checked_in
  reenter never
  grant weekly.chance else end no_chance
  draw weekly {
    on gold { send got_gold via bell }
    on gift_box { send got_box via bell; end gift_box }
    on blank { send nothing via bell; end blank }
  } else end refused
  end drawn
}
content got_gold "贴金券" { via bell """恭喜抽中 5 元贴金券，已放入您的卡券包。""" }
content got_box "礼盒" { via bell """恭喜抽中实物礼盒，请在七天内填写收货地址。""" }
content nothing "未中" { via bell """这次没有抽中，下周签到还有机会。""" }
"#;

const CUSTOMERS: usize = 240;
const PATIENCE: Duration = Duration::from_mins(5);

async fn store(project: &Project, url: Option<&str>) -> std::sync::Arc<dyn Store> {
    match url {
        Some(url) => PostgresStore::open(url, &Worker::named("auditor"), false).await.unwrap().shared(),
        None => SqliteStore::open(&project.store(), false).await.unwrap().shared(),
    }
}

fn said(project: &Project, args: &[&str]) -> (Option<i32>, String) {
    let mut command = project.wayfare(args);
    let output = command.stdout(Stdio::piped()).stderr(Stdio::piped()).output().unwrap();
    let text = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8(text).unwrap())
}

/// Everybody checks in and draws; the last worker is killed when a third has come.
async fn season(place: impl Fn() -> Place, workers: usize, url: Option<&str>) {
    let http = http();
    let projects: Vec<Project> = (0..workers)
        .map(|_| {
            let project = Project::of(JOURNEYS).on(place());
            project.settings("", "[channels.bell]\nkind = \"file\"\npath = \"messages.ndjson\"\n");
            project
        })
        .collect();
    let mut daemons = Vec::new();
    for project in &projects {
        daemons.push(project.start(&http).await);
    }
    if workers > 1 {
        sleep(Duration::from_secs(4)).await;
    }
    let doors: Vec<String> = projects.iter().map(Project::url).collect();
    let until = Instant::now() + PATIENCE;
    for (turn, chunk) in (0..CUSTOMERS).collect::<Vec<_>>().chunks(20).enumerate() {
        let comes = |n: &usize| {
            let id = format!("C{n:05}");
            let known = json!({ "consent": ["bell"] });
            [
                event(&format!("known:{id}"), "wayfare.attributes", &id, &known),
                event(&format!("in:{id}"), "checked_in", &id, &json!({})),
            ]
        };
        let lines = ndjson(&chunk.iter().flat_map(comes).collect::<Vec<Value>>());
        if turn == 4 {
            daemons.pop().unwrap().kill();
            daemons.push(projects[workers - 1].start(&http).await);
        }
        let mut door = turn;
        while try_send(&http, &doors[door % workers], &lines).await.is_none() {
            assert!(Instant::now() < until, "nobody takes anything");
            door += 1;
            sleep(Duration::from_millis(50)).await;
        }
    }
    let books = loop {
        let books = projects[0].books().await;
        if books.unsettled("draw_once", CUSTOMERS) == 0 {
            break books;
        }
        assert!(Instant::now() < until, "not settled: {:?}", books.standings());
        sleep(Duration::from_millis(300)).await;
    };
    let told: Value =
        http.get(format!("{}/v1/lotteries", doors[0])).send().await.unwrap().json().await.unwrap();
    let weekly = &told["lotteries"][0];
    assert_eq!((&weekly["draws"], &weekly["seed"]), (&json!(CUSTOMERS), &Value::Null), "{told}");
    let page = format!("{}/v1/lotteries/weekly/draws?after=230&limit=5", doors[0]);
    let page: Value = http.get(page).send().await.unwrap().json().await.unwrap();
    assert_eq!((page["draws"].as_array().unwrap().len(), &page["next"]), (5, &json!(235)), "{page}");
    assert!(page["draws"][0].get("holder").is_none(), "{page}");

    // What was drawn is frozen.
    let eased = JOURNEYS.replace("odds 1 in 4", "odds 1 in 400");
    for daemon in daemons {
        assert!(daemon.stop().await.success());
    }
    fs::write(projects[0].path().join("main.journey"), &eased).unwrap();
    let (code, text) = said(&projects[0], &["run"]);
    assert!(code != Some(0) && text.contains("lottery `weekly` was drawn from 240 times"), "{text}");
    fs::write(projects[0].path().join("main.journey"), JOURNEYS).unwrap();

    // It is over: everybody may look.
    let (code, text) = said(&projects[0], &["lottery", "verify", "--stored", "weekly"]);
    assert!(code == Some(0) && text.contains("only the chain was looked at"), "{text}");
    let store = store(&projects[0], url).await;
    let lotteries = store.lotteries().unwrap();
    let found = lotteries.lotteries().await.unwrap().remove(0);
    let seed = found.secret.seed(None, &found.commitment).unwrap();
    let secret = seed.reveal();
    let over = [Revealed { lottery: found.name, commitment: found.commitment, seed }];
    let ended = Publication { new: Vec::new(), ends: vec![("weekly".to_owned(), Some(1))] };
    lotteries.publish(&ended).await.unwrap();
    let reveal = async |at| lotteries.reveal(&over, 1, at).await.unwrap();
    assert_eq!((reveal(2).await, reveal(3).await), (1, 0));
    let row = lotteries.lotteries().await.unwrap().remove(0);
    let draws = lotteries.draws("weekly", 0, 1_000).await.unwrap();
    let holders: BTreeSet<&str> = draws.iter().map(|drawn| &*drawn.holder).collect();
    assert_eq!((draws.len(), holders.len()), (CUSTOMERS, CUSTOMERS), "each once, replayed or not");
    assert_eq!(row.seed().map(Seed::reveal), Some(secret.clone()));
    let ended = |end: &str| {
        let ends = |entry: &wayfare::step::state::Entry| {
            entry.ended.is_some_and(|(name, _)| books.name(name) == end)
        };
        i64::try_from(books.customers.iter().filter(|(_, state)| state.entries.iter().any(ends)).count())
            .unwrap()
    };
    assert_eq!((ended("gift_box"), ended("drawn")), (row.head.won["gift_box"], row.head.won["gold"]));
    assert_eq!(row.head.won["gift_box"], 20, "all of them, and not one more");
    store.close().await;

    let (code, text) = said(&projects[0], &["lottery", "verify", "--stored", "weekly"]);
    assert!(code == Some(0) && text.contains("240 draws, 0 faults; each is what the seed draws"), "{text}");
    let (code, file) = said(&projects[0], &["lottery", "draws", "weekly"]);
    assert!(code == Some(0) && file.contains(&secret) && !file.contains("C00"), "{file}");
    let path = projects[0].path().join("weekly.ndjson");
    fs::write(&path, &file).unwrap();
    assert_eq!(said(&projects[0], &["lottery", "verify", "weekly.ndjson"]).0, Some(0));
    let altered = file.replacen("\"outcome\":\"blank\"", "\"outcome\":\"won\"", 1);
    assert_ne!(altered, file);
    fs::write(&path, altered).unwrap();
    let (code, text) = said(&projects[0], &["lottery", "verify", "weekly.ndjson"]);
    assert!(code == Some(1) && text.contains("cannot have come to `won`"), "{text}");
    // Nothing else has ever said it.
    for project in &projects {
        assert!(!project.log_tail().contains(&secret));
    }
    assert!(projects[0].wayfare(&["ledger", "check"]).status().unwrap().success());
}

#[tokio::test]
async fn one_worker_that_is_killed_draws_what_its_seed_says() {
    let _alone = alone().await;
    Box::pin(season(Place::file, 1, None)).await;
}

#[tokio::test]
async fn three_workers_of_which_one_is_killed_draw_from_one_chain() {
    let Some(server) = Server::own("lottery::three_workers") else { return };
    let _alone = alone().await;
    let url = server.url(&server.database().await);
    Box::pin(season(|| Place::Database(url.clone()), 3, Some(&url))).await;
}
