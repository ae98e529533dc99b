//! The words of the language, in one table: which are reserved everywhere, which only head an item, and which
//! belong to the language but not yet to this version. The editor grammar is checked against it.

/// Reserved everywhere: the little words that carry meaning. A name spelled so needs backticks.
pub const HARD: &[&str] = &[
    "after",
    "and",
    "any",
    "as",
    "at",
    "before",
    "during",
    "else",
    "ever",
    "every",
    "false",
    "for",
    "from",
    "has",
    "if",
    "in",
    "is",
    "keep",
    "known",
    "missing",
    "no",
    "not",
    "of",
    "on",
    "once",
    "or",
    "otherwise",
    "per",
    "since",
    "to",
    "true",
    "until",
    "via",
    "when",
    "where",
    "with",
    "within",
    "without",
];

/// Words that go on with an item, behind what could be its end.
pub const CONTINUING: &[&str] = &[
    "and",
    "daily",
    "during",
    "else",
    "every",
    "from",
    "keep",
    "otherwise",
    "roll",
    "since",
    "via",
    "where",
    "with",
    "within",
    "without",
];

/// Words that begin a declaration.
pub const DECLARATIONS: &[&str] = &[
    "adjust",
    "audience",
    "budget",
    "calendar",
    "channel",
    "choice",
    "content",
    "entity",
    "event",
    "experiment",
    "extend",
    "flow",
    "import",
    "journey",
    "lottery",
    "metric",
    "org",
    "points",
    "policy",
    "product",
    "referral",
    "replies",
    "reward",
    "stages",
    "table",
    "tag",
    "task",
    "test",
    "waiver",
];

/// Words that begin a clause of a journey.
pub const CLAUSES: &[&str] = &[
    "budget",
    "cap",
    "enter",
    "existing",
    "exit",
    "goal",
    "guardrail",
    "holdout",
    "lane",
    "lasts",
    "migrate",
    "open",
    "owner",
    "param",
    "priority",
    "product",
    "purpose",
    "quiet",
    "reenter",
    "reviewed",
    "rollout",
    "stale",
];

/// Words that begin a step.
pub const STEPS: &[&str] = &[
    "assign", "continue", "do", "draw", "end", "exchange", "grant", "hide", "if", "match", "phase", "reach",
    "remember", "repeat", "send", "show", "split", "start", "tag", "untag", "wait",
];

/// Words that begin an item of an experiment.
pub const EXPERIMENT_ITEMS: &[&str] = &["allocate", "arm", "design", "factor", "winner"];

/// Words that begin a rule for an experiment's winner.
pub const WINNER_ITEMS: &[&str] = &["by", "confidence", "least", "undecided"];

/// Words that begin an item of a `rollout`.
pub const ROLLOUT_ITEMS: &[&str] = &["alert", "gate", "hold"];

/// Words that begin a rule of a `migrate`.
pub const MIGRATE_ITEMS: &[&str] = &["gone", "move", "retime"];

pub const TASK_ITEMS: &[&str] =
    &["by", "due", "escalate", "licence", "limit", "recorded", "remind", "result", "script"];

pub const PRODUCT_ITEMS: &[&str] = &["class", "disclose", "market", "risk"];

pub const POLICY_ITEMS: &[&str] = &[
    "approve", "cap", "consent", "forbid", "lane", "never", "order", "owner", "pack", "quiet", "review",
    "suppress",
];

pub const REPLIES_ITEMS: &[&str] = &["limit", "open", "owner", "product", "purpose", "quiet_for", "stale"];

pub const WAIVER_ITEMS: &[&str] = &["approver", "binds", "expires", "reason", "rule", "step", "ticket"];

/// Words that begin an item of a test.
pub const TEST_ITEMS: &[&str] = &["advance", "clock", "expect", "given", "happen", "outage"];

/// Words that begin an item of an entity or event, beside its fields.
pub const ENTITY_ITEMS: &[&str] = &["anchor", "calendar", "captures", "key", "late", "region", "source"];

pub const DERIVED_ITEMS: &[&str] = &["priority", "refresh", "size"];

pub const CALENDAR_ITEMS: &[&str] = &["covers", "file"];

pub const CHANNEL_ITEMS: &[&str] = &[
    "addresses",
    "capacity",
    "cost",
    "do_not_call",
    "kind",
    "opt_out",
    "outcomes",
    "owner",
    "party",
    "port",
    "rate",
    "receipt",
    "region",
    "segments",
    "surface",
];

pub const CONTENT_ITEMS: &[&str] =
    &["approved", "commits", "offers", "open", "part", "product", "takes", "via"];

/// Words that begin a piece of a content's variant.
pub const VARIANT_PARTS: &[&str] =
    &["body", "close", "gap", "image", "link", "locale", "message", "page", "title"];

pub const BUDGET_ITEMS: &[&str] = &["alert", "owner", "total"];

pub const REWARD_ITEMS: &[&str] =
    &["budget", "codes", "fulfil", "keep", "kind", "limit", "merchant", "only", "open", "stock", "value"];

