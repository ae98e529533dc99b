use proptest::prelude::*;

use super::*;
use crate::expr::eval::tests::{any_expr, attr, cny, con, op};
use crate::expr::{Aggregate, AggregateFn, BinaryOp, Expr, Owner, Source, Window};
use crate::graph::tests::{
    branch, days, end, event, journey, ladder, pause, send, start, step, tag, tagged, wait_for,
};
use crate::model::journey::{Step, StepKind, Tail};
use crate::model::{Choice, Derived, Journey, Uses};
use crate::program::{NodeKind, Outcome};
use crate::value::{Type, Value};

fn world(journeys: Vec<Journey>) -> Model {
    Model {
        journeys: journeys.into_iter().map(|journey| (journey.name, Box::new(journey))).collect(),
        derived: [derived("rich", rich(), Uses::default()), preapproved()]
            .into_iter()
            .map(|derived| (derived.name, derived))
            .collect(),
        ..Model::default()
    }
}

fn rich() -> Expr {
    op(BinaryOp::Greater, attr("aum"), con(cny(1_000_000)))
}

fn drawn() -> Aggregate {
    Aggregate {
        function: AggregateFn::Any,
        source: Source::Event(Name::new("loan_drawdown")),
        filter: None,
        value: None,
        window: Some(Window::Ever),
    }
}

/// `rich and no loan_drawdown ever`
fn preapproved() -> Derived {
    let undrawn = Expr::Not(Box::new(Expr::History(0)));
    let value = op(BinaryOp::And, Expr::Def(Owner::Subject, 0), undrawn);
    derived("preapproved", value, Uses { defs: vec![Name::new("rich")], features: vec![drawn()] })
}

fn derived(name: &str, value: Expr, uses: Uses) -> Derived {
    Derived {
        name: Name::new(name),
        label: None,
        audience: true,
        priority: None,
        subject: Name::new("customer"),
        ty: Type::Bool,
        value,
        uses,
        sound: true,
        span: Span::default(),
    }
}

fn whole() -> Vec<Step> {
    let tail = Tail {
        arms: vec![(vec![Outcome::NoConsent, Outcome::Capped], vec![end("refused")])],
        otherwise: Some(vec![step("continue", StepKind::Continue)]),
    };
    let phase =
        StepKind::Phase { name: Name::new("opening"), steps: vec![send("hello", tail), pause(days(2))] };
    vec![
        step("opening", phase),
        wait_for("card_bound", vec![tag("slow")]),
        branch(tagged("vip"), vec![start("vip_care")], Vec::new()),
        ladder(None, vec![end("unreached")]),
        end("reached"),
    ]
}

fn lowered(journey: Journey) -> Hashed<Program> {
    let name = journey.name;
    let bundle = bundle(&world(vec![journey]), &Sources::default()).unwrap();
    bundle.programs[&name].clone()
}

#[test]
fn steps_become_a_flat_table() {
    let program = lowered(journey("welcome", whole()));
    let shown: Vec<String> =
        program.body.nodes.iter().enumerate().map(|(at, node)| format!("{at}: {node:?}")).collect();
    insta::assert_snapshot!(shown.join("\n"));
}

#[test]
fn nodes_lead_to_nodes_and_all_are_reached() {
    let program = lowered(journey("welcome", whole()));
    let nodes = &program.body.nodes;
    let mut reached = vec![false; nodes.len()];
    let mut open = vec![0_u16];
    while let Some(at) = open.pop() {
        if !std::mem::replace(&mut reached[usize::from(at)], true) {
            open.extend(nodes[usize::from(at)].kind.successors());
        }
    }
    assert_eq!(reached, vec![true; nodes.len()]);
    assert_eq!(program.body.lines.len(), nodes.len());
    assert_eq!(nodes[0].step, Name::new("hello"), "execution begins at the first step");
}

#[test]
fn what_is_never_taken_still_has_an_end() {
    let tail = Tail { arms: vec![(vec![Outcome::Sent], vec![end("yes")])], otherwise: Some(vec![end("no")]) };
    let program = lowered(journey("welcome", vec![send("hello", tail)]));
    let NodeKind::Send { next, .. } = &program.body.nodes[0].kind else { panic!("a send comes first") };
    assert_eq!(program.body.nodes[usize::from(*next)].kind, NodeKind::End { name: Name::new("stopped") });
}

#[test]
fn a_program_brings_its_own_definitions_and_history() {
    let mut entering = journey("welcome", vec![end("done")]);
    entering.uses = Uses { defs: vec![Name::new("preapproved")], features: vec![drawn()] };
    let condition = op(BinaryOp::And, Expr::Def(Owner::Subject, 0), Expr::Not(Box::new(Expr::History(0))));
    entering.enter = crate::program::Enter::When { condition, schedule: None };
    let program = lowered(entering).body;
    let names: Vec<Name> = program.defs.iter().map(|def| def.name).collect();
    assert_eq!(names, [Name::new("rich"), Name::new("preapproved")], "what is used comes first");
    assert_eq!(program.features.len(), 1, "the same question is asked once");
    let crate::program::Enter::When { condition, .. } = &program.enter else { panic!("enters when") };
    assert_eq!(crate::expr::show::expr(condition, &*program), "preapproved and no loan_drawdown ever");
    assert_eq!(crate::expr::show::expr(&program.defs[1].value, &*program), "rich and no loan_drawdown ever");
}

