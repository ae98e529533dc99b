//! The registry of codes. A code is never reused and never changes its meaning.
//!
//! `E01xx` syntax, `E02xx` names, `E03xx` types, `E04xx` journeys and graphs, `E050x` who gets something, other `E05xx`
//! projects and files, `E06xx` packs of rules and waivers (the rules themselves are registered above),
//! `W....` warnings, `R....` refusals of the running daemon. Each has a page in `codes/`, which is the text of
//! `wayfare explain CODE`.

use super::Severity;
use super::suggest::nearest;

/// A stable code of the registry.
#[derive(Clone, Copy)]
pub struct Code(&'static Entry);

/// What is known of a code.
pub struct Entry {
    pub code: &'static str,
    /// Its name in this file: `UNKNOWN_NAME`.
    pub name: &'static str,
    /// What it is about, in a few words.
    pub title: &'static str,
    /// Markdown: what it does, why it is bad, a bad and a good example.
    pub page: &'static str,
    pub severity: Severity,
}

/// Errors and refusals begin with `E` and `R`; the rest are warnings.
const fn severity_of(code: &str) -> Severity {
    if let [b'W', ..] = code.as_bytes() { Severity::Warning } else { Severity::Error }
}

macro_rules! codes {
    ($($name:ident = $code:literal, $title:literal;)*) => {
        $(
            #[doc = $title]
            pub const $name: Code = Code(&Entry {
                code: $code,
                name: stringify!($name),
                title: $title,
                page: include_str!(concat!("codes/", $code, ".md")),
                severity: severity_of($code),
            });
        )*
        /// Every code, in the order of the registry.
        pub const ALL: &[Code] = &[$($name),*];
    };
}

codes! {
    UNEXPECTED = "E0101", "something else was expected here";
    BEYOND_END = "E0102", "the line should have ended";
    NOT_CLOSED = "E0103", "a brace without its partner";
    TEXT_NOT_CLOSED = "E0104", "a text that is never closed";
    BAD_CHARACTER = "E0105", "a character without meaning";
    FULL_WIDTH = "E0106", "full-width signs";
    FOREIGN_SIGN = "E0107", "a sign of another language";
    BAD_ESCAPE = "E0108", "an unknown escape in a text";
    HOLE_IN_TEXT = "E0109", "a hole in a text that has none";
    BAD_NUMBER = "E0110", "a number that does not fit";
    UNIT = "E0111", "a length of time with a wrong unit";
    NO_SUCH_TIME = "E0112", "a day or time that does not exist";
    UNKNOWN_WORD = "E0113", "a word that cannot stand here";
    HARD_WORD = "E0115", "a name spelled like a word of the language";
    CLAUSE_BELOW_STEP = "E0116", "a clause below a step";
    CHAINED = "E0117", "comparisons in a row";
    SAID_TWICE = "E0118", "an option said twice";
    TOO_DEEP = "E0119", "too much nesting";

    UNREACHED_STEP = "E0450", "a step that nobody gets to";
    NO_END = "E0451", "a path without an end";
    INSTANT_LOOP = "E0452", "a way round that takes no time";
    NOBODY = "E0460", "an audience that nobody can be in";
    NEVER_TRUE = "E0461", "a condition that can never be true";
    DECLARED_TWICE = "E0201", "a name declared twice";
    UNKNOWN_NAME = "E0202", "a name that is not known";
    NOT_IMPORTED = "E0203", "a name of another package";
    WRONG_KIND = "E0204", "a name of the wrong kind";
    UNKNOWN_PACKAGE = "E0205", "a package that is not there";
    RESERVED_NAME = "E0206", "a name that is already built in";
    AMBIGUOUS = "E0207", "a name with two meanings";
    UNKNOWN_FIELD = "E0208", "a field or attribute that is not there";
    UNKNOWN_CASE = "E0209", "a case that its choice does not have";
    UNKNOWN_STEP = "E0210", "a message that no step sends";
    UNKNOWN_END = "E0211", "an end that the journey does not have";
    SHADOWS = "E0212", "a new name that would hide another";
    NO_SUBJECT = "E0213", "a declaration that is about nothing";
    OTHER_SUBJECT = "E0214", "something of another kind of subject";
    DEFINED_BY_ITSELF = "E0215", "a definition in a ring";
    MAY_BE_MISSING = "E0301", "a value that may be missing";
    TYPE_MISMATCH = "E0302", "a value of the wrong type";
    INCOMPARABLE = "E0303", "values that cannot be compared";
    NO_ARITHMETIC = "E0304", "values that cannot be calculated with";
    NO_ORDER = "E0305", "values without more or less";
    UNKNOWN_TYPE = "E0306", "a type that is not known";
    BAD_TYPE = "E0307", "a type that is not written right";
    NOT_A_VALUE = "E0308", "a name that is not a value";
    MONEY_DIGITS = "E0309", "an amount with too many digits";
    NOT_A_DATE = "E0310", "a date or time that is not one";
    NOT_A_COLLECTION = "E0311", "something that cannot be counted";
    WINDOW = "E0312", "a look into the past without its window";
    HISTORY_FILTER = "E0313", "a condition on past events that needs more than the event";
    WRONG_ARGUMENTS = "E0314", "arguments that do not fit";
    NO_ENTRY_EVENT = "E0315", "`event` where no event entered";
    NOT_PRINTABLE = "E0316", "a hole that cannot be printed";
    MISPLACED = "E0317", "something that cannot stand here";
    ZERO_LENGTH = "E0318", "a length of no time";
    DATE_RANGE = "E0319", "a range of days that is none";
    SCHEDULE = "E0320", "a recurring clock that cannot run";
    NO_CALENDAR = "E0321", "workdays without a calendar";
    CALENDAR = "E0322", "a calendar that cannot be read";
    NO_KEY = "E0323", "an entity without a single key";
    CHILD_OF_CHILD = "E0324", "a child of a child";
    CHANNEL_ITEM = "E0325", "a channel that is not described right";
    CONTENT_ITEM = "E0326", "a content that is not written right";
    NOT_DAILY = "E0330", "days of an attribute that is not daily";
    DAILY = "E0331", "a `daily` that cannot be";
    DAILY_WINDOW = "E0332", "a daily attribute over less than whole days";
    STAGES = "E0333", "stages that are not a ladder";
    GAP = "E0334", "a gap that cannot be measured";
    REFERENCE = "E0335", "something that cannot be read through a reference";
    CALENDAR_ENDS = "E0336", "a journey that outlives its calendar";
    TABLE_ROW = "E0350", "a table whose rows do not fit";
    TABLE_GAP = "E0351", "a table that leaves values out";
    DEAD_ROW = "E0352", "a row that is never reached";
    CONTENT_PART = "E0353", "a part of a content that does not follow its factor";
    VALUE_ITEM = "E0370", "a budget, reward or points not described right";
    LIMIT = "E0371", "a limit that cannot be counted";
    OPENING = "E0372", "an opening without its hours";
    LOTTERY = "E0373", "a lottery that is not described right";
    REFERRAL = "E0374", "a referral that is not described right";
    REPLIES_ITEM = "E0390", "replies that are not described right";
    REPLY_WAITS = "E0391", "an answer that waits";
    REPLY_NOT_REACHED = "E0392", "a rule of replies that never answers";
    REPLY_GAP = "E0393", "replies that say nothing about what no rule fits";
    REPLIES_LIMIT = "E0394", "a limit that answers cannot keep";
    ORG_FILE = "E0396", "a file of an organisation that cannot be read";
    REPLIES_QUIET = "E0395", "a silence that nobody can tell";
    TOO_MANY_SEGMENTS = "E0380", "a text message of too many parts";
    WRONG_VERB = "E0381", "a channel that cannot do what the step asks";
    SHOW_END = "E0382", "a placement that would never end";
    NOT_SHOWN = "E0383", "an event that a message, or a placement, never has";
    CLOSE = "E0384", "a way of closing that is none";
    HIDE = "E0385", "something to hide that cannot be named so";
    SIGHTS = "E0386", "how often something may be seen, said so that nobody can hold it";
    PHRASES = "E0387", "a list of forbidden words that cannot be read";
    CLAUSE_MISSING = "E0401", "a clause that is missing";
    CLAUSE_TWICE = "E0402", "a clause said twice";
    PURPOSE = "E0403", "a purpose that is none";
    REENTER = "E0404", "a `reenter` that cannot tell entries apart";
    NO_CONSENT = "E0405", "marketing without a consent to look at";
    NOT_AN_EVENT = "E0406", "something that never happens";
    STEP_TWICE = "E0407", "two messages of one name";
    OUTCOME = "E0408", "an outcome that cannot be named here";
    NO_VARIANT = "E0409", "a content without a text for the channel";
    NO_ADDRESS = "E0410", "a channel that finds no address";
    NOT_SENT = "E0411", "a `reach` that confuses silence with never asked";
    WAIT_MUST_SAY = "E0412", "a wait that leaves something open";
    WHICH_MESSAGE = "E0413", "a message event of no particular message";
    NO_ANCHOR = "E0414", "an instant that time cannot count from";
    NOT_ASSIGNED = "E0415", "a value that some path does not set";
    START_TARGET = "E0416", "a `start` of a journey that is entered otherwise";
    WAIT_IN_EXIT = "E0417", "an exit that waits";
    MATCH_ROW = "E0418", "a `match` that leaves values out";
    REPEAT = "E0420", "a `repeat` that is not bounded, or not on a clock";
    FLOW_RING = "E0421", "a flow that does itself";
    TEMPLATE = "E0422", "a journey with parameters, and how it becomes one";
    EXPERIMENT = "E0423", "an experiment that cannot be decided";
    ARMS = "E0424", "a split that does not have just the arms";
    PARAM = "E0425", "a parameter without a fixed value";
    RATE = "E0426", "a limit that nobody can watch";
    NOT_DEPLOYABLE = "W0490", "something that the daemon does not do yet";
    ROUND_TOO_LONG = "W0420", "a round that may outlast its tick";
    NO_REASON = "W0101", "an excuse without a reason";
    EXCUSES_NOTHING = "W0102", "an excuse for nothing";
    ASSIGN_NOBODY = "E0440", "a task that nobody is asked to do";
    ASSIGN_OVERDUE = "E0441", "a task that is waited for, and may be left undone";
    ASSIGN_DUE = "E0442", "a task that is waited for without an end";
    NOT_NARROWER = "E0443", "a journey that allows more than the policy";
    LANE = "E0444", "a lane and its journeys that do not agree";
    PRIORITY = "E0445", "a priority that no policy orders";
    DATA_CLASS = "E0360", "a class of data that is not known";
    UNKNOWN_UNIT = "E0361", "a unit that the organisation does not have";
    NO_UNIT = "E0362", "a subject that belongs to no unit";
    PRODUCT = "E0471", "a product that is not described right";
    POLICY_ITEM = "E0472", "a policy that is not written right";
    WAIVER = "E0473", "a waiver that leaves something out";
    TASK_ITEM = "E0470", "a task that is not described right";
    GIVE_TAIL = "E0491", "a grant whose failure nobody looks at";
    GIVE_AMOUNT = "E0492", "an amount that does not fit what is given";
    GIVE_OUTCOME = "E0493", "an outcome that giving never has";
    NOT_GRANTED = "E0494", "the amount of something that was not granted";
    EXCLUSIVE = "E0495", "a reward that is for other journeys alone";
    NOT_FULFILLED = "E0496", "a gift that nobody is asked to hand over";
    UNUSED_IMPORT = "W0201", "an import that is never used";
    NEVER_MISSING = "W0301", "a value that is never missing";
    REPLY_KEYWORD = "W0390", "a word that a rule above takes";
    MORE_SEGMENTS = "W0380", "a text message that some data makes longer";
    LAST_ONE = "W0330", "`last 1 month` beside `last month`";
    PROVISIONAL = "W0331", "a journey that counts workdays of a year not yet published";

    NO_ADDRESSEE = "E0500", "something sent or given to nobody in particular";
    ADDRESSEE = "E0501", "somebody who cannot get this";
    KEY = "E0502", "a key that tells nothing apart";
    EACH = "E0503", "a start for each of what is not several";
    SEND_GAP = "E0504", "a gap between nothing";

    SETTINGS_SYNTAX = "E0510", "the settings file is not valid TOML";
    SETTING_UNKNOWN = "E0511", "there is no setting of this name";
    SETTING_VALUE = "E0512", "a setting has a value that it cannot have";
    SETTING_MISSING = "E0513", "a setting that is needed is not there";
    SETTING_CONFLICT = "E0514", "two settings contradict each other";
    SERVER_OPEN = "E0515", "the daemon would be open to the network without a token";
    URL_PRIVATE = "E0516", "a URL leads to a private address or is not encrypted";
    PACK = "E0601", "a pack of rules that is not there";
    WAIVED_RULE = "E0602", "a waiver of a rule that is not there";
    NOT_WAIVABLE = "E0603", "a waiver of what cannot be waived";
    WAIVER_EXPIRED = "E0604", "a waiver that has run out";
    WAIVER_TOO_LONG = "E0605", "a waiver that would hold too long";
    WAIVER_REASON = "E0606", "a waiver without a real reason";
    WAIVER_OWN = "E0607", "a waiver that somebody gives himself";
    WAIVER_UNUSED = "W0601", "a waiver of nothing";
    WAIVER_LOOSE = "W0602", "a waiver that is bound to nothing";
    WAIVER_CHANGED = "W0603", "a waiver of what has changed since";
    SECRET_UNREADABLE = "E0517", "the file of a secret cannot be read";
    LOCALE = "E0520", "a language that is missing, or that nobody reads";
    ASSET = "E0521", "a picture or file that is not there, or is no picture";
    FORMAT_DEFECT = "E0599", "a file that `fmt` left alone because of a defect of its own";

    MALFORMED_EVENT = "R0101", "this is not an event";
    UNKNOWN_EVENT = "R0102", "no such event is declared";
    WRONG_SUBJECT = "R0103", "the event does not say well whom it is about";
    WRONG_VALUE = "R0104", "a field holds a value that does not fit its type";
    MISSING_FIELD = "R0105", "a field that must be there is missing";
    DERIVED_FIELD = "R0106", "a derived field cannot be set from outside";
    AHEAD_OF_TIME = "R0107", "the event claims to come from the future";
    CONFLICTING_EVENT = "R0108", "the same event came with other contents";
    UNKNOWN_MESSAGE = "R0109", "a report on a message that was never ours";
    UNKNOWN_ENTITY = "R0110", "no such entity is declared";
    EVENT_TOO_LARGE = "R0111", "the event is too large";
    SET_ASIDE = "R0112", "the event could not be processed and was set aside";
    BAD_ROW = "R0120", "a row of the file cannot be read";
    BAD_HEADER = "R0121", "the columns do not fit the entity";
    BAD_REQUEST = "R0201", "the request cannot be understood";
    NO_TOKEN = "R0202", "a token is needed";
    FOREIGN_ORIGIN = "R0203", "the request comes from a web page of another site";
    BODY_TOO_LARGE = "R0204", "the request is too large";
    UNKNOWN_MEDIA = "R0205", "the content type is not one we read";
    BUSY = "R0206", "too much is waiting already";
    NO_SUCH_THING = "R0207", "there is nothing at this address";
    TOO_SLOW = "R0208", "the request took too long to arrive";
    NOT_DURABLE = "R0209", "the events could not be stored";
    UNKNOWN_SWITCH = "R0210", "there is nothing of this name to switch off";
    TASK_CLOSED = "R0250", "the task is closed already";
    NO_RESULT = "R0251", "the task cannot end like this";
    TASK_TAKEN = "R0252", "somebody else has taken the task on";
    GIFT_CLOSED = "R0253", "what has become of the gift does not allow it";
    LINK_REFUSED = "R0254", "a link of a referral does not count";
    NEVER_KNOWN = "R0260", "the event waited for its subject, which did not become known";
    PAST_NOT_KNOWN = "R0261", "a condition looks further back than anything is known";

    DEAD_LETTER = "R0230", "a message that no provider took";
    UNSIGNED_REPORT = "R0231", "a report does not prove that it comes from the provider";

    DEAD_WAIT = "W0450", "a wait for an event that ends the journey";
    BRANCH_NOT_TAKEN = "W0460", "a branch that nobody takes";
    ROW_COVERED = "W0461", "a row that the rows above cover";
    ALWAYS_TRUE = "W0462", "a condition that is always true";
    WAIT_AT_ONCE = "W0463", "a wait for what is so already";
    SAME_AUDIENCE = "W0464", "two audiences that are the same";
}

impl Code {
    /// A code that is registered elsewhere: a rule of compliance.
    #[must_use]
    pub const fn of(entry: &'static Entry) -> Self {
        Self(entry)
    }

    /// Whether it is a rule of compliance: `CLAIM-001`.
    #[must_use]
    pub fn is_rule(self) -> bool {
        self.0.code.contains('-')
    }

    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.0.code
    }

    /// For people who read code, in the spelling of types: `UnknownName`.
    #[must_use]
    pub fn name(self) -> String {
        let words = self.0.name.split('_').filter_map(|word| word.split_at_checked(1));
        words.map(|(first, rest)| [first, &rest.to_lowercase()].concat()).collect()
    }

    /// Where its page can be read in a browser.
    #[must_use]
    pub fn url(self) -> String {
        let folder = if self.is_rule() { "docs/rules" } else { "src/diagnostic/codes" };
        format!("{}/blob/main/{folder}/{}.md", env!("CARGO_PKG_REPOSITORY"), self.0.code)
    }

    #[must_use]
    pub fn title(self) -> &'static str {
        self.0.title
    }

    #[must_use]
    pub fn page(self) -> &'static str {
        self.0.page
    }

    /// Of a rule of compliance: the worst that it tells.
    #[must_use]
    pub fn severity(self) -> Severity {
        self.0.severity
    }

    /// The code spelled `text`, whatever its case.
    #[must_use]
    pub fn find(text: &str) -> Option<Self> {
        ALL.iter().copied().find(|code| code.as_str().eq_ignore_ascii_case(text))
    }

    /// The code whose spelling is nearest to `text`, for "did you mean".
    #[must_use]
    pub fn nearest(text: &str) -> Option<Self> {
        nearest(text, ALL.iter().map(|code| code.as_str())).and_then(Self::find)
    }
}

