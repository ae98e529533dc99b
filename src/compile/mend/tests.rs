use super::*;
use crate::compile::File;

const WORLD: &str = "\
entity customer \"客户\" { key id : Id; consent : [channel]; name : Text? }
channel push { kind push; receipt within 10min }
event signed_up \"注册\" of customer { key id : Id }
";

fn project(text: &str) -> Input {
    let file = |path: &str, text: &str| File { path: path.into(), package: "".into(), text: text.into() };
    Input { files: vec![file("world.journey", WORLD), file("a.journey", text)], ..Input::default() }
}

/// The text after mending, and what was done.
fn mended(text: &str, suggested: bool) -> (String, Vec<String>) {
    let files = ["a.journey".into()].into();
    let mended = mend(project(text), &Request { suggested, files });
    let text = mended.input.files.iter().find(|file| &*file.path == "a.journey").unwrap().text.to_string();
    let fixed = mended.fixed.iter().map(|one| format!("{} {} {}", one.line, one.code, one.title));
    (text, fixed.collect())
}

#[test]
fn mistakes_of_one_line_are_mended_together_and_again() {
    let text = "audience vip of customer = id == \"1\" && consent has push || name is known\n";
    let (text, fixed) = mended(text, false);
    assert_eq!(text, "audience vip of customer = id is \"1\" and consent has push or name is known\n");
    assert_eq!(fixed, ["1 E0107 write `is`", "1 E0107 write `and`", "1 E0107 write `or`"]);
}

#[test]
fn suggestions_need_to_be_asked_for() {
    let text = "audience vip of customer = consent has psuh\n";
    assert_eq!(mended(text, false), (text.to_owned(), Vec::new()));
    assert_eq!(mended(text, true).0, "audience vip of customer = consent has push\n");
}

#[test]
fn a_fix_that_makes_other_errors_is_not_done_and_does_not_stop_the_rest() {
    // `nmae` would become `name`, which may be missing: a new error.
    let text = "audience a of customer = nmae == \"李\"\naudience b of customer = id == \"1\"\n";
    let (text, fixed) = mended(text, true);
    assert_eq!(text, "audience a of customer = nmae is \"李\"\naudience b of customer = id is \"1\"\n");
    assert_eq!(fixed.len(), 2, "{fixed:?}");
}

#[test]
fn files_that_may_not_be_changed_stay() {
    let request = Request { suggested: true, files: BTreeSet::new() };
    let text = "audience b of customer = id == \"1\"\n";
    let mended = mend(project(text), &request);
    assert!(mended.fixed.is_empty());
    assert!(mended.compilation.has_errors());
    assert_eq!(mended.input.files.iter().map(|file| &*file.text).collect::<Vec<_>>(), [WORLD, text]);
}
