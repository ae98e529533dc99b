//! `wayfare bench check`: how fast the compiler is on a project of ten thousand journeys, and after one edit.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use jiff::Timestamp;
use jiff::civil::date;

use super::peer::{self, Peer};
use super::project::{self, FOLDER};
use crate::cli::{Exit, Failure, Output};
use crate::compile::{self, File, Input, Session};
use crate::engine::clock::wall;
use crate::model::{self, Context};
use crate::rules::Chosen;
use crate::syntax::{ast, parse};
use crate::text::FileId;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Journeys of the project.
    #[arg(long, default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(40..=40_000))]
    journeys: u32,

    /// One-file edits that are checked again.
    #[arg(long, default_value_t = 80, value_parser = clap::value_parser!(u32).range(8..=100_000))]
    edits: u32,

    /// How often each side is measured, in turn; the best of each counts.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=20))]
    rounds: u32,

    /// Write the project into this folder, and do nothing else.
    #[arg(long, value_name = "FOLDER")]
    write: Option<PathBuf>,

    /// Compare `wayfare check` with this program on as many lines of Python: the path of `ruff`.
    #[arg(long, value_name = "RUFF")]
    peer: Option<PathBuf>,

    /// Let the peer check this folder of real Python too, in the same run.
    #[arg(long, value_name = "FOLDER", requires = "peer")]
    peer_source: Option<PathBuf>,

    /// The cores may be as many as there are; without this, the measurement is moved to one.
    #[arg(long)]
    all_cores: bool,
}

pub(super) fn run(args: &Args, output: &Output) -> Result<Exit, Failure> {
    let input = project::project(args.journeys);
    let lines = project::lines(&input);
    if let Some(folder) = &args.write {
        write(folder, &input)?;
        output.data(format_args!("{lines} lines in {} files", input.files.len()))?;
        return Ok(Exit::Clean);
    }
    if let Some(ruff) = &args.peer {
        let peer = Peer { ruff, source: args.peer_source.as_deref(), rounds: args.rounds };
        return peer::compare(&peer, &input, output).map(|()| Exit::Clean);
    }
    if !args.all_cores && std::thread::available_parallelism().is_ok_and(|cores| cores.get() > 1) {
        return on_one_core();
    }
    // As users have it: the rules of the usual packs are on.
    let held = Input { rules: Some(Chosen::usual(date(2026, 11, 22))), ..input.clone() };
    whole(args, (&input, &held), lines, output)?;
    edits(args, &held, output)
}

/// Starts this command again where it has one core.
fn on_one_core() -> Result<Exit, Failure> {
    let failed = |error: std::io::Error| Failure::new(format_args!("`taskset` cannot be started: {error}"));
    let this = std::env::current_exe().map_err(failed)?;
    let status =
        Command::new("taskset").args(["-c", "0"]).arg(this).args(std::env::args_os().skip(1)).status();
    Ok(if status.map_err(failed)?.success() { Exit::Clean } else { Exit::Findings })
}

/// From text to findings, phase by phase, each from the beginning.
fn whole(args: &Args, (input, held): (&Input, &Input), lines: usize, output: &Output) -> Result<(), Failure> {
    let (mut parsing, mut checking, mut all, mut ruled) = (f64::MAX, f64::MAX, f64::MAX, f64::MAX);
    let mut broken = 0;
    let context = Context {
        packages: ids().zip(input.files.iter().map(|file| file.package.clone())).collect(),
        ..Context::default()
    };
    for _ in 0..args.rounds {
        let start = wall();
        let trees: Vec<ast::File> =
            ids().zip(&input.files).map(|(id, file)| parse(id, &file.text).file).collect();
        parsing = parsing.min(since(start));
        let trees: Vec<(FileId, &ast::File)> = ids().zip(&trees).collect();
        let start = wall();
        let checked = model::check(&trees, &context);
        checking = checking.min(since(start));
        drop((checked, trees));
        let start = wall();
        let compilation = compile::check(input);
        all = all.min(since(start));
        if let Some(finding) = compilation.diagnostics.first() {
            output.complain(&compilation.diagnostics, &compilation.sources);
            return Err(Failure::new(format_args!("the project should be right: {}", finding.headline)));
        }
        drop(compilation);
        let start = wall();
        let compilation = compile::check(held);
        ruled = ruled.min(since(start));
        broken = compilation.diagnostics.len();
    }
    output.data(format_args!("{} journeys, {lines} lines, best of {}:", args.journeys, args.rounds))?;
    for (what, seconds) in
        [("parse", parsing), ("check names and types", checking), ("everything", all), ("with rules", ruled)]
    {
        output.data(format_args!(
            "  {what:<22} {:>9.0} lines/s  {:>7.0} ms",
            count(lines) / seconds,
            seconds * 1e3
        ))?;
    }
    let share = (ruled - all).max(0.0) / ruled * 100.0;
    output.data(format_args!("  rules of compliance take {share:.0}% of that, and find {broken}"))?;
    output.data(format_args!("  {:<22} {:>9} MiB resident at most", "memory", resident_mib()))?;
    Ok(())
}

