//! Words for entries, and for what kept somebody out.

use jiff::Timestamp;

use super::Words;
use crate::expr::show;
use crate::expr::{Expr, Pattern};
use crate::program::{Enter, Reenter};
use crate::step::symbols::Sym;
use crate::step::trace::{Because, Cause, NotEntered};
use crate::value::Length;

impl Words<'_> {
    pub(super) fn cause(&self, by: &Cause) -> String {
        match by {
            Cause::Event(event) => format!("`{}` {}", self.name(*event), self.what_it_did(*event)),
            Cause::Without(event) => match self.without() {
                Some((absent, within)) => format!(
                    "`{}` happened and `{}` did not within {within}",
                    self.name(*event),
                    show::pattern(absent, &())
                ),
                None => format!("`{}` happened and what had to follow did not", self.name(*event)),
            },
            Cause::Schedule => match self.condition() {
                Some(condition) => format!("`{}` has become true", self.expr(condition)),
                None => "its time has come".to_owned(),
            },
            Cause::Date => "its date has come".to_owned(),
            Cause::Start { journey } => format!("`{}` started it", self.name(*journey)),
        }
    }

    /// Attributes and stages change, periods close, all else happens.
    fn what_it_did(&self, event: Sym) -> &'static str {
        use crate::expr::Source;
        let Some(Enter::Event(patterns)) = self.program().map(|program| &program.enter) else {
            return "happened";
        };
        let own = patterns.iter().find(|pattern| names(pattern) == self.world.symbols.name(event));
        match own.map(|pattern| &pattern.source) {
            Some(Source::Change { .. }) => "changed",
            Some(Source::Close(_)) => "closed",
            _ => "happened",
        }
    }

    pub(super) fn planned(&self, by: &Cause, at: Timestamp) -> String {
        let at = self.clock(at);
        match (by, self.without()) {
            (Cause::Without(event), Some((absent, _))) => {
                let absent = show::pattern(absent, &());
                format!("`{}` happened: enters at {at} unless `{absent}` comes", self.name(*event))
            }
            _ => format!("its date comes at {at}"),
        }
    }

    pub(super) fn not_entered(&self, by: &Cause, why: &NotEntered) -> String {
        match why {
            NotEntered::Condition(because) => self.false_condition(by, because),
            NotEntered::NotFirst => "it was not the first".to_owned(),
            NotEntered::Stale { age_ms } => {
                let age = Length::Elapsed(age_ms - age_ms % 1_000);
                let stale = self.program().and_then(|program| program.stale);
                let rule = stale.map(|stale| format!(", `stale after {stale}`")).unwrap_or_default();
                format!("what happened was {age} old{rule}")
            }
            NotEntered::Again { key } => match self.program().map(|program| &program.reenter) {
                Some(Reenter::Never) => "has entered before, `reenter never`".to_owned(),
                Some(Reenter::After(_)) => "is still in it".to_owned(),
                _ => format!("has entered before with the key `{key}`"),
            },
            NotEntered::TooSoon { until } => {
                let rule = match self.program().map(|program| &program.reenter) {
                    Some(Reenter::After(length)) => format!(", `reenter after {length}`"),
                    _ => String::new(),
                };
                format!("not again before {}{rule}", self.clock(*until))
            }
            NotEntered::Closed => "the journey is not open today".to_owned(),
            NotEntered::Existing => "was already in at the first look, `existing skip`".to_owned(),
            NotEntered::Came { at } => match self.without() {
                Some((absent, _)) => {
                    format!("`{}` happened at {}", show::pattern(absent, &()), self.clock(*at))
                }
                None => format!("what had to be absent happened at {}", self.clock(*at)),
            },
            NotEntered::Unknown => "its attributes have not arrived".to_owned(),
            NotEntered::NotAmong => match by {
                Cause::Start { journey } => {
                    format!("the `where` of `{}`, which starts it, is false here", self.name(*journey))
                }
                _ => "the `where` of its start is false here".to_owned(),
            },
            NotEntered::Taken { lane, by } => {
                format!("`{}` goes first, lane `{}`", self.name(*by), self.name(*lane))
            }
            NotEntered::NoTurn { lane } => {
                format!("its turn in lane `{}` did not come in time", self.name(*lane))
            }
            NotEntered::TooMany => "too much is under way for this subject already".to_owned(),
            NotEntered::Quiet(because) => {
                match self.program().and_then(|program| program.rules.as_ref()?.quiet.as_ref()) {
                    Some(quiet) => format!("silent: {}", self.verdict(quiet, true, because)),
                    None => "silent for now".to_owned(),
                }
            }
            NotEntered::Limited { limit } => {
                let rules = self.program().and_then(|program| program.rules.as_ref());
                let limit = rules.and_then(|rules| rules.limits.get(usize::from(*limit)));
                let limit = limit.map(|limit| format!(", `limit {limit}`")).unwrap_or_default();
                format!("enough was answered{limit}")
            }
        }
    }

    fn false_condition(&self, by: &Cause, because: &Because) -> String {
        // Of several patterns the first that was refused gave the reason.
        let condition = match (by, self.program().map(|program| &program.enter)) {
            (Cause::Event(event), Some(Enter::Event(patterns))) => {
                let event = self.world.symbols.name(*event);
                let mut own = patterns.iter().filter(|pattern| names(pattern) == event);
                own.find_map(|pattern| pattern.filter.as_ref())
            }
            _ => self.condition(),
        };
        let Some(condition) = condition else { return "its condition is false".to_owned() };
        self.verdict(condition, false, because)
    }

    fn condition(&self) -> Option<&Expr> {
        match &self.program()?.enter {
            Enter::When { condition, .. } => Some(condition),
            Enter::Date { filter, .. } | Enter::Anchor { filter, .. } | Enter::Every { filter, .. } => {
                filter.as_ref()
            }
            Enter::Without { trigger, .. } => trigger.filter.as_ref(),
            Enter::Event(_) | Enter::Start | Enter::List => None,
        }
    }

    fn without(&self) -> Option<(&Pattern, Length)> {
        match &self.program()?.enter {
            Enter::Without { absent, within, .. } => Some((absent, *within)),
            _ => None,
        }
    }
}

fn names(pattern: &Pattern) -> Option<crate::name::Name> {
    use crate::expr::Source;
    match &pattern.source {
        Source::Event(name) | Source::Change { attribute: name, .. } | Source::Close(name) => Some(*name),
        Source::Message { kind, .. } => Some(crate::name::Name::new(kind.as_str())),
        Source::Children(_) | Source::Daily { .. } => None,
    }
}
