//! Ordinary Python for the peer: modules of business code without findings, in four shapes that vary by seed.
//!
//! Each module is as long as a journey file. Names, numbers and the order of parts differ from module to module, as
//! they do in a project that people wrote.

use std::fmt::Write;
use std::sync::Arc;

use crate::compile::{File, Input};

/// As many modules, of as many lines each.
pub(super) fn project(modules: usize, lines: usize) -> Input {
    let module = |nth: usize| File {
        path: format!("p{:03}/m{nth:05}.py", nth / 40).into(),
        package: Arc::from(""),
        text: module(nth, lines).into(),
    };
    Input { files: (0..modules).map(module).collect(), ..Input::default() }
}

const NOUNS: [&str; 16] = [
    "account", "balance", "branch", "campaign", "card", "channel", "consent", "coupon", "customer",
    "invoice", "journey", "ledger", "message", "offer", "payment", "segment",
];
const ADJECTIVES: [&str; 8] = ["active", "daily", "expired", "frozen", "gold", "late", "open", "pending"];

/// A small generator of numbers, the same on every machine.
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap_or_default() % end.max(1)
    }

    fn of<'w>(&mut self, words: &[&'w str]) -> &'w str {
        words.get(self.below(words.len())).copied().unwrap_or_default()
    }
}

/// The words of one part of a module; `at` keeps its names apart from those of the others.
struct Words {
    noun: &'static str,
    class: String,
    adjective: &'static str,
    number: usize,
    at: usize,
}

impl Words {
    fn new(dice: &mut Dice, at: usize) -> Self {
        let noun = dice.of(&NOUNS);
        let (head, tail) = noun.split_at(1);
        let class = format!("{}{tail}{at}", head.to_uppercase());
        Self { noun, class, adjective: dice.of(&ADJECTIVES), number: 10 + dice.below(990), at }
    }
}

type Part = fn(&Words) -> String;

/// A head whose imports its first part needs, and parts that may follow.
const SHAPES: [(&str, &[Part]); 4] = [
    (
        "from __future__ import annotations\n\nfrom dataclasses import dataclass, field\nfrom decimal import Decimal\nfrom enum import Enum\n",
        &[record, ranking],
    ),
    (
        "import json\nimport logging\nfrom datetime import datetime, timedelta\n\nlogger = logging.getLogger(__name__)\n",
        &[service, retry],
    ),
    (
        "import re\nfrom collections import Counter, defaultdict\nfrom collections.abc import Iterator\n",
        &[table, report],
    ),
    ("import argparse\nimport sys\nfrom pathlib import Path\n", &[command, tally]),
];

/// Parts that need no import.
const ANYWHERE: [Part; 2] = [bounded, label];

fn module(nth: usize, lines: usize) -> String {
    let mut dice = Dice(nth as u64 + 1);
    let (head, parts) = SHAPES.get(nth % SHAPES.len()).copied().unwrap_or(("", &[]));
    let mut text =
        format!("\"\"\"Rules of product {nth}: what is offered, to whom, and when.\"\"\"\n\n{head}");
    let mut at = 0;
    // The first part uses all that was imported.
    let mut part = parts.first();
    while let Some(make) = part {
        text.push_str(&make(&Words::new(&mut dice, at)));
        at += 1;
        let room = lines.saturating_sub(text.lines().count());
        let fits = |part: &&Part| part(&Words::new(&mut Dice(0), 0)).lines().count() <= room;
        let fitting: Vec<&Part> = parts.iter().chain(&ANYWHERE).filter(fits).collect();
        part = fitting.get(dice.below(fitting.len())).copied();
    }
    if text.lines().count() + 2 < lines {
        text.push_str("\n\n");
    }
    for nth in text.lines().count()..lines {
        let _ = writeln!(
            text,
            "{}_{}_{nth} = {}",
            dice.of(&ADJECTIVES).to_uppercase(),
            dice.of(&NOUNS).to_uppercase(),
            dice.below(5_000)
        );
    }
    text
}

fn record(words: &Words) -> String {
    let Words { noun, class, adjective, number, .. } = words;
    let kept = if *adjective == "open" { "reopened" } else { adjective };
    format!(
        r#"

class {class}State(Enum):
    OPEN = "open"
    {upper} = "{kept}"
    CLOSED = "closed"


@dataclass(frozen=True)
class {class}:
    """One {noun} of a customer, as the core system has it."""

    key: str
    amount: Decimal
    state: {class}State = {class}State.OPEN
    tags: list[str] = field(default_factory=list)

    def is_large(self, limit: Decimal = Decimal({number})) -> bool:
        if self.state is {class}State.CLOSED:
            return False
        return self.amount > limit and "{adjective}" not in self.tags
"#,
        upper = kept.to_uppercase(),
    )
}

fn ranking(words: &Words) -> String {
    let Words { noun, adjective, number, at, .. } = words;
    format!(
        r#"

def {adjective}_{noun}s_{at}(amounts: dict[str, Decimal], most: int = {number}) -> list[str]:
    """The keys of the largest amounts, largest first."""
    ranked = sorted(amounts.items(), key=lambda item: (-item[1], item[0]))
    kept = [key for key, amount in ranked if amount > 0]
    return kept[:most]
"#
    )
}