impl PartialEq for Code {
    fn eq(&self, other: &Self) -> bool {
        self.0.code == other.0.code
    }
}

impl Eq for Code {}

impl std::fmt::Debug for Code {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.0.code)
    }
}

impl std::fmt::Display for Code {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.0.code)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;

    use super::*;

    fn sorted(items: impl Iterator<Item = &'static str>) -> BTreeSet<&'static str> {
        let mut seen = BTreeSet::new();
        for item in items {
            assert!(seen.insert(item), "`{item}` is there twice");
        }
        seen
    }

    #[test]
    fn every_page_is_registered_and_no_code_is_there_twice() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/diagnostic/codes");
        let name =
            |entry: std::io::Result<std::fs::DirEntry>| entry.unwrap().file_name().into_string().unwrap();
        let pages: BTreeSet<String> = folder.read_dir().unwrap().map(name).collect();
        let codes = sorted(ALL.iter().map(|code| code.as_str()));
        assert_eq!(pages, codes.iter().map(|code| format!("{code}.md")).collect());
    }

    #[test]
    fn codes_have_a_letter_and_four_digits() {
        for code in ALL {
            let (letter, number) = code.as_str().split_at(1);
            assert!(matches!(letter, "E" | "W" | "R"), "{code}");
            assert!(number.len() == 4 && number.bytes().all(|digit| digit.is_ascii_digit()), "{code}");
        }
    }

    #[test]
    fn titles_are_one_of_a_kind_and_worded_like_headlines() {
        sorted(ALL.iter().map(|code| code.title()));
        for code in ALL {
            let title = code.title();
            assert!(!title.starts_with(char::is_uppercase) && !title.ends_with('.'), "{code}: `{title}`");
        }
    }

    #[test]
    fn pages_show_what_is_wrong_and_what_is_right() {
        for code in ALL {
            let elsewhere = code.as_str().starts_with('R')
                || code.as_str().starts_with("E05") && !code.as_str().starts_with("E050");
            for fence in ["```journey bad\n", "```journey good\n"] {
                assert!(
                    elsewhere || code.page().contains(fence),
                    "{code}.md has no `{}` block",
                    fence.trim()
                );
            }
            assert!(code.page().matches("```").count() % 2 == 0, "{code}.md leaves a block open");
            let headed = ["#", "```", "\n"].iter().any(|start| code.page().starts_with(start));
            assert!(!headed, "{code}.md begins with a sentence: what it is about");
        }
    }

    #[test]
    fn a_code_is_found_in_any_case_and_nearly_right() {
        assert_eq!(Code::find("e0101"), Some(UNEXPECTED));
        assert_eq!(Code::find("E01011"), None);
        assert_eq!(Code::nearest("E01011"), Some(UNEXPECTED));
        assert_eq!(Code::nearest("banana"), None);
    }
}
