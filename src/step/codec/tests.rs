use std::sync::Arc;

use jiff::Timestamp;
use proptest::prelude::*;
use rust_decimal::Decimal;

use super::{CodecError, decode, encode};
use crate::expr::MessageEvent;
use crate::name::Name;
use crate::program::Outcome;
use crate::step::state::{
    Account, AccountEntry, Agreement, Alarm, AlarmKind, Ask, AudienceMemory, Awaited, Child, Claim, Entry,
    Feature, First, Gift, HeldBy, History, Instance, Ladder, Listed, Mark, Merged, Message, MessageStatus,
    More, Pending, PendingWhy, Placement, Recent, Replay, Sender, State, SubjectRef, Tally, Task, Vote,
    Waiting, Watch,
};
use crate::step::trace::Cause;
use crate::step::{Event, EventKind, MessageKey, ProgramNo, RootKey, Sym};
use crate::value::{CivilUnit, Currency, Length, Money, Value};

fn instant() -> impl Strategy<Value = Timestamp> {
    (0_i64..4_000_000_000_000).prop_map(|ms| Timestamp::from_millisecond(ms).unwrap())
}

fn sym() -> impl Strategy<Value = Sym> {
    (0_u32..50_000).prop_map(Sym)
}

fn text() -> impl Strategy<Value = Arc<str>> {
    "[a-z首贷/:%]{0,8}".prop_map(Into::into)
}

fn name() -> impl Strategy<Value = Name> {
    prop::sample::select(vec!["push", "amount", "证件", "step"]).prop_map(Name::new)
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Missing),
        any::<bool>().prop_map(Value::Bool),
        any::<i64>().prop_map(Value::Int),
        (any::<i64>(), 0_u32..12).prop_map(|(n, scale)| Value::Decimal(Decimal::new(n, scale))),
        (any::<i32>(), 0_u32..4).prop_map(|(n, scale)| Value::Percent(Decimal::new(n.into(), scale))),
        any::<i64>()
            .prop_map(|minor| { Value::Money(Money { minor, currency: Currency::parse("CNY").unwrap() }) }),
        text().prop_map(Value::Text),
        (-3_000_i64..3_000).prop_map(|days| {
            let start = jiff::civil::date(2026, 1, 1);
            Value::Date(start.checked_add(jiff::Span::new().days(days)).unwrap())
        }),
        (0_i8..24, 0_i8..60).prop_map(|(hour, minute)| Value::Time(jiff::civil::time(hour, minute, 0, 0))),
        instant().prop_map(Value::Moment),
        any::<i64>().prop_map(|ms| Value::Length(Length::Elapsed(ms))),
        any::<i32>().prop_map(|count| Value::Length(Length::Civil { count, unit: CivilUnit::Workday })),
        name().prop_map(Value::Choice),
    ];
    leaf.prop_recursive(2, 8, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Value::List),
            prop::collection::vec((name(), inner.clone()), 0..3).prop_map(Value::Record),
            (inner.clone(), inner).prop_map(|ends| Value::Range(Box::new(ends))),
        ]
    })
}

fn subject() -> impl Strategy<Value = SubjectRef> {
    prop::option::of((sym(), text())).prop_map(SubjectRef)
}

fn few<T: std::fmt::Debug>(of: impl Strategy<Value = T>) -> impl Strategy<Value = Vec<T>> {
    prop::collection::vec(of, 0..3)
}

fn tags() -> impl Strategy<Value = Vec<(Sym, Option<Timestamp>)>> {
    few((sym(), prop::option::of(instant())))
}

fn event() -> impl Strategy<Value = Event> {
    let message = (text(), prop::option::of((text(), text())), text()).prop_map(|(part, child, step)| {
        let key = MessageKey { journey: part.clone(), root: part.clone(), child, entry: part, step };
        EventKind::Message { kind: MessageEvent::Opened, key }
    });
    let kind = prop_oneof![
        name().prop_map(EventKind::Declared),
        Just(EventKind::Attributes),
        name().prop_map(EventKind::Closed),
        name().prop_map(EventKind::Imported),
        Just(EventKind::ImportedAttributes),
        Just(EventKind::Merged { into: RootKey { entity: Name::new("customer"), id: "c2".into() } }),
        message
    ];
    (kind, text(), prop::option::of((name(), text())), instant(), few((name(), value()))).prop_map(
        |(kind, id, child, time, fields)| Event {
            source: "app".into(),
            id,
            kind,
            child,
            time,
            received: time,
            fields,
        },
    )
}

