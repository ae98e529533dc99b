//! What partners and the bank give together: codes out of a partner's file, used at its tills and heard of by journeys; leads
//! of car dealers, trials, and a campaign that settles when its data is there.

use std::collections::BTreeSet;

use jiff::Timestamp;
use jiff::civil::date;
use serde_json::{Value as Json, json};
use wayfare::engine::audit;
use wayfare::name::Name;
use wayfare::step::{Event, EventKind, RootKey};
use wayfare::store::EntryQuery;
use wayfare::value::{Currency, Money, Value};

use super::desk::{Served, root, told};
use super::rig::{Rig, Running, customer, until};
use crate::support::stores::{Place, on_both_stores};

on_both_stores!(
    each_code_is_given_once_and_used_once,
    a_code_is_nobody_elses_whatever_commit_the_daemon_stops_at,
    what_is_exclusive_is_had_where_it_is_promised,
    dealers_send_and_managers_take_over,
    who_tries_is_asked_whether_it_suits,
    a_campaign_settles_when_the_data_is_there,
);

fn at(text: &str) -> Timestamp {
    format!("{text}:00Z").parse().unwrap()
}

fn yuan(amount: i64) -> Value {
    Value::Money(Money { minor: amount * 100, currency: Currency::parse("CNY").unwrap() })
}

fn known(id: &str, serial: u32, now: Timestamp, more: Vec<(&str, Value)>) -> (RootKey, Event) {
    let channels = ["push", "in_app"].map(|channel| Value::Choice(Name::new(channel)));
    let mut fields = vec![("consent", Value::List(channels.to_vec()))];
    fields.extend(more);
    told(customer(id), EventKind::Attributes, &format!("known-{id}-{serial}"), now, fields)
}

fn does(what: &str, id: &str, now: Timestamp, fields: Vec<(&str, Value)>) -> (RootKey, Event) {
    told(customer(id), EventKind::Declared(Name::new(what)), &format!("{what}-{id}-{now}"), now, fields)
}

/// How many were sent each message, whatever was sent twice under its key.
fn sent(rig: &Rig, step: &str) -> usize {
    let keys = rig.push.attempts().into_iter().map(|(_, key)| key).filter(|key| key.ends_with(step));
    keys.collect::<BTreeSet<_>>().len()
}

/// The gifts of a reward, in the order in which they were given.
async fn gifts(engine: &Running, reward: &str) -> Vec<String> {
    let query = EntryQuery::Account(format!("reward/{reward}"));
    let rows = engine.store.ledger().unwrap().entries(&query, None, 1_000).await.unwrap();
    rows.into_iter().filter(|row| row.entry.act.as_str() == "grant").map(|row| row.gift).collect()
}

/// Whether no journey has this customer any more.
async fn over(engine: &Running, id: &str) -> bool {
    engine.state(id).await.instances.is_empty()
}

async fn codes(door: &Served, reward: &str, count: usize) {
    let codes: Vec<String> = (0..count).map(|number| format!("SHOP-{reward}-{number:03}")).collect();
    let (status, answer) = door.post(&format!("/v1/codes/{reward}"), &json!({ "codes": codes })).await;
    assert_eq!((status, &answer["imported"]), (200, &json!(count)), "{answer}");
}

fn members(count: usize, now: Timestamp) -> Vec<(RootKey, Event)> {
    let group = || vec![("group", Value::text("payroll_1"))];
    let each = |n: usize| {
        let id = format!("c{n}");
        [known(&id, 0, now, vec![]), does("group_joined", &id, now, group())]
    };
    (0..count).flat_map(each).collect()
}

fn taps(count: usize, now: Timestamp) -> Vec<(RootKey, Event)> {
    let group = || vec![("group", Value::text("payroll_1"))];
    (0..count).map(|n| does("group_perk_tapped", &format!("c{n}"), now, group())).collect()
}

