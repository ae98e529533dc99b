//! `wayfare ledger`: what was given, what is left of it, and whether everything adds up.
//!
//! Reads the store beside the daemon.

use std::path::Path;

use serde_json::Value as Json;

use crate::cli::client::block_on;
use crate::cli::settings::Settings;
use crate::cli::{Exit, Failure, Output, shelf};
use crate::engine::audit::{self, Balance};
use crate::engine::show::{self, moment};
use crate::store::{EntryQuery, Ledger};

/// Entries read at once.
const PAGE: usize = 1_000;

/// Look into the books: budgets, stock, points and rewards.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, clap::Subcommand)]
enum Verb {
    /// Every account: how much there is, how much was given, how much of that is still to be used, what is left.
    Balances {
        /// A JSON array, one object per account.
        #[arg(long)]
        json: bool,
    },
    /// Look at every entry: whether each gift, each account and each unit adds up.
    Check,
    /// The entries of one account or of one customer, oldest first.
    Entries {
        /// Such as `budget/payroll_2026`, `stock/fuel_rush/2026-12-04T02:00:00Z`, `points/stars`.
        #[arg(
            long,
            value_name = "ACCOUNT",
            required_unless_present = "customer",
            conflicts_with = "customer"
        )]
        account: Option<String>,
        /// Key of the customer.
        #[arg(long, value_name = "ID")]
        customer: Option<String>,
        /// One JSON object per line.
        #[arg(long)]
        json: bool,
    },
}

pub fn run(args: &Args, output: &Output) -> Result<Exit, Failure> {
    let settings = Settings::load(Path::new("."), output)?;
    block_on(look(&args.verb, &settings, output))
}

async fn look(verb: &Verb, settings: &Settings, output: &Output) -> Result<Exit, Failure> {
    let store = shelf::open_reader(settings).await?;
    let Some(ledger) = store.ledger() else { return Err(Failure::new("this store keeps no books")) };
    let done = match verb {
        Verb::Balances { json } => balances(ledger, *json, output).await,
        Verb::Check => check(ledger, output).await,
        Verb::Entries { account, customer, json } => {
            let holder = customer.as_ref().map(|id| format!("customer/{id}"));
            let query = EntryQuery::of(account.clone(), holder)
                .ok_or_else(|| Failure::new("expected `--account` or `--customer`, and not both"))?;
            entries(ledger, &query, *json, output).await
        }
    };
    store.close().await;
    done
}

async fn balances(ledger: &dyn Ledger, json: bool, output: &Output) -> Result<Exit, Failure> {
    let all = audit::balances(ledger).await.map_err(Failure::new)?;
    if json {
        output.data(Json::Array(all.iter().map(show::balance).collect()))?;
        return Ok(Exit::Clean);
    }
    for balance in &all {
        let Balance { account, unit, given, held, used, .. } = balance;
        let of = balance.most.map(|most| format!(" of {most}")).unwrap_or_default();
        let left = balance.left.map(|left| format!(", {left} left")).unwrap_or_default();
        let alerted = moment(balance.alerted).map(|at| format!(", owner told {at}")).unwrap_or_default();
        let gone = moment(balance.gone).map(|at| format!(", nothing left {at}")).unwrap_or_default();
        output.data(format_args!(
            "{account} ({unit}): {given}{of} given, {held} not used yet, {used} used{left}{alerted}{gone}"
        ))?;
    }
    Ok(Exit::Clean)
}

async fn check(ledger: &dyn Ledger, output: &Output) -> Result<Exit, Failure> {
    let audit = audit::audit(ledger).await.map_err(Failure::new)?;
    for fault in &audit.faults {
        output.data(fault)?;
    }
    output.say(format_args!(
        "{} gifts, {} entries, {} faults",
        audit.gifts,
        audit.entries,
        audit.faults.len()
    ));
    Ok(if audit.faults.is_empty() { Exit::Clean } else { Exit::Findings })
}

async fn entries(
    ledger: &dyn Ledger,
    query: &EntryQuery,
    json: bool,
    output: &Output,
) -> Result<Exit, Failure> {
    let mut after = None;
    loop {
        let page = ledger.entries(query, after.as_ref(), PAGE).await.map_err(Failure::new)?;
        let Some(last) = page.last() else { return Ok(Exit::Clean) };
        after = Some(last.place());
        for row in &page {
            if json {
                output.data(show::entry(row))?;
                continue;
            }
            let (at, it) = (moment(Some(row.at)).unwrap_or_default(), &row.entry);
            output.data(format_args!(
                "{at} {} {} {} {} {} ({})",
                it.act, it.amount, it.unit, it.account, row.holder, row.gift
            ))?;
        }
    }
}
