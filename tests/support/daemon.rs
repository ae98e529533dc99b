//! `wayfare run` as a process of its own, on a folder of its own: started, killed, stopped and started again.

use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::Duration;

use tempfile::TempDir;
use tokio::time::{Instant, sleep};
use wayfare::store::{PostgresStore, SqliteStore};

use super::books::Books;
use super::examples;
use super::stores::Place;

/// How long a daemon may take to be ready, catching up not included.
const READY: Duration = Duration::from_secs(30);
const STOPPED: Duration = Duration::from_secs(30);
const LOOK: Duration = Duration::from_secs(2);
/// Lines of its log that a failed test shows.
const SHOWN: usize = 60;

/// A folder with journeys and settings, its store in it unless it is [`on`](Project::on) a server.
pub(crate) struct Project {
    folder: TempDir,
    port: u16,
    /// The URL of its database.
    server: Option<String>,
    /// The file of its store, where it is elsewhere.
    file: Option<PathBuf>,
}

impl Project {
    /// The worked examples of this repository, without their settings.
    pub(crate) fn of_examples() -> Self {
        let folder = examples::folder();
        let project = Self::empty();
        for name in examples::EXAMPLES {
            let file = format!("{name}.journey");
            fs::copy(folder.join(&file), project.path().join(&file)).unwrap();
        }
        project
    }

    /// One file of journeys.
    pub(crate) fn of(text: &str) -> Self {
        let project = Self::empty();
        fs::write(project.path().join("main.journey"), text).unwrap();
        project
    }

    fn empty() -> Self {
        Self { folder: tempfile::tempdir().unwrap(), port: free_port(), server: None, file: None }
    }

    /// With its store in this file.
    pub(crate) fn with_store(mut self, file: PathBuf) -> Self {
        self.file = Some(file);
        self
    }

    /// With its store on the server, if `place` is one.
    pub(crate) fn on(mut self, place: Place) -> Self {
        if let Place::Database(url) = place {
            self.server = Some(url);
        }
        self
    }

    /// What the store says, also beside a daemon that writes it.
    pub(crate) async fn books(&self) -> Books {
        match &self.server {
            None => Books::read(SqliteStore::open_reader(&self.store()).await.unwrap().shared()).await,
            Some(url) => Books::read(PostgresStore::open_reader(url).await.unwrap().shared()).await,
        }
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn store(&self) -> PathBuf {
        self.file.clone().unwrap_or_else(|| self.path().join("wayfare.db"))
    }

    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Writes `wayfare.toml`: `server` are more lines of `[server]`, `rest` is whatever else.
    pub(crate) fn settings(&self, server: &str, rest: &str) {
        self.settings_on(&format!("127.0.0.1:{}", self.port), server, rest);
    }

    pub(crate) fn settings_on(&self, listen: &str, server: &str, rest: &str) {
        let file = || self.file.as_ref().map(|file| format!("sqlite:{}", file.display()));
        let store = self.server.clone().or_else(file).unwrap_or_else(|| "sqlite:wayfare.db".to_owned());
        let text = format!(
            "zone = \"Asia/Shanghai\"\n[store]\nurl = \"{store}\"\n\
             [server]\nlisten = \"{listen}\"\n{server}\n{rest}\n"
        );
        fs::write(self.path().join("wayfare.toml"), text).unwrap();
    }

    /// The binary in this folder, its talk appended to the log.
    pub(crate) fn wayfare(&self, args: &[&str]) -> Command {
        let log = || fs::File::options().create(true).append(true).open(self.log()).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_wayfare"));
        command.args(args).current_dir(self.path()).env("NO_COLOR", "1").stdin(Stdio::null());
        command.stdout(log()).stderr(log());
        command
    }

    /// Starts the daemon and waits until it is ready.
    pub(crate) async fn start(&self, http: &reqwest::Client) -> Daemon<'_> {
        self.launch().ready(http).await
    }

    /// Starts the daemon, which may have to wait for another one.
    pub(crate) fn launch(&self) -> Daemon<'_> {
        Daemon { project: self, child: self.wayfare(&["run"]).spawn().unwrap() }
    }

    /// The end of what its daemons said.
    pub(crate) fn log_tail(&self) -> String {
        let text = fs::read(self.log()).unwrap_or_default();
        let text = String::from_utf8_lossy(&text).into_owned();
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(SHOWN)..].join("\n")
    }

    fn log(&self) -> PathBuf {
        self.path().join("daemon.log")
    }
}

impl Drop for Project {
    fn drop(&mut self) {
        if std::thread::panicking() {
            println!("--- the daemon's log, its last {SHOWN} lines\n{}\n---", self.log_tail());
        }
    }
}

/// A running daemon; killed when dropped.
pub(crate) struct Daemon<'a> {
    project: &'a Project,
    child: Child,
}

impl Daemon<'_> {
    /// Waits until it answers.
    pub(crate) async fn ready(mut self, http: &reqwest::Client) -> Self {
        let until = Instant::now() + READY;
        let ready = format!("{}/readyz", self.project.url());
        loop {
            // One that stands by has its port and answers nothing.
            if let Ok(answer) = http.get(&ready).timeout(LOOK).send().await
                && answer.status().is_success()
            {
                return self;
            }
            let ended = self.child.try_wait().unwrap();
            assert!(ended.is_none(), "the daemon ended at once: {ended:?}");
            assert!(Instant::now() < until, "the daemon was not ready in {READY:?}");
            sleep(Duration::from_millis(20)).await;
        }
    }

    /// SIGSTOP or SIGCONT.
    pub(crate) fn signal(&self, name: &str) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args([&format!("-{name}"), &pid]).status().unwrap().success());
    }

    /// What it ends with, by itself.
    pub(crate) async fn ended(mut self) -> ExitStatus {
        let until = Instant::now() + STOPPED;
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            assert!(Instant::now() < until, "the daemon did not stop: {}", self.project.log_tail());
            sleep(Duration::from_millis(20)).await;
        }
    }

    /// SIGKILL: no chance to tidy up.
    pub(crate) fn kill(mut self) {
        self.end();
    }

    /// SIGTERM, and what it ended with.
    pub(crate) async fn stop(self) -> ExitStatus {
        self.signal("TERM");
        self.ended().await
    }

    fn end(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Daemon<'_> {
    fn drop(&mut self) {
        self.end();
    }
}

/// A port below those that the system hands out for connections, so that a restarted daemon finds it free again.
fn free_port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let first = u16::try_from(std::process::id() * 16 % 10_000).unwrap();
    for _ in 0..10_000 {
        let port = 20_000 + (first + NEXT.fetch_add(1, Ordering::Relaxed)) % 10_000;
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
    panic!("no free port");
}
