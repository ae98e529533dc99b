//! Who the synthetic customers are, and the first things they do.

use jiff::Timestamp;
use jiff::civil::Date;
use serde_json::{Value, json};

use super::cloud_event;
use super::persona::Reaction;

const SURNAMES: [&str; 12] = ["王", "李", "张", "刘", "陈", "杨", "赵", "黄", "周", "吴", "欧阳", "司马"];
const GIVEN: [&str; 12] = ["伟", "芳", "娜", "敏", "静", "磊", "洋", "艳", "勇", "思远", "雨桐", "子涵"];
const PAGES: [&str; 4] = ["id_photo", "face_check", "link_card", "set_password"];
const SOURCE: &str = "https://core.bank.example/events";
const APP: &str = "https://app.bank.example/events";

#[must_use]
pub fn customer_id(number: usize) -> String {
    format!("C{:04}", number + 1)
}

/// The name of a customer, for the screen. Surname and given name go through their lists at different speeds.
#[must_use]
pub fn customer_name(number: usize) -> String {
    let surname = SURNAMES.get(number % SURNAMES.len()).copied().unwrap_or_default();
    let given = GIVEN.get((number / 3 + number * 5) % GIVEN.len()).copied().unwrap_or_default();
    format!("{surname}{given}")
}

/// Customers and holdings as `wayfare.attributes` events. `today` anchors maturity dates.
#[must_use]
pub fn attributes(count: usize, today: Date) -> Vec<Value> {
    let mut events = Vec::with_capacity(count * 2);
    for number in 0..count {
        let id = customer_id(number);
        // Two in ten are not pre-approved, and one in ten never agreed to marketing on any channel.
        let limit = (number % 10 < 8).then(|| format!("{}.00 CNY", 10_000 + (number * 7_919) % 190_000));
        let consent: &[&str] = match number % 10 {
            9 => &[],
            7 => &["sms"],
            _ => &["push", "sms", "wechat", "in_app"],
        };
        let data = json!({ "name": customer_name(number), "consent": consent, "loan_limit": limit });
        events.push(cloud_event(SOURCE, &format!("customer:{id}"), "wayfare.attributes", &id, &data));
        if number % 4 == 1 {
            events.push(holding(number, &id, today));
        }
    }
    events
}

fn holding(number: usize, customer: &str, today: Date) -> Value {
    // Far enough that even a long holiday leaves five workdays before it, near enough for the demo's story.
    let days = 13 + i32::try_from(number % 12).unwrap_or_default();
    let maturity = today.checked_add(jiff::Span::new().days(days)).unwrap_or(today);
    let id = format!("{customer}-H1");
    let amount = format!("{}.00 CNY", 50_000 + (number * 13_331) % 450_000);
    let data =
        json!({ "product_name": "安心定期三个月", "amount": amount, "maturity": maturity.to_string() });
    let mut event = cloud_event(SOURCE, &format!("holding:{id}"), "wayfare.attributes", &id, &data);
    if let Some(fields) = event.as_object_mut() {
        fields.insert("entity".into(), json!("holding"));
        fields.insert("parent".into(), json!(customer));
    }
    event
}

/// Things begun and perhaps finished during the first days: card binding and account opening. In seconds of domain
/// time from the start.
#[must_use]
pub fn breakpoints(count: usize, start: Timestamp) -> Vec<Reaction> {
    let mut reactions = Vec::new();
    for number in (0..count).step_by(5) {
        let id = customer_id(number);
        let begins = 3_600 + i64::try_from(number).unwrap_or_default() * 2_003;
        let mut push = |after_s: i64, name: &str, data: &Value| {
            let time = start.checked_add(jiff::SignedDuration::from_secs(after_s)).unwrap_or(start);
            let mut event = cloud_event(APP, &format!("{name}:{id}:{after_s}"), name, &id, data);
            if let Some(fields) = event.as_object_mut() {
                fields.insert("time".into(), json!(time.to_string()));
            }
            reactions.push(Reaction { after_s, event });
        };
        if number % 2 == 0 {
            push(begins, "tapped_bind_card", &json!({ "step": "验证短信" }));
            if number % 4 == 0 {
                push(begins + 100, "card_bound", &json!({}));
            }
        } else {
            let page = PAGES.get(number / 5 % PAGES.len()).copied().unwrap_or_default();
            push(
                begins,
                "opening_page_shown",
                &json!({ "application": format!("A{number:05}"), "page": page }),
            );
        }
    }
    reactions.sort_by_key(|reaction| reaction.after_s);
    reactions
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_population_is_the_same_every_time_and_has_every_kind() {
        let today = jiff::civil::date(2026, 12, 1);
        let events = attributes(60, today);
        assert_eq!(events, attributes(60, today));
        assert_eq!(events.len(), 75);
        let unwilling = events.iter().filter(|event| event["data"]["consent"] == json!([])).count();
        assert_eq!(unwilling, 6);
        let not_approved = events.iter().filter(|event| event["data"]["loan_limit"].is_null()).count();
        assert_eq!(not_approved, 12 + 15, "customers without a limit, and holdings, which have none");
    }

    #[test]
    fn half_of_the_breakpoints_are_card_bindings_and_some_are_finished() {
        let start = "2026-12-01T01:58:00Z".parse().unwrap();
        let kinds: Vec<String> =
            breakpoints(40, start).iter().map(|r| r.event["type"].as_str().unwrap().to_owned()).collect();
        assert!(kinds.contains(&"tapped_bind_card".to_owned()));
        assert!(kinds.contains(&"card_bound".to_owned()));
        assert!(kinds.contains(&"opening_page_shown".to_owned()));
    }
}
