//! `wayfare content preview CONTENT`: what each channel would show, to somebody of whom a file tells.

use std::fmt::Write as _;
use std::path::PathBuf;
use std::sync::Arc;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::{Map, Value as Json};

use super::compiled;
use crate::cli::{Exit, Failure, Output};
use crate::compile::Compilation;
use crate::diagnostic::suggest::did_you_mean;
use crate::engine::clock::wall;
use crate::intake::event::DEFAULT_ENTITY;
use crate::intake::value::Scope;
use crate::model::check::sms_parts;
use crate::name::Name;
use crate::program::{Bundle, Content, Field};
use crate::step::preview::{Shown, Wish, preview};
use crate::step::{self, Event, EventKind, Input, RootKey, State, World};
use crate::value::{Money, Type, Value};

/// Look at what is said.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, clap::Subcommand)]
enum Verb {
    Preview(Preview),
}

/// Show what each channel would say.
#[derive(Debug, clap::Args)]
struct Preview {
    /// The name of the content.
    #[arg(value_name = "CONTENT")]
    content: String,

    /// Files or folders; without any, the project around the current folder.
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,

    /// A JSON object: attributes of whoever gets it, and what the content takes. What is left out is made up.
    #[arg(long, value_name = "FILE")]
    customer: Option<PathBuf>,

    /// What the attributes are of.
    #[arg(long, value_name = "NAME", default_value = DEFAULT_ENTITY)]
    entity: String,

    /// Only this channel.
    #[arg(long, value_name = "NAME")]
    channel: Option<String>,

    /// In this language, whatever the customer's is.
    #[arg(long, value_name = "NAME")]
    locale: Option<String>,
}

pub fn run(args: &Args, output: &Output) -> Result<Exit, Failure> {
    let Verb::Preview(args) = &args.verb;
    let (_, compilation, bundle) = compiled::sound(&args.paths, output)?;
    let content = find(&bundle, &args.content)?;
    let channel = args.channel.as_deref().map(|name| variant(content, name)).transpose()?;
    let given = given(args)?;
    let world = World::of_bundle(bundle.clone().into(), TimeZone::system());
    let now = wall();
    let (root, mut state) = known(&world, &args.entity, &given, now)?;
    let takes = content.takes.iter().map(|(name, ty)| Ok((*name, value(&world, *name, ty, &given, now)?)));
    let takes: Vec<(Name, Value)> = takes.collect::<Result<_, Failure>>()?;
    let locale = args.locale.as_deref().map(Name::new);
    let wish = Wish { root: &root, args: &takes, locale };
    let (locale, shown) = preview(&world, &mut state, content, &wish, now);
    for one in shown.iter().filter(|one| channel.is_none_or(|channel| one.channel == channel)) {
        let said = content.variants.iter().find(|variant| variant.channel == one.channel);
        let assets = said.map(|variant| variant.assets.as_slice()).unwrap_or_default();
        output.data(format_args!("{}", told(one, locale, assets, &compilation)))?;
    }
    Ok(Exit::Clean)
}

fn find<'a>(bundle: &'a Bundle, wanted: &str) -> Result<&'a Content, Failure> {
    let name = Name::lookup(wanted);
    let found = name.and_then(|name| bundle.contents.get(&name)).map(|content| &*content.body);
    found.ok_or_else(|| {
        let known = bundle.contents.keys().map(|name| name.as_str());
        let help = did_you_mean(wanted, known);
        let help = help.unwrap_or_else(|| "contents are declared by `content NAME { … }`".to_owned());
        Failure::new(format_args!("there is no content `{wanted}`")).help(help)
    })
}

fn variant(content: &Content, wanted: &str) -> Result<Name, Failure> {
    let names = || content.variants.iter().map(|variant| variant.channel);
    names().find(|name| name.as_str() == wanted).ok_or_else(|| {
        let all: Vec<&str> = names().map(Name::as_str).collect();
        Failure::new(format_args!("`{}` says nothing via `{wanted}`", content.name))
            .help(format_args!("it has {}", all.join(", ")))
    })
}

fn given(args: &Preview) -> Result<Map<String, Json>, Failure> {
    let Some(path) = &args.customer else { return Ok(Map::new()) };
    let text = std::fs::read_to_string(path).map_err(|error| Failure::file("read", path, &error))?;
    serde_json::from_str(&text).map_err(|error| {
        Failure::new(format_args!("`{}` is not a JSON object: {error}", path.display()))
            .help("write attributes by name, such as {\"name\": \"李雷\", \"locale\": \"en\"}")
    })
}

