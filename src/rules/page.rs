//! Rules for readers: the facts above a page, and the table of all of them.

use std::fmt::Write as _;

use super::rule::{In, Rule};
use super::{NOTICE, registry};
use crate::diagnostic::Severity;

/// What is known of a rule, as markdown: where it holds, on what it rests, what it looks at.
#[must_use]
pub fn facts(rule: &Rule) -> String {
    let mut out = format!("*Rule of compliance: {NOTICE}.*\n\n| | |\n|---|---|\n");
    let mut row = |name: &str, text: &str| {
        let _ = writeln!(out, "| {name} | {} |", text.replace('|', "\\|"));
    };
    row("holds", &rule.packs.iter().map(held).collect::<Vec<_>>().join("; "));
    row("status", rule.status.as_str());
    let waiver = match rule.longest_waiver() {
        Some(days) => format!("up to {days} days at a time"),
        None => "never".to_owned(),
    };
    row("waiver", &waiver);
    row("mended", mended(rule));
    if !rule.products.is_empty() {
        row("products", &rule.products.join(", "));
    }
    if !rule.purposes.is_empty() {
        row("purposes", &rule.purposes.join(", "));
    }
    row("looks at", rule.reads);
    let basis = rule.basis.iter().map(|one| format!("{} {}", one.text, one.mark.as_str()));
    row("rests on", &basis.collect::<Vec<_>>().join("; "));
    let mut marks: Vec<_> = Vec::new();
    for one in rule.basis.iter().filter(|one| !one.mark.as_str().is_empty()) {
        let text = format!("{} {}", one.mark.as_str(), one.mark.words());
        if !marks.contains(&text) {
            marks.push(text);
        }
    }
    row("marks", &marks.join("; "));
    out
}

/// The whole page, without its heading.
#[must_use]
pub fn page(rule: &Rule) -> String {
    format!("{}\n\n{}", rule.entry.page.trim_end(), facts(rule).trim_end())
}

/// `cn: error, from 2026-09-30`
#[must_use]
pub fn held(one: &In) -> String {
    let mut text = format!("{}: {}", one.pack.as_str(), severity(one.severity));
    if let Some(from) = one.from {
        let _ = write!(text, ", from {from}");
    }
    if let Some(to) = one.to {
        let _ = write!(text, ", until {to}");
    }
    text
}

#[must_use]
pub fn severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Info => "note",
    }
}

fn mended(rule: &Rule) -> &'static str {
    match rule.mend {
        super::rule::Mend::Edit => "the finding brings an edit",
        super::rule::Mend::Words => "the finding says what to write",
        super::rule::Mend::Nobody => "somebody has to decide",
    }
}

/// The analyses of the research, what became of each, and where one sees it.
const ANALYSES: &str = "
## Analyses

Rules look at more than words: these passes look at every way through a journey. What each promises (sound, an upper bound, a rule of thumb)
stands at the head of its module.

| analysis | about | module | where it shows |
|---|---|---|---|
| A1 | what holds on every way to a step, and for how long | `src/analysis/facts.rs` | CONSENT-001 to 003, SUIT-001; `wayfare prove JOURNEY` |
| A2 | whether conditions can hold together | `src/logic`, `src/meaning` | W0464 and its kin, SUIT-003; `wayfare audience`; every example customer |
| A3 | the most messages in a window | `src/analysis/window.rs`, `glance.rs`, `entries.rs` | FREQ-001; `wayfare prove JOURNEY` |
| A4 | the most that is given away | `src/analysis/liability.rs` | REWARD-003; `wayfare prove JOURNEY` |
| A5 | rounds in which no time passes | `src/analysis/circle.rs` | FREQ-002 |
| A6 | where personal data goes, and what depends on it | `src/rules/flows.rs`, `reads.rs`, `said.rs` | PRIV, DATA, FAIR-001, CONSENT-007, REWARD-001 |
| A7 | what comes before a step on every way, and in every copy | `src/analysis/cover.rs`, `src/rules/claim/warning.rs` | SUIT-002 (somebody has spoken to him before), CONTENT-001 (he was told before he signs), CLAIM-004 (every copy) |
| A8 | at which times of the day a message may leave | `src/analysis/clock.rs` | QUIET-001; `wayfare prove JOURNEY` |
| A9 | what may not follow on an event | `src/analysis/order.rs` | OPTOUT-002, `never … after … until` (HOUSE-001); `wayfare prove JOURNEY` |
| A10 | rewards down a chain of invitations | `src/rules/reward` | REWARD-005 |
| A11 | terms that got worse after the start | `src/rules/prize/change.rs` | PRIZE-003; `wayfare check --against` |
| A12 | arms that differ in what is regulated | `src/rules/fair/arms.rs` | FAIR-004 |
| A13 | what all journeys together can do to one customer | `src/analysis/portfolio.rs` | `wayfare prove` without a journey; never in `wayfare check` |
";

