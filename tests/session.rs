//! A project that stays open tells, after whatever edit, what a compilation of the same files tells.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::civil::date;
use proptest::prelude::*;
use wayfare::compile::{File, Input, Session, compile};
use wayfare::diagnostic::Diagnostic;
use wayfare::rules::Chosen;
use wayfare::text::{Sources, Span};

/// What files are made of. Names come again in different meanings, and some pieces are wrong.
const PIECES: &[&str] = &[
    "import b { hello, t2 }\n",
    "import a { m1, first }\n",
    "import b as other\n",
    "import nowhere { hello }\n",
    "// Just a comment.\n\n",
    "entity customer \"客户\" {\n  key id : Id\n  name \"姓名\" : Text?\n  consent : [channel]\n}\n",
    "entity customer {\n  key id : Id\n  consent : [channel]\n  m1 : Int\n}\n",
    "entity card of customer { key id : Id; limit : Money(CNY) }\n",
    "extend customer { phone : Text? }\n",
    "extend customer { older : Bool = age > 60; age : Int }\n",
    "choice level { gold; silver }\n",
    "choice level { rich; poor }\n",
    "channel push { kind push }\nchannel sms { kind push }\n",
    "channel sms { kind push; rate 5 per second }\n",
    "calendar cn { file \"days.csv\" }\n",
    "event login of customer { amount : Int }\n",
    "event login of customer { sum : Int }\n",
    "event login of card { amount : Int }\n",
    "event paid of customer { how : one of [cash, rich] }\n",
    "metric m1 of customer = count(login during last 30 days)\n",
    "metric m1 of customer = count(login during last 30 days where amount > 3)\n",
    "metric m1 of customer = m2 + 1\n",
    "metric m2 of customer = m1 + 1\n",
    "metric m2 of customer = name otherwise \"x\"\n",
    "audience rich of customer = m1 > 3\n",
    "audience rich of customer = m2 > 3 and not t1\n",
    "tag t1 of customer { keep 10 days }\n",
    "tag t2 of customer\n",
    "tag login of customer\n",
    "content hello { via push { title \"好\"; body \"\"\"您好，{{ name otherwise \"客户\" }}。\"\"\" } }\n",
    "content hello { via push { title \"好\"; body \"\"\"共 {{ m1 }} 次，{{ n }}。\"\"\" } via sms \"\"\"好\"\"\"; takes n : Int }\n",
    "content first { via sms \"\"\"首次\"\"\" }\n",
    "journey first of customer {\n  purpose service\n  owner \"a@b.c\"\n  enter on login where amount > 2\n  reenter never\n  exit on paid as done\n  send hello via push as one\n  tag t1\n  start second\n  end told\n}\n",
    "journey first of customer {\n  purpose service\n  owner \"a@b.c\"\n  enter when t2\n  reenter never\n  send hello(event.amount) via push\n  wait 2 days\n  send hello via sms\n}\n",
    "journey second of customer {\n  purpose service\n  owner \"a@b.c\"\n  enter by start\n  reenter never\n  if rich { tag t2 } else { start first }\n  wait for login within 3 days else end asleep\n  end heard\n}\n",
    "journey second of customer {\n  purpose service\n  owner \"a@b.c\"\n  enter when t1\n  reenter never\n  tag t2\n  end x\n  tag t1\n}\n",
    "journey third of card {\n  purpose service\n  owner \"a@b.c\"\n  enter on other.login\n  reenter never\n  send first via sms\n  end x\n}\n",
    "test \"hears\" of first {\n  given customer li { consent = [push] }\n  clock 2026-12-01 at 10:00\n  happen login(amount = 3)\n  advance 1 day\n  expect once sent(one)\n  expect ended told\n}\n",
    "test \"sleeps\" of second {\n  given customers li { t1 = true; phone = \"1\" }\n  advance 5 days\n  expect ended asleep\n}\n",
    "flow again of customer { send first via sms }\n",
    "policy quiet { }\n",
    "stages wealth of customer ranked {\n  rich \"富\" if m1 > 5\n  gold \"金\" if m1 > 2\n  else plain \"普\"\n}\n",
    "audience keen of customer = wealth is gold and m1 > 1\n",
    "metric m2 of customer = gap(wealth)\n",
    "table worth(of : level) -> Int {\n  gold => 20\n  _ => 5\n}\n",
    "budget autumn { total 600 CNY; owner \"a@b.c\" }\n",
    "reward coffee { kind coupon; value 20 CNY; stock 1; budget autumn }\n",
    "reward coffee { kind cashback; limit 100 CNY per customer per month partial }\n",
    "points stars of customer { keep 12 months; worth 0.01 CNY; limit 20 per customer per day }\n",
    "journey giving of customer {\n  purpose service\n  owner \"a@b.c\"\n  enter on paid\n  reenter never\n  grant coffee {\n    on sold_out end gone\n  } else end failed\n  if keen { grant stars amount m1 }\n  end x\n}\n",
    "// allow(W0450) meant\n",
    "flow twice(offer : Content) of customer {\n  send offer via push\n  wait for login within 2 days else continue\n  send offer via push as again\n}\n",
    "journey flowing of customer {\n  purpose service\n  owner \"a@b.c\"\n  enter on login\n  reenter never\n  do twice(hello)\n  end x\n}\n",
    "journey shape(gate : Int) of customer {\n  purpose service\n  owner \"a@b.c\"\n  enter on login where amount > gate\n  reenter never\n  send hello via push\n  end x\n}\n",
    "journey shaped = shape(gate = 3)\n",
    "experiment words of customer { arm hello 50%; arm first 50% }\n",
    "task call of customer \"回访\" { to ops.desk; due 10 workdays; result reached, away }\n",
];

