//! The tree of an organisation from a file: right ones of any size, and every mistake with its line.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;

use wayfare::compile::{Compilation, File, Input, Session, compile};
use wayfare::name::Name;

use crate::testing::{Compiled, threads};

const TEXT: &str = "\
entity customer { key id : Id; branch : branch }
entity branch { key id : Id }
org bank { ops; east { file \"tree.csv\" } }
audience nearby of customer = in top
";

fn input(tree: &str) -> Input {
    let file = File { path: "bank.journey".into(), package: "".into(), text: TEXT.into() };
    let beside = (Arc::from("bank.journey"), Arc::from("tree.csv"));
    Input { files: vec![file], named: BTreeMap::from([(beside, tree.into())]), ..Input::default() }
}

fn told(compilation: &Compilation) -> Vec<String> {
    let file = |headline: &str| headline.strip_prefix("`tree.csv`, ").map(str::to_owned);
    compilation.diagnostics.iter().filter_map(|finding| file(&finding.headline)).collect()
}

#[test]
fn stories_of_an_organisation_from_a_file_come_true() {
    let bank = Compiled::of("tests/suite/testing/orgs");
    let options = wayfare::testing::Options { threads: threads(), ..wayfare::testing::Options::default() };
    let reports = bank.run(&options);
    assert_eq!(reports.len(), 3);
    assert!(reports.iter().all(wayfare::testing::Report::passed), "{reports:#?}");
}

#[test]
fn parents_may_stand_below_and_the_top_hangs_where_the_file_is_named() {
    let text = "\u{feff}since,unit,parent,label\r\n2001,pudong,top,\"浦东,支行\"\r\n1990,top,,总部\r\n2010,care,ops,\r\n";
    let compilation = compile(&input(text));
    assert_eq!(compilation.diagnostics.len(), 0, "{:#?}", compilation.diagnostics);
    let org = &compilation.model.orgs[&Name::new("bank")];
    let shown: Vec<(&str, Option<&str>, Option<&str>)> = org
        .units
        .iter()
        .map(|unit| (unit.name.as_str(), unit.parent.map(Name::as_str), unit.label.as_deref()))
        .collect();
    assert_eq!(
        shown,
        [
            ("ops", None, None),
            ("east", None, None),
            ("top", Some("east"), Some("总部")),
            ("pudong", Some("top"), Some("浦东,支行")),
            ("care", Some("ops"), None),
        ]
    );
    let below: Vec<&str> = org.below(Name::new("east")).into_iter().map(Name::as_str).collect();
    assert_eq!(below, ["east", "top", "pudong"]);
}

#[test]
fn every_mistake_is_told_with_its_line_and_column() {
    let text = "unit,parent\ntop,\ntop,\nops,\n,top\nsouth,tpo\na,b\nb,c\nc,b\none,two,three\nself,self\n";
    let mistakes = told(&compile(&input(text)));
    assert_eq!(
        mistakes,
        [
            "line 3, column `unit`: unit `top` is there twice, first in line 2",
            "line 4, column `unit`: unit `ops` is declared above the file already",
            "line 5, column `unit`: the unit has no name",
            "line 6, column `parent`: no unit is called `tpo`",
            "line 8, column `parent`: unit `b` is below itself: `b` below `c` below `b`",
            "line 10: the line has 3 cells, and the header has 2",
            "line 11, column `parent`: unit `self` is below itself: `self` below `self`",
        ]
    );
    let found = compile(&input(text)).diagnostics;
    let near = found.iter().find(|finding| finding.headline.contains("tpo")).unwrap();
    assert!(near.help.iter().any(|help| help == "did you mean `top`?"), "{near:#?}");
    assert_eq!(told(&compile(&input(""))), ["line 1: there is no column `unit`"]);
    assert_eq!(told(&compile(&input("unit,above\nx,\n"))), ["line 1: there is no column `parent`"]);
    assert_eq!(told(&compile(&input("unit,parent\n"))), ["line 1: there is no unit in the file"]);
    let nothing = Input { named: BTreeMap::new(), ..input("") };
    let absent = compile(&nothing).diagnostics;
    assert!(
        absent.iter().any(|finding| finding.headline == "the file `tree.csv` is not there"),
        "{absent:#?}"
    );
}

#[test]
fn thousands_of_units_are_read_and_mistakes_are_bounded() {
    let mut text = "unit,parent\ntop,\n".to_owned();
    for unit in 0..19_999 {
        let above = if unit == 0 { String::new() } else { format!("u{}", (unit - 1) / 3) };
        writeln!(text, "u{unit},{above}").unwrap();
    }
    let compilation = compile(&input(&text));
    assert_eq!(compilation.diagnostics.len(), 0);
    let org = &compilation.model.orgs[&Name::new("bank")];
    assert_eq!((org.below(Name::new("east")).len(), org.below(Name::new("u0")).len()), (20_001, 19_999));
    assert_eq!(
        told(&compile(&input(&format!("{text}more,\n")))),
        ["line 20002: an organisation has at most 20000 units"]
    );
    let all_wrong = compile(&input(&text.replace(",u", ",v")));
    assert_eq!(told(&all_wrong).len(), 20);
    let last = all_wrong.diagnostics.iter().flat_map(|finding| &finding.help);
    assert!(last.clone().any(|help| help.contains("more mistakes behind it")));
}

#[test]
fn an_edit_of_the_file_is_an_edit_of_the_project() {
    let mut session = Session::open(&input("unit,parent\ntop,\n"));
    assert!(!session.has_errors(), "{:#?}", session.diagnostics());
    assert!(session.update(&input("unit,parent\ntop,tpo\n")));
    assert_eq!(session.diagnostics().len(), 1);
    assert!(session.update(&input("unit,parent\ntop,ops\n")));
    assert!(!session.has_errors());
    assert!(!session.update(&input("unit,parent\ntop,ops\n")));
}
