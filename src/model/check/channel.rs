//! Channels: what they are, how fast, and what they can report.

use super::world::{Declared, Sink};
use super::{length, schema};
use crate::diagnostic::{Diagnostic, code};
use crate::expr::MessageEvent;
use crate::model::{Channel, OptOut, Region};
use crate::name::Name;
use crate::program::Rate;
use crate::syntax::ast::{ChannelItem, Dur, Expr, ExprKind, Ident, Text};

const KINDS: [&str; 6] = ["push", "pull", "slot", "human", "group", "ads"];
const SURFACES: [&str; 3] = ["owned", "third_party", "paid"];
const PORTS: [&str; 3] = ["marketing", "service", "verification"];
const WAYS_OUT: [&str; 8] = ["reply", "link", "switch", "call", "visit", "letter", "login", "fee"];
/// More than any page shows, and fewer than a customer's state holds.
const MOST_PLACEMENTS: i64 = 16;

pub(super) fn channel(declared: &Declared, items: &[ChannelItem], sink: &mut Sink) -> Channel {
    let mut channel = Channel {
        name: declared.name,
        label: schema::label(declared.decl),
        kind: Name::new("push"),
        rate: None,
        receipt: None,
        outcomes: Vec::new(),
        address: None,
        party: None,
        segments: None,
        surface: None,
        capacity: None,
        port: None,
        opt_out: None,
        do_not_call: None,
        region: None,
        owner: None,
        span: declared.span,
    };
    let (mut kind, mut capacity) = (None, None);
    for item in items {
        match item {
            ChannelItem::Kind(word) => kind = Some(known(*word, "a kind of channel", &KINDS, sink)),
            ChannelItem::Rate { count, unit } => channel.rate = rate(count, *unit, sink),
            ChannelItem::Segments(count) => channel.segments = segments(count, sink),
            ChannelItem::Receipt(dur) => channel.receipt = Some(length::positive(*dur, sink)),
            ChannelItem::Outcomes(words) => channel.outcomes = receipts(words, sink),
            ChannelItem::Addresses(path) => {
                channel.address = path.parts.last().map(|part| part.name);
                if let [kind, _] = path.parts.as_slice() {
                    channel.party.get_or_insert(kind.name);
                }
            }
            ChannelItem::Party(word) => channel.party = Some(word.name),
            ChannelItem::Owner(text) => channel.owner = Some(text.value.clone()),
            ChannelItem::Surface(word) => channel.surface = Some(known(*word, "a surface", &SURFACES, sink)),
            ChannelItem::Capacity(count) => {
                channel.capacity = self::capacity(count, sink);
                capacity = Some(count.span);
            }
            ChannelItem::Port(word) => channel.port = Some(known(*word, "a kind of port", &PORTS, sink)),
            ChannelItem::OptOut { within, by } => channel.opt_out = Some(opt_out(*within, by, sink)),
            ChannelItem::DoNotCall(dur) => channel.do_not_call = Some(length::positive(*dur, sink)),
            ChannelItem::Region { place, under } => {
                channel.region = Some(region(*place, under.as_ref(), sink));
            }
            ChannelItem::Cost(_) | ChannelItem::Error(_) => {}
        }
    }
    if kind.is_none() && !items.iter().any(|item| matches!(item, ChannelItem::Error(_))) {
        sink.report(
            Diagnostic::new(
                code::CHANNEL_ITEM,
                declared.span,
                format!("channel `{}` has no kind", declared.name),
            )
            .label("how does it reach people?")
            .help("write `kind push`, or one of `pull`, `slot`, `human`, `group`, `ads`"),
        );
    }
    channel.kind = kind.unwrap_or(channel.kind);
    if let (Some(at), Some(kind)) = (capacity, kind.filter(|kind| kind.as_str() != "slot")) {
        let headline = format!("a channel of kind `{kind}` holds no placements");
        let finding = Diagnostic::new(code::CHANNEL_ITEM, at, headline).label("of slots only");
        sink.report(
            finding.help("leave `capacity` out; how many leave in what time is `rate 500 per second`"),
        );
    }
    channel
}

