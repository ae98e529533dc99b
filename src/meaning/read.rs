//! An expression as a formula. Truth, falsehood and missing are three answers, as in the evaluator: `not` of something
//! missing is not true.

use std::borrow::Cow;
use std::cmp::Ordering;

use super::scope::Scope;
use super::shape::{fits, guessed};
use crate::expr::{AggregateFn, BinaryOp, Expr, Source};
use crate::logic::coverage::needed;
use crate::logic::{Absence, Answer, Domain, Formula, Space, Test, Trust, Var};
use crate::value::{Type, Value};

/// What a variable stands for.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Term {
    /// The value of an expression.
    Value(Expr),
    /// How the first compares with the second.
    Order(Expr, Expr),
}

/// Reads expressions of one scope into formulas over one space.
#[derive(Clone, Debug)]
pub(super) struct Reader<'m> {
    pub(super) scope: Scope<'m>,
    pub(super) space: Space,
    /// One for each variable, in order.
    pub(super) terms: Vec<Term>,
    /// What a `where` looks at.
    pub(super) element: Option<Source>,
}

impl<'m> Reader<'m> {
    pub(super) fn new(scope: Scope<'m>) -> Self {
        Self { scope, space: Space::default(), terms: Vec::new(), element: None }
    }

    /// The same scope, for conditions on an element of `source`.
    pub(super) fn on(&self, source: &Source) -> Self {
        Self { element: Some(source.clone()), ..Self::new(self.scope.clone()) }
    }

    /// Values for which all of it is true, what is known of history included.
    pub(super) fn solve(&self, formulas: &[&Formula], trust: Trust) -> Answer {
        let relations = super::history::relations(self, formulas);
        self.space.solve(formulas.iter().copied().chain(&relations), trust)
    }

    pub(super) fn is_never(&self, formulas: &[&Formula], trust: Trust) -> bool {
        let plainly = !self.is_related() && self.space.is_plainly_possible(formulas);
        if plainly {
            return false;
        }
        let relations = super::history::relations(self, formulas);
        self.space.is_never(formulas.iter().copied().chain(&relations), trust)
    }

    /// Whether variables may have to do with one another although no condition names both.
    pub(super) fn is_related(&self) -> bool {
        super::history::counted(self).len() > 1
    }

    /// Which of `facts` are needed to exclude `condition`, which they do.
    pub(super) fn needed(&self, facts: &[&Formula], condition: &Formula, trust: Trust) -> Vec<usize> {
        let all: Vec<&Formula> = facts.iter().copied().chain([condition]).collect();
        let relations = super::history::relations(self, &all);
        let whole = relations.into_iter().fold(condition.clone(), Formula::and);
        needed(&self.space, &whole, facts, trust)
    }

    /// Where `expr` is true.
    pub(super) fn truth(&mut self, expr: &Expr) -> Formula {
        match expr {
            Expr::Const(Value::Missing) => self.unknown(),
            Expr::Const(value) => Formula::Const(*value == Value::Bool(true)),
            Expr::Not(inner) => self.falsehood(inner),
            Expr::Binary(BinaryOp::And, left, right) => self.truth(left).and(self.truth(right)),
            Expr::Binary(BinaryOp::Or, left, right) => self.truth(left).or(self.truth(right)),
            Expr::Binary(op, left, right) if !is_arithmetic(*op) => self.compared(expr, *op, left, right),
            Expr::Known(inner, known) => {
                let missing = self.missing(inner);
                if *known { missing.negated() } else { missing }
            }
            Expr::Otherwise(first, second) => {
                let first_holds = self.truth(first);
                first_holds.or(self.missing(first).and(self.truth(second)))
            }
            _ => Formula::Is(self.yes_no(expr), Test::OneOf(vec![Value::Bool(true)])),
        }
    }

