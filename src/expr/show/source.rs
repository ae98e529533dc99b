//! Collections, patterns, windows and anchors as they are written.

use std::fmt::{self, Display, Formatter};

use super::{Level, Names, Shown};
use crate::expr::{Aggregate, AggregateFn, Anchor, ChangeVerb, Expr, Owner, Pattern, Source, Window};

/// `any loan_drawdown where amount > 100 CNY during last 30 days`
#[must_use]
pub fn aggregate(aggregate: &Aggregate, names: &dyn Names) -> String {
    Written(|f: &mut Formatter<'_>| write_aggregate(aggregate, names, false, f)).to_string()
}

/// `first salary_received where amount > 100 CNY`
#[must_use]
pub fn pattern(pattern: &Pattern, names: &dyn Names) -> String {
    Written(|f: &mut Formatter<'_>| {
        f.write_str(if pattern.first { "first " } else { "" })?;
        write!(f, "{}", pattern.source)?;
        write_filter(pattern.filter.as_ref(), names, f)
    })
    .to_string()
}

/// Several patterns, any of which is meant.
#[must_use]
pub fn patterns<'a>(all: impl IntoIterator<Item = &'a Pattern>, names: &dyn Names) -> String {
    all.into_iter().map(|one| pattern(one, names)).collect::<Vec<_>>().join(", ")
}

/// What a `within` counts from.
#[must_use]
pub fn anchor(anchor: &Anchor, names: &dyn Names) -> String {
    match anchor {
        Anchor::Here => "here".to_owned(),
        Anchor::Entered => "entered".to_owned(),
        Anchor::Entry => "event".to_owned(),
        Anchor::Sent(step) => format!("sent({step})"),
        Anchor::FirstSent => "first sent".to_owned(),
        Anchor::Local(slot) => super::expr(&Expr::Local(*slot), names),
        Anchor::At(moment) => super::expr(moment, names),
    }
}

impl Display for Source {
    /// `loan_drawdown`, `opened(offer)`, `rise of aum`
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Event(name)
            | Self::Children(name)
            | Self::Daily { owner: Owner::Subject, attribute: name } => write!(f, "{name}"),
            Self::Daily { owner: Owner::Parent, attribute } => write!(f, "parent.{attribute}"),
            Self::Close(name) => write!(f, "close of {name}"),
            Self::Message { kind, step: Some(step) } => write!(f, "{}({step})", kind.as_str()),
            Self::Message { kind, step: None } => f.write_str(kind.as_str()),
            Self::Change { verb, attribute } => {
                let verb = match verb {
                    ChangeVerb::Change => "change",
                    ChangeVerb::Rise => "rise",
                    ChangeVerb::Drop => "drop",
                };
                write!(f, "{verb} of {attribute}")
            }
        }
    }
}

/// With `negated`, an `any` is written as `no`.
pub(super) fn write_aggregate(
    aggregate: &Aggregate,
    names: &dyn Names,
    negated: bool,
    f: &mut Formatter<'_>,
) -> fmt::Result {
    let (open, close) = match aggregate.function {
        AggregateFn::Any if negated => ("no ", ""),
        AggregateFn::Any => ("any ", ""),
        AggregateFn::Once => ("once ", ""),
        AggregateFn::Count => ("count(", ")"),
        AggregateFn::Sum => ("sum(", ")"),
        AggregateFn::Avg => ("avg(", ")"),
        AggregateFn::Min => ("min(", ")"),
        AggregateFn::Max => ("max(", ")"),
        AggregateFn::First => ("first(", ")"),
        AggregateFn::Last => ("last(", ")"),
        AggregateFn::Most => ("most(", ")"),
        AggregateFn::Spread => ("spread(", ")"),
        AggregateFn::Trend => ("trend(", ")"),
    };
    write!(f, "{open}{}", aggregate.source)?;
    match &aggregate.value {
        Some(Expr::Field(of, name)) if **of == Expr::Element => write!(f, ".{name}")?,
        Some(value) => write!(f, ": {}", super::expr(value, names))?,
        None => {}
    }
    write_filter(aggregate.filter.as_ref(), names, f)?;
    match &aggregate.window {
        Some(Window::Last(length)) => write!(f, " during last {length}")?,
        Some(Window::Span(span)) => write!(f, " during {}", super::expr(span, names))?,
        Some(Window::Since(from)) => write!(f, " since {}", anchor(from, names))?,
        Some(Window::Ever) => f.write_str(" ever")?,
        None => {}
    }
    f.write_str(close)
}

fn write_filter(filter: Option<&Expr>, names: &dyn Names, f: &mut Formatter<'_>) -> fmt::Result {
    match filter {
        Some(expr) => write!(f, " where {}", Shown { expr, names, above: Level::Loosest }),
        None => Ok(()),
    }
}

struct Written<F>(F);

impl<F: Fn(&mut Formatter<'_>) -> fmt::Result> Display for Written<F> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        (self.0)(f)
    }
}
