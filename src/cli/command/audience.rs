//! `wayfare audience`: who is in an audience, how two audiences lie to one another, and how many are in one.

use std::path::{Path, PathBuf};

use super::compiled;
use super::why::now;
use crate::cli::client::block_on;
use crate::cli::settings::Settings;
use crate::cli::{Exit, Failure, Output, shelf};
use crate::compile::{Compilation, compile};
use crate::diagnostic::suggest::did_you_mean;
use crate::engine::audience::{self, Funnel};
use crate::engine::why;
use crate::meaning::compare::{self, Compared, Found, Relation};
use crate::model::Derived;
use crate::name::Name;
use crate::step::audience::{Audience, Member};
use crate::step::horizon::Short;

/// Look into audiences: what they ask, and who is in them.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, clap::Subcommand)]
enum Verb {
    /// Write an audience out in full, with an example of who is in it and who is not.
    Show {
        /// The name of the audience.
        #[arg(value_name = "AUDIENCE")]
        audience: String,
        /// Files or folders; without any, the project around the current folder.
        #[arg(value_name = "PATH")]
        paths: Vec<PathBuf>,
    },
    /// Say whether two audiences overlap, with an example for each difference.
    Compare {
        /// The name of one audience.
        #[arg(value_name = "AUDIENCE")]
        first: String,
        /// The name of the other.
        #[arg(value_name = "OTHER")]
        second: String,
        /// Files or folders; without any, the project around the current folder.
        #[arg(value_name = "PATH")]
        paths: Vec<PathBuf>,
    },
    /// Count who is in an audience of the deployed journeys, condition by condition, or say why one is in it or not.
    Explain {
        /// The name of the audience.
        #[arg(value_name = "AUDIENCE")]
        audience: String,
        /// Key of one customer: why it is in the audience, or not.
        #[arg(long, value_name = "ID")]
        customer: Option<String>,
    },
}

pub fn run(args: &Args, output: &Output) -> Result<Exit, Failure> {
    match &args.verb {
        Verb::Show { audience, paths } => show(audience, paths, output),
        Verb::Compare { first, second, paths } => pair(first, second, paths, output),
        Verb::Explain { audience, customer } => {
            let settings = Settings::load(Path::new("."), output)?;
            block_on(live(audience, customer.as_deref(), &settings, output))?;
            Ok(Exit::Clean)
        }
    }
}

fn show(name: &str, paths: &[PathBuf], output: &Output) -> Result<Exit, Failure> {
    let compilation = compile(&compiled::read(paths)?.input);
    let audience = find(&compilation, name, output)?;
    let shown = compare::show(&compilation.model, audience);
    output.data(format_args!("{}: a {} with", audience.name, audience.subject))?;
    output.data(format_args!("  {}", shown.condition))?;
    example("in it", &shown.inside, output)?;
    example("not in it", &shown.outside, output)?;
    Ok(Exit::Clean)
}

fn pair(first: &str, second: &str, paths: &[PathBuf], output: &Output) -> Result<Exit, Failure> {
    let compilation = compile(&compiled::read(paths)?.input);
    let (first, second) = (find(&compilation, first, output)?, find(&compilation, second, output)?);
    if first.subject != second.subject {
        let (one, other) = (first.subject, second.subject);
        let failure = format!("`{}` is of `{one}` and `{}` is of `{other}`", first.name, second.name);
        return Err(Failure::new(failure).help("only audiences of one kind of subject can be compared"));
    }
    let compared = compare::compare(&compilation.model, first, second);
    output.data(verdict(&compared, first, second))?;
    example("in both", &compared.both, output)?;
    example(&format!("only in {}", first.name), &compared.only_first, output)?;
    example(&format!("only in {}", second.name), &compared.only_second, output)?;
    Ok(Exit::Clean)
}

