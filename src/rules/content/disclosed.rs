//! CONTENT-001: whoever is led to signing has been told before what must be told.

use crate::analysis::cover::way_around;
use crate::analysis::flow::{Flow, What};
use crate::analysis::path::Words;
use crate::expr::Source;
use crate::graph::{Edge, EdgeKind};
use crate::model::Content;
use crate::model::govern::Product;
use crate::model::journey::{Awaited, Step, StepKind};
use crate::name::{Name, NameMap};
use crate::rules::context::{CREDITS, Context, INVESTMENTS};
use crate::rules::finding::Out;
use crate::rules::pack::Pack;
use crate::rules::rule::{Basis, In, Mark, rule};
use crate::text::Span;
use petgraph::graph::NodeIndex;

rule! {
    CONTENT_001 = "CONTENT-001", Error, "signing before anything was disclosed";
    packs: &[In::error(Pack::Cn), In::error(Pack::Eu), In::error(Pack::Us)],
    basis: &[
        Basis::new(Mark::Secondary, "金规〔2026〕2号：签约前以弹窗等方式展示并留出阅读时间"),
        Basis::new(Mark::Secondary, "Regulation Z, 12 CFR 1026.5(b): before the first transaction"),
    ],
    reads: "contents that say `commits PRODUCT`: whoever follows their link signs for it. On every way to such a message or place in a slot, \
            beginning with each exit, the content that the product says to `disclose` has left before (a step that says what becomes of it \
            otherwise), or was opened, clicked or answered where the journey waited for that; and a product that is invested in or owed \
            says what to disclose. How long somebody reads is known to the page alone",
    check: check,
}

fn check(context: &Context, out: &mut Out) {
    for content in context.contents() {
        let Some((product, span)) = committing(context, content) else { continue };
        let is_heavy =
            |class: Name| INVESTMENTS.contains(&class.as_str()) || CREDITS.contains(&class.as_str());
        if product.disclose.is_none() && product.class.is_some_and(is_heavy) {
            let finding = out
                .at(span, format!("nobody says what is disclosed before `{}` is signed for", product.name))
                .label("leads to signing for it")
                .also(product.span, "the product says nothing to `disclose`")
                .help("write `disclose CONTENT` into the product, and send that content first");
            out.push(context.about(content), finding);
        }
    }
    let commits = |case: &crate::rules::flows::Case| {
        let mut messages = context.messages_of(case.journey.name).iter();
        messages.any(|message| message.content.commits.is_some())
    };
    for looked in context.flows(commits) {
        let flow = &looked.flow;
        let said: NameMap<Name> =
            flow.graph.node_indices().filter_map(|at| Some((id(flow, at)?, says(flow, at)?))).collect();
        for at in flow.graph.node_indices().filter(|at| flow.original(*at) == *at && !flow.dead.contains(at))
        {
            let content = says(flow, at).and_then(|name| context.model.contents.get(&name));
            let Some((product, commits)) = content.and_then(|content| committing(context, content)) else {
                continue;
            };
            let Some(disclosure) = product.disclose.filter(|name| Some(*name) != content.map(|it| it.name))
            else {
                continue;
            };
            let told = |place: NodeIndex, way: &Edge| is_told(flow, &said, disclosure, place, way);
            let (Some(way), Some(node)) = (way_around(flow, &looked.facts, at, &told), flow.node(at)) else {
                continue;
            };
            let lines: Vec<String> = Words::of(flow).lines(&way).into_iter().map(|(_, line)| line).collect();
            let finding = out
                .at(node.span, format!("somebody may sign for `{}` who was not told of `{disclosure}`", product.name))
                .label("leads to signing")
                .also(commits, "as it says here")
                .note(format!("for example: {}", lines.join(", then ")))
                .help(format!("send `{disclosure}` first and say what becomes of those whom it does not reach, or wait until it is opened"));
            out.push_of([flow.journey.name, product.name, disclosure], [node.id], None, finding);
        }
    }
}

/// The product that the content's link leads to, and where that is said.
fn committing<'a>(context: &Context<'a>, content: &Content) -> Option<(&'a Product, Span)> {
    let (product, span) = content.commits?;
    Some((context.model.products.get(&product)?, span))
}

fn id(flow: &Flow<'_>, at: NodeIndex) -> Option<Name> {
    flow.node(at).map(|node| node.id)
}

/// The content that the subject gets or sees at a place.
fn says(flow: &Flow<'_>, at: NodeIndex) -> Option<Name> {
    match flow.node(at)?.what {
        What::Step(Step { kind: StepKind::Show(show), .. }) => Some(show.content.content),
        _ => flow.message(at).filter(|message| message.to.is_none()).map(|message| message.content.content),
    }
}

/// Whether nobody goes this way out of a place who has not been told.
fn is_told(flow: &Flow<'_>, said: &NameMap<Name>, disclosure: Name, at: NodeIndex, way: &Edge) -> bool {
    let tells = |awaited: &Awaited| match &awaited.pattern.source {
        Source::Message { step: Some(step), .. } => said.get(step) == Some(&disclosure),
        _ => false,
    };
    match flow.node(at).map(|node| node.what) {
        Some(What::Rung(_, rung)) => rung.content.content == disclosure && way.kind == EdgeKind::Happened,
        Some(What::Step(Step { kind: StepKind::Send(send, tail), .. })) => {
            let is_named = tail.otherwise.is_some() || way.arm < tail.arms.len();
            let own = send.manner.to.is_none() && send.content.content == disclosure;
            own && is_named && !flow.is_unsent(at, way)
        }
        Some(What::Step(Step { kind: StepKind::Events { arms, .. }, .. })) => {
            let arm = arms.get(way.arm).filter(|_| way.kind == EdgeKind::Happened);
            arm.is_some_and(|arm| arm.awaited.iter().all(tells))
        }
        _ => false,
    }
}
