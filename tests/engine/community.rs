//! Communities and branches as banks run them, in the daemon and through a crash: the weeks of groups, what nobody of the
//! bank may say, who meets whom at a branch, and who may have which place.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::{Value as Json, json};
use wayfare::name::Name;
use wayfare::step::{Event, EventKind, RootKey};
use wayfare::value::{Currency, Money, Value};

use super::desk::{Served, root, state_of, told};
use super::rig::{Rig, Running, until};
use crate::support::stores::{Place, on_both_stores};

on_both_stores!(
    groups_have_weeks_and_words_are_looked_at,
    who_comes_by_a_code_is_welcomed_and_led_on,
    branches_meet_customers_and_share_places,
    many_ways_lead_to_one_customer,
);

const GROUPS: [&str; 9] = [
    "model",
    "groups",
    "investor_class",
    "class_purchase",
    "salary_fund",
    "group_life",
    "acquisition",
    "payday",
    "win_back",
];
const BRANCHES: [&str; 10] = [
    "model",
    "groups",
    "first_meet",
    "touchpoints",
    "branch_goals",
    "branch_goals_shanghai",
    "spring",
    "payday",
    "near_gold",
    "life_cycle",
];
const WAYS: [&str; 6] = ["model", "groups", "live_stream", "touch_map", "call_centre", "long_decision"];

fn at(text: &str) -> Timestamp {
    format!("{text}:00Z").parse().unwrap()
}

fn word(text: &str) -> Value {
    Value::Choice(Name::new(text))
}

fn cny(amount: i64) -> Value {
    Value::Money(Money { minor: amount * 100, currency: Currency::parse("CNY").unwrap() })
}

/// Who is there: two branches, a group of each kind, two customers of whom one bears risk.
fn everybody(now: Timestamp) -> Vec<(RootKey, Event)> {
    let mut all = Vec::new();
    for branch in ["shanghai", "hangzhou"] {
        let people =
            ["desk", "head", "call_centre"].map(|who| (who, Value::text(&format!("{branch}-{who}"))));
        all.push(told(root("branch", branch), EventKind::Attributes, branch, now, people[..2].to_vec()));
    }
    for (id, kind) in [("class", "investor_education"), ("paid", "payroll_group"), ("fans", "same_attribute")]
    {
        let members = if id == "class" { vec![Value::text("li"), Value::text("wu")] } else { Vec::new() };
        let fields = vec![
            ("name", Value::text("丰润一群")),
            ("kind", word(kind)),
            ("owner", Value::text("s-1")),
            ("branch", Value::text("shanghai")),
            ("members", Value::List(members)),
        ];
        all.push(told(root("group", id), EventKind::Attributes, id, now, fields));
    }
    for (id, risk) in [("li", Some("R3")), ("wu", Some("R1"))] {
        let consent = ["push", "sms", "wechat", "in_app"].map(word);
        let mut fields = vec![
            ("consent", Value::List(consent.to_vec())),
            ("branch", Value::text("shanghai")),
            ("manager", Value::text("s-7")),
            ("age", Value::Int(35)),
        ];
        fields.extend(risk.map(|risk| ("risk", word(risk))));
        all.push(told(root("customer", id), EventKind::Attributes, id, now, fields));
    }
    all
}

/// An engine on which things happen, each with an identity of its own.
struct Town {
    rig: Rig,
    engine: Running,
    happened: u32,
}

impl Town {
    async fn with(place: Place, files: &[&str], extra: &[(&str, &str)]) -> Self {
        let mut rig = Rig::on(place);
        let engine = rig.begin(files).await;
        let mut all = everybody(rig.now());
        for (_, event) in &mut all {
            let staff = extra.iter().map(|(name, value)| (Name::new(name), Value::text(value)));
            if event.fields.iter().any(|(name, _)| name.as_str() == "desk") {
                event.fields.extend(staff);
            }
        }
        if !files.contains(&"salary_fund") {
            // Nobody asks for it.
            all.iter_mut().for_each(|(_, event)| event.fields.retain(|(name, _)| name.as_str() != "risk"));
        }
        engine.handle.submit(all).await.unwrap();
        Self { rig, engine, happened: 0 }
    }

    async fn happen(&mut self, entity: &str, id: &str, name: &str, fields: Vec<(&str, Value)>) {
        self.happened += 1;
        let identity = format!("e-{}", self.happened);
        let event =
            told(root(entity, id), EventKind::Declared(Name::new(name)), &identity, self.rig.now(), fields);
        self.engine.handle.submit(vec![event]).await.unwrap();
    }

    /// Whom each message went to, by its step; tried again it counts once.
    fn got(&self) -> BTreeMap<String, Vec<String>> {
        let mut got: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for (_, key) in self.rig.push.attempts().into_iter().chain(self.rig.sms.attempts()) {
            let parts: Vec<&str> = key.split('/').collect();
            // Without the phase.
            let step = parts[parts.len() - 1].rsplit('.').next().unwrap();
            let to = got.entry(step.to_owned()).or_default();
            if !to.contains(&parts[1].to_owned()) {
                to.push(parts[1].to_owned());
                to.sort();
            }
        }
        got
    }

