//! What the passes say of small journeys, and what they must not say.

use std::fmt::Write as _;
use std::fs;

use wayfare::analysis::facts::Facts;
use wayfare::analysis::flow::Flow;
use wayfare::analysis::liability::{Worth, liability};
use wayfare::analysis::portfolio::portfolio;
use wayfare::analysis::proof::{Verdict, prove};
use wayfare::analysis::window::most_sends;
use wayfare::compile::{Compilation, File, Input, compile};
use wayfare::diagnostic::Severity;
use wayfare::model::Journey;
use wayfare::name::Name;

/// Compiles `text` among what the journeys of the analyses live in.
fn sound(text: &str) -> Compilation {
    let world = fs::read_to_string("tests/suite/analysis/world.journey").unwrap();
    let file = |path: &str, text: &str| File { path: path.into(), package: "".into(), text: text.into() };
    let files = vec![file("world.journey", &world), file("tried.journey", text)];
    let compilation = compile(&Input { files, ..Input::default() });
    let wrong: Vec<&str> = compilation
        .diagnostics
        .iter()
        .filter(|finding| finding.severity == Severity::Error)
        .map(|finding| finding.headline.as_str())
        .collect();
    assert!(wrong.is_empty(), "{wrong:?}\n{text}");
    compilation
}

fn compiled(clauses: &str, steps: &str) -> Compilation {
    sound(&format!(
        "journey tried \"试\" of customer {{\n  purpose marketing\n  owner \"crm@bank.example\"\n  {clauses}\n\n  {steps}\n}}\n"
    ))
}

fn journey(compilation: &Compilation) -> &Journey {
    &compilation.model.journeys[&Name::new("tried")]
}

/// A policy's own automaton: what a journey hears of, and what it does behind it.
#[test]
fn what_a_policy_forbids_is_proved_or_shown() {
    let house = |until: &str| {
        format!(
            "event grumbled \"抱怨\" of customer {{ source app }}\nevent calmed \"安抚\" of customer {{ source app }}\npolicy house {{ owner \"compliance@bank.example\"; never marketing after grumbled{until} }}\n"
        )
    };
    let tried = |until: &str, steps: &str| {
        let text = format!(
            "{}journey tried \"试\" of customer {{\n  purpose marketing\n  owner \"crm@bank.example\"\n  enter on grumbled\n  reenter never\n\n  {steps}\n}}\ncontent sorry \"抱歉\" {{ via push \"\"\"我们来晚了。\"\"\" }}\n",
            house(until)
        );
        let compilation = sound(&text);
        let proof = prove(&compilation.model, journey(&compilation), &compilation.sources, None);
        let claim = proof.claims.into_iter().find(|claim| claim.id == "never_after").unwrap();
        let way = claim.witness.map(|way| way.steps.into_iter().map(|step| step.text).collect::<Vec<_>>());
        (claim.verdict, way)
    };
    let calm = "wait for calmed within 5 days else end alone\n  send sorry via push\n  end told";
    assert_eq!(tried(" until calmed", calm), (Verdict::Holds, None), "calmed on every way to the message");
    let (verdict, way) = tried("", calm);
    assert_eq!(verdict, Verdict::Open, "never again is longer than until calmed");
    assert_eq!(way.unwrap().last().unwrap(), "(calmed) send sorry via push");
    let (verdict, _) = tried(" until calmed", "send sorry via push\n  end told");
    assert_eq!(verdict, Verdict::Open, "nobody has calmed down");
}

/// Each journey of the file says itself what is the most in 1, 7 and 30 days.
#[test]
fn the_most_messages_in_a_window() {
    let text = fs::read_to_string("tests/suite/analysis/windows.journey").unwrap();
    let compilation = sound(&text);
    let mut wrong = String::new();
    let mut expected = "";
    for line in text.lines() {
        if let Some(said) = line.strip_prefix("/// ") {
            expected = said;
        } else if let Some(rest) = line.strip_prefix("journey ") {
            let name = Name::new(rest.split(' ').next().unwrap());
            let mut flow = Flow::of(&compilation.model, &compilation.model.journeys[&name]);
            Facts::of(&mut flow);
            let most = |days: i64| match most_sends(&flow, days * 86_400_000, &|_| true).most {
                Some(most) => most.to_string(),
                None => "any".to_owned(),
            };
            let found = [1, 7, 30].map(most).join(", ");
            if found != expected {
                writeln!(wrong, "{name}: {found}, not {expected}").unwrap();
            }
        }
    }
    assert_eq!(wrong, "");
}

/// The facts that are told of a message, with their ages in hours.
fn known(clauses: &str, steps: &str, step: &str) -> Vec<(String, i64)> {
    let compilation = compiled(clauses, steps);
    let mut flow = Flow::of(&compilation.model, journey(&compilation));
    let facts = Facts::of(&mut flow);
    let (at, _) = flow.messages().find(|(at, _)| flow.node(*at).unwrap().id.as_str() == step).unwrap();
    let known = facts.known(at).unwrap();
    let told = known.iter().map(|(fact, age)| (facts.mind.told(*fact).unwrap().0, age / 3_600_000));
    told.collect()
}

