use std::sync::{Arc, LazyLock};

use proptest::prelude::*;

use super::read::{Reader, Term};
use super::scope::Scope;
use crate::expr::eval::tests::{TestEnv, attr, con, op};
use crate::expr::eval::{Env, eval, holds};
use crate::expr::{BinaryOp, Expr, Owner};
use crate::logic::{Answer, Example, Trust};
use crate::model::{Context, Model};
use crate::name::Name;
use crate::syntax::parse;
use crate::text::Sources;
use crate::value::{Currency, Money, Value};

const WORLD: &str = "\
choice tier { ordinary; gold; platinum }
entity customer {
  key id : Id
  age : Int?
  months : Int
  tier : tier
  balance : Money(CNY)
  mobile : Bool
  city : Text
}
tag vip of customer { keep 30 days }
event payment of customer { amount : Money(CNY) }
event login of customer { source app }
";

fn model(more: &str) -> Model {
    let text = format!("{WORLD}{more}");
    let id = Sources::default().add("world.journey", &text);
    let parsed = parse(id, &text);
    let mut context = Context::default();
    context.packages.insert(id, Arc::from(""));
    let (model, findings) = crate::model::check(&[(id, &parsed.file)], &context);
    assert!(parsed.diagnostics.is_empty() && findings.is_empty(), "{:?} {findings:?}", parsed.diagnostics);
    model
}

fn fen(minor: i64) -> Value {
    Value::Money(Money { minor, currency: Currency::parse("CNY").unwrap() })
}

fn case(name: &str) -> Value {
    Value::Choice(Name::new(name))
}

const CASES: [&str; 3] = ["ordinary", "gold", "platinum"];

fn comparison() -> impl Strategy<Value = BinaryOp> {
    use BinaryOp::{Greater, GreaterEq, Is, IsNot, Less, LessEq};
    prop::sample::select(vec![Is, IsNot, Less, LessEq, Greater, GreaterEq])
}

fn leaf() -> impl Strategy<Value = Expr> {
    let otherwise = |age: i64| Expr::Otherwise(Box::new(attr("age")), Box::new(con(Value::Int(age))));
    let range = |from: Value, to: Value| con(Value::Range(Box::new((from, to))));
    prop_oneof![
        (comparison(), 0..4_i64).prop_map(|(sign, n)| op(sign, attr("age"), con(Value::Int(n)))),
        (comparison(), 0..4_i64).prop_map(|(sign, n)| op(sign, con(Value::Int(n)), attr("months"))),
        (comparison(), 0..4_i64, 0..4_i64).prop_map(move |(sign, n, age)| op(
            sign,
            otherwise(age),
            con(Value::Int(n))
        )),
        (comparison(), 1..4_i64).prop_map(|(sign, n)| op(sign, attr("balance"), con(fen(n)))),
        (0..4_i64, 0..4_i64).prop_map(move |(from, to)| op(
            BinaryOp::In,
            attr("months"),
            range(Value::Int(from), Value::Int(to))
        )),
        (1..4_i64, 1..4_i64).prop_map(move |(from, to)| op(
            BinaryOp::In,
            attr("balance"),
            range(fen(from), fen(to))
        )),
        (0..3_usize).prop_map(|at| op(BinaryOp::Is, attr("tier"), con(case(CASES[at])))),
        (0..3_usize).prop_map(|at| op(BinaryOp::IsNot, attr("tier"), con(case(CASES[at])))),
        (0..3_usize, 0..3_usize).prop_map(|(one, two)| op(
            BinaryOp::In,
            attr("tier"),
            con(Value::List(vec![case(CASES[one]), case(CASES[two])]))
        )),
        any::<bool>().prop_map(|known| Expr::Known(Box::new(attr("age")), known)),
        Just(attr("mobile")),
        Just(Expr::Tag(Owner::Subject, Name::new("vip"))),
        prop::sample::select(vec!["Ulm", "Bonn"]).prop_map(|city| op(
            BinaryOp::Is,
            attr("city"),
            con(Value::text(city))
        )),
    ]
}

fn condition() -> impl Strategy<Value = Expr> {
    with_leaves(leaf().boxed())
}

/// With comparisons of one attribute with another, whose values the formula takes to be free.
fn loose_condition() -> impl Strategy<Value = Expr> {
    let pair = prop_oneof![Just(("age", "months")), Just(("months", "age")), Just(("age", "age"))];
    let pairs = (comparison(), pair).prop_map(|(sign, (left, right))| op(sign, attr(left), attr(right)));
    with_leaves(prop_oneof![3 => leaf(), 1 => pairs].boxed())
}