fn ids() -> impl Iterator<Item = FileId> {
    (0..).map(FileId)
}

/// Kinds of edits: which file, and what is exchanged in it for what, forth and back.
const EDITS: [(&str, bool, &str, &str); 4] = [
    ("copy edited", false, "待领取", "等您领取"),
    ("step added", false, "  end told\n", "  wait 3 days\n  end told\n"),
    ("metric edited", true, "during last 3", "during last 4"),
    ("event field renamed", true, "  amount \"金额\"", "  sum \"金额\""),
];

fn edits(args: &Args, input: &Input, output: &Output) -> Result<Exit, Failure> {
    let start = wall();
    let mut session = Session::open(input);
    let before = session.diagnostics().len();
    output.data(format_args!("opened in {:.0} ms; one-file edits checked again:", since(start) * 1e3))?;
    let mut all = Vec::new();
    for (what, in_model, from, to) in EDITS {
        let mut times = Vec::new();
        for nth in 0..args.edits.div_ceil(8) {
            // Spread over the project; forth, and back again.
            let folder = (nth * 37) % args.journeys.div_ceil(FOLDER);
            let path = if in_model {
                format!("line{folder:03}/model.journey")
            } else {
                format!(
                    "line{folder:03}/j{:05}.journey",
                    (folder * FOLDER + nth % FOLDER).min(args.journeys - 1)
                )
            };
            let Some(file) = input.files.iter().find(|file| *file.path == *path) else { continue };
            let edited = file.text.replacen(from, to, 1);
            for text in [Arc::from(edited), Arc::clone(&file.text)] {
                let file = File { text, ..file.clone() };
                let start = wall();
                session.edit(&file);
                times.push(since(start) * 1e3);
            }
        }
        tell(what, &mut times, output)?;
        all.append(&mut times);
    }
    tell("all edits", &mut all, output)?;
    output.data(format_args!("  {:<22} {:>9} MiB resident at most", "memory", resident_mib()))?;
    Ok(if session.diagnostics().len() == before { Exit::Clean } else { Exit::Findings })
}

fn tell(what: &str, times: &mut [f64], output: &Output) -> Result<(), Failure> {
    times.sort_by(f64::total_cmp);
    let at = |percent: usize| times.get((times.len() * percent / 100).min(times.len().saturating_sub(1)));
    let (median, high) = (at(50).copied().unwrap_or_default(), at(95).copied().unwrap_or_default());
    output
        .data(format_args!("  {what:<22} {median:>9.1} ms median, {high:.1} ms p95 of {} edits", times.len()))
}

pub(super) fn write(folder: &Path, input: &Input) -> Result<(), Failure> {
    for file in &input.files {
        let path = folder.join(&*file.path);
        let parent = path.parent().unwrap_or(folder);
        std::fs::create_dir_all(parent).map_err(|error| Failure::file("make", parent, &error))?;
        std::fs::write(&path, &*file.text).map_err(|error| Failure::file("write", &path, &error))?;
    }
    let settings = folder.join("wayfare.toml");
    std::fs::write(&settings, "").map_err(|error| Failure::file("write", &settings, &error))
}

pub(super) fn since(start: Timestamp) -> f64 {
    wall().duration_since(start).as_secs_f64()
}

pub(super) fn count(lines: usize) -> f64 {
    f64::from(u32::try_from(lines).unwrap_or(u32::MAX))
}

/// The most memory this process has had, from `/proc`; zero where there is none.
fn resident_mib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let resident = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib = resident.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
    kib.unwrap_or_default() / 1024
}
