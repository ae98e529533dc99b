//! `wayfare explain CODE`: the page of a code, as the messages offer it.

use crate::cli::{Exit, Failure, Output};
use crate::diagnostic::{Code, code};

/// Explain the code of an error, warning or refusal.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Codes as messages show them, such as E0101.
    #[arg(value_name = "CODE", required_unless_present = "all")]
    codes: Vec<String>,

    /// List every code with its title.
    #[arg(long, conflicts_with = "codes")]
    all: bool,
}

pub fn run(args: &Args, output: &Output) -> Result<Exit, Failure> {
    if args.all {
        list(output)?;
    }
    let codes = args.codes.iter().map(|text| find(text)).collect::<Result<Vec<_>, _>>()?;
    for (index, code) in codes.into_iter().enumerate() {
        let gap = if index > 0 { "\n" } else { "" };
        output.data(format_args!("{gap}# {code}: {}\n\n{}", code.title(), code.page().trim_end()))?;
    }
    Ok(Exit::Clean)
}

fn list(output: &Output) -> Result<(), Failure> {
    code::ALL.iter().try_for_each(|code| output.data(format_args!("{code}  {}", code.title())))
}

fn find(text: &str) -> Result<Code, Failure> {
    Code::find(text).ok_or_else(|| {
        let help = match Code::nearest(text) {
            Some(near) => format!("did you mean `{near}` ({})?", near.title()),
            None => "`wayfare explain --all` lists every code".to_owned(),
        };
        Failure::new(format_args!("there is no code `{text}`")).help(help)
    })
}