fn instance() -> impl Strategy<Value = Instance> {
    let standing = (instant(), instant(), prop::option::of(instant()), any::<u16>());
    let memory = (
        few((value(), prop::option::of(instant()))),
        few((sym(), instant())),
        few((any::<u16>(), instant(), value())),
        few((any::<u16>(), instant())),
        few((any::<u16>(), instant(), instant())),
        value(),
    );
    let ladder =
        prop::option::of((few(any::<u8>()), any::<u8>(), any::<u8>()).prop_map(|(order, at, sent)| Ladder {
            order,
            at,
            sent,
        }));
    (sym(), subject(), text(), standing, memory, ladder).prop_map(
        |(
            journey,
            subject,
            key,
            (entered, since, due, node),
            (locals, sent, seen, goals, missed, entry),
            ladder,
        )| {
            Instance {
                journey,
                subject,
                key,
                program: ProgramNo(7),
                entered,
                entry_time: since,
                entry,
                locals,
                node,
                since,
                due,
                deadline: due,
                ladder,
                sent,
                seen,
                goals,
                missed,
                expires: due,
            }
        },
    )
}

fn feature() -> impl Strategy<Value = Feature> {
    let tally =
        || (any::<u32>(), instant(), value()).prop_map(|(count, at, value)| Tally { count, at, value });
    let vote = (any::<i32>(), value(), any::<u32>(), instant()).prop_map(|(day, value, count, last)| Vote {
        day,
        value,
        count,
        last,
    });
    prop_oneof![
        tally().prop_map(Feature::Total),
        few((any::<i32>(), tally())).prop_map(Feature::Days),
        few(vote).prop_map(Feature::Votes),
        few((instant(), value())).prop_map(Feature::Ring),
    ]
}

fn message() -> impl Strategy<Value = Message> {
    let status = prop_oneof![
        Just(MessageStatus::Pending),
        Just(MessageStatus::Sent),
        Just(MessageStatus::Refused(Outcome::NoConsent)),
        Just(MessageStatus::Cancelled),
        Just(MessageStatus::Held(HeldBy::Quiet)),
    ];
    (sym(), subject(), text(), instant(), status, few((sym(), value()))).prop_map(
        |(sym, subject, entry, at, status, args)| Message {
            journey: sym,
            subject,
            entry,
            step: sym,
            channel: sym,
            program: ProgramNo(1),
            node: 3,
            at,
            status,
            receipts: vec![(MessageEvent::Clicked, at)],
            args,
            more: Some(Box::new(More {
                extra: "#a".into(),
                of: 3,
                left: 1,
                next_at: Some(at),
                to: Some(RootKey { entity: Name::new("group"), id: "g".into() }),
                elsewhere: true,
                from: Some(sender()),
            })),
        },
    )
}

fn sender() -> Sender {
    let root = RootKey { entity: Name::new("group"), id: "g".into() };
    Sender { root, child: Some(("holding".into(), "cd".into())) }
}

fn pending() -> impl Strategy<Value = Pending> {
    let why = prop_oneof![
        event().prop_map(|event| {
            PendingWhy::Without(Box::new(Awaited {
                event: Sym(3),
                identity: event.id,
                at: event.time,
                received: event.received,
                fields: event.fields,
            }))
        }),
        Just(PendingWhy::Date(jiff::civil::date(2026, 12, 1))),
        Just(PendingWhy::Parked),
        event().prop_map(|event| {
            PendingWhy::Lane(Box::new(Waiting {
                lane: Sym(5),
                key: "k".into(),
                cause: Cause::Start { journey: Sym(4) },
                at: event.time,
                payload: event.fields,
                identity: event.id,
                date: Some(jiff::civil::date(2026, 12, 1)),
                rule: None,
            }))
        }),
    ];
    (sym(), subject(), instant(), why).prop_map(|(journey, subject, due, why)| Pending {
        journey,
        subject,
        due,
        why,
    })
}

