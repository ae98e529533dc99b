//! Numbers that no run exceeds.

use std::collections::BTreeSet;

use super::{Claim, Desk, Kind, Told, ToldStep};
use crate::analysis::clock::times;
use crate::analysis::entries::{Entries, Turn, assumes, longest_ms};
use crate::analysis::liability::{Worth, liability};
use crate::analysis::window::{MostSends, most_in_one_run, most_sends};
use crate::analysis::{about, told};
use crate::graph::build;
use crate::name::Name;
use crate::value::Money;

const DAY_MS: i64 = 86_400_000;
/// The windows that are told.
const WINDOWS: [i64; 3] = [DAY_MS, 7 * DAY_MS, 30 * DAY_MS];

pub(super) fn claims(desk: &Desk<'_, '_>) -> Vec<Claim> {
    let mut claims = vec![duration(desk), entries(desk)];
    claims.extend(sends(desk));
    claims.extend(hours(desk));
    claims.extend(rewards(desk));
    claims
}

fn duration(desk: &Desk<'_, '_>) -> Claim {
    let most = longest_ms(desk.flow);
    let until = crate::graph::longest(&build(desk.flow.journey)).until;
    let says = match most {
        Some(0) => "a run ends in the instant in which it begins".to_owned(),
        Some(ms) => format!("a run takes at most {}", about(ms)),
        None if until.is_empty() => "a run may take any time".to_owned(),
        None => format!("a run takes as long as data says: until {}", ticked(&until)),
    };
    Claim::new(Kind::Bounded, "duration", most.is_some(), says).number("duration", most, "ms")
}

fn ticked(all: &[String]) -> String {
    all.iter().map(|one| format!("`{one}`")).collect::<Vec<_>>().join(", ")
}

fn entries(desk: &Desk<'_, '_>) -> Claim {
    let journey = desk.flow.journey;
    let of = journey.subject;
    let entries = Entries::of(desk.flow.model, journey);
    let says = match entries {
        Entries::Once => format!("each {of} enters once"),
        Entries::Behind(ms) => format!("each {of} enters again at the earliest {} behind the end", told(ms)),
        Entries::PerStretch(ms, turn) => format!(
            "each {of} enters at most once in each {} of the calendar{}",
            told(ms).trim_start_matches("1 "),
            waits(turn)
        ),
        Entries::Apart(ms, turn) => {
            format!("entries of each {of} are at least {} apart{}", told(ms), waits(turn))
        }
        Entries::PerValue => format!("each {of} enters as often as what triggers it comes"),
    };
    let assumed = assumes(desk.flow.model, journey).filter(|_| matches!(entries, Entries::Apart(..)));
    let assumed = assumed.map(|name| format!(", as long as `{name}` does not change")).unwrap_or_default();
    let year = entries.within(365 * DAY_MS);
    Claim::new(Kind::Bounded, "entries", year.is_some(), format!("{says}{assumed}")).number(
        "entries in 365 days",
        year,
        "entries",
    )
}

/// How far an entry may come behind its time.
fn waits(turn: Turn) -> String {
    if turn.0 == 0 {
        String::new()
    } else {
        format!(", but for at most {} in which one waits for its turn", told(turn.0))
    }
}

/// At which times of the day messages may leave, if nothing held them: those that may not at any.
fn hours(desk: &Desk<'_, '_>) -> Option<Claim> {
    let all = times(desk.flow);
    let mut told = Vec::new();
    let mut any = 0_usize;
    for (at, _) in desk.flow.messages() {
        match all.get(at.index()) {
            Some(times) if !times.is_any() => {
                told.push(format!("`{}` at {}", desk.words.place(at), times.words()));
            }
            _ => any += 1,
        }
    }
    if told.is_empty() && any == 0 {
        return None;
    }
    let rest = match (told.is_empty(), any) {
        (_, 0) => String::new(),
        (true, _) => "any message may leave at any time of the day".to_owned(),
        (false, _) => ", any other message at any time of the day".to_owned(),
    };
    let says = format!("{}{rest}, if nothing holds it", told.join(", "));
    Some(Claim::new(Kind::Bounded, "times_of_day", any == 0, says))
}

