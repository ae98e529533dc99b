//! The exposure for people.

use std::fmt::Write as _;

use super::{Changed, Exposure, Gives, Pot, Share};
use crate::analysis::amount::Amount;
use crate::analysis::portfolio::Given;
use crate::value::Money;

impl Exposure {
    /// For people; `reference` names what it is compared with.
    #[must_use]
    pub fn text(&self, reference: &str) -> String {
        let mut text = format!("against {reference}: ");
        if self.is_same() {
            text.push_str("no journey and no budget has changed\n");
        } else {
            let count = |new: bool, gone: bool| {
                let is = |it: &&Changed| (it.before.is_none(), it.after.is_none()) == (new, gone);
                self.journeys.iter().filter(is).count()
            };
            let (new, changed, gone) = (count(true, false), count(false, false), count(false, true));
            let _ = writeln!(text, "of its journeys {new} new, {changed} changed, {gone} gone");
        }
        self.journeys.iter().for_each(|one| journey(one, &mut text));
        if !self.budgets.is_empty() {
            text.push_str("\nBudgets\n");
            self.budgets.iter().for_each(|one| pot(one, &mut text));
        }
        let (before, after) = (most(&self.before), most(&self.after));
        let was = if before == after { String::new() } else { format!(" ({before} before)") };
        let _ = writeln!(text, "\nExposure: {after} in all{was}, as budgets and stocks end it");
        if !self.after.open.is_empty() {
            let _ = writeln!(text, "  ! nothing ends what these give: {}", self.after.open.join(", "));
        }
        text
    }
}

fn journey(one: &Changed, text: &mut String) {
    let _ = match (&one.before, &one.after) {
        (Some(before), Some(after)) if before == after => {
            writeln!(text, "  ~ {}: gives what it gave: {}", one.journey, words(after))
        }
        (Some(before), Some(after)) => {
            writeln!(text, "  ~ {}: {}\n      before: {}", one.journey, words(after), words(before))
        }
        (None, Some(after)) => writeln!(text, "  + {}: {}", one.journey, words(after)),
        (Some(before), None) => writeln!(text, "  - {}: gave {}", one.journey, words(before)),
        (None, None) => Ok(()),
    };
}

fn words(gives: &Gives) -> String {
    let nothing = Gives { one_run: Some(Vec::new()), one_customer: Some(Vec::new()), all: Some(Vec::new()) };
    if *gives == nothing {
        return "nothing of a declared worth".to_owned();
    }
    if (&gives.one_run, &gives.one_customer, &gives.all) == (&None, &None, &None) {
        return "any amount, which nothing ends".to_owned();
    }
    let (run, customer, all) =
        (worth(gives.one_run.as_ref()), worth(gives.one_customer.as_ref()), worth(gives.all.as_ref()));
    format!("{run} in a run at most, {customer} to one customer, {all} in all")
}

fn worth(worth: Option<&Vec<Amount>>) -> String {
    match worth.map(Vec::as_slice) {
        None => "any amount".to_owned(),
        Some([]) => "nothing".to_owned(),
        Some(all) => sum(all),
    }
}

fn sum(all: &[Amount]) -> String {
    all.iter().map(ToString::to_string).collect::<Vec<_>>().join(" and ")
}

fn most(given: &Given) -> String {
    if given.most.is_empty() { "nothing".to_owned() } else { sum(&given.most) }
}

fn pot(one: &Pot, text: &mut String) {
    let told = |share: &Share| {
        share
            .alert
            .as_ref()
            .map(|alert| format!(", its owner {} is told at {alert}", share.owner))
            .unwrap_or_default()
    };
    let whole = |share: &Share| format!("{}{}", share.total, told(share));
    let (sign, line) = match (&one.before, &one.after) {
        (Some(before), Some(after)) if before == after => (' ', whole(after)),
        (Some(before), Some(after)) if told(before) == told(after) => {
            ('~', format!("{} ({} before){}", after.total, before.total, told(after)))
        }
        (Some(before), Some(after)) => ('~', format!("{} (before: {})", whole(after), whole(before))),
        (None, Some(after)) => ('+', whole(after)),
        (Some(before), None) => ('-', whole(before)),
        (None, None) => return,
    };
    let _ = writeln!(text, "  {sign} {}: {line}", one.budget);
    let Some(Amount(used)) = one.used else { return };
    let total = one.after.as_ref().map_or(used.minor, |share| share.total.0.minor);
    let left = Money { minor: (total - used.minor).max(0), ..used };
    let gone = if used.minor > total { "; more than it holds now: nothing more is given" } else { "" };
    let _ = writeln!(text, "      {used} are given already, {left} left{gone}");
}
