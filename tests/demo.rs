//! The first thing a newcomer runs: the demo shows pushes, waits, fallbacks and hand-overs, and then says why.

use std::path::Path;
use std::process::{Command, Output};

fn wayfare(folder: &Path, line: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_wayfare")).args(line).current_dir(folder).output().unwrap()
}

// Journeys in a real daemon on SQLite, in a folder of their own. At half a day per second the story takes twenty
// seconds.
// daemon: first_loan, login_activation, maturity
#[test]
fn the_demo_tells_its_story() {
    let folder = tempfile::tempdir().unwrap();
    let journeys = Path::new(env!("CARGO_MANIFEST_DIR")).join("journeys");
    let journeys = journeys.to_str().unwrap();
    let line = ["dev", "--demo", "--once", "--speed", "43200", "--listen", "127.0.0.1:0", journeys];
    let demo = wayfare(folder.path(), &line);
    let shown = String::from_utf8(demo.stdout).unwrap();
    let said = String::from_utf8(demo.stderr).unwrap();
    assert!(demo.status.success(), "{said}\n{shown}");
    for told in [
        // The ladder, down to the hand-over.
        "C0001 王伟  first_loan: sends `offer.push` via push",
        "C0001 王伟  first_loan: sends `offer.first_loan_again` via push",
        "C0001 王伟  first_loan: sends `offer.sms` via sms",
        "C0001 王伟  first_loan: sends `offer.wechat` via wechat",
        "C0001 王伟  first_loan: starts `login_activation`",
        "login_activation: sends `invite.login_gift` via push",
        "✉ sms → C0001  【示例银行】",
        // Others answer on the way.
        "C0002 李磊  first_loan: ended as `reached`",
        // A maturity date. (Minutes pass within the time of a request at this speed, so what happens within minutes is
        // left to the journeys' own tests.)
        "maturity: sends `early.maturity_notice` via push",
    ] {
        assert!(shown.contains(told), "nobody was told: {told}\n{said}\n{shown}");
    }
    // Its last act is `why`, which anybody can ask again.
    let why = wayfare(folder.path(), &["why", "C0001", "first_loan"]);
    let why = String::from_utf8(why.stdout).unwrap();
    assert!(why.contains("ended as `unreached`") && shown.contains(why.trim()), "{why}\n{shown}");
    // The store also says who is in an audience, condition by condition, and why somebody is not.
    let counted = wayfare(folder.path(), &["audience", "explain", "preapproved"]);
    let counted = String::from_utf8(counted.stdout).unwrap();
    assert!(counted.starts_with("preapproved: ") && counted.contains("no loan_drawdown ever"), "{counted}");
    let told = wayfare(folder.path(), &["audience", "explain", "preapproved", "--customer", "C0002"]);
    let told = String::from_utf8(told.stdout).unwrap();
    assert!(told.starts_with("C0002 is in preapproved, because"), "{told}");
    let unknown = wayfare(folder.path(), &["audience", "explain", "preaproved"]);
    let unknown = String::from_utf8(unknown.stderr).unwrap();
    assert!(unknown.contains("no deployed journey asks an audience `preaproved`"), "{unknown}");
    assert!(unknown.contains("did you mean `preapproved`"), "{unknown}");
}
