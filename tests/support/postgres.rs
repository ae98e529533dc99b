//! A PostgreSQL server of our own, thrown away at the end: one for the whole process, a database for each test.
//!
//! A shell watches over it. It waits for the end of its input, which comes when this process ends, however it ends;
//! then it stops the server and deletes the folder. Without server programs the tests that need them say so and pass.

#![expect(clippy::disallowed_methods, reason = "whether another program has come up, only the clock tells")]

use std::fs;
use std::io::Write;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{ChildStdin, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::sleep;
use std::time::{Duration, Instant};

use sqlx::{AssertSqlSafe, Connection, PgConnection};

use super::unprivileged::other_user;

const STARTED: Duration = Duration::from_mins(1);
/// Nothing here outlives the process, so nothing needs to reach the disk.
const WATCH: &str = r#"
trap '' INT TERM HUP
"$1/initdb" -D data -U wayfare -A trust -E UTF8 --locale=C --no-sync </dev/null >log 2>&1
"$1/postgres" -D data -k "$PWD" -h '' -c fsync=off -c synchronous_commit=off -c full_page_writes=off \
  -c max_connections=300 -c shared_buffers=64MB -c 'log_line_prefix=%d ' </dev/null >>log 2>&1 &
read -r _
kill -QUIT $!
wait $!
rm -rf "$PWD"
"#;

/// The same for one that is killed: it is started again at once, and what it has acknowledged outlives it.
const WATCH_AGAIN: &str = r#"
trap '' INT TERM HUP
"$1/initdb" -D data -U wayfare -A trust -E UTF8 --locale=C --no-sync </dev/null >log 2>&1
while [ ! -e ended ]; do
  "$1/postgres" -D data -k "$PWD" -h '' -c fsync=off -c full_page_writes=off \
    -c max_connections=300 -c shared_buffers=64MB -c 'log_line_prefix=%d ' </dev/null >>log 2>&1
  sleep 0.3
done &
read -r _
touch ended
kill -QUIT "$(head -n 1 data/postmaster.pid)"
wait $!
rm -rf "$PWD"
"#;

/// A running server.
pub(crate) struct Server {
    /// Its socket, its data and its log.
    folder: PathBuf,
    /// The server lives as long as this is open.
    _alive: ChildStdin,
}

/// The server; `None`, said aloud for `test`, where there are no programs to run one.
pub(crate) fn server(test: &str) -> Option<&'static Server> {
    static SERVER: OnceLock<Option<Server>> = OnceLock::new();
    let server = SERVER.get_or_init(|| programs().map(|programs| Server::start(&programs, WATCH)));
    if server.is_none() {
        skipped(test);
    }
    server.as_ref()
}

fn skipped(test: &str) {
    // Not through `eprintln!`, which is shown only when a test fails.
    let _ = writeln!(std::io::stderr(), "suite: PostgreSQL is not here, skipped: {test}");
}

impl Server {
    /// One that nobody else uses, so that it may be killed; as [`server`].
    pub(crate) fn own(test: &str) -> Option<Self> {
        let server = programs().map(|programs| Self::start(&programs, WATCH_AGAIN));
        if server.is_none() {
            skipped(test);
        }
        server
    }

    /// SIGKILL to the server's first process; to the next one's where it is dead already. One of its [own](Server::own)
    /// comes back by itself.
    pub(crate) fn kill(&self) {
        let until = Instant::now() + STARTED;
        loop {
            let file = fs::read_to_string(self.folder.join("data/postmaster.pid")).unwrap_or_default();
            let pid = file.lines().next().filter(|pid| !pid.is_empty());
            let killed =
                pid.map(|pid| Command::new("kill").args(["-KILL", pid]).stderr(Stdio::null()).status());
            if killed.is_some_and(|status| status.unwrap().success()) {
                return;
            }
            assert!(Instant::now() < until, "no server was there to be killed");
            sleep(Duration::from_millis(20));
        }
    }

    #[expect(clippy::zombie_processes, reason = "it ends behind this process, whose input it waits for")]
    fn start(programs: &Path, watch: &str) -> Self {
        let folder = tempfile::Builder::new().prefix("wayfare-pg-").tempdir().unwrap().keep();
        fs::set_permissions(&folder, fs::Permissions::from_mode(0o755)).unwrap();
        let mut shell = Command::new("sh");
        // The server refuses to be run by root.
        if let Some(user) = other_user() {
            chown(&folder, Some(user), Some(user)).unwrap();
            shell.uid(user).gid(user);
        }
        let shell = shell.args(["-c", watch, "watch"]).arg(programs).current_dir(&folder);
        let mut watch =
            shell.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let alive = watch.stdin.take().unwrap();
        let until = Instant::now() + STARTED;
        while UnixStream::connect(folder.join(".s.PGSQL.5432")).is_err() {
            let log = || fs::read_to_string(folder.join("log")).unwrap_or_default();
            assert!(watch.try_wait().unwrap().is_none(), "PostgreSQL did not start:\n{}", log());
            assert!(Instant::now() < until, "PostgreSQL did not start in {STARTED:?}:\n{}", log());
            sleep(Duration::from_millis(20));
        }
        Self { folder, _alive: alive }
    }

    pub(crate) fn url(&self, database: &str) -> String {
        url(&self.folder, database)
    }

    pub(crate) fn socket(&self) -> PathBuf {
        self.folder.join(".s.PGSQL.5432")
    }

    /// What the server has said, of all databases.
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.folder.join("log")).unwrap()
    }

    /// The name of a new, empty database.
    pub(crate) async fn database(&self) -> String {
        static NEXT: AtomicUsize = AtomicUsize::new(1);
        let name = format!("w{}", NEXT.fetch_add(1, Ordering::Relaxed));
        run(&self.url("postgres"), &format!("CREATE DATABASE {name} TEMPLATE template0")).await;
        name
    }
}

/// The URL of a database whose server has its socket in `folder`.
pub(crate) fn url(folder: &Path, database: &str) -> String {
    format!("postgres://wayfare@localhost/{database}?host={}", folder.display())
}

/// Runs statements, as an administrator would.
pub(crate) async fn run(url: &str, sql: &str) {
    let until = Instant::now() + STARTED;
    let mut connection = loop {
        match PgConnection::connect(url).await {
            Ok(connection) => break connection,
            // Its socket is there before it takes anybody.
            Err(error) => assert!(Instant::now() < until, "{error}"),
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    };
    sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
}

/// Where the server programs are: only where `WAYFARE_PG_BIN` says, if it does. Packages leave them out of `PATH`.
fn programs() -> Option<PathBuf> {
    let complete = |place: &PathBuf| ["initdb", "postgres"].iter().all(|name| is_file(&place.join(name)));
    if let Some(named) = std::env::var_os("WAYFARE_PG_BIN") {
        return Some(PathBuf::from(named)).filter(complete);
    }
    let in_path = std::env::var_os("PATH").map(|path| std::env::split_paths(&path).collect::<Vec<_>>());
    let mut packaged: Vec<PathBuf> = fs::read_dir("/usr/lib/postgresql")
        .map(|versions| versions.filter_map(|version| Some(version.ok()?.path().join("bin"))).collect())
        .unwrap_or_default();
    packaged.sort();
    packaged.into_iter().rev().chain(in_path.into_iter().flatten()).find(complete)
}

fn is_file(path: &Path) -> bool {
    path.metadata().is_ok_and(|metadata| metadata.is_file() && metadata.mode() & 0o111 != 0)
}
