//! From what steps say of tasks to the rows of the directory of work, one for each task of a batch.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use ring::digest::{SHA256, digest};

use crate::step::{TaskChange, TaskNews};
use crate::store::{Lease, RowKey, TaskRow, TaskStatus};

/// Bytes of the hash in an id: enough that no two tasks of a bucket are ever called the same.
const HASH: usize = 12;

#[derive(Default)]
pub(super) struct Desk(BTreeMap<String, TaskRow>);

impl Desk {
    /// Takes up a change of a task of the row at `key`, a subject of `entity`.
    pub(super) fn add(&mut self, lease: &Lease, key: &RowKey, entity: &str, news: TaskNews, zone: &TimeZone) {
        let id = id_of(key.bucket, entity, &news.key.to_string());
        let row = self.0.entry(id.clone()).or_insert_with(|| TaskRow {
            group: lease.group(key.bucket),
            id,
            key: news.key.to_string(),
            entity: entity.to_owned(),
            about: news.about.map(|(kind, id)| format!("{kind}:{id}")).unwrap_or_default(),
            task: news.task.to_string(),
            opened: news.at.as_millisecond(),
            day: day_of(news.at, zone),
            ..TaskRow::default()
        });
        row.assignee = news.assignee.to_string();
        row.holder = news.holder.map(|holder| holder.to_string()).unwrap_or_default();
        row.due = news.due.map(Timestamp::as_millisecond);
        row.changed = news.at.as_millisecond();
        row.status = if news.is_overdue { TaskStatus::Overdue } else { TaskStatus::Open };
        match news.what {
            TaskChange::Opened { unit } => row.unit = unit.map(|unit| unit.to_string()),
            TaskChange::Reminded => row.reminded = Some(row.changed),
            TaskChange::Escalated { to } => row.escalated = Some(to.to_string()),
            TaskChange::Done { result } => {
                row.status = TaskStatus::Done;
                row.result = Some(result.to_string());
            }
            TaskChange::Withdrawn => row.status = TaskStatus::Withdrawn,
            TaskChange::Overdue | TaskChange::Claimed | TaskChange::Reassigned => {}
        }
    }

    pub(super) fn finish(self) -> Vec<TaskRow> {
        self.0.into_values().collect()
    }
}

/// The bucket in three digits, then a hash of whose task it is and of its key.
fn id_of(bucket: u16, entity: &str, key: &str) -> String {
    let mut id = format!("{bucket:03x}");
    for byte in digest(&SHA256, format!("{entity}/{key}").as_bytes()).as_ref().iter().take(HASH) {
        // Writing to a string does not fail.
        let _ = write!(id, "{byte:02x}");
    }
    id
}

/// The ids of a bucket lie between these.
pub(super) fn ids_of(bucket: u16) -> (String, String) {
    // The letter behind all digits.
    (format!("{bucket:03x}"), format!("{bucket:03x}g"))
}

/// The bucket that an id begins with; `None`: it is none of ours.
pub(super) fn bucket_of(id: &str) -> Option<u16> {
    let is_whole = id.len() == 3 + 2 * HASH && id.bytes().all(|byte| byte.is_ascii_hexdigit());
    u16::from_str_radix(id.get(..3).filter(|_| is_whole)?, 16).ok()
}

/// The day in the bank's zone, since 1970.
pub(super) fn day_of(at: Timestamp, zone: &TimeZone) -> i32 {
    days_since_1970(at.to_zoned(zone.clone()).date())
}

/// Days from 1970-01-01 to `date`.
#[must_use]
pub fn days_since_1970(date: jiff::civil::Date) -> i32 {
    let epoch = jiff::civil::date(1970, 1, 1);
    epoch.until(date).map_or(0, |span| span.get_days())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_says_in_which_bucket_it_is() {
        let id = id_of(0xabc, "customer", "call/c1/c1/ring");
        assert_eq!(bucket_of(&id), Some(0xabc));
        assert_ne!(id, id_of(0xabc, "branch", "call/c1/c1/ring"));
        for other in ["", "abc", "xyz111111111111111111111111", &format!("{id}0")] {
            assert_eq!(bucket_of(other), None, "{other}");
        }
    }

    #[test]
    fn a_day_is_the_banks() {
        let late: Timestamp = "1970-01-02T17:00:00Z".parse().unwrap();
        assert_eq!(
            (day_of(late, &TimeZone::UTC), day_of(late, &TimeZone::get("Asia/Shanghai").unwrap())),
            (1, 2)
        );
    }
}
