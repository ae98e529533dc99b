//! A daemon of this very binary, on loopback, with what it used told by `/proc`.

use std::path::Path;
use std::process::{Child, Command, Stdio};

use crate::cli::Failure;

/// Killed if it is dropped before it was stopped.
pub(super) struct Daemon {
    child: Child,
}

/// Since it was started; the memory at its highest.
pub(super) struct Usage {
    pub(super) cpu_seconds: f64,
    pub(super) resident_mib: u64,
}

impl Daemon {
    pub(super) fn start(folder: &Path, address: &str) -> Result<Self, Failure> {
        let failed =
            |error: std::io::Error| Failure::new(format_args!("the daemon cannot be started: {error}"));
        let this = std::env::current_exe().map_err(failed)?;
        let log = std::fs::File::create(folder.join("daemon.log")).map_err(failed)?;
        let child = Command::new(this)
            .args(["run", "--listen", address])
            .current_dir(folder)
            .env("RUST_LOG", "warn")
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .map_err(failed)?;
        Ok(Self { child })
    }

    /// From `/proc`; zeros where there is none.
    pub(super) fn usage(&self) -> Usage {
        let read = |file: &str| {
            std::fs::read_to_string(format!("/proc/{}/{file}", self.child.id())).unwrap_or_default()
        };
        // Fields 14 and 15, counted behind the name in brackets, in hundredths of a second.
        let stat = read("stat");
        let ticks = stat.rsplit(')').next().unwrap_or_default().split_whitespace().skip(11).take(2);
        let ticks: f64 = ticks.filter_map(|field| field.parse::<f64>().ok()).sum();
        let status = read("status");
        let resident = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kib = resident.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
        Usage { cpu_seconds: ticks / 100.0, resident_mib: kib.unwrap_or_default() / 1024 }
    }

    /// Ends it as an operator would, so that the store is closed.
    pub(super) fn stop(mut self) -> Result<(), Failure> {
        let killed = Command::new("kill").arg(self.child.id().to_string()).status();
        let ended = killed.and_then(|_| self.child.wait());
        ended.map(drop).map_err(|error| Failure::new(format_args!("the daemon cannot be stopped: {error}")))
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A port of loopback that was free a moment ago.
pub(super) fn free_address() -> Result<String, Failure> {
    let bound = std::net::TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
    bound
        .map(|address| address.to_string())
        .map_err(|error| Failure::new(format_args!("no free port: {error}")))
}
