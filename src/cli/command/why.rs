//! `wayfare why CUSTOMER [JOURNEY]`: every decision about a customer, also that nothing happens.
//!
//! Reads the store beside a daemon that writes it. Where no decision was kept about a journey, the step
//! function itself is asked what it would say now, on a copy of the state.

use std::path::Path;

use jiff::Timestamp;
use serde_json::{Value as Json, json};

use crate::cli::client::block_on;
use crate::cli::settings::Settings;
use crate::cli::{Exit, Failure, Output, shelf};
use crate::engine::clock::{Accelerated, wall};
use crate::engine::referral::{id_of, reason};
use crate::engine::why::{self, Account, Links};
use crate::expr::Source;
use crate::intake::event::DEFAULT_ENTITY;
use crate::name::Name;
use crate::program::{Enter, Program};
use crate::step::explain::{Explained, explain};
use crate::step::{self, Input, RootKey, State, Trace, World};
use crate::store::{EdgeRow, RefusalRow, Store};

/// Say why a customer got what it got, or did not.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Key of the customer.
    #[arg(value_name = "CUSTOMER")]
    customer: String,

    /// Only this journey.
    #[arg(value_name = "JOURNEY")]
    journey: Option<String>,

    /// What the key is of.
    #[arg(long, value_name = "NAME", default_value = DEFAULT_ENTITY)]
    entity: String,

    /// A JSON array, one object per decision.
    #[arg(long)]
    json: bool,
}

impl Args {
    /// About one customer in one journey.
    #[must_use]
    pub fn of(customer: &str, journey: &str) -> Self {
        Self {
            customer: customer.to_owned(),
            journey: Some(journey.to_owned()),
            entity: DEFAULT_ENTITY.to_owned(),
            json: false,
        }
    }
}

pub fn run(args: &Args, output: &Output) -> Result<Exit, Failure> {
    let settings = Settings::load(Path::new("."), output)?;
    let told = block_on(tell(args, &settings))?;
    if args.json {
        output.data(Json::Array(told.iter().map(to_json).collect()))?;
    } else {
        for line in &told {
            match &line.hashes {
                Some(hashes) => output.data(format_args!("{line}  [{hashes}]"))?,
                None => output.data(line)?,
            }
        }
    }
    Ok(Exit::Clean)
}

async fn tell(args: &Args, settings: &Settings) -> Result<Vec<Explained>, Failure> {
    let store = shelf::open_reader(settings).await?;
    let world = why::world(&*store, settings.config.zone.clone()).await.map_err(Failure::new)?;
    let root = RootKey { entity: Name::new(&args.entity), id: args.customer.as_str().into() };
    let journey = args.journey.as_deref().map(|text| known(&world, text)).transpose()?;
    let links = why::links(&*store, &root).await.map_err(Failure::new)?;
    let links = linked(&world, &root, &links);
    let account = why::account(&*store, &world, &root).await.map_err(Failure::new)?;
    let now = now(&*store).await?;
    store.close().await;
    let wanted_link = |link: &Explained| journey.is_none() || link.journey == journey;
    let links: Vec<Explained> = links.into_iter().filter(wanted_link).collect();
    let Some(account) = account else {
        if !links.is_empty() {
            return Ok(links);
        }
        let failure =
            Failure::new(format_args!("nothing is known of the {} `{}`", args.entity, args.customer));
        return Err(failure.help("no event and no attributes of it have come; check the key and `--entity`"));
    };
    let wanted = |name: Option<Name>| journey.is_none() || name == journey || name.is_none();
    let mut told: Vec<Explained> = account.trace.iter().map(|trace| explain(trace, &world)).collect();
    told.retain(|explained| wanted(explained.journey));
    told.extend(links);
    told.sort_by_key(|explained| explained.at);
    let silent = world.bundle.programs.values().map(|program| &program.body);
    for program in silent.filter(|program| program.root == root.entity && wanted(Some(program.journey))) {
        if !told.iter().any(|explained| explained.journey == Some(program.journey)) {
            told.extend(ask(program, &world, &root, &account, now));
        }
    }
    Ok(told)
}

