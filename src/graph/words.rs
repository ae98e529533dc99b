//! Steps, triggers and tests in the journey's own words.

use jiff::civil::Weekday;

use crate::expr::show::{self, Names};
use crate::expr::{Anchor, BinaryOp, Expr};
use crate::model::Journey;
use crate::model::journey::{Awaited, Case, Repeat, Send, StepKind, Trigger};
use crate::model::show::Show;
use crate::model::task::Assign;
use crate::name::Name;
use crate::program::{
    Among, CaseTest, ContentCall, Each, Enter, Every, Give, Giving, Manner, Outcome, Schedule, ShowEnd,
    WeekdayName,
};
use crate::value::Length;

pub(super) fn enter(journey: &Journey) -> String {
    match &journey.enter {
        Enter::Event(patterns) if journey.rules.is_some() => {
            let mut heard: Vec<String> = patterns.iter().map(|pattern| pattern.source.to_string()).collect();
            heard.sort();
            heard.dedup();
            format!("reply on {}", heard.join(", "))
        }
        Enter::Event(patterns) => format!("enter on {}", show::patterns(patterns, journey)),
        Enter::Without { trigger, absent, within } => {
            let (came, absent) = (show::pattern(trigger, journey), show::pattern(absent, journey));
            format!("enter on {came} without {absent} within {within}")
        }
        Enter::When { condition, schedule } => {
            let schedule = schedule.as_ref().map(|schedule| format!(" {}", self::schedule(schedule)));
            format!("enter when {}{}", show::expr(condition, journey), schedule.unwrap_or_default())
        }
        Enter::Date { moment, .. } => format!("enter on {}", show::expr(moment, journey)),
        Enter::Anchor { of, anchor, shift, .. } => {
            let of = of.as_ref().map(|(of, _)| format!("{}.", show::expr(of, journey))).unwrap_or_default();
            match shift {
                Some((length, true)) => format!("enter on {length} before {of}{anchor}"),
                Some((length, false)) => format!("enter on {length} after {of}{anchor}"),
                None => format!("enter on {of}{anchor}"),
            }
        }
        Enter::Every { schedule, filter: Some(filter) } => {
            format!("enter {} where {}", self::schedule(schedule), show::expr(filter, journey))
        }
        Enter::Every { schedule, filter: None } => format!("enter {}", self::schedule(schedule)),
        Enter::Start => "enter by start".to_owned(),
        Enter::List => "enter by list".to_owned(),
    }
}

/// `repeat week in 1..4 every monday at 10:00`
pub(super) fn repeat(repeat: &Repeat, names: &dyn Names) -> String {
    let number = show::expr(&Expr::Local(repeat.slot), names);
    let number = if number.contains('#') { String::new() } else { format!("{number} in ") };
    let (first, last) = (show::expr(&repeat.first, names), show::expr(&repeat.last, names));
    let clock = repeat.schedule.as_ref().map(|clock| format!(" {}", schedule(clock)));
    let until = repeat.until.as_ref().map(|until| format!(" until {}", show::expr(until, names)));
    format!("repeat {number}{first}..{last}{}{}", clock.unwrap_or_default(), until.unwrap_or_default())
}

/// `every month on day 15 at 10:00`
fn schedule(schedule: &Schedule) -> String {
    let every = match &schedule.every {
        Every::Elapsed(ms) => Length::Elapsed(*ms).to_string(),
        Every::Day => "day".to_owned(),
        Every::Workday => "workday".to_owned(),
        Every::Weekdays(days) => separated(days.iter().map(|day| weekday(*day).to_owned())),
        Every::MonthDay(day) => format!("month on day {day}"),
        Every::LastWeekday(day) => format!("month on last {}", weekday(*day)),
        Every::YearOn(attribute) => format!("year on {attribute}"),
        Every::MonthOn(attribute) => format!("month on day {attribute}"),
    };
    let at = separated(schedule.at.iter().map(|time| time.strftime("%H:%M").to_string()));
    let at = if at.is_empty() { at } else { format!(" at {at}") };
    let during = schedule.during.map(|(first, last)| format!(" during {first}..{last}"));
    format!("every {every}{at}{}", during.unwrap_or_default())
}

