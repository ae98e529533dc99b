use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use proptest::prelude::*;
use rust_decimal::Decimal;

use super::*;
use crate::expr::{Aggregate, AggregateFn, Function, Source, SpanUnit};
use crate::value::{CivilUnit, Currency, Length, Money};

/// A subject made of maps, for the tests of this module and its neighbours.
pub(crate) struct TestEnv {
    pub(crate) now: Timestamp,
    pub(crate) zone: TimeZone,
    pub(crate) calendar: Calendar,
    pub(crate) attrs: BTreeMap<&'static str, Value>,
    pub(crate) children: Vec<Value>,
    pub(crate) history: Value,
    pub(crate) defs: Vec<Expr>,
}

impl TestEnv {
    /// 2026-11-21 10:30 in Shanghai, a Saturday.
    pub(crate) fn new() -> Self {
        Self {
            now: "2026-11-21T02:30:00Z".parse().unwrap(),
            zone: TimeZone::get("Asia/Shanghai").unwrap(),
            calendar: Calendar::default(),
            attrs: BTreeMap::new(),
            children: Vec::new(),
            history: Value::Missing,
            defs: Vec::new(),
        }
    }

    pub(crate) fn with(mut self, name: &'static str, value: Value) -> Self {
        self.attrs.insert(name, value);
        self
    }
}

impl Env for TestEnv {
    fn now(&self) -> Timestamp {
        self.now
    }
    fn zone(&self) -> &TimeZone {
        &self.zone
    }
    fn calendar(&self, _: Option<Name>) -> Option<&Calendar> {
        Some(&self.calendar)
    }
    fn attr(&self, _: Owner, name: Name) -> Value {
        self.attrs.get(name.as_str()).cloned().unwrap_or(Value::Missing)
    }
    fn tag(&self, _: Owner, name: Name) -> bool {
        self.attrs.contains_key(name.as_str())
    }
    fn def(&self, _: Owner, index: u16) -> Value {
        self.defs.get(usize::from(index)).map_or(Value::Missing, |value| eval(value, self))
    }
    fn local(&self, _: u16) -> Value {
        Value::Missing
    }
    fn param(&self, _: Name) -> Value {
        Value::Missing
    }
    fn entry(&self) -> Value {
        Value::Record(vec![(Name::new("amount"), cny(500))])
    }
    fn element(&self) -> Value {
        Value::Missing
    }
    fn children(&self, _: Name) -> Vec<Value> {
        self.children.clone()
    }
    fn history(&self, _: u16) -> Value {
        self.history.clone()
    }
}

pub(crate) fn cny(yuan: i64) -> Value {
    Value::Money(Money { minor: yuan * 100, currency: Currency::parse("CNY").unwrap() })
}

pub(crate) fn attr(name: &str) -> Expr {
    Expr::Attr(Owner::Subject, Name::new(name))
}

pub(crate) fn con(value: Value) -> Expr {
    Expr::Const(value)
}

pub(crate) fn op(op: BinaryOp, left: Expr, right: Expr) -> Expr {
    Expr::Binary(op, Box::new(left), Box::new(right))
}

pub(crate) fn date(text: &str) -> Value {
    Value::Date(text.parse().unwrap())
}

fn dec(text: &str) -> Decimal {
    text.parse().unwrap()
}

fn run(expr: &Expr) -> Value {
    eval(expr, &TestEnv::new())
}

#[test]
fn missing_goes_through_arithmetic_and_fails_every_comparison() {
    let missing = || attr("nowhere");
    assert_eq!(run(&op(BinaryOp::Add, missing(), con(Value::Int(1)))), Value::Missing);
    for comparison in [BinaryOp::Is, BinaryOp::IsNot, BinaryOp::Less, BinaryOp::GreaterEq, BinaryOp::In] {
        assert_eq!(run(&op(comparison, missing(), missing())), Value::Bool(false), "{comparison:?}");
    }
    assert_eq!(run(&Expr::Known(Box::new(missing()), false)), Value::Bool(true));
    assert_eq!(run(&Expr::Otherwise(Box::new(missing()), Box::new(con(Value::Int(7))))), Value::Int(7));
    assert_eq!(run(&Expr::Call(Function::Max, vec![missing(), con(Value::Int(1))])), Value::Missing);
}