    /// Where `expr` is false, and not only missing.
    pub(super) fn falsehood(&mut self, expr: &Expr) -> Formula {
        match expr {
            Expr::Const(Value::Missing) => self.unknown(),
            Expr::Const(value) => Formula::Const(*value == Value::Bool(false)),
            Expr::Not(inner) => self.truth(inner),
            Expr::Binary(op, ..) if !is_arithmetic(*op) => self.truth(expr).negated(),
            Expr::Known(..) => self.truth(expr).negated(),
            Expr::Otherwise(first, second) => {
                let first_fails = self.falsehood(first);
                first_fails.or(self.missing(first).and(self.falsehood(second)))
            }
            _ => Formula::Is(self.yes_no(expr), Test::OneOf(vec![Value::Bool(false)])),
        }
    }

    fn missing(&mut self, expr: &Expr) -> Formula {
        match expr {
            Expr::Const(Value::Missing) => self.unknown(),
            Expr::Const(_) | Expr::Known(..) => Formula::Const(false),
            Expr::Not(inner) => self.missing(inner),
            Expr::Binary(op, ..) if !is_arithmetic(*op) => Formula::Const(false),
            Expr::Otherwise(first, second) => self.missing(first).and(self.missing(second)),
            _ => match self.scope.absence(expr, self.element.as_ref()) {
                Absence::Never => Formula::Const(false),
                _ => Formula::Is(self.value(expr, None), Test::Missing),
            },
        }
    }

    fn compared(&mut self, whole: &Expr, op: BinaryOp, left: &Expr, right: &Expr) -> Formula {
        if let Expr::Otherwise(first, second) = left {
            let first_holds = self.compared(&binary(op, first, right), op, first, right);
            let second_holds = self.compared(&binary(op, second, right), op, second, right);
            return first_holds.or(self.missing(first).and(second_holds));
        }
        if let Expr::Otherwise(first, second) = right {
            let first_holds = self.compared(&binary(op, left, first), op, left, first);
            let second_holds = self.compared(&binary(op, left, second), op, left, second);
            return first_holds.or(self.missing(first).and(second_holds));
        }
        let (left, right) = (folded(left), folded(right));
        let (left, right) = (&*left, &*right);
        let understood = match (left, right) {
            (Expr::Const(left), Expr::Const(right)) if left.is_missing() || right.is_missing() => {
                Some(self.unknown())
            }
            (Expr::Const(left), Expr::Const(right)) => constants(op, left, right).map(Formula::Const),
            (_, Expr::Const(value)) => self.with_constant(op, left, value),
            (Expr::Const(value), _) => flipped(op).and_then(|op| self.with_constant(op, right, value)),
            _ => self.ordered(op, left, right),
        };
        understood.unwrap_or_else(|| {
            let var = self.add(whole, Domain::Bool, Absence::Never);
            Formula::Is(var, Test::OneOf(vec![Value::Bool(true)]))
        })
    }

    fn with_constant(&mut self, op: BinaryOp, of: &Expr, value: &Value) -> Option<Formula> {
        if value.is_missing() {
            return None;
        }
        let test = match (op, value) {
            (BinaryOp::Is | BinaryOp::IsNot, _) => Test::OneOf(vec![value.clone()]),
            (BinaryOp::Less, _) => Test::Less(value.clone()),
            (BinaryOp::LessEq, _) => Test::LessEq(value.clone()),
            (BinaryOp::Greater, _) => Test::Greater(value.clone()),
            (BinaryOp::GreaterEq, _) => Test::GreaterEq(value.clone()),
            (BinaryOp::In, Value::List(values)) => Test::OneOf(values.clone()),
            (BinaryOp::In, Value::Range(_)) => Test::of_value(value.clone()),
            _ => return None,
        };
        let values: Vec<&Value> = match &test {
            Test::OneOf(values) => values.iter().collect(),
            Test::Between { from, to, .. } => vec![from, to],
            _ => vec![value],
        };
        let Some(first) = values.first() else { return Some(Formula::Const(false)) };
        let known = self.scope.type_of(of, self.element.as_ref());
        let domain = known.and_then(|ty| self.scope.domain(&ty)).or_else(|| guessed(first))?;
        let is_line = matches!(domain, Domain::Line { .. });
        let ordered = is_line || matches!((&test, &domain), (Test::Between { .. }, Domain::Cases(_)));
        if !values.iter().all(|value| fits(&domain, value)) || !(ordered || matches!(test, Test::OneOf(_))) {
            return None;
        }
        let var = self.value(of, Some(domain));
        if !self.space.domain(var).is_some_and(|domain| values.iter().all(|value| fits(domain, value))) {
            return None;
        }
        let is = Formula::Is(var, test);
        Some(if op == BinaryOp::IsNot { is.or(Formula::Is(var, Test::Missing)).negated() } else { is })
    }

