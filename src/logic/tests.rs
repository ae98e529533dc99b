use rust_decimal::Decimal;

use super::coverage::{Columns, Coverage, Pat, Row, first_match};
use super::*;
use crate::value::{Currency, Money};

fn yuan(major: i64) -> Value {
    Value::Money(Money { minor: major * 100, currency: Currency::parse("CNY").unwrap() })
}

fn money() -> Domain {
    Domain::Line { scale: Scale::Money(Currency::parse("CNY").unwrap()), least: None }
}

fn cases() -> Domain {
    Domain::Cases(["ordinary", "silver", "gold"].map(Name::new).to_vec())
}

fn case(name: &str) -> Pat {
    Pat::Tests(vec![Test::OneOf(vec![Value::Choice(Name::new(name))])])
}

fn at_least(major: i64) -> Pat {
    Pat::Tests(vec![Test::GreaterEq(yuan(major))])
}

fn below(major: i64) -> Pat {
    Pat::Tests(vec![Test::Less(yuan(major))])
}

/// What the rows leave out, in words.
fn lacks(names: &[&str], columns: &Columns, rows: &[Vec<Pat>]) -> String {
    match columns.exhaustive(rows) {
        Coverage::Full => "nothing".to_owned(),
        Coverage::Unknown => "unknown".to_owned(),
        Coverage::Lacks(example) => {
            let held = names
                .iter()
                .enumerate()
                .filter_map(|(at, name)| Some(example.held(columns.var(at)?)?.words(name)));
            held.collect::<Vec<_>>().join(", ")
        }
    }
}

#[test]
fn a_table_says_which_values_have_no_row() {
    let columns = Columns::new([cases(), money()]);
    let mut rows = vec![
        vec![case("ordinary"), Pat::Any],
        vec![case("gold"), at_least(20_000)],
        vec![case("gold"), below(10_000)],
        vec![case("silver"), Pat::Any],
    ];
    let names = ["tier", "gain"];
    assert_eq!(lacks(&names, &columns, &rows), "`tier is gold`, `10_000 CNY <= gain < 20_000 CNY`");
    rows.pop();
    rows.push(vec![case("gold"), Pat::Any]);
    assert_eq!(lacks(&names, &columns, &rows), "`tier is silver`");
    rows.push(vec![Pat::Any, at_least(0)]);
    assert_eq!(lacks(&names, &columns, &rows), "`tier is silver`, `gain < 0 CNY`");
    rows.push(vec![Pat::Any, Pat::Any]);
    assert_eq!(lacks(&names, &columns, &rows), "nothing");
}

#[test]
fn a_row_below_others_says_which_of_them_cover_it() {
    let columns = Columns::new([cases(), Domain::Bool]);
    let yes = |value: bool| Pat::Tests(vec![Test::OneOf(vec![Value::Bool(value)])]);
    let rows = [
        vec![case("gold"), yes(true)],
        vec![case("silver"), Pat::Any],
        vec![case("gold"), yes(false)],
        vec![case("gold"), Pat::Any],
        vec![Pat::Any, yes(true)],
        vec![Pat::Tests(vec![]), Pat::Any],
    ];
    let said: Vec<String> = columns
        .rows(&rows)
        .into_iter()
        .map(|row| match row {
            Row::Taken(_) => "taken".to_owned(),
            Row::Dead { by } => format!("dead {by:?}"),
            Row::Unknown => "unknown".to_owned(),
        })
        .collect();
    assert_eq!(said, ["taken", "taken", "taken", "dead [0, 2]", "taken", "dead []"]);
}

#[test]
fn stages_take_the_first_that_is_true() {
    let mut space = Space::default();
    let balance = space.add(money(), Absence::Never);
    let is = |test: Test| Formula::Is(balance, test);
    let stages = [is(Test::GreaterEq(yuan(50))), is(Test::Greater(yuan(60))), is(Test::Less(yuan(50)))];
    let rows = first_match(&space, &stages, Trust::Types);
    assert!(matches!(&rows[1], Row::Dead { by } if by == &[0]), "{rows:?}");
    let Row::Taken(example) = &rows[2] else { panic!("{rows:?}") };
    assert_eq!(example.held(balance).and_then(Held::value), Some(yuan(20)), "something round below fifty");
}

