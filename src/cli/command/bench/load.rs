//! The load of W1: customers first, then enrolments, each request followed by the opens of every second customer in it.

use std::fmt::Write;
use std::time::Duration;

use futures_util::stream::{self, StreamExt};
use serde::Deserialize;

use super::RunArgs;
use crate::cli::client::Client;
use crate::cli::{Failure, Output};

/// Requests under way at once: a bank's systems do not wait for each other.
const IN_FLIGHT: usize = 3;
const LOOK: Duration = Duration::from_millis(50);
/// Far longer than any run; a run that hangs must end.
const PATIENCE: u32 = 12_000;

/// The part of the daemon's statistics that says whether it is done.
#[derive(Debug, Deserialize)]
struct Stats {
    next_due: Option<String>,
}

pub(super) fn id(number: u32) -> String {
    // A multiplicative hash, so that neighbours in time are strangers in the store.
    format!("C{:08x}{number:08}", number.wrapping_mul(0x9E37_79B9))
}

pub(super) async fn customers(client: &Client, output: &Output, args: &RunArgs) -> Result<(), Failure> {
    for numbers in batches(args) {
        let line = |lines: &mut String, number: u32| {
            let id = id(number);
            let _ = writeln!(
                lines,
                r#"{{"specversion":"1.0","source":"urn:bench","id":"a{number}","type":"wayfare.attributes","subject":"{id}","data":{{"consent":["push","sms"]}}}}"#
            );
        };
        post(client, output, numbers, line).await?;
    }
    Ok(())
}

pub(super) async fn journeys(client: &Client, output: &Output, args: &RunArgs) -> Result<(), Failure> {
    let enrol = |lines: &mut String, number: u32| {
        let id = id(number);
        let _ = writeln!(
            lines,
            r#"{{"specversion":"1.0","source":"urn:bench","id":"e{number}","type":"enrolled","subject":"{id}","time":"{}","data":{{}}}}"#,
            crate::engine::clock::wall()
        );
    };
    let open = |lines: &mut String, number: u32| {
        if number.is_multiple_of(2) {
            let id = id(number);
            let _ = writeln!(
                lines,
                r#"{{"specversion":"1.0","source":"urn:bench","id":"o{number}","type":"wayfare.opened","subject":"{id}","time":"{}","data":{{"message":"w1/{id}/{id}/first"}}}}"#,
                crate::engine::clock::wall()
            );
        }
    };
    let one = |numbers: std::ops::Range<u32>| async {
        post(client, output, numbers.clone(), enrol).await?;
        post(client, output, numbers, open).await
    };
    let mut requests = stream::iter(batches(args)).map(one).buffer_unordered(IN_FLIGHT);
    while let Some(done) = requests.next().await {
        done?;
    }
    Ok(())
}

/// Waits until nobody waits for anything.
pub(super) async fn finished(client: &Client) -> Result<(), Failure> {
    for _ in 0..PATIENCE {
        let stats: Stats = client.get("/v1/stats").await?;
        if stats.next_due.is_none() {
            return Ok(());
        }
        tokio::time::sleep(LOOK).await;
    }
    Err(Failure::new("the daemon did not finish the workload"))
}

fn batches(args: &RunArgs) -> impl Iterator<Item = std::ops::Range<u32>> + use<> {
    let (customers, batch) = (args.customers, args.batch);
    (0..customers.div_ceil(batch)).map(move |i| i * batch..((i + 1) * batch).min(customers))
}

async fn post(
    client: &Client,
    output: &Output,
    numbers: std::ops::Range<u32>,
    line: impl Fn(&mut String, u32),
) -> Result<(), Failure> {
    let mut lines = String::new();
    numbers.for_each(|number| line(&mut lines, number));
    let answer = client.send_lines(lines, output).await?;
    match answer.rejected.first() {
        None => Ok(()),
        Some(refused) => Err(Failure::new(format_args!("the daemon refused the load: {}", refused.reason))),
    }
}
