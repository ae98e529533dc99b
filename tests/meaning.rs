//! What conditions mean, as a person is told: audiences nobody is in, branches nobody takes, and examples of who is.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;

use wayfare::compile::{Compilation, File, Input, compile};
use wayfare::diagnostic::render::human::{Color, render};
use wayfare::diagnostic::{Code, code};

use crate::support::command::transcript;

fn compiled(path: &str, text: &str) -> Compilation {
    let file = File { path: path.into(), package: "".into(), text: text.into() };
    compile(&Input { files: vec![file], ..Input::default() })
}

#[test]
fn conditions_that_cannot_be_meant_are_told() {
    insta::glob!("suite/meaning/*.journey", |path| {
        let text = fs::read_to_string(path).unwrap();
        let name = path.file_name().unwrap().to_str().unwrap();
        let compilation = compiled(name, &text);
        let mut told = Vec::new();
        render(&compilation.diagnostics, &compilation.sources, Color::Off, &mut told).unwrap();
        insta::assert_snapshot!(String::from_utf8(told).unwrap());
    });
}

#[test]
fn examples_of_explain_pages_give_their_code_or_nothing() {
    let mut wrong = String::new();
    let ours = |code: &&Code| {
        ["E0392", "E0393", "E045", "E046", "W0390", "W045", "W046"]
            .iter()
            .any(|range| code.as_str().starts_with(range))
    };
    for code in code::ALL.iter().filter(ours) {
        let fences = code.page().split("```journey ").skip(1);
        let examples: Vec<_> = fences.filter_map(|rest| rest.split("```").next()?.split_once('\n')).collect();
        for (kind, text) in examples {
            let compilation = compiled("page.journey", text);
            let said: BTreeSet<&str> =
                compilation.diagnostics.iter().map(|finding| finding.code.as_str()).collect();
            let right = if kind == "bad" { said.contains(code.as_str()) } else { said.is_empty() };
            if !right {
                let headlines: Vec<&str> =
                    compilation.diagnostics.iter().map(|finding| finding.headline.as_str()).collect();
                writeln!(wrong, "{code} {kind}: {said:?} {headlines:?}\n{text}").unwrap();
            }
        }
    }
    assert_eq!(wrong, "");
}

const ZONES: &str = "\
entity customer \"客户\" { key id : Id; age : Int?; salary_months : Int; branch : Text }
entity shop { key id : Id; open : Bool }
event salary_received of customer { source core }
audience payroll \"代发客户\" of customer = salary_months >= 2 and any salary_received during last 60 days
audience elderly \"老年客户\" of customer = (age otherwise 0) >= 60
audience young_payroll \"青年代发\" of customer = payroll and (age otherwise 0) in 18..35
audience open_shop of shop = open
";

#[test]
fn audiences_are_shown_and_compared_with_examples() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("wayfare.toml"), "").unwrap();
    fs::write(folder.path().join("zones.journey"), ZONES).unwrap();
    let runs: [&[&str]; 7] = [
        &["audience", "show", "young_payroll"],
        &["audience", "compare", "young_payroll", "payroll"],
        &["audience", "compare", "young_payroll", "elderly"],
        &["audience", "compare", "payroll", "elderly"],
        &["audience", "compare", "payroll", "payroll"],
        &["audience", "compare", "payroll", "open_shop"],
        &["audience", "show", "payrol"],
    ];
    let told: Vec<String> = runs.iter().map(|args| transcript(folder.path(), args)).collect();
    insta::assert_snapshot!(told.join("\n"));
}
