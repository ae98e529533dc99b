//! What the door says to good and bad records, in the words a sender would see.

use std::fmt::Write as _;

use proptest::prelude::*;
use serde_json::{Value as Json, json};

use super::event::Intake;
use super::fixture::{name, now, schema, world};
use super::{Envelope, Format, Import, Refusal, Rows};
use crate::step::{Event, RootKey};
use crate::value::Value;

fn read(json: Json) -> Result<(RootKey, Event), Refusal> {
    let world = world();
    Intake { world: &world, now: now() }.read(Envelope::from_json(json)?)
}

/// A good event with `change` on top; `null` removes an attribute.
#[expect(clippy::needless_pass_by_value, reason = "callers write the value in place")]
fn event(kind: &str, change: Json) -> Json {
    let mut event = json!({
        "specversion": "1.0", "source": "urn:bank:core", "id": "e-1", "type": kind, "subject": "C-17",
    });
    for (name, value) in change.as_object().unwrap() {
        event[name] = value.clone();
    }
    event
}

#[expect(clippy::needless_pass_by_value, reason = "callers write the value in place")]
fn payment(data: Json) -> Json {
    event("payment", json!({ "data": data }))
}

fn told(results: impl IntoIterator<Item = (Json, Result<(RootKey, Event), Refusal>)>) -> String {
    let mut text = String::new();
    for (given, result) in results {
        let answer = match result {
            Ok((root, event)) => {
                let child = event.child.map(|(entity, id)| format!(" {entity} {id}")).unwrap_or_default();
                let (kind, time) = (event.kind, event.time);
                format!("{} {}{child}, {kind:?} at {time}: {:?}", root.entity, root.id, event.fields)
            }
            Err(refusal) => refusal.to_string(),
        };
        writeln!(text, "{given}\n  -> {answer}").unwrap();
    }
    text
}

#[test]
fn values_are_read_as_their_types_say() {
    let good = [
        json!({"amount": "50000.00 CNY"}),
        json!({"amount": {"amount": "0.10", "currency": "CNY"}}),
        json!({"amount": 12}),
        json!({"amount": -12.34}),
        json!({"amount": 1, "share": "5%"}),
        json!({"amount": 1, "share": 0.05}),
        json!({"amount": 1, "at": "2026-12-01T10:00:00+08:00"}),
        json!({"amount": 1, "at": "2026-12-01T10:00"}),
        json!({"amount": 1, "count": 7, "rate": "3.1415926535897932384626433"}),
        json!({"amount": 1, "note": null, "hold": "48h"}),
        json!({"amount": 1, "window": {"from": "09:00", "to": "10:30"}}),
        json!({"amount": 1, "unheard_of": [1, 2]}),
    ];
    insta::assert_snapshot!(told(good.map(|data| (data.clone(), read(payment(data))))));
}

#[test]
fn wrong_values_are_named_with_what_was_expected() {
    let bad = [
        json!({}),
        json!({"amount": "50000.00 USD"}),
        json!({"amount": "1.005 CNY"}),
        json!({"amount": "lots"}),
        json!({"amount": {"amount": 3}}),
        json!({"amount": 12_345_678_901_234.568}),
        json!({"amount": 1, "share": "five"}),
        json!({"amount": 1, "at": "yesterday"}),
        json!({"amount": 1, "at": "2026-12-01T10:00+0800 x"}),
        json!({"amount": 1, "count": 1.5}),
        json!({"amount": 1, "count": "7"}),
        json!({"amount": 1, "note": 7}),
        json!({"amount": 1, "hold": "2 days"}),
        json!({"amount": 1, "window": "09:00"}),
        json!({"amount": "x", "note": 7, "count": true, "share": [], "rate": {}, "hold": 1, "at": 5}),
        json!({"amount": "a`b\nc\u{1b}[31m".repeat(20)}),
    ];
    insta::assert_snapshot!(told(bad.map(|data| (data.clone(), read(payment(data))))));
}