/// The table from rules to what they look at: `docs/compliance.md`.
#[must_use]
pub fn table() -> String {
    let (all, missing) = (registry::ALL, registry::MISSING);
    let mut out = format!(
        "\
# Rules of compliance

Rules of law, of platforms and of the house, held by `wayfare check` and `wayfare build`: **{NOTICE}**. A bank's own lawyers decide what
applies to it; until somebody signs a pack, it is unsigned. Each rule carries the ground it rests on and how sure the researchers were of
it: `[P]` the text itself was read, `[W]` confirmed through a secondary page, `[K]` general knowledge and not confirmed, `[PLAT]` policy of a
platform, `[PRAC]` practice.

Packs are chosen in `wayfare.toml` ([settings](settings.md)); `core` and `cn` hold where nothing is said. `wayfare rules` lists what holds on a
day, `wayfare explain CLAIM-001` prints a page, `wayfare check --as-of 2027-02-01` asks about the law of another day. Exceptions are
[`waiver`s](language.md#waiver-an-exception-and-who-agreed). How an existing project begins, and how a pull request is annotated:
[below](#on-pull-requests).

Of {} rules {} are checked. A rule that would need something the language does not have is listed with what is missing, and never guessed.

## Rules that are checked

| rule | about | holds | waiver | looks at |
|---|---|---|---|---|
",
        all.len() + missing.len(),
        all.len()
    );
    for rule in all {
        let id = rule.id();
        let packs = rule.packs.iter().map(held).collect::<Vec<_>>().join("; ");
        let waiver = rule.longest_waiver().map_or("never".to_owned(), |days| format!("{days} days"));
        let (title, reads) = (rule.entry.title, rule.reads.replace('|', "\\|"));
        let _ = writeln!(out, "| [{id}](rules/{id}.md) | {title} | {packs} | {waiver} | {reads} |");
    }
    out.push_str("\n## Rules that are not checked\n\n| rule | about | why |\n|---|---|---|\n");
    for one in missing {
        let _ = writeln!(out, "| {} | {} | {} |", one.id, one.title, one.lacks);
    }
    out.push_str(ANALYSES);
    out.push_str(
        "
## On pull requests

`wayfare check --format github` annotates the lines of a pull request, `--format gitlab` writes a Code Quality report, `--format sarif` feeds code
scanning; each finding carries the rule, the place, and the other places that explain it. A repository uses `action.yml` (GitHub) or
`.pre-commit-hooks.yaml` ([pre-commit](https://pre-commit.com)).

`wayfare check --against origin/main` compares with the project as it was there, for rules about a change: once a draw has begun its terms only get
better (PRIZE-003). `REF` is a branch, a tag, a commit, or a folder with the project as it was.

A project that is older than the rules writes down what is there, and is told only of what is new:

```sh
wayfare check --baseline compliance-baseline.json --write-baseline
wayfare check --baseline compliance-baseline.json
```

Rules that nobody can waive are never set aside. What is mended is counted as gone: write the baseline anew and it is shorter.
",
    );
    out
}
