use super::*;

const WORLD: &str = "\
entity customer { key id : Id; consent : [channel] }
channel push { kind push }
event signed_up of customer { key id : Id }
content hello { via push { title \"你好\"; body \"\"\"欢迎。\"\"\" } }
";

const WELCOME: &str = "
journey welcome of customer {
  purpose service
  owner \"crm@bank.example\"
  enter on signed_up
  reenter never
  send hello via push
  wait 2 days
  end greeted
}
";

fn input(files: &[(&str, &str)]) -> Input {
    let file =
        |&(path, text): &(&str, &str)| File { path: path.into(), package: "".into(), text: text.into() };
    Input { files: files.iter().map(file).collect(), ..Input::default() }
}

fn hashes(files: &[(&str, &str)]) -> (Arc<str>, Arc<str>) {
    let compilation = compile(&input(files));
    let told: Vec<&str> = compilation.diagnostics.iter().map(|finding| finding.headline.as_str()).collect();
    let bundle = compilation.bundle.unwrap_or_else(|| panic!("{told:?}"));
    (bundle.programs[&Name::new("welcome")].hash.clone(), bundle.hash)
}

#[test]
fn neither_names_nor_places_of_files_change_a_hash() {
    let before = hashes(&[("model.journey", WORLD), ("welcome.journey", WELCOME)]);
    let other = WELCOME.replace("journey welcome of", "journey goodbye of");
    assert_eq!(
        hashes(&[("a/b.journey", WELCOME), ("model.journey", WORLD)]),
        before,
        "another order and name"
    );
    let one_file = format!("// A comment.\n\n{WELCOME}\n{WORLD}");
    assert_eq!(hashes(&[("all.journey", &one_file)]), before, "moved to the top of another file");
    let more = hashes(&[("all.journey", &format!("{WORLD}{other}{WELCOME}"))]);
    assert_eq!(more.0, before.0, "a neighbour changes no program");
    assert_ne!(more.1, before.1, "but it does change the bundle");
}

#[test]
fn a_step_changes_the_program_and_copy_only_the_bundle() {
    let before = hashes(&[("model.journey", WORLD), ("welcome.journey", WELCOME)]);
    let longer = WELCOME.replace("2 days", "3 days");
    assert_ne!(hashes(&[("model.journey", WORLD), ("welcome.journey", &longer)]).0, before.0);
    let reworded = WORLD.replace("欢迎。", "欢迎您。");
    let after = hashes(&[("model.journey", &reworded), ("welcome.journey", WELCOME)]);
    assert_eq!(after.0, before.0);
    assert_ne!(after.1, before.1);
}

#[test]
fn mistakes_of_all_phases_are_told_in_one_run() {
    let wrong = WELCOME.replace("  end greeted\n", "");
    let second = WELCOME.replace("journey welcome", "journey second").replace("signed_up", "signed_of");
    let third = "tag x of customer { keep for 3 days }\n";
    let files =
        [("model.journey", WORLD), ("a.journey", &wrong), ("b.journey", &second), ("c.journey", third)];
    let compilation = compile(&input(&files));
    let told: Vec<String> = compilation
        .diagnostics
        .iter()
        .map(|finding| format!("{} {}", compilation.sources.place(finding.primary.span).0, finding.code))
        .collect();
    assert_eq!(told, ["a.journey E0451", "b.journey E0202", "c.journey E0101"]);
    assert!(compilation.bundle.is_none());
    let graphs: Vec<Name> = compilation.graphs.keys().copied().collect();
    assert_eq!(graphs, [Name::new("welcome")], "the journey with an unknown event has no graph");
}

const BANK: &str = "\
calendar bank { file \"days.csv\"; covers 2026-01-01..2027-12-31 }
entity customer { key id : Id; consent : [channel]; due : Date?; calendar bank }
";

const DAYS: &str = "date,kind,name\n2026-10-01,holiday,国庆节\n2027-01-01,provisional,尚未公布\n";

/// Codes said of a journey that somebody enters on `today`.
fn said(journey: &str, today: Option<Date>) -> (Vec<&'static str>, bool) {
    let text = format!("{BANK}\n{journey}");
    let days = (Arc::from("bank.journey"), Arc::from("days.csv"));
    let named = BTreeMap::from([(days, Arc::from(DAYS))]);
    let compilation = compile(&Input { named, today, ..input(&[("bank.journey", &text)]) });
    let codes = compilation.diagnostics.iter().map(|finding| finding.code.as_str()).collect();
    (codes, compilation.bundle.is_some())
}

fn reminder(length: &str, more: &str) -> String {
    format!(
        "journey reminder of customer {{
  purpose service
  owner \"o@bank.example\"
  enter on 5 {length} before due at 10:00
  reenter per occurrence
  {more}
  wait 20 days
  end reminded
}}"
    )
}