fn with_leaves(leaf: BoxedStrategy<Expr>) -> impl Strategy<Value = Expr> {
    leaf.prop_recursive(4, 24, 3, |inner| {
        prop_oneof![
            inner.clone().prop_map(|inner| Expr::Not(Box::new(inner))),
            (inner.clone(), inner.clone()).prop_map(|(left, right)| op(BinaryOp::And, left, right)),
            (inner.clone(), inner).prop_map(|(left, right)| op(BinaryOp::Or, left, right)),
        ]
    })
}

/// Every customer whose values lie at or beside those that conditions name.
fn customers(trust: Trust) -> &'static [TestEnv] {
    static TYPES: LazyLock<Vec<TestEnv>> = LazyLock::new(|| all_customers(Trust::Types));
    static NOTHING: LazyLock<Vec<TestEnv>> = LazyLock::new(|| all_customers(Trust::Nothing));
    match trust {
        Trust::Types => &TYPES,
        Trust::Nothing => &NOTHING,
    }
}

fn all_customers(trust: Trust) -> Vec<TestEnv> {
    let doubted = |values: Vec<Value>| {
        let missing = (trust == Trust::Nothing).then_some(Value::Missing);
        values.into_iter().chain(missing).collect::<Vec<_>>()
    };
    let numbers = || (-1..5).map(Value::Int).collect::<Vec<_>>();
    let ages: Vec<Value> = numbers().into_iter().chain([Value::Missing]).collect();
    let mut all = vec![TestEnv::new()];
    let mut vary = |name: &'static str, values: Vec<Value>| {
        all = all
            .iter()
            .flat_map(|env| {
                values.iter().map(|value| {
                    let env = TestEnv { attrs: env.attrs.clone(), ..TestEnv::new() };
                    if value.is_missing() { env } else { env.with(name, value.clone()) }
                })
            })
            .collect();
    };
    vary("age", ages);
    vary("months", doubted(numbers()));
    vary("balance", doubted((0..5).map(fen).collect()));
    vary("tier", doubted(CASES.map(case).to_vec()));
    vary("mobile", doubted(vec![Value::Bool(true), Value::Bool(false)]));
    vary("vip", vec![Value::Bool(true), Value::Missing]);
    vary("city", doubted(vec![Value::text("Ulm"), Value::text("Bonn"), Value::text("Köln")]));
    all
}

/// The customer of an example; what it does not say is something ordinary.
fn customer(reader: &Reader, example: &Example) -> TestEnv {
    let mut env = TestEnv::new()
        .with("age", Value::Int(1))
        .with("months", Value::Int(1))
        .with("balance", fen(1))
        .with("tier", case("ordinary"))
        .with("mobile", Value::Bool(false))
        .with("city", Value::text("Köln"));
    for (var, term) in reader.space.vars().zip(&reader.terms) {
        let Term::Value(expr) = term else { continue };
        let name = match expr {
            Expr::Attr(_, name) | Expr::Tag(_, name) => name.as_str(),
            other => panic!("{other:?}"),
        };
        let Some(value) = example.held(var).and_then(crate::logic::Held::value) else { continue };
        env.attrs.remove(name);
        // A tag is there or not.
        if !value.is_missing() && (name != "vip" || value == Value::Bool(true)) {
            env = env.with(name, value);
        }
    }
    env
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, failure_persistence: None, ..ProptestConfig::default() })]

    /// "Never" is exactly that nobody makes it true, as the one evaluator has it, and an example does.
    #[test]
    fn the_answer_is_the_evaluators(expr in condition(), types in any::<bool>()) {
        let trust = if types { Trust::Types } else { Trust::Nothing };
        let model = model("");
        let mut reader = Reader::new(Scope::of(&model, Name::new("customer")));
        let truth = reader.truth(&expr);
        let somebody = customers(trust).iter().any(|env| holds(&expr, env));
        match reader.solve(&[&truth], trust) {
            Answer::Never => prop_assert!(!somebody, "{expr:?}"),
            Answer::Unknown => prop_assert!(false, "too large? {expr:?}"),
            Answer::Example(example) => {
                prop_assert!(somebody, "{expr:?}");
                let env = customer(&reader, &example);
                prop_assert!(holds(&expr, &env), "{expr:?} {example:?} {:?}", env.attrs);
            }
        }
    }

    /// False is not the same as not true, as in the evaluator.
    #[test]
    fn false_and_missing_are_told_apart(expr in condition()) {
        let model = model("");
        let mut reader = Reader::new(Scope::of(&model, Name::new("customer")));
        let falsehood = reader.falsehood(&expr);
        let somebody = customers(Trust::Nothing).iter().any(|env| eval(&expr, env) == Value::Bool(false));
        prop_assert_eq!(!reader.is_never(&[&falsehood], Trust::Nothing), somebody);
    }

    /// What one attribute is compared with another may be too free, but never too strict.
    #[test]
    fn never_is_only_said_of_what_never_is(expr in loose_condition()) {
        let model = model("");
        let mut reader = Reader::new(Scope::of(&model, Name::new("customer")));
        let truth = reader.truth(&expr);
        if reader.is_never(&[&truth], Trust::Types) {
            let somebody = customers(Trust::Types).iter().find(|env| holds(&expr, *env));
            prop_assert!(somebody.is_none(), "{expr:?}");
        }
    }

    /// One condition implies another exactly if everybody of one is in the other.
    #[test]
    fn implication_is_of_everybody(first in condition(), second in condition()) {
        let model = model("");
        let mut reader = Reader::new(Scope::of(&model, Name::new("customer")));
        let (one, other) = (reader.truth(&first), reader.truth(&second).negated());
        let everybody = customers(Trust::Types).iter().all(|env| !holds(&first, env) || holds(&second, env));
        prop_assert_eq!(reader.is_never(&[&one, &other], Trust::Types), everybody);
    }
}

