//! CONSENT-006: a consent is given by whoever ticks a box, and not by a form, or for a gift.

use crate::analysis::flow::{Flow, What};
use crate::diagnostic::Fix;
use crate::expr::Source;
use crate::model::journey::{Step, StepKind};
use crate::name::Name;
use crate::program::Enter;
use crate::rules::context::Context;
use crate::rules::finding::Out;
use crate::rules::flows::{CONSENT, Case, Looked, consent_has, consents};
use crate::rules::pack::Pack;
use crate::rules::rule::{Basis, In, Mark, rule};
use petgraph::graph::NodeIndex;

rule! {
    CONSENT_006 = "CONSENT-006", Error, "a consent that nobody was free to withhold";
    packs: &[
        In::error(Pack::Cn),
        In::error(Pack::Eu),
        In::error(Pack::Uk),
        In::error(Pack::Au),
        In::error(Pack::Hk),
    ],
    basis: &[
        Basis::new(Mark::Primary, "个人信息保护法第14、16条：不得以不同意为由拒绝提供产品或者服务"),
        Basis::new(Mark::Secondary, "金融产品网络营销管理办法：不得默认勾选"),
        Basis::new(Mark::Known, "GDPR art. 7(4)"),
    ],
    reads: "what events say of the form behind them (`captures sms ticked required`): a box that is ticked before anybody looks, or a form that is \
            not taken without it. And gifts that only go to those who agree: in a journey that is entered on such an event, or on a change \
            of `consent`, a step that gives behind a condition `consent has CHANNEL`, where no other step gives to the rest. A consent \
            that is asked for elsewhere is not known here",
    check: check,
}

fn check(context: &Context, out: &mut Out) {
    for event in context.model.events.values() {
        for capture in &event.captures {
            let channels = listed(&capture.channels);
            if let Some(span) = capture.ticked {
                let finding = out
                    .at(span, format!("the consent to {channels} is ticked before anybody looks"))
                    .label("nobody's own doing")
                    .help("leave the box empty, and `ticked` out")
                    .with_fix(Fix::suggested("leave `ticked` out, as the box will be").replace(span, ""));
                out.push([event.name], finding);
            }
            if let Some(span) = capture.required {
                let finding = out
                    .at(span, format!("`{}` is not taken without a consent to {channels}", event.name))
                    .label("no choice")
                    .help("take the form without it, and leave `required` out");
                out.push([event.name], finding);
            }
        }
    }
    for looked in context.flows(|case| case.gives() && (case.asks_consent() || enters_on_consent(case))) {
        rewarded(context, looked, out);
    }
}

fn enters_on_consent(case: &Case<'_>) -> bool {
    let is_change =
        |source: &Source| matches!(source, Source::Change { attribute, .. } if attribute.as_str() == CONSENT);
    matches!(&case.journey.enter, Enter::Event(patterns) if patterns.iter().any(|one| is_change(&one.source)))
}

/// Gifts that nobody gets who does not agree.
fn rewarded(context: &Context, looked: &Looked<'_>, out: &mut Out) {
    let flow = &looked.flow;
    let asked = asked(context, flow);
    let Some(owner) = consents(context, flow.journey).filter(|_| !asked.is_empty()) else { return };
    let mut mind = looked.facts.mind.clone();
    let mut bound = |at: NodeIndex| {
        let known = looked.facts.now(at);
        asked.iter().copied().find(|channel| mind.implies(&known, &consent_has(owner, *channel)))
    };
    let gifts: Vec<(NodeIndex, &Step)> =
        flow.graph.node_indices().filter_map(|at| Some((at, gift(flow, at)?))).collect();
    let bound: Vec<Option<Name>> = gifts.iter().map(|(at, _)| bound(*at)).collect();
    if bound.iter().any(Option::is_none) {
        return;
    }
    for ((_, step), channel) in gifts.iter().zip(bound) {
        let Some(channel) = channel else { continue };
        let finding = out
            .at(step.span, format!("only who agrees to `{channel}` gets this"))
            .label("a consent that is paid for")
            .help("give it to the others as well, or give nothing for a consent");
        out.push_of([flow.journey.name], [step.id], None, finding);
    }
}

/// The channels whose consent is asked for by what enters.
fn asked(context: &Context, flow: &Flow<'_>) -> Vec<Name> {
    let Enter::Event(patterns) = &flow.journey.enter else { return Vec::new() };
    let mut channels = Vec::new();
    for pattern in patterns {
        match &pattern.source {
            Source::Event(name) => {
                let captures = context.model.events.get(name).into_iter().flat_map(|event| &event.captures);
                channels.extend(captures.flat_map(|capture| capture.channels.iter().copied()));
            }
            Source::Change { attribute, .. } if attribute.as_str() == CONSENT => {
                channels.extend(context.model.channels.keys().copied());
            }
            _ => {}
        }
    }
    channels
}

/// The step at a place that somebody comes to, if it gives.
fn gift<'m>(flow: &Flow<'m>, at: NodeIndex) -> Option<&'m Step> {
    let node = flow.node(at).filter(|node| node.copy_of.is_none() && !flow.dead.contains(&at))?;
    match node.what {
        What::Step(step) if matches!(step.kind, StepKind::Give(..)) => Some(step),
        _ => None,
    }
}

fn listed(channels: &[Name]) -> String {
    channels.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}
