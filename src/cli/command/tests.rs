//! Commands that talk to a daemon, against its real door.

use std::path::Path;

use clap::Parser;
use serde_json::{Value as Json, json};

use crate::cli::args::Args;
use crate::cli::{Exit, Output};
use crate::engine::SubmitError;
use crate::http::fake::{MAX_BODY, Running, start_with};

/// What a command line ended in and what it said.
fn wayfare(line: &[&str]) -> (Exit, String) {
    let args = Args::try_parse_from(["wayfare"].iter().chain(line)).unwrap();
    let (output, said) = Output::kept();
    let exit = args.command.run(&output).unwrap_or_else(|failure| failure.tell(&output));
    let said = said.lock().unwrap().clone();
    (exit, String::from_utf8(said).unwrap())
}

/// A daemon on a thread of its own, until the test ends.
struct Daemon {
    runtime: tokio::runtime::Runtime,
    door: Option<Running>,
}

impl Daemon {
    fn start(token: Option<&str>, trouble: Vec<SubmitError>) -> Self {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let door = Some(runtime.block_on(start_with(token, MAX_BODY, trouble)));
        Self { runtime, door }
    }

    fn server(&self) -> String {
        format!("--server=http://{}", self.door.as_ref().unwrap().address)
    }

    fn ids(&self) -> Vec<String> {
        self.door.as_ref().unwrap().memory.ids()
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        if let Some(door) = self.door.take() {
            let _ = door.stop.send(());
            let _ = self.runtime.block_on(door.task);
        }
    }
}

fn payment(id: &str) -> Json {
    json!({
        "specversion": "1.0", "source": "urn:bank:core", "id": id, "type": "payment", "subject": "C-17",
        "data": {"amount": 1},
    })
}

/// The talk with the folder and the daemon's address taken out.
fn plain(said: &str, folder: &Path, daemon: &Daemon) -> String {
    let address = daemon.door.as_ref().unwrap().address.to_string();
    said.replace(&folder.display().to_string(), "[folder]").replace(&address, "[address]")
}

#[test]
fn events_are_sent_and_refusals_named_by_line() {
    let (daemon, folder) = (Daemon::start(None, vec![SubmitError::Busy]), tempfile::tempdir().unwrap());
    let file = folder.path().join("events.ndjson");
    let mut text: String = (0..2_500)
        .flat_map(|number| [payment(&format!("{number:04}")).to_string(), "\n".to_owned()])
        .collect();
    text += "\n{broken\n";
    text += &payment("x").to_string().replace("payment", "paymnet");
    std::fs::write(&file, &text).unwrap();
    let line = ["events", "send", file.to_str().unwrap(), &daemon.server()];
    let (exit, said) = wayfare(&line);
    assert_eq!(exit, Exit::Findings);
    insta::assert_snapshot!(plain(&said, folder.path(), &daemon));
    assert_eq!(daemon.ids().len(), 2_500);
    std::fs::write(&file, payment("0001").to_string()).unwrap();
    assert_eq!(wayfare(&line), (Exit::Clean, "0 events taken, 1 known before\n".to_owned()));
}

#[test]
fn a_json_document_is_an_event_or_an_array_of_them() {
    let (daemon, folder) = (Daemon::start(None, Vec::new()), tempfile::tempdir().unwrap());
    let file = folder.path().join("events.json");
    let line = ["events", "send", file.to_str().unwrap(), &daemon.server()];
    std::fs::write(&file, serde_json::to_string_pretty(&payment("a")).unwrap()).unwrap();
    assert_eq!(wayfare(&line), (Exit::Clean, "1 event taken\n".to_owned()));
    std::fs::write(&file, json!([payment("b"), 5, payment("c")]).to_string()).unwrap();
    let (exit, said) = wayfare(&line);
    assert_eq!(exit, Exit::Findings);
    assert!(said.contains("events.json: event 2: expected an event"), "{said}");
    assert_eq!(daemon.ids(), ["a", "b", "c"]);
    std::fs::write(&file, "[").unwrap();
    assert_eq!(wayfare(&line).0, Exit::Usage);
}

