//! From what steps say of gifts to entries of the books.

use ring::digest::{SHA256, digest};

use crate::ledger::{Act, Entry, POINTS, Place};
use crate::lottery::{self, Draw};
use crate::step::{Booking, Drawing, Line, MessageKey, World};
use crate::store::{DrawRow, EntryRow, Lease, RowKey};
use crate::text::hex;

/// Bytes of the hash in the name of a gift: enough that no two of a bucket are ever called the same.
const HASH: usize = 12;

/// What a step says of a gift.
pub(super) enum Booked {
    /// Out of what all share.
    Shared(MessageKey, Vec<Line>),
    /// To the customer.
    Own(Box<Booking>),
}

/// The entries of it, in the row at `key`, a subject of `entity`.
pub(super) fn entries(lease: &Lease, key: &RowKey, entity: &str, at: i64, booked: Booked) -> Vec<EntryRow> {
    let (message, lines) = match booked {
        Booked::Shared(message, lines) => {
            let line = |line: &Line| (grant(line.account.to_string(), line.amount, &line.unit), None);
            let lines: Vec<(Entry, Option<i64>)> = lines.iter().map(line).collect();
            (message, lines)
        }
        Booked::Own(booking) => {
            let until = booking.until.map(jiff::Timestamp::as_millisecond);
            let mut lines: Vec<(Entry, Option<i64>)> = Vec::new();
            for what in &booking.what {
                let entry = if booking.can_be_spent {
                    grant(format!("{POINTS}{what}"), booking.amount, what.as_str())
                } else {
                    grant(format!("reward/{what}"), 1, PIECE)
                };
                lines.push((entry, until));
            }
            if let Some((points, lots)) = &booking.taken {
                for (part, (until, count)) in (0..).zip(lots) {
                    let entry = Entry {
                        account: format!("{POINTS}{points}"),
                        part,
                        act: Act::Confirm,
                        from: Place::Held,
                        amount: *count,
                        unit: points.to_string(),
                    };
                    lines.push((entry, until.map(jiff::Timestamp::as_millisecond)));
                }
            }
            (booking.key, lines)
        }
    };
    let text = message.to_string();
    let gift = id_of(key.bucket, entity, &text);
    let holder = holder(entity, &key.id);
    let row = |(entry, until): (Entry, Option<i64>)| EntryRow {
        group: lease.group(key.bucket),
        gift: gift.clone(),
        entry,
        holder: holder.clone(),
        key: text.clone(),
        at,
        until,
    };
    lines.into_iter().filter(|(entry, _)| entry.amount > 0).map(row).collect()
}

/// A draw, with what was told of the seed that it came from; nothing where the lottery is not known here.
pub(super) fn draw(world: &World, key: &RowKey, entity: &str, at: i64, drawing: &Drawing) -> Option<DrawRow> {
    let text = drawing.key.to_string();
    Some(DrawRow {
        commitment: world.seeds.commitment(drawing.lottery)?.to_string(),
        draw: Draw {
            ticket: lottery::ticket(drawing.lottery, &text),
            drawn: drawing.drawn.map(|prize| prize.to_string()),
            outcome: drawing.outcome,
            at,
        },
        lottery: drawing.lottery.to_string(),
        key: text,
        holder: holder(entity, &key.id),
    })
}

fn holder(entity: &str, id: &str) -> String {
    format!("{entity}/{id}")
}

/// The unit of what is counted one by one.
const PIECE: &str = "piece";

fn grant(account: String, amount: i64, unit: &str) -> Entry {
    Entry { account, part: 0, act: Act::Grant, from: Place::Free, amount, unit: unit.to_owned() }
}

/// The bucket in three digits, then a hash of whose gift it is and of its key.
fn id_of(bucket: u16, entity: &str, key: &str) -> String {
    let hash = digest(&SHA256, format!("gift/{entity}/{key}").as_bytes());
    format!("{bucket:03x}{}", hex::of(hash.as_ref().get(..HASH).unwrap_or_default()))
}
