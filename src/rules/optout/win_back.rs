//! OPTOUT-004: nobody is sought out because he has left.

use crate::expr::{BinaryOp, Expr};
use crate::model::Model;
use crate::model::journey::Journey;
use crate::name::Name;
use crate::rules::context::Context;
use crate::rules::finding::Out;
use crate::rules::pack::Pack;
use crate::rules::reads;
use crate::rules::rule::{Basis, In, Mark, Mend, rule};
use crate::rules::words::List;
use crate::value::Value;

rule! {
    OPTOUT_004 = "OPTOUT-004", Error, "people who have left are won back";
    packs: &[In::error(Pack::Core)],
    basis: &[
        Basis::new(Mark::Primary, "广告法（2021）第43条"),
        Basis::new(Mark::Secondary, "通信短信息服务管理规定（2026-05-01 起施行）：不得以其他名义发送"),
    ],
    firm: true,
    purposes: &["marketing"],
    mend: Mend::Nobody,
    reads: "conditions of entering that ask for a missing consent (`not consent has sms`), with a message by that channel, or \
            one that asks to subscribe again by any channel that is pushed",
    check: check,
}

fn check(context: &Context, out: &mut Out) {
    for journey in context.journeys().filter(|one| one.purpose.as_str() == "marketing") {
        let mut left = Vec::new();
        for condition in reads::conditions(journey) {
            missing(context.model, journey, condition, &mut left, 0);
        }
        if left.is_empty() {
            continue;
        }
        for message in context.messages_of(journey.name) {
            let same = left.contains(&message.channel.name);
            let pushed = message.channel.kind.as_str() == "push";
            let asks = || {
                let mut copies = context.copies(message.content.name);
                copies.any(|said| {
                    said.channel == message.channel.name && said.says(List::ComeBack).next().is_some()
                })
            };
            if !pushed || !(same || asks()) {
                continue;
            }
            let headline =
                format!("`{}` seeks out people who do not want to hear by `{}`", journey.name, names(&left));
            let finding = out
                .at(message.span, headline)
                .label(if same { "the channel that they have left" } else { "asks them to come back" })
                .also(journey.span, "enters those without the consent")
                .help("leave them alone; a setting in the app that they open themselves may offer it");
            out.push_of([journey.name, message.content.name], [message.step], None, finding);
        }
    }
}

fn names(left: &[Name]) -> String {
    left.iter().map(|name| name.as_str()).collect::<Vec<_>>().join("`, `")
}

/// Channels without whose consent the condition holds, among what all of it asks for.
fn missing(model: &Model, journey: &Journey, condition: &Expr, left: &mut Vec<Name>, depth: usize) {
    match condition {
        Expr::Binary(BinaryOp::And, a, b) => {
            missing(model, journey, a, left, depth);
            missing(model, journey, b, left, depth);
        }
        Expr::Not(inner) => left.extend(channel(inner)),
        Expr::Def(_, index) if depth < 16 => {
            let name = journey.uses.defs.get(usize::from(*index));
            if let Some(derived) = name.and_then(|name| model.derived.get(name)) {
                missing(model, journey, &derived.value, left, depth + 1);
            }
        }
        _ => {}
    }
}

/// The channel of `consent has sms`, `sms in consent`.
fn channel(expr: &Expr) -> Option<Name> {
    let Expr::Binary(op, a, b) = expr else { return None };
    let (list, one) = match op {
        BinaryOp::Has => (a, b),
        BinaryOp::In => (b, a),
        _ => return None,
    };
    match (&**list, &**one) {
        (Expr::Attr(_, name), Expr::Const(Value::Choice(channel)))
            if name.as_str().starts_with("consent") =>
        {
            Some(*channel)
        }
        _ => None,
    }
}