#[test]
fn counted_values_have_no_room_between_neighbours() {
    let within = |domain: Domain, from: Value, to: Value| {
        let mut space = Space::default();
        let var = space.add(domain, Absence::Never);
        let both = Formula::Is(var, Test::Greater(from)).and(Formula::Is(var, Test::Less(to)));
        !space.solve([&both], Trust::Types).is_never()
    };
    let line = |scale| Domain::Line { scale, least: None };
    let half = |tenths: i64| Value::Decimal(Decimal::new(tenths, 1));
    let date = |text: &str| Value::Date(text.parse().unwrap());
    assert!(!within(line(Scale::Whole), Value::Int(3), Value::Int(4)));
    assert!(within(line(Scale::Whole), Value::Int(3), Value::Int(5)));
    assert!(!within(line(Scale::Whole), half(25), half(29)));
    assert!(within(line(Scale::Number), Value::Int(3), Value::Int(4)));
    assert!(!within(line(Scale::Date), date("2026-02-28"), date("2026-03-01")));
    assert!(within(line(Scale::Date), date("2028-02-28"), date("2028-03-01")), "a leap day");
}

#[test]
fn places_and_values_are_two_sides_of_one_thing() {
    let values = [
        Value::Int(-7),
        yuan(50_000),
        Value::Date("2026-11-21".parse().unwrap()),
        Value::Time("10:30".parse().unwrap()),
        Value::Moment("2026-11-21T02:30:00Z".parse().unwrap()),
        Value::Percent(Decimal::new(15, 2)),
        Value::Length(crate::value::Length::Elapsed(90_000)),
    ];
    for value in values {
        let scale = Scale::of(&value).unwrap();
        assert_eq!(scale.value(scale.place(&value).unwrap()), Some(value));
    }
}

#[test]
fn a_value_in_between_is_round() {
    let between = |scale: Scale, low: Option<i64>, high: Option<i64>| {
        scale.between(low.map(Decimal::from), high.map(Decimal::from)).map(|at| at.to_string())
    };
    let number = |low, high| between(Scale::Whole, low, high).unwrap();
    assert_eq!(number(Some(10_000), Some(20_000)), "15000");
    assert_eq!(number(None, Some(18)), "10");
    assert_eq!(number(Some(3), None), "5");
    assert_eq!(number(Some(3), Some(5)), "4");
    assert_eq!(number(None, Some(0)), "-1");
    assert_eq!(between(Scale::Whole, Some(3), Some(4)), None);
}

#[test]
fn what_is_plainly_possible_is_found_by_the_search_too() {
    let mut space = Space::default();
    let gain = space.add(money(), Absence::Possible);
    let tier = space.add(cases(), Absence::Never);
    let count = space.add(Domain::Line { scale: Scale::Whole, least: Some(0) }, Absence::Never);
    let one_of = |names: &[&str]| {
        let values = names.iter().map(|name| Value::Choice(Name::new(name)));
        Formula::Is(tier, Test::OneOf(values.collect()))
    };
    let (gold, rich) = (one_of(&["gold"]), Formula::Is(gain, Test::Greater(yuan(10))));
    let seldom = Formula::Is(count, Test::Less(Value::Int(3)));
    let plain = gold.clone().and(rich.clone().or(seldom.negated()).and(Formula::Const(true)));
    // One of the ways is enough, whatever the others ask.
    let unknown = Formula::Is(gain, Test::Missing).or(rich.clone()).and(gold.clone());
    for formula in [plain.clone(), plain.negated(), unknown] {
        assert!(space.is_plainly_possible(&[&formula]), "{formula:?}");
        assert!(!space.solve([&formula], Trust::Types).is_never(), "{formula:?}");
    }
    let below_nothing = Formula::Is(count, Test::Less(Value::Int(0)));
    let no_tier = one_of(&["ordinary", "silver", "gold"]).negated();
    let both = gold.clone().and(gold.negated());
    for formula in [below_nothing, no_tier, both, Formula::Const(false).and(rich)] {
        assert!(!space.is_plainly_possible(&[&formula]), "{formula:?}");
        assert!(space.solve([&formula], Trust::Types).is_never(), "{formula:?}");
    }
}