#[test]
fn an_env_of_the_tests_has_tags_by_name() {
    let env = TestEnv::new().with("vip", Value::Bool(true));
    assert!(
        env.tag(Owner::Subject, Name::new("vip")) && !TestEnv::new().tag(Owner::Subject, Name::new("vip"))
    );
}

/// How the two audiences `a` and `b` lie to one another.
fn relation(text: &str) -> String {
    let model = model(text);
    let audience = |name: &str| &model.derived[&Name::new(name)];
    let compared = super::compare::compare(&model, audience("a"), audience("b"));
    format!("{:?}", compared.relation())
}

#[test]
fn history_conditions_know_of_one_another() {
    let both =
        |a: &str, b: &str| relation(&format!("audience a of customer = {a}\naudience b of customer = {b}\n"));
    assert_eq!(both("any login during last 7 days", "any login during last 30 days"), "FirstInside");
    assert_eq!(both("any login during last 2 months", "any login during last 3 weeks"), "SecondInside");
    assert_eq!(both("any login during last 3 weeks", "any login during last 2 months"), "FirstInside");
    assert_eq!(both("any login during last 7 days", "no login ever"), "Apart");
    assert_eq!(both("any login ever", "no login ever"), "Apart");
    assert_eq!(both("any login during last 24h", "any login during last 2 days"), "Overlap");
    assert_eq!(both("count(login during last 7 days) >= 3", "any login during last 7 days"), "FirstInside");
    assert_eq!(
        both("count(login during last 7 days) >= 3", "count(login during last 30 days) > 1"),
        "FirstInside"
    );
    assert_eq!(both("count(login during last 7 days) >= 3", "once login during last 7 days"), "Apart");
    assert_eq!(both("once login ever", "any login ever"), "FirstInside");
    assert_eq!(
        both(
            "any payment where amount > 100 CNY during last 7 days",
            "any payment where amount > 50 CNY during last 7 days"
        ),
        "FirstInside"
    );
    assert_eq!(both("any payment ever", "any login ever"), "Overlap");
}

#[test]
fn definitions_are_looked_into() {
    let text = "metric spent of customer = sum(payment.amount during this month)\n\
                audience rich of customer = balance >= 50_000 CNY and spent > 10 CNY\n\
                audience a of customer = rich and tier is gold\n\
                audience b of customer = spent > 5 CNY\n";
    assert_eq!(relation(text), "FirstInside");
    let text = "audience a of customer = tier >= gold\naudience b of customer = tier in [gold, platinum]\n";
    assert_eq!(relation(text), "Same");
}

#[test]
fn an_example_has_round_values_in_the_words_of_the_language() {
    let model = model(
        "audience a of customer = balance > 10_000 CNY and balance < 20_000 CNY and (age otherwise 0) in 18..35 \
         and not vip and count(payment during last 7 days) > 2 and tier is not gold and city is not \"Ulm\"\n",
    );
    let shown = super::compare::show(&model, &model.derived[&Name::new("a")]);
    let super::compare::Found::Somebody(customer) = shown.inside else { panic!("{shown:?}") };
    assert_eq!(
        customer,
        [
            "balance = 15_000 CNY",
            "age = 18",
            "not vip",
            "count(payment during last 7 days) = 5",
            "tier = ordinary",
            "city is not \"Ulm\"",
        ]
    );
}

#[test]
fn what_is_too_large_is_not_judged() {
    let many = |name: &str| {
        let values: Vec<String> = (0..300).map(|n| (n * 2).to_string()).collect();
        format!("audience {name} of customer = months in [{}]\n", values.join(", "))
    };
    assert_eq!(relation(&format!("{}{}", many("a"), many("b"))), "Unknown");
}
