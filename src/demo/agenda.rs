//! What the synthetic customers are going to do, by domain time.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::persona::Reaction;

/// Events in the order of their time; of equals, in the order they were planned.
#[derive(Debug, Default)]
pub struct Agenda {
    planned: BTreeMap<(Timestamp, u64), Value>,
    count: u64,
}

impl Agenda {
    pub fn plan(&mut self, now: Timestamp, reaction: Reaction) {
        let at = now.saturating_add(SignedDuration::from_secs(reaction.after_s)).unwrap_or(now);
        self.planned.insert((at, self.count), reaction.event);
        self.count += 1;
    }

    /// When the next thing happens.
    #[must_use]
    pub fn next(&self) -> Option<Timestamp> {
        self.planned.keys().next().map(|(at, _)| *at)
    }

    /// Everything that has happened by `now`, as NDJSON lines.
    pub fn take(&mut self, now: Timestamp) -> String {
        let mut lines = String::new();
        while let Some(entry) = self.planned.first_entry() {
            if entry.key().0 > now {
                break;
            }
            lines.push_str(&entry.remove().to_string());
            lines.push('\n');
        }
        lines
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn things_happen_in_the_order_of_their_time() {
        let now: Timestamp = "2026-12-01T02:00:00Z".parse().unwrap();
        let mut agenda = Agenda::default();
        for (after_s, name) in [(60, "later"), (5, "soon"), (60, "later too")] {
            agenda.plan(now, Reaction { after_s, event: json!(name) });
        }
        assert_eq!(agenda.take(now), "");
        assert_eq!(agenda.take(agenda.next().unwrap()), "\"soon\"\n");
        let then = agenda.next().unwrap();
        assert_eq!(agenda.take(then), "\"later\"\n\"later too\"\n");
        assert_eq!(agenda.next(), None);
    }
}
