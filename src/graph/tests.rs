use petgraph::graph::NodeIndex;

use super::*;
use crate::diagnostic::Diagnostic;
use crate::expr::{Anchor, BinaryOp, Expr, MessageEvent, Owner, Pattern, Source};
use crate::model::journey::{Awaited, Exit, Rung, Send, Step, StepKind, Tail, Trigger, WaitArm};
use crate::model::{Journey, Model, Uses};
use crate::program::{ContentCall, Enter, LONGEST_RETRY_MS, Manner, Outcome, Reenter};
use crate::text::FileId;
use crate::value::CivilUnit;

pub(crate) fn days(count: i32) -> Length {
    Length::Civil { count, unit: CivilUnit::Day }
}

pub(crate) fn event(name: &str) -> Pattern {
    Pattern { source: Source::Event(Name::new(name)), first: false, filter: None }
}

/// A journey that enters on `signed_up`; the spans of its steps are made up, one byte each.
pub(crate) fn journey(name: &str, mut steps: Vec<Step>) -> Journey {
    let mut at = 0;
    number(&mut steps, &mut at);
    Journey {
        name: Name::new(name),
        label: None,
        subject: Name::new("customer"),
        root: Name::new("customer"),
        purpose: Name::new("service"),
        owner: "crm@bank.example".into(),
        open: None,
        enter: Enter::Event(vec![event("signed_up")]),
        existing: None,
        stale: None,
        reenter: Reenter::Never,
        exits: Vec::new(),
        goals: Vec::new(),
        lasts: None,
        reviewed: None,
        product: None,
        lane: None,
        priority: None,
        caps: Vec::new(),
        quiet: None,
        steps,
        params: Vec::new(),
        holdout: 0,
        unserved: Vec::new(),
        rules: None,
        locals: Vec::new(),
        uses: Uses::default(),
        close: Span::new(FileId(0), 900, 901),
        span: Span::new(FileId(0), 0, 1),
    }
}

fn number(steps: &mut [Step], at: &mut usize) {
    for step in steps {
        *at += 10;
        step.span = Span::new(FileId(0), *at, *at + 1);
        if let StepKind::If { arms, otherwise } = &mut step.kind {
            for (_, body) in arms {
                number(body, at);
            }
            number(otherwise, at);
        }
    }
}

pub(crate) fn step(id: &str, kind: StepKind) -> Step {
    Step { id: Name::new(id), was: None, label: None, kind, span: Span::default() }
}

pub(crate) fn end(name: &str) -> Step {
    step(name, StepKind::End { name: Name::new(name) })
}

pub(crate) fn tag(name: &str) -> Step {
    step(name, StepKind::Tag { tag: Name::new(name), keep: None })
}

pub(crate) fn start(name: &str) -> Step {
    step(name, StepKind::Start { journey: Name::new(name), args: Vec::new(), each: None })
}

pub(crate) fn pause(length: Length) -> Step {
    step("pause", StepKind::Pause(length))
}

pub(crate) fn content(name: &str) -> ContentCall {
    ContentCall { content: Name::new(name), args: Vec::new(), chosen: None }
}

pub(crate) fn send(name: &str, tail: Tail) -> Step {
    let send = Send {
        content: content(name),
        channel: Name::new("push"),
        within: None,
        receipt: None,
        manner: Manner::default(),
        spread_ms: 0,
        is_list: false,
    };
    step(name, StepKind::Send(Box::new(send), tail))
}

pub(crate) fn tagged(name: &str) -> Expr {
    Expr::Tag(Owner::Subject, Name::new(name))
}

pub(crate) fn branch(condition: Expr, then: Vec<Step>, otherwise: Vec<Step>) -> Step {
    step("if", StepKind::If { arms: vec![(condition, then)], otherwise })
}

pub(crate) fn wait_for(name: &str, timeout: Vec<Step>) -> Step {
    let awaited = vec![Awaited { pattern: event(name), slot: None, from: None }];
    let arms = vec![WaitArm { awaited, body: Vec::new() }];
    step(name, StepKind::Events { arms, within: days(2), from: Anchor::Here, timeout })
}

