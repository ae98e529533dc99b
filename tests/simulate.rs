//! `wayfare simulate`: a crowd tries the journeys out; stock, budgets and what is proved hold for it as for real customers.

use std::fs;
use std::sync::Arc;

use jiff::SignedDuration;
use jiff::tz::TimeZone;
use wayfare::testing::{Size, Suite, crowd};

use crate::support::command::wayfare;
use crate::support::examples;

const BANK: &str = r#"
entity customer "客户" { key id : Id; consent : [channel]; vip "贵宾" : Bool }
event payment "消费" of customer { amount : Money(CNY) }
channel push { kind push; outcomes opened; owner "retail@bank.example" }
budget autumn "秋季预算" { total 900 CNY; owner "retail@bank.example"; alert 80% }
reward coffee "咖啡券" { kind coupon; value 20 CNY; limit 2 per customer ever; budget autumn }
reward mug "马克杯" { kind gift; value 9 CNY; stock 12 }
content hello "问候" { via push """福利已到账""" }
journey coffee_for_payment "消费送咖啡" of customer {
  purpose service
  owner "retail@bank.example"
  enter on payment where amount >= 100 CNY
  reenter after 1 day
  if vip {
    grant mug { on sold_out end no_mug } else end not_given
  }
  grant coffee { on budget_gone end too_late; on limited end had_two } else end not_given
  send hello via push
  end given
}
"#;

#[test]
fn a_crowd_is_given_what_there_is_and_no_more() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("wayfare.toml"), "zone = \"Asia/Shanghai\"\n").unwrap();
    fs::write(folder.path().join("bank.journey"), BANK).unwrap();
    let run = |seed: &str, more: &[&str]| {
        let fixed =
            ["simulate", "coffee_for_payment", "--from", "2027-03-01", "--customers", "300", "--seed", seed];
        let (code, told, talk) = wayfare(folder.path(), &[&fixed[..], more].concat());
        assert_eq!((code, &*talk), (0, ""));
        told
    };
    let told = run("1", &[]);
    insta::assert_snapshot!(told);
    assert_eq!(told, run("1", &[]), "the same seed is the same crowd");
    assert_ne!(told, run("2", &[]).replace("seed 2", "seed 1"));

    let became: serde_json::Value = serde_json::from_str(&run("1", &["--json"])).unwrap();
    let taken = became["taken"].as_object().unwrap();
    let of = |account: &str| -> i64 {
        taken
            .iter()
            .filter(|(name, _)| name.starts_with(account))
            .map(|(_, taken)| taken.as_i64().unwrap())
            .sum()
    };
    let (budget, mugs) = (of("budget/autumn"), of("stock/mug"));
    assert_eq!((budget, mugs), (90_000, 12), "all of it went, and no more: {became}");
    assert_eq!(became["given"]["coffee"]["given"], 45);
    // Two coffees and one run after the other: at most what is proved of one customer.
    let most = became["cost"]["CNY"]["most"].as_i64().unwrap();
    assert!(most <= 2 * 2_000 + 12 * 900, "{became}");

    let (code, _, talk) = wayfare(folder.path(), &["simulate", "coffee_for_paymant"]);
    assert_eq!(code, 2);
    assert!(talk.contains("did you mean `coffee_for_payment`"), "{talk}");
}

/// Every journey of the repository has its crowd, and no budget is ever exceeded.
#[test]
fn no_budget_of_the_repository_is_exceeded_by_any_crowd() {
    let compilation = wayfare::compile::compile(&examples::input());
    let bundle = Arc::new(compilation.bundle.expect("the project compiles"));
    let zone = TimeZone::get("Asia/Shanghai").unwrap();
    let suite =
        Suite { model: &compilation.model, bundle: &bundle, sources: &compilation.sources, zone: &zone };
    let start = "2026-11-02T01:00:00Z".parse().unwrap();
    let lasts = SignedDuration::from_hours(24 * 60);
    let customers = if cfg!(debug_assertions) { 10 } else { 60 };
    let mut entered = 0;
    for journey in bundle.programs.keys() {
        let became = crowd(suite, *journey, Size { seed: 7, customers, start, lasts }).unwrap();
        entered += became.journeys.get(journey.as_str()).map_or(0, |runs| runs.entered);
        for (name, budget) in &bundle.values.budgets {
            let taken = became.taken.get(&format!("budget/{name}")).copied().unwrap_or_default();
            assert!(taken <= budget.total.minor, "{journey}: {taken} of {name}");
        }
    }
    assert!(entered > u64::from(customers), "{entered}");
}
