//! The gate's books: what was said of being written to, and what has left when. Each dispatch is held against them.

use jiff::tz::TimeZone;
use jiff::{Span, Timestamp};
use wayfare::name::Name;
use wayfare::step::state::{Message, State, SubjectRef};
use wayfare::step::{Decision, Event, EventKind, MessageKey, Sym, Trace};
use wayfare::value::Value;

use super::{Customer, Model, zone};
use crate::sim::bank;

/// What somebody said, and what has left for them.
#[derive(Default)]
pub(super) struct Rights {
    /// Channels as the attribute has them.
    pub consent: Vec<Value>,
    words: Vec<Word>,
    lists: Vec<Line>,
    left: Vec<Left>,
}

/// Yes or no to a channel and a purpose; `None`: to all.
struct Word {
    channel: Option<Name>,
    purpose: Option<Name>,
    given: bool,
    at: Timestamp,
}

struct Line {
    list: std::sync::Arc<str>,
    channel: Option<Name>,
    purpose: Option<Name>,
    until: Option<Timestamp>,
}

/// A message that left, and counts: its `reach` or `send`, and which of it.
struct Left {
    at: Timestamp,
    family: (Sym, SubjectRef, std::sync::Arc<str>, u16),
    step: Sym,
    channel: Name,
    purpose: Name,
}

fn is_about(own: Option<Name>, asked: Name) -> bool {
    own.is_none_or(|own| own == asked)
}

/// Of a bank that is simulated only these stand alone in a message.
fn is_stop(text: &str) -> bool {
    matches!(text, "TD" | "退订")
}

impl Rights {
    /// What the events of a commit say. `trace` tells when the daemon heard it: nobody speaks from the future.
    pub(super) fn hear(&mut self, log: &[Event], trace: &[Trace]) {
        let mut heard = trace.iter().filter(|it| matches!(it.what, Decision::Consent { .. }));
        for event in log {
            let (channel, purpose, given) = match &event.kind {
                EventKind::Attributes if event.child.is_none() => {
                    let consent = event.fields.iter().find(|(name, _)| name.as_str() == "consent");
                    if let Some((_, Value::List(channels))) = consent {
                        self.consent.clone_from(channels);
                    }
                    continue;
                }
                EventKind::Listed { list, channel, purpose, on, until } => {
                    let same = |line: &Line| {
                        line.list == *list && line.channel == *channel && line.purpose == *purpose
                    };
                    self.lists.retain(|line| !same(line));
                    if *on {
                        let (list, channel, purpose, until) = (list.clone(), *channel, *purpose, *until);
                        self.lists.push(Line { list, channel, purpose, until });
                    }
                    continue;
                }
                EventKind::Consent { channel, purpose, given, .. } => (*channel, *purpose, *given),
                EventKind::Inbound { channel, text } if is_stop(text) => {
                    (Some(*channel), Some(Name::new("marketing")), false)
                }
                _ => continue,
            };
            let Some(told) = heard.next() else { continue };
            self.words.push(Word { channel, purpose, given, at: event.time.min(told.at) });
        }
    }

    /// The last word, if there is one.
    pub(super) fn said(&self, channel: Name, purpose: Name) -> Option<bool> {
        let words = self.words.iter();
        let words = words.filter(|word| is_about(word.channel, channel) && is_about(word.purpose, purpose));
        words.max_by_key(|word| (word.at.as_millisecond(), !word.given)).map(|word| word.given)
    }

    /// Who has spoken is taken at their word; of others the attribute counts.
    fn agrees(&self, channel: Name, purpose: Name) -> bool {
        self.said(channel, purpose).unwrap_or_else(|| self.consent.contains(&Value::Choice(channel)))
    }

    /// The list that forbids it.
    fn list(&self, channel: Name, purpose: Name, at: Timestamp) -> Option<&str> {
        let urgent = purpose.as_str() == "transactional";
        let found = self.lists.iter().find(|line| {
            is_about(line.channel, channel)
                && line.purpose.map_or(!urgent, |own| own == purpose)
                && line.until.is_none_or(|until| at < until)
        });
        found.map(|line| &*line.list)
    }

    /// It did not leave after all, or waits once more.
    pub(super) fn came_to_nothing(&mut self, message: &Message) {
        let family = family(message);
        self.left.retain(|left| left.step != message.step || left.family != family);
    }

    /// Whoever turned out to be the same.
    pub(super) fn join(&mut self, gone: Rights) {
        if self.consent.is_empty() || gone.consent.is_empty() {
            self.consent.extend(gone.consent);
        } else {
            self.consent.retain(|channel| gone.consent.contains(channel));
        }
        self.words.extend(gone.words);
        self.lists.extend(gone.lists);
        for left in gone.left {
            let same = |own: &Left| own.step == left.step && own.family == left.family;
            if !self.left.iter().any(same) {
                self.left.push(left);
            }
        }
    }
}