/// Of the store, beside a daemon that writes it.
async fn live(
    wanted: &str,
    customer: Option<&str>,
    settings: &Settings,
    output: &Output,
) -> Result<(), Failure> {
    let store = shelf::open_reader(settings).await?;
    let world = why::world(&*store, settings.config.zone.clone()).await.map_err(Failure::new)?;
    let now = now(&*store).await?;
    let unknown = || {
        let known = Audience::all(&world);
        let known: Vec<&str> = known.iter().map(|name| name.as_str()).collect();
        let help = did_you_mean(wanted, known.iter().copied());
        let help = help.unwrap_or_else(|| match known.as_slice() {
            [] => "none of them asks for an audience".into(),
            known => format!("audiences that they ask: {}", known.join(", ")),
        });
        Failure::new(format_args!("no deployed journey asks an audience `{wanted}`")).help(help)
    };
    let name = Name::lookup(wanted).ok_or_else(unknown)?;
    if let Some(id) = customer {
        let told = audience::explain(&*store, &world, name, id, now).await.map_err(Failure::new)?;
        let members = told.ok_or_else(unknown)?.ok_or_else(|| {
            Failure::new(format_args!("nothing is known of `{id}`"))
                .help("no event and no attributes of it have come; check the key")
        })?;
        members.iter().try_for_each(|member| tell(name, id, member, output))?;
        short(&audience::short(&world, name, now), output);
    } else {
        let funnel = audience::count(&*store, &world, name, now).await.map_err(Failure::new)?;
        show_funnel(&funnel.ok_or_else(unknown)?, output)?;
    }
    store.close().await;
    Ok(())
}

fn tell(audience: Name, id: &str, member: &Member, output: &Output) -> Result<(), Failure> {
    let whom = member.child.as_deref().unwrap_or(id);
    output
        .data(format_args!("{whom} is {} {audience}, because", if member.is_in { "in" } else { "not in" }))?;
    member.because.iter().try_for_each(|reason| output.data(format_args!("  {reason}")))
}

fn show_funnel(funnel: &Funnel, output: &Output) -> Result<(), Failure> {
    let Funnel { audience, subject, known, members, .. } = funnel;
    output.data(format_args!("{audience}: {members} of {known} known ({subject})"))?;
    output.data(format_args!("{:>12}{:>12}", "alone", "so far"))?;
    for condition in &funnel.conditions {
        output.data(format_args!("{:>12}{:>12}  {}", condition.alone, condition.together, condition.text))?;
    }
    short(&funnel.short, output);
    if funnel.unreadable > 0 {
        output.say(format_args!("{} rows cannot be read and are not counted", funnel.unreadable));
    }
    Ok(())
}

/// Says what is not known, so that nobody takes "not in it" for more than it is.
fn short(short: &[Short], output: &Output) {
    for Short { journey, condition, from } in short {
        output.say(format_args!(
            "`{condition}` of {journey}: what happened before {from} is not known to it [R0261]"
        ));
    }
}

fn verdict(compared: &Compared, first: &Derived, second: &Derived) -> String {
    let (first, second) = (first.name, second.name);
    match compared.relation() {
        Relation::Same => format!("{first} and {second} are the same audience"),
        Relation::FirstInside => format!("everybody in {first} is in {second}"),
        Relation::SecondInside => format!("everybody in {second} is in {first}"),
        Relation::Apart => format!("nobody is in both {first} and {second}"),
        Relation::Overlap => format!("{first} and {second} overlap"),
        Relation::Unknown => format!("{first} and {second} are too large to compare"),
    }
}

fn example(whom: &str, found: &Found, output: &Output) -> Result<(), Failure> {
    match found {
        Found::Nobody => output.data(format_args!("{whom}: nobody")),
        Found::Unknown => output.data(format_args!("{whom}: cannot be told")),
        Found::Somebody(lines) if lines.is_empty() => output.data(format_args!("{whom}: anybody")),
        Found::Somebody(lines) => {
            output.data(format_args!("{whom}, for example"))?;
            lines.iter().try_for_each(|line| output.data(format_args!("  {line}")))
        }
    }
}

/// An audience with mistakes cannot be looked into; what is wrong is told instead.
fn find<'c>(compilation: &'c Compilation, wanted: &str, output: &Output) -> Result<&'c Derived, Failure> {
    let name = Name::lookup(wanted);
    let derived = name.and_then(|name| compilation.model.derived.get(&name));
    if let Some(derived) =
        derived.filter(|derived| derived.audience && derived.ty != crate::value::Type::Error)
    {
        return Ok(derived);
    }
    if compilation.has_errors() {
        output.complain(&compilation.diagnostics, &compilation.sources);
        return Err(Failure::Found);
    }
    let audiences = compilation.model.derived.values().filter(|derived| derived.audience);
    let known: Vec<&str> = audiences.map(|derived| derived.name.as_str()).collect();
    let help = did_you_mean(wanted, known.iter().copied());
    let help = help.unwrap_or_else(|| match known.as_slice() {
        [] => "there are no audiences here: declare one with `audience NAME of SUBJECT = …`".to_owned(),
        known => format!("the audiences here: {}", known.join(", ")),
    });
    Err(Failure::new(format_args!("there is no audience `{wanted}`")).help(help))
}