#[test]
fn attributes_set_what_is_there_and_leave_the_rest() {
    let attributes = |change: Json| event("wayfare.attributes", change);
    let given = [
        attributes(
            json!({"data": {"name": "王芳", "tier": "gold", "consent": ["push", "sms"], "id": "C-17"}}),
        ),
        attributes(json!({"data": {"balance": null, "birthday": "1990-02-29"}})),
        attributes(json!({"data": {"balance": null, "birthday": "1990-02-28"}})),
        attributes(json!({"data": {"tier": "glod", "consent": ["push", "email"]}})),
        attributes(json!({"data": {"tier": null}})),
        attributes(json!({"data": {"rich": true}})),
        attributes(json!({"data": {"id": "C-18"}})),
        attributes(json!({"entity": "holding", "subject": "H-3", "parent": "C-17", "data": {"amount": 5}})),
        attributes(json!({"entity": "holding", "subject": "H-3", "data": {"amount": 5}})),
        attributes(json!({"entity": "holdings", "data": {}})),
        attributes(json!({"parent": "C-1", "data": {}})),
    ];
    insta::assert_snapshot!(told(given.map(|given| (given.clone(), read(given)))));
}

#[test]
fn an_envelope_must_be_a_cloudevent() {
    let given = [
        json!([1]),
        event("payment", json!({"specversion": null})),
        event("payment", json!({"specversion": "0.3"})),
        event("payment", json!({"id": ""})),
        event("payment", json!({"id": 5})),
        event("payment", json!({"source": "x".repeat(513)})),
        event("payment", json!({"subject": null})),
        event("payment", json!({"subject": "C\n17"})),
        event("payment", json!({"time": "soon"})),
        event("payment", json!({"time": "2026-11-21T02:05:00Z", "data": {"amount": 1}})),
        event("payment", json!({"time": "2026-11-21T02:05:01Z", "data": {"amount": 1}})),
        event("payment", json!({"time": "2026-11-21T09:00:00", "data": {"amount": 1}})),
        event("payment", json!({"datacontenttype": "text/xml", "data": "<a/>"})),
        event(
            "payment",
            json!({"datacontenttype": "application/json; charset=utf-8", "data": {"amount": 1}}),
        ),
        event("payment", json!({"data": [1]})),
        event("payment", json!({"data_base64": "eyJhbW91bnQiOiAxfQ=="})),
        event("payment", json!({"data_base64": "!"})),
        event("paymnet", json!({})),
        event("wayfare.closed", json!({})),
        event("matured", json!({})),
        event("matured", json!({"subject": "H-3", "parent": "C-17"})),
    ];
    insta::assert_snapshot!(told(given.map(|given| (given.clone(), read(given)))));
}

#[test]
fn a_report_on_a_message_finds_its_customer_by_the_key() {
    let report = |kind: &str, change: Json| event(kind, change);
    let key = "offer/C-17/C-17/greeting.push";
    let given = [
        report("wayfare.opened", json!({"subject": null, "data": {"message": key}})),
        report("wayfare.clicked", json!({"data": {"message": "offer/C-17/holding:H-3/k/s"}})),
        report("wayfare.opened", json!({"subject": "C-18", "data": {"message": key}})),
        report("wayfare.opened", json!({"data": {}})),
        report("wayfare.opened", json!({"data": {"message": "offer/C-17"}})),
        report("wayfare.opened", json!({"data": {"message": "never/C-17/C-17/s"}})),
        report("wayfare.sent", json!({"data": {"message": key}})),
        report("wayfare.openned", json!({"data": {"message": key}})),
    ];
    insta::assert_snapshot!(told(given.map(|given| (given.clone(), read(given)))));
}

#[test]
fn deep_json_is_refused_and_not_followed() {
    let text = "[".repeat(100_000);
    let refusal = Envelope::from_slice(text.as_bytes()).unwrap_err();
    assert!(refusal.reason.contains("recursion limit"), "{refusal}");
}