#[test]
fn and_or_stop_at_the_side_that_decides() {
    let env = TestEnv::new().with("yes", Value::Bool(true));
    let both = |word, left, right| eval(&op(word, left, right), &env);
    assert_eq!(both(BinaryOp::Or, attr("yes"), attr("nowhere")), Value::Bool(true));
    assert_eq!(both(BinaryOp::And, attr("nowhere"), attr("yes")), Value::Bool(false));
    assert_eq!(both(BinaryOp::And, attr("yes"), attr("yes")), Value::Bool(true));
}

#[test]
fn money_is_exact_and_rounds_half_to_even() {
    let fen = |minor| Value::Money(Money { minor, currency: Currency::parse("CNY").unwrap() });
    let times = |rate: &str, minor| op(BinaryOp::Mul, con(Value::Percent(dec(rate))), con(fen(minor)));
    assert_eq!(run(&times("0.05", 50)), fen(2), "2.5 fen");
    assert_eq!(run(&times("0.05", 70)), fen(4), "3.5 fen");
    assert_eq!(run(&op(BinaryOp::Div, con(fen(5)), con(Value::Int(2)))), fen(2));
    assert_eq!(run(&op(BinaryOp::Add, con(fen(1)), con(fen(2)))), fen(3));
    let usd = Value::Money(Money { minor: 1, currency: Currency::parse("USD").unwrap() });
    assert_eq!(run(&op(BinaryOp::Add, con(fen(1)), con(usd.clone()))), Value::Missing);
    assert_eq!(run(&op(BinaryOp::Less, con(fen(1)), con(usd))), Value::Bool(false));
    assert_eq!(run(&op(BinaryOp::Add, con(fen(i64::MAX)), con(fen(1)))), Value::Missing, "overflow");
    assert_eq!(run(&op(BinaryOp::Div, con(fen(5)), con(Value::Int(0)))), Value::Missing);
}

#[test]
fn counted_ranges_hold_both_ends_and_measured_ones_only_the_left() {
    let within = |item: Value, from: Value, to: Value| {
        let range = Expr::Range(Box::new(con(from)), Box::new(con(to)));
        run(&op(BinaryOp::In, con(item), range)) == Value::Bool(true)
    };
    assert!(within(Value::Int(35), Value::Int(18), Value::Int(35)));
    assert!(within(date("2026-12-31"), date("2026-12-01"), date("2026-12-31")));
    assert!(within(cny(10), cny(10), cny(20)));
    assert!(!within(cny(20), cny(10), cny(20)));
    let time = |text: &str| Value::Time(text.parse().unwrap());
    assert!(!within(time("18:00"), time("09:00"), time("18:00")));
    let last_minute = Value::Moment("2026-12-31T15:59:00Z".parse().unwrap());
    assert!(within(last_minute, date("2026-12-01"), date("2026-12-31")), "23:59 in Shanghai");
}

#[test]
fn lists_and_texts_have_parts() {
    let push = || con(Value::Choice(Name::new("push")));
    let list = || Expr::List(vec![push(), con(Value::Choice(Name::new("sms")))]);
    assert_eq!(run(&op(BinaryOp::In, push(), list())), Value::Bool(true));
    assert_eq!(run(&op(BinaryOp::Has, list(), con(Value::Choice(Name::new("wechat"))))), Value::Bool(false));
    let text = |text: &str| con(Value::text(text));
    assert_eq!(run(&op(BinaryOp::Has, text("我要打卡"), text("打卡"))), Value::Bool(true));
    let words = Expr::List(vec![text("签到"), text("打卡")]);
    assert_eq!(run(&op(BinaryOp::Has, text("我要打卡"), words)), Value::Bool(true));
}

#[test]
fn a_filter_sees_the_child_and_the_subject() {
    let holding = |amount, product: &str| {
        Value::Record(vec![(Name::new("amount"), cny(amount)), (Name::new("product"), Value::text(product))])
    };
    let mut env = TestEnv::new().with("threshold", cny(100));
    env.children = vec![holding(50, "a"), holding(150, "b"), holding(250, "b")];
    let field = |name: &str| Expr::Field(Box::new(Expr::Element), Name::new(name));
    let aggregate = |function, value: Option<Expr>| {
        Expr::Aggregate(Box::new(Aggregate {
            function,
            source: Source::Children(Name::new("holding")),
            filter: Some(op(BinaryOp::GreaterEq, field("amount"), attr("threshold"))),
            value,
            window: None,
        }))
    };
    assert_eq!(eval(&aggregate(AggregateFn::Count, None), &env), Value::Int(2));
    assert_eq!(eval(&aggregate(AggregateFn::Once, None), &env), Value::Bool(false));
    assert_eq!(eval(&aggregate(AggregateFn::Sum, Some(field("amount"))), &env), cny(400));
    assert_eq!(eval(&aggregate(AggregateFn::Avg, Some(field("amount"))), &env), cny(200));
    assert_eq!(eval(&aggregate(AggregateFn::Most, Some(field("product"))), &env), Value::text("b"));
    env.children.clear();
    assert_eq!(eval(&aggregate(AggregateFn::Any, None), &env), Value::Bool(false));
    assert_eq!(eval(&aggregate(AggregateFn::Max, Some(field("amount"))), &env), Value::Missing);
}

