//! `wayfare simulate JOURNEY`: a crowd of invented customers on a virtual clock, and what it was given.

use std::fmt::Write as _;
use std::path::PathBuf;
use std::sync::Arc;

use jiff::SignedDuration;
use jiff::civil::{Date, time};
use jiff::tz::TimeZone;

use super::compiled;
use crate::analysis::flow::Flow;
use crate::analysis::liability::liability;
use crate::cli::settings::Settings;
use crate::cli::{Exit, Failure, Output};
use crate::diagnostic::suggest::did_you_mean;
use crate::engine::clock::wall;
use crate::expr::civil;
use crate::name::Name;
use crate::program::Bundle;
use crate::testing::{Became, Each, Size, Suite, crowd};
use crate::value::{Currency, Money};

const DAY: i32 = 24;
/// How accounts of budgets begin.
const BUDGETS: &str = "budget/";

/// Send a crowd of invented customers through the journeys: who enters, what is sent, what is given and what it costs.
///
/// Who they are and what they do is drawn at random near the edges of the journey, on a virtual clock: it tries the journey out and is
/// no forecast. Stock and budgets are shared by all of them, as they are by real ones. The same seed is the same crowd.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The journey that the crowd is drawn for; all journeys of the project run.
    #[arg(value_name = "JOURNEY")]
    journey: String,

    /// Files or folders; without any, the project around the current folder.
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,

    /// How many.
    #[arg(long, default_value_t = 1_000, value_parser = clap::value_parser!(u32).range(1..=200_000))]
    customers: u32,

    /// For how long; customers come in over the first half.
    #[arg(long, default_value_t = 90, value_parser = clap::value_parser!(u16).range(1..=1_000))]
    days: u16,

    /// Which crowd.
    #[arg(long, default_value_t = 1)]
    seed: u64,

    /// The first day, from nine in the morning; without it, today.
    #[arg(long, value_name = "DATE")]
    from: Option<Date>,

    /// As one JSON document.
    #[arg(long)]
    json: bool,
}

pub fn run(args: &Args, output: &Output) -> Result<Exit, Failure> {
    let (project, compilation, bundle) = compiled::sound(&args.paths, output)?;
    let settings = Settings::load(&project.root, output)?;
    let zone = settings.config.zone.clone();
    let bundle = Arc::new(bundle);
    let name = Name::lookup(&args.journey).filter(|name| bundle.programs.contains_key(name));
    let Some(journey) = name else {
        let known: Vec<&str> = bundle.programs.keys().map(|name| name.as_str()).collect();
        let help = did_you_mean(&args.journey, known.iter().copied());
        let help = help.unwrap_or_else(|| format!("the journeys here: {}", known.join(", ")));
        return Err(Failure::new(format_args!("there is no journey `{}`", args.journey)).help(help));
    };
    let suite =
        Suite { model: &compilation.model, bundle: &bundle, sources: &compilation.sources, zone: &zone };
    let day = args.from.unwrap_or_else(|| civil::date_of(wall(), &TimeZone::system()));
    let start = civil::moment_at(day, time(9, 0, 0, 0), &zone)
        .ok_or_else(|| Failure::new(format_args!("there is no nine o'clock on {day}")))?;
    let lasts = SignedDuration::from_hours(i64::from(DAY) * i64::from(args.days));
    let size = Size { seed: args.seed, customers: args.customers, start, lasts };
    let became = crowd(suite, journey, size)
        .ok_or_else(|| Failure::new(format_args!("nobody can be invented for `{journey}`")))?;
    let text = if args.json {
        let text = serde_json::to_string_pretty(&became)
            .map_err(|error| Failure::new(format_args!("the result cannot be written as JSON: {error}")))?;
        format!("{text}\n")
    } else {
        let found = compilation.model.journeys.get(&journey);
        let most = found.and_then(|found| liability(&Flow::of(&compilation.model, found)));
        let mut text = format!(
            "{} invented customers from {day} for {} days, seed {}: they try the journeys out and are no forecast\n",
            args.customers, args.days, args.seed
        );
        told(&became, &bundle, args.customers, &mut text);
        if let Some(most) = most.and_then(|most| most.one_customer) {
            let most: Vec<String> =
                most.into_iter().map(|(currency, minor)| Money { minor, currency }.to_string()).collect();
            let _ =
                writeln!(text, "  `{journey}` alone gives {} to one customer at most", most.join(" and "));
        }
        text
    };
    output.document(|to| to.write_all(text.as_bytes()))?;
    Ok(Exit::Clean)
}

fn told(became: &Became, bundle: &Bundle, customers: u32, text: &mut String) {
    text.push_str("\nJourneys\n");
    for (journey, runs) in &became.journeys {
        let ends: Vec<String> = runs.ends.iter().map(|(end, count)| format!("{end} {count}")).collect();
        let still = runs.entered.saturating_sub(runs.ends.values().sum());
        let still = if still > 0 { format!("; {still} on the way") } else { String::new() };
        let _ = writeln!(text, "  {journey}: entered {}: {}{still}", runs.entered, ends.join(", "));
    }
    if !became.messages.is_empty() {
        text.push_str("\nMessages\n");
    }
    for (channel, each) in &became.messages {
        let _ = writeln!(
            text,
            "  {channel}: {} to {} customers, {} to one at most",
            each.sum, each.customers, each.most
        );
    }
    if !became.given.is_empty() {
        text.push_str("\nGiven\n");
    }
    for (what, gifts) in &became.given {
        let refused: Vec<String> =
            gifts.refused.iter().map(|(outcome, count)| format!("{outcome} {count}")).collect();
        let refused =
            if refused.is_empty() { String::new() } else { format!("; not: {}", refused.join(", ")) };
        let _ = writeln!(text, "  {what}: {} times{refused}", gifts.given);
    }
    text.push_str("\nExposure\n");
    for (name, budget) in &bundle.values.budgets {
        let Some(used) = became.taken.get(&format!("{BUDGETS}{name}")) else { continue };
        let share = if budget.total.minor > 0 { used.saturating_mul(100) / budget.total.minor } else { 100 };
        let used = Money { minor: *used, ..budget.total };
        let _ = writeln!(text, "  {name}: {used} of {} ({share}%)", budget.total);
    }
    if became.cost.is_empty() {
        text.push_str("  nothing of a declared worth was given\n");
    }
    for (currency, each) in &became.cost {
        cost(currency, each, customers, text);
    }
}

fn cost(currency: &str, each: &Each, customers: u32, text: &mut String) {
    let Some(currency) = Currency::parse(currency) else { return };
    let amount = |minor| Money { minor, currency };
    let mean = amount(each.sum / i64::from(customers.max(1)));
    let _ = writeln!(
        text,
        "  {} in all to {} customers: {mean} a customer of the crowd, {} to one at most",
        amount(each.sum),
        each.customers,
        amount(each.most)
    );
}