const PATHS: &[(&str, &str)] = &[
    ("a/more.journey", "a"),
    ("a/one.journey", "a"),
    ("a/two.journey", "a"),
    ("b/all.journey", "b"),
    ("c/deep/one.journey", "c.deep"),
    ("model.journey", ""),
    ("plain.journey", ""),
];

const DAYS: &[&str] = &["date,kind,name\n2026-10-01,holiday,x\n", "2026-10-02,workday,x\nwrong\n"];

/// Pieces by path.
type Files = BTreeMap<usize, String>;

#[derive(Clone, Debug)]
enum Change {
    /// Writes these pieces into a file, which may be new.
    Write(usize, Vec<usize>),
    /// Adds a piece at the front or at the back.
    Add(usize, bool, usize),
    Remove(usize),
    Rename(usize, usize),
    /// Moves the first declaration of one file to the end of another.
    Move(usize, usize),
    /// Keeps this many percent of the text: a save in the middle of writing.
    Half(usize, usize),
    /// Exchanges all of one word.
    Reword(usize, usize),
    Days(Option<usize>),
}

const WORDS: &[(&str, &str)] = &[
    ("2 days", "3 days"),
    ("amount", "sum"),
    ("您好", "早上好"),
    ("first", "third"),
    ("t1", "t2"),
    ("m1", "m2"),
    ("hello", "first"),
    ("}\n", "\n"),
    ("customer", "card"),
    ("login", "paid"),
];

fn change() -> impl Strategy<Value = Change> {
    let file = 0..PATHS.len();
    let piece = 0..PIECES.len();
    prop_oneof![
        4 => (file.clone(), prop::collection::vec(piece.clone(), 0..6)).prop_map(|(at, pieces)| Change::Write(at, pieces)),
        4 => (file.clone(), any::<bool>(), piece).prop_map(|(at, front, piece)| Change::Add(at, front, piece)),
        1 => file.clone().prop_map(Change::Remove),
        1 => (file.clone(), file.clone()).prop_map(|(from, to)| Change::Rename(from, to)),
        2 => (file.clone(), file.clone()).prop_map(|(from, to)| Change::Move(from, to)),
        1 => (file.clone(), 5usize..95).prop_map(|(at, kept)| Change::Half(at, kept)),
        4 => (file, 0..WORDS.len()).prop_map(|(at, word)| Change::Reword(at, word)),
        1 => prop::option::of(0..DAYS.len()).prop_map(Change::Days),
    ]
}

fn apply(change: &Change, files: &mut Files, days: &mut Option<usize>) {
    match change {
        Change::Write(at, pieces) => {
            files.insert(*at, pieces.iter().map(|piece| PIECES[*piece]).collect());
        }
        Change::Add(at, front, piece) => {
            let text = files.entry(*at).or_default();
            let place = if *front { 0 } else { text.len() };
            text.insert_str(place, PIECES[*piece]);
        }
        Change::Remove(at) => _ = files.remove(at),
        Change::Rename(from, to) => {
            if let Some(text) = files.remove(from) {
                files.insert(*to, text);
            }
        }
        Change::Move(from, to) => {
            let Some(text) = files.get_mut(from) else { return };
            let end = text.find("\n}\n").map_or(text.len(), |at| at + 3);
            let moved: String = text.drain(..end).collect();
            files.entry(*to).or_default().push_str(&moved);
        }
        Change::Half(at, kept) => {
            if let Some(text) = files.get_mut(at) {
                let mut end = text.len() * kept / 100;
                while !text.is_char_boundary(end) {
                    end -= 1;
                }
                text.truncate(end);
            }
        }
        Change::Reword(at, word) => {
            if let Some(text) = files.get_mut(at) {
                *text = text.replace(WORDS[*word].0, WORDS[*word].1);
            }
        }
        Change::Days(text) => *days = *text,
    }
}

fn input(files: &Files, days: Option<usize>) -> Input {
    let file = |(at, text): (&usize, &String)| {
        let (path, package) = PATHS[*at];
        File { path: path.into(), package: package.into(), text: text.as_str().into() }
    };
    let calendars = days.into_iter().flat_map(|text| {
        PATHS.iter().map(move |(path, _)| ((Arc::from(*path), Arc::from("days.csv")), Arc::from(DAYS[text])))
    });
    Input {
        files: files.iter().map(file).collect(),
        named: calendars.collect(),
        today: None,
        rules: Some(Chosen::usual(date(2026, 11, 22))),
    }
}

