//! What must be true of every customer and every message in the end, whatever happened in between.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use jiff::ToSpan;
use jiff::tz::TimeZone;
use wayfare::channel::webhook;
use wayfare::demo::persona::Persona;
use wayfare::step::State;
use wayfare::step::state::{Message, MessageStatus};

use super::crowd::{CUSTOMERS, consent, number};
use crate::support::books::Books;
use crate::support::receiver::{Arrival, Taken};

const LADDER: &str = "first_loan";
const HAND_OVER: &str = "login_activation";

struct Rung {
    step: &'static str,
    channel: &'static str,
    /// The receipt that it waits for, and for how many days.
    good: &'static str,
    days: i64,
}

const RUNGS: [Rung; 4] = [
    Rung { step: "offer.push", channel: "push", good: "opened", days: 2 },
    Rung { step: "offer.first_loan_again", channel: "push", good: "opened", days: 2 },
    Rung { step: "offer.sms", channel: "sms", good: "clicked", days: 1 },
    Rung { step: "offer.wechat", channel: "wechat", good: "opened", days: 3 },
];

/// Everything that is wrong, a line each; and how the ladders ended, by end state.
pub(crate) fn audit(
    books: &Books,
    taken: &BTreeMap<String, Taken>,
    arrivals: &[Arrival],
    acknowledged: &[(String, String)],
) -> (Vec<String>, BTreeMap<String, usize>) {
    let (mut wrong, mut ends) = (Vec::new(), BTreeMap::new());
    let order = arrivals.iter().map(|arrival| &*arrival.id).zip(0..).collect();
    if books.customers.len() != CUSTOMERS {
        wrong.push(format!("there are {} customers", books.customers.len()));
    }
    for (id, state) in &books.customers {
        match Story::read(books, id, state) {
            Ok(story) => {
                wrong.extend(story.judge(&order).into_iter().map(|what| format!("{id}: {what}")));
                *ends.entry(story.end.to_owned()).or_insert(0) += 1;
            }
            Err(what) => wrong.push(format!("{id}: {what}")),
        }
    }
    wrong.extend(messages(books, taken));
    wrong.extend(receipts(books, acknowledged));
    for record in &books.quarantined {
        wrong.push(format!("in quarantine: {} {}", record.code, record.reason));
    }
    (wrong, ends)
}

/// How many of those who can be reached on every channel ended as their character says.
pub(crate) fn in_character(books: &Books) -> (usize, usize) {
    let (mut as_expected, mut all) = (0, 0);
    for (id, state) in &books.customers {
        if consent(number(id)).len() < 3 {
            continue;
        }
        let Ok(story) = Story::read(books, id, state) else { continue };
        let expected = match Persona::of(number(id)) {
            Persona::Quick => ("reached", 1),
            Persona::Slow => ("reached", 2),
            Persona::Texter => ("reached", 3),
            Persona::Chatter => ("reached", 4),
            Persona::Borrower => ("converted", 1),
            Persona::Silent => ("unreached", 4),
        };
        all += 1;
        as_expected += usize::from((story.end, story.sent.len()) == expected);
    }
    (as_expected, all)
}

/// One customer's way down the ladder.
struct Story<'a> {
    books: &'a Books,
    id: &'a str,
    state: &'a State,
    end: &'a str,
    ended: jiff::Timestamp,
    /// What the ladder sent.
    sent: Vec<&'a Message>,
}

impl<'a> Story<'a> {
    fn read(books: &'a Books, id: &'a str, state: &'a State) -> Result<Self, String> {
        let entries = books.entries(state, LADDER);
        let [entry] = entries.as_slice() else { return Err(format!("entered {} times", entries.len())) };
        let (end, ended) = entry.ended.ok_or("has not ended")?;
        Ok(Self { books, id, state, end: books.name(end), ended, sent: books.sent(state, LADDER) })
    }

