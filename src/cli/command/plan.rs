//! `wayfare plan`: what a change of the project does to what the bank may have to give.

use std::path::{Path, PathBuf};

use super::{against, compiled};
use crate::analysis::amount::Amount;
use crate::analysis::exposure::{Exposure, Side};
use crate::cli::client::block_on;
use crate::cli::settings::Settings;
use crate::cli::{Exit, Failure, Output, shelf};
use crate::compile::compile;
use crate::engine::audit;
use crate::value::Money;

/// How accounts of budgets begin.
const BUDGETS: &str = "budget/";

/// Say what a change does: journeys that are new, gone or another program, what they may give at most, and budgets.
///
/// Compares the project as it is here with what it was. Bounds are those of `wayfare prove`: no run exceeds them.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Files or folders; without any, the project around the current folder.
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,

    /// The project as it was: a branch, tag or commit of this repository, or a folder.
    #[arg(long, value_name = "REF", default_value = "HEAD")]
    against: String,

    /// What of each budget is given already, from the store beside the daemon.
    #[arg(long)]
    used: bool,

    /// End with 1 where something has changed.
    #[arg(long)]
    exit_code: bool,

    /// As one JSON document.
    #[arg(long)]
    json: bool,
}

pub fn run(args: &Args, output: &Output) -> Result<Exit, Failure> {
    let (project, compilation, bundle) = compiled::sound(&args.paths, output)?;
    let before = against::project(&project.root, &args.against)?;
    let before = compile(&before.input);
    let Some(old) = &before.bundle else {
        return Err(Failure::new(format_args!("the project as it was at `{}` has errors", args.against))
            .help(
                "compare with a state that `wayfare check` passes, or look at this one with `wayfare prove`",
            ));
    };
    let was = Side { model: &before.model, bundle: old };
    let mut exposure = Exposure::of(was, Side { model: &compilation.model, bundle: &bundle });
    if args.used {
        block_on(look(&mut exposure, output))?;
    }
    let text = if args.json {
        let text = serde_json::to_string_pretty(&exposure)
            .map_err(|error| Failure::new(format_args!("the plan cannot be written as JSON: {error}")))?;
        format!("{text}\n")
    } else {
        exposure.text(&args.against)
    };
    output.document(|to| to.write_all(text.as_bytes()))?;
    Ok(if args.exit_code && !exposure.is_same() { Exit::Findings } else { Exit::Clean })
}

/// What the books say of each budget.
async fn look(exposure: &mut Exposure, output: &Output) -> Result<(), Failure> {
    let settings = Settings::load(Path::new("."), output)?;
    let store = shelf::open_reader(&settings).await?;
    let Some(ledger) = store.ledger() else { return Err(Failure::new("this store keeps no books")) };
    let balances = audit::balances(ledger).await.map_err(Failure::new);
    store.close().await;
    let balances = balances?;
    for pot in &mut exposure.budgets {
        let known = balances.iter().find(|it| it.account.strip_prefix(BUDGETS) == Some(&*pot.budget));
        let share = pot.after.as_ref().or(pot.before.as_ref());
        pot.used =
            share.map(|share| Amount(Money { minor: known.map_or(0, |it| it.given), ..share.total.0 }));
    }
    Ok(())
}
