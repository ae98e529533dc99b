//! Rules of compliance: the page of each is its test, the bank's own journeys and the library keep to all of them, and waivers
//! excuse what they say and nothing else.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::PathBuf;

use jiff::civil::date;
use proptest::prelude::*;
use wayfare::compile::{Compilation, Input, Session, check};
use wayfare::diagnostic::{Diagnostic, code};
use wayfare::rules::registry::{self, ALL};
use wayfare::rules::{Chosen, Pack, Rule};
use wayfare::text::Sources;
use wayfare::{project, rules};

use crate::support::library;

/// When the pages are read.
const TODAY: jiff::civil::Date = date(2026, 11, 22);

/// The bank of the pages, with one of them, held to `packs`.
fn page(text: &str, packs: &[Pack]) -> Compilation {
    let world = std::fs::read_to_string("tests/suite/rules/world.journey").unwrap();
    let input = library::project(&[("world.journey", &world), ("page.journey", text)]);
    held(input, packs)
}

/// The same, as it has become since `before`.
fn changed(before: &str, text: &str, packs: &[Pack]) -> Compilation {
    let was = rules::Before::of(&page(before, &[]).model);
    let world = std::fs::read_to_string("tests/suite/rules/world.journey").unwrap();
    let input = library::project(&[("world.journey", &world), ("page.journey", text)]);
    let rules = Chosen { packs: packs.to_vec(), before: Some(was.into()), ..Chosen::usual(TODAY) };
    check(&Input { rules: Some(rules), ..input })
}

fn held(input: Input, packs: &[Pack]) -> Compilation {
    let rules =
        Chosen { packs: packs.to_vec(), domains: vec!["bank.example".to_owned()], ..Chosen::usual(TODAY) };
    check(&Input { rules: Some(rules), ..input })
}

fn packs(rule: &Rule) -> Vec<Pack> {
    rule.packs.iter().map(|one| one.pack).collect()
}

/// `path:line:column severity CODE headline | label`, and below it the other places, help and notes.
fn told<'a>(compilation: &Compilation, found: impl IntoIterator<Item = &'a Diagnostic>) -> String {
    let mut out = String::new();
    let sources = &compilation.sources;
    let place = |span: wayfare::text::Span| {
        let file = sources.get(span.file).unwrap();
        let at = file.position(span.start);
        format!(
            "{}:{}:{} `{}`",
            file.path,
            at.line,
            at.column,
            sources.slice(span).lines().next().unwrap_or("")
        )
    };
    for one in found {
        let at = place(one.primary.span);
        writeln!(out, "{at} {:?} {}: {} | {}", one.severity, one.code, one.headline, one.primary.text)
            .unwrap();
        for other in &one.secondary {
            writeln!(out, "    {} | {}", place(other.span), other.text).unwrap();
        }
        for text in one.help.iter().chain(&one.notes) {
            writeln!(out, "    {text}").unwrap();
        }
    }
    out
}

fn examples<'a>(page: &'a str, kind: &str) -> Vec<&'a str> {
    let fence = format!("```journey {kind}\n");
    page.match_indices(&fence).filter_map(|(at, _)| page[at + fence.len()..].split("```").next()).collect()
}

#[test]
fn the_page_of_each_rule_is_its_test() {
    let mut wrong = String::new();
    for rule in ALL {
        let (id, packs) = (rule.id(), packs(rule));
        let (bad, good) = (examples(rule.entry.page, "bad"), examples(rule.entry.page, "good"));
        // Of a rule about a change: as it was.
        let before = examples(rule.entry.page, "before").first().copied();
        let page = |text, packs: &[Pack]| match before {
            Some(before) => changed(before, text, packs),
            None => page(text, packs),
        };
        if bad.len() < 2 || good.len() < 3 {
            writeln!(wrong, "{id}: two violations and three near misses are needed").unwrap();
        }
        let mut snapshot = String::new();
        let is_it = |one: &&Diagnostic| one.code.as_str() == id;
        for text in bad {
            let compilation = page(text, &packs);
            let found: Vec<_> = compilation.diagnostics.iter().filter(is_it).collect();
            if found.is_empty() {
                writeln!(
                    wrong,
                    "{id}: nothing found in\n{text}{}",
                    told(&compilation, &compilation.diagnostics)
                )
                .unwrap();
            }
            snapshot += &told(&compilation, found);
            snapshot.push('\n');
        }
        for text in good {
            let compilation = page(text, &packs);
            // Other rules have pages of their own.
            let is_theirs =
                |one: &&Diagnostic| rules::find(one.code.as_str()).is_some() && one.code.as_str() != id;
            let found: Vec<_> = compilation.diagnostics.iter().filter(|one| !is_theirs(one)).collect();
            if !found.is_empty() {
                writeln!(wrong, "{id}: a near miss is told of\n{text}{}", told(&compilation, found)).unwrap();
            }
        }
        insta::assert_snapshot!(id, snapshot.trim_end());
    }
    assert_eq!(wrong, "");
}

