//! `WeCom`: the robot of a group (its key is in the URL), and messages to customers, which a member of staff is asked to
//! send (`externalcontact/add_msg_template`).
//!
//! Neither knows an idempotency key. That a customer's message was taken means that somebody was asked, not that it was
//! sent.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::wechat::{access_token, verdict};
use super::{Moment, Preset, Token, Verdict, body, part};
use crate::channel::SendResult;
use crate::channel::wire::encode::query;
use crate::channel::wire::{Reply, Request};
use crate::config::provider::{WecomCustomer, WecomRobot};
use crate::step::Delivery;

/// -1: busy; 45009, 45033: too much; 93000: the key; 40013, 60020: the account or its settings, not the message.
const LATER: [i64; 6] = [-1, 45009, 45033, 93000, 40013, 60020];

pub(super) struct Robot(pub(super) WecomRobot);

impl Preset for Robot {
    fn request(&self, delivery: &Delivery, _: &Moment) -> Result<Request, String> {
        let (title, link) = (part(delivery, "title"), part(delivery, "link"));
        let mut lines = Vec::new();
        if self.0.markdown {
            lines.extend(title.map(|title| format!("**{title}**")));
            lines.push(body(delivery)?.to_owned());
            lines.extend(link.map(|link| format!("[{link}]({link})")));
        } else {
            lines.extend(title.map(str::to_owned));
            lines.push(body(delivery)?.to_owned());
            lines.extend(link.map(str::to_owned));
        }
        let kind = if self.0.markdown { "markdown" } else { "text" };
        let message = json!({"msgtype": kind, kind: {"content": lines.join("\n")}});
        let query = query([("key", self.0.key.expose())]);
        let url = format!("{}/cgi-bin/webhook/send?{query}", self.0.url);
        Ok(Request::post(url, "application/json", message.to_string()))
    }

    fn verdict(&self, reply: &Reply) -> Verdict {
        match verdict(reply, &LATER, "/msgid") {
            // There is no token to be had anew.
            Verdict::Stale(result) => Verdict::Over(result),
            over @ Verdict::Over(_) => over,
        }
    }
}

pub(super) struct Customer(pub(super) WecomCustomer);

impl Preset for Customer {
    fn request(&self, delivery: &Delivery, moment: &Moment) -> Result<Request, String> {
        let mut task = json!({
            "chat_type": "single",
            "external_userid": [&*delivery.address],
            "text": {"content": body(delivery)?},
        });
        if let Some(fields) = task.as_object_mut() {
            if let Some(sender) = &self.0.sender {
                fields.insert("sender".to_owned(), sender.as_str().into());
            }
            if let Some(link) = part(delivery, "link") {
                let title = part(delivery, "title").unwrap_or(link);
                let link = json!({"msgtype": "link", "link": {"title": title, "url": link}});
                fields.insert("attachments".to_owned(), json!([link]));
            }
        }
        let query = query([("access_token", moment.token)]);
        let url = format!("{}/cgi-bin/externalcontact/add_msg_template?{query}", self.0.url);
        Ok(Request::post(url, "application/json", task.to_string()))
    }

    fn token(&self, _: &Delivery, _: Timestamp) -> Result<Option<Token>, String> {
        let query = query([("corpid", &*self.0.corp_id), ("corpsecret", self.0.secret.expose())]);
        let url = format!("{}/cgi-bin/gettoken?{query}", self.0.url);
        let request = Request { method: "GET", url, headers: Vec::new(), body: String::new() };
        Ok(Some(Token { name: String::new(), request, read: access_token }))
    }

    fn verdict(&self, reply: &Reply) -> Verdict {
        let failed = reply.json().and_then(|answer| {
            let failed = answer.get("fail_list").and_then(Value::as_array)?;
            (!failed.is_empty()).then_some(())
        });
        match verdict(reply, &LATER, "/msgid") {
            Verdict::Over(SendResult::Accepted { .. }) if failed.is_some() => {
                Verdict::Over(reply.never("no member of staff may write to this customer"))
            }
            other => other,
        }
    }
}