    /// Two things that both change: how they compare is a variable of its own.
    fn ordered(&mut self, op: BinaryOp, left: &Expr, right: &Expr) -> Option<Formula> {
        use Ordering::{Equal, Greater, Less};
        let ways = match op {
            BinaryOp::Is => vec![Equal],
            BinaryOp::IsNot => vec![Less, Greater],
            BinaryOp::Less => vec![Less],
            BinaryOp::LessEq => vec![Less, Equal],
            BinaryOp::Greater => vec![Greater],
            BinaryOp::GreaterEq => vec![Greater, Equal],
            _ => return None,
        };
        let element = self.element.as_ref();
        let (first, second) = (self.scope.type_of(left, element)?, self.scope.type_of(right, element)?);
        if !is_plain(first.known()) || !is_plain(second.known()) {
            return None;
        }
        if left == right {
            let there = self.missing(left).negated();
            return Some(if ways.contains(&Equal) { there } else { Formula::Const(false) });
        }
        let backwards = Term::Order(right.clone(), left.clone());
        if let Some(var) = self.find(&backwards) {
            let ways = ways.into_iter().map(Ordering::reverse).collect();
            return Some(Formula::Is(var, Test::Compares(ways)));
        }
        let absences = [left, right].map(|side| self.scope.absence(side, self.element.as_ref()));
        let absence =
            if absences.contains(&Absence::Possible) { Absence::Possible } else { Absence::Unheard };
        let term = Term::Order(left.clone(), right.clone());
        let var = self.find(&term).unwrap_or_else(|| {
            self.terms.push(term);
            self.space.add(Domain::Order, absence)
        });
        Some(Formula::Is(var, Test::Compares(ways)))
    }

    /// Nobody writes a missing value: it stands for what is wrong and has been reported. It may be anything, another
    /// thing at each place.
    fn unknown(&mut self) -> Formula {
        self.terms.push(Term::Value(Expr::Const(Value::Missing)));
        let var = self.space.add(Domain::Bool, Absence::Never);
        Formula::Is(var, Test::OneOf(vec![Value::Bool(true)]))
    }

    fn yes_no(&mut self, expr: &Expr) -> Var {
        let absence = self.scope.absence(expr, self.element.as_ref());
        self.add(expr, Domain::Bool, absence)
    }

    fn value(&mut self, expr: &Expr, domain: Option<Domain>) -> Var {
        let known = self.scope.type_of(expr, self.element.as_ref()).and_then(|ty| self.scope.domain(&ty));
        let domain = if is_count(expr, &self.scope) {
            Domain::Line { scale: crate::logic::Scale::Whole, least: Some(0) }
        } else {
            known.or(domain).unwrap_or(Domain::Open)
        };
        let absence = self.scope.absence(expr, self.element.as_ref());
        self.add(expr, domain, absence)
    }

    fn add(&mut self, expr: &Expr, domain: Domain, absence: Absence) -> Var {
        let known = |term: &Term| matches!(term, Term::Value(known) if known == expr);
        let found = self.space.vars().zip(&self.terms).find(|(_, term)| known(term));
        if let Some((var, _)) = found {
            return var;
        }
        self.terms.push(Term::Value(expr.clone()));
        self.space.add(domain, absence)
    }