fn import(entity: &str, format: Format, partial: bool, text: &[u8]) -> String {
    let (schema, world) = (schema(), world());
    let import = Import {
        what: super::What::Attributes,
        schema: &schema,
        entity: name(entity),
        format,
        partial,
        source: "urn:wayfare:import:c.csv".to_owned(),
        batch: "b".to_owned(),
    };
    let (rows, skipped) = match Rows::new(text, import) {
        Ok(opened) => opened,
        Err(refusal) => return format!("refused: {refusal}\n"),
    };
    let mut told = format!("skipped columns: {skipped:?}\n");
    for row in rows {
        let read = row.event.and_then(|event| {
            let id = event.id.clone();
            Intake { world: &world, now: now() }.read(event).map(|(root, event)| (id, root, event))
        });
        match read {
            Ok((id, root, event)) => {
                writeln!(told, "{}: {id} {} {:?} {:?}", row.line, root.id, event.child, event.fields)
                    .unwrap();
            }
            Err(refusal) => writeln!(told, "{}: {refusal}", row.line).unwrap(),
        }
    }
    told
}

#[test]
fn csv_rows_become_attributes_and_bad_ones_keep_their_line() {
    let text = "\u{feff}id,name,tier,consent,balance,staff,colour\n\
        C-1,王芳,gold,push|sms,50000.00,是,red\r\n\
        C-2,\"李\n雷\",silver,,,no,\n\
        C-3,x,gold,push\n\
        C-4,x,bronze,push,,,\n\
        ,x,gold,push,,,\n\
        C-6,,gold,push,,,\r\n\
        C-7,x,gold,fax,1.005 CNY,perhaps,\n\
        \n\
        C-8,y,gold,push,1 CNY,,\n";
    insta::assert_snapshot!(import("customer", Format::Csv, false, text.as_bytes()));
    insta::assert_snapshot!(import(
        "customer",
        Format::Csv,
        true,
        b"id,name\nC-1,\xff\xfe\nC-2,\"open\nC-3,x\n"
    ));
}

#[test]
fn headers_that_do_not_fit_are_refused_before_anything_is_read() {
    let told: Vec<String> = ["", "name,tier\n", "id,name,name\n", "id,name\n", "id,\"name\n"]
        .map(|text| format!("{text:?}: {}", import("customer", Format::Csv, false, text.as_bytes())))
        .into();
    insta::assert_snapshot!(told.join("") + &import("holding", Format::Csv, false, b"id,amount,matures\n"));
}

#[test]
fn child_rows_carry_their_parent() {
    let text = b"customer,id,amount,matures\nC-1,H-1,5000,2026-12-01\nC-1,H-2,,2026-12-01\n";
    insta::assert_snapshot!(import("holding", Format::Csv, false, text));
}

#[test]
fn lines_of_json_become_attributes_and_bad_ones_keep_their_line() {
    let long = format!("{{\"id\": \"{}\"}}", "x".repeat(super::MAX_EVENT));
    let text = format!(
        "{{\"id\": \"C-1\", \"name\": \"王芳\", \"tier\": \"gold\", \"consent\": []}}\n\n[1]\n{{\"id\": 7\n{long}\n\
         {{\"id\": 8, \"name\": \"x\"}}\n{{\"id\": \"C-9\", \"name\": \"x\", \"tier\": \"gold\", \"consent\": [\"sms\"]}}"
    );
    insta::assert_snapshot!(import("customer", Format::Ndjson, false, text.as_bytes()));
}

