//! `wayfare check --watch` on real files: the last result told is that of the files as they are, however they came.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

const WORLD: &str = "\
entity customer { key id : Id; consent : [channel] }
channel push { kind push }
event signed_up of customer { source app }
content hello { via push { title \"你好\"; body \"\"\"欢迎。\"\"\" } }
";

/// Far more than a busy machine needs.
const PATIENCE: Duration = Duration::from_mins(1);

struct Watched {
    child: Child,
    lines: Receiver<String>,
}

impl Watched {
    fn start(folder: &Path) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_wayfare"));
        command.args(["check", "--watch"]).arg(folder).env("NO_COLOR", "1").stdin(Stdio::null());
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let (sender, lines) = channel();
        let talk = BufReader::new(child.stderr.take().unwrap());
        std::thread::spawn(move || {
            for line in talk.lines().map_while(Result::ok) {
                let _ = sender.send(line);
            }
        });
        Self { child, lines }
    }

    /// Waits until `wanted` is told; what is told before it is not a mistake, since saves come in several parts.
    fn tells(&self, wanted: &str) {
        let mut told = Vec::new();
        while let Ok(line) = self.lines.recv_timeout(PATIENCE) {
            if line.contains(wanted) {
                return;
            }
            told.push(line);
        }
        panic!("`{wanted}` was not told, but {told:#?}");
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn journey(name: &str) -> String {
    format!(
        "journey {name} of customer {{\n  purpose service\n  owner \"a@bank.example\"\n  enter on signed_up\n  reenter never\n  send hello via push\n  end greeted\n}}\n"
    )
}

#[test]
fn every_way_of_saving_is_seen() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    fs::write(root.join("wayfare.toml"), "").unwrap();
    fs::write(root.join("model.journey"), WORLD).unwrap();
    fs::write(root.join("one.journey"), journey("one")).unwrap();
    let watched = Watched::start(root);
    watched.tells("checked 1 journey in 2 files");
    watched.tells("watching");

    fs::write(root.join("one.journey"), journey("one").replace("hello", "helo")).unwrap();
    watched.tells("1 error");
    // As editors save: beside it, then over it.
    fs::write(root.join("one.journey.tmp"), journey("one")).unwrap();
    fs::rename(root.join("one.journey.tmp"), root.join("one.journey")).unwrap();
    watched.tells("checked 1 journey in 2 files");

    let text = journey("two");
    fs::write(root.join("two.journey"), &text[..text.len() / 2]).unwrap();
    watched.tells("error");
    fs::write(root.join("two.journey"), &text).unwrap();
    watched.tells("checked 2 journeys in 3 files");

    fs::rename(root.join("two.journey"), root.join("zwei.journey")).unwrap();
    fs::write(root.join("three.journey"), journey("three")).unwrap();
    watched.tells("checked 3 journeys in 4 files");

    // A folder is a package: what it needs of another package it has to bring along.
    let own = WORLD
        .replace("customer", "member")
        .replace("channel push", "channel bell")
        .replace("via push", "via bell");
    let own = own.replace("signed_up", "joined").replace("hello", "hi");
    let four = journey("four").replace("customer", "member").replace("push", "bell");
    let four = four.replace("signed_up", "joined").replace("hello", "hi");
    fs::create_dir_all(root.join("deep/below")).unwrap();
    fs::write(root.join("deep/below/four.journey"), format!("{own}{four}")).unwrap();
    watched.tells("checked 4 journeys in 5 files");
    fs::rename(root.join("deep"), root.join("moved")).unwrap();
    fs::remove_file(root.join("zwei.journey")).unwrap();
    watched.tells("checked 3 journeys in 4 files");

    // Half a character: what cannot be read is told, and the next save is seen.
    fs::write(root.join("one.journey"), [b'/', b'/', 0xe6]).unwrap();
    watched.tells("cannot read");
    fs::remove_dir_all(root.join("moved")).unwrap();
    fs::write(root.join("one.journey"), journey("one")).unwrap();
    watched.tells("checked 2 journeys in 3 files");

    for file in ["one", "three", "model"] {
        fs::remove_file(root.join(format!("{file}.journey"))).unwrap();
    }
    watched.tells("there is no `.journey` file");
    fs::write(root.join("model.journey"), format!("{WORLD}{}", journey("one"))).unwrap();
    watched.tells("checked 1 journey in 1 file");
}