/// Who has brought whom, and links that did not count.
fn linked(world: &World, root: &RootKey, (edges, refusals): &Links) -> Vec<Explained> {
    let own = format!("{}/{}", root.entity, root.id);
    let say = |referral: &str, at: i64, sentence: String| {
        let at = Timestamp::from_millisecond(at).unwrap_or_default();
        let clock = world.zone.to_datetime(at).strftime("%Y-%m-%d %H:%M:%S").to_string();
        let journey = Some(Name::new(referral));
        Explained {
            at,
            clock,
            journey,
            child: None,
            entry: None,
            step: None,
            place: None,
            sentence,
            hashes: None,
        }
    };
    let edge = |edge: &EdgeRow| {
        let sentence = if edge.invitee == own {
            format!("was invited by {}", id_of(&edge.inviter))
        } else {
            format!("has invited {}", id_of(&edge.invitee))
        };
        say(&edge.referral, edge.at, sentence)
    };
    let refusal = |refusal: &RefusalRow| {
        let whose = if refusal.invitee == own {
            format!("followed a link of {}", id_of(&refusal.inviter))
        } else {
            format!("{} followed its link", id_of(&refusal.invitee))
        };
        let again = if refusal.times > 1 { format!(" {} times", refusal.times) } else { String::new() };
        let sentence = format!("{whose}{again}, which does not count: {}", reason(&refusal.reason));
        say(&refusal.referral, refusal.first, sentence)
    };
    edges.iter().map(edge).chain(refusals.iter().map(refusal)).collect()
}

/// What the step function says of a journey that has decided nothing yet.
fn ask(
    program: &Program,
    world: &World,
    root: &RootKey,
    account: &Account,
    now: Timestamp,
) -> Vec<Explained> {
    if let Some(sentence) = not_yet(program, &account.state) {
        let clock = world.zone.to_datetime(now).strftime("%Y-%m-%d %H:%M:%S").to_string();
        let (journey, place) = (Some(program.journey), None);
        return vec![Explained {
            at: now,
            clock,
            journey,
            child: None,
            entry: None,
            step: None,
            place,
            sentence,
            hashes: None,
        }];
    }
    let mut copy = account.state.clone();
    let tick = Input::Tick { journey: program.journey, at: now };
    let output = step::step(world, root, &mut copy, &tick, now);
    let mut told: Vec<Explained> = output.trace.iter().map(|trace: &Trace| explain(trace, world)).collect();
    told.retain(|explained| explained.journey == Some(program.journey));
    told.truncate(1);
    for explained in &mut told {
        explained.sentence.insert_str(0, "looked at now, it ");
    }
    told
}

/// Why it has decided nothing, where that can be told without asking.
fn not_yet(program: &Program, state: &State) -> Option<String> {
    if !state.known {
        return Some("did not enter: the attributes have not come yet".to_owned());
    }
    let waits_for = |patterns: &[&crate::expr::Pattern]| {
        let names: Vec<String> = patterns.iter().map(|pattern| source(&pattern.source)).collect();
        format!("did not enter: {} has not happened since it is deployed", names.join(" or "))
    };
    match &program.enter {
        Enter::Event(patterns) => Some(waits_for(&patterns.iter().collect::<Vec<_>>())),
        Enter::Without { trigger, .. } => Some(waits_for(&[trigger])),
        Enter::Start => Some("did not enter: no other journey has started it".to_owned()),
        Enter::List => Some("did not enter: it is in no list that was given".to_owned()),
        Enter::Date { .. } | Enter::Anchor { .. } => {
            Some("did not enter: its date is not known, or has not come".to_owned())
        }
        Enter::When { .. } | Enter::Every { .. } => None,
    }
}

fn source(source: &Source) -> String {
    match source {
        Source::Event(name) | Source::Children(name) | Source::Daily { attribute: name, .. } => {
            format!("`{name}`")
        }
        Source::Close(name) => format!("the close of `{name}`"),
        Source::Message { kind, .. } => format!("`{}`", kind.as_str()),
        Source::Change { attribute, .. } => format!("a change of `{attribute}`"),
    }
}

fn known(world: &World, text: &str) -> Result<Name, Failure> {
    let journeys: Vec<Name> = world.programs.values().map(|program| program.body.journey).collect();
    if let Some(name) = Name::lookup(text).filter(|name| journeys.contains(name)) {
        return Ok(name);
    }
    let near = crate::diagnostic::suggest::did_you_mean(text, journeys.iter().map(|name| name.as_str()));
    let failure = Failure::new(format_args!("there is no journey `{text}` in the store"));
    Err(failure.help(near.unwrap_or_else(|| "`wayfare why CUSTOMER` tells of all journeys".to_owned())))
}

/// Domain time, as the daemon counts it.
pub(super) async fn now(store: &dyn Store) -> Result<Timestamp, Failure> {
    let clock = store.meta("clock").await.map_err(Failure::new)?;
    let clock = clock.and_then(|text| Accelerated::parse(&text));
    Ok(clock.map_or_else(wall, |clock| clock.at(wall())))
}

fn to_json(explained: &Explained) -> Json {
    json!({
        "at": explained.at.to_string(),
        "journey": explained.journey,
        "child": explained.child,
        "entry": explained.entry.as_deref(),
        "step": explained.step,
        "place": explained.place,
        "sentence": explained.sentence,
        "content_hash": explained.hashes.as_ref().map(|hashes| hashes.content.as_str()),
        "policy_hash": explained.hashes.as_ref().and_then(|hashes| hashes.policy.as_deref()),
    })
}