pub const POINTS_ITEMS: &[&str] = &["budget", "keep", "limit", "worth"];

pub const LOTTERY_ITEMS: &[&str] = &["budget", "chance", "limit", "open", "prize", "rules"];

pub const PRIZE_ITEMS: &[&str] = &["count", "gives", "odds", "tax", "value"];

pub const REFERRAL_ITEMS: &[&str] =
    &["budget", "invitee", "inviter", "limit", "link", "open", "qualify", "refuse"];

/// Words that are special only behind another word: units, options, modes.
pub const BESIDE: &[&str] = &[
    "all",
    "always",
    "amount",
    "back",
    "by",
    "case",
    "change",
    "class",
    "close",
    "daily",
    "day",
    "days",
    "defer",
    "drop",
    "due",
    "each",
    "ended",
    "eventually",
    "first",
    "forward",
    "gap",
    "gets",
    "include",
    "last",
    "list",
    "loser",
    "missed",
    "month",
    "months",
    "never",
    "next",
    "next_channel",
    "not_sent",
    "occurrence",
    "one",
    "opening",
    "over",
    "partial",
    "prefer",
    "quarter",
    "rank",
    "ranked",
    "recompute",
    "release",
    "restart",
    "rise",
    "roll",
    "rolling",
    "skip",
    "this",
    "timeout",
    "was",
    "week",
    "weeks",
    "workday",
    "workdays",
    "year",
    "years",
];

/// Whether a name spelled `word` needs backticks.
#[must_use]
pub fn is_hard(word: &str) -> bool {
    static INDEX: Index = Index::new(HARD);
    INDEX.has(word)
}

/// Whether `word` begins a declaration.
#[must_use]
pub fn is_declaration(word: &str) -> bool {
    static INDEX: Index = Index::new(DECLARATIONS);
    INDEX.has(word)
}

/// A sorted table that is asked about every name of a text: by first letter, so that few words are compared.
pub(super) struct Index {
    words: &'static [&'static str],
    /// How many words begin with an earlier letter, for each letter and behind the last.
    before: [usize; 27],
}

impl Index {
    #[allow(clippy::indexing_slicing, reason = "done by the compiler, which would say so")]
    pub(super) const fn new(words: &'static [&'static str]) -> Self {
        let mut before = [0; 27];
        let mut at = 0;
        let mut last = 0;
        while at < words.len() {
            let letter = (words[at].as_bytes()[0] - b'a') as usize;
            assert!(last <= letter, "not sorted");
            last = letter;
            let mut later = letter + 1;
            while later < before.len() {
                before[later] += 1;
                later += 1;
            }
            at += 1;
        }
        Self { words, before }
    }

    pub(super) fn has(&self, word: &str) -> bool {
        let Some(letter) = word.bytes().next().and_then(|first| first.checked_sub(b'a')) else {
            return false;
        };
        let letter = usize::from(letter);
        let (from, to) = (self.before.get(letter), self.before.get(letter + 1));
        let near = from.zip(to).and_then(|(&from, &to)| self.words.get(from..to));
        near.is_some_and(|near| near.contains(&word))
    }
}

/// Whether `word` begins an item somewhere inside braces.
#[must_use]
pub fn heads_item(word: &str) -> bool {
    let tables = [
        CLAUSES,
        STEPS,
        TEST_ITEMS,
        ENTITY_ITEMS,
        DERIVED_ITEMS,
        CALENDAR_ITEMS,
        CHANNEL_ITEMS,
        CONTENT_ITEMS,
        VARIANT_PARTS,
        BUDGET_ITEMS,
        REWARD_ITEMS,
        POINTS_ITEMS,
        LOTTERY_ITEMS,
        REFERRAL_ITEMS,
        EXPERIMENT_ITEMS,
        WINNER_ITEMS,
        ROLLOUT_ITEMS,
        MIGRATE_ITEMS,
    ];
    tables.iter().any(|table| table.contains(&word))
}

/// All words with a meaning in this version, sorted.
#[must_use]
pub fn all() -> Vec<&'static str> {
    let tables = [
        HARD,
        DECLARATIONS,
        CLAUSES,
        STEPS,
        TEST_ITEMS,
        ENTITY_ITEMS,
        DERIVED_ITEMS,
        CALENDAR_ITEMS,
        CHANNEL_ITEMS,
        CONTENT_ITEMS,
        VARIANT_PARTS,
        BUDGET_ITEMS,
        REWARD_ITEMS,
        POINTS_ITEMS,
        LOTTERY_ITEMS,
        PRIZE_ITEMS,
        REFERRAL_ITEMS,
        EXPERIMENT_ITEMS,
        WINNER_ITEMS,
        ROLLOUT_ITEMS,
        MIGRATE_ITEMS,
        TASK_ITEMS,
        PRODUCT_ITEMS,
        POLICY_ITEMS,
        REPLIES_ITEMS,
        WAIVER_ITEMS,
        BESIDE,
    ];
    let mut words: Vec<&'static str> = tables.concat();
    words.sort_unstable();
    words.dedup();
    words
}
