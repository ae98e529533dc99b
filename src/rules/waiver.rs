//! What compliance excuses. A waiver with something wrong excuses nothing, and so does one that nobody needs any more.

use unicode_width::UnicodeWidthStr;

use super::bound;
use super::finding::Found;
use super::pack::Chosen;
use super::registry;
use super::rule::Rule;
use super::trees::Trees;
use crate::diagnostic::{Diagnostic, Fix, code};
use crate::model::Model;
use crate::model::govern::Waiver;
use crate::name::Name;
use crate::text::{Sources, Span};

/// Columns of a reason: twenty letters, or ten Chinese characters.
const LEAST_REASON: usize = 20;
/// Who may excuse.
const ROLES: [&str; 3] = ["compliance", "legal", "risk"];

/// What waivers are held against.
pub(super) struct Ground<'a> {
    pub(super) model: &'a Model,
    pub(super) sources: &'a Sources,
    pub(super) trees: Trees<'a, 'a>,
    pub(super) chosen: &'a Chosen,
}

/// Whether what a waiver excuses is what was approved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Bound {
    Same,
    /// Nobody said what was approved.
    Loose,
    Changed,
}

/// What is left of `found` when all waivers were heard, and what is wrong with these.
pub(super) fn apply(ground: &Ground, mut found: Vec<Found>) -> Vec<Diagnostic> {
    let &Ground { model, chosen, .. } = ground;
    let mut told = Vec::new();
    for waiver in model.waivers.values() {
        let Some(rule) = registry::find(&waiver.rule) else {
            told.push(unknown(waiver));
            continue;
        };
        let wrong = wrong(model, chosen, waiver, rule);
        if !wrong.is_empty() {
            told.extend(wrong);
            continue;
        }
        if !found.iter().any(|one| covers(waiver, one)) {
            told.push(unused(waiver, rule, chosen));
            continue;
        }
        let now = bound::digest(model, ground.sources, ground.trees, waiver);
        match state(waiver, &now) {
            Bound::Same => {}
            Bound::Loose => told.push(loose(ground, waiver, &now)),
            Bound::Changed => {
                told.push(changed(waiver, &now));
                continue;
            }
        }
        found.retain(|one| !covers(waiver, one));
    }
    told.extend(found.into_iter().map(|one| one.diagnostic));
    told
}

/// Whether the digest that a waiver names is `now`.
#[must_use]
pub fn state(waiver: &Waiver, now: &str) -> Bound {
    match &waiver.binds {
        None => Bound::Loose,
        Some((written, _)) if **written == *now => Bound::Same,
        Some(_) => Bound::Changed,
    }
}

fn loose(ground: &Ground, waiver: &Waiver, now: &str) -> Diagnostic {
    let headline = format!("waiver `{}` does not say what was approved", waiver.name);
    let finding = Diagnostic::new(code::WAIVER_LOOSE, waiver.span, headline)
        .label(format!("excuses whatever `{}` becomes", waiver.of))
        .help(format!("write `binds \"{now}\"`: what stands there today"));
    let Some(decl) = bound::around(ground.trees, waiver.span) else { return finding };
    let brace = Span { start: decl.span.end.saturating_sub(1), ..decl.span };
    let own_line = ground.sources.slice(decl.span).trim_end_matches('}').ends_with('\n');
    let line = if own_line { format!("  binds \"{now}\"\n") } else { format!("; binds \"{now}\" ") };
    finding.with_fix(Fix::suggested("bind it to what stands there today").add_before(brace, line))
}

fn changed(waiver: &Waiver, now: &str) -> Diagnostic {
    let (was, span) = waiver.binds.as_ref().map_or(("", waiver.span), |(was, span)| (was, *span));
    let headline =
        format!("what waiver `{}` excused has changed since, so that it excuses nothing", waiver.name);
    Diagnostic::new(code::WAIVER_CHANGED, span, headline)
        .label(format!("approved was `{was}`"))
        .note(format!("`{}` is `{now}` now", waiver.of))
        .help(format!("let `{}` look at it again, and then write `binds \"{now}\"`", waiver.approver))
        .with_fix(Fix::suggested("bind it to what stands there today").replace(span, format!("\"{now}\"")))
}

