//! The limit: the rows of workloads W1 and W2 written by a plain loop. No journey logic, no codec, no HTTP.
//!
//! Customers exist before the clock starts. Each round is one durable transaction as an expert would write it by hand:
//! a batch of enrolments, half as many opens, and the timers of a batch enrolled earlier (all of them state rows that are
//! read and rewritten), the identities of the events, and packed rows for log, outbox, trace and timers. In W1 the opens
//! are of the batch before and the timers of the one before that; in W2 the opens are of anybody who waits, and the timers
//! of those who have waited longest, as many in all as the daemon had in its time. `wayfare bench run` runs it beside the daemon, in the same run, and prints the ratio.

pub(crate) mod postgres;
pub(crate) mod sqlite;

/// Customers in a round: the fastest of 1,000 to 10,000 within the daemon's bound on a batch.
const BATCH: usize = 4_000;

/// Bytes of a state row at its end, and while its customer waits, of a packed log entry, and of a packed outbox or trace entry,
/// as the daemon writes them.
pub(crate) struct Sizes {
    pub(crate) state: usize,
    pub(crate) waiting: usize,
    pub(crate) log: usize,
    pub(crate) entry: usize,
}

/// How many customers wait already (none: W1), how many of them are due while the clock runs, and how many enter.
#[derive(Clone, Copy)]
pub(crate) struct Crowd {
    pub(crate) waiting: usize,
    pub(crate) due: usize,
    pub(crate) customers: usize,
}

/// The bucket and the id of a customer.
type Key = (u16, String);

/// What one transaction reads and writes.
struct Round {
    number: usize,
    touched: Vec<Key>,
    events: usize,
}

impl Crowd {
    /// Those who enter while the clock runs: whole batches.
    pub(crate) fn written(self) -> usize {
        self.customers / BATCH * BATCH
    }

    /// Rounds' worth of customers that exist before the clock starts.
    fn known(self) -> usize {
        self.waiting / BATCH + self.customers / BATCH
    }

    /// Bytes of the rows of batch `number` before the clock starts. Of who has not entered little is known.
    fn bytes(self, number: usize, sizes: &Sizes) -> usize {
        if number < self.waiting / BATCH { sizes.waiting } else { sizes.state / 2 }
    }

    /// How many are due before round `number` of those in which somebody enters.
    fn due_by(self, number: usize) -> usize {
        let rounds = (self.customers / BATCH).max(1);
        self.due.min(self.waiting) * number / rounds
    }

    fn rounds(self) -> impl Iterator<Item = Round> {
        let (before, enrolled) = (self.waiting / BATCH, self.known());
        // W1: two more rounds drain the opens and timers of the last enrolments.
        let drain = if before == 0 { 2 } else { 0 };
        (before..enrolled + drain).map(move |number| {
            let opens =
                if before == 0 { opens_of(number.checked_sub(1), enrolled) } else { earlier(number, before) };
            let enrol = Some(number).filter(|number| *number < enrolled);
            let timers = match number.checked_sub(if before == 0 { 2 } else { before }) {
                None => 0..0,
                Some(number) if before == 0 => number * BATCH..(number + 1) * BATCH,
                Some(number) => self.due_by(number)..self.due_by(number + 1),
            };
            let events = enrol.map_or(0, |_| BATCH) + opens.len();
            let mut touched: Vec<Key> = enrol.into_iter().flat_map(batch).chain(timers.map(key)).collect();
            touched.extend(opens.into_iter().map(key));
            touched.sort_unstable();
            touched.dedup();
            Round { number, touched, events }
        })
    }
}

/// Every second customer of a batch.
fn opens_of(batch: Option<usize>, enrolled: usize) -> Vec<usize> {
    let batch = batch.filter(|batch| *batch < enrolled);
    batch.map_or_else(Vec::new, |batch| (0..BATCH).step_by(2).map(|i| batch * BATCH + i).collect())
}

/// Half a batch of those who wait before `round`.
fn earlier(round: usize, batches: usize) -> Vec<usize> {
    let span = batches * BATCH;
    let least = (round * BATCH).saturating_sub(span);
    let mixed = |i: usize| (round * BATCH + i).wrapping_mul(0x9E37_79B1) % span;
    (0..BATCH / 2).map(|i| least + mixed(i)).collect()
}

fn batch(number: usize) -> impl Iterator<Item = Key> {
    (0..BATCH).map(move |i| key(number * BATCH + i))
}

/// Keys in random order: a multiplicative hash of the sequence number.
fn key(i: usize) -> Key {
    let mixed = (i as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    (u16::try_from(mixed >> 52).unwrap_or_default(), format!("C{:010}", mixed % 10_000_000_000))
}

/// The identity of the `i`th event of a round.
fn identity(round: usize, i: usize) -> u128 {
    let mixed = ((round * 10_000 + i) as u64 + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    u128::from(mixed) << 64 | u128::from(mixed.rotate_left(32))
}
