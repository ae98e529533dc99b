//! Customers bring customers: a link is followed once, both sides are rewarded when the invited one has done what counts,
//! the inviter as often as the referral allows, and everybody can be told why.

use std::fmt::Write as _;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value as Json, json};
use wayfare::name::Name;
use wayfare::step::explain::explain;
use wayfare::step::{Event, EventKind, RootKey};
use wayfare::store::{EntryQuery, Store};
use wayfare::value::{Currency, Money, Value};

use super::desk::{Served, told};
use super::rig::{Rig, Running, compiled, customer, until};
use crate::support::stores::{Place, on_both_stores};

on_both_stores!(
    both_sides_get_theirs_once_and_the_inviter_as_often_as_is_said,
    who_was_bound_is_told_even_if_the_daemon_stopped_in_between,
    what_does_not_count_is_refused_and_said,
    a_second_way_to_the_same_reward_does_not_pay_twice,
    colleagues_bring_colleagues,
    up_a_tier_and_down_again,
);

const BANK: &str = r#"
channel push "手机银行推送" { kind push }
entity customer "客户" { key id : Id; consent "同意接收的渠道" : [channel] }
event salary_received "工资到账" of customer { amount : Money(CNY) }
budget payroll_2026 "代发活动" { total 1_000 CNY; owner "payroll@bank.example"; alert 80% }
reward thanks "推荐礼" { kind coupon; value 20 CNY; keep 30 days; budget payroll_2026 }
reward welcome "见面礼" { kind coupon; value 10 CNY; limit 1 per customer ever; keep 30 days }
content mgm_guide "引导" { via push """您的朋友邀请您领取代发见面礼，首笔工资到账即可到手""" }
content mgm_done "到账" { via push """工资已到账，见面礼已放入您的券包""" }
referral payroll_mgm "代发老带新" of customer {
  open 2026-11-01..2027-06-30
  link first_touch within 30 days
  qualify on salary_received where amount >= 1_000 CNY
  inviter gets thanks
  invitee gets welcome
  limit 2 per inviter per month
  refuse self, cycle, existing_customer
  budget payroll_2026
}
journey mgm_invitee "被邀请人引导" of customer {
  purpose service
  owner "payroll@bank.example"
  enter on joined(payroll_mgm)
  reenter never
  send mgm_guide via push
  wait for qualified(payroll_mgm) within 60 days from entered else end not_qualified
  send mgm_done via push
  end qualified
}
"#;

const CODES: &str = "/v1/referrals/payroll_mgm/codes";
const LINKS: &str = "/v1/referrals/payroll_mgm/links";

fn known(id: &str, now: Timestamp) -> (RootKey, Event) {
    let consent = Value::List(vec![Value::Choice(Name::new("push"))]);
    told(customer(id), EventKind::Attributes, &format!("{id}-known"), now, vec![("consent", consent)])
}

fn paid(id: &str, no: u8, yuan: i64, now: Timestamp) -> (RootKey, Event) {
    let amount = Value::Money(Money { minor: yuan * 100, currency: Currency::parse("CNY").unwrap() });
    let kind = EventKind::Declared(Name::new("salary_received"));
    told(customer(id), kind, &format!("{id}-salary-{no}"), now, vec![("amount", amount)])
}

async fn code_of(door: &Served, inviter: &str) -> String {
    let (status, code) = door.post(CODES, &json!({ "inviter": inviter })).await;
    assert_eq!(status, 200, "{code}");
    code["code"].as_str().unwrap().to_owned()
}

async fn follow(door: &Served, code: &str, invitee: &str) -> (u16, Json) {
    door.post(LINKS, &json!({ "code": code, "invitee": invitee })).await
}

/// What the books say that somebody holds, by account.
async fn holds(store: &dyn Store, id: &str) -> Vec<String> {
    let query = EntryQuery::Holder(format!("customer/{id}"));
    let rows = store.ledger().unwrap().entries(&query, None, 100).await.unwrap();
    let mut all: Vec<String> = rows.into_iter().map(|row| row.entry.account).collect();
    all.retain(|account| account.starts_with("reward/"));
    all
}

