//! The portfolio for people.

use std::fmt::Write as _;

use super::{Charged, Contest, Messages, Portfolio};
use crate::analysis::amount::Amount;
use crate::analysis::proof::Place;
use crate::analysis::told;

/// Journeys of a witness that are told before the rest is only counted; JSON has all.
const MOST_TOLD: usize = 10;

impl Portfolio {
    /// For people.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = format!("{} journeys together; no run of them exceeds these numbers\n", self.journeys);
        self.messages.iter().for_each(|one| messages(one, &mut text));
        if !self.budgets.is_empty() {
            text.push_str("\nBudgets\n");
            self.budgets.iter().for_each(|one| charged(one, &mut text));
        }
        if self.given.most.is_empty() && self.given.open.is_empty() {
            text.push_str("\nNothing is given away\n");
        } else {
            let most = sum(&self.given.most);
            let _ = writeln!(text, "\nWhat is given away: {most} in all, as budgets and stocks end it");
        }
        if !self.given.open.is_empty() {
            let _ = writeln!(text, "  ! nothing ends what these give: {}", self.given.open.join(", "));
        }
        self.contests.iter().for_each(|one| contest(one, &mut text));
        text
    }
}

fn messages(one: &Messages, text: &mut String) {
    let purpose = one.purpose.map(|purpose| format!(" of {purpose}")).unwrap_or_default();
    let parent = one.parent.as_ref().map(|parent| format!(", of which a {parent} may have several"));
    let _ = writeln!(text, "\nMessages{purpose} to one {}{}", one.subject, parent.unwrap_or_default());
    for window in &one.windows {
        let tighter = if window.unchanged < window.most {
            format!("; {} as long as attributes stay as they are", window.unchanged)
        } else {
            String::new()
        };
        let _ = writeln!(text, "  - at most {} in any {}{tighter}", window.most, told(window.window_ms));
    }
    if !one.unbounded.is_empty() {
        let _ = writeln!(text, "  ! besides any number by: {}", one.unbounded.join(", "));
    }
    if !one.caps.is_empty() {
        let _ = writeln!(text, "  - at run time the gate keeps to {}", one.caps.join(", "));
    }
    let Some(crowd) = &one.witness else { return };
    let _ = writeln!(text, "  - {} of them in {} may come of", crowd.messages, told(crowd.window_ms));
    for share in crowd.shares.iter().take(MOST_TOLD) {
        let at = at(&share.place);
        let _ = writeln!(text, "      {:>4}  {}{at}", share.messages, share.journey);
    }
    if let Some(more) = crowd.shares.len().checked_sub(MOST_TOLD).filter(|more| *more > 0) {
        let _ = writeln!(text, "            and {more} more");
    }
    customer(&crowd.customer, crowd.decided, text);
}

fn charged(one: &Charged, text: &mut String) {
    let each = one.one_customer.as_ref().map_or_else(|| "any amount".to_owned(), |worth| sum(worth));
    let _ = writeln!(
        text,
        "  - `{}`: {} in all, owned by {}; charged by {}, which give {each} to one customer at most",
        one.budget,
        one.total,
        one.owner,
        one.journeys.join(", ")
    );
    let Some(stocks) = one.stocks else { return };
    if stocks.0.minor > one.total.0.minor {
        let _ = writeln!(text, "  ! its stocks hold {stocks}: who comes late finds the budget gone");
    } else {
        let _ = writeln!(text, "      its stocks hold {stocks}");
    }
}

fn contest(one: &Contest, text: &mut String) {
    let room = if one.room == 1 { "one at a time".to_owned() } else { format!("{} at a time", one.room) };
    let _ = writeln!(text, "\nWanted by several: {} `{}`, {room}; {}", one.kind, one.name, one.others);
    for rival in &one.rivals {
        let rank = rival.rank.map(|rank| format!(" rank {rank}")).unwrap_or_default();
        let _ = writeln!(text, "  - {}{rank}{}", rival.journey, at(&rival.place));
    }
    customer(&one.customer, one.decided, text);
}

fn customer(lines: &[String], decided: bool, text: &mut String) {
    if !decided {
        text.push_str("      (whether somebody is let in to all of them was not decided)\n");
    } else if !lines.is_empty() {
        let _ = writeln!(text, "      for example {}", lines.join(", "));
    }
}

fn at(Place { path, line }: &Place) -> String {
    format!("  ({path}:{line})")
}

fn sum(worth: &[Amount]) -> String {
    if worth.is_empty() {
        return "nothing".to_owned();
    }
    worth.iter().map(ToString::to_string).collect::<Vec<_>>().join(" and ")
}
