//! The scheduled looks of `enter when … every …` and `enter every …`.

use jiff::Timestamp;

use super::event::filtered;
use super::{Candidate, consider, refuse, subjects, when};
use crate::name::Name;
use crate::program::Enter;
use crate::step::run::{Run, whole_ms};
use crate::step::trace::Cause;

/// The occurrence `at` of the schedule of `journey`. It, not the time of the look, makes the entry key.
pub(in crate::step) fn tick(run: &mut Run, journey: Name, at: Timestamp) {
    let Some(loaded) = run.world.index().journey(journey).cloned() else { return };
    if !run.state.known {
        return;
    }
    let at = whole_ms(at);
    for subject in subjects(run, &loaded) {
        match &loaded.program.enter {
            Enter::When { condition, schedule: Some(_) } => {
                when::look(run, &loaded, condition, subject, at.to_string().into(), at);
            }
            Enter::Every { filter, .. } => {
                let candidate = Candidate {
                    subject,
                    cause: Cause::Schedule,
                    at,
                    payload: Vec::new(),
                    identity: at.to_string().into(),
                    date: None,
                    rule: None,
                };
                match filtered(run, &loaded, &candidate, filter.as_ref()) {
                    Ok(()) => consider(run, &loaded, candidate),
                    Err(why) => refuse(run, &loaded, &candidate, why),
                }
            }
            _ => {}
        }
    }
}