async fn each_code_is_given_once_and_used_once(place: Place) {
    let mut rig = Rig::on(place);
    let engine = rig.begin_at(at("2027-01-11T09:00"), &["model", "groups", "group_perks"]).await;
    let (now, door) = (rig.now(), Served::of(&engine).await);
    engine.handle.submit(members(8, now)).await.unwrap();
    codes(&door, "group_breakfast", 5).await;
    engine.handle.submit(taps(8, now)).await.unwrap();
    until("everybody was told", async || sent(&rig, "/breakfast_ready") + sent(&rig, "/breakfast_gone") == 8)
        .await;
    assert_eq!((sent(&rig, "/breakfast_ready"), sent(&rig, "/breakfast_gone")), (5, 3));

    let gifts = gifts(&engine, "group_breakfast").await;
    let mut shown = BTreeSet::new();
    for gift in gifts.iter().chain(&gifts) {
        let (status, answer) = door.post(&format!("/v1/gifts/{gift}/code"), &json!({})).await;
        assert_eq!(status, 200, "{answer}");
        shown.insert((gift.clone(), answer["code"].as_str().unwrap().to_owned()));
    }
    assert_eq!((gifts.len(), shown.len()), (5, 5), "asked twice it is the same one");
    let all = door.get("/v1/codes").await;
    let breakfast = |all: &Json| {
        let rewards = all["rewards"].as_array().unwrap();
        rewards.iter().find(|one| one["reward"] == "group_breakfast").unwrap().clone()
    };
    let expected = json!({"reward": "group_breakfast", "partner": "示例便利店", "imported": 5, "given": 5,
        "shown": 5, "left": 0});
    assert_eq!(breakfast(&all), expected);
    let list = door.get("/v1/codes/group_breakfast").await;
    assert_eq!(list["codes"][0]["code"], "SH********************00", "{list}");
    let text = list.to_string();
    assert!(shown.iter().all(|(_, code)| !text.contains(code)), "a list shows no code: {text}");

    // At the partner's till: once, however often it is said; and the journey of whoever has it hears of it.
    let (_, code) = shown.first().unwrap();
    for repeated in [false, true] {
        let (status, answer) = door.post("/v1/codes/group_breakfast/redeem", &json!({ "code": code })).await;
        assert_eq!((status, &answer["repeated"]), (200, &json!(repeated)), "{answer}");
    }
    let (status, problem) =
        door.post("/v1/codes/group_breakfast/redeem", &json!({ "code": "SHOP-000" })).await;
    assert_eq!((status, &problem["code"]), (404, &json!("R0207")), "{problem}");
    let ended = async || {
        let mut ended = 0;
        for n in 0..8 {
            ended += usize::from(over(&engine, &format!("c{n}")).await);
        }
        ended
    };
    until("it is heard of", async || ended().await == 4).await;

    // More come in: who is told that all is gone is told the truth of that moment.
    let more: Vec<String> = (0..2).map(|number| format!("LATE-{number}")).collect();
    door.post("/v1/codes/group_breakfast", &json!({ "codes": more })).await;
    assert_eq!(breakfast(&door.get("/v1/codes").await)["left"], 2);
    let (status, problem) = door.post("/v1/codes/latte", &json!({ "codes": more })).await;
    assert_eq!((status, &problem["code"]), (404, &json!("R0207")), "{problem}");
    let ledger = engine.store.ledger().unwrap();
    assert_eq!(audit::audit(ledger).await.unwrap().faults, [""; 0]);
    engine.stop().await;
}

async fn a_code_is_nobody_elses_whatever_commit_the_daemon_stops_at(place: Place) {
    for (stop, after) in [(0, false), (0, true), (1, false), (1, true)] {
        let mut rig = Rig::on(place.another().await);
        let engine = rig.begin_at(at("2027-01-11T09:00"), &["model", "groups", "group_perks"]).await;
        let now = rig.now();
        engine.handle.submit(members(20, now)).await.unwrap();
        let file: Vec<String> = (0..7).map(|number| format!("SHOP-{number}")).collect();
        let kept = engine.store.codes().unwrap();
        assert_eq!(kept.import("group_breakfast", &file, now.as_millisecond()).await.unwrap(), 7);
        engine.stop().await;

        let engine = rig.run_until(stop, after).await;
        let pause = std::time::Duration::from_millis(300);
        for some in taps(20, now).chunks(9) {
            let _ = tokio::time::timeout(pause, engine.handle.submit(some.to_vec())).await;
        }
        engine.crash().await;

        let engine = rig.run().await;
        engine.handle.submit(taps(20, now)).await.unwrap();
        until("all were told", async || sent(&rig, "/breakfast_ready") + sent(&rig, "/breakfast_gone") == 20)
            .await;
        assert_eq!(sent(&rig, "/breakfast_ready"), 7, "stopped at {stop} {after}");
        let mut shown = BTreeSet::new();
        for gift in gifts(&engine, "group_breakfast").await {
            shown.insert(format!("{:?}", engine.handle.code_of(&gift).await.unwrap().unwrap()));
        }
        assert_eq!(shown.len(), 7, "{shown:?}");
        engine.stop().await;
    }
}