    /// `order`: where each idempotency key stands among the first arrivals.
    fn judge(&self, order: &HashMap<&str, usize>) -> Vec<String> {
        let mut wrong = Vec::new();
        let mut expect = |holds: bool, what: &str| {
            if !holds {
                wrong.push(format!("{what} (ended {}, sent {:?})", self.end, self.steps()));
            }
        };
        let open = self.rungs();
        let way: Vec<&str> = open.iter().take(self.sent.len()).map(|rung| rung.step).collect();
        expect(self.state.instances.is_empty(), "is still running");
        expect(self.state.pending.is_empty(), "is still waited for");
        expect(self.state.messages.iter().all(|message| is_final(message.status)), "has a message under way");
        expect(self.steps() == way, "was not asked in the order of the ladder");
        expect(self.in_time(&open), "was asked again before the time was over");
        expect(self.arrived_in_order(order), "got a later rung before an earlier one");
        expect(self.sent.iter().all(|message| message.at <= self.ended), "heard from us after the end");
        match self.end {
            "kept_quiet" => expect(open.is_empty(), "was kept quiet against the consent"),
            "unreached" => expect(self.sent.len() == open.len(), "was given up too early"),
            "reached" => expect(self.answered(&open), "was called reached without an answer"),
            "converted" => expect(!self.sent.is_empty(), "took the loan before anybody asked"),
            other => expect(false, &format!("ended in `{other}`")),
        }
        let handed: Vec<_> = self.books.entries(self.state, HAND_OVER);
        let ended = handed.iter().all(|entry| {
            entry.ended.is_some_and(|(end, _)| matches!(self.books.name(end), "active" | "asleep"))
        });
        expect(handed.len() == usize::from(self.end == "unreached"), "was handed over wrongly");
        expect(ended, "was handed over and has no end there");
        wrong
    }

    /// The rungs that this customer agreed to.
    fn rungs(&self) -> Vec<&'static Rung> {
        RUNGS.iter().filter(|rung| consent(number(self.id)).contains(&rung.channel)).collect()
    }

    fn steps(&self) -> Vec<&str> {
        self.sent.iter().map(|message| self.books.name(message.step)).collect()
    }

    /// Each rung had its whole time before the next.
    fn in_time(&self, open: &[&Rung]) -> bool {
        self.sent.windows(2).zip(open).all(|(pair, rung)| {
            let first = pair[0].at.to_zoned(TimeZone::get("Asia/Shanghai").unwrap());
            pair[1].at >= first.checked_add(rung.days.days()).unwrap().timestamp()
        })
    }

    fn arrived_in_order(&self, order: &HashMap<&str, usize>) -> bool {
        let place = |message: &&Message| order.get(&*webhook::id(&self.books.key(self.id, message)));
        self.sent.iter().map(place).is_sorted()
    }

    /// Whether the last thing that was sent got the answer that its rung waits for.
    fn answered(&self, open: &[&Rung]) -> bool {
        let last = self.sent.last().zip(self.sent.len().checked_sub(1).and_then(|last| open.get(last)));
        last.is_some_and(|(message, rung)| {
            message.receipts.iter().any(|(kind, at)| kind.as_str() == rung.good && *at <= self.ended)
        })
    }
}

fn is_final(status: MessageStatus) -> bool {
    matches!(status, MessageStatus::Sent | MessageStatus::Refused(_) | MessageStatus::Cancelled)
}

/// What took effect at the receiver is what the states say was sent: none missing, none extra, each said once.
fn messages(books: &Books, taken: &BTreeMap<String, Taken>) -> Vec<String> {
    let mut sent = BTreeMap::new();
    for (id, state) in &books.customers {
        for message in state.messages.iter().filter(|message| message.status == MessageStatus::Sent) {
            let key = books.key(id, message);
            sent.insert(webhook::id(&key), key.to_string());
        }
    }
    let missing = sent.iter().filter(|(id, _)| !taken.contains_key(*id)).map(|(_, key)| key);
    let extra = taken.iter().filter(|(id, _)| !sent.contains_key(*id)).map(|(_, taken)| &taken.body);
    let twofold = taken.values().filter(|taken| taken.conflicting).map(|taken| &taken.body);
    missing
        .map(|key| format!("sent, but never arrived: {key}"))
        .chain(extra.map(|body| format!("arrived, but never sent: {body}")))
        .chain(twofold.map(|body| format!("arrived with two contents: {body}")))
        .collect()
}

/// Every receipt that was acknowledged is in the state of its customer.
fn receipts(books: &Books, acknowledged: &[(String, String)]) -> Vec<String> {
    let mut known = BTreeSet::new();
    for (id, state) in &books.customers {
        for message in &state.messages {
            let key = books.key(id, message).to_string();
            known.extend(message.receipts.iter().map(|(kind, _)| (key.clone(), kind.as_str())));
        }
    }
    let lost = acknowledged.iter().filter(|(key, kind)| !known.contains(&(key.clone(), kind.as_str())));
    lost.map(|(key, kind)| format!("acknowledged, but lost: {kind} of {key}")).collect()
}
