//! `wayfare explain CODE`: the page of a code or of a rule of compliance, as the messages offer it.

use crate::cli::{Exit, Failure, Output};
use crate::diagnostic::{Code, code};
use crate::rules;

/// Explain the code of an error, warning or refusal, or a rule of compliance.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Codes as messages show them, such as E0101 or CLAIM-001.
    #[arg(value_name = "CODE", required_unless_present = "all")]
    codes: Vec<String>,

    /// List every code and every rule with its title.
    #[arg(long, conflicts_with = "codes")]
    all: bool,
}

pub fn run(args: &Args, output: &Output) -> Result<Exit, Failure> {
    if args.all {
        list(output)?;
    }
    let pages = args.codes.iter().map(|text| page(text)).collect::<Result<Vec<_>, _>>()?;
    for (index, page) in pages.into_iter().enumerate() {
        let gap = if index > 0 { "\n" } else { "" };
        output.data(format_args!("{gap}{page}"))?;
    }
    Ok(Exit::Clean)
}

fn list(output: &Output) -> Result<(), Failure> {
    code::ALL.iter().try_for_each(|code| output.data(format_args!("{code}  {}", code.title())))?;
    let mut rules = rules::registry::ALL.iter();
    rules.try_for_each(|rule| output.data(format_args!("{}  {}", rule.id(), rule.entry.title)))
}

/// The page of a code or rule, with its heading.
pub(super) fn page(text: &str) -> Result<String, Failure> {
    match rules::find(text) {
        Some(rule) => Ok(format!("# {}: {}\n\n{}", rule.id(), rule.entry.title, rules::page::page(rule))),
        None => find(text).map(|code| format!("# {code}: {}\n\n{}", code.title(), code.page().trim_end())),
    }
}

fn find(text: &str) -> Result<Code, Failure> {
    if let Some(missing) = rules::registry::lacking(text) {
        return Err(Failure::new(format_args!("{} is not checked: {}", missing.id, missing.lacks))
            .help("`wayfare rules --missing` lists all such rules"));
    }
    if let Some(near) = rules::nearest(text).filter(|_| text.contains('-')) {
        return Err(Failure::new(format_args!("there is no rule `{text}`")).help(format!(
            "did you mean `{}` ({})?",
            near.id(),
            near.entry.title
        )));
    }
    Code::find(text).ok_or_else(|| {
        let help = match Code::nearest(text) {
            Some(near) => format!("did you mean `{near}` ({})?", near.title()),
            None => "`wayfare explain --all` lists every code".to_owned(),
        };
        Failure::new(format_args!("there is no code `{text}`")).help(help)
    })
}