proptest! {
    /// Whatever is an amount in a text or a JSON number comes out as that amount or is refused, never changed.
    #[test]
    fn amounts_are_kept_or_refused(minor in -10_000_000_000_000_000_i64..10_000_000_000_000_000, number: bool) {
        let sign = if minor < 0 { "-" } else { "" };
        let text = format!("{sign}{}.{:02}", minor.abs() / 100, minor.abs() % 100);
        let amount: Json = if number { serde_json::from_str(&text).unwrap() } else { json!(text) };
        match read(payment(json!({ "amount": amount }))) {
            Ok((_, event)) => {
                let Some((_, Value::Money(money))) = event.fields.first() else { panic!("{event:?}") };
                prop_assert_eq!(money.minor, minor);
            }
            Err(refusal) => prop_assert!(number && minor.abs() >= 10_i64.pow(15), "{}", refusal),
        }
    }

    /// Nothing that is sent makes the door panic.
    #[test]
    fn any_bytes_are_answered(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = Envelope::from_slice(&bytes);
        let _ = import("customer", Format::Csv, true, &bytes);
        let _ = import("customer", Format::Ndjson, true, &bytes);
    }
}

#[test]
fn what_an_import_tells_of_is_an_event_of_another_kind() {
    let kind = |change: Json| read(event("payment", change)).map(|(_, event)| event.kind);
    let data = json!({"amount": 12});
    let imported = crate::step::EventKind::Imported(name("payment"));
    assert_eq!(kind(json!({"data": data, "import": true})).unwrap(), imported);
    assert_eq!(kind(json!({"data": data, "import": "true"})).unwrap(), imported);
    let live = crate::step::EventKind::Declared(name("payment"));
    assert_eq!(kind(json!({"data": data, "import": false})).unwrap(), live);
    let refused = kind(json!({"data": data, "import": "yes"})).unwrap_err().to_string();
    assert!(refused.contains("`import` is `true` or `false`, found `yes`"), "{refused}");
    let report = event("wayfare.merged", json!({"data": {"to": "C-18"}, "import": true}));
    let refused = read(report).unwrap_err().to_string();
    assert!(refused.contains("declared events and `wayfare.attributes` can be imported"), "{refused}");
}

#[test]
fn two_keys_are_one_only_where_they_are_two() {
    let merged = |data: Json| read(event("wayfare.merged", json!({ "data": data })));
    let (root, event) = merged(json!({"from": "C-17", "to": "C-18"})).unwrap();
    let into = RootKey { id: "C-18".into(), ..root.clone() };
    assert_eq!((&*root.id, event.kind), ("C-17", crate::step::EventKind::Merged { into }));
    for (data, said) in [
        (json!({}), "the field `to` is missing"),
        (json!({"to": ""}), "the field `to` is missing"),
        (json!({"to": "C-17"}), "nothing to merge"),
        (json!({"from": "C-16", "to": "C-18"}), "`from` is `C-16`, the subject is `C-17`"),
    ] {
        let refused = merged(data).unwrap_err().to_string();
        assert!(refused.contains(said), "{refused}");
    }
}

#[test]
fn what_is_said_of_being_written_to_is_read_and_what_is_not_said_is_told() {
    use crate::step::EventKind;
    let read = |kind: &str, data: Json| read(event(kind, json!({ "data": data })));
    let refusal = json!({"purpose": "marketing", "given": false, "wording": "v3"});
    let kind = EventKind::Consent {
        channel: None,
        purpose: Some(name("marketing")),
        given: false,
        wording: "v3".into(),
    };
    assert_eq!(read("wayfare.consent", refusal).unwrap().1.kind, kind);
    assert_eq!(read("wayfare.erased", json!({})).unwrap().1.kind, EventKind::Erased);
    for (kind, data, said) in [
        ("wayfare.consent", json!({}), "the field `given` is missing"),
        ("wayfare.consent", json!({"given": "no"}), "`given` must be true or false"),
        ("wayfare.listed", json!({"list": "dnc", "purpose": "marketting"}), "did you mean `marketing`?"),
        ("wayfare.listed", json!({"on": true}), "the field `list` is missing"),
        ("wayfare.inbound", json!({"channel": "nowhere", "text": "TD"}), "there is no channel `nowhere`"),
    ] {
        let refused = read(kind, data).unwrap_err().to_string();
        assert!(refused.contains(said), "{refused}");
    }
}