#[test]
fn a_history_condition_has_one_id_wherever_it_is_asked() {
    // The filter looks at `rich`, which has another number in each of the two journeys.
    let filtered = |def| Aggregate { filter: Some(Expr::Def(Owner::Subject, def)), ..drawn() };
    let mut first = journey("first", vec![end("done")]);
    first.uses = Uses { defs: vec![Name::new("rich")], features: vec![filtered(0)] };
    let mut second = journey("second", vec![end("done")]);
    let defs = vec![Name::new("preapproved"), Name::new("poor"), Name::new("rich")];
    second.uses = Uses { defs, features: vec![filtered(2), filtered(1)] };
    let mut model = world(vec![first, second]);
    let poor = derived("poor", Expr::Not(Box::new(rich())), Uses::default());
    model.derived.insert(poor.name, poor);
    let bundle = bundle(&model, &Sources::default()).unwrap();
    let ids = |name: &str| -> Vec<Name> {
        bundle.programs[&Name::new(name)].body.features.iter().map(|feature| feature.id).collect()
    };
    let (first, second) = (ids("first"), ids("second"));
    assert_eq!(second.len(), 3, "one of `preapproved`, two of its own");
    assert_eq!(second[1], first[0]);
    assert_ne!(second[2], first[0], "`poor` asks something else");
}

#[test]
fn the_hash_knows_what_is_said_but_not_where() {
    let here = lowered(journey("welcome", whole()));
    let mut moved = journey("welcome", whole());
    moved.span = Span::new(crate::text::FileId(7), 500, 900);
    for step in &mut moved.steps {
        step.span = moved.span;
    }
    let mut sources = Sources::default();
    for file in 0..8 {
        sources.add(&format!("renamed_{file}.journey"), &"\n".repeat(1_000));
    }
    let moved = &bundle(&world(vec![moved]), &sources).unwrap().programs[&Name::new("welcome")];
    assert_eq!(moved.hash, here.hash);
    let place = moved.body.origin.clone().unwrap();
    assert_eq!((&*place.path, place.line), ("renamed_7.journey", 501));
    assert_eq!(moved.body.lines[2..6], [501; 4], "the steps of the main way");
}

#[test]
fn any_change_of_a_step_is_another_program() {
    let before = lowered(journey("welcome", whole())).hash;
    for at in 0..whole().len() {
        let mut steps = whole();
        steps[at] = tag("changed");
        assert_ne!(lowered(journey("welcome", steps)).hash, before, "step {at} was replaced");
        let mut steps = whole();
        steps.insert(at, pause(days(1)));
        assert_ne!(lowered(journey("welcome", steps)).hash, before, "a step came before {at}");
    }
    let mut later = journey("welcome", whole());
    later.enter = crate::program::Enter::Event(vec![event("card_bound")]);
    assert_ne!(lowered(later).hash, before);
}

#[test]
fn the_bundle_changes_with_each_of_its_parts() {
    let hash = |model: &Model| bundle(model, &Sources::default()).unwrap().hash;
    let model = world(vec![journey("welcome", whole())]);
    let before = hash(&model);
    assert_eq!(before.len(), 64);
    let mut more = model.clone();
    more.journeys.insert(Name::new("second"), Box::new(journey("second", vec![end("done")])));
    assert_ne!(hash(&more), before);
    let mut more = model.clone();
    let choice = Choice {
        name: Name::new("zone"),
        label: None,
        cases: Vec::new(),
        ordered: true,
        span: Span::default(),
    };
    more.choices.insert(choice.name, choice);
    assert_ne!(hash(&more), before);
}

proptest! {
    #[test]
    fn bundles_survive_json(condition in any_expr(), value in any_expr()) {
        let remember = step("x", StepKind::Remember { slot: 0, value });
        let mut steps = vec![branch(condition, vec![remember], Vec::new())];
        steps.extend(whole());
        let bundle = bundle(&world(vec![journey("welcome", steps)]), &Sources::default()).unwrap();
        let json = serde_json::to_string(&bundle).unwrap();
        let back: Bundle = serde_json::from_str(&json).unwrap();
        prop_assert_eq!(&back, &bundle);
        prop_assert_eq!(hash::bundle(&back), bundle.hash);
    }
}

#[test]
fn every_kind_of_value_survives_both_formats() {
    let values = [
        Value::Missing,
        Value::Decimal("1.50".parse().unwrap()),
        Value::Percent("0.05".parse().unwrap()),
        cny(5),
        Value::Moment("2026-11-21T02:30:00Z".parse().unwrap()),
    ];
    for value in values {
        let json = serde_json::to_string(&value).unwrap();
        assert_eq!(serde_json::from_str::<Value>(&json).unwrap(), value);
        let bytes = postcard::to_stdvec(&value).unwrap();
        assert_eq!(postcard::from_bytes::<Value>(&bytes).unwrap(), value);
    }
}
