//! The story of a customer: what happened and what was decided, line by line, for people who look for the fault.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::property::payload;
use super::record::What;
use super::stage::Stage;
use crate::expr::civil::date_of;
use crate::expr::show;
use crate::step::explain::explain;
use crate::step::{Event, EventKind, Trace};

/// An instant in `zone`, to the minute where it is a whole one.
pub(super) fn instant(at: Timestamp, zone: &TimeZone) -> String {
    let zoned = at.to_zoned(zone.clone());
    let form = if zoned.second() == 0 { "%Y-%m-%d %H:%M" } else { "%Y-%m-%d %H:%M:%S" };
    zoned.strftime(form).to_string()
}

/// One line per thing that happened to a row.
pub(super) fn of_row(stage: &Stage<'_>, row: usize) -> Vec<String> {
    let Some(row) = stage.rows.get(row) else { return Vec::new() };
    let mut lines = vec![format!("the story of {} {}", row.key.entity, row.key.id)];
    for line in &row.record.lines {
        lines.push(format!("{}  {}", instant(line.at, stage.suite.zone), told(stage, &line.what)));
    }
    lines
}

/// The stories of all rows, up to `most` of them.
pub(super) fn of_all(stage: &Stage<'_>, most: usize) -> Vec<String> {
    (0..stage.rows.len().min(most)).flat_map(|row| of_row(stage, row)).collect()
}

fn told(stage: &Stage<'_>, what: &What) -> String {
    match what {
        What::Event(event) => happened(event, stage.suite.zone),
        What::Trace(trace) => decided(stage, trace),
        What::Delivered(delivery) => {
            let body = delivery.parts.iter().map(|(part, text)| format!("{part} {text:?}"));
            let to =
                delivery.addressee.id != delivery.message.root && delivery.addressee.id != delivery.address;
            let to = if to { format!("{} at ", delivery.addressee.id) } else { String::new() };
            let body = body.collect::<Vec<_>>().join(", ");
            format!("  {} to {to}{}: {body}", delivery.channel, delivery.address)
        }
        What::Decided(told) => told.clone(),
        What::Placed(placed) => format!("  {} holds {}, rank {}", placed.slot, placed.content, placed.rank),
    }
}

fn happened(event: &Event, zone: &TimeZone) -> String {
    let who = event.child.as_ref().map(|(_, id)| format!(" by {id}")).unwrap_or_default();
    match &event.kind {
        EventKind::Declared(name) | EventKind::Imported(name) => {
            format!("* {name}{}{who}", payload(&event.fields))
        }
        EventKind::Closed(name) => format!("* close of {name}{}{who}", payload(&event.fields)),
        EventKind::Tasked { key, .. } => format!("* order for {}{who}", key.step),
        EventKind::Merged { into } => format!("* is the same as {}{who}", into.id),
        EventKind::Resend { key } => format!("* again: {}{who}", key.step),
        EventKind::Consent { given, .. } => {
            format!("* {} to be written to{who}", if *given { "agrees" } else { "refuses" })
        }
        EventKind::Listed { list, .. } => format!("* the list {list}{who}"),
        EventKind::Inbound { text, .. } => format!("* writes: {text}{who}"),
        EventKind::Erased => format!("* is erased{who}"),
        EventKind::Message { kind, key } => format!("* {}({})", kind.as_str(), key.step),
        EventKind::Attributes | EventKind::ImportedAttributes => {
            let fields = event.fields.iter().map(|(name, value)| format!("{name} = {}", show::value(value)));
            let day = date_of(event.time, zone);
            let late = day < date_of(event.received, zone);
            let of = if late { format!(" of {day}") } else { String::new() };
            format!("* attributes{of}{who}: {}", fields.collect::<Vec<_>>().join("; "))
        }
    }
}

/// `maturity of holding cd: waits until …  (maturity.journey:20)`
fn decided(stage: &Stage<'_>, trace: &Trace) -> String {
    let told = explain(trace, &stage.world);
    let journey = told.journey.map(|journey| journey.to_string());
    let space = if journey.is_some() { " " } else { "" };
    let child = told.child.map(|child| format!("{space}of {child}"));
    // Folders would say the same on every line.
    let file = told.place.as_deref().map(|place| place.rsplit('/').next().unwrap_or(place));
    let place = file.map(|place| format!("  ({place})")).unwrap_or_default();
    let about = journey.into_iter().chain(child).collect::<String>();
    let gap = if about.is_empty() { "" } else { ": " };
    format!("{about}{gap}{}{place}", told.sentence)
}