    fn find(&self, term: &Term) -> Option<Var> {
        self.space.vars().zip(&self.terms).find(|(_, known)| *known == term).map(|(var, _)| var)
    }
}

fn is_count(expr: &Expr, scope: &Scope) -> bool {
    let function = match expr {
        Expr::History(index) => scope.features.get(usize::from(*index)).map(|aggregate| aggregate.function),
        Expr::Aggregate(aggregate) => Some(aggregate.function),
        _ => None,
    };
    function == Some(AggregateFn::Count)
}

fn is_arithmetic(op: BinaryOp) -> bool {
    matches!(op, BinaryOp::Add | BinaryOp::Sub | BinaryOp::Mul | BinaryOp::Div)
}

/// Types of which any two values compare.
fn is_plain(ty: &Type) -> bool {
    matches!(
        ty,
        Type::Bool
            | Type::Int
            | Type::Decimal
            | Type::Percent
            | Type::Money(_)
            | Type::Text
            | Type::ShortText(_)
            | Type::Id
            | Type::Date
            | Type::Time
            | Type::Moment
            | Type::Choice(_)
            | Type::Entity(_)
    )
}

fn binary(op: BinaryOp, left: &Expr, right: &Expr) -> Expr {
    Expr::Binary(op, Box::new(left.clone()), Box::new(right.clone()))
}

/// Lists, ranges and signs of constants are constants.
fn folded(expr: &Expr) -> Cow<'_, Expr> {
    let constant = |expr: &Expr| match &*folded(expr) {
        Expr::Const(value) => Some(value.clone()),
        _ => None,
    };
    let value = match expr {
        Expr::List(items) => items.iter().map(constant).collect::<Option<Vec<_>>>().map(Value::List),
        Expr::Range(from, to) => constant(from).zip(constant(to)).map(|ends| Value::Range(Box::new(ends))),
        Expr::Neg(inner) => match constant(inner) {
            Some(Value::Int(value)) => value.checked_neg().map(Value::Int),
            Some(Value::Decimal(value)) => Some(Value::Decimal(-value)),
            Some(Value::Percent(value)) => Some(Value::Percent(-value)),
            Some(Value::Money(money)) => {
                money.minor.checked_neg().map(|minor| Value::Money(crate::value::Money { minor, ..money }))
            }
            _ => None,
        },
        _ => None,
    };
    value.map_or(Cow::Borrowed(expr), |value| Cow::Owned(Expr::Const(value)))
}

fn constants(op: BinaryOp, left: &Value, right: &Value) -> Option<bool> {
    if left.is_missing() || right.is_missing() {
        return Some(false);
    }
    match op {
        BinaryOp::Is | BinaryOp::IsNot => Some(crate::expr::eval::same(left, right) == (op == BinaryOp::Is)),
        _ => {
            let scale = crate::logic::Scale::of(left)?;
            let order = scale.place(left)?.cmp(&scale.place(right)?);
            match op {
                BinaryOp::Less => Some(order.is_lt()),
                BinaryOp::LessEq => Some(order.is_le()),
                BinaryOp::Greater => Some(order.is_gt()),
                BinaryOp::GreaterEq => Some(order.is_ge()),
                _ => None,
            }
        }
    }
}

/// The operator with its sides exchanged.
fn flipped(op: BinaryOp) -> Option<BinaryOp> {
    Some(match op {
        BinaryOp::Is | BinaryOp::IsNot => op,
        BinaryOp::Less => BinaryOp::Greater,
        BinaryOp::LessEq => BinaryOp::GreaterEq,
        BinaryOp::Greater => BinaryOp::Less,
        BinaryOp::GreaterEq => BinaryOp::LessEq,
        _ => return None,
    })
}