fn family(message: &Message) -> (Sym, SubjectRef, std::sync::Arc<str>, u16) {
    (message.journey, message.subject.clone(), message.entry.clone(), message.node)
}

fn purpose_of(journey: &str) -> Name {
    Name::new(if bank::MARKETING.contains(&journey) {
        "marketing"
    } else if bank::URGENT.contains(&journey) {
        "transactional"
    } else {
        "service"
    })
}

impl Model {
    /// A message is handed to its channel: the gate has agreed, or should not have.
    pub(super) fn leaves(
        &mut self,
        key: &MessageKey,
        customer: &mut Customer,
        state: &State,
        message: &Message,
        at: Timestamp,
    ) {
        let (channel, journey) = (Name::new(&self.text(message.channel)), self.text(message.journey));
        let purpose = purpose_of(&journey);
        let (is_marketing, is_urgent) =
            (purpose.as_str() == "marketing", purpose.as_str() == "transactional");
        self.departs(channel, at);
        // Who is named by the step is asked nothing.
        if message.to().is_some() {
            return;
        }
        let rights = &mut customer.rights;
        // Of those who are two only the row knows all that was said.
        let agreed = !is_marketing
            || if customer.has_joined {
                self.row_agrees(state, channel, purpose)
            } else {
                rights.agrees(channel, purpose)
            };
        self.expect(agreed, || format!("{key} left without consent for {channel}: {:?}", rights.consent));
        let list = rights.list(channel, purpose, at).map(str::to_owned).filter(|_| !customer.has_joined);
        self.expect(list.is_none(), || format!("{key} left, and its reader is on the list {list:?}"));
        let tag = |state: &State, model: &Self| {
            let tagged = |(tag, until): &(Sym, Option<Timestamp>)| {
                &*model.text(*tag) == bank::SUPPRESSING && until.is_none_or(|until| until > at)
            };
            state.tags.iter().any(tagged)
        };
        let suppressed = is_marketing && tag(state, self) && tag(&customer.state, self);
        self.expect(!suppressed, || format!("{key} left, and marketing is suppressed"));
        let zone = self.zone_of(state);
        let local = at.to_zoned(zone.clone());
        let quiet = !is_urgent && bank::is_quiet(local.time());
        self.expect(!quiet, || format!("{key} left in a quiet time, at {local}"));
        let rights = &mut customer.rights;
        rights.left.push(Left { at, family: family(message), step: message.step, channel, purpose });
        let week = local.checked_sub(Span::new().days(7)).unwrap().timestamp();
        let day = local.start_of_day().unwrap().timestamp();
        rights.left.retain(|left| left.at > week.min(day));
        let since = |from: Timestamp| rights.left.iter().filter(move |left| left.at >= from);
        let texts = since(day)
            .filter(|left| left.channel.as_str() == "sms" && left.purpose.as_str() != "transactional")
            .count();
        let mut families: Vec<_> = since(week)
            .filter(|left| left.at > week && left.purpose.as_str() == "marketing")
            .map(|left| &left.family)
            .collect();
        families.sort_unstable();
        families.dedup();
        let marketing = families.len();
        let over = |count: usize, most: usize, concerned: bool| concerned && count > most;
        let texts_over = over(texts, bank::TEXTS_PER_DAY, channel.as_str() == "sms" && !is_urgent);
        self.expect(!texts_over, || {
            format!("{key} is text {texts} of a day, the cap is {}", bank::TEXTS_PER_DAY)
        });
        let many = over(marketing, bank::MARKETING_PER_WEEK, is_marketing);
        self.expect(!many, || {
            format!(
                "{key} is number {marketing} of marketing in 7 days, the cap is {}",
                bank::MARKETING_PER_WEEK
            )
        });
        if marketing == bank::MARKETING_PER_WEEK && is_marketing {
            self.count("marketing at its cap");
        }
        if texts == bank::TEXTS_PER_DAY {
            self.count("texts at their cap");
        }
    }

    /// The zone of a customer; the bank's where that is unknown.
    fn zone_of(&self, state: &State) -> TimeZone {
        let own = state.attributes.iter().find(|(name, _)| &*self.text(*name) == "zone");
        let own = own.and_then(|(_, value)| if let Value::Text(text) = value { Some(text) } else { None });
        own.and_then(|name| TimeZone::get(name).ok()).unwrap_or_else(zone)
    }
}
