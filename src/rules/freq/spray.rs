//! FREQ-004: the same offer does not come by all channels at once.

use std::collections::BTreeSet;

use crate::analysis::flow::Message;
use crate::analysis::window::most_sends;
use crate::name::{Name, NumberSet};
use crate::rules::context::Context;
use crate::rules::finding::Out;
use crate::rules::flows::Case;
use crate::rules::pack::Pack;
use crate::rules::rule::{Basis, In, Mark, rule};

const DAY_MS: i64 = 86_400_000;
const MOST_CHANNELS: usize = 2;

rule! {
    FREQ_004 = "FREQ-004", Warning, "one offer by every channel within a day";
    packs: &[In::warning(Pack::Core)],
    basis: &[Basis::new(Mark::Practice, "the same offer by at most two channels that disturb, within a day")],
    purposes: &["marketing"],
    reads: "one content by three channels or more that come to people at their own time, within 24 hours on one way; what stands \
            in the app or in a list is not counted, nor is a rung that is only tried because the one before was refused",
    check: check,
}

fn check(context: &Context, out: &mut Out) {
    let by_many = |case: &Case| {
        let sent = context.messages_of(case.journey.name).iter();
        sent.map(|message| message.channel.name).collect::<NumberSet<Name>>().len() > MOST_CHANNELS
    };
    for looked in context.marketing(by_many) {
        let flow = &looked.flow;
        let disturbs = |message: &Message<'_>| context.channel(message.channel).is_some_and(super::disturbs);
        let contents: BTreeSet<Name> = flow.messages().map(|(_, message)| message.content.content).collect();
        for content in contents {
            let of_it = |message: &Message<'_>| message.content.content == content && disturbs(message);
            let all: BTreeSet<Name> = flow
                .messages()
                .map(|(_, message)| message)
                .filter(of_it)
                .map(|message| message.channel)
                .collect();
            if all.len() <= MOST_CHANNELS {
                continue;
            }
            let run = most_sends(flow, DAY_MS, &of_it).run;
            let channels: BTreeSet<Name> =
                run.iter().filter_map(|(at, _)| Some(flow.message(*at)?.channel)).collect();
            let Some(node) = run.last().and_then(|(at, _)| flow.node(*at)) else { continue };
            if channels.len() > MOST_CHANNELS {
                let told: Vec<String> = channels.iter().map(|channel| format!("`{channel}`")).collect();
                let headline = format!("`{content}` may come by {} within a day", told.join(", "));
                let finding = out
                    .at(node.span, headline)
                    .label("the last of them")
                    .help("ask whether the one before was opened (`reach` with `for opened within 1 day`), or leave one out");
                out.push_of([flow.journey.name, content], [node.id], None, finding);
            }
        }
    }
}