    fn of(&self, step: &str) -> Vec<String> {
        self.got().remove(step).unwrap_or_default()
    }

    async fn comes(&self, step: &str, whom: &[&str]) {
        until(step, async || self.of(step) == whom).await;
    }

    /// How each run of this journey of a root ended.
    async fn ends(&self, entity: &str, id: &str, journey: &str) -> Vec<String> {
        let (state, world) = (state_of(&self.engine, &root(entity, id)).await, self.engine.handle.world());
        let name = |sym| world.symbols.name(sym).unwrap().as_str().to_owned();
        let own = state.entries.iter().filter(|entry| name(entry.journey) == journey);
        own.filter_map(|entry| entry.ended.map(|(end, _)| name(end))).collect()
    }

    async fn ended(&self, (entity, id): (&str, &str), journey: &str, end: &str) {
        until(&format!("{journey} {end}"), async || self.ends(entity, id, journey).await == [end]).await;
    }

    /// Answers the only open task of this kind.
    async fn answer(&self, task: &str, result: &str) -> Json {
        let door = Served::of(&self.engine).await;
        let mut open = Json::Null;
        until(task, async || {
            open = door.get(&format!("/v1/tasks?task={task}")).await;
            open["tasks"].as_array().unwrap().len() == 1
        })
        .await;
        let path = format!("/v1/tasks/{}/result", open["tasks"][0]["id"].as_str().unwrap());
        let (status, done) = door.post(&path, &json!({"result": result, "by": "s-9"})).await;
        assert_eq!(status, 200, "{done}");
        open["tasks"][0].clone()
    }

    async fn crash(self) -> Self {
        let Self { rig, engine, happened } = self;
        engine.crash().await;
        let engine = Box::pin(rig.run()).await;
        Self { rig, engine, happened }
    }
}

// daemon: payroll_group_week
// daemon: same_kind_group_week
// daemon: persona_post
// daemon: forbidden_words
async fn groups_have_weeks_and_words_are_looked_at(place: Place) {
    let mut town = Town::with(place, &GROUPS, &[]).await;
    let script = vec![("persona", word("fund_teacher")), ("title", Value::text("读懂定投"))];
    town.happen("group", "fans", "script_written", script).await;
    town.comes("script_waits", &["fans"]).await;
    assert_eq!(town.of("spoken"), [""; 0]);
    town.answer("review_script", "approved").await;
    town.comes("spoken", &["fans"]).await;
    let promise = |by: &str, text: &str| vec![("text", Value::text(text)), ("by", Value::text(by))];
    town.happen("group", "fans", "staff_wrote", promise("s-2", "明天网点正常营业")).await;
    town.happen("group", "fans", "staff_wrote", promise("s-1", "这只稳赚不赔")).await;
    town.comes("to_writer", &["fans"]).await;
    let task = town.answer("check_words", "reported").await;
    assert_eq!(task["assignee"], "shanghai-desk", "{task}");
    town.comes("to_head", &["fans"]).await;
    town = town.crash().await;
    // The weeks of two kinds of groups begin on Monday; the class has none.
    town.rig.clock.set(at("2026-12-07T10:00"));
    until("monday", async || town.of("first_post").len() == 2).await;
    town.engine.stop().await;
}

// daemon: standee_welcome
// daemon: into_group
// daemon: salary_fund
// daemon: active_in_group
async fn who_comes_by_a_code_is_welcomed_and_led_on(place: Place) {
    let mut town = Town::with(place, &GROUPS, &[]).await;
    let code = || vec![("code", Value::text("STD-0101"))];
    town.happen("customer", "li", "came_by_standee", code()).await;
    town.comes("hello", &["li"]).await;
    town.happen("customer", "wu", "fund_browsed", vec![]).await;
    town.happen("customer", "wu", "wecom_added", code()).await;
    town.comes("invitation", &["wu"]).await;
    for id in ["li", "wu"] {
        town.happen("customer", id, "salary_received", vec![("amount", cny(12_000))]).await;
    }
    for topic in ["反诈", "缴费", "备用金"] {
        let topic = vec![("group", Value::text("fans")), ("topic", Value::text(topic))];
        town.happen("customer", "wu", "topic_answered", topic).await;
    }
    town.comes("thank_you_for_talk", &["wu"]).await;
    town = town.crash().await;
    town.happen("customer", "li", "group_joined", vec![("group", Value::text("fans"))]).await;
    town.ended(("customer", "li"), "standee_welcome", "went_further").await;
    town.rig.clock.set(at("2026-12-03T09:01"));
    town.comes("offer", &["li"]).await;
    town.ended(("customer", "wu"), "salary_fund", "not_suitable").await;
    town.rig.clock.set(at("2026-12-06T09:02"));
    town.comes("by_text", &["li"]).await;
    town.ended(("customer", "wu"), "into_group", "stayed_out").await;
    town.engine.stop().await;
}

