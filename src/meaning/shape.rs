//! The types of what conditions look at, as far as the model says.

use super::scope::Scope;
use crate::expr::{AggregateFn, BinaryOp, ChangeVerb, Expr, Function, Owner, Source};
use crate::logic::{Absence, Domain, Scale};
use crate::name::Name;
use crate::value::{CivilUnit, Type, Value};

impl Scope<'_> {
    /// The type of `expr`; `None` where nothing but its parts is known. `element` is what a `where` looks at.
    pub(super) fn type_of(&self, expr: &Expr, element: Option<&Source>) -> Option<Type> {
        match expr {
            Expr::Attr(owner, name) => {
                let entity = match owner {
                    Owner::Subject => self.subject,
                    Owner::Parent => self.parent?,
                };
                Some(self.model.entities.get(&entity)?.field(*name)?.ty.clone())
            }
            Expr::Tag(..) | Expr::Known(..) | Expr::Not(_) => Some(Type::Bool),
            Expr::Def(_, index) => {
                use crate::expr::show::Names;
                Some(self.model.derived.get(&self.def(*index)?)?.ty.clone())
            }
            Expr::Table(call) => Some(self.model.tables.get(&call.table)?.returns.clone()),
            Expr::Local(slot) => self.locals.get(usize::from(*slot)).map(|(_, ty)| ty.clone()),
            Expr::Field(of, name) => match &**of {
                Expr::Element => self.field_of(element?, *name),
                Expr::Entry => self.field_of(self.entry?, *name),
                other => match self.type_of(other, element)? {
                    Type::Event(event) => self.field_of(&Source::Event(event), *name),
                    _ => None,
                },
            },
            Expr::Entered | Expr::Now => Some(Type::Moment),
            Expr::Today => Some(Type::Date),
            Expr::History(index) => {
                let aggregate = self.features.get(usize::from(*index))?;
                self.folded(aggregate.function, aggregate.value.as_ref(), &aggregate.source)
            }
            Expr::Aggregate(aggregate) => {
                self.folded(aggregate.function, aggregate.value.as_ref(), &aggregate.source)
            }
            Expr::Call(Function::DateOf, _) => Some(Type::Date.optional()),
            Expr::Neg(inner) => self.type_of(inner, element),
            Expr::Binary(BinaryOp::Add | BinaryOp::Sub, left, right) => {
                let (left, right) = (self.type_of(left, element)?, self.type_of(right, element)?);
                let measured =
                    matches!(left.known(), Type::Int | Type::Money(_) | Type::Percent | Type::Decimal);
                let same = left.known() == right.known();
                let optional = left.is_optional() || right.is_optional();
                (measured && same).then(|| if optional { left.optional() } else { left })
            }
            _ => None,
        }
    }

    fn folded(&self, function: AggregateFn, value: Option<&Expr>, source: &Source) -> Option<Type> {
        let of = || match source {
            Source::Daily { owner, attribute } => self.type_of(&Expr::Attr(*owner, *attribute), None),
            _ => self.type_of(value?, Some(source)),
        };
        Some(match function {
            AggregateFn::Any | AggregateFn::Once => Type::Bool,
            AggregateFn::Count => Type::Int,
            AggregateFn::Spread | AggregateFn::Trend => Type::Percent.optional(),
            AggregateFn::Avg => match of()?.known() {
                Type::Int => Type::Decimal.optional(),
                other => other.clone().optional(),
            },
            AggregateFn::Sum
            | AggregateFn::Min
            | AggregateFn::Max
            | AggregateFn::First
            | AggregateFn::Last
            | AggregateFn::Most => of()?.optional(),
        })
    }

    fn field_of(&self, source: &Source, name: Name) -> Option<Type> {
        match source {
            Source::Event(event) => {
                let event = self.model.events.get(event)?;
                match event.field(name) {
                    Some(field) => Some(field.ty.clone()),
                    None if name.as_str() == "time" => Some(Type::Moment),
                    None => None,
                }
            }
            Source::Children(entity) => Some(self.model.entities.get(entity)?.field(name)?.ty.clone()),
            Source::Change { verb: ChangeVerb::Change | ChangeVerb::Rise | ChangeVerb::Drop, attribute } => {
                let entity = self.model.entities.get(&self.subject)?;
                // Old and new may be missing, whatever the attribute's type.
                Some(entity.field(*attribute)?.ty.clone().optional())
            }
            Source::Message { .. } | Source::Daily { .. } | Source::Close(_) => None,
        }
    }

    pub(super) fn domain(&self, ty: &Type) -> Option<Domain> {
        Domain::of(ty, || match ty.known() {
            Type::Choice(name) => {
                let choice = self.model.choices.get(name)?;
                Some(choice.cases.iter().map(|(case, _)| *case).collect())
            }
            Type::OneOf(cases) => Some(cases.clone()),
            _ => None,
        })
    }

    /// Whether `expr` can have no value.
    pub(super) fn absence(&self, expr: &Expr, element: Option<&Source>) -> Absence {
        match expr {
            Expr::Const(value) => {
                if value.is_missing() {
                    Absence::Possible
                } else {
                    Absence::Never
                }
            }
            Expr::Tag(..) | Expr::Now | Expr::Today | Expr::Known(..) => Absence::Never,
            Expr::History(_) | Expr::Aggregate(_) => match self.type_of(expr, element) {
                Some(Type::Bool | Type::Int) => Absence::Never,
                _ => Absence::Possible,
            },
            Expr::Binary(BinaryOp::Div, ..) => Absence::Possible,
            _ => match self.type_of(expr, element) {
                Some(Type::Optional(_) | Type::Error) => Absence::Possible,
                Some(_) => Absence::Unheard,
                None if expr.parts().is_empty() => Absence::Possible,
                None => {
                    let parts = expr.parts().into_iter().map(|part| self.absence(part, element));
                    let possible = parts.into_iter().any(|part| part == Absence::Possible);
                    if possible { Absence::Possible } else { Absence::Unheard }
                }
            },
        }
    }
}

/// The domain of something whose type is not known, from a value it is compared with.
pub(super) fn guessed(value: &Value) -> Option<Domain> {
    Some(match value {
        Value::Bool(_) => Domain::Bool,
        Value::Text(_) | Value::Choice(_) => Domain::Open,
        other => Domain::Line { scale: Scale::of(other)?, least: None },
    })
}

/// Whether a value can be compared with others on this domain as the evaluator does.
pub(super) fn fits(domain: &Domain, value: &Value) -> bool {
    match domain {
        Domain::Bool => matches!(value, Value::Bool(_)),
        Domain::Cases(cases) => matches!(value, Value::Choice(case) if cases.contains(case)),
        Domain::Open => matches!(value, Value::Text(_) | Value::Choice(_)),
        // Months and days have no common order, so what is not compared in one unit is not understood.
        Domain::Line { scale: Scale::Civil(CivilUnit::Workday), .. } | Domain::Order => false,
        Domain::Line { scale, .. } => scale.place(value).is_some(),
    }
}
