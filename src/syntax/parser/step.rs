//! Steps: one line or block each, headed by its word. Waits, ladders and choices have rooms of their own.

use nom::Parser;
use nom::combinator::map;

use super::choose;
use super::duration::duration;
use super::expr::expr;
use super::give;
use super::heading::{Heads, heading};
use super::input::In;
use super::operand::call;
use super::primitive::{P, block, boxed, expect, expect_word, ident, item, label, nested, optional, path};
use super::reach::reach;
use super::repeat;
use super::report;
use super::show::{hide, show};
use super::tail::{optional_tail, step_id};
use super::task::assign;
use super::wait::wait;
use crate::diagnostic::{Diagnostic, code};
use crate::name::Name;
use crate::syntax::ast::{Do, Dur, Each, Expr, Ident, Send, Step, StepId, StepKind};
use crate::syntax::token::TokenKind;
use crate::syntax::words;
use crate::text::Span;

const STEPS: Heads = Heads { what: "a step", words: &[words::STEPS] };

/// `{ step; step }` with the span of its `}`
pub(super) fn steps(i: In<'_>) -> P<'_, (Vec<Step>, Span)> {
    nested(i, |i| block(i, one_step))
}

fn one_step(i: In<'_>) -> (In<'_>, Step) {
    let read = |i| {
        let (_, word) = heading(i, &STEPS)?;
        step(i, word)
    };
    item(i, read, |span| error(i, span))
}

/// A step that could not be read.
pub(super) fn error(i: In<'_>, span: Span) -> Step {
    Step { word: Ident { name: Name::new(i.word()), span: i.span() }, kind: StepKind::Error, span }
}

/// The step headed by `word` (which may be spelled otherwise, and is then reported).
pub(super) fn step<'a>(start: In<'a>, word: &str) -> P<'a, Step> {
    let (i, kind) = kind(start.next(), word)?;
    let word = Ident { name: Name::new(word), span: start.span() };
    Ok((i, Step { word, kind, span: i.since(start.span()) }))
}

fn kind<'a>(i: In<'a>, word: &str) -> P<'a, StepKind> {
    match word {
        "send" => send(i),
        "reach" => reach(i),
        "wait" => boxed(wait, StepKind::Wait).parse(i),
        "if" => choose::choice(i),
        "match" => choose::cases(i),
        "tag" => tag(i),
        "assign" => assign(i),
        "show" => show(i),
        "hide" => hide(i),
        "untag" => map(path("a tag"), |tag| StepKind::Untag { tag }).parse(i),
        "start" => start_journey(i),
        "repeat" => repeat::repeat(i),
        "split" => repeat::split(i),
        "do" => do_flow(i),
        "remember" => remember(i),
        "grant" => give::grant(i),
        "draw" => give::draw(i),
        "exchange" => give::exchange(i),
        "phase" => phase(i),
        "end" => {
            map((ident("a name for the end"), label), |(name, label)| StepKind::End { name, label }).parse(i)
        }
        _ => Ok((i, StepKind::Continue)),
    }
}

/// What may follow the channel of a `send`, in any order.
#[derive(Default)]
struct SendOptions {
    to: Option<Expr>,
    gap: Option<Dur>,
    within: Option<Dur>,
    key: Option<Expr>,
    id: Option<StepId>,
}

/// `send nudge(x) via push to manager as reminder within 2h { on failed … } else …`
fn send(i: In<'_>) -> P<'_, StepKind> {
    let (i, (content, _, channel)) = (call("a content"), expect_word("via"), ident("a channel")).parse(i)?;
    let (i, options) = send_options(i)?;
    let (i, tail) = optional_tail(i)?;
    let SendOptions { to, gap, within, key, id } = options;
    let id = id.unwrap_or_default();
    Ok((i, StepKind::Send(Box::new(Send { content, channel, to, gap, within, key, id, tail }))))
}

fn send_options(mut i: In<'_>) -> P<'_, SendOptions> {
    let mut options = SendOptions::default();
    loop {
        i = match i.word() {
            "to" if once(i, options.to.is_none()) => option(expr, i.next(), &mut options.to)?,
            "within" if once(i, options.within.is_none()) => option(duration, i.next(), &mut options.within)?,
            "as" if once(i, options.id.is_none()) => option(step_id, i, &mut options.id)?,
            "gap" if once(i, options.gap.is_none()) => option(duration, i.next(), &mut options.gap)?,
            "key" if once(i, options.key.is_none()) => option(expr, i.next(), &mut options.key)?,
            _ => return Ok((i, options)),
        };
    }
}

/// Whether an option is said for the first time; the second is reported.
pub(super) fn once(i: In<'_>, first: bool) -> bool {
    if !first {
        let finding = Diagnostic::new(code::SAID_TWICE, i.span(), format!("`{}` is said twice", i.word()))
            .help("keep one of them");
        report::at(i, finding);
    }
    first
}

pub(super) fn option<'a, T>(
    mut p: impl Parser<In<'a>, Output = T, Error = super::primitive::Missed>,
    i: In<'a>,
    slot: &mut Option<T>,
) -> Result<In<'a>, nom::Err<super::primitive::Missed>> {
    let (rest, value) = p.parse(i)?;
    *slot = Some(value);
    Ok(rest)
}

/// `tag cooling keep 7 days`
fn tag(i: In<'_>) -> P<'_, StepKind> {
    let (i, (tag, keep)) = (path("a tag"), optional("keep", duration)).parse(i)?;
    Ok((i, StepKind::Tag { tag, keep }))
}

fn start_journey(i: In<'_>) -> P<'_, StepKind> {
    let (i, journey) = call("a journey")(i)?;
    let (i, each) = optional("each", each).parse(i)?;
    Ok((i, StepKind::Start { journey, each: each.map(Box::new) }))
}

/// `members where …`
fn each(i: In<'_>) -> P<'_, Each> {
    map((path("a list such as `members`"), optional("where", expr)), |(path, filter)| Each { path, filter })
        .parse(i)
}

/// `nudge(etc_short, etc_applied) as first_nudge`
fn do_flow(i: In<'_>) -> P<'_, StepKind> {
    let (i, (flow, id)) = (call("a flow"), step_id).parse(i)?;
    Ok((i, StepKind::Do(Box::new(Do { flow, id }))))
}

/// `remember baseline = avg(aum during last month)`
fn remember(i: In<'_>) -> P<'_, StepKind> {
    let (i, (name, _, value)) = (ident("a name"), expect(TokenKind::Equals, "`=`"), expr).parse(i)?;
    Ok((i, StepKind::Remember { name, value: Box::new(value) }))
}

/// `phase activation "激活" { … }`
fn phase(i: In<'_>) -> P<'_, StepKind> {
    let (i, (name, label, (steps, _))) = (ident("a name for the phase"), label, steps).parse(i)?;
    Ok((i, StepKind::Phase { name, label, steps }))
}