/// Everything a finding says, with paths for the numbers of files.
fn told(findings: &[Diagnostic], sources: &Sources) -> Vec<String> {
    let place = |span: Span| format!("{}:{}-{}", sources.place(span).0, span.start, span.end);
    let one = |finding: &Diagnostic| {
        let also: Vec<String> =
            finding.secondary.iter().map(|label| format!("{} {}", place(label.span), label.text)).collect();
        format!(
            "{} {} {} | {} | {also:?} {:?} {:?}",
            place(finding.primary.span),
            finding.code,
            finding.headline,
            finding.primary.text,
            finding.help,
            finding.notes
        )
    };
    findings.iter().map(one).collect()
}

fn same(session: &mut Session, input: &Input) -> Result<bool, TestCaseError> {
    let whole = compile(input);
    prop_assert_eq!(told(session.diagnostics(), session.sources()), told(&whole.diagnostics, &whole.sources));
    let bundle = session.bundle();
    prop_assert_eq!(serde_json::to_string(&bundle).unwrap(), serde_json::to_string(&whole.bundle).unwrap());
    let titles = |model: &wayfare::model::Model| {
        model.tests.iter().map(|test| (test.title.clone(), test.journey)).collect::<Vec<_>>()
    };
    prop_assert_eq!(titles(session.model()), titles(&whole.model));
    let names = |model: &wayfare::model::Model| {
        let derived = model
            .derived
            .values()
            .map(|one| format!("{} {} {:?} {:?}", one.name, one.subject, one.ty, one.value));
        let events = model.events.values().map(|one| format!("{} {}", one.name, one.fields.len()));
        let contents =
            model.contents.values().map(|one| format!("{} {:?} {:?}", one.name, one.reads, one.takes));
        let tags = model.tags.keys().chain(model.journeys.keys()).map(ToString::to_string);
        derived.chain(events).chain(contents).chain(tags).collect::<Vec<_>>()
    };
    prop_assert_eq!(names(session.model()), names(&whole.model));
    Ok(bundle.is_some())
}

/// A project that is right, so that edits also lead from right to right.
fn start() -> Files {
    let pieces = |wanted: &[&str]| -> String {
        let piece = |start: &&str| *PIECES.iter().find(|piece| piece.starts_with(start)).unwrap();
        wanted.iter().map(piece).collect()
    };
    let model = pieces(&[
        "entity customer",
        "channel push",
        "event login",
        "event paid",
        "metric m1",
        "audience rich",
        "tag t1",
        "tag t2",
    ]);
    let journeys =
        pieces(&["content hello", "content first", "journey first", "journey second", "test \"hears\""]);
    let journeys = journeys.replace("start first", "tag t1");
    let files = [(5, model.replace("[cash, rich]", "[cash, card]")), (6, journeys)];
    files.into_iter().collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    #[test]
    fn after_any_edits_a_session_tells_what_a_compilation_tells(
        right in any::<bool>(),
        changes in prop::collection::vec(change(), 1..16),
    ) {
        let mut files = if right { start() } else { Files::new() };
        let mut days = Some(0);
        let mut session = Session::open(&input(&files, days));
        for change in &changes {
            apply(change, &mut files, &mut days);
            let input = input(&files, days);
            session.update(&input);
            same(&mut session, &input)?;
        }
    }
}

#[test]
fn a_right_project_stays_right_through_edits_that_keep_it_so() {
    let mut files = start();
    let mut session = Session::open(&input(&files, None));
    assert!(
        same(&mut session, &input(&files, None)).unwrap(),
        "{:?}",
        told(session.diagnostics(), session.sources())
    );
    let mut hashes = vec![session.bundle().unwrap().hash];
    for (at, from, to) in [
        (6, "您好", "早上好"),
        (6, "  tag t1\n", "  tag t1\n  wait 1 day\n"),
        (5, "last 30 days", "last 60 days"),
        (5, "event login", "// Moves everything below.\nevent login"),
        (6, "journey second", "journey next"),
        (6, "start second", "start next"),
    ] {
        let text = files.get_mut(&at).unwrap();
        assert!(text.contains(from), "{from}");
        *text = text.replace(from, to);
        assert!(session.update(&input(&files, None)));
        same(&mut session, &input(&files, None)).unwrap();
        hashes.extend(session.bundle().map(|bundle| bundle.hash));
    }
    assert!(!session.update(&input(&files, None)), "nothing has changed");
    assert!(!session.has_errors(), "{:?}", told(session.diagnostics(), session.sources()));
    hashes.dedup();
    assert_eq!(
        hashes.len(),
        5,
        "one right version for each edit but the comment and the half of the renaming"
    );
}