fn service(words: &Words) -> String {
    let Words { noun, class, adjective, number, .. } = words;
    format!(
        r#"

class {class}Service:
    """Reads and writes {adjective} {noun}s."""

    def __init__(self, store: dict[str, str], keep: int = {number}) -> None:
        self.store = store
        self.keep = timedelta(days=keep)

    def load(self, key: str) -> dict[str, object]:
        try:
            found = json.loads(self.store[key])
        except KeyError:
            logger.info("no {noun} %s", key)
            return {{}}
        except json.JSONDecodeError as error:
            raise ValueError(f"{noun} {{key}} is broken at {{error.pos}}") from error
        return found

    def is_old(self, when: datetime, now: datetime) -> bool:
        return now - when > self.keep
"#
    )
}

fn retry(words: &Words) -> String {
    let Words { noun, adjective, number, at, .. } = words;
    format!(
        r#"

def send_{adjective}_{noun}_{at}(send, key: str, attempts: int = 3) -> bool:
    for attempt in range(1, attempts + 1):
        try:
            send(key, limit={number})
        except TimeoutError:
            logger.warning(f"{noun} {{key}}: attempt {{attempt}} of {{attempts}} timed out")
            continue
        return True
    return False
"#
    )
}

fn table(words: &Words) -> String {
    let Words { noun, class, adjective, number, at } = words;
    format!(
        r#"
{upper}_{at} = re.compile(r"^(?P<key>[A-Z]{{2}}\d+),(?P<amount>-?\d+)$")


def read_{noun}s_{at}(lines: list[str]) -> Iterator[tuple[str, int]]:
    """Rows of a {noun} file; what is no row is left out."""
    for line in lines:
        match = {upper}_{at}.match(line.strip())
        if match is None or line.startswith(";"):
            continue
        yield match["key"], int(match["amount"])


class {class}Table:
    def __init__(self, rows: Iterator[tuple[str, int]]) -> None:
        self.rows = defaultdict(list)
        for key, amount in rows:
            self.rows[key].append(amount)

    def {adjective}(self, least: int = {number}) -> Counter:
        return Counter({{key: sum(all_of) for key, all_of in self.rows.items() if max(all_of) >= least}})
"#,
        upper = noun.to_uppercase(),
    )
}

fn report(words: &Words) -> String {
    let Words { noun, adjective, number, at, .. } = words;
    format!(
        r#"

def {adjective}_{noun}_report_{at}(counts: dict[str, int]) -> str:
    total = sum(counts.values()) or 1
    lines = [f"{{name:<20}} {{count:>8}} {{count / total:.1%}}" for name, count in counts.items()]
    if total > {number}:
        lines.append(f"many {noun}s: {{total}}")
    return "\n".join(lines)
"#
    )
}

fn command(words: &Words) -> String {
    let Words { noun, adjective, number, at, .. } = words;
    format!(
        r#"

def collect_{noun}_{at}(arguments: list[str] | None = None) -> int:
    """Writes the {adjective} {noun}s of a folder into one file."""
    parser = argparse.ArgumentParser(description="Collect {noun}s")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--most", type=int, default={number}, help="how many at most")
    options = parser.parse_args(arguments)
    found = sorted(options.folder.glob("*.{noun}"))[: options.most]
    if not found:
        print(f"no {noun} in {{options.folder}}", file=sys.stderr)
        return 1
    with (options.folder / "all.txt").open("w", encoding="utf-8") as out:
        for path in found:
            out.write(path.read_text(encoding="utf-8"))
    return 0
"#
    )
}

fn bounded(words: &Words) -> String {
    let Words { noun, adjective, number, at, .. } = words;
    format!(
        r#"

def bounded_{noun}_{at}(value: int, low: int = 0, high: int = {number}) -> int:
    """The value, or the nearest {adjective} one."""
    if low > high:
        raise ValueError(f"{{low}} is above {{high}}")
    return min(max(value, low), high)
"#
    )
}

fn label(words: &Words) -> String {
    let Words { noun, adjective, at, .. } = words;
    format!(
        r#"

def label_{noun}_{at}(key: str) -> str:
    return f"{adjective} {noun} {{key.strip().upper()}}"
"#
    )
}

fn tally(words: &Words) -> String {
    let Words { noun, class, adjective, number, at } = words;
    format!(
        r#"

def tally_{noun}_{at}(values: list[int], step: int = {number}) -> dict[int, int]:
    buckets: dict[int, int] = {{}}
    for value in values:
        low = value // step * step
        buckets[low] = buckets.get(low, 0) + 1
    return dict(sorted(buckets.items()))


class {class}Error(Exception):
    """The {adjective} {noun} cannot be used."""

    def __init__(self, key: str, reason: str = "unknown") -> None:
        super().__init__(f"{noun} {{key}}: {{reason}}")
        self.key = key
"#
    )
}