#[test]
fn a_journey_that_outlives_its_calendar_is_refused() {
    let day = |year, month, day| Some(jiff::civil::date(year, month, day));
    let workdays = reminder("workdays", "");
    assert_eq!(said(&workdays, None), (vec![], true), "nobody asks");
    assert_eq!(said(&workdays, day(2026, 6, 1)), (vec![], true));
    assert_eq!(said(&workdays, day(2026, 11, 1)), (vec![], true));
    assert_eq!(said(&workdays, day(2026, 12, 20)), (vec!["W0331"], true), "2027 is a guess");
    assert_eq!(said(&workdays, day(2027, 10, 1)), (vec!["W0331"], true));
    assert_eq!(said(&workdays, day(2027, 11, 20)), (vec!["E0336"], false), "not thirty days left");
    assert_eq!(said(&reminder("days", ""), day(2027, 11, 20)), (vec![], true), "no workdays");
    assert_eq!(said(&reminder("workdays", "lasts 2 days"), day(2027, 11, 1)), (vec!["W0331"], true));
    let mondays =
        reminder("days", "").replace("wait 20 days", "repeat 1..3 every monday at 10:00 { wait 1 day }");
    assert_eq!(said(&mondays, day(2026, 12, 20)), (vec![], true), "Mondays are no workdays");
    let closed = reminder("workdays", "open 2026-01-01..2027-10-31");
    assert_eq!(said(&closed, day(2027, 11, 20)), (vec![], true), "nobody enters any more");
}

/// The workdays of an employer are counted on the employer's calendar, which may end before the customer's.
#[test]
fn the_calendar_of_somebody_else_is_looked_at_too() {
    let text = "\
calendar bank { file \"days.csv\"; covers 2026-01-01..2029-12-31 }
calendar firms { file \"days.csv\"; covers 2026-01-01..2026-12-31 }
entity customer { key id : Id; consent : [channel]; due : Date?; employer : employer; calendar bank }
entity employer { key id : Id; calendar firms; anchor payday every month on day 10 roll back }
event joined of customer { key id : Id }
";
    let told = |entry: &str, step: &str, today: &str| {
        let page = format!(
            "{text}journey paid of customer {{\n  purpose service\n  owner \"o@bank.example\"\n  enter on {entry}\n  \
             reenter after 1 day\n  {step}\n  wait 20 days\n  end paid\n}}\n"
        );
        let days = (Arc::from("bank.journey"), Arc::from("days.csv"));
        let named = BTreeMap::from([(days, Arc::from("date,kind,name\n2026-10-01,holiday,国庆节\n"))]);
        let today = today.parse().ok();
        let compilation = compile(&Input { named, today, ..input(&[("bank.journey", &page)]) });
        let said = compilation.diagnostics.iter().map(|it| format!("{} {}", it.code, it.headline));
        said.collect::<Vec<_>>()
    };
    let ends = ["E0336 `paid` may need workdays of `firms` that are not known"];
    assert_eq!(told("employer.payday at 10:00", "", "2026-12-20"), ends);
    assert_eq!(told("joined", "wait until employer.payday at 10:00", "2026-12-20"), ends);
    assert_eq!(told("joined", "wait until employer.payday at 10:00", "2026-06-20"), [""; 0]);
    assert_eq!(told("joined", "wait 3 workdays", "2026-12-20"), [""; 0], "its own calendar goes on");
}
