//! How a synthetic customer answers messages and what it leaves unfinished.

use serde_json::{Value, json};

use super::cloud_event;

/// Characters, dealt out in turn so that every kind of story is on the screen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Persona {
    /// Opens the first push within hours.
    Quick,
    /// Opens the second push.
    Slow,
    /// Only clicks links in text messages.
    Texter,
    /// Only reads `WeChat`.
    Chatter,
    /// Takes the loan before anybody asks twice.
    Borrower,
    /// Never answers.
    Silent,
}

pub const PERSONAS: [Persona; 6] =
    [Persona::Silent, Persona::Quick, Persona::Texter, Persona::Slow, Persona::Chatter, Persona::Borrower];

/// Something a customer will do, this many seconds of domain time from now.
#[derive(Clone, Debug, PartialEq)]
pub struct Reaction {
    pub after_s: i64,
    pub event: Value,
}

impl Persona {
    #[must_use]
    pub fn of(customer: usize) -> Self {
        PERSONAS.get(customer % PERSONAS.len()).copied().unwrap_or(Self::Silent)
    }

    /// What this customer does about a message under `key` that came on `channel` as step `step`.
    #[must_use]
    pub fn reaction(self, customer: &str, channel: &str, step: &str, key: &str) -> Option<Reaction> {
        let first_push = step.rsplit('.').next() == Some("push");
        let receipt = |after_s, kind: &str| {
            let id = format!("{kind}:{key}");
            let data = json!({ "message": key });
            let event = cloud_event(
                "https://demo.bank.example/receipts",
                &id,
                &format!("wayfare.{kind}"),
                customer,
                &data,
            );
            Some(Reaction { after_s, event })
        };
        match (self, channel) {
            (Self::Quick, "push") => receipt(3 * 3600, "opened"),
            (Self::Slow, "push") if !first_push => receipt(5 * 3600, "opened"),
            (Self::Texter, "sms") => receipt(2 * 3600, "clicked"),
            (Self::Chatter, "wechat") => receipt(20 * 3600, "opened"),
            (Self::Borrower, "push") => Some(Reaction {
                after_s: 7 * 3600,
                event: cloud_event(
                    "https://core.bank.example/events",
                    &format!("drawdown:{customer}"),
                    "loan_drawdown",
                    customer,
                    &json!({ "amount": "20000.00 CNY" }),
                ),
            }),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_chatter_answers_on_wechat_and_the_silent_never() {
        let answers =
            |persona: Persona, channel| persona.reaction("C1", channel, "offer.push", "k").is_some();
        for persona in PERSONAS {
            assert_eq!(answers(persona, "wechat"), persona == Persona::Chatter);
        }
        assert!(!answers(Persona::Silent, "push") && !answers(Persona::Silent, "sms"));
    }

    #[test]
    fn the_slow_one_wants_to_be_asked_twice() {
        assert!(Persona::Slow.reaction("C1", "push", "offer.push", "k").is_none());
        assert!(Persona::Slow.reaction("C1", "push", "offer.first_loan_again", "k").is_some());
    }
}
