use super::*;
use crate::engine::pack::pack_outbox;

fn at(ms: i64) -> Timestamp {
    Timestamp::from_millisecond(ms).unwrap()
}

fn queued(id: &str, not_before: i64) -> Queued {
    let message =
        MessageKey { journey: "j".into(), root: id.into(), child: None, entry: "e".into(), step: "s".into() };
    Queued { kind: 0, id: id.into(), message, attempts: 0, not_before, ambiguous: false, provider: None }
}

fn row(batch: u64) -> RowRef {
    RowRef { batch, group: 0 }
}

fn empty(rate: Option<Rate>) -> Lane {
    Lane { more: false, survey: None, ..Lane::new(1, rate, Window::default(), MOST_HELD, 0) }
}

fn stored(batch: u64, list: &[Queued]) -> OutboxRow {
    OutboxRow { channel: 1, at: row(batch), body: pack_outbox(list).unwrap() }
}

fn again(id: &str, attempts: u32, not_before: i64) -> Queued {
    Queued { attempts, ..queued(id, not_before) }
}

fn ids(tickets: &[Ticket]) -> Vec<&str> {
    tickets.iter().map(|ticket| &*ticket.queued.id).collect()
}

#[test]
fn messages_go_in_order_within_the_rate() {
    let mut lane = empty(Some(Rate { count: 2, per_ms: 1_000 }));
    lane.committed(vec![(row(1), queued("a", 0)), (row(1), queued("b", 0))], &[], at(0));
    lane.committed(vec![(row(2), queued("c", 0))], &[], at(0));
    assert_eq!(ids(&lane.take(at(0))), ["a", "b"]);
    assert_eq!(lane.next(at(0)), Some(at(1_000)));
    assert_eq!(ids(&lane.take(at(999))), [""; 0]);
    assert_eq!(ids(&lane.take(at(1_000))), ["c"]);
    assert_eq!(lane.next(at(1_000)), None);
}

#[test]
fn a_row_goes_with_its_last_message() {
    let mut lane = empty(None);
    lane.committed(vec![(row(7), queued("a", 0))], &[row(7)], at(0));
    assert!(!lane.resolve(row(7)));
    assert!(lane.resolve(row(7)));
    assert!(!lane.resolve(row(7)));
}

#[test]
fn a_batch_keeps_its_order_over_its_groups() {
    let mut lane = empty(None);
    let [one, other] = [1, 0].map(|group| RowRef { batch: 1, group });
    lane.committed(vec![(one, queued("a", 0)), (other, queued("b", 0)), (one, queued("c", 0))], &[], at(0));
    let taken = lane.take(at(0));
    assert_eq!(ids(&taken), ["a", "b", "c"]);
    assert!(lane.resolve(other));
    assert!(!lane.resolve(one));
}

/// A lane after a restart, with `window` messages of `rows` surveyed.
fn restarted(rows: &[OutboxRow], window: usize) -> Lane {
    let lane = Lane::new(1, None, Window::default(), MOST_HELD, 0);
    Lane { survey: Some(Survey::of(rows, window)), ..lane }
}

#[test]
fn after_a_restart_only_the_newest_row_of_a_message_counts() {
    let rows = [
        stored(1, &[queued("a", 0), queued("b", 0)]),
        stored(3, &[again("a", 1, 500)]),
        stored(4, &[again("a", 2, 900), queued("c", 0)]),
    ];
    let mut lane = restarted(&rows, 100);
    assert!(lane.read(rows.into(), at(0)).is_empty());
    // All that row 3 held has moved on; row 1 is needed for `b`.
    assert_eq!(lane.outdated(), [row(3)]);
    assert_eq!(ids(&lane.take(at(899))), ["b", "c"]);
    let last = lane.take(at(900));
    assert_eq!((ids(&last), last[0].queued.attempts), (vec!["a"], 2));
    assert!(lane.resolve(row(1)));
}

