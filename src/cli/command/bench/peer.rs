//! The compiler beside Ruff: `check` of both as users start them, in turn, each on one core.
//!
//! Ruff reads generated modules, as many lines as the journeys have and about as many bytes, and, where a folder is
//! given, real code. It neither prints findings nor reads or writes a cache.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::check::{count, since, write};
use super::{project, python};
use crate::cli::{Failure, Output};
use crate::compile::Input;
use crate::engine::clock::wall;

/// What Ruff is asked for, besides paths: its default rules, and no word about what it finds. Folders of tests are left
/// out: some systems leave them out of Python's library, and some of what is in them is wrong on purpose.
const RUFF: [&str; 6] =
    ["check", "--no-cache", "--isolated", "--silent", "--exit-zero", "--extend-exclude=test,tests,idle_test"];

/// What the compiler is compared with.
pub(super) struct Peer<'a> {
    pub(super) ruff: &'a Path,
    /// Real Python.
    pub(super) source: Option<&'a Path>,
    pub(super) rounds: u32,
}

/// Lines, bytes, and the best time.
struct Side {
    what: String,
    lines: usize,
    bytes: usize,
    best: f64,
}

impl Side {
    fn new(what: &str, lines: usize, bytes: usize) -> Self {
        Self { what: what.to_owned(), lines, bytes, best: f64::MAX }
    }

    fn of(what: &str, input: &Input) -> Self {
        let bytes = input.files.iter().map(|file| file.text.len()).sum();
        Self::new(what, project::lines(input), bytes)
    }

    fn speed(&self) -> f64 {
        count(self.lines) / self.best
    }
}

pub(super) fn compare(peer: &Peer<'_>, input: &Input, output: &Output) -> Result<(), Failure> {
    let folder = std::env::temp_dir().join(format!("wayfare-peer-{}", std::process::id()));
    let (ours, theirs) = (folder.join("journeys"), folder.join("python"));
    let this = std::env::current_exe()
        .map_err(|error| Failure::new(format_args!("this program cannot be found: {error}")))?;
    write(&ours, input)?;
    let mut own = Side::of("wayfare, journeys", input);
    let modules = python::project(input.files.len(), own.lines / input.files.len());
    write(&theirs, &modules)?;
    let mut others = vec![(theirs, Side::of("ruff, generated Python", &modules))];
    if let Some(source) = peer.source {
        let (lines, bytes) = size(peer.ruff, source)?;
        others.push((source.to_owned(), Side::new("ruff, real Python", lines, bytes)));
    }
    for round in 1..=peer.rounds {
        let took = timed(&this, &["check"], &ours)?;
        own.best = own.best.min(took);
        let mut told = format!("round {round}: {} {took:.2} s", own.what);
        for (folder, side) in &mut others {
            let took = timed(peer.ruff, &RUFF, folder)?;
            side.best = side.best.min(took);
            told.push_str(&format!("; {} {took:.2} s", side.what));
        }
        output.data(format_args!("{told}"))?;
    }
    let removed = std::fs::remove_dir_all(&folder);
    removed.map_err(|error| Failure::file("remove", &folder, &error))?;
    for side in std::iter::once(&own).chain(others.iter().map(|(_, side)| side)) {
        let (lines, kib) = (side.lines, side.bytes / 1024);
        output.data(format_args!(
            "{:<24} {:>9.0} lines/s on {lines} lines, {kib} KiB",
            side.what,
            side.speed()
        ))?;
    }
    for (_, side) in &others {
        output.data(format_args!("ratio to {:<24} {:.2}", side.what, own.speed() / side.speed()))?;
    }
    Ok(())
}

/// Lines and bytes of the files that Ruff reads below `source`.
fn size(ruff: &Path, source: &Path) -> Result<(usize, usize), Failure> {
    let failed =
        |error: std::io::Error| Failure::new(format_args!("`{}` cannot be started: {error}", ruff.display()));
    let listed = Command::new(ruff).args(RUFF).arg("--show-files").arg(source).output();
    let listed = String::from_utf8_lossy(&listed.map_err(failed)?.stdout).into_owned();
    let (mut lines, mut bytes) = (0, 0);
    for path in listed.lines().map(PathBuf::from) {
        let text = std::fs::read(&path).map_err(|error| Failure::file("read", &path, &error))?;
        lines += text.split(|byte| *byte == b'\n').count().saturating_sub(1);
        bytes += text.len();
    }
    if lines == 0 {
        return Err(Failure::new(format_args!("there is no Python in `{}`", source.display())));
    }
    Ok((lines, bytes))
}

fn timed(program: &Path, args: &[&str], folder: &Path) -> Result<f64, Failure> {
    let start = wall();
    let mut command = Command::new("taskset");
    command.args(["-c", "0"]).arg(program).args(args).arg(folder).env("RAYON_NUM_THREADS", "1");
    let status = command.stdout(Stdio::null()).stderr(Stdio::null()).status();
    let status =
        status.map_err(|error| Failure::new(format_args!("`taskset` cannot be started: {error}")))?;
    if !status.success() {
        return Err(Failure::new(format_args!("`{}` found something, or failed", program.display())));
    }
    Ok(since(start))
}
