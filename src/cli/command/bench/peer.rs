//! The compiler beside Ruff: `check` of both as users start them, in turn, each on one core.
//!
//! The compiler runs twice in each round: without rules of compliance, and with the usual packs, as users have it.
//!
//! Ruff reads generated modules, as many lines as the journeys have and about as many bytes, and, where a folder is
//! given, real code. It neither prints findings nor reads or writes a cache. Measured is the time of the core: what a
//! process runs for, in itself and in the kernel, so that it matters little what else the machine does; the time on the
//! clock stands beside it.

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

/// The setting that switches every pack of rules off.
const NO_RULES: [(&str, &str); 1] = [("WAYFARE__RULES__PACKS", "")];

/// What the compiler is compared with.
pub(super) struct Peer<'a> {
    pub(super) ruff: &'a Path,
    /// Real Python.
    pub(super) source: Option<&'a Path>,
    pub(super) rounds: u32,
}

/// Seconds that a process took.
#[derive(Clone, Copy)]
struct Took {
    core: f64,
    clock: f64,
}

/// Lines, bytes, and the best times.
struct Side {
    what: String,
    lines: usize,
    bytes: usize,
    best: Took,
}

impl Side {
    fn new(what: &str, lines: usize, bytes: usize) -> Self {
        Self { what: what.to_owned(), lines, bytes, best: Took { core: f64::MAX, clock: f64::MAX } }
    }

    fn of(what: &str, input: &Input) -> Self {
        let bytes = input.files.iter().map(|file| file.text.len()).sum();
        Self::new(what, project::lines(input), bytes)
    }

    /// The round `took` so long: said so.
    fn round(&mut self, took: Took) -> String {
        self.best.core = self.best.core.min(took.core);
        self.best.clock = self.best.clock.min(took.clock);
        format!("{} {:.2} s ({:.2} s on the clock)", self.what, took.core, took.clock)
    }

    /// Lines per second of the core, and of the clock.
    fn speed(&self) -> (f64, f64) {
        (count(self.lines) / self.best.core, count(self.lines) / self.best.clock)
    }
}

pub(super) fn compare(peer: &Peer<'_>, input: &Input, output: &Output) -> Result<(), Failure> {
    let folder = std::env::temp_dir().join(format!("wayfare-peer-{}", std::process::id()));
    let (ours, theirs) = (folder.join("journeys"), folder.join("python"));
    let this = std::env::current_exe()
        .map_err(|error| Failure::new(format_args!("this program cannot be found: {error}")))?;
    write(&ours, input)?;
    let mut own = [
        (NO_RULES.as_slice(), Side::of("wayfare, no rules", input)),
        (&[], Side::of("wayfare, with rules", input)),
    ];
    let modules = python::project(input.files.len(), project::lines(input) / input.files.len());
    write(&theirs, &modules)?;
    let mut others = vec![(theirs, Side::of("ruff, generated Python", &modules))];
    if let Some(source) = peer.source {
        let (lines, bytes) = size(peer.ruff, source)?;
        others.push((source.to_owned(), Side::new("ruff, real Python", lines, bytes)));
    }
    for round in 1..=peer.rounds {
        let mut told = Vec::new();
        for (settings, side) in &mut own {
            told.push(side.round(timed(&Run { program: &this, args: &["check"], settings }, &ours)?));
        }
        for (folder, side) in &mut others {
            told.push(side.round(timed(&Run { program: peer.ruff, args: &RUFF, settings: &[] }, folder)?));
        }
        output.data(format_args!("round {round}: {}", told.join("; ")))?;
    }
    let removed = std::fs::remove_dir_all(&folder);
    removed.map_err(|error| Failure::file("remove", &folder, &error))?;
    tell(&own.map(|(_, side)| side), &others.into_iter().map(|(_, side)| side).collect::<Vec<_>>(), output)
}

/// The speed of each side, and how many times that of each peer the compiler has.
fn tell(own: &[Side], others: &[Side], output: &Output) -> Result<(), Failure> {
    for side in own.iter().chain(others) {
        let (lines, kib, (core, clock)) = (side.lines, side.bytes / 1024, side.speed());
        output.data(format_args!(
            "{:<24} {core:>9.0} lines/s on {lines} lines, {kib} KiB ({clock:.0} on the clock)",
            side.what
        ))?;
    }
    for (own, other) in own.iter().flat_map(|own| others.iter().map(move |other| (own, other))) {
        let (ours, theirs) = (own.speed(), other.speed());
        let (core, clock) = (ours.0 / theirs.0, ours.1 / theirs.1);
        output.data(format_args!(
            "{:<20} to {:<24} {core:.2} ({clock:.2} on the clock)",
            own.what, other.what
        ))?;
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

/// A program as it is started.
struct Run<'a> {
    program: &'a Path,
    args: &'a [&'a str],
    /// Variables of the environment.
    settings: &'a [(&'a str, &'a str)],
}

/// The second of two runs, the first of which is not counted: files are in memory then, and so is what the process
/// needs of it. A machine in a cloud gives idle memory back, and the first to want it again waits for the host.
fn timed(run: &Run<'_>, folder: &Path) -> Result<Took, Failure> {
    one_run(run, folder)?;
    one_run(run, folder)
}

fn one_run(run: &Run<'_>, folder: &Path) -> Result<Took, Failure> {
    let (start, before) = (wall(), core_of_children());
    let mut command = Command::new("taskset");
    command.args(["-c", "0"]).arg(run.program).args(run.args).arg(folder);
    command.env("RAYON_NUM_THREADS", "1").envs(run.settings.iter().copied());
    let status = command.stdout(Stdio::null()).stderr(Stdio::null()).status();
    let status =
        status.map_err(|error| Failure::new(format_args!("`taskset` cannot be started: {error}")))?;
    if !status.success() {
        return Err(Failure::new(format_args!("`{}` found something, or failed", run.program.display())));
    }
    Ok(Took { core: core_of_children() - before, clock: since(start) })
}

/// Seconds of the core that children of this process have used, as Linux counts them: to a hundredth.
fn core_of_children() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // Behind the name of the program, which may hold blanks.
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let ticks = |nth: usize| fields.get(nth).and_then(|field| field.parse::<f64>().ok()).unwrap_or_default();
    (ticks(13) + ticks(14)) / 100.0
}
