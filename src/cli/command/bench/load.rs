//! The load: customers first, then enrolments, each request followed by opens.

use std::fmt::Write;
use std::ops::Range;
use std::time::Duration;

use futures_util::stream::{self, StreamExt};
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;

use crate::cli::client::Client;
use crate::cli::{Failure, Output};
use crate::engine::clock::wall;

/// Requests under way at once: a bank's systems do not wait for each other. With three the daemon's batches held half of what
/// the limit loop writes in one transaction, and the load was the limit.
const IN_FLIGHT: usize = 8;
/// Customers arrive in batches, whatever events do.
const LEAST_CUSTOMERS: u32 = 1_000;
/// The same where each event is a request.
const SINGLE_IN_FLIGHT: usize = 64;
const LOOK: Duration = Duration::from_millis(50);
/// Far longer than any run; a run that hangs must end.
const PATIENCE: u32 = 100_000;

/// The part of the daemon's statistics that says whether it is done.
#[derive(Debug, Deserialize)]
struct Stats {
    next_due: Option<Timestamp>,
}

/// Who opens what they got.
#[derive(Clone, Copy, Debug)]
pub(super) enum Opens {
    None,
    /// Of each request's customers every second.
    EverySecond,
    /// Half as many as are enrolled: customers enrolled at a random earlier time, of the newer half of those who wait.
    Earlier {
        waiting: u32,
    },
}

/// Towards one daemon.
#[derive(Clone, Copy)]
pub(super) struct Load<'a> {
    pub(super) client: &'a Client,
    pub(super) output: &'a Output,
    /// Events in a request.
    pub(super) batch: u32,
    /// How long ago those who enrol say that they did.
    pub(super) ago: SignedDuration,
}

pub(super) fn id(number: u32) -> String {
    // A multiplicative hash, so that neighbours in time are strangers in the store.
    format!("C{:08x}{number:08}", number.wrapping_mul(0x9E37_79B9))
}

impl Load<'_> {
    pub(super) async fn customers(self, numbers: Range<u32>) -> Result<(), Failure> {
        for numbers in batches(numbers, self.batch.max(LEAST_CUSTOMERS)) {
            let mut lines = String::new();
            for number in numbers {
                let id = id(number);
                let _ = writeln!(
                    lines,
                    r#"{{"specversion":"1.0","source":"urn:bench","id":"a{number}","type":"wayfare.attributes","subject":"{id}","data":{{"consent":["push","sms"]}}}}"#
                );
            }
            self.post(lines).await?;
        }
        Ok(())
    }

    /// Enrols `numbers`, each request followed by its opens.
    pub(super) async fn journeys(self, numbers: Range<u32>, opens: Opens) -> Result<(), Failure> {
        self.flow(numbers, opens, Timestamp::MAX).await.map(drop)
    }

    /// The same; how many customers entered by requests that began at `from` or later.
    pub(super) async fn flow(
        self,
        numbers: Range<u32>,
        opens: Opens,
        from: Timestamp,
    ) -> Result<u32, Failure> {
        let one = |numbers: Range<u32>| async move {
            let began = wall();
            self.post(enrolments(numbers.clone(), self.ago)).await?;
            let opened = opens.of(&numbers);
            if !opened.is_empty() {
                self.post(openings(&opened)).await?;
            }
            Ok(if began >= from { numbers.end - numbers.start } else { 0 })
        };
        let in_flight = if self.batch == 1 { SINGLE_IN_FLIGHT } else { IN_FLIGHT };
        let mut requests = stream::iter(batches(numbers, self.batch)).map(one).buffer_unordered(in_flight);
        let mut entered = 0;
        while let Some(done) = requests.next().await {
            entered += done?;
        }
        Ok(entered)
    }

    /// Customer `number` opens the first message.
    pub(super) async fn open(self, number: u32) -> Result<(), Failure> {
        self.post(openings(&[(number, number)])).await
    }

    /// Waits until nobody waits for anything that is due by `due`; for anything, without it.
    pub(super) async fn finished(self, due: Option<Timestamp>) -> Result<(), Failure> {
        for _ in 0..PATIENCE {
            let stats: Stats = self.client.get("/v1/stats").await?;
            if stats.next_due.is_none_or(|next| due.is_some_and(|due| next > due)) {
                return Ok(());
            }
            tokio::time::sleep(LOOK).await;
        }
        Err(Failure::new("the daemon did not finish the workload"))
    }

    async fn post(self, lines: String) -> Result<(), Failure> {
        let answer = self.client.send_lines(lines, self.output).await?;
        match answer.rejected.first() {
            None => Ok(()),
            Some(refused) => {
                Err(Failure::new(format_args!("the daemon refused the load: {}", refused.reason)))
            }
        }
    }
}

impl Opens {
    /// The event's number and the customer's, for a request that enrolled `numbers`.
    fn of(self, numbers: &Range<u32>) -> Vec<(u32, u32)> {
        let every_second = numbers.clone().filter(|number| number.is_multiple_of(2));
        match self {
            Self::None => Vec::new(),
            Self::EverySecond => every_second.map(|number| (number, number)).collect(),
            Self::Earlier { waiting } => {
                // Of the newer half: the others are due before long, and sooner than enrolling goes on.
                let span = (waiting / 2).clamp(1, numbers.start.max(1));
                let least = numbers.start.saturating_sub(span);
                let earlier = |number: u32| least + number.wrapping_mul(0x85EB_CA6B) % span;
                every_second.map(|number| (number, earlier(number))).collect()
            }
        }
    }
}

/// How many customers open while `numbers` are enrolled.
pub(super) fn opened(numbers: Range<u32>, batch: u32, opens: Opens) -> usize {
    let mut customers: Vec<u32> = batches(numbers, batch)
        .flat_map(|numbers| opens.of(&numbers))
        .map(|(_, customer)| customer)
        .collect();
    customers.sort_unstable();
    customers.dedup();
    customers.len()
}

fn batches(numbers: Range<u32>, batch: u32) -> impl Iterator<Item = Range<u32>> {
    let Range { start, end } = numbers;
    (start..end).step_by(batch as usize).map(move |first| first..first.saturating_add(batch).min(end))
}

pub(super) fn enrolments(numbers: Range<u32>, ago: SignedDuration) -> String {
    let mut lines = String::new();
    for number in numbers {
        let (id, now) = (id(number), wall());
        let now = now.checked_sub(ago).unwrap_or(now);
        let _ = writeln!(
            lines,
            r#"{{"specversion":"1.0","source":"urn:bench","id":"e{number}","type":"enrolled","subject":"{id}","time":"{now}","data":{{}}}}"#
        );
    }
    lines
}

fn openings(opened: &[(u32, u32)]) -> String {
    let mut lines = String::new();
    for (number, customer) in opened {
        let (id, now) = (id(*customer), wall());
        let _ = writeln!(
            lines,
            r#"{{"specversion":"1.0","source":"urn:bench","id":"o{number}","type":"wayfare.opened","subject":"{id}","time":"{now}","data":{{"message":"w1/{id}/{id}/first"}}}}"#
        );
    }
    lines
}