#[test]
fn of_equally_frequent_values_the_last_seen_wins() {
    let values = ["push", "sms", "sms", "push"].map(|name| Value::Choice(Name::new(name)));
    let found = fold(AggregateFn::Most, &values, &TestEnv::new());
    assert_eq!(found, Value::Choice(Name::new("push")));
}

#[test]
fn spans_and_shifts_are_in_the_zone_of_the_subject() {
    let span = |unit, offset| run(&Expr::Span { unit, offset });
    let days = |from: &str, to: &str| Value::Range(Box::new((date(from), date(to))));
    assert_eq!(span(SpanUnit::Month, 0), days("2026-11-01", "2026-11-30"));
    assert_eq!(span(SpanUnit::Quarter, -1), days("2026-07-01", "2026-09-30"));
    assert_eq!(span(SpanUnit::Week, 0), days("2026-11-16", "2026-11-22"));
    let by = Length::Civil { count: 1, unit: CivilUnit::Workday };
    let next = Expr::Shift { by, back: false, from: Box::new(Expr::Today), calendar: None };
    assert_eq!(run(&next), date("2026-11-23"), "Monday");
    let at = Expr::At(Box::new(next), Box::new(con(Value::Time("10:00".parse().unwrap()))));
    assert_eq!(run(&at), Value::Moment("2026-11-23T02:00:00Z".parse().unwrap()));
}

#[test]
fn customers_read_money_dates_and_masked_names() {
    let call = |function, value| run(&Expr::Call(function, vec![con(value)]));
    assert_eq!(call(Function::Money, cny(50_000)), Value::text("50,000.00 元"));
    assert_eq!(call(Function::Date, date("2026-12-01")), Value::text("2026年12月1日"));
    assert_eq!(call(Function::Mask, Value::text("王小明")), Value::text("王**"));
    let december = Value::Range(Box::new((date("2026-12-01"), date("2026-12-31"))));
    assert_eq!(call(Function::Days, december), Value::Int(31));
}

/// Any value, with extremes.
pub(crate) fn any_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Missing),
        any::<bool>().prop_map(Value::Bool),
        any::<i64>().prop_map(Value::Int),
        (-100_i64..100).prop_map(Value::Int),
        any::<i64>().prop_map(|n| Value::Decimal(Decimal::new(n, 3))),
        Just(Value::Decimal(Decimal::MAX)),
        any::<i32>().prop_map(|n| Value::Percent(Decimal::new(i64::from(n), 4))),
        any::<i64>()
            .prop_map(|minor| Value::Money(Money { minor, currency: Currency::parse("CNY").unwrap() })),
        "[a-c文]{0,3}".prop_map(|text| Value::Text(Arc::from(text.as_str()))),
        (-9999_i16..=9999, 1_i8..=12, 1_i8..=28)
            .prop_map(|(y, m, d)| Value::Date(jiff::civil::Date::new(y, m, d).unwrap())),
        (0_i8..24, 0_i8..60).prop_map(|(h, m)| Value::Time(jiff::civil::Time::new(h, m, 0, 0).unwrap())),
        any::<i64>().prop_map(|s| Value::Moment(Timestamp::from_second(s % 200_000_000_000).unwrap())),
        any::<i64>().prop_map(|ms| Value::Length(Length::Elapsed(ms))),
        (any::<i32>(), any_unit()).prop_map(|(count, unit)| Value::Length(Length::Civil { count, unit })),
        "[a-c]".prop_map(|case| Value::Choice(Name::new(&case))),
    ];
    leaf.prop_recursive(2, 8, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Value::List),
            (inner.clone(), inner).prop_map(|(a, b)| Value::Range(Box::new((a, b)))),
        ]
    })
}