#[test]
fn the_bank_of_the_pages_keeps_to_every_rule() {
    let compilation = page("", &Pack::ALL);
    assert_eq!(told(&compilation, &compilation.diagnostics), "");
}

#[test]
fn pages_of_codes_of_rules_and_waivers_give_their_code_or_nothing() {
    let mut wrong = String::new();
    let ours = |code: &&wayfare::diagnostic::Code| code.as_str()[1..].starts_with("06");
    for code in code::ALL.iter().filter(ours) {
        for (kind, is_bad) in [("bad", true), ("good", false)] {
            for text in examples(code.page(), kind) {
                let compilation = page(text, &Pack::USUAL);
                let said: BTreeSet<&str> =
                    compilation.diagnostics.iter().map(|one| one.code.as_str()).collect();
                if if is_bad { !said.contains(code.as_str()) } else { !said.is_empty() } {
                    let told = told(&compilation, &compilation.diagnostics);
                    writeln!(wrong, "{code} {kind}:\n{text}\n{told}").unwrap();
                }
            }
        }
    }
    assert_eq!(wrong, "");
}

#[test]
fn the_banks_own_journeys_keep_to_every_rule_or_say_why_not() {
    let input = project::load(&[PathBuf::from("journeys")]).unwrap().input;
    let compilation = held(input, &Pack::USUAL);
    assert_eq!(told(&compilation, &compilation.diagnostics), "");
}

#[test]
fn a_rule_holds_from_its_day_on() {
    for rule in ALL {
        for one in rule.packs.iter().filter_map(|one| Some((one.pack, one.from?))) {
            let chosen = |as_of| Chosen { packs: vec![one.0], ..Chosen::usual(as_of) };
            let before = rule.held(&chosen(one.1.yesterday().unwrap()));
            assert!(
                matches!(before, Some(rules::rule::Held::From(day, _)) if day == one.1),
                "{rule:?}: {before:?}"
            );
            assert!(matches!(rule.held(&chosen(one.1)), Some(rules::rule::Held::Now(_))), "{rule:?}");
        }
        assert!(rule.held(&Chosen { packs: Vec::new(), ..Chosen::usual(TODAY) }).is_none(), "{rule:?}");
    }
    assert!(registry::find("claim-001").is_some() && registry::find("CLAIM-999").is_none());
}

#[test]
fn a_waiver_excuses_what_was_approved_and_nothing_that_came_later() {
    let text = examples(code::WAIVER_CHANGED.page(), "good")[0];
    let codes = |text: &str| -> Vec<String> {
        page(text, &Pack::USUAL).diagnostics.iter().map(|one| one.code.to_string()).collect()
    };
    assert_eq!(codes(text), Vec::<String>::new());
    // What is laid out otherwise, or explained, is what it was.
    assert_eq!(codes(&text.replace("  send", "  // why\n    send")), Vec::<String>::new());
    assert_eq!(codes(&text.replace("春季活动已开启", "春季活动开始了")), ["W0603", "OPTOUT-001"]);
    assert_eq!(codes(&text.replace("  send offer", "  wait 1 day\n  send offer")), ["W0603", "OPTOUT-001"]);
    // What `--fix --unsafe-fixes` writes is what is there.
    let changed = text.replace("春季活动已开启", "春季活动开始了");
    let compilation = page(&changed, &Pack::USUAL);
    let fix = compilation.diagnostics.iter().find_map(|one| one.fix.as_ref()).unwrap();
    assert!(!fix.safe, "somebody looks at it first");
    assert_eq!(codes(&wayfare::diagnostic::fix::apply(&changed, &fix.edits)), Vec::<String>::new());
}

