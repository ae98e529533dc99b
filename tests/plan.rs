//! `wayfare plan`: what a change of journeys and budgets does to what may have to be given, as it is typed.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::support::command::wayfare;

const BANK: &str = r#"
entity customer "客户" { key id : Id; consent : [channel] }
event payment "消费" of customer { amount : Money(CNY) }
event login "登录" of customer { }
budget autumn "秋季预算" { total 100_000 CNY; owner "retail@bank.example"; alert 80% }
reward coffee "咖啡券" { kind coupon; value 20 CNY; stock 1_000; limit 2 per customer ever; budget autumn }
points stars "星点" of customer { keep 12 months }
"#;

const COFFEE: &str = r#"
journey coffee_for_payment "消费送咖啡" of customer {
  purpose service
  owner "retail@bank.example"
  enter on payment where amount >= 100 CNY
  reenter after 1 day
  grant coffee else end not_given
  end given
}
"#;

const STARS: &str = r#"
journey stars_for_login "登录送星点" of customer {
  purpose service
  owner "retail@bank.example"
  enter on login
  reenter never
  grant stars amount 10 else end not_given
  end given
}
"#;

fn write(folder: &Path, files: &[(&str, &str)]) {
    fs::create_dir_all(folder).unwrap();
    fs::write(folder.join("wayfare.toml"), "").unwrap();
    for (path, text) in files {
        fs::write(folder.join(path), text).unwrap();
    }
}

fn git(folder: &Path, args: &[&str]) {
    let mut command = Command::new("git");
    command.args(["-c", "user.name=t", "-c", "user.email=t@bank.example"]).args(args).current_dir(folder);
    let done = command.stdin(Stdio::null()).output().unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
}

#[test]
fn a_change_of_what_is_given_is_told_with_what_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let now = folder.path().join("now");
    let before = folder.path().join("before");
    write(&before, &[("bank.journey", BANK), ("coffee.journey", COFFEE), ("stars.journey", STARS)]);
    // The budget and the stock grow, one journey goes, one gives more, and one is new that nothing ends.
    let bank = BANK
        .replace("100_000 CNY", "150_000 CNY")
        .replace("stock 1_000", "stock 6_000")
        .replace("points stars", "reward cash \"返现\" { kind cashback }\npoints stars");
    let coffee = COFFEE.replace("  end given", "  grant coffee as another else end one_only\n  end given");
    let cash = STARS.replace("stars_for_login", "cash_back").replace("enter on login", "enter on payment");
    let cash = cash.replace("grant stars amount 10", "grant cash amount event.amount");
    write(&now, &[("bank.journey", &bank), ("coffee.journey", &coffee), ("cash.journey", &cash)]);

    let (code, told, talk) = wayfare(&now, &["plan", "--against", "../before"]);
    assert_eq!((code, &*talk), (0, ""));
    insta::assert_snapshot!(told);
    let (code, _, _) = wayfare(&now, &["plan", "--against", "../before", "--exit-code"]);
    assert_eq!(code, 1);
    let (_, json, _) = wayfare(&now, &["plan", "--against", "../before", "--json"]);
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    let names: Vec<&str> =
        json["journeys"].as_array().unwrap().iter().map(|it| it["journey"].as_str().unwrap()).collect();
    assert_eq!(names, ["cash_back", "coffee_for_payment", "stars_for_login"]);
    assert_eq!(
        json["budgets"][0]["after"]["total"],
        serde_json::json!({ "minor": 15_000_000, "currency": "CNY" }),
        "{json}"
    );
}

#[test]
fn what_is_worded_otherwise_is_no_change_and_what_git_has_is_compared_with() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), &[("bank.journey", BANK), ("coffee.journey", COFFEE)]);
    git(folder.path(), &["init", "-q"]);
    git(folder.path(), &["add", "."]);
    git(folder.path(), &["commit", "-q", "-m", "first"]);
    write(folder.path(), &[("coffee.journey", &format!("// Once a day.\n{COFFEE}"))]);
    let (code, told, talk) = wayfare(folder.path(), &["plan", "--exit-code"]);
    assert_eq!((code, &*talk), (0, ""), "{told}");
    assert!(told.starts_with("against HEAD: no journey and no budget has changed\n"), "{told}");

    let (code, _, talk) = wayfare(folder.path(), &["plan", "--against", "nowhere"]);
    assert_eq!(code, 2);
    assert!(talk.contains("cannot read the project as it was at `nowhere`"), "{talk}");
}

#[test]
fn with_errors_on_either_side_there_is_no_plan() {
    let folder = tempfile::tempdir().unwrap();
    let (now, before) = (folder.path().join("now"), folder.path().join("before"));
    let broken = COFFEE.replace("  end given\n", "");
    write(&now, &[("bank.journey", BANK), ("coffee.journey", COFFEE)]);
    write(&before, &[("bank.journey", BANK), ("coffee.journey", &broken)]);
    let (code, told, talk) = wayfare(&now, &["plan", "--against", "../before"]);
    assert_eq!((code, &*told), (2, ""));
    assert!(talk.contains("the project as it was at `../before` has errors"), "{talk}");
    let (code, _, talk) = wayfare(&before, &["plan", "--against", "../now"]);
    assert_eq!(code, 1);
    assert!(talk.contains("E0451"), "{talk}");
}