fn weekday(day: WeekdayName) -> &'static str {
    match day.weekday() {
        Weekday::Monday => "monday",
        Weekday::Tuesday => "tuesday",
        Weekday::Wednesday => "wednesday",
        Weekday::Thursday => "thursday",
        Weekday::Friday => "friday",
        Weekday::Saturday => "saturday",
        Weekday::Sunday => "sunday",
    }
}

fn separated(items: impl Iterator<Item = String>) -> String {
    items.collect::<Vec<_>>().join(", ")
}

pub(super) fn trigger(trigger: &Trigger, names: &dyn Names) -> String {
    match trigger {
        Trigger::On(patterns) => format!("on {}", show::patterns(patterns, names)),
        Trigger::When(condition) => format!("when {}", show::expr(condition, names)),
    }
}

pub(super) fn send(send: &Send, names: &dyn Names) -> String {
    let Manner { to, key, gap } = &send.manner;
    let to = to.as_ref().map(|to| format!(" to {}", show::expr(&to.id, names))).unwrap_or_default();
    let key = key.as_ref().map(|key| format!(" key {}", show::expr(key, names))).unwrap_or_default();
    let gap = gap.map(|gap| format!(" gap {gap}")).unwrap_or_default();
    format!("send {} via {}{to}{gap}{key}", call(&send.content, names), send.channel)
}

/// ` each members where …`
fn each_of(each: &Each, names: &dyn Names) -> String {
    let among = match &each.among {
        Among::Roots(_, list) => show::expr(list, names),
        Among::Children(entity) => entity.to_string(),
    };
    let filter = each.filter.as_ref().map(|filter| format!(" where {}", show::expr(filter, names)));
    format!(" each {among}{}", filter.unwrap_or_default())
}

/// `first_loan`, `bind_card(step = event.step)`
pub(super) fn call(call: &ContentCall, names: &dyn Names) -> String {
    if let Some(chosen) = &call.chosen {
        return show::expr(&chosen.by, names);
    }
    if call.args.is_empty() {
        return call.content.to_string();
    }
    format!("{}({})", call.content, args(&call.args, names))
}

/// What is given, and to whom if not to the subject.
pub(super) fn giving(giving: &Giving, names: &dyn Names) -> String {
    let to = giving.to.as_ref().map(|to| format!(" to {}", show::expr(&to.id, names))).unwrap_or_default();
    format!("{}{to}", give(&giving.give, names))
}

/// `grant fuel_rush`, `exchange 500 stars for coffee_coupon`, `draw weekly_draw`
pub(crate) fn give(give: &Give, names: &dyn Names) -> String {
    let said = |expr: &Expr| show::expr(expr, names);
    match give {
        Give::Reward { what, amount: Some(amount) } => {
            format!("grant {} amount {}", said(what), said(amount))
        }
        Give::Reward { what, amount: None } => format!("grant {}", said(what)),
        Give::Points { points, amount } => format!("grant {points} amount {}", said(amount)),
        Give::Chance { lottery } => format!("grant {lottery}.chance"),
        Give::Exchange { amount, points, what } => {
            format!("exchange {} {points} for {}", said(amount), said(what))
        }
        Give::Draw { lottery } => format!("draw {lottery}"),
        Give::Qualify { referral, .. } => format!("qualify for {referral}"),
    }
}

/// A step that takes no time.
pub(super) fn act(kind: &StepKind, names: &dyn Names) -> String {
    match kind {
        StepKind::Tag { tag, keep: Some(keep) } => format!("tag {tag} keep {keep}"),
        StepKind::Tag { tag, keep: None } => format!("tag {tag}"),
        StepKind::Untag { tag } => format!("untag {tag}"),
        StepKind::Start { journey, args, each } => {
            let each = each.as_ref().map(|each| each_of(each, names)).unwrap_or_default();
            format!("{}{each}", start(*journey, args, names))
        }
        StepKind::Remember { slot, value } => {
            let name = show::expr(&Expr::Local(*slot), names);
            format!("remember {name} = {}", show::expr(value, names))
        }
        StepKind::Hide { contents, slots } => format!(
            "hide {} via {}",
            separated(contents.iter().map(ToString::to_string)),
            separated(slots.iter().map(ToString::to_string))
        ),
        _ => String::new(),
    }
}