// daemon: group_exclusive, map_exclusive
async fn what_is_exclusive_is_had_where_it_is_promised(place: Place) {
    let mut rig = Rig::on(place);
    let engine = rig.begin_at(at("2027-01-11T10:00"), &["model", "groups", "group_perks"]).await;
    let (now, door) = (rig.now(), Served::of(&engine).await);
    codes(&door, "group_breakfast", 3).await;
    codes(&door, "map_discount", 1).await;
    let parked = |id: &str, now| {
        let fields = vec![
            ("partner", Value::text("示例地图")),
            ("scene", Value::Choice(Name::new("parking"))),
            ("city", Value::text("上海")),
        ];
        does("scene_used", id, now, fields)
    };
    // One is in a group, the other is not.
    engine.handle.submit(members(1, now)).await.unwrap();
    engine.handle.submit(vec![known("c1", 0, now, vec![])]).await.unwrap();
    engine.handle.submit(taps(2, now)).await.unwrap();
    engine.handle.submit(vec![parked("c0", now), parked("c1", now)]).await.unwrap();
    until("the member has it", async || sent(&rig, "/breakfast_ready") == 1).await;
    rig.clock.set(at("2027-01-12T10:00"));
    let now = rig.now();
    engine.handle.submit(vec![parked("c0", now), parked("c1", now)]).await.unwrap();
    until("the second time", async || sent(&rig, "/offer") == 2).await;
    for id in ["c0", "c1"] {
        engine.handle.submit(vec![does("map_price_tapped", id, now, vec![])]).await.unwrap();
    }
    until("one code, one winner", async || {
        (sent(&rig, "/map_price_ready"), sent(&rig, "/map_price_gone")) == (1, 1)
    })
    .await;
    assert_eq!(gifts(&engine, "group_breakfast").await.len(), 1);

    // It pays for parking, and for nothing else.
    let gift = gifts(&engine, "map_discount").await.remove(0);
    let redeem = format!("/v1/gifts/{gift}/redeem");
    for elsewhere in [json!({}), json!({"merchant": {"mcc": "5411"}})] {
        let (status, problem) = door.post(&redeem, &elsewhere).await;
        assert_eq!((status, &problem["code"]), (409, &json!("R0253")), "{problem}");
    }
    assert_eq!(door.post(&redeem, &json!({"merchant": {"mcc": "7523"}})).await.0, 200);
    engine.stop().await;
}

