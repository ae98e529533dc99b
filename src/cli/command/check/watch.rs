//! `wayfare check --watch`: the result on the screen is that of the files on the disk.

use super::{Args, known, split, tell};
use crate::cli::client::block_on;
use crate::cli::command::compiled::Open;
use crate::cli::watch::Watch;
use crate::cli::{Exit, Failure, Output};

/// Ends only when the user ends it.
pub(super) fn run(args: &Args, output: &Output) -> Result<Exit, Failure> {
    let mut open = Open::new(&args.paths, Some(args.today()))?;
    let rules = args.chosen(&open.root, output)?;
    open.hold(rules);
    let root = if open.root.is_dir() { open.root.clone() } else { parent(&open.root) };
    let mut watch = Watch::folder(&root)?;
    // What was saved before the folder was watched.
    open.look()?;
    let mut last = String::new();
    block_on(async {
        show(args, &open, &mut last, output)?;
        loop {
            output.say(format_args!("watching `{}`", root.display()));
            loop {
                watch.changed().await;
                match open.look() {
                    Ok(false) => {}
                    Ok(true) => break show(args, &open, &mut last, output)?,
                    // The result before stays; the next save is looked at again.
                    Err(failure) => _ = failure.tell(output),
                }
            }
        }
    })
}

/// Shows a result that is not the `last` one.
fn show(args: &Args, open: &Open, last: &mut String, output: &Output) -> Result<(), Failure> {
    let session = &open.session;
    let found = known::without(args, session.diagnostics(), session.sources(), output)?;
    let (shown, elsewhere) = split(&found, session.sources(), &args.paths);
    let result = format!("{elsewhere} {} {shown:?}", session.model().journeys.len());
    if *last == result {
        output.say("checked again: nothing new");
        return Ok(());
    }
    *last = result;
    output.clear()?;
    tell(args, (&shown, elsewhere), session.sources(), session.model(), output)?;
    output.flush()
}

fn parent(file: &std::path::Path) -> std::path::PathBuf {
    match file.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder.to_owned(),
        _ => ".".into(),
    }
}
