//! A small bank, and one customer of it whose clock the test holds.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use wayfare::expr::MessageEvent;
use wayfare::expr::civil::next_occurrence;
use wayfare::lower;
use wayfare::model::check::{Context, check, named_files};
use wayfare::name::Name;
use wayfare::program::{Bundle, Enter, Outcome};
use wayfare::step::codec::{decode, encode};
use wayfare::step::explain::explain;
use wayfare::step::state::MessageStatus;
use wayfare::step::{
    Delivery, Effect, Event, EventKind, Input, MessageKey, Post, RootKey, State, Trace, World, step,
};
use wayfare::syntax::parse;
use wayfare::text::Sources;
use wayfare::value::{Currency, Money, Value};

use crate::support::examples;

/// What the bank of the stories knows.
const BANK: &str = r#"
choice page { photo; face; card }
entity customer "客户" {
  key id : Id
  name "姓名" : Text? class identity
  consent : [channel]
  loan_limit : Money(CNY)?
  phone : Text?
  vip : Bool
  birthday : Date?
  savings : Money(CNY)? daily
}
entity holding of customer { key id : Id; maturity : Date?; amount : Money(CNY); calendar days }
calendar days { file "days.csv"; covers 2026-01-01..2026-12-31 }
event login of customer { source app }
event tapped of customer { step : Text; txn : Id }
event bound of customer { late 5min }
event payment of customer { amount : Money(CNY); late 5min }
event drawdown of customer { source app }
event redeemed of holding { source app }
channel push { kind push; outcomes delivered, opened, clicked }
channel sms { kind push; receipt within 2h; outcomes delivered, failed; addresses phone }
channel wechat { kind push; outcomes opened }
tag quiet of customer { keep 90 days }
tag seen of customer { keep 900 days }
content hello { via push { title "你好"; body """{{ name otherwise "尊敬的客户" }}，您好""" }; via sms """你好""" }
content again { via push """又来了"""; via wechat """你好""" }
"#;

/// `2026-01-01` to `2026-12-31`, with the national day and its working Saturday.
const DAYS: &str =
    "date,kind,name\n2026-10-01,holiday,国庆\n2026-10-02,holiday,国庆\n2026-10-10,workday,调休\n";

pub(crate) struct Story {
    pub world: World,
    pub root: RootKey,
    pub state: State,
    pub now: Timestamp,
    pub outbox: Vec<MessageKey>,
    pub delivered: Vec<Delivery>,
    pub log: Vec<Trace>,
    pub quarantined: usize,
    /// What was asked of the ledger, unanswered.
    pub reserved: Vec<wayfare::step::Reserve>,
    /// What a page that follows the effects holds.
    pub slots: Vec<MessageKey>,
    /// For other rows.
    pub posted: Vec<Post>,
    /// What the provider says to a delivery; `None`: nothing.
    pub provider: Option<Outcome>,
    /// Whether the outbox is served at all.
    pub dispatching: bool,
    /// When the pace of all lets a message go that was held over a quiet time; `None`: at once.
    pub paced_to: Option<Timestamp>,
    events: u32,
}

pub(crate) fn compile(files: &[(&str, &str)], calendars: &[(&str, &str)]) -> Bundle {
    let mut sources = Sources::default();
    let mut context = Context::default();
    let mut trees = Vec::new();
    for (path, text) in files {
        let id = sources.add(path, text);
        let parsed = parse(id, text);
        let wrong: Vec<String> = parsed
            .diagnostics
            .iter()
            .map(|finding| {
                format!(
                    "{}… {}",
                    &text[finding.primary.span.start as usize..].chars().take(60).collect::<String>(),
                    finding.headline
                )
            })
            .collect();
        assert!(wrong.is_empty(), "{path}: {}", wrong.join("\n"));
        let package = path.strip_prefix("std/").map_or(String::new(), |file| {
            format!("std.{}", file.trim_end_matches(".journey").replace('/', "."))
        });
        context.packages.insert(id, package.into());
        for calendar in named_files(&parsed.file) {
            let text = calendars.iter().find(|(name, _)| calendar.ends_with(name)).unwrap().1;
            context.named.insert((id, calendar), text.into());
        }
        trees.push((id, parsed.file));
    }
    let files: Vec<_> = trees.iter().map(|(id, tree)| (*id, tree)).collect();
    let (model, findings) = check(&files, &context);
    let findings: Vec<String> = findings
        .iter()
        .map(|finding| format!("{:?} {} | {:?}", finding.primary, finding.headline, finding.help))
        .collect();
    assert!(findings.is_empty(), "{}", findings.join("\n"));
    lower::bundle(&model, &sources).unwrap()
}

impl Story {
    /// The bank of [`BANK`] with these journeys; customer c1, not yet known, on 2026-12-01 at 09:00.
    pub(crate) fn of(journeys: &str) -> Self {
        Self::on(compile(&[("bank.journey", BANK), ("story.journey", journeys)], &[("days.csv", DAYS)]))
    }