fn any_unit() -> impl Strategy<Value = CivilUnit> {
    prop::sample::select(vec![
        CivilUnit::Day,
        CivilUnit::Workday,
        CivilUnit::Week,
        CivilUnit::Month,
        CivilUnit::Year,
    ])
}

const OPS: [BinaryOp; 14] = [
    BinaryOp::Or,
    BinaryOp::And,
    BinaryOp::Is,
    BinaryOp::IsNot,
    BinaryOp::Less,
    BinaryOp::LessEq,
    BinaryOp::Greater,
    BinaryOp::GreaterEq,
    BinaryOp::In,
    BinaryOp::Has,
    BinaryOp::Add,
    BinaryOp::Sub,
    BinaryOp::Mul,
    BinaryOp::Div,
];

const FUNCTIONS: [Function; 9] = [
    Function::Money,
    Function::Date,
    Function::Mask,
    Function::Link,
    Function::Max,
    Function::Min,
    Function::Round,
    Function::Days,
    Function::DateOf,
];

/// Any expression, well typed or not.
pub(crate) fn any_expr() -> impl Strategy<Value = Expr> {
    let units = [SpanUnit::Day, SpanUnit::Week, SpanUnit::Month, SpanUnit::Quarter, SpanUnit::Year];
    let leaf = prop_oneof![
        4 => any_value().prop_map(Expr::Const),
        1 => Just(Expr::Now),
        1 => Just(Expr::Today),
        1 => Just(attr("known")),
        1 => (prop::sample::select(units.to_vec()), any::<i8>())
            .prop_map(|(unit, offset)| Expr::Span { unit, offset }),
    ];
    leaf.prop_recursive(4, 24, 3, move |inner| {
        let pair = (inner.clone(), inner.clone());
        prop_oneof![
            4 => (prop::sample::select(OPS.to_vec()), pair.clone()).prop_map(|(word, (a, b))| op(word, a, b)),
            1 => inner.clone().prop_map(|e| Expr::Not(Box::new(e))),
            1 => inner.clone().prop_map(|e| Expr::Neg(Box::new(e))),
            1 => (inner.clone(), any::<bool>()).prop_map(|(e, known)| Expr::Known(Box::new(e), known)),
            1 => pair.clone().prop_map(|(a, b)| Expr::Otherwise(Box::new(a), Box::new(b))),
            1 => pair.clone().prop_map(|(a, b)| Expr::Range(Box::new(a), Box::new(b))),
            1 => pair.prop_map(|(a, b)| Expr::At(Box::new(a), Box::new(b))),
            1 => (any::<i32>(), any_unit(), any::<bool>(), inner.clone()).prop_map(|(count, unit, back, e)| {
                Expr::Shift { by: Length::Civil { count, unit }, back, from: Box::new(e), calendar: None }
            }),
            1 => (prop::sample::select(units.to_vec()), inner.clone())
                .prop_map(|(unit, e)| Expr::SpanOf { unit, of: Box::new(e) }),
            1 => (prop::sample::select(FUNCTIONS.to_vec()), prop::collection::vec(inner, 0..3))
                .prop_map(|(function, args)| Expr::Call(function, args)),
        ]
    })
}

proptest! {
    #[test]
    fn any_expression_has_a_value_and_a_text(expr in any_expr()) {
        let env = TestEnv::new().with("known", Value::Int(3));
        let first = eval(&expr, &env);
        prop_assert_eq!(&first, &eval(&expr, &env), "the same inputs give the same value");
        prop_assert!(!crate::expr::show::expr(&expr, &()).is_empty());
    }

    #[test]
    fn comparisons_of_two_values_agree(left in any_value(), right in any_value()) {
        let env = TestEnv::new();
        let ask = |word| holds(&op(word, con(left.clone()), con(right.clone())), &env);
        let (less, greater, is) = (ask(BinaryOp::Less), ask(BinaryOp::Greater), ask(BinaryOp::Is));
        prop_assert!(!(less && greater));
        prop_assert_eq!(ask(BinaryOp::LessEq), less || compare(&left, &right, &env).is_some_and(std::cmp::Ordering::is_eq));
        prop_assert!(!(is && ask(BinaryOp::IsNot)));
        prop_assert!(!(is && (less || greater)));
        let mirrored = holds(&op(BinaryOp::Greater, con(right.clone()), con(left.clone())), &env);
        prop_assert_eq!(less, mirrored);
    }
}