fn account(at: Timestamp, opened: bool) -> Account {
    Account {
        what: Sym(3),
        total: (2, 70),
        days: vec![(jiff::civil::date(2026, 12, 1), 2, 70)],
        opening: opened.then_some((at, 2, 70)),
        lots: vec![(Some(at), 5), (None, 65)],
    }
}

fn placement(at: Timestamp, gone: Option<Timestamp>) -> Placement {
    Placement {
        journey: Sym(1),
        subject: SubjectRef(Some((Sym(2), "cd".into()))),
        entry: "k".into(),
        step: Sym(3),
        slot: Sym(4),
        content: Sym(5),
        program: ProgramNo(2),
        node: 7,
        rank: -20,
        at,
        until: Some(at),
        gone,
        receipts: vec![(MessageEvent::Shown, at), (MessageEvent::Clicked, at)],
        args: vec![(Sym(6), Value::Int(3))],
    }
}

fn ask(at: Timestamp) -> Ask {
    let entry = AccountEntry { day: jiff::civil::date(2026, 12, 1), opening: Some(at), amount: 70 };
    Ask {
        journey: Sym(1),
        subject: SubjectRef(None),
        entry: "k".into(),
        step: Sym(2),
        key: "rush#1".into(),
        program: ProgramNo(2),
        node: 4,
        gift: Gift {
            what: Sym(3),
            outcome: Sym(5),
            entry,
            value: Value::Int(70),
            taken: Some((Sym(6), vec![(None, 1)])),
            spendable: true,
            until: Some(at),
            slot: Some(0),
            also: None,
        },
        from: Some(sender()),
    }
}

