//! The daemon is killed again and again while 20,000 customers go down the ladder, and nobody notices.
//!
//! A real process, a real store in a file, a real receiver that is moody; SIGKILL at random moments. In the end every
//! customer has exactly one end, and what arrived is exactly what the states say was sent.

mod audit;
mod crowd;

use std::cell::Cell;
use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::Value;
use tokio::time::{Instant, sleep};
use wayfare::engine::clock::wall;

use crate::support::chance::Chance;
use crate::support::client::{Account, http, send};
use crate::support::daemon::{Daemon, Project};
use crate::support::receiver::{Manners, Receiver};
use crate::support::{alone, secret};

use crowd::{CUSTOMERS, attributes, plan};

/// Domain time passes this much faster: a day in eight seconds.
const SPEED: u32 = 10_800;
const DAY: Duration = Duration::from_secs(86_400 / SPEED as u64);
/// Customers come on three days, so that all rungs are busy at once.
const WAVES: usize = 3;
const KILLS: usize = 12;
const CHUNK: usize = 1_000;
/// From the last kill to the last customer's end.
const SETTLED: Duration = Duration::from_mins(4);

/// What was acknowledged: (message key, kind of receipt).
type Receipts = Vec<(String, String)>;

#[tokio::test]
async fn twenty_thousand_customers_and_a_daemon_that_keeps_dying() {
    let _alone = alone().await;
    let http = http();
    let mut chance = Chance::new("WAYFARE_TEST_SEED");
    let project = Project::of_examples();
    let receiver = Receiver::start(project.path(), Manners::Moody);
    project.settings("", &settings(&receiver));
    let daemon = project.start(&http).await;

    let done = Cell::new(false);
    let story = async {
        let daemon = torment(&project, daemon, &mut chance, &http).await;
        settle(&project).await;
        done.set(true);
        daemon
    };
    let url = project.url();
    let feeding = feed(&http, &url);
    let answering = answer(&http, &url, &receiver, &done);
    let (daemon, (), acknowledged) = tokio::join!(story, feeding, answering);
    assert!(daemon.stop().await.success(), "{}", project.log_tail());

    let (books, taken) = (project.books().await, receiver.taken(&http).await);
    let arrivals = receiver.arrivals(&http, 0).await;
    let (wrong, ends) = audit::audit(&books, &taken, &arrivals, &acknowledged);
    let (as_expected, all) = audit::in_character(&books);
    let again = taken.values().filter(|taken| taken.deliveries > 1).count();
    println!("{} messages, {again} of them more than once; ends {ends:?}", taken.len());
    println!("{as_expected} of {all} customers who can be reached everywhere ended as their character says");
    assert!(wrong.is_empty(), "{} things are wrong:\n{}", wrong.len(), first_of(&wrong));
    assert_eq!(ends.keys().collect::<Vec<_>>(), ["converted", "kept_quiet", "reached", "unreached"]);
    assert!(as_expected * 10 >= all * 9, "{as_expected} of {all}: the machine is too slow for this clock");
    assert_eq!(books.counts.outbox_rows, 0);
}

fn settings(receiver: &Receiver) -> String {
    let channel = |name: &str| {
        let (url, secret) = (receiver.messages(), secret());
        format!(
            "[channels.{name}]\nkind = \"webhook\"\nurl = \"{url}\"\nsecret = \"{secret}\"\nallow_private = true\n"
        )
    };
    let channels: String = ["push", "sms", "wechat", "in_app"].into_iter().map(channel).collect();
    let sources = "[sources]\nmobile_app = \"https://app.bank.example/events\"\n\
                   core_banking = \"https://core.bank.example/events\"\n";
    format!("{channels}{sources}[dev]\nspeed = {SPEED}\n")
}

/// Kills the daemon at random moments and starts it again, sometimes while it is still catching up.
async fn torment<'a>(
    project: &'a Project,
    mut daemon: Daemon<'a>,
    chance: &mut Chance,
    http: &reqwest::Client,
) -> Daemon<'a> {
    for kill in 1..=KILLS {
        let most = if kill % 4 == 0 { 400 } else { 9_000 };
        let up = chance.below(most);
        sleep(Duration::from_millis(up)).await;
        daemon.kill();
        let down = chance.below(1_500);
        println!("kill {kill}: after {up} ms, away for {down} ms");
        sleep(Duration::from_millis(down)).await;
        daemon = project.start(http).await;
    }
    daemon
}

/// Waits until nobody is on the way any more.
async fn settle(project: &Project) {
    let until = Instant::now() + SETTLED;
    loop {
        let books = project.books().await;
        let left = books.unsettled("first_loan", CUSTOMERS);
        if left == 0 {
            return;
        }
        assert!(Instant::now() < until, "{left} customers are still on their way: {:#?}", books.standings());
        sleep(Duration::from_secs(2)).await;
    }
}

/// The customers of each day.
async fn feed(http: &reqwest::Client, url: &str) {
    let start = Instant::now();
    for wave in 0..WAVES {
        tokio::time::sleep_until(start + DAY * u32::try_from(wave).unwrap()).await;
        let (from, to) = (CUSTOMERS * wave / WAVES, CUSTOMERS * (wave + 1) / WAVES);
        for chunk in attributes(from..to).chunks(CHUNK) {
            let account = send(http, url, chunk).await;
            assert_kept(&account, chunk.len());
        }
    }
}

/// Does what customers do about their messages, until `done` and nothing is left to do.
async fn answer(http: &reqwest::Client, url: &str, receiver: &Receiver, done: &Cell<bool>) -> Receipts {
    let (mut seen, mut serial) = (0, 0_u64);
    let mut plans = BTreeMap::new();
    let mut acknowledged = Vec::new();
    while !(done.get() && plans.is_empty()) {
        let arrivals = receiver.arrivals(http, seen).await;
        seen += arrivals.len();
        for plan in arrivals.iter().filter_map(|arrival| plan(arrival, SPEED)) {
            serial += 1;
            plans.insert((plan.at_ms, serial), plan.event);
        }
        let later = plans.split_off(&(wall().as_millisecond(), u64::MAX));
        let due: Vec<Value> = std::mem::replace(&mut plans, later).into_values().collect();
        for chunk in due.chunks(CHUNK) {
            assert_kept(&send(http, url, chunk).await, chunk.len());
            acknowledged.extend(chunk.iter().filter_map(receipt));
        }
        sleep(Duration::from_millis(50)).await;
    }
    acknowledged
}

fn receipt(event: &Value) -> Option<(String, String)> {
    let message = event["data"]["message"].as_str()?;
    let kind = event["type"].as_str()?.strip_prefix("wayfare.")?;
    Some((message.to_owned(), kind.to_owned()))
}

/// What a kill left unanswered was sent again, so there may be duplicates, but never a refusal.
fn assert_kept(account: &Account, count: usize) {
    assert!(account.rejected.is_empty(), "{:?}", account.rejected);
    assert_eq!(account.accepted + account.duplicates, count as u64);
}

fn first_of(lines: &[String]) -> String {
    lines.iter().take(20).map(String::as_str).collect::<Vec<_>>().join("\n")
}