/// What was decided about somebody, in words.
async fn said(engine: &Running, id: &str) -> String {
    let world = engine.handle.world();
    let account =
        wayfare::engine::why::account(&*engine.store, &world, &customer(id)).await.unwrap().unwrap();
    let lines = account.trace.iter().map(|trace| explain(trace, &world));
    lines.fold(String::new(), |mut said, line| {
        writeln!(said, "{}: {}", line.journey.map_or("", |name| name.as_str()), line.sentence).unwrap();
        said
    })
}

async fn both_sides_get_theirs_once_and_the_inviter_as_often_as_is_said(place: Place) {
    let mut rig = Rig::on(place);
    let engine = rig.begin_with(compiled(BANK)).await;
    let door = Served::of(&engine).await;
    let now = rig.now();
    engine.handle.submit(vec![known("wang", now)]).await.unwrap();
    let code = code_of(&door, "wang").await;
    assert_eq!(code_of(&door, "wang").await, code, "asked again it is the same one");
    // In small letters, as people type it.
    for friend in ["li", "zhao", "qian"] {
        let (status, bound) = follow(&door, &code.to_lowercase(), friend).await;
        assert_eq!(
            (status, &bound["inviter"], &bound["repeated"]),
            (200, &json!("wang"), &json!(false)),
            "{bound}"
        );
    }
    // Nobody knows them yet: that they joined waits until they have an account. Then the link cannot be unfollowed.
    let accounts = ["li", "zhao", "qian"].map(|friend| known(friend, now)).to_vec();
    engine.handle.submit(accounts).await.unwrap();
    let (status, bound) = follow(&door, &code, "li").await;
    assert_eq!((status, &bound["repeated"]), (200, &json!(true)), "{bound}");
    until("they are guided", async || rig.push.texts().len() == 3).await;

    engine.handle.submit(vec![paid("li", 1, 999, now)]).await.unwrap();
    assert_eq!(holds(&*engine.store, "li").await, [""; 0], "too little");
    for friend in ["li", "zhao", "qian"] {
        engine.handle.submit(vec![paid(friend, 2, 1_000, now), paid(friend, 3, 5_000, now)]).await.unwrap();
    }
    until("they are thanked", async || rig.push.texts().len() == 6).await;
    for friend in ["li", "zhao", "qian"] {
        assert_eq!(holds(&*engine.store, friend).await, ["reward/welcome"], "{friend}");
    }
    // Two in a month, whatever came third.
    until("both are in the books", async || holds(&*engine.store, "wang").await.len() >= 2).await;
    assert_eq!(holds(&*engine.store, "wang").await, ["reward/thanks", "reward/thanks"]);
    let quotas = engine.store.ledger().unwrap().quotas().await.unwrap();
    let given = quotas.iter().find(|quota| quota.account == "budget/payroll_2026").map(|quota| quota.given);
    assert_eq!(given, Some(7_000), "20 and 20 to who invites, 10 to each of three");
    let said_of_li = said(&engine, "li").await;
    assert!(said_of_li.contains("payroll_mgm: qualifies for `payroll_mgm`, invited by wang"), "{said_of_li}");
    assert!(said_of_li.contains("payroll_mgm: grants `welcome`"), "{said_of_li}");
    let too_many = async || said(&engine, "wang").await.contains("payroll_mgm: `thanks` is not given");
    until("the third is too many", too_many).await;
    let said_of_wang = said(&engine, "wang").await;
    assert!(said_of_wang.contains("payroll_mgm: grants `thanks`"), "{said_of_wang}");

    // Next month there is room again.
    rig.clock.set(now + SignedDuration::from_hours(24 * 20));
    let now = rig.now();
    follow(&door, &code, "sun").await;
    engine.handle.submit(vec![known("sun", now), paid("sun", 1, 2_000, now)]).await.unwrap();
    until("the third", async || holds(&*engine.store, "wang").await.len() == 3).await;
    engine.stop().await;
}

