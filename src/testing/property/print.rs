//! A counterexample as a test: what was given, and everything that happened, in the language's own words.

use jiff::Timestamp;

use super::Case;
use super::plan::Plan;
use crate::expr::show;
use crate::name::Name;
use crate::step::{Event, EventKind};
use crate::testing::record::What;
use crate::testing::script::Played;
use crate::value::{Length, Value};

const HOUR_MS: i64 = 3_600_000;

/// Lines of a `test` block that plays the case.
pub(super) fn as_test(plan: &Plan<'_>, case: &Case, played: &Played<'_>) -> Vec<String> {
    let mut lines = Vec::new();
    for role in &case.roles {
        let parent = role.parent.as_ref().and_then(|id| {
            let entity = plan.suite.bundle.schema.entities.get(&role.entity)?;
            Some(format!("{} = {id}", entity.parent?))
        });
        let stored = role.fields.iter().map(|(name, value)| format!("{name} = {}", show::value(value)));
        let days = role.days.iter().map(|(name, value, first, last)| {
            format!("{name} = {} during {first}..{last}", show::value(value))
        });
        let fields: Vec<String> = parent.into_iter().chain(stored).chain(days).collect();
        let block = if fields.is_empty() { String::new() } else { format!(" {{ {} }}", fields.join("; ")) };
        lines.push(format!("given {} {}{block}", role.entity, role.id));
    }
    let zoned = case.start.to_zoned(plan.suite.zone.clone());
    lines.push(zoned.strftime("clock %Y-%m-%d at %H:%M").to_string());
    let mut before = case.start;
    for (at, event) in happenings(played) {
        let Some(told) = told(&event) else { continue };
        lines.extend(pause(plan, before, at));
        lines.push(told);
        before = at;
    }
    lines.extend(pause(plan, before, played.stage.now));
    lines
}

/// Events in order of arrival.
fn happenings(played: &Played<'_>) -> Vec<(Timestamp, Event)> {
    let lines = played.stage.rows.iter().flat_map(|row| &row.record.lines);
    let mut found: Vec<(u64, Timestamp, &Event)> = lines
        .filter_map(|line| match &line.what {
            What::Event(event) => Some((line.serial, line.at, event)),
            _ => None,
        })
        .collect();
    found.sort_by_key(|(serial, ..)| *serial);
    found.into_iter().map(|(_, at, event)| (at, event.clone())).collect()
}

fn told(event: &Event) -> Option<String> {
    match &event.kind {
        EventKind::Declared(name) => Some(format!("happen {name}{}", payload(&event.fields))),
        EventKind::Message { kind, key } => Some(format!("happen {}({})", kind.as_str(), key.step)),
        EventKind::Closed(name) => Some(format!("happen close of {name}{}", payload(&event.fields))),
        // The attributes are in `given`.
        EventKind::Imported(_)
        | EventKind::ImportedAttributes
        | EventKind::Merged { .. }
        | EventKind::Resend { .. }
        | EventKind::Tasked { .. }
        | EventKind::Consent { .. }
        | EventKind::Listed { .. }
        | EventKind::Inbound { .. }
        | EventKind::Erased
        | EventKind::Attributes => None,
    }
}

pub(in crate::testing) fn payload(fields: &[(Name, Value)]) -> String {
    if fields.is_empty() {
        return String::new();
    }
    let fields: Vec<String> =
        fields.iter().map(|(name, value)| format!("{name} = {}", show::value(value))).collect();
    format!("({})", fields.join(", "))
}

/// `advance 5min`, and over an hour `advance to 2026-12-03 at 10:00`; nothing where no time passes.
fn pause(plan: &Plan<'_>, from: Timestamp, to: Timestamp) -> Option<String> {
    let ms = i64::try_from(to.duration_since(from).as_millis()).ok().filter(|ms| *ms > 0)?;
    let until = to.to_zoned(plan.suite.zone.clone());
    if ms < HOUR_MS || until.second() != 0 || until.subsec_nanosecond() != 0 {
        return Some(format!("advance {}", Length::Elapsed(ms)));
    }
    Some(until.strftime("advance to %Y-%m-%d at %H:%M").to_string())
}