#[test]
fn facts_end_where_something_may_change_them() {
    let rich = "enter when aum > 100 CNY every day at 10:00\n  existing include\n  reenter never";
    let fact = |text: &str, age| vec![(format!("`{text}`"), age)];
    assert_eq!(known(rich, "send hello via push as a\n  end done", "a"), fact("aum > 100 CNY", 0));
    assert_eq!(
        known(rich, "wait 24h\n  send hello via push as a\n  end done", "a"),
        fact("aum > 100 CNY", 24)
    );
    let checked = "wait 24h\n  if aum > 100 CNY { send hello via push as a }\n  end done";
    assert_eq!(known(rich, checked, "a"), fact("aum > 100 CNY", 0));
    // The event that entered does not change any more.
    let event = "enter on signed_up where amount > 100 CNY\n  reenter never";
    let later = "wait 24h\n  send hello via push as a\n  end done";
    assert_eq!(known(event, later, "a"), fact("event.amount > 100 CNY", 0));
    // Only what every way says.
    let once = "enter on signed_up\n  reenter never";
    let both = "if vip { tag warm } else { wait 1h }\n  send hello via push as a\n  end done";
    assert_eq!(known(once, both, "a"), Vec::new());
    let tagged = "if not warm { tag warm\n    send hello via push as a }\n  end done";
    assert_eq!(known(once, tagged, "a"), Vec::new());
    // What never holds at a step, because the instance would have left.
    let leaves = "enter on signed_up\n  reenter never\n  exit when aum > 100 CNY as rich";
    assert_eq!(known(leaves, later, "a"), fact("aum <= 100 CNY", 0));
}

#[test]
fn what_is_given_is_added_up() {
    let compilation = sound(&fs::read_to_string("tests/suite/analysis/gifts.journey").unwrap());
    let yuan = |worth: &Worth| -> Vec<i64> { worth.iter().flatten().map(|(_, minor)| minor / 100).collect() };
    let told = |name: &str| {
        let journey = &compilation.model.journeys[&Name::new(name)];
        let mut flow = Flow::of(&compilation.model, journey);
        Facts::of(&mut flow);
        liability(&flow).map(|found| [&found.one_run, &found.one_customer, &found.all].map(yuan).concat())
    };
    assert_eq!(told("twice"), Some(vec![40, 40, 10_000]));
    // Whoever enters again gets no more than the limit of the reward.
    assert_eq!(told("again_and_again"), Some(vec![40, 60, 10_000]));
    assert_eq!(told("in_rounds"), Some(vec![100, 100, 10_000]));
    assert_eq!(told("nothing"), None);
}

#[test]
fn a_statement_says_what_is_proved_and_what_is_not() {
    let compilation = sound(&fs::read_to_string("tests/suite/analysis/statement.journey").unwrap());
    let journey = &compilation.model.journeys[&Name::new("stated")];
    let proof = prove(&compilation.model, journey, &compilation.sources, None);
    insta::assert_snapshot!(proof.text());
    insta::assert_snapshot!(serde_json::to_string_pretty(&proof).unwrap());
}

/// Of all journeys of a project: each number and each witness can be worked out by hand.
#[test]
fn a_portfolio_says_what_all_journeys_can_do_together() {
    let compilation = sound(&fs::read_to_string("tests/suite/analysis/portfolio.journey").unwrap());
    let portfolio = portfolio(&compilation.model, &compilation.sources);
    let marketing = portfolio.messages.iter().find(|one| one.purpose.is_some()).unwrap();
    let weekly = &marketing.windows[1];
    // Three to the rich or one to the rest, one to everybody, and one to who paid.
    assert_eq!((weekly.most, weekly.unchanged), (6, 5));
    let crowd = marketing.witness.as_ref().unwrap();
    assert_eq!((crowd.messages, crowd.decided), (5, true));
    assert!(crowd.shares.iter().all(|share| share.journey != "to_the_rest"));
    assert_eq!(marketing.unbounded, ["each_payment"]);
    let told: Vec<(&str, usize, Vec<&str>)> = portfolio
        .contests
        .iter()
        .map(|one| (one.kind, one.room, one.rivals.iter().map(|rival| rival.journey.as_str()).collect()))
        .collect();
    // Two that nobody is let in to together want nothing of one another.
    assert_eq!(
        told,
        [("lane", 1, vec!["to_the_rich", "to_all"]), ("slot", 1, vec!["shown_high", "shown_low"])]
    );
    insta::assert_snapshot!(portfolio.text());
    insta::assert_snapshot!(serde_json::to_string_pretty(&portfolio).unwrap());
}
