//! A disk that is full, and a database that is set to reading: what comes is refused clearly, nothing that was accepted
//! is lost, and the daemon goes on by itself when there is room again.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::time::{Instant, sleep};

use crate::support::alone;
use crate::support::client::{event, http, ndjson, send};
use crate::support::daemon::Project;
use crate::support::postgres::{Server, run};
use crate::support::stores::Place;
use crate::support::unprivileged::other_user;

const JOURNEYS: &str = r#"
entity customer "客户" {
  key id : Id
  consent "同意接收的渠道" : [channel]
}

event knocked "来访" of customer { }

tag seen "来过" of customer { keep 30 days }

journey notice "记录" of customer {
  purpose service
  owner "service@bank.example"
  enter on knocked
  reenter never
  tag seen
  end noticed
}
"#;

const PATIENCE: Duration = Duration::from_secs(30);
/// From the moment that there is room.
const RECOVERED: Duration = Duration::from_secs(15);
/// Customers of one request.
const WAVE: usize = 25;

/// A small file system of its own.
struct Small(TempDir);

impl Small {
    /// `None`, said aloud for `test`, where this process may not mount anything.
    fn mount(test: &str, megabytes: u32, owner: Option<u32>) -> Option<Self> {
        let small = Self(tempfile::tempdir().unwrap());
        let owner = owner.map_or(String::new(), |user| format!(",uid={user},gid={user}"));
        let options = format!("size={megabytes}m,mode=0700{owner}");
        let mut mount = Command::new("mount");
        if mount.args(["-t", "tmpfs", "-o", &options, "none"]).arg(small.path()).status_quietly() {
            return Some(small);
        }
        // Not through `eprintln!`, which is shown only when a test fails.
        let _ = writeln!(std::io::stderr(), "suite: nothing can be mounted here, skipped: {test}");
        None
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn ballast(&self) -> PathBuf {
        self.path().join("ballast")
    }

    /// Leaves no room for anything.
    fn fill(&self) {
        let mut ballast = fs::File::options().create(true).append(true).open(self.ballast()).unwrap();
        while ballast.write_all(&[7; 4_096]).is_ok() {}
    }

    fn make_room(&self) {
        fs::remove_file(self.ballast()).unwrap();
    }
}

impl Drop for Small {
    fn drop(&mut self) {
        Command::new("umount").arg("--lazy").arg(self.path()).status_quietly();
    }
}

trait Quietly {
    fn status_quietly(&mut self) -> bool;
}

impl Quietly for Command {
    fn status_quietly(&mut self) -> bool {
        self.output().is_ok_and(|output| output.status.success())
    }
}

fn people(wave: usize) -> Vec<Value> {
    let ids = (0..WAVE).map(|n| format!("C{wave:03}{n:02}"));
    let both = |id: String| {
        let known = json!({ "consent": [] });
        [
            event(&format!("known:{id}"), "wayfare.attributes", &id, &known),
            event(&format!("knock:{id}"), "knocked", &id, &json!({})),
        ]
    };
    ids.flat_map(both).collect()
}

/// Sends waves from `first` on until one is refused, and looks at the refusal. Returns how many were begun.
async fn until_refused(http: &reqwest::Client, project: &Project, first: usize, says: &str) -> usize {
    for wave in first..first + 400 {
        let url = format!("{}/v1/events", project.url());
        let request = http.post(url).header("content-type", "application/x-ndjson");
        let answer = request.body(ndjson(&people(wave))).send().await.unwrap();
        if answer.status().is_success() {
            continue;
        }
        assert_eq!(answer.status().as_u16(), 503);
        assert!(answer.headers().contains_key("retry-after"), "{:?}", answer.headers());
        assert_eq!(answer.headers()["content-type"], "application/problem+json");
        let problem: Value = answer.json().await.unwrap();
        let detail = problem["detail"].as_str().unwrap();
        assert!(detail.contains(says), "{problem}");
        assert!(problem["code"].as_str().is_some_and(|code| code.starts_with('R')), "{problem}");
        return wave + 1;
    }
    panic!("everything was taken");
}

/// Everything is refused until `remedy`, and then nothing: the daemon notices by itself.
async fn recovers(http: &reqwest::Client, project: &Project, remedy: impl AsyncFnOnce()) {
    let ready = async || {
        let look = http.get(format!("{}/readyz", project.url())).timeout(PATIENCE).send().await;
        look.unwrap().status().as_u16()
    };
    sleep(Duration::from_millis(500)).await;
    assert_eq!(ready().await, 503, "it says so");
    let alive = http.get(format!("{}/livez", project.url())).send().await.unwrap();
    assert!(alive.status().is_success(), "it is alive all the same");
    remedy().await;
    let begun = Instant::now();
    while ready().await != 200 {
        assert!(begun.elapsed() < RECOVERED, "it does not go on: {}", project.log_tail());
        sleep(Duration::from_millis(50)).await;
    }
}

/// Every wave is sent again, as a client that was refused does; nobody is missing or twice there.
async fn nothing_is_lost(http: &reqwest::Client, project: &Project, waves: usize) {
    for wave in 0..waves {
        let account = send(http, &project.url(), &people(wave)).await;
        assert_eq!((account.accepted + account.duplicates, account.rejected.len()), (2 * WAVE as u64, 0));
    }
    let books = project.books().await;
    assert_eq!(books.customers.len(), waves * WAVE);
    for (id, state) in &books.customers {
        assert_eq!(books.entries(state, "notice").len(), 1, "{id}");
    }
    assert_eq!(books.quarantined, []);
}

#[tokio::test]
async fn a_file_on_a_full_disk_goes_on_when_there_is_room() {
    let Some(small) = Small::mount("disk::a_file", 16, None) else { return };
    let _alone = alone().await;
    let (http, project) = (http(), Project::of(JOURNEYS).with_store(small.path().join("wayfare.db")));
    project.settings("", "");
    let daemon = project.start(&http).await;
    send(&http, &project.url(), &people(0)).await;
    small.fill();
    let begun = until_refused(&http, &project, 1, "disk").await;
    recovers(&http, &project, async || small.make_room()).await;
    // Again, and the daemon is killed while there is no room.
    small.fill();
    let begun = until_refused(&http, &project, begun, "disk").await;
    daemon.kill();
    small.make_room();
    let daemon = project.start(&http).await;
    nothing_is_lost(&http, &project, begun).await;
    assert!(daemon.stop().await.success(), "{}", project.log_tail());
}

#[tokio::test]
async fn a_server_without_room_or_set_to_reading_is_waited_for() {
    let Some(server) = Server::own("disk::a_server") else { return };
    let Some(small) = Small::mount("disk::a_server", 32, other_user()) else { return };
    let _alone = alone().await;
    let admin = server.url("postgres");
    let writing = format!("{admin}&options=-c%20default_transaction_read_only%3Doff");
    run(&admin, &format!("CREATE TABLESPACE small LOCATION '{}'", small.path().display())).await;
    run(&admin, "CREATE DATABASE cramped TABLESPACE small TEMPLATE template0").await;
    let (http, project) = (http(), Project::of(JOURNEYS).on(Place::Database(server.url("cramped"))));
    project.settings("", "");
    let daemon = project.start(&http).await;
    send(&http, &project.url(), &people(0)).await;

    small.fill();
    let begun = until_refused(&http, &project, 1, "disk").await;
    recovers(&http, &project, async || small.make_room()).await;

    run(&writing, "ALTER SYSTEM SET default_transaction_read_only = on").await;
    run(&writing, "SELECT pg_reload_conf()").await;
    let begun = until_refused(&http, &project, begun, "reading").await;
    recovers(&http, &project, async || {
        run(&writing, "ALTER SYSTEM RESET default_transaction_read_only").await;
        run(&writing, "SELECT pg_reload_conf()").await;
    })
    .await;
    nothing_is_lost(&http, &project, begun).await;
    assert!(daemon.stop().await.success(), "{}", project.log_tail());
}