fn covers(waiver: &Waiver, found: &Found) -> bool {
    let is_step = |step: Name| found.steps.contains(&step);
    found.rule.id() == &*waiver.rule && found.about.contains(&waiver.of) && waiver.step.is_none_or(is_step)
}

fn unknown(waiver: &Waiver) -> Diagnostic {
    let headline = format!("waiver `{}` excuses `{}`, and there is no such rule", waiver.name, waiver.rule);
    let finding = Diagnostic::new(code::WAIVED_RULE, waiver.span, headline).label("excuses nothing");
    if let Some(missing) = registry::lacking(&waiver.rule) {
        return finding.help(format!("take it out: nothing is told of this rule yet, as {}", missing.lacks));
    }
    match registry::nearest(&waiver.rule) {
        Some(near) => finding.help(format!("did you mean `{}` ({})?", near.id(), near.entry.title)),
        None => finding.help("`wayfare rules` lists every rule"),
    }
}

fn wrong(model: &Model, chosen: &Chosen, waiver: &Waiver, rule: &'static Rule) -> Vec<Diagnostic> {
    let mut told = Vec::new();
    let mut tell = |code, headline: String, label: String, help: String| {
        told.push(Diagnostic::new(code, waiver.span, headline).label(label).help(help));
    };
    let (name, id) = (waiver.name, rule.id());
    let Some(longest) = rule.longest_waiver() else {
        tell(
            code::NOT_WAIVABLE,
            format!("`{id}` cannot be waived"),
            "excuses nothing".into(),
            "mend what it is about: no author's waiver stands against this rule".into(),
        );
        return told;
    };
    let left = chosen.as_of.until(waiver.expires).map_or(i32::MAX, |span| span.get_days());
    if left < 0 {
        tell(
            code::WAIVER_EXPIRED,
            format!("waiver `{name}` has run out"),
            format!("ended on {}", waiver.expires),
            "mend what it excused, or have it approved anew".into(),
        );
    } else if left > longest {
        tell(
            code::WAIVER_TOO_LONG,
            format!("waiver `{name}` would hold for {left} days"),
            format!("`{id}` may be waived for {longest}"),
            format!("let it end by {}, and look at it again then", last(chosen, longest)),
        );
    }
    if waiver.reason.width() < LEAST_REASON {
        tell(
            code::WAIVER_REASON,
            format!("waiver `{name}` does not really say why"),
            "too short to be understood in a year".into(),
            "say what makes it right here, and where that was decided".into(),
        );
    }
    if let Some(label) = not_entitled(model, waiver) {
        tell(
            code::WAIVER_OWN,
            format!("`{}` may not give waiver `{name}`", waiver.approver),
            label,
            format!(
                "write a role and a person: `approver \"compliance:li.wei\"`, one of `{}`",
                ROLES.join("`, `")
            ),
        );
    }
    told
}

fn last(chosen: &Chosen, days: i32) -> jiff::civil::Date {
    chosen.as_of.checked_add(jiff::Span::new().days(days)).unwrap_or(jiff::civil::Date::MAX)
}

/// Why the approver has no say in it.
fn not_entitled(model: &Model, waiver: &Waiver) -> Option<String> {
    let (role, person) = waiver.approver.split_once(':').unwrap_or(("", &waiver.approver));
    if !ROLES.contains(&role.trim()) || person.trim().is_empty() {
        return Some("nobody who may excuse".into());
    }
    let owner = model.journeys.get(&waiver.of).map(|journey| &journey.owner)?;
    let is_own = **owner == *waiver.approver || owner.split('@').next() == Some(person.trim());
    is_own.then(|| format!("owns `{}` himself", waiver.of))
}

fn unused(waiver: &Waiver, rule: &'static Rule, chosen: &Chosen) -> Diagnostic {
    let headline = format!("waiver `{}` excuses nothing", waiver.name);
    let finding = Diagnostic::new(code::WAIVER_UNUSED, waiver.span, headline);
    if rule.held(chosen).is_none() {
        return finding
            .label(format!("`{}` is in none of the packs chosen", rule.id()))
            .help("take it out, or choose the pack in `[rules]` of wayfare.toml");
    }
    finding
        .label(format!("`{}` finds nothing in `{}`", rule.id(), waiver.of))
        .help("take it out: the next finding would be excused without anybody looking")
}