prop_compose! {
    fn state()(
        known in any::<bool>(),
        payload_key in any::<[u8; 32]>(),
        attributes in few((sym(), value())),
        tags in tags(),
        child in few((sym(), text(), few((sym(), value())), tags())),
        instances in few(instance()),
        entries in few((sym(), subject(), text(), instant(), prop::option::of((sym(), instant())))),
        histories in few((sym(), subject(), feature())),
        messages in few(message()),
        pending in few(pending()),
        parked in few(event()),
        wake_at in prop::option::of(instant()),
    ) -> State {
        let at = Timestamp::from_millisecond(1_700_000_000_000).unwrap();
        let own = SubjectRef(None);
        State {
            known,
            payload_key,
            attributes,
            tags,
            children: child
                .into_iter()
                .map(|(entity, id, attributes, tags)| Child { entity, id, attributes, tags })
                .collect(),
            instances,
            entries: entries
                .into_iter()
                .map(|(journey, subject, key, at, ended)| Entry { journey, subject, key, at, ended })
                .collect(),
            audiences: vec![AudienceMemory { journey: Sym(4), subject: own.clone(), was: known }],
            pending,
            features: histories
                .into_iter()
                .map(|(id, subject, feature)| History { id, subject, feature })
                .collect(),
            firsts: vec![First { digest: u64::MAX, subject: own.clone(), at }],
            recent: vec![Recent { digest: 3, subject: own.clone(), at, fields: Vec::new() }],
            watches: vec![Watch {
                journey: Sym(1),
                subject: own,
                key: "k".into(),
                program: ProgramNo(2),
                goal: 0,
                from: at,
                until: at,
            }],
            tasks: vec![Task {
                journey: Sym(1),
                subject: SubjectRef(Some((Sym(2), "cd".into()))),
                entry: "k".into(),
                step: Sym(3),
                task: Sym(4),
                program: ProgramNo(2),
                node: 7,
                about: SubjectRef(None),
                assignee: Value::text("zhang"),
                due: wake_at,
                alarms: vec![Alarm { at, what: AlarmKind::Remind }, Alarm { at, what: AlarmKind::Escalate }],
            }],
            messages,
            parked,
            trace_refs: vec![(u64::MAX, 3)],
            wake_at,
            accounts: vec![account(at, known)],
            asks: if known { vec![ask(at)] } else { Vec::new() },
            placements: vec![placement(at, wake_at)],
            posted: vec![7],
            replay: known.then(|| Box::new(Replay { fill: 7, state: State::default() })),
            merged: known.then(|| Box::new(Merged {
                into: RootKey { entity: Name::new("customer"), id: "c2".into() },
                key: "s#1".into(),
                number: 3,
                is_sealed: true,
                queue: Vec::new(),
                retry_at: wake_at,
            })),
            absorbed: vec![RootKey { entity: Name::new("customer"), id: "c0".into() }],
            marks: vec![Mark {
                at,
                channel: Sym(4),
                purpose: Sym(5),
                subject: SubjectRef(Some((Sym(2), "cd".into()))),
                family: u64::MAX,
                message: 7,
            }],
            agreements: vec![Agreement {
                channel: Some(Sym(4)),
                purpose: None,
                given: known,
                at,
                how: "TD".into(),
                wording: "v3".into(),
                event: "sms#1".into(),
            }],
            listed: vec![Listed { list: "dnc".into(), channel: None, purpose: Some(Sym(5)), at, until: wake_at }],
            erased: wake_at,
            claims: vec![Claim { task: "j/c1/c1/visit".into(), by: "s1".into() }],
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn what_is_written_is_read_again(state in state()) {
        let bytes = encode(&state).unwrap();
        prop_assert_eq!(decode(&bytes).unwrap(), state);
    }

    #[test]
    fn broken_rows_are_refused_and_never_panic(
        state in state(),
        cut in any::<prop::sample::Index>(),
        byte in any::<u8>(),
    ) {
        let mut bytes = encode(&state).unwrap();
        let cut = cut.index(bytes.len());
        prop_assert!(decode(&bytes[..cut]).is_err());
        bytes[cut] = byte;
        let _ = decode(&bytes);
    }
}

#[test]
fn an_unknown_version_is_refused() {
    let mut bytes = encode(&State::default()).unwrap();
    bytes[0] = 9;
    assert_eq!(decode(&bytes), Err(CodecError::UnknownVersion(9)));
    assert_eq!(decode(&[]), Err(CodecError::Empty));
}

/// A row as version 4 wrote it: fields up to `absorbed`, nothing behind.
#[test]
fn a_row_of_the_version_before_is_read() {
    let mut bytes = vec![4, 1];
    bytes.extend([7; 32]);
    // Attributes, children, tags, … each without elements, `wake_at` and what is `None` as a zero.
    bytes.extend([0; 22]);
    bytes.extend([1, 8]);
    bytes.extend_from_slice(b"customer");
    bytes.extend([2]);
    bytes.extend_from_slice(b"c0");
    let state = decode(&bytes).unwrap();
    assert_eq!(state.absorbed, [RootKey { entity: Name::new("customer"), id: "c0".into() }]);
    assert_eq!(
        State { absorbed: Vec::new(), ..state },
        State { known: true, payload_key: [7; 32], ..State::default() }
    );
    assert!(decode(&bytes[..bytes.len() - 1]).is_err());
}

#[test]
fn bytes_behind_the_end_are_refused() {
    let mut bytes = encode(&State::default()).unwrap();
    bytes.push(0);
    assert!(matches!(decode(&bytes), Err(CodecError::Corrupt(_))));
}

/// A row as version 4 wrote it: a customer with a name and a message, and a past that is being filled in.
const VERSION_4: &str = "0401000000000000000000000000000000000000000000000000000000000000000001010606e78e8be88ab300000000\
    0000000000000102000265310304010080b4a4f5c5680000000000000000000000000107010000000000000000000000\
    00000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000";

fn old_state() -> State {
    let at = Timestamp::from_millisecond(1_796_090_400_000).unwrap();
    State {
        known: true,
        attributes: vec![(Sym(1), Value::text("王芳"))],
        messages: vec![Message {
            journey: Sym(2),
            subject: SubjectRef(None),
            entry: "e1".into(),
            step: Sym(3),
            channel: Sym(4),
            program: ProgramNo(1),
            node: 0,
            at,
            status: MessageStatus::Pending,
            receipts: Vec::new(),
            args: Vec::new(),
            more: None,
        }],
        replay: Some(Box::new(Replay { fill: 7, state: State { known: true, ..State::default() } })),
        ..State::default()
    }
}

#[test]
fn rows_of_version_4_are_read_and_written_anew() {
    let bytes: Vec<u8> = (0..VERSION_4.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&VERSION_4[at..at + 2], 16).unwrap())
        .collect();
    let state = decode(&bytes).unwrap();
    assert_eq!(state, old_state());
    assert_eq!(encode(&state).unwrap()[0], 5);
    assert!(decode(&bytes[..bytes.len() - 1]).is_err());
}
