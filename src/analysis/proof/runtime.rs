//! What the gate and the engine keep while it runs, with the numbers of this project.

use std::collections::BTreeSet;

use super::{Claim, Desk, Kind};
use crate::expr::show::{self, Names};
use crate::model::Uses;
use crate::name::Name;
use crate::program::policy::{MARKETING, Over, is_urgent};

pub(super) fn claims(desk: &Desk<'_, '_>) -> Vec<Claim> {
    let mut claims = Vec::new();
    if desk.flow.messages().next().is_some() {
        claims.push(says("asked_again", "the gate is asked when a message is decided and again when it leaves: kill switch, consent, lists, suppression, suitability, quiet times, caps"));
        claims.extend(consent(desk));
        claims.extend(suppressed(desk));
        claims.extend(quiet(desk));
        claims.extend(caps(desk));
        claims.push(says(
            "once",
            "no message leaves twice: each is known by journey, customer, entry and step",
        ));
    }
    claims.extend(given(desk));
    if desk.flow.journey.holdout > 0 {
        let share = f64::from(desk.flow.journey.holdout) / 100.0;
        claims.push(says(
            "holdout",
            format!("{share}% are held out: their runs go on, and nothing is sent to them"),
        ));
    }
    claims
}

fn says(id: &'static str, text: impl Into<String>) -> Claim {
    Claim::new(Kind::Runtime, id, true, text)
}

fn consent(desk: &Desk<'_, '_>) -> Option<Claim> {
    let purpose = desk.flow.journey.purpose;
    let named = desk.flow.model.policies.values().any(|policy| policy.consent.contains(&purpose));
    if purpose.as_str() != MARKETING && !named {
        return None;
    }
    let channels: BTreeSet<Name> = desk.flow.messages().map(|(_, message)| message.channel).collect();
    let channels: Vec<String> = channels.iter().map(|channel| format!("`{channel}`")).collect();
    Some(says(
        "consent",
        format!(
            "a consent to {purpose} is asked for each of {}; without it the message ends as `no_consent`",
            channels.join(", ")
        ),
    ))
}

/// Names of the definitions that a policy speaks of.
struct Of<'u>(&'u Uses);

impl Names for Of<'_> {
    fn def(&self, index: u16) -> Option<Name> {
        self.0.defs.get(usize::from(index)).copied()
    }

    fn feature(&self, index: u16) -> Option<&crate::expr::Aggregate> {
        self.0.features.get(usize::from(index))
    }
}

fn suppressed(desk: &Desk<'_, '_>) -> Vec<Claim> {
    let purpose = desk.flow.journey.purpose;
    let mut found = Vec::new();
    for policy in desk.flow.model.policies.values() {
        for (of, condition) in &policy.suppress {
            if of.is_none_or(|of| of == purpose) {
                let condition = show::expr(condition, &Of(&policy.uses));
                found.push(says(
                    "suppress",
                    format!("nothing is sent if `{condition}` (policy `{}`)", policy.name),
                ));
            }
        }
    }
    found
}

fn quiet(desk: &Desk<'_, '_>) -> Vec<Claim> {
    let journey = desk.flow.journey;
    if is_urgent(journey.purpose) {
        return Vec::new();
    }
    let policies = desk.flow.model.policies.values();
    let policies =
        policies.filter_map(|policy| Some((format!(" (policy `{}`)", policy.name), policy.quiet?)));
    let all = policies.chain(journey.quiet.map(|quiet| (String::new(), quiet)));
    let told = all.map(|(by, quiet)| {
        let (from, to) = (quiet.from.strftime("%H:%M"), quiet.to.strftime("%H:%M"));
        let then = quiet.defer.map_or_else(
            || "it waits until they are over".to_owned(),
            |most| format!("it waits at most {most}, else it ends as `quiet_expired`"),
        );
        says(
            "quiet",
            format!(
                "nothing that disturbs leaves between {from} and {to} in the customer's zone: {then}{by}"
            ),
        )
    });
    told.collect()
}

fn caps(desk: &Desk<'_, '_>) -> Vec<Claim> {
    let journey = desk.flow.journey;
    let channels: BTreeSet<Name> = desk.flow.messages().map(|(_, message)| message.channel).collect();
    let counts = |cap: &crate::model::govern::Cap| {
        cap.name == journey.purpose || channels.contains(&cap.name) && !is_urgent(journey.purpose)
    };
    let policies = desk.flow.model.policies.values();
    let policies = policies
        .flat_map(|policy| policy.caps.iter().map(move |cap| (format!(" (policy `{}`)", policy.name), cap)));
    let all =
        policies.chain(journey.caps.iter().map(|cap| (String::new(), cap))).filter(|(_, cap)| counts(cap));
    let told = all.map(|(by, cap)| {
        let rolling = if cap.rolling { "any" } else { "each" };
        let over = match cap.over {
            Over::Skip => "one more ends as `capped`".to_owned(),
            Over::Defer(most) => format!("one more waits at most {most}"),
            Over::NextChannel => "one more goes to the next channel".to_owned(),
        };
        says(
            "cap",
            format!(
                "at most {} of `{}` for each {} in {rolling} {}: {over}{by}",
                cap.count, cap.name, cap.whom, cap.window
            ),
        )
    });
    told.collect()
}

fn given(desk: &Desk<'_, '_>) -> Option<Claim> {
    let found = crate::analysis::liability::liability(desk.flow)?;
    let budgets = found.budgets.iter().filter_map(|name| {
        let budget = desk.flow.model.values.budgets.get(name)?;
        Some(format!("`{name}` of {}", budget.total))
    });
    let budgets: Vec<String> = budgets.collect();
    let by =
        if budgets.is_empty() { String::new() } else { format!(", and budgets: {}", budgets.join(", ")) };
    Some(says("given", format!("nothing is given twice for one step and entry; limits and stock end it{by}")))
}