    /// The worked examples of this repository.
    pub(crate) fn of_project() -> Self {
        let compilation = wayfare::compile::compile(&examples::input());
        Self::on(compilation.bundle.expect("the project compiles"))
    }

    fn on(bundle: Bundle) -> Self {
        let zone = TimeZone::get("Asia/Shanghai").unwrap();
        Self {
            world: World::of_bundle(Arc::new(bundle), zone),
            root: RootKey { entity: Name::new("customer"), id: "c1".into() },
            state: State::default(),
            now: clock("2026-12-01T09:00"),
            outbox: Vec::new(),
            delivered: Vec::new(),
            log: Vec::new(),
            quarantined: 0,
            reserved: Vec::new(),
            slots: Vec::new(),
            posted: Vec::new(),
            provider: Some(Outcome::Sent),
            dispatching: true,
            paced_to: None,
            events: 0,
        }
    }

    /// Attributes of the root arrive.
    pub(crate) fn know(&mut self, fields: &[(&str, Value)]) -> &mut Self {
        self.attributes(None, fields)
    }

    /// Attributes of a holding arrive.
    pub(crate) fn hold(&mut self, id: &str, fields: &[(&str, Value)]) -> &mut Self {
        self.attributes(Some((Name::new("holding"), id.into())), fields)
    }

    /// Consent for every channel.
    pub(crate) fn agree(&mut self) -> &mut Self {
        self.know(&[("consent", channels(&["push", "sms", "wechat"])), ("phone", Value::text("138"))])
    }

    fn attributes(&mut self, child: Option<(Name, Arc<str>)>, fields: &[(&str, Value)]) -> &mut Self {
        let event = self.event(EventKind::Attributes, child, self.now, fields);
        self.input(&Input::Event(event))
    }

    pub(crate) fn happen(&mut self, name: &str, fields: &[(&str, Value)]) -> &mut Self {
        self.happen_at(name, fields, self.now)
    }

    /// It happened at `time` and arrives now.
    pub(crate) fn happen_at(&mut self, name: &str, fields: &[(&str, Value)], time: Timestamp) -> &mut Self {
        let event = self.event(EventKind::Declared(Name::new(name)), None, time, fields);
        self.input(&Input::Event(event))
    }

    pub(crate) fn happen_to(&mut self, child: (&str, &str), name: &str) -> &mut Self {
        let child = (Name::new(child.0), child.1.into());
        let event = self.event(EventKind::Declared(Name::new(name)), Some(child), self.now, &[]);
        self.input(&Input::Event(event))
    }

    /// A report on the newest message of `step`.
    pub(crate) fn report(&mut self, kind: MessageEvent, step: &str) -> &mut Self {
        self.report_at(kind, step, self.now)
    }

    pub(crate) fn report_at(&mut self, kind: MessageEvent, step: &str, time: Timestamp) -> &mut Self {
        let key = self.key(step);
        let event = self.event(EventKind::Message { kind, key }, None, time, &[]);
        self.input(&Input::Event(event))
    }

    pub(crate) fn event(
        &mut self,
        kind: EventKind,
        child: Option<(Name, Arc<str>)>,
        time: Timestamp,
        fields: &[(&str, Value)],
    ) -> Event {
        self.events += 1;
        Event {
            source: "bank".into(),
            id: format!("e{}", self.events).into(),
            kind,
            child,
            time,
            received: self.now,
            fields: fields.iter().map(|(name, value)| (Name::new(name), value.clone())).collect(),
        }
    }

    /// One step, with the outbox served behind it if `dispatching`.
    pub(crate) fn input(&mut self, input: &Input) -> &mut Self {
        self.step(input);
        while self.dispatching && !self.outbox.is_empty() {
            let key = self.outbox.remove(0);
            self.step(&Input::Dispatch(key));
        }
        self
    }

    fn step(&mut self, input: &Input) {
        let before = decode(&encode(&self.state).unwrap()).unwrap();
        assert_eq!(before, self.state, "what is stored is what there was");
        let output = step(&self.world, &self.root, &mut self.state, input, self.now);
        self.log.extend(output.trace);
        for effect in output.effects {
            match effect {
                Effect::Enqueue { message, .. } => self.outbox.push(message),
                Effect::Drop(_) | Effect::Task(_) | Effect::Book(_) | Effect::Draw(_) => {}
                Effect::Quarantine { .. } => self.quarantined += 1,
                Effect::Deliver(delivery) => self.deliver(*delivery),
                Effect::Reserve(reserve) => self.reserved.push(*reserve),
                Effect::Place(placed) => self.slots.push(placed.placement),
                Effect::Remove { placement, .. } => self.slots.retain(|standing| *standing != placement),
                Effect::Post(post) => self.posted.push(*post),
                Effect::Pace { message, .. } => {
                    let at = self.paced_to.unwrap_or(self.now).max(self.now);
                    self.step(&Input::Paced { message, at });
                }
            }
        }
        super::invariants::check(&self.state, &self.world);
    }

