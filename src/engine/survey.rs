//! Which of the outbox rows that earlier lives left is the newest of each message.
//!
//! A message that was tried again is named by several rows, and only the newest says how often and when it is next. That
//! row may lie behind more rows than memory holds. So whoever reads rows in order first has a window of them surveyed: its
//! messages are looked for in all later rows, once for the whole window. Memory holds one window, whatever the outbox
//! holds; reading an outbox of `n` messages costs `n` / [`WINDOW`] looks at what is left of it, and one look if
//! nothing in it was ever tried again.

use std::collections::{HashMap, HashSet};

use super::pack::{Queued, unpack_outbox};
use crate::step::MessageKey;
use crate::store::{OutboxRow, RowRef, Store, StoreError};

/// Messages of a window, for each message that a lane holds.
const WINDOW: usize = 4;
const ROWS_AT_ONCE: usize = 8;

pub(super) struct Survey {
    /// The last batch of earlier lives: what this life writes names no message a second time behind what is read.
    before: u64,
    window: usize,
    covered: RowRef,
    /// Of messages in the window that a later row names: the newest row.
    newest: HashMap<MessageKey, RowRef>,
    /// The last row in which a message is that was in another before; `None`: not known yet.
    last: Option<RowRef>,
}

/// One look in the making.
struct Look {
    window: usize,
    keys: HashSet<MessageKey>,
    /// The window ends with this row; `None` while it has room.
    end: Option<RowRef>,
    newest: HashMap<MessageKey, RowRef>,
    read_to: RowRef,
    last: RowRef,
}

impl Survey {
    /// `before`: the last batch of earlier lives. `held`: messages that a lane holds.
    pub(super) fn new(before: u64, held: usize) -> Self {
        Self {
            before,
            window: held.saturating_mul(WINDOW),
            covered: RowRef::default(),
            newest: HashMap::new(),
            last: None,
        }
    }

    /// Makes sure that the row after `read_to` is surveyed.
    ///
    /// # Errors
    /// If the store cannot be read; nothing has changed then.
    pub(super) async fn look(
        &mut self,
        store: &dyn Store,
        channel: u32,
        read_to: RowRef,
    ) -> Result<(), StoreError> {
        if read_to < self.covered || self.last.is_some_and(|last| last <= read_to) {
            return Ok(());
        }
        let at_once = ROWS_AT_ONCE * store.lease().groups.len().max(1);
        let mut look = Look::new(read_to, self.window);
        loop {
            let rows = store.outbox(channel, look.read_to, at_once).await?;
            let is_end = rows.len() < at_once;
            let before: Vec<OutboxRow> =
                rows.into_iter().take_while(|row| row.at.batch <= self.before).collect();
            if before.is_empty() {
                break;
            }
            look.read(&before);
            if is_end || self.last.is_some_and(|last| last <= look.read_to) {
                break;
            }
        }
        self.take_up(look);
        Ok(())
    }

    /// A look that went to the end.
    fn take_up(&mut self, look: Look) {
        self.last = self.last.or(Some(look.last));
        self.covered = look.end.unwrap_or(RowRef { batch: self.before, group: u16::MAX });
        self.newest = look.newest;
    }

    /// Rows up to here have been surveyed.
    pub(super) fn covered(&self) -> RowRef {
        self.covered
    }

    /// Whether `row` has been surveyed, or needs no survey.
    pub(super) fn covers(&self, row: RowRef) -> bool {
        row <= self.covered || row.batch > self.before || self.last.is_some_and(|last| last < row)
    }

    /// Whether no later row names the message of `row`, which is covered.
    pub(super) fn is_newest(&self, row: RowRef, message: &MessageKey) -> bool {
        self.newest.get(message).is_none_or(|newest| *newest <= row)
    }
}

impl Look {
    fn new(read_to: RowRef, window: usize) -> Self {
        Self {
            window,
            keys: HashSet::new(),
            end: None,
            newest: HashMap::new(),
            read_to,
            last: RowRef::default(),
        }
    }

    /// Rows that cannot be read name nobody: what they replaced counts.
    fn read(&mut self, rows: &[OutboxRow]) {
        for row in rows {
            self.read_to = row.at;
            for queued in unpack_outbox(&row.body).unwrap_or_default() {
                self.name(row.at, queued);
            }
            if self.end.is_none() && self.keys.len() >= self.window {
                self.end = Some(row.at);
            }
        }
    }

    fn name(&mut self, row: RowRef, queued: Queued) {
        if queued.has_moved() {
            self.last = row;
            if self.keys.contains(&queued.message) {
                self.newest.insert(queued.message, row);
                return;
            }
        }
        if self.end.is_none() {
            self.keys.insert(queued.message);
        }
    }
}

#[cfg(test)]
impl Survey {
    /// Of `rows`, which are all there are.
    pub(super) fn of(rows: &[OutboxRow], window: usize) -> Self {
        let before = rows.last().map_or(0, |row| row.at.batch);
        let mut survey = Self { window, ..Self::new(before, 0) };
        survey.again(rows);
        survey
    }

    /// The next look, at what follows.
    pub(super) fn again(&mut self, rows: &[OutboxRow]) {
        let mut look = Look::new(self.covered, self.window);
        look.read(rows);
        self.take_up(look);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::pack::pack_outbox;

    fn row(batch: u64) -> RowRef {
        RowRef { batch, group: 0 }
    }

    fn message(id: &str) -> MessageKey {
        MessageKey { journey: "j".into(), root: id.into(), child: None, entry: "e".into(), step: "s".into() }
    }

    fn stored(batch: u64, list: &[(&str, u32)]) -> OutboxRow {
        let queued = |&(id, attempts): &(&str, u32)| Queued {
            kind: 0,
            id: id.into(),
            message: message(id),
            attempts,
            not_before: 0,
            ambiguous: false,
            provider: None,
        };
        let list: Vec<Queued> = list.iter().map(queued).collect();
        OutboxRow { channel: 1, at: row(batch), body: pack_outbox(&list).unwrap() }
    }

    #[test]
    fn the_newest_row_is_found_behind_the_window() {
        let mut look = Look::new(row(0), 2);
        look.read(&[
            stored(1, &[("a", 0), ("b", 0)]),
            stored(2, &[("c", 0)]),
            stored(3, &[("a", 1), ("c", 1)]),
            stored(9, &[("a", 2)]),
        ]);
        assert_eq!((look.end, look.last), (Some(row(1)), row(9)));
        assert_eq!(look.newest, HashMap::from([(message("a"), row(9))]), "only those of the window");
    }

    #[test]
    fn a_row_that_cannot_be_read_replaces_nothing() {
        let mut look = Look::new(row(0), 9);
        let broken = OutboxRow { channel: 1, at: row(3), body: vec![9] };
        look.read(&[stored(1, &[("a", 0)]), stored(2, &[("a", 1)]), broken]);
        assert_eq!(look.newest, HashMap::from([(message("a"), row(2))]));
    }
}