/// One of `known`; anything else is told of.
fn known(word: Ident, what: &str, known: &[&'static str], sink: &mut Sink) -> Name {
    if !known.contains(&word.name.as_str()) {
        let finding =
            Diagnostic::new(code::CHANNEL_ITEM, word.span, format!("`{}` is not {what}", word.name))
                .label("not known");
        sink.report(
            finding.suggest(word.name.as_str(), known.iter().copied(), || {
                format!("write one of {}", list(known))
            }),
        );
    }
    word.name
}

fn opt_out(within: Dur, by: &[Ident], sink: &mut Sink) -> OptOut {
    let ways: Vec<Name> = by.iter().map(|word| known(*word, "a way to leave", &WAYS_OUT, sink)).collect();
    let span = by.first().map_or(within.span, |word| word.span);
    OptOut { within: length::positive(within, sink), by: ways, span }
}

fn region(place: Ident, under: Option<&Text>, sink: &mut Sink) -> Region {
    Region { place: country(place, sink), under: under.map(|text| text.value.clone()), span: place.span }
}

/// Two letters, or `eu`: as packs of rules are called.
pub(super) fn country(word: Ident, sink: &mut Sink) -> Name {
    let name = word.name.as_str();
    if name.len() != 2 || !name.bytes().all(|byte| byte.is_ascii_lowercase()) {
        let headline = format!("`{name}` is not a country");
        sink.report(
            Diagnostic::new(code::CHANNEL_ITEM, word.span, headline)
                .label("two small letters")
                .help("write `cn`, `hk`, `sg`, …, as ISO 3166 has them, or `eu`"),
        );
    }
    word.name
}

fn capacity(count: &Expr, sink: &mut Sink) -> Option<u16> {
    match count.kind {
        ExprKind::Error => None,
        ExprKind::Int(count @ 1..=MOST_PLACEMENTS) => u16::try_from(count).ok(),
        _ => {
            let headline = format!("a slot holds 1 to {MOST_PLACEMENTS} placements of one customer");
            sink.report(
                Diagnostic::new(code::CHANNEL_ITEM, count.span, headline)
                    .label("not such a number")
                    .help("write `capacity 3`"),
            );
            None
        }
    }
}

/// `a`, `b`, `c`
fn list(words: &[&str]) -> String {
    words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ")
}

fn rate(count: &Expr, unit: Ident, sink: &mut Sink) -> Option<Rate> {
    let per_ms = match unit.name.as_str() {
        "second" => 1_000,
        "minute" => 60_000,
        _ => {
            let headline = format!("a rate is per second or per minute, not per `{}`", unit.name);
            sink.report(
                Diagnostic::new(code::CHANNEL_ITEM, unit.span, headline)
                    .label("not a unit of a rate")
                    .help("write `rate 500 per second`"),
            );
            return None;
        }
    };
    match count.kind {
        ExprKind::Error => None,
        ExprKind::Int(count @ 1..) => Some(Rate { count: u32::try_from(count).unwrap_or(u32::MAX), per_ms }),
        _ => {
            sink.report(
                Diagnostic::new(code::CHANNEL_ITEM, count.span, "a rate is a whole number, one or more")
                    .label("not such a number")
                    .help("write `rate 500 per second`"),
            );
            None
        }
    }
}

fn segments(count: &Expr, sink: &mut Sink) -> Option<u32> {
    match count.kind {
        ExprKind::Error => None,
        ExprKind::Int(count @ 1..=20) => u32::try_from(count).ok(),
        _ => {
            let headline = "a text message takes 1 to 20 parts";
            sink.report(
                Diagnostic::new(code::CHANNEL_ITEM, count.span, headline)
                    .label("not such a number")
                    .help("write `segments 5`"),
            );
            None
        }
    }
}

fn receipts(words: &[Ident], sink: &mut Sink) -> Vec<MessageEvent> {
    let mut outcomes = Vec::new();
    for word in words {
        match MessageEvent::ALL.iter().find(|event| event.as_str() == word.name.as_str()) {
            Some(MessageEvent::Sent) => {}
            Some(event) if !outcomes.contains(event) => outcomes.push(*event),
            Some(_) => {}
            None => sink.report(unknown_receipt(*word)),
        }
    }
    outcomes
}

fn unknown_receipt(word: Ident) -> Diagnostic {
    let headline = format!("`{}` is nothing a channel can report", word.name);
    let finding = Diagnostic::new(code::CHANNEL_ITEM, word.span, headline).label("not a receipt");
    let known = MessageEvent::ALL.map(MessageEvent::as_str);
    finding.suggest(word.name.as_str(), known, || format!("receipts are {}", list(&known)))
}