    fn deliver(&mut self, delivery: Delivery) {
        let message = delivery.message.clone();
        self.delivered.push(delivery);
        if let Some(outcome) = self.provider {
            self.step(&Input::Answer { message, outcome, detail: "".into() });
        }
    }

    /// Time passes: scheduled looks and timers happen on their instants.
    pub(crate) fn until(&mut self, target: Timestamp) -> &mut Self {
        loop {
            let ticks = self.ticks();
            let due = self.state.next_due().map(|due| due.max(self.now));
            let next = ticks.keys().next().copied().into_iter().chain(due).min();
            let Some(next) = next.filter(|next| *next <= target) else { break };
            self.now = next;
            for journey in ticks.get(&next).into_iter().flatten() {
                self.input(&Input::Tick { journey: *journey, at: next });
            }
            if due == Some(next) {
                self.input(&Input::Wake);
            }
        }
        self.now = target;
        self
    }

    pub(crate) fn advance(&mut self, length: SignedDuration) -> &mut Self {
        self.until(self.now + length)
    }

    /// The next scheduled looks.
    fn ticks(&self) -> BTreeMap<Timestamp, Vec<Name>> {
        let mut ticks: BTreeMap<Timestamp, Vec<Name>> = BTreeMap::new();
        for (journey, program) in &self.world.bundle.programs {
            let (Enter::When { schedule: Some(schedule), .. } | Enter::Every { schedule, .. }) =
                &program.body.enter
            else {
                continue;
            };
            if let Some(at) = next_occurrence(schedule, self.now, &self.world.zone, None) {
                ticks.entry(at).or_default().push(*journey);
            }
        }
        ticks
    }

    /// The key of the newest message of `step`.
    pub(crate) fn key(&self, step: &str) -> MessageKey {
        let sym = self.world.symbols.sym(Name::new(step));
        let found = self.state.messages.iter().rev().find(|message| Some(message.step) == sym);
        let message = found.unwrap_or_else(|| panic!("no message `{step}`:\n{}", self.told()));
        let name = |sym| Arc::<str>::from(self.world.symbols.name(sym).unwrap().as_str());
        MessageKey {
            journey: name(message.journey),
            root: self.root.id.clone(),
            child: message.subject.0.as_ref().map(|(entity, id)| (name(*entity), id.clone())),
            entry: message.entry.clone(),
            step: name(message.step),
        }
    }

    pub(crate) fn status(&self, step: &str) -> MessageStatus {
        let sym = self.world.symbols.sym(Name::new(step));
        self.state.messages.iter().rev().find(|message| Some(message.step) == sym).unwrap().status
    }

    /// Steps whose messages were handed to a provider.
    pub(crate) fn got(&self) -> Vec<String> {
        self.delivered.iter().map(|delivery| delivery.message.step.to_string()).collect()
    }

    /// End states of the ledger, by entry; `…` for what still runs.
    pub(crate) fn ends(&self) -> Vec<String> {
        let end = |entry: &wayfare::step::state::Entry| match entry.ended {
            Some((end, _)) => self.world.symbols.name(end).unwrap().to_string(),
            None => "…".to_owned(),
        };
        self.state.entries.iter().map(end).collect()
    }

    /// The trace as `why` words it.
    pub(crate) fn told(&self) -> String {
        let mut out = String::new();
        for trace in &self.log {
            writeln!(out, "{}", explain(trace, &self.world)).unwrap();
        }
        out
    }

    /// Whether some decision reads so.
    pub(crate) fn says(&self, words: &str) -> bool {
        self.told().contains(words)
    }
}

/// An instant in Shanghai.
pub(crate) fn clock(text: &str) -> Timestamp {
    let local: DateTime = text.parse().unwrap();
    TimeZone::get("Asia/Shanghai").unwrap().to_timestamp(local).unwrap()
}

pub(crate) fn minutes(count: i64) -> SignedDuration {
    SignedDuration::from_mins(count)
}

pub(crate) fn hours(count: i64) -> SignedDuration {
    SignedDuration::from_hours(count)
}

pub(crate) fn days(count: i64) -> SignedDuration {
    SignedDuration::from_hours(24 * count)
}

pub(crate) fn cny(amount: i64) -> Value {
    Value::Money(Money { minor: amount * 100, currency: Currency::parse("CNY").unwrap() })
}

pub(crate) fn date(text: &str) -> Value {
    Value::Date(text.parse().unwrap())
}

pub(crate) fn channels(names: &[&str]) -> Value {
    Value::List(names.iter().map(|name| Value::Choice(Name::new(name))).collect())
}
