//! CHAN-001: a message takes the port that was opened for its purpose.

use crate::model::Channel;
use crate::rules::context::{Context, is_sms};
use crate::rules::finding::Out;
use crate::rules::pack::Pack;
use crate::rules::rule::{Basis, In, Mark, rule};

/// What a port for passwords and alarms is for.
const VERIFIES: &[&str] = &["transactional", "fraud_alert"];

rule! {
    CHAN_001 = "CHAN-001", Error, "a message by the wrong port";
    packs: &[In::error(Pack::Cn), In::error(Pack::In)],
    basis: &[
        Basis::new(Mark::Secondary, "通信短信息服务管理规定（2026-05-01 起施行）：端口类别"),
        Basis::new(Mark::Secondary, "TCCCPR 2018, amended 2025: headers -P, -S, -T"),
    ],
    reads: "`port` of a channel against the purpose of each journey that writes by it: marketing and surveys by `marketing` only, \
            `verification` for what is transactional or warns of fraud. In India a channel of text messages says its port at all. Ids of \
            registered templates are the provider's",
    check: check,
}

fn check(context: &Context, out: &mut Out) {
    let india = context.chosen.packs.contains(&Pack::In);
    for message in &context.messages {
        let (journey, channel) = (message.journey, message.channel);
        let Some(headline) = wrong(channel, journey.purpose.as_str(), india) else { continue };
        let finding = out
            .at(message.span, format!("`{}` {headline}", journey.name))
            .label(format!("of the purpose `{}`", journey.purpose))
            .also(channel.span, port(channel))
            .help("send it by a channel whose `port` is for this purpose, or give the message a journey of its own");
        out.push_of([journey.name], [message.step], None, finding);
    }
}

fn port(channel: &Channel) -> String {
    channel.port.map_or("no `port` is said".to_owned(), |port| format!("its port is for `{port}`"))
}

/// What is wrong with a purpose on this channel.
fn wrong(channel: &Channel, purpose: &str, india: bool) -> Option<&'static str> {
    let sells = matches!(purpose, "marketing" | "survey");
    match channel.port.map(crate::name::Name::as_str) {
        Some("service") if sells => Some("sells by a port of service"),
        Some("verification") if !VERIFIES.contains(&purpose) => Some("uses a port for passwords and alarms"),
        None if india && is_sms(channel) => Some("writes text messages by a port that nobody names"),
        _ => None,
    }
}
