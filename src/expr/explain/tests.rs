use super::*;
use crate::expr::eval::tests::{TestEnv, attr, cny, con, op};
use crate::name::Name;

struct Bank {
    preapproved: Expr,
}

impl Names for Bank {
    fn def(&self, _: u16) -> Option<Name> {
        Some(Name::new("preapproved"))
    }
}

impl Reader for Bank {
    fn is_masked(&self, leaf: &Expr) -> bool {
        *leaf == attr("name")
    }
    fn definition(&self, _: u16) -> Option<&Expr> {
        Some(&self.preapproved)
    }
}

fn bank() -> Bank {
    Bank { preapproved: op(BinaryOp::Greater, attr("loan_limit"), con(cny(0))) }
}

fn env() -> TestEnv {
    TestEnv { defs: vec![bank().preapproved], ..TestEnv::new() }
}

fn told(condition: &Expr, env: &TestEnv) -> (bool, Vec<String>) {
    let bank = bank();
    let explanation = explain(condition, env, &bank);
    (explanation.holds, explanation.because.iter().map(Reason::to_string).collect())
}

#[test]
fn the_missing_attribute_behind_an_audience_is_named() {
    let env = env().with("age", Value::Int(70));
    let condition = op(
        BinaryOp::And,
        op(BinaryOp::GreaterEq, attr("age"), con(Value::Int(60))),
        Expr::Def(Owner::Subject, 0),
    );
    let because = vec!["loan_limit > 0 CNY is false: loan_limit is missing".to_owned()];
    assert_eq!(told(&condition, &env), (false, because));
    let leaf = &explain(&condition, &env, &bank()).because[0];
    assert_eq!(leaf.value, None, "not decided, only missing");
}

#[test]
fn all_that_made_it_true_is_told_and_nothing_else() {
    let env = env().with("loan_limit", cny(5)).with("age", Value::Int(30));
    let young = op(BinaryOp::Less, attr("age"), con(Value::Int(35)));
    let rich = op(BinaryOp::Greater, attr("loan_limit"), con(cny(1_000)));
    let condition = op(BinaryOp::Or, rich, op(BinaryOp::And, young, Expr::Def(Owner::Subject, 0)));
    let because = vec![
        "age < 35 is true: age is 30".to_owned(),
        "loan_limit > 0 CNY is true: loan_limit is 5 CNY".to_owned(),
    ];
    assert_eq!(told(&condition, &env), (true, because));
}

#[test]
fn masked_values_stay_out() {
    let env = env().with("name", Value::text("王小明"));
    let condition = op(BinaryOp::Is, attr("name"), con(Value::text("x")));
    let because = vec!["name is \"x\" is false: name is ***".to_owned()];
    assert_eq!(told(&condition, &env), (false, because));
}