// daemon: first_meet
// daemon: place_request
// daemon: branch_goal
// daemon: goal_conflict
// daemon: wealth_week
// daemon: card_week
async fn branches_meet_customers_and_share_places(place: Place) {
    let mut town = Town::with(place, &BRANCHES, &[]).await;
    town.happen("customer", "li", "opened_at_counter", vec![("served_by", Value::text("teller"))]).await;
    let talk = town.answer("first_talk", "unreachable").await;
    assert_eq!(talk["assignee"], "teller", "{talk}");
    town.comes("by_text", &["li"]).await;
    let over = town.answer("take_over", "taken").await;
    assert_eq!(over["assignee"], "s-7", "{over}");
    town.comes("introduced", &["li"]).await;
    town = town.crash().await;
    // Five wishes of a month, four places.
    for number in ["P-1", "P-2", "P-3", "P-4", "P-5"] {
        let wish = vec![
            ("number", Value::text(number)),
            ("place", word("home")),
            ("campaign", Value::text("信用卡周")),
            ("owner_of_place", Value::text("s-8")),
        ];
        town.happen("branch", "hangzhou", "place_wanted", wish).await;
    }
    town.comes("over_quota", &["hangzhou"]).await;
    let door = Served::of(&town.engine).await;
    until("four are asked for", async || {
        door.get("/v1/tasks?assignee=s-8").await["tasks"].as_array().unwrap().len() == 4
    })
    .await;
    drop(door);
    // What is enough in Hangzhou is not in Shanghai.
    for branch in ["shanghai", "hangzhou"] {
        let week = vec![("new_accounts", Value::Int(20)), ("deposits", cny(2_000_000))];
        town.happen("branch", branch, "week_closed", week).await;
    }
    town.comes("behind_goal", &["shanghai"]).await;
    town.ended(("branch", "hangzhou"), "branch_goal", "reached").await;
    let clash = vec![
        ("other", Value::text("hangzhou")),
        ("other_head", Value::text("hangzhou-head")),
        ("what", Value::text("跨区代发客户")),
    ];
    town.happen("branch", "shanghai", "goals_collide", clash).await;
    town.answer("settle_goals", "ours").await;
    town.comes("to_other", &["shanghai"]).await;
    // One home page: wealth goes first, the card when it has left.
    let rich = told(
        root("customer", "li"),
        EventKind::Attributes,
        "rich",
        town.rig.now(),
        vec![("aum", cny(90_000))],
    );
    town.engine.handle.submit(vec![rich]).await.unwrap();
    let paid = vec![("amount", cny(30)), ("mcc", Value::text("5812")), ("abroad", Value::Bool(false))];
    town.happen("customer", "li", "payment", paid).await;
    // One clock after the other: a daemon that slept through both would ask by name.
    town.rig.clock.set(at("2026-12-07T08:51"));
    let door = Served::of(&town.engine).await;
    let home = async |wanted: &str| {
        until(wanted, async || {
            let page = door.get("/v1/slots/home_banner?subject=li").await;
            let standing = page["slots"]["home_banner"].as_array().unwrap().clone();
            standing.len() == 1 && standing[0]["content"] == wanted
        })
        .await;
    };
    home("wealth_banner").await;
    town.rig.clock.set(at("2026-12-10T09:02"));
    home("card_banner").await;
    drop(door);
    town.engine.stop().await;
}

// daemon: live_stream
// daemon: branch_move_notice
// daemon: house_loan
async fn many_ways_lead_to_one_customer(place: Place) {
    let mut town = Town::with(place, &WAYS, &[("call_centre", "calls-1")]).await;
    let booked = vec![("stream", Value::text("S-12")), ("begins", Value::Moment(at("2026-12-02T20:00")))];
    town.happen("customer", "li", "stream_booked", booked).await;
    let moved =
        vec![("site", Value::text("云山路 18 号")), ("last_day", Value::Date("2026-12-31".parse().unwrap()))];
    town.happen("customer", "wu", "branch_moves", moved).await;
    town.comes("by_push", &["wu"]).await;
    town.happen("customer", "wu", "house_loan_asked", vec![("amount", cny(2_000_000))]).await;
    let talk = town.answer("house_talk", "booked").await;
    assert_eq!((&talk["assignee"], &talk["unit"]), (&json!("s-7"), &json!("shanghai")), "{talk}");
    town = town.crash().await;
    town.rig.clock.set(at("2026-12-01T15:01"));
    town.comes("call", &["li"]).await;
    let heard = vec![("answer", word("wants_person")), ("seconds", Value::Int(31))];
    town.happen("customer", "li", "robot_heard", heard).await;
    town.answer("call_by_person", "talked").await;
    town.ended(("customer", "li"), "live_stream", "called_back").await;
    town.rig.clock.set(at("2026-12-04T10:02"));
    // Nobody opened the push about the branch either: remote banking is asked, and nobody confirms.
    town.comes("by_voice", &["wu"]).await;
    town.engine.stop().await;
}
