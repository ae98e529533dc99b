//! CHAN-006: a machine that answers says that it is one, and there is a way to a person.

use crate::model::journey::StepKind;
use crate::rules::context::{Context, walk};
use crate::rules::finding::Out;
use crate::rules::pack::Pack;
use crate::rules::rule::{Basis, In, Mark, rule};
use crate::rules::words::List;

rule! {
    CHAN_006 = "CHAN-006", Error, "a machine that does not say that it is one";
    packs: &[In::error(Pack::Cn), In::error(Pack::Us), In::error(Pack::Eu)],
    basis: &[
        Basis::new(Mark::Secondary, "金融监管总局 金发〔2026〕8号：人工智能与数字人标识"),
        Basis::new(Mark::Secondary, "FCC: AI voices are artificial voices"),
        Basis::new(Mark::Known, "Regulation (EU) 2024/1689 (AI Act) Article 50, dates moving"),
    ],
    reads: "`replies`: what they send says that a machine speaks, and some rule, or `else`, hands over to a person. There are no \
            calls by machines in the language",
    check: check,
}

fn check(context: &Context, out: &mut Out) {
    for journey in context.journeys().filter(|journey| journey.rules.is_some()) {
        let mut person = false;
        walk(journey, &mut |step| person |= matches!(step.kind, StepKind::Assign(_)));
        if !person {
            let finding = out
                .at(journey.span, format!("`{}` answers, and never hands over to a person", journey.name))
                .label("no step assigns a task")
                .help("assign a task to a person in `else`, or on words such as 转人工");
            out.push([journey.name], finding);
        }
        for message in context.messages.iter().filter(|message| message.journey.name == journey.name) {
            let copies = context.copies(message.content.name);
            let bodies =
                copies.filter(|said| said.channel == message.channel.name && said.part.as_str() == "body");
            for said in bodies.filter(|said| said.arms.iter().any(|arm| !arm.has(List::Machine))) {
                let finding = out
                    .at(
                        said.span,
                        format!("`{}` answers as if somebody had written it", message.content.name),
                    )
                    .label("a machine speaks here")
                    .also(message.span, "sent by a rule, at once")
                    .help("begin with what it is: `【智能助手】`");
                out.push_of([journey.name, message.content.name], [message.step], None, finding);
            }
        }
    }
}