// daemon: test_drive_gift, trade_in_gift, low_price_loan
async fn dealers_send_and_managers_take_over(place: Place) {
    let mut rig = Rig::on(place);
    let engine = rig.begin_at(at("2027-01-11T10:00"), &["model", "car_purchase"]).await;
    let (now, door) = (rig.now(), Served::of(&engine).await);
    codes(&door, "drive_gift", 1).await;
    let manager = told(root("staff", "wang"), EventKind::Attributes, "wang", now, vec![]);
    let lead = |id: &str, interest: &str| {
        let fields = vec![
            ("lead", Value::text(&format!("L-{id}"))),
            ("dealer", Value::text("东方车行")),
            ("interest", Value::Choice(Name::new(interest))),
            ("price", yuan(89_800)),
        ];
        does("car_lead", id, now, fields)
    };
    let people = vec![
        manager,
        known("drives", 0, now, vec![]),
        known("trades", 0, now, vec![]),
        known("buys", 0, now, vec![("age", Value::Int(30)), ("manager", Value::text("wang"))]),
        known("young", 0, now, vec![("age", Value::Int(19))]),
    ];
    engine.handle.submit(people).await.unwrap();
    let leads = vec![
        lead("drives", "test_drive"),
        lead("trades", "trade_in"),
        lead("buys", "low_price"),
        lead("young", "low_price"),
    ];
    engine.handle.submit(leads).await.unwrap();
    until("they are invited", async || sent(&rig, "/invite") == 2 && sent(&rig, "/offer") == 1).await;
    rig.clock.set(at("2027-01-13T10:00"));
    let now = rig.now();
    let dealer = || vec![("dealer", Value::text("东方车行"))];
    let events = vec![
        does("test_drive_done", "drives", now, dealer()),
        does("trade_in_valued", "trades", now, vec![("worth", yuan(46_000))]),
        does("talk_wanted", "buys", now, vec![]),
    ];
    engine.handle.submit(events).await.unwrap();
    until("driven and valued", async || {
        sent(&rig, "/drive_gift_ready") == 1 && sent(&rig, "/trade_valued") == 1
    })
    .await;
    assert_eq!(sent(&rig, "/trade_gift_ready"), 0, "nothing for asking");
    let list = door.get("/v1/tasks?assignee=wang").await;
    let task = list["tasks"][0]["id"].as_str().unwrap_or_else(|| panic!("{list}")).to_owned();
    let (status, done) =
        door.post(&format!("/v1/tasks/{task}/result"), &json!({"result": "interested", "by": "wang"})).await;
    assert_eq!(status, 200, "{done}");
    rig.clock.set(at("2027-01-20T10:00"));
    let now = rig.now();
    let events =
        vec![does("car_delivered", "trades", now, vec![]), does("car_loan_applied", "buys", now, vec![])];
    engine.handle.submit(events).await.unwrap();
    until("the new car is there", async || sent(&rig, "/trade_gift_ready") == 1).await;
    until("the loan is asked for", async || over(&engine, "buys").await && over(&engine, "young").await)
        .await;

    // The wash is used at the partner's, by its code.
    let gift = gifts(&engine, "drive_gift").await.remove(0);
    let code = door.post(&format!("/v1/gifts/{gift}/code"), &json!({})).await.1["code"].clone();
    let (status, used) = door.post("/v1/codes/drive_gift/redeem", &json!({ "code": code })).await;
    assert_eq!(status, 200, "{used}");
    until("that is heard of", async || over(&engine, "drives").await).await;
    assert_eq!(sent(&rig, "/reminder"), 0);
    engine.stop().await;
}

// daemon: wealth_trial, plan_trial
async fn who_tries_is_asked_whether_it_suits(place: Place) {
    let mut rig = Rig::on(place);
    let engine = rig.begin_at(at("2027-01-10T09:00"), &["model", "salary_fund", "trials"]).await;
    let now = rig.now();
    let bears = |level: &str| vec![("age", Value::Int(40)), ("risk", Value::Choice(Name::new(level)))];
    let people = vec![
        known("bold", 0, now, bears("R3")),
        known("turns", 0, now, bears("R3")),
        known("shy", 0, now, bears("R1")),
    ];
    engine.handle.submit(people).await.unwrap();
    for id in ["bold", "turns", "shy"] {
        let word = || vec![("keyword", Value::text("理财"))];
        let mut events = vec![does("product_searched", id, now, word())];
        for minute in 0..3 {
            let time = now.checked_add(jiff::SignedDuration::from_mins(minute)).unwrap();
            events.push(does("fund_browsed", id, time, vec![]));
        }
        rig.clock.set(at("2027-01-10T09:10"));
        engine.handle.submit(events).await.unwrap();
    }
    rig.clock.set(at("2027-01-11T10:01"));
    until("both are invited to both", async || sent(&rig, "/invite") == 2 && sent(&rig, "/opener") == 2)
        .await;
    let now = rig.now();
    for id in ["bold", "turns"] {
        engine.handle.submit(vec![does("plan_trial_begun", id, now, vec![])]).await.unwrap();
    }
    engine.handle.submit(vec![known("turns", 1, now, bears("R1"))]).await.unwrap();
    rig.clock.set(at("2027-01-18T10:02"));
    until("a week of it", async || sent(&rig, "/weekly#1") == 1).await;
    let now = rig.now();
    engine.handle.submit(vec![does("plan_signed", "bold", now, vec![])]).await.unwrap();
    for day in ["01-25", "02-01", "02-08", "02-15", "02-22", "02-23"] {
        rig.clock.set(at(&format!("2027-{day}T10:05")));
        until("nothing is due", async || {
            engine.state("turns").await.next_due().is_none_or(|due| due > rig.now())
        })
        .await;
    }
    until("the trial is over", async || over(&engine, "turns").await).await;
    let weekly = rig.push.attempts().into_iter().filter(|(_, key)| key.contains("/weekly#")).count();
    assert_eq!((weekly, sent(&rig, "/closing")), (1, 0), "who bears less hears no more, nor who has signed");
    engine.stop().await;
}