/// A subject with these attributes, as its import would leave it.
fn known(
    world: &World,
    entity: &str,
    given: &Map<String, Json>,
    now: Timestamp,
) -> Result<(RootKey, State), Failure> {
    let entities = &world.bundle.schema.entities;
    let found = Name::lookup(entity).and_then(|name| Some((name, entities.get(&name)?)));
    let (entity, declared) =
        found.ok_or_else(|| Failure::new(format_args!("there is no entity `{entity}`")))?;
    let stored = declared.fields.iter().filter(|field| field.value.is_none() && field.name != declared.key);
    let field = |field: &Field| Ok((field.name, value(world, field.name, &field.ty, given, now)?));
    let fields = stored.map(field).collect::<Result<Vec<_>, Failure>>()?;
    let (root, mut state) = (RootKey { entity, id: "preview".into() }, State::default());
    let event = Event {
        source: "wayfare.preview".into(),
        id: "attributes".into(),
        kind: EventKind::Attributes,
        child: None,
        time: now,
        received: now,
        fields,
    };
    // Whatever some journey would do about it does not matter here.
    let _ = step::step(world, &root, &mut state, &Input::Event(event), now);
    Ok((root, state))
}

/// What the file says, or something plain.
fn value(
    world: &World,
    name: Name,
    ty: &Type,
    given: &Map<String, Json>,
    now: Timestamp,
) -> Result<Value, Failure> {
    let Some(json) = given.get(name.as_str()) else { return Ok(made_up(world, ty, now)) };
    let scope = Scope { bundle: &world.bundle, zone: &world.zone };
    scope.value(json, ty).map_err(|reason| Failure::new(format_args!("`{name}`: {reason}")))
}

fn made_up(world: &World, ty: &Type, now: Timestamp) -> Value {
    match ty {
        Type::Bool => Value::Bool(false),
        Type::Int => Value::Int(7),
        Type::Decimal => Value::Decimal(7.into()),
        Type::Percent => Value::Percent(rust_decimal::Decimal::new(5, 2)),
        Type::Money(currency) => Value::Money(Money { minor: 1_234_567, currency: *currency }),
        Type::Text | Type::ShortText(_) => Value::text("示例"),
        Type::Id | Type::Entity(_) => Value::text("E-1001"),
        Type::Date => Value::Date(now.to_zoned(world.zone.clone()).date()),
        Type::Time => Value::Time(jiff::civil::time(10, 0, 0, 0)),
        Type::Moment => Value::Moment(now),
        Type::Choice(choice) => {
            let first = world.bundle.schema.choices.get(choice).and_then(|cases| cases.first());
            first.map_or(Value::Missing, |case| Value::Choice(*case))
        }
        Type::OneOf(cases) => cases.first().map_or(Value::Missing, |case| Value::Choice(*case)),
        Type::List(_) => Value::List(Vec::new()),
        _ => Value::Missing,
    }
}

/// One message as people read it: its parts, and of a text message how long it is.
fn told(one: &Shown, locale: Name, assets: &[(Arc<str>, Arc<str>)], compilation: &Compilation) -> String {
    let number = one.number.map(|number| format!(" {number}")).unwrap_or_default();
    let mut text = format!("{}{number} ({locale})\n", one.channel);
    // Writing to a string does not fail.
    for (name, copy) in &one.parts {
        let mut lines = copy.lines();
        let _ = writeln!(text, "  {:<10}{}", name.as_str(), lines.next().unwrap_or_default());
        for line in lines {
            let _ = writeln!(text, "            {line}");
        }
    }
    for (path, hash) in assets.iter().filter(|(path, _)| one.parts.iter().any(|(_, copy)| copy == path)) {
        let _ = writeln!(text, "  `{path}` is here, SHA-256 {}…", hash.get(..16).unwrap_or(hash));
    }
    for name in &one.borrowed {
        let _ = writeln!(text, "  there is no `{name}` in `{locale}`: it is shown in another language");
    }
    let channel = compilation.model.channels.get(&one.channel);
    if let Some(most) = channel.and_then(|channel| channel.segments) {
        let whole: String = one.parts.iter().map(|(_, copy)| &**copy).collect();
        let (signs, parts, is_wide) = sms_parts(&whole);
        let alphabet = if is_wide { "UCS-2" } else { "GSM 7 bit" };
        let _ = writeln!(text, "  {signs} signs ({alphabet}), {parts} of at most {most} parts");
    }
    text
}