#[test]
fn a_message_that_is_decided_once_more_goes_by_its_new_row_only() {
    let rows = [stored(1, &[queued("a", 0), queued("b", 0)]), stored(2, &[queued("c", 0), queued("d", 0)])];
    let renewed = |id: &str| HashSet::from([queued(id, 0).message]);
    let mut lane = empty(None);
    lane.read(rows[..1].to_vec(), at(0));
    lane.more = true;
    lane.renew(renewed("a"), 5);
    lane.renew(renewed("c"), 6);
    lane.read(rows[1..].to_vec(), at(0));
    lane.read(vec![stored(5, &[queued("a", 5)]), stored(6, &[queued("c", 6)])], at(9));
    assert_eq!(ids(&lane.take(at(9))), ["b", "d", "a", "c"]);
    assert_eq!(lane.outdated(), [], "others are still in the old rows");
    assert!(lane.resolve(row(1)) && lane.resolve(row(2)), "and those were the last");
}

#[test]
fn a_message_does_not_go_while_its_newest_row_is_still_in_the_store() {
    let rows = [
        stored(1, &[queued("a", 0), queued("b", 0)]),
        stored(2, &[queued("c", 0)]),
        stored(7, &[again("a", 1, 500), again("c", 1, 0)]),
    ];
    let mut lane = restarted(&rows, 2);
    lane.read(rows[..2].to_vec(), at(0));
    assert_eq!(ids(&lane.take(at(0))), ["b"]);
    // The second row waits for the next look.
    assert!(lane.more && lane.read_to == row(1));
    lane.survey.as_mut().unwrap().again(&rows[1..]);
    lane.read(rows[1..].to_vec(), at(0));
    assert_eq!(lane.outdated(), [row(2)]);
    assert_eq!(ids(&lane.take(at(0))), ["c"]);
    assert_eq!(ids(&lane.take(at(500))), ["a"]);
}

#[test]
fn a_retry_waits_for_its_time() {
    let mut lane = empty(None);
    lane.committed(vec![(row(1), queued("later", 500)), (row(1), queued("now", 0))], &[], at(0));
    assert_eq!(ids(&lane.take(at(0))), ["now"]);
    assert_eq!(lane.next(at(0)), Some(at(500)));
    assert_eq!(ids(&lane.take(at(500))), ["later"]);
}

/// A full disk made a worker ask over and over, without a pause.
#[test]
fn a_store_that_cannot_be_asked_is_asked_again_after_a_while() {
    let mut lane = empty(Some(Rate { count: 4, per_ms: 1_000 }));
    lane.share(1);
    lane.committed(vec![(row(1), queued("a", 0))], &[], at(0));
    assert_eq!((lane.wanted(at(0)), lane.next(at(0))), (1, Some(at(0))));
    lane.refused(at(0));
    assert_eq!((lane.wanted(at(499)), lane.next(at(0))), (0, Some(at(500))));
    assert_eq!(lane.wanted(at(500)), 1);
}

#[test]
fn nobody_jumps_the_queue() {
    let mut lane = empty(None);
    assert!(lane.admit(0, at(0)));
    lane.committed(vec![(row(1), queued("a", 0))], &[], at(0));
    assert!(!lane.admit(0, at(0)));
    lane.take(at(0));
    assert!(lane.admit(0, at(0)));
    assert_eq!(lane.outstanding(), 3);
}

#[test]
fn what_memory_cannot_hold_stays_in_the_store() {
    let mut lane = empty(None);
    let many = (0..MOST_HELD).map(|n| (row(1), queued(&n.to_string(), 0))).collect();
    lane.committed(many, &[], at(0));
    lane.committed(vec![(row(2), queued("over", 0))], &[], at(0));
    assert!(!lane.admit(0, at(0)) && !lane.wants_rows());
    while lane.held() >= MOST_HELD / 2 {
        lane.take(at(0)).iter().for_each(|_| lane.settle());
    }
    assert!(lane.wants_rows());
}