#[test]
fn customers_are_imported_and_bad_rows_named_by_line() {
    let (daemon, folder) = (Daemon::start(None, Vec::new()), tempfile::tempdir().unwrap());
    let file = folder.path().join("客户 1.csv");
    let rows = "id,name,tier,consent,balance,colour\r\nC-1,王芳,gold,push|sms,50000.00,red\r\n\r\nC-2,x,bronze,,,\r\nC-3,x\r\n";
    std::fs::write(&file, rows).unwrap();
    let line = ["customers", "import", file.to_str().unwrap(), &daemon.server()];
    let (exit, said) = wayfare(&line);
    assert_eq!(exit, Exit::Findings);
    insta::assert_snapshot!(plain(&said, folder.path(), &daemon));
    assert_eq!(daemon.ids().len(), 1);
    let (_, again) = wayfare(&line);
    assert!(again.ends_with("0 rows taken, 1 known before, 2 refused\n"), "{again}");
    std::fs::write(&file, "name\nx\n").unwrap();
    let (exit, said) = wayfare(&line);
    assert_eq!(exit, Exit::Usage);
    assert!(said.contains("the column `id` is missing") && said.contains("wayfare explain R0121"), "{said}");
}

#[test]
fn consents_and_lists_are_imported_once_whatever_the_file_is_called() {
    let (daemon, folder) = (Daemon::start(None, Vec::new()), tempfile::tempdir().unwrap());
    let file = |name: &str, rows: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, rows).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let rows = "id,given,time,channel,purpose,wording\n\
        C-1,true,2026-03-01T10:00:00+08:00,push,marketing,2026-03\n\
        C-2,no idea,2026-03-01T10:00:00+08:00,push,,\n\
        C-3,false,,,,\n\
        C-4,false,2026-03-02T10:00:00+08:00,pigeon,,\n\
        C-5,false,2026-03-02T10:00:00+08:00,,marketing,\n";
    let (exit, said) = wayfare(&["customers", "consents", &file("march.csv", rows), &daemon.server()]);
    assert_eq!(exit, Exit::Findings);
    insta::assert_snapshot!(plain(&said, folder.path(), &daemon));
    let (_, again) = wayfare(&["customers", "consents", &file("copy.csv", rows), &daemon.server()]);
    assert!(again.ends_with("0 rows taken, 2 known before, 3 refused\n"), "{again}");

    let rows = "id,list,channel,until\nC-1,complaints,sms,2027-01-01T00:00:00+08:00\nC-2,,,\n";
    let (exit, said) = wayfare(&["customers", "lists", &file("list.csv", rows), &daemon.server()]);
    assert_eq!(exit, Exit::Findings);
    assert!(said.contains("list.csv:3: `list` (Text) is missing"), "{said}");
    assert!(said.ends_with("1 row taken, 1 refused\n"), "{said}");
    let (exit, said) =
        wayfare(&["customers", "consents", &file("bad.csv", "id,given\nC-1,true\n"), &daemon.server()]);
    assert_eq!(exit, Exit::Usage);
    assert!(said.contains("columns of required fields are missing: `time`"), "{said}");
}

#[test]
fn nobody_there_and_no_token_are_told_with_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("events.ndjson");
    std::fs::write(&file, payment("a").to_string()).unwrap();
    let daemon = Daemon::start(Some("0123456789abcdef"), Vec::new());
    let send = |extra: &str| wayfare(&["events", "send", file.to_str().unwrap(), &daemon.server(), extra]);
    let (exit, said) = send("--color=never");
    assert_eq!(exit, Exit::Usage);
    assert!(said.contains("R0202") && said.contains("--token-file"), "{said}");
    let token = folder.path().join("token");
    std::fs::write(&token, "0123456789abcdef\n").unwrap();
    assert_eq!(send(&format!("--token-file={}", token.display())).0, Exit::Clean);
    let server = daemon.server();
    drop(daemon);
    let (exit, said) = wayfare(&["events", "send", file.to_str().unwrap(), &server]);
    assert_eq!(exit, Exit::Unreachable);
    assert!(said.contains("cannot be reached") && said.contains("wayfare run"), "{said}");
}
