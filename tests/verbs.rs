//! `check`, `graph` and `build` as they are typed: what goes where, and what the exit code says.

use std::fs;

use crate::support::command::transcript;

const WORLD: &str = "\
entity customer \"客户\" { key id : Id; consent : [channel]; loan_limit : Money(CNY)? }
channel push { kind push; receipt within 10min }
event signed_up \"注册\" of customer { key id : Id }
content hello \"问候\" { via push { title \"你好\"; body \"\"\"欢迎。\"\"\" } }
";

const WELCOME: &str = "\
journey welcome \"欢迎\" of customer {
  purpose service
  owner \"crm@bank.example\"
  enter on signed_up
  reenter never
  send hello via push
  end greeted
}
";

/// Six mistakes: a grammar slip, an unknown name, a wrong type, a missing clause, a dead step, a path without an end.
const SIX: &str = "\
tag vip of customer { keep for 30 days }

journey first \"一\" of customer {
  purpose service
  owner \"crm@bank.example\"
  enter on signed_upp
  reenter never
  send hello via push
  end greeted
}

journey second \"二\" of customer {
  purpose service
  owner \"crm@bank.example\"
  enter on signed_up
  reenter never
  if loan_limit > 5 { end rich }
  end poor
}

journey third \"三\" of customer {
  purpose service
  owner \"crm@bank.example\"
  enter on signed_up
  send hello via push
  end greeted
}

journey fourth \"四\" of customer {
  purpose service
  owner \"crm@bank.example\"
  enter on signed_up
  reenter never
  end early
  send hello via push
}

journey fifth \"五\" of customer {
  purpose service
  owner \"crm@bank.example\"
  enter on signed_up
  reenter never
  send hello via push { on no_consent end refused }
}
";

fn project(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("wayfare.toml"), "").unwrap();
    for (path, text) in files {
        fs::write(folder.path().join(path), text).unwrap();
    }
    folder
}

#[test]
fn six_mistakes_are_six_findings_in_one_run() {
    let folder = project(&[("model.journey", WORLD), ("six.journey", SIX)]);
    insta::assert_snapshot!(transcript(folder.path(), &["check", "--format", "concise"]));
    insta::assert_snapshot!(transcript(folder.path(), &["check"]));
}

#[test]
fn findings_are_shown_for_what_was_asked() {
    let broken = WELCOME.replace("  end greeted\n", "");
    let folder = project(&[("model.journey", WORLD), ("a.journey", &broken)]);
    insta::assert_snapshot!(transcript(folder.path(), &["check", "model.journey"]));
    insta::assert_snapshot!(transcript(folder.path(), &["check", "a.journey", "--format", "github"]));
    insta::assert_snapshot!(transcript(folder.path(), &["check", "nowhere.journey"]));
}

#[test]
fn graphs_and_bundles_need_journeys_without_errors() {
    let folder = project(&[("model.journey", WORLD), ("welcome.journey", WELCOME)]);
    insta::assert_snapshot!(transcript(folder.path(), &["check"]));
    insta::assert_snapshot!(transcript(folder.path(), &["graph", "welcome", "--format", "dot"]));
    insta::assert_snapshot!(transcript(folder.path(), &["graph", "welcom"]));
    let built = transcript(folder.path(), &["build", "-o", "bundle.json"]);
    let text = fs::read_to_string(folder.path().join("bundle.json")).unwrap();
    let bundle: wayfare::program::Bundle = serde_json::from_str(&text).unwrap();
    assert_eq!(
        built,
        format!("$ wayfare build -o bundle.json\nexit: 0\n--- stdout\n{}\n--- stderr\n", bundle.hash)
    );
    let programs: Vec<&str> = bundle.programs.keys().map(|name| name.as_str()).collect();
    assert_eq!(programs, ["welcome"]);

    fs::write(folder.path().join("welcome.journey"), WELCOME.replace("  end greeted\n", "")).unwrap();
    let refused = transcript(folder.path(), &["build", "-o", "bundle.json"]);
    assert!(refused.contains("exit: 1\n--- stdout\n--- stderr\n") && refused.contains("E0451"), "{refused}");
    assert_eq!(fs::read_to_string(folder.path().join("bundle.json")).unwrap(), text, "the old bundle stays");
}

#[test]
fn what_is_proved_of_a_journey_is_printed_and_of_all_together() {
    let second =
        WELCOME.replace("journey welcome", "journey again").replace("reenter never", "reenter after 30 days");
    let folder =
        project(&[("model.journey", WORLD), ("welcome.journey", WELCOME), ("again.journey", &second)]);
    insta::assert_snapshot!(transcript(folder.path(), &["prove", "again"]));
    insta::assert_snapshot!(transcript(folder.path(), &["prove"]));
    insta::assert_snapshot!(transcript(folder.path(), &["prove", "welcom"]));

    let statement = transcript(folder.path(), &["prove", "welcome", "--json"]);
    let (_, rest) = statement.split_once("exit: 0\n--- stdout\n").expect("it is told");
    let (document, talk) = rest.split_once("--- stderr\n").unwrap();
    let document: serde_json::Value = serde_json::from_str(document).unwrap();
    assert_eq!((document["journey"].as_str(), talk), (Some("welcome"), ""), "{document}");

    fs::write(folder.path().join("again.journey"), second.replace("  end greeted\n", "")).unwrap();
    let refused = transcript(folder.path(), &["prove", "again"]);
    assert!(refused.contains("exit: 1\n--- stdout\n--- stderr\n") && refused.contains("E0451"), "{refused}");
}
