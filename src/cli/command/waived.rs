//! `wayfare rules --waivers`: what compliance has excused, for an audit.

use jiff::civil::Date;
use serde_json::json;

use super::compiled;
use crate::cli::{Exit, Failure, Output};
use crate::rules::waiver::{Bound, state};
use crate::rules::{Trees, bound};
use crate::syntax::parse;
use crate::text::FileId;

/// Every waiver of the project around the current folder, the next to end first.
pub(super) fn list(today: Date, as_json: bool, output: &Output) -> Result<Exit, Failure> {
    let (_, compilation, _) = compiled::sound(&[], output)?;
    let (model, sources) = (&compilation.model, &compilation.sources);
    let parsed: Vec<(FileId, _)> =
        sources.iter().map(|(id, file)| (id, parse(id, &file.text).file)).collect();
    let trees: Vec<_> = parsed.iter().map(|(id, tree)| (*id, tree)).collect();
    let mut waivers: Vec<_> = model.waivers.values().collect();
    waivers.sort_by_key(|waiver| (waiver.expires, waiver.name));
    let mut documents = Vec::new();
    for waiver in waivers {
        let now = bound::digest(model, sources, Trees::new(&trees), waiver);
        let bound = match state(waiver, &now) {
            Bound::Same => "as approved",
            Bound::Loose => "bound to nothing",
            Bound::Changed => "changed since",
        };
        let left = today.until(waiver.expires).map_or(0, |span| span.get_days());
        let (path, line) = sources.place(waiver.span);
        if as_json {
            documents.push(json!({
                "name": waiver.name.as_str(),
                "rule": &*waiver.rule,
                "of": waiver.of.as_str(),
                "step": waiver.step.map(crate::name::Name::as_str),
                "reason": &*waiver.reason,
                "approver": &*waiver.approver,
                "ticket": waiver.ticket.as_deref(),
                "expires": waiver.expires.to_string(),
                "days_left": left,
                "binds": waiver.binds.as_ref().map(|(digest, _)| &**digest),
                "digest": now,
                "state": bound,
                "path": &*path,
                "line": line,
            }));
            continue;
        }
        let ends = if left < 0 { "run out".to_owned() } else { format!("{left} days left") };
        let ticket = waiver.ticket.as_deref().unwrap_or("no ticket");
        output.data(format_args!(
            "{:12} {} of `{}`: {bound}, until {} ({ends}); {}, {ticket}; {path}:{line}\n             {}",
            waiver.rule, waiver.name, waiver.of, waiver.expires, waiver.approver, waiver.reason
        ))?;
    }
    if as_json {
        let document = json!({ "as_of": today.to_string(), "waivers": documents });
        output.data(format_args!("{document:#}"))?;
    }
    Ok(Exit::Clean)
}
