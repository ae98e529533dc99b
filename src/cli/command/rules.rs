//! `wayfare rules`: which rules of compliance there are, and which of them hold here and today.

use std::path::Path;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde_json::{Value, json};

use super::{explain, waived};
use crate::cli::{Exit, Failure, Output, packs};
use crate::engine::clock::wall;
use crate::expr::civil;
use crate::project;
use crate::rules::page::severity;
use crate::rules::registry::{ALL, MISSING, Missing};
use crate::rules::rule::Held;
use crate::rules::{Chosen, NOTICE, Rule};

/// List the rules of compliance that journeys are held to.
#[derive(Debug, clap::Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of the command line")]
pub struct Args {
    /// Print the pages of these rules instead.
    #[arg(value_name = "ID")]
    ids: Vec<String>,

    /// All packs, not only those that the project around the current folder is held to.
    #[arg(long)]
    all: bool,

    /// The rules that are not checked, with what is missing.
    #[arg(long)]
    missing: bool,

    /// What was excused of them in the project around the current folder, and whether it is still what was approved.
    #[arg(long, conflicts_with_all = ["ids", "missing", "all"])]
    waivers: bool,

    /// The day whose rules count; without it, today.
    #[arg(long, value_name = "DATE")]
    as_of: Option<Date>,

    /// As one JSON document, with all that is known of each.
    #[arg(long)]
    json: bool,
}

pub fn run(args: &Args, output: &Output) -> Result<Exit, Failure> {
    for id in &args.ids {
        output.data(explain::page(id)?)?;
    }
    if !args.ids.is_empty() {
        return Ok(Exit::Clean);
    }
    let today = args.as_of.unwrap_or_else(|| civil::date_of(wall(), &TimeZone::system()));
    if args.waivers {
        return waived::list(today, args.json, output);
    }
    let here = Path::new(".");
    let chosen = packs::chosen(&project::root(here).unwrap_or_else(|| here.to_owned()), today, output)?;
    let held = |rule: &&'static Rule| chosen.as_ref().and_then(|chosen| rule.held(chosen));
    let shown = ALL.iter().copied().filter(|rule| args.all || held(rule).is_some());
    if args.json {
        let rules: Vec<Value> = shown.map(|rule| document(rule, held(&rule))).collect();
        let missing: Vec<Value> = MISSING.iter().map(lacking).collect();
        let text =
            json!({ "notice": NOTICE, "as_of": today.to_string(), "rules": rules, "missing": missing });
        output.data(format_args!("{text:#}"))?;
        return Ok(Exit::Clean);
    }
    output.say(format_args!("{NOTICE}; {}", described(chosen.as_ref(), today)));
    if args.missing {
        MISSING
            .iter()
            .try_for_each(|one| output.data(format_args!("{:12} {}: {}", one.id, one.title, one.lacks)))?;
        return Ok(Exit::Clean);
    }
    for rule in shown {
        let how = match held(&rule) {
            Some(Held::Now(hard)) => severity(hard).to_owned(),
            Some(Held::From(day, hard)) => format!("{} from {day}", severity(hard)),
            None => "-".to_owned(),
        };
        output.data(format_args!("{:12} {how:8} {}", rule.id(), rule.entry.title))?;
    }
    output.say(format_args!("{} more are known and not checked: `wayfare rules --missing`", MISSING.len()));
    Ok(Exit::Clean)
}

fn described(chosen: Option<&Chosen>, today: Date) -> String {
    match chosen {
        Some(chosen) => {
            let packs: Vec<&str> = chosen.packs.iter().map(|pack| pack.as_str()).collect();
            format!("packs {} on {today}", packs.join(", "))
        }
        None => "no pack is chosen".to_owned(),
    }
}

fn document(rule: &'static Rule, held: Option<Held>) -> Value {
    let packs = rule.packs.iter().map(|one| {
        let day = |day: Option<Date>| day.map(|day| day.to_string());
        json!({
            "pack": one.pack.as_str(),
            "severity": severity(one.severity),
            "effective_from": day(one.from),
            "effective_to": day(one.to),
        })
    });
    let basis = rule.basis.iter().map(|one| json!({ "text": one.text, "mark": one.mark.as_str() }));
    json!({
        "id": rule.id(),
        "title": rule.entry.title,
        "status": rule.status.as_str(),
        "held": held.is_some(),
        "packs": packs.collect::<Vec<_>>(),
        "basis": basis.collect::<Vec<_>>(),
        "waivable": !rule.firm,
        "longest_waiver_days": rule.longest_waiver(),
        "products": rule.products,
        "purposes": rule.purposes,
        "fix": rule.mend.as_str(),
        "looks_at": rule.reads,
    })
}

fn lacking(one: &Missing) -> Value {
    json!({ "id": one.id, "title": one.title, "lacks": one.lacks })
}
