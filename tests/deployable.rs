//! `check --deployable`: what the daemon lacks is named where it stands, one finding for each; what it can do passes.

use std::process::{Command, Stdio};

use wayfare::compile::{Input, check, deployable};

use crate::support::library;

const WORLD: &str = r#"import std.cn.bank { push }

entity customer { key id : Id; phone : Text?; consent : [channel] }
entity staff { key id : Id }
event joined of customer {}
event paid of customer { amount : Money(CNY) }
content hello { via push """您好""" }
budget autumn { total 600 CNY; owner "a@bank.example" }
points stars of customer { keep 12 months; worth 0.01 CNY; limit 20 per customer per day }
points moons of customer { keep 12 months; worth 0.01 CNY; limit 20 per customer per day; budget autumn }
reward card_holder { kind coupon; value 5 CNY }
reward coffee { kind coupon; value 20 CNY; stock 1 }
budget purse "活动" { total 1_000 CNY; owner "a@bank.example"; alert 80% }
lottery spin of customer {
  open 2026-12-01..2027-02-28
  rules "pages/spin.html"
  budget purse
  chance keep 7 days
  prize bag "礼袋" { value 8 CNY; odds 1 in 2 }
}
extend customer { adviser : staff }
task call of customer { to adviser; due 2 days; result reached }
"#;

/// What the daemon lacks: how it is called, a journey or declaration with it, and the line of that page.
const LACKING: &[(&str, &str, usize)] = &[
    ("rollout", "  enter on joined\n  rollout 5%, 100% { hold 3 days }\n", 6),
    ("guardrail", "  enter on joined\n  guardrail complaint_rate < 0.1%\n", 6),
    ("migrate", "  enter on joined\n  migrate \"v1\" { gone old to end done }\n", 6),
    ("enter by list", "  enter by list\n", 5),
    (
        "referral beside events of your own called `joined` or `qualified`",
        "referral friends of customer {\n  open 2027-01-01..2027-06-30\n  link first_touch within 30 days\n  \
         qualify on paid\n  inviter gets card_holder\n  invitee gets card_holder\n  limit 10 per inviter per month\n}\n",
        1,
    ),
];

/// A page with a journey of these clauses; declarations are pages of their own.
fn page(text: &str) -> String {
    if !text.starts_with(' ') {
        return text.to_owned();
    }
    let reenter = if text.contains("reenter") { "" } else { "  reenter never\n" };
    format!(
        "import std.cn.bank {{ push, sms }}\njourney one of customer {{\n  purpose service\n  owner \"a@bank.example\"\n{text}{reenter}  send hello via push\n  end done\n}}\n"
    )
}

fn project(page: &str) -> Input {
    library::project(&[("page.journey", page), ("world.journey", WORLD)])
}

#[test]
fn what_the_daemon_lacks_is_named_where_it_stands() {
    for (name, text, line) in LACKING {
        let compilation = check(&project(&page(text)));
        let wrong: Vec<_> =
            compilation.diagnostics.iter().map(|it| format!("{} {}", it.code, it.headline)).collect();
        assert!(!compilation.has_errors(), "{text}: {wrong:?}");
        let told: Vec<(String, String)> = deployable::findings(&compilation.model)
            .iter()
            .map(|finding| {
                let (path, line) = compilation.sources.place(finding.primary.span);
                (format!("{path}:{line} {}", finding.code), finding.headline.clone())
            })
            .collect();
        let wanted = (format!("page.journey:{line} W0490"), format!("the daemon does not have `{name}` yet"));
        assert_eq!(told, [wanted], "{text}");
    }
}

#[test]
fn what_the_daemon_can_do_passes() {
    let text = "  enter on joined\n  reenter never\n  holdout 5%\n  lasts 30 days\n  goal payer on paid within 14 days from entered\n  \
                exit on paid as paid\n  grant stars amount 5 else continue\n  grant card_holder else continue\n  grant coffee else continue\n  \
                grant moons amount 5 else continue\n  draw spin else continue\n  assign call else continue\n  \
                wait for paid within 2 days else continue\n";
    let compilation = check(&project(&page(text)));
    let wrong: Vec<_> =
        compilation.diagnostics.iter().map(|it| format!("{} {}", it.code, it.headline)).collect();
    assert!(!compilation.has_errors(), "{wrong:?}");
    let told: Vec<_> = deployable::findings(&compilation.model).into_iter().map(|it| it.headline).collect();
    assert_eq!(told, [""; 0]);
}

#[test]
fn a_policy_passes() {
    let text = format!(
        "policy house {{\n  owner \"a@bank.example\"\n  consent marketing per channel\n  cap marketing 1 per customer per day\n  quiet 20:00..09:00 {{ release 50 per minute }}\n  lane duty {{ one; loser wait 2 days }}\n}}\n{}",
        page("  lane duty\n  enter on joined\n").replace("import std.cn.bank { push, sms }\n", "")
    );
    let compilation = check(&project(&format!("import std.cn.bank {{ push, sms }}\n{text}")));
    let wrong: Vec<_> =
        compilation.diagnostics.iter().map(|it| format!("{} {}", it.code, it.headline)).collect();
    assert!(!compilation.has_errors(), "{wrong:?}");
    let told: Vec<_> = deployable::findings(&compilation.model).into_iter().map(|it| it.headline).collect();
    assert_eq!(told, [""; 0]);
}

/// The exit code and both streams of `wayfare check` in a folder with this page.
fn told(page: &str, args: &[&str]) -> (Option<i32>, String) {
    let folder = tempfile::tempdir().unwrap();
    for (path, text) in [("wayfare.toml", ""), ("world.journey", WORLD), ("page.journey", page)] {
        std::fs::write(folder.path().join(path), text).unwrap();
    }
    let mut command = Command::new(env!("CARGO_BIN_EXE_wayfare"));
    command
        .arg("check")
        .args(args)
        .current_dir(folder.path())
        .env_remove("CLICOLOR_FORCE")
        .env("NO_COLOR", "1");
    let output = command.stdin(Stdio::null()).output().unwrap();
    let streams = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8(streams).unwrap())
}

#[test]
fn only_who_asks_is_refused() {
    let lacking = page(
        "  enter on joined\n  reenter never\n  guardrail complaint_rate < 0.1%\n  rollout 5%, 100% { hold 3 days }\n",
    );
    let plain = page("  enter on joined\n");
    let (code, said) = told(&lacking, &[]);
    assert_eq!(code, Some(0), "{said}");
    let (code, said) = told(&lacking, &["--deployable", "--format", "concise"]);
    assert_eq!(code, Some(1), "{said}");
    let lines: Vec<&str> = said.lines().filter(|line| line.contains("W0490")).collect();
    assert_eq!(lines.len(), 2, "{said}");
    assert!(lines[0].starts_with("page.journey:7:3") && lines[0].contains("`guardrail`"), "{said}");
    assert!(lines[1].starts_with("page.journey:8:3") && lines[1].contains("`rollout`"), "{said}");
    let (code, said) = told(&plain, &["--deployable"]);
    assert_eq!(code, Some(0), "{said}");
}
