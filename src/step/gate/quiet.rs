//! Quiet times: in the customer's zone, where it is unknown in the bank's. The strictest of all that apply holds.

use jiff::{SignedDuration, Timestamp, tz::TimeZone};

use super::{Hold, Refusal, Touch, Wish, policies};
use crate::expr::civil;
use crate::program::policy::{Quiet, is_urgent};
use crate::program::{Channel, Outcome};
use crate::step::run::{Run, whole_ms};
use crate::step::scene::Scene;
use crate::step::state::HeldBy;
use crate::step::trace::Rule;

/// Quiet times that follow one another without a gap; more are looked at again when these are over.
const MOST_IN_A_ROW: usize = 8;

pub(super) fn hold(run: &Run, scene: &Scene, wish: Wish, touch: Touch) -> Result<Option<Hold>, Refusal> {
    let Some(policies) = policies(run) else { return Ok(None) };
    if is_urgent(wish.program.purpose) || wish.to.is_some() || !disturbs(run, wish) {
        return Ok(None);
    }
    let quiets = || policies.quiets_of(wish.program.journey);
    let mut until = run.now;
    let mut said = None;
    for _ in 0..MOST_IN_A_ROW {
        let ends =
            quiets().filter_map(|(policy, quiet)| Some((end(quiet, until, &run.zone)?, policy, quiet)));
        let Some((end, policy, quiet)) = ends.max_by_key(|(end, ..)| *end) else { break };
        said.get_or_insert((policy, quiet));
        until = end;
    }
    let Some((policy, quiet)) = said else { return Ok(None) };
    let latest = quiets().filter_map(|(_, quiet)| Some(run.after(touch.decided, quiet.defer?, scene))).min();
    let policy = policy.map(|policy| run.sym(policy));
    let rule = Rule::Quiet { policy, from: quiet.from, to: quiet.to, until, latest };
    if latest.is_some_and(|latest| latest < until) {
        return Err((Outcome::QuietExpired, rule));
    }
    Ok(Some(Hold { until, by: HeldBy::Quiet, rule }))
}

/// Whether the channel comes to people at its own time. What waits for them until they look wakes nobody.
fn disturbs(run: &Run, wish: Wish) -> bool {
    let kind = |channel: &Channel| !matches!(channel.kind.as_str(), "pull" | "slot" | "ads");
    run.world.index().channels.get(&wish.channel).is_none_or(kind)
}

/// When the quiet time ends in which `at` lies; `None`: it lies in none.
///
/// The clock of `zone` may go forward over the end (then it is the first instant behind the gap) or back over it (then
/// it is quiet again until the clock shows the end once more).
fn end(quiet: &Quiet, at: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
    let local = zone.to_datetime(at);
    let time = local.time();
    let (date, is_quiet) = if quiet.from <= quiet.to {
        (local.date(), quiet.from <= time && time < quiet.to)
    } else if time < quiet.to {
        (local.date(), true)
    } else {
        (local.date().tomorrow().ok()?, quiet.from <= time)
    };
    if !is_quiet {
        return None;
    }
    let end = whole_ms(civil::moment_at(date, quiet.to, zone)?);
    if at < end {
        return Some(end);
    }
    let left = date.to_datetime(quiet.to).duration_since(local);
    at.checked_add(left.max(SignedDuration::from_millis(1))).ok()
}

#[cfg(test)]
mod tests {
    use jiff::civil::time;

    use super::*;

    fn quiet(from: (i8, i8), to: (i8, i8)) -> Quiet {
        let at = |(hour, minute)| time(hour, minute, 0, 0);
        Quiet { from: at(from), to: at(to), defer: None, release: None }
    }

    fn ends(quiet: &Quiet, zone: &str, local: &str) -> Option<String> {
        let zone = TimeZone::get(zone).unwrap();
        let at: Timestamp = local.parse().unwrap();
        end(quiet, at, &zone).map(|end| zone.to_datetime(end).to_string() + &zone.to_offset(end).to_string())
    }

    #[test]
    fn the_night_ends_in_the_morning_of_the_right_day() {
        let night = quiet((21, 30), (8, 30));
        let shanghai = |local: &str| ends(&night, "Asia/Shanghai", &format!("2026-12-01T{local}+08:00"));
        assert_eq!(shanghai("21:29:59"), None);
        assert_eq!(shanghai("21:30:00").unwrap(), "2026-12-02T08:30:00+08");
        assert_eq!(shanghai("00:10:00").unwrap(), "2026-12-01T08:30:00+08");
        assert_eq!(shanghai("08:29:59").unwrap(), "2026-12-01T08:30:00+08");
        assert_eq!(shanghai("08:30:00"), None);
        let noon = quiet((12, 0), (13, 30));
        assert_eq!(
            ends(&noon, "Asia/Shanghai", "2026-12-01T12:00:00+08:00").unwrap(),
            "2026-12-01T13:30:00+08"
        );
        assert_eq!(ends(&quiet((8, 0), (8, 0)), "Asia/Shanghai", "2026-12-01T08:00:00+08:00"), None);
    }

    #[test]
    fn the_night_in_which_the_clocks_change_ends_when_they_show_its_end() {
        // New York, forward on 2027-03-14 from 02:00 to 03:00: there is no 02:30.
        let forward =
            |to| ends(&quiet((22, 0), to), "America/New_York", "2027-03-14T01:10:00-05:00").unwrap();
        assert_eq!(forward((8, 30)), "2027-03-14T08:30:00-04");
        assert_eq!(forward((2, 30)), "2027-03-14T03:00:00-04");
        // Back on 2026-11-01 from 02:00 to 01:00: 01:30 comes twice.
        let back = |at: &str| ends(&quiet((22, 0), (1, 30)), "America/New_York", at);
        assert_eq!(back("2026-11-01T00:50:00-04:00").unwrap(), "2026-11-01T01:30:00-04");
        assert_eq!(back("2026-11-01T01:40:00-04:00"), None);
        assert_eq!(back("2026-11-01T01:10:00-05:00").unwrap(), "2026-11-01T01:30:00-05");
        assert_eq!(back("2026-11-01T01:30:00-05:00"), None);
    }
}
