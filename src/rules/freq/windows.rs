//! FREQ-001: no way through a journey of marketing writes to somebody too often.

use crate::analysis::flow::Message;
use crate::analysis::glance::keeps as keeps_to;
use crate::analysis::path::Words;
use crate::analysis::told;
use crate::analysis::window::{MostSends, most_sends};
use crate::diagnostic::Severity;
use crate::model::Channel;
use crate::model::govern::Cap;
use crate::name::Name;
use crate::rules::context::{Context, is_sms};
use crate::rules::finding::Out;
use crate::rules::flows::{Case, Looked, counts_in};
use crate::rules::pack::Pack;
use crate::rules::rule::{Basis, In, Mark, rule};

const DAY_MS: i64 = 86_400_000;

rule! {
    FREQ_001 = "FREQ-001", Error, "too many messages on some way";
    packs: &[In::error(Pack::Core)],
    basis: &[
        Basis::new(Mark::Primary, "民法典第1033条：不得以电话、短信等方式侵扰他人的私人生活安宁"),
        Basis::new(Mark::Secondary, "金融产品网络营销管理办法；银保监会316号文：不得骚扰"),
        Basis::new(Mark::Practice, "SMS 2 in 7 days, push 1 a day, all marketing 5 in 7 days"),
    ],
    purposes: &["marketing"],
    reads: "the analysis of windows (`wayfare prove`), over all entries of one customer; where nothing bounds how often somebody \
            enters, over one entry. A `cap` that counts the messages is kept at run time: one that is as tight as this ends the matter, with another it is a note. Calls are not \
            told from other channels",
    check: check,
}

/// What is counted together, and how many of it are enough.
struct Bar {
    what: &'static str,
    most: i64,
    window_ms: i64,
    counts: fn(&Channel) -> bool,
}

const BARS: [Bar; 3] = [
    Bar { what: "text messages", most: 2, window_ms: 7 * DAY_MS, counts: is_sms },
    Bar { what: "notifications of the app", most: 1, window_ms: DAY_MS, counts: is_app_push },
    Bar { what: "messages", most: 5, window_ms: 7 * DAY_MS, counts: super::disturbs },
];

fn is_app_push(channel: &Channel) -> bool {
    let is_own = channel.surface.is_some_and(|surface| surface.as_str() == "owned");
    channel.kind.as_str() == "push" && is_own && channel.party.is_none()
}

fn check(context: &Context, out: &mut Out) {
    for bar in &BARS {
        let may = |case: &Case<'_>| {
            let counts = |channel: Name| context.channel(channel).is_some_and(bar.counts);
            !keeps_to(context.model, case.journey, (bar.most, bar.window_ms), &counts)
        };
        for looked in context.marketing(|case| context.sends_by(case, bar.counts) && may(case)) {
            tell(context, looked, bar, out);
        }
    }
}

fn tell(context: &Context, looked: &Looked, bar: &Bar, out: &mut Out) {
    let flow = &looked.flow;
    let counts = |message: &Message<'_>| context.channel(message.channel).is_some_and(bar.counts);
    let MostSends { most, run, .. } = most_sends(flow, bar.window_ms, &counts);
    let in_one = i64::try_from(run.len()).unwrap_or(i64::MAX);
    let most = most.unwrap_or(in_one);
    let (Some((last, after)), true) = (run.last(), most > bar.most) else { return };
    let Some(node) = flow.node(*last) else { return };
    let headline =
        format!("up to {most} {} in {} to one {}", bar.what, told(bar.window_ms), flow.journey.subject);
    let sent: Vec<Message<'_>> = run.iter().filter_map(|(at, _)| flow.message(*at)).collect();
    if context
        .caps(flow.journey)
        .any(|cap| keeps(cap, bar) && sent.iter().all(|one| counts_in(cap, flow.journey, one)))
    {
        return;
    }
    let capped = sent.iter().all(|message| context.is_capped(flow.journey, message));
    let mut finding = match (capped, most > 2 * bar.most) {
        (true, _) => out.info(node.span, headline),
        (false, true) => out.at(node.span, headline),
        (false, false) => out.warn(node.span, headline),
    };
    let words = Words::of(flow);
    let at = |ms: i64| {
        if ms == 0 { "the first".to_owned() } else { format!("as early as {} behind the first", told(ms)) }
    };
    finding = finding.label(format!("`{}`: {}", words.place(*last), at(*after)));
    for (place, after) in run.iter().rev().skip(1).take(4) {
        if let Some(node) = flow.node(*place) {
            finding = finding.also(node.span, at(*after));
        }
    }
    finding = if capped {
        finding.note("a `cap` keeps to its own number while it runs")
    } else {
        finding.help("put a `wait` between them, `reenter after …` longer, or a `cap` into a policy")
    };
    let worst = if finding.severity == Severity::Error {
        "more than twice the number"
    } else {
        "more than the number"
    };
    finding = finding.note(format!("{worst} of good practice: {} in {}", bar.most, told(bar.window_ms)));
    let steps = run.iter().filter_map(|(at, _)| flow.node(*at)).map(|node| node.id);
    out.push_of([flow.journey.name], steps.collect::<Vec<_>>(), None, finding);
}

/// Whether the gate itself lets no more through than the bar, whatever the journey asks for.
fn keeps(cap: &Cap, bar: &Bar) -> bool {
    let window = cap.window.at_most_ms().max(1);
    let stretches = bar.window_ms.saturating_add(window - 1) / window;
    // A stretch of the calendar may have its messages at its end, and the next one at its beginning.
    let stretches = if cap.rolling { stretches } else { stretches.saturating_add(1) };
    i64::from(cap.count).saturating_mul(stretches) <= bar.most
}