/// A ladder of push and SMS.
pub(crate) fn ladder(not_sent: Option<Vec<Step>>, otherwise: Vec<Step>) -> Step {
    let rung = |channel: &str, event| Rung {
        id: Name::new(&format!("offer.{channel}")),
        channel: Name::new(channel),
        content: content("offer"),
        awaited: vec![Pattern {
            source: Source::Message { kind: event, step: Some(Name::new(&format!("offer.{channel}"))) },
            first: false,
            filter: None,
        }],
        within: days(2),
        success: Vec::new(),
        span: Span::default(),
    };
    let rungs = vec![rung("push", MessageEvent::Opened), rung("sms", MessageEvent::Clicked)];
    step("offer", StepKind::Reach { content: content("offer"), prefer: None, rungs, not_sent, otherwise })
}

fn findings(journeys: Vec<Journey>) -> Vec<Diagnostic> {
    let journeys = journeys.into_iter().map(|journey| (journey.name, Box::new(journey))).collect();
    let model = Model { journeys, ..Model::default() };
    let mut shapes = Shapes::default();
    shapes.look(&model, None, |_| true);
    shapes.findings()
}

/// Code, headline and notes of each finding.
fn told(journeys: Vec<Journey>) -> Vec<String> {
    let told = |finding: &Diagnostic| {
        let said = std::iter::once(&finding.headline).chain(&finding.notes).cloned().collect::<Vec<_>>();
        format!("{} {}", finding.code, said.join("; "))
    };
    findings(journeys).iter().map(told).collect()
}

#[test]
fn a_journey_in_order_has_no_findings() {
    let steps = vec![
        send("hello", Tail::default()),
        wait_for("card_bound", vec![end("silent")]),
        branch(tagged("vip"), vec![tag("greeted")], Vec::new()),
        ladder(None, vec![end("unreached")]),
        end("reached"),
    ];
    assert_eq!(told(vec![journey("welcome", steps)]), Vec::<String>::new());
}

#[test]
fn only_the_first_step_of_a_dead_stretch_is_reported() {
    let both_end = branch(tagged("vip"), vec![end("a")], vec![end("b")]);
    let steps = vec![both_end, send("hello", Tail::default()), tag("greeted"), end("c")];
    let found = findings(vec![journey("welcome", steps)]);
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].headline, "nobody ever gets to `send hello via push`");
    assert_eq!((found[0].primary.span.start, found[0].secondary[0].span.start), (40, 10));
}

#[test]
fn a_path_without_an_end_is_told_with_its_way() {
    let tail = Tail { arms: vec![(vec![Outcome::Sent], vec![end("greeted")])], otherwise: None };
    let steps = vec![branch(tagged("vip"), vec![send("hello", tail)], vec![end("plain")])];
    assert_eq!(
        told(vec![journey("welcome", steps)]),
        [
            "E0451 a path through `welcome` stops without `end`; the path: `enter on signed_up` -> `if vip` -> (yes) \
             `send hello via push` -> `it stops`"
        ]
    );
}

#[test]
fn a_send_whose_every_outcome_is_named_does_not_go_on() {
    let tail = Tail { arms: vec![(vec![Outcome::Sent], vec![end("yes")])], otherwise: Some(vec![end("no")]) };
    let found = told(vec![journey("welcome", vec![send("hello", tail), tag("greeted"), end("c")])]);
    assert_eq!(found, ["E0450 nobody ever gets to `tag greeted`"]);
}

#[test]
fn continue_goes_on_behind_the_step_whose_arm_it_is() {
    let go_on = step("continue", StepKind::Continue);
    let steps = vec![wait_for("card_bound", vec![go_on]), end("done")];
    let graph = build(&journey("welcome", steps));
    let wait = NodeIndex::new(1);
    let kinds: Vec<EdgeKind> = graph.graph.edges(wait).map(|edge| edge.weight().kind).collect();
    assert_eq!(kinds, [EdgeKind::Timeout, EdgeKind::Happened]);
    let targets: Vec<NodeIndex> = graph.graph.neighbors(wait).collect();
    assert_eq!(targets, [NodeIndex::new(2); 2]);
}