// daemon: uplift_season
async fn a_campaign_settles_when_the_data_is_there(place: Place) {
    let mut rig = Rig::on(place);
    let engine = rig.begin_at(at("2026-12-01T09:00"), &["model", "uplift"]).await;
    let worth = |id: &str, serial, now, amount| known(id, serial, now, vec![("aum", yuan(amount))]);
    let now = rig.now();
    let people =
        vec![worth("grows", 0, now, 20_000), worth("late", 0, now, 20_000), worth("stays", 0, now, 200_000)];
    engine.handle.submit(people).await.unwrap();
    rig.clock.set(at("2027-01-05T10:00"));
    let now = rig.now();
    for id in ["grows", "late", "stays"] {
        let campaign = vec![("campaign", Value::text("uplift_2027q1"))];
        engine.handle.submit(vec![does("season_joined", id, now, campaign)]).await.unwrap();
    }
    until("they take part", async || sent(&rig, "/season_welcome") == 3).await;
    rig.clock.set(at("2027-02-27T10:00"));
    let now = rig.now();
    engine.handle.submit(vec![worth("grows", 1, now, 140_000), worth("late", 1, now, 40_000)]).await.unwrap();
    rig.clock.set(at("2027-04-01T10:00"));
    let closed = |id: &str, now| {
        let days = (Value::Date(date(2027, 3, 1)), Value::Date(date(2027, 3, 31)));
        let period = vec![("period", Value::Range(Box::new(days)))];
        told(customer(id), EventKind::Closed(Name::new("aum")), &format!("closed-{id}"), now, period)
    };
    assert_eq!(sent(&rig, "/settled"), 0, "midnight settles nothing");
    engine.crash().await;

    let engine = rig.run().await;
    rig.clock.set(at("2027-04-02T10:00"));
    let now = rig.now();
    engine.handle.submit(vec![closed("grows", now), closed("stays", now)]).await.unwrap();
    until("who has data is settled", async || {
        (sent(&rig, "/settled"), sent(&rig, "/season_not_reached")) == (1, 1)
    })
    .await;
    engine.handle.submit(vec![does("season_claimed", "grows", now, vec![])]).await.unwrap();
    until("it is fetched", async || sent(&rig, "/season_gift") == 1).await;
    // Four weeks later the data of the third one are there, and the days to fetch it begin.
    rig.clock.set(at("2027-04-29T10:00"));
    let now = rig.now();
    engine.handle.submit(vec![closed("late", now)]).await.unwrap();
    until("late, and settled", async || sent(&rig, "/settled") == 2).await;
    rig.clock.set(at("2027-05-06T10:01"));
    until("three days are left", async || sent(&rig, "/reminder") == 1).await;
    let now = rig.now();
    engine.handle.submit(vec![does("season_claimed", "late", now, vec![])]).await.unwrap();
    until("it is fetched too", async || sent(&rig, "/season_gift") == 2).await;
    assert_eq!(gifts(&engine, "uplift_tea").await.len(), 1, "120,000 more");
    assert_eq!(gifts(&engine, "uplift_coffee").await.len(), 1, "20,000 more");
    assert_eq!(gifts(&engine, "uplift_checkup").await.len(), 0);
    engine.stop().await;
}
