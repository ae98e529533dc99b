//! The examples on the pages of `explain`: a bad one gives the code of its page, a good one gives nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use wayfare::compile::{File, Input, compile};
use wayfare::config::{Config, Inputs};
use wayfare::diagnostic::{Code, Diagnostic, code};
use wayfare::intake::{Envelope, Format, Import, Intake, Rows};
use wayfare::name::Name;
use wayfare::step::World;
use wayfare::syntax::parse;
use wayfare::text::Sources;

#[test]
fn examples_of_syntax_give_their_code_or_nothing() {
    check("E01", "journey", syntax);
}

/// What the parser finds.
fn syntax(text: &str) -> Vec<Diagnostic> {
    parse(Sources::default().add("page.journey", text), text).diagnostics
}

#[test]
fn examples_of_settings_give_their_code_or_nothing() {
    check("E051", "toml", settings);
}

#[test]
fn the_documented_settings_hold() {
    let document = include_str!("../docs/settings.md");
    let text =
        document.split("```").find_map(|block| block.strip_prefix("toml\n")).expect("there is an example");
    let findings = settings(text);
    assert!(findings.is_empty(), "{findings:?}");
}

fn settings(text: &str) -> Vec<Diagnostic> {
    let read = |path: &str| match path {
        "/run/secrets/wayfare" => Ok("0123456789abcdef".to_owned()),
        _ => Err("there is no such file".to_owned()),
    };
    let inputs = Inputs { path: "wayfare.toml", text, env: &BTreeMap::new(), read: &read };
    Config::parse(&inputs, &mut Sources::default()).err().unwrap_or_default()
}

/// What is deployed where the records of the pages arrive.
const BANK: &str = r#"
entity customer {
  key id : Id
  name : Text
  consent : [channel]
  balance : Money(CNY)?
  wealthy : Bool = (balance otherwise 0 CNY) >= 500_000 CNY
}
entity holding of customer { key id : Id; amount : Money(CNY) }
channel push { kind push }
channel sms { kind push }
event payment of customer { amount : Money(CNY); note : Text(6)? }
event matured of holding {}
content hello { via push """您好""" }
journey reminders of customer {
  purpose service
  owner "o@bank.example"
  enter on payment
  reenter per week
  send hello via push as reminder
  end told
}
"#;

/// The world of [`BANK`], and when the records of the pages arrive.
fn bank() -> (World, Timestamp) {
    let file = File { path: "bank.journey".into(), package: "".into(), text: BANK.into() };
    let compiled = compile(&Input { files: vec![file], ..Input::default() });
    let bundle = compiled.bundle.unwrap_or_else(|| panic!("{:?}", compiled.diagnostics));
    let now = "2026-11-21T02:00:00Z".parse().unwrap();
    (World::of_bundle(Arc::new(bundle), TimeZone::get("Asia/Shanghai").unwrap()), now)
}

/// Records as they are sent, to the codes of their refusals.
#[test]
fn examples_of_records_give_their_code_or_are_taken() {
    let (world, now) = bank();
    let intake = Intake { world: &world, now };
    let of_event = |text: &str| {
        let read = Envelope::from_slice(text.as_bytes()).and_then(|envelope| intake.read(envelope));
        read.err().map(|refusal| refusal.code.as_str()).into_iter().collect::<BTreeSet<_>>()
    };
    let of_file = |text: &str| {
        let import = Import {
            what: wayfare::intake::What::Attributes,
            schema: &world.bundle.schema,
            entity: Name::new("customer"),
            format: Format::Csv,
            partial: false,
            source: "urn:test".into(),
            batch: "1".into(),
        };
        let rows = match Rows::new(text.as_bytes(), import) {
            Ok((rows, _)) => rows,
            Err(refusal) => return BTreeSet::from([refusal.code.as_str()]),
        };
        let refused = rows.filter_map(|row| row.event.and_then(|event| intake.read(event)).err());
        refused.map(|refusal| refusal.code.as_str()).collect()
    };
    // The first two need a past, the last is looked at before it is read.
    let unexampled = [code::CONFLICTING_EVENT, code::SET_ASIDE, code::EVENT_TOO_LARGE];
    let mut wrong = Vec::new();
    for code in code::ALL.iter().filter(|code| code.as_str().starts_with("R01") && !unexampled.contains(code))
    {
        let bad = |language: &str| examples(*code, &format!("```{language} bad\n"));
        let good = |language: &str| examples(*code, &format!("```{language} good\n"));
        let given = |texts: Vec<&'static str>, read: &dyn Fn(&str) -> BTreeSet<&'static str>| {
            texts.into_iter().map(|text| (text, read(text))).collect::<Vec<_>>()
        };
        let bad: Vec<_> =
            given(bad("json"), &of_event).into_iter().chain(given(bad("csv"), &of_file)).collect();
        let good: Vec<_> =
            given(good("json"), &of_event).into_iter().chain(given(good("csv"), &of_file)).collect();
        if bad.is_empty() || good.is_empty() {
            wrong.push(format!("{code}: the page lacks a bad or a good example"));
        }
        let bad = bad.iter().filter(|(_, found)| !found.contains(code.as_str()));
        let good = good.iter().filter(|(_, found)| !found.is_empty());
        wrong.extend(bad.map(|(text, found)| format!("{code}: the bad example gives {found:?}\n{text}")));
        wrong.extend(good.map(|(text, found)| format!("{code}: the good example gives {found:?}\n{text}")));
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

/// Runs every example in a fence of `language` on the pages whose code begins with `range`.
fn check(range: &str, language: &str, find: impl Fn(&str) -> Vec<Diagnostic>) {
    let found = |text: &str| find(text).iter().map(|finding| finding.code.as_str()).collect::<BTreeSet<_>>();
    let mut wrong = Vec::new();
    for code in code::ALL.iter().filter(|code| code.as_str().starts_with(range)) {
        let bad = examples(*code, &format!("```{language} bad\n"));
        let good = examples(*code, &format!("```{language} good\n"));
        if bad.is_empty() || good.is_empty() {
            wrong.push(format!("{code}: the page lacks a bad or a good example"));
        }
        for text in bad.iter().filter(|text| !found(text).contains(code.as_str())) {
            wrong.push(format!("{code}: the bad example gives {:?}\n{text}", found(text)));
        }
        for text in good.iter().filter(|text| !found(text).is_empty()) {
            wrong.push(format!("{code}: the good example gives {:?}\n{text}", found(text)));
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

fn examples(code: Code, fence: &str) -> Vec<&'static str> {
    let behind = code.page().split(fence).skip(1);
    behind.filter_map(|rest| rest.split_once("```")).map(|(text, _)| text).collect()
}