/// The most messages in a window: all of them, and for each channel where there are several.
fn sends(desk: &Desk<'_, '_>) -> Vec<Claim> {
    let channels: BTreeSet<Name> = desk.flow.messages().map(|(_, message)| message.channel).collect();
    let mut claims = Vec::new();
    if channels.is_empty() {
        return vec![Claim::new(
            Kind::Bounded,
            "sends_per_window",
            true,
            "no message is sent to the subject",
        )];
    }
    claims.push(of_channel(desk, None));
    let is_bounded = claims.iter().all(|claim| claim.verdict == super::Verdict::Holds);
    if channels.len() > 1 && is_bounded {
        claims.extend(channels.into_iter().map(|channel| of_channel(desk, Some(channel))));
    }
    claims
}

fn of_channel(desk: &Desk<'_, '_>, channel: Option<Name>) -> Claim {
    let counts = |message: &crate::analysis::flow::Message<'_>| {
        channel.is_none_or(|channel| channel == message.channel)
    };
    let found: Vec<(i64, MostSends)> =
        WINDOWS.iter().map(|window| (*window, most_sends(desk.flow, *window, &counts))).collect();
    let whole = most_in_one_run(desk.flow, &counts);
    let what = channel.map_or("messages".to_owned(), |channel| format!("messages via {channel}"));
    let parts = found.iter().map(|(window, sends)| Some(format!("{} in any {}", sends.most?, told(*window))));
    let parts: Option<Vec<String>> = parts.collect();
    let parts = parts.map_or_else(
        || "any number over several entries, which nothing bounds".to_owned(),
        |parts| parts.join(", "),
    );
    let says = format!("{what} to one {}: at most {whole} in one run; {parts}", desk.flow.journey.subject);
    let holds = found.iter().all(|(_, sends)| sends.most.is_some());
    let mut claim = Claim::new(Kind::Bounded, "sends_per_window", holds, says).number(
        format!("{what} in one run"),
        Some(whole),
        "messages",
    );
    for (window, sends) in &found {
        claim = claim.number(format!("{what} in {}", told(*window)), sends.most, "messages");
    }
    // The shortest window that already has as many as the longest shows the most.
    let witness = found.iter().map(|(_, sends)| sends).max_by_key(|sends| sends.run.len());
    match witness.filter(|sends| sends.run.len() > 1) {
        Some(sends) => claim.witness(run(desk, sends)),
        None => claim,
    }
}

fn run(desk: &Desk<'_, '_>, sends: &MostSends) -> Told {
    let steps = sends.run.iter().map(|(at, after_ms)| ToldStep {
        after_ms: *after_ms,
        text: desk.words.place(*at).to_owned(),
        place: desk.words.span(*at).map(|span| desk.place(span)),
    });
    Told { steps: steps.collect(), customer: Vec::new(), decided: true }
}

fn rewards(desk: &Desk<'_, '_>) -> Option<Claim> {
    let found = liability(desk.flow)?;
    let budgets: Vec<String> = found.budgets.iter().map(|name| format!("`{name}`")).collect();
    let by = if budgets.is_empty() { String::new() } else { format!(" (budget {})", budgets.join(", ")) };
    let says = format!(
        "what it gives is worth at most {} in one run, {} to one {} in all, and {} to all together{by}",
        money(&found.one_run),
        money(&found.one_customer),
        desk.flow.journey.subject,
        money(&found.all)
    );
    let steps = found.steps.iter().map(|(at, worth)| ToldStep {
        after_ms: 0,
        text: format!("{}: {}", desk.words.place(*at), money(worth)),
        place: desk.words.span(*at).map(|span| desk.place(span)),
    });
    let steps = Told { steps: steps.collect(), customer: Vec::new(), decided: true };
    let mut claim = Claim::new(Kind::Bounded, "liability", found.all.is_some(), says).witness(steps);
    for (name, worth) in
        [("one run", &found.one_run), ("one customer", &found.one_customer), ("all", &found.all)]
    {
        match worth {
            None => claim = claim.number(name, None, "minor units"),
            Some(worth) => {
                for (currency, minor) in worth {
                    claim = claim.number(format!("{name}, {currency}"), Some(*minor), "minor units");
                }
            }
        }
    }
    Some(claim)
}

fn money(worth: &Worth) -> String {
    match worth {
        None => "any amount".to_owned(),
        Some(worth) if worth.is_empty() => "nothing".to_owned(),
        Some(worth) => {
            let all = worth
                .iter()
                .map(|(currency, minor)| Money { minor: *minor, currency: *currency }.to_string());
            all.collect::<Vec<_>>().join(" and ")
        }
    }
}