async fn who_was_bound_is_told_even_if_the_daemon_stopped_in_between(place: Place) {
    let mut rig = Rig::on(place);
    let engine = rig.begin_with(compiled(BANK)).await;
    let door = Served::of(&engine).await;
    engine.handle.submit(vec![known("wang", rig.now())]).await.unwrap();
    let code = code_of(&door, "wang").await;
    drop(door);
    engine.stop().await;
    // The commit that tells of it never happens; that the link was followed is kept all the same.
    let engine = rig.run_until(0, false).await;
    let door = Served::of(&engine).await;
    let pause = std::time::Duration::from_millis(300);
    let _ = tokio::time::timeout(pause, follow(&door, &code, "li")).await;
    drop(door);
    engine.crash().await;

    let engine = rig.run().await;
    assert_eq!(engine.handle.tell_unheard().await, Ok(0), "it is too young to be looked for");
    rig.clock.set(rig.now() + SignedDuration::from_secs(60));
    assert_eq!(engine.handle.tell_unheard().await, Ok(1));
    assert_eq!(engine.handle.tell_unheard().await, Ok(0));
    engine.handle.submit(vec![known("li", rig.now()), paid("li", 1, 1_000, rig.now())]).await.unwrap();
    until("both have theirs", async || holds(&*engine.store, "wang").await.len() == 1).await;
    assert_eq!(holds(&*engine.store, "li").await, ["reward/welcome"]);
    assert_eq!(engine.state("li").await.entries.len(), 2, "the referral and the guide, once each");
    engine.stop().await;
}

async fn what_does_not_count_is_refused_and_said(place: Place) {
    let mut rig = Rig::on(place);
    let engine = rig.begin_with(compiled(BANK)).await;
    let door = Served::of(&engine).await;
    let now = rig.now();
    let (wang, zhao) = (code_of(&door, "wang").await, code_of(&door, "zhao").await);
    engine.handle.submit(vec![known("old", now)]).await.unwrap();
    follow(&door, &wang, "li").await;
    let li = code_of(&door, "li").await;
    for (code, invitee, reason) in [
        (&wang, "wang", "self"),
        (&zhao, "li", "linked"),
        (&zhao, "li", "linked"),
        (&li, "wang", "cycle"),
        (&wang, "old", "existing_customer"),
    ] {
        let (status, problem) = follow(&door, code, invitee).await;
        assert_eq!((status, &problem["code"]), (409, &json!("R0254")), "{reason}: {problem}");
        assert!(problem["detail"].as_str().unwrap().contains(&format!("`{reason}`")), "{problem}");
    }
    assert_eq!(follow(&door, "NOSUCHCODE", "li").await.0, 404);
    assert_eq!(
        door.post("/v1/referrals/nothing/links", &json!({ "code": "A", "invitee": "li" })).await.0,
        404
    );
    assert_eq!(follow(&door, &wang, "").await.0, 400);
    let links = door.get(&format!("{LINKS}?whom=li")).await;
    assert_eq!(links["links"].as_array().unwrap().len(), 1, "{links}");
    assert_eq!(links["links"][0]["inviter"], "wang");
    let refused = links["refused"].as_array().unwrap();
    let linked = refused.iter().find(|refused| refused["reason"] == "linked").unwrap();
    assert_eq!((&linked["inviter"], &linked["times"]), (&json!("zhao"), &json!(2)), "{links}");
    assert!(refused.iter().any(|refused| refused["reason"] == "cycle" && refused["invitee"] == "wang"));
    // The link is over after thirty days, and the referral in July.
    rig.clock.set(now + SignedDuration::from_hours(24 * 31));
    assert_eq!(follow(&door, &zhao, "li").await.0, 200);
    rig.clock.set("2027-07-01T00:00:00Z".parse().unwrap());
    let (status, problem) = follow(&door, &zhao, "late").await;
    assert!(status == 409 && problem["detail"].as_str().unwrap().contains("`closed`"), "{problem}");
    engine.stop().await;
}