/// `assign visit to desk due 2 workdays`
pub(super) fn assign(assign: &Assign, names: &dyn Names) -> String {
    let due = assign.due.map(|due| format!(" due {due}")).unwrap_or_default();
    format!("assign {} to {}{due}", assign.task, show::expr(&assign.to, names))
}

/// `show spring via home_banner, popup rank 20 until 2027-02-20 at 23:59`
pub(super) fn show(show: &Show, names: &dyn Names) -> String {
    let slots = separated(show.slots.iter().map(|slot| slot.channel.to_string()));
    let rank = show.rank.as_ref().map(|rank| format!(" rank {}", show::expr(rank, names)));
    let end = show.end.as_ref().map(|end| match end {
        ShowEnd::Keep(length) => format!(" keep {length}"),
        ShowEnd::Until(moment) => format!(" until {}", show::expr(moment, names)),
    });
    let content = call(&show.content, names);
    format!("show {content} via {slots}{}{}", rank.unwrap_or_default(), end.unwrap_or_default())
}

fn start(journey: Name, given: &[(Name, Expr)], names: &dyn Names) -> String {
    if given.is_empty() {
        format!("start {journey}")
    } else {
        format!("start {journey}({})", args(given, names))
    }
}

fn args(args: &[(Name, Expr)], names: &dyn Names) -> String {
    let args = args.iter().map(|(name, value)| {
        let value = show::expr(value, names);
        if value == name.as_str() { value } else { format!("{name} = {value}") }
    });
    args.collect::<Vec<_>>().join(", ")
}

pub(super) fn awaited(all: &[Awaited], names: &dyn Names) -> String {
    show::patterns(all.iter().map(|one| &one.pattern), names)
}

/// ` within 2 days from sent(offer)`; `here` is not said.
pub(super) fn limit(within: Length, from: &Anchor, names: &dyn Names) -> String {
    match from {
        Anchor::Here => format!(" within {within}"),
        other => format!(" within {within} from {}", show::anchor(other, names)),
    }
}

pub(super) fn outcomes(outcomes: &[Outcome]) -> String {
    let words: Vec<&str> = outcomes.iter().map(|outcome| outcome.as_str()).collect();
    format!("on {}", words.join(", "))
}

/// `case 2, >= 100 CNY`
pub(super) fn case(tests: &[CaseTest], names: &dyn Names) -> String {
    let tests: Vec<String> = tests.iter().map(|test| case_test(test, names)).collect();
    format!("case {}", tests.join(", "))
}

fn case_test(test: &CaseTest, names: &dyn Names) -> String {
    match test {
        CaseTest::Any => "_".to_owned(),
        CaseTest::Compare(op, value) => format!("{} {}", compare_word(*op), show::expr(value, names)),
        CaseTest::OneOf(values) => {
            values.iter().map(|value| show::expr(value, names)).collect::<Vec<_>>().join(" | ")
        }
    }
}

fn compare_word(op: BinaryOp) -> &'static str {
    match op {
        BinaryOp::Less => "<",
        BinaryOp::LessEq => "<=",
        BinaryOp::Greater => ">",
        BinaryOp::GreaterEq => ">=",
        _ => "is",
    }
}

/// Of replies: the rule's name, and what it fits.
pub(super) fn rule(case: &Case, journey: &Journey) -> Option<String> {
    let rules = journey.rules.as_ref()?;
    let Enter::Event(patterns) = &journey.enter else { return None };
    let at = rules.spans.iter().position(|span| *span == case.span)?;
    let (name, pattern) = (rules.run.names.get(at)?, patterns.get(at)?);
    let is_else = rules.otherwise == Some(case.span);
    Some(if is_else { name.to_string() } else { format!("{name}: {}", show::pattern(pattern, journey)) })
}