#[test]
fn journeys_that_start_each_other_at_once_are_found_with_their_way() {
    let first = journey("first", vec![start("second"), end("done")]);
    let second = journey("second", vec![tag("hot"), end("done")]);
    let mut third = journey("third", vec![start("first"), end("done")]);
    third.enter = Enter::When { condition: tagged("hot"), schedule: None };
    assert_eq!(
        told(vec![first.clone(), second.clone(), third.clone()]),
        [
            "E0452 `first` and `second` and `third` set each other off for ever without a pause; the way round: `first` \
             starts `second`, `second` tags `hot`, on which `third` enters, `third` starts `first`"
        ]
    );
    let mut paused = second.clone();
    paused.steps.insert(0, pause(days(1)));
    assert!(told(vec![first.clone(), paused, third.clone()]).is_empty(), "a pause breaks the ring");
    third.enter = Enter::When { condition: Expr::Not(Box::new(tagged("hot"))), schedule: None };
    assert!(told(vec![first, second, third]).is_empty(), "the tag makes this condition false");
}

#[test]
fn a_journey_may_tag_what_keeps_it_from_entering_again() {
    let mut once = journey("once", vec![tag("seen"), end("done")]);
    let unseen = Expr::Not(Box::new(tagged("seen")));
    let condition = Expr::Binary(BinaryOp::And, Box::new(tagged("vip")), Box::new(unseen));
    once.enter = Enter::When { condition: condition.clone(), schedule: None };
    assert!(told(vec![once.clone()]).is_empty());
    once.steps = vec![tag("vip"), end("done")];
    assert_eq!(told(vec![once]).len(), 1, "this one sets itself off");
}

#[test]
fn a_wait_for_an_event_that_exits_first_is_dead() {
    let mut dead = journey("welcome", vec![wait_for("card_bound", vec![end("silent")]), end("done")]);
    dead.exits.push(Exit {
        trigger: Trigger::On(vec![event("card_bound")]),
        end: Name::new("converted"),
        label: None,
        block: Vec::new(),
        span: Span::default(),
    });
    assert_eq!(
        told(vec![dead]),
        ["W0450 this wait never sees `card_bound`, because it ends the journey first"]
    );
}

#[test]
fn a_way_round_in_no_time_is_found_in_any_graph() {
    // No step of the language goes back yet, so the edge is put in by hand.
    let whole = journey("welcome", vec![tag("a"), pause(days(1)), tag("b"), end("done")]);
    let round = |back_to: usize| {
        let mut graph = build(&whole);
        graph.graph.add_edge(NodeIndex::new(3), NodeIndex::new(back_to), Edge::then());
        check::inside(&whole, &graph)
    };
    assert!(round(1).is_empty(), "a day passes on this way round");
    let found = round(3);
    assert_eq!(found[0].code.as_str(), "E0452");
    assert_eq!(found[0].notes, ["the way round: `tag b`"]);
}

#[test]
fn the_longest_life_is_the_sum_of_the_longest_waits() {
    let day = 86_400_000;
    let slack = day / 24;
    let steps = vec![ladder(None, vec![pause(days(3)), end("unreached")]), end("reached")];
    let whole = longest(&build(&journey("welcome", steps)));
    // The pause, and each of two rungs: three times its two days and the last of a provider's pauses.
    let rungs = 2 * (3 * (2 * day + slack) + LONGEST_RETRY_MS);
    assert_eq!(whole, Longest { ms: Some(3 * day + slack + rungs), until: Vec::new() });
    let maturity = Expr::Attr(Owner::Subject, Name::new("maturity"));
    let steps = vec![step("until", StepKind::UntilMoment(maturity)), end("done")];
    assert_eq!(longest(&build(&journey("m", steps))).until, ["maturity"]);
}

#[test]
fn drawings_keep_chinese_and_escape_what_tools_would_read() {
    let mut whole = journey("welcome", vec![send("hello", Tail::default()), end("done")]);
    whole.label = Some("欢迎 \"新\" 客户".into());
    whole.steps[0].label = Some("问候 <b> #1 | a\\b".into());
    let graph = build(&whole);
    insta::assert_snapshot!("dot", export::dot(&graph));
    insta::assert_snapshot!("mermaid", export::mermaid(&graph));
    let json = serde_json::to_string_pretty(&export::json(&graph)).unwrap();
    insta::assert_snapshot!("json", json);
}