async fn a_second_way_to_the_same_reward_does_not_pay_twice(place: Place) {
    let mut rig = Rig::on(place);
    let engine = rig.begin_with(compiled(&BANK.replace("first_touch", "last_touch"))).await;
    let door = Served::of(&engine).await;
    let now = rig.now();
    let (wang, zhao) = (code_of(&door, "wang").await, code_of(&door, "zhao").await);
    follow(&door, &wang, "li").await;
    let (status, bound) = follow(&door, &zhao, "li").await;
    assert_eq!((status, &bound["inviter"]), (200, &json!("zhao")), "the last link counts: {bound}");
    engine.handle.submit(vec![known("li", now), paid("li", 1, 1_000, now)]).await.unwrap();
    until("the last has theirs", async || holds(&*engine.store, "zhao").await.len() == 1).await;
    assert_eq!(holds(&*engine.store, "wang").await, [""; 0]);
    // Who has qualified is nobody's to bring any more.
    let (status, problem) = follow(&door, &wang, "li").await;
    assert!(status == 409 && problem["detail"].as_str().unwrap().contains("`qualified`"), "{problem}");
    // Nor where a system of the bank's own says so.
    let by = vec![("referral", Value::Choice(Name::new("payroll_mgm"))), ("inviter", Value::text("wang"))];
    let joined = told(customer("li"), EventKind::Declared(Name::new("joined")), "again", now, by);
    engine.handle.submit(vec![joined, paid("li", 2, 1_000, now)]).await.unwrap();
    let said = said(&engine, "li").await;
    assert!(said.contains("does not count for `payroll_mgm`: it has qualified before"), "{said}");
    assert_eq!(holds(&*engine.store, "wang").await, [""; 0]);
    engine.stop().await;
}

/// Copies of messages that were sent, by what stands in them.
fn told_of(rig: &Rig, words: &str) -> usize {
    rig.push.texts().iter().filter(|text| text.contains(words)).count()
}

fn reachable(id: &str, now: Timestamp, aum: i64) -> (RootKey, Event) {
    let consent = Value::List(vec![Value::Choice(Name::new("in_app"))]);
    let aum = Value::Money(Money { minor: aum * 100, currency: Currency::parse("CNY").unwrap() });
    let fields = vec![("consent", consent), ("aum", aum)];
    told(customer(id), EventKind::Attributes, &format!("{id}-{now}"), now, fields)
}

// daemon: mgm_invitee, mgm_inviter
async fn colleagues_bring_colleagues(place: Place) {
    let mut rig = Rig::on(place);
    let engine = rig.begin(&["model", "mgm"]).await;
    let door = Served::of(&engine).await;
    engine.handle.submit(vec![reachable("wang", rig.now(), 10)]).await.unwrap();
    let code = code_of(&door, "wang").await;
    assert_eq!(follow(&door, &code, "li").await.0, 200);
    engine.handle.submit(vec![reachable("li", rig.now(), 10)]).await.unwrap();
    until("li is shown the way", async || told_of(&rig, "同事送您一份见面礼") == 1).await;
    engine.handle.submit(vec![paid("li", 1, 8_600, rig.now())]).await.unwrap();
    until("both hear of theirs", async || {
        told_of(&rig, "见面礼已到账") == 1 && told_of(&rig, "推荐礼已到账") == 1
    })
    .await;
    assert_eq!(holds(&*engine.store, "li").await, ["reward/mgm_welcome"]);
    assert_eq!(holds(&*engine.store, "wang").await, ["reward/mgm_thanks"]);
    engine.stop().await;
}

// daemon: tier_up, tier_grace
async fn up_a_tier_and_down_again(place: Place) {
    let mut rig = Rig::on(place);
    let engine = rig.begin(&["model", "life_cycle", "membership"]).await;
    engine.handle.submit(vec![reachable("li", rig.now(), 40_000)]).await.unwrap();
    rig.clock.set(rig.now() + SignedDuration::from_mins(1));
    engine.handle.submit(vec![reachable("li", rig.now(), 60_000)]).await.unwrap();
    until("gold is greeted", async || told_of(&rig, "恭喜升级金卡会员") == 1).await;
    assert_eq!(holds(&*engine.store, "li").await, ["reward/tea_ticket"]);
    rig.clock.set(rig.now() + SignedDuration::from_mins(1));
    engine.handle.submit(vec![reachable("li", rig.now(), 40_000)]).await.unwrap();
    until("grace begins", async || told_of(&rig, "您的等级权益为您保留30天") == 1).await;
    for (days, words) in [(24, "保级期还剩7天"), (8, "会员等级已调整")] {
        rig.clock.set(rig.now() + SignedDuration::from_hours(24 * days));
        until(words, async || told_of(&rig, words) == 1).await;
    }
    engine.stop().await;
}
