//! NDJSON, read as it comes: a chunk of lines in memory, each chunk durable before the next is read.
//!
//! So a sender is slowed down to the engine's pace by TCP alone, and whatever goes wrong in the middle, the answer
//! says what was kept before.

use std::time::Duration;

use axum::body::Body;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use futures_util::StreamExt;

use super::super::Door;
use super::super::problem::Problem;
use super::batch::{Account, Item, Judged};
use crate::diagnostic::code;
use crate::engine::Receipt;
use crate::intake::envelope::not_json;
use crate::intake::{MAX_EVENT, Refusal};

/// Lines per submission. A batch of the engine takes what is there, and a transaction is the cheaper per row the larger it is; a
/// sender that waits for each thousand never lets large ones form.
const CHUNK: usize = 4_000;
/// Bytes of lines per submission.
const CHUNK_BYTES: usize = 4 << 20;
/// Longest silence of a sender.
const SILENCE: Duration = Duration::from_secs(30);
/// How often, and with which pause, a chunk is offered to an engine that is full: 10 seconds in all.
const OFFERS: u32 = 100;
const OFFER_PAUSE: Duration = Duration::from_millis(100);

pub(super) async fn receive(door: &Door, body: Body) -> Result<Response, Problem> {
    let mut account = Account::default();
    match read(door, body, &mut account).await {
        Ok(()) => Ok(account.into_response()),
        Err(problem) => Err(problem.after(account.to_json())),
    }
}

async fn read(door: &Door, body: Body, account: &mut Account) -> Result<(), Problem> {
    let mut data = body.into_data_stream();
    let mut lines = Lines::default();
    loop {
        let piece = tokio::time::timeout(SILENCE, data.next()).await;
        let piece = match piece {
            Ok(Some(Ok(piece))) => piece,
            Ok(None) => break,
            Ok(Some(Err(_))) => return Err(Problem::bad_request("the body ended before it was complete")),
            Err(_) => {
                let detail = "nothing came for 30 seconds";
                return Err(Problem::new(StatusCode::REQUEST_TIMEOUT, code::TOO_SLOW, detail));
            }
        };
        lines.push(&piece);
        if lines.items.len() >= CHUNK || lines.bytes >= CHUNK_BYTES {
            submit(door, lines.take(), account).await?;
        }
    }
    lines.end();
    submit(door, lines.take(), account).await
}

async fn submit(door: &Door, items: Vec<Item>, account: &mut Account) -> Result<(), Problem> {
    let judged = Judged::new(door, items);
    let receipts = offer(door, &judged).await?;
    judged.account(receipts, account);
    Ok(())
}

/// A full engine empties at its own pace; the sender waits meanwhile.
async fn offer(door: &Door, judged: &Judged) -> Result<Vec<Receipt>, Problem> {
    for _ in 1..OFFERS {
        match judged.submit(door).await {
            Err(problem) if problem.is_busy() => tokio::time::sleep(OFFER_PAUSE).await,
            answered => return answered,
        }
    }
    judged.submit(door).await
}

/// Cuts pieces of a body into lines. Holds at most one line that is not complete.
#[derive(Default)]
struct Lines {
    items: Vec<Item>,
    /// Bytes of the complete lines in `items`.
    bytes: usize,
    rest: Vec<u8>,
    /// The line under way is too long, and what still comes of it is dropped.
    overlong: bool,
    /// Lines and records so far.
    line: u64,
    index: u64,
}

impl Lines {
    fn push(&mut self, piece: &[u8]) {
        let mut parts = piece.split(|byte| *byte == b'\n');
        let last = parts.next_back().unwrap_or_default();
        for part in parts {
            self.keep(part);
            self.end();
        }
        self.keep(last);
    }

    fn keep(&mut self, part: &[u8]) {
        self.overlong |= self.rest.len() + part.len() > MAX_EVENT;
        if self.overlong {
            self.rest.clear();
        } else {
            self.rest.extend_from_slice(part);
        }
    }

    /// The line under way is complete.
    fn end(&mut self) {
        self.line += 1;
        let text = std::mem::take(&mut self.rest);
        if std::mem::take(&mut self.overlong) {
            let reason = format!("the line has more than {MAX_EVENT} bytes");
            self.refuse(Refusal::new(code::EVENT_TOO_LARGE, reason));
        } else if !text.trim_ascii().is_empty() {
            self.bytes += text.len();
            match serde_json::from_slice(text.trim_ascii()) {
                Ok(event) => {
                    self.items.push(Item::new(self.index, Some(self.line), event));
                    self.index += 1;
                }
                Err(error) => self.refuse(not_json(&error)),
            }
        }
    }

    fn refuse(&mut self, refusal: Refusal) {
        self.items.push(Item { index: self.index, line: Some(self.line), id: None, event: Err(refusal) });
        self.index += 1;
    }

    fn take(&mut self) -> Vec<Item> {
        self.bytes = 0;
        std::mem::take(&mut self.items)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(lines: &Lines) -> Vec<(u64, Option<u64>, Option<&str>, bool)> {
        let told = |item: &Item| (item.index, item.line, item.event.is_ok());
        let ids = lines.items.iter().map(|item| item.id.as_deref());
        lines.items.iter().map(told).zip(ids).map(|((index, line, ok), id)| (index, line, id, ok)).collect()
    }

    /// However a body is cut into pieces, the same lines come out.
    #[test]
    fn lines_do_not_depend_on_the_pieces_they_come_in() {
        let long = "y".repeat(MAX_EVENT + 1);
        let text = format!(
            "{{\"id\":\"a\"}}\n\n  \r\n{{\"id\":\n{long}\n{{\"specversion\":\"1.0\",\"id\":\"b\",\"source\":\"s\",\"type\":\"王\"}}"
        );
        let mut whole = Lines::default();
        whole.push(text.as_bytes());
        whole.end();
        let expected = vec![
            (0, Some(1), Some("a"), false),
            (1, Some(4), None, false),
            (2, Some(5), None, false),
            (3, Some(6), Some("b"), true),
        ];
        assert_eq!(told(&whole), expected);
        for size in [1, 2, 7, 1000] {
            let mut cut = Lines::default();
            text.as_bytes().chunks(size).for_each(|piece| cut.push(piece));
            cut.end();
            assert_eq!(told(&cut), expected, "in pieces of {size}");
        }
    }
}
