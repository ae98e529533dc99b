//! `check --baseline FILE`: what was found before is not told again.

use std::path::Path;

use super::Args;
use crate::cli::{Failure, Output};
use crate::diagnostic::Diagnostic;
use crate::rules::baseline::Baseline;
use crate::text::Sources;

/// What is new among `found`.
pub(super) fn without(
    args: &Args,
    found: &[Diagnostic],
    sources: &Sources,
    output: &Output,
) -> Result<Vec<Diagnostic>, Failure> {
    let Some(path) = &args.baseline else { return Ok(found.to_vec()) };
    if args.write_baseline {
        let baseline = Baseline::of(found, sources);
        std::fs::write(path, baseline.text()).map_err(|error| Failure::file("write", path, &error))?;
        output.say(format_args!(
            "wrote {} into `{}`",
            super::count(baseline.len(), "finding"),
            path.display()
        ));
        return Ok(baseline.leave(found.to_vec(), sources).told);
    }
    let left = read(path)?.leave(found.to_vec(), sources);
    if left.known > 0 {
        output.say(format_args!("{} of the baseline left out", super::count(left.known, "finding")));
    }
    if left.gone > 0 {
        output.say(format_args!(
            "{} of the baseline no longer found: `--write-baseline` makes it shorter",
            super::count(left.gone, "finding")
        ));
    }
    Ok(left.told)
}

fn read(path: &Path) -> Result<Baseline, Failure> {
    let text = std::fs::read_to_string(path).map_err(|error| {
        Failure::file("read", path, &error).help("`--write-baseline` writes it, with what is found now")
    })?;
    Baseline::read(&text).map_err(|reason| {
        Failure::new(format_args!("`{}` is not a baseline: {reason}", path.display()))
            .help("`--write-baseline` writes it anew")
    })
}