/// An edit of a file: what is exchanged for what.
const EDITS: &[(usize, &str, &str)] = &[
    (1, "purpose marketing", "purpose service"),
    (1, "send news via sms", "send other via sms"),
    (1, "  end told", "  wait 2 days\n  end told"),
    (1, "// first", "// a longer line above everything\n// first"),
    (1, "end told", "end nowhere told"),
    (2, "稳赚不赔", "投资需谨慎"),
    (2, "content other", "// moved\ncontent other"),
    (2, "拒收请回复R", ""),
    (2, "立减", "提醒"),
    (3, "class fund", "class deposit"),
    (3, "OPTOUT-001", "CLAIM-002"),
    (3, "value 60_000 CNY", "value 600 CNY"),
    (3, "aum >= 5 CNY", "age is known"),
    (3, "13912845067", "13800000000"),
    // An audience leans on a metric, and a journey on the audience.
    (4, "count(login during", "count(deposit_made during"),
    (4, "metric often", "// moved\nmetric often"),
    (4, "often > 3", "often > 4"),
    // Policies and rewards decide what is told of journeys and contents elsewhere.
    (3, "quiet 22:00..08:00", "quiet 23:00..06:00"),
    (0, "value 20 CNY; stock", "value 25 CNY; stock"),
];

const BANK: [&str; 5] = [
    r#"// first
journey selling of customer {
  purpose marketing
  owner "retail@bank.example"
  enter on login where rich
  reenter never
  send news via sms
  grant points_card else end not_given
  end told
}
journey telling of customer {
  purpose service
  owner "retail@bank.example"
  enter on login
  reenter never
  send other via sms
  end told
}
"#,
    r#"content news { product risky; via sms """【示例银行】稳赚不赔。拒收请回复R""" }
content other { offers coffee; via sms """【示例银行】最佳立减，20 元咖啡券""" }
"#,
    r#"// 13912845067
policy night "夜间" { owner "compliance@bank.example"; quiet 22:00..08:00 }
product risky { class fund; risk R2 }
audience rich of customer = aum >= 5 CNY
lottery spring_draw of customer {
  open 2026-12-01..2027-02-28
  rules "pages/spring_rules.html"
  prize phone "手机" { value 60_000 CNY; count 3; odds 1 in 10_000; tax withheld }
}
waiver cmp_1 of selling {
  rule "OPTOUT-001"
  reason "运营商在下行时统一追加退订指引，见合同附件三"
  approver "compliance:li.wei"
  expires 2027-03-31
}
"#,
    r#"metric often "近期登录" of customer = count(login during last 30 days)
audience keen of customer = often > 3
"#,
    r#"journey thanking of customer {
  purpose marketing
  owner "retail@bank.example"
  enter on login where keen and consent has sms
  reenter never
  grant coffee else end not_given
  end told
}
"#,
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    /// Each edit is done, or taken back if it was done before.
    #[test]
    fn after_any_edits_a_session_tells_what_a_first_look_tells(
        edits in prop::collection::vec((0..EDITS.len(), any::<bool>()), 1..12),
    ) {
        let world = std::fs::read_to_string("tests/suite/rules/world.journey").unwrap();
        let mut texts: Vec<String> = std::iter::once(world).chain(BANK.map(str::to_owned)).collect();
        let paths =
            ["world.journey", "one.journey", "two.journey", "three.journey", "four.journey", "five.journey"];
        let input = |texts: &[String]| {
            let pages: Vec<(&str, &str)> = paths.iter().copied().zip(texts.iter().map(|text| &**text)).collect();
            Input { rules: Some(Chosen::usual(TODAY)), ..library::project(&pages) }
        };
        let mut session = Session::open(&input(&texts));
        let mut most = session.diagnostics().len();
        for (edit, back) in edits {
            let (file, from, to) = EDITS[edit];
            let (from, to) = if back { (to, from) } else { (from, to) };
            if !from.is_empty() {
                texts[file] = texts[file].replacen(from, to, 1);
            }
            let now = input(&texts);
            session.update(&now);
            let fresh = check(&now);
            let say = |found: &[Diagnostic], sources: &Sources| {
                found.iter().map(|one| format!("{:?} {}", sources.place(one.primary.span), render(one, sources))).collect::<Vec<_>>()
            };
            prop_assert_eq!(
                say(session.diagnostics(), session.sources()),
                say(&fresh.diagnostics, &fresh.sources)
            );
            most = most.max(fresh.diagnostics.len());
        }
        prop_assert!(most > 3, "there is something to find: {}", most);
    }
}

/// All that a finding says, without the numbers of files.
fn render(one: &Diagnostic, sources: &Sources) -> String {
    let places = one.secondary.iter().map(|other| format!("{:?} {}", sources.place(other.span), other.text));
    let places: Vec<String> = places.collect();
    let (start, end) = (one.primary.span.start, one.primary.span.end);
    format!(
        "{start}-{end} {} {:?} {} {places:?} {:?} {:?}",
        one.code, one.severity, one.headline, one.help, one.notes
    )
}
