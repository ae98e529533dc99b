//! One numbering for the expressions of several owners, with what is derived written out in full.

use crate::expr::show::Names;
use crate::expr::{Aggregate, Expr, Owner, Pattern, Source, Window};
use crate::model::{Derived, Journey, Model, Uses};
use crate::name::Name;
use crate::value::Type;

/// Parts that an expression may grow to; what would make it larger stays a name.
const MOST_PARTS: usize = 1_000;

/// Where expressions are read: whose attributes they see, and what their numbers mean.
#[derive(Clone, Debug)]
pub(super) struct Scope<'m> {
    pub(super) model: &'m Model,
    pub(super) subject: Name,
    pub(super) parent: Option<Name>,
    pub(super) locals: &'m [(Name, Type)],
    /// What entered the instance, if it is one kind of thing.
    pub(super) entry: Option<&'m Source>,
    pub(super) features: Vec<Aggregate>,
    defs: Vec<Name>,
}

impl Names for Scope<'_> {
    fn local(&self, slot: u16) -> Option<Name> {
        self.locals.get(usize::from(slot)).map(|(name, _)| *name)
    }

    fn def(&self, index: u16) -> Option<Name> {
        self.defs.get(usize::from(index)).copied()
    }

    fn feature(&self, index: u16) -> Option<&Aggregate> {
        self.features.get(usize::from(index))
    }

    fn parent(&self) -> Option<Name> {
        self.parent
    }
}

impl<'m> Scope<'m> {
    /// Of audiences and metrics of `subject`.
    pub(super) fn of(model: &'m Model, subject: Name) -> Self {
        let parent = model.entities.get(&subject).and_then(|entity| entity.parent);
        Self { model, subject, parent, locals: &[], entry: None, features: Vec::new(), defs: Vec::new() }
    }

    pub(super) fn of_journey(model: &'m Model, journey: &'m Journey, entry: Option<&'m Source>) -> Self {
        Self { locals: &journey.locals, entry, ..Self::of(model, journey.subject) }
    }

    /// Whether the name is an audience: findings about those are told where they are defined.
    pub(super) fn is_audience(&self, name: Name) -> bool {
        self.model.derived.get(&name).is_some_and(|derived| derived.audience)
    }

    /// `expr` of the owner of `uses`, renumbered and written out.
    pub(super) fn expand(&mut self, expr: &Expr, uses: &Uses) -> Expr {
        let mut room = MOST_PARTS;
        self.write_out(expr, uses, &mut room)
    }

    /// The filter of a pattern, over the element under test.
    pub(super) fn filter(&mut self, pattern: &Pattern, uses: &Uses) -> Option<Expr> {
        pattern.filter.as_ref().map(|filter| self.expand(filter, uses))
    }

    fn write_out(&mut self, expr: &Expr, uses: &Uses, room: &mut usize) -> Expr {
        let mut written = expr.clone();
        self.rewrite(&mut written, uses, room);
        written
    }

    fn rewrite(&mut self, expr: &mut Expr, uses: &Uses, room: &mut usize) {
        *room = room.saturating_sub(1);
        let written = match expr {
            Expr::Def(owner, index) => {
                let name = uses.defs.get(usize::from(*index)).copied();
                name.map(|name| self.definition(*owner, name, room))
            }
            Expr::Attr(owner, name) => self.derived_field(*owner, *name, uses, room),
            Expr::History(index) => {
                uses.features.get(usize::from(*index)).map(|aggregate| self.history(aggregate))
            }
            Expr::Aggregate(aggregate) => {
                for inner in aggregate.filter.iter_mut().chain(&mut aggregate.value) {
                    self.rewrite(inner, uses, room);
                }
                None
            }
            _ => {
                for part in expr.parts_mut() {
                    self.rewrite(part, uses, room);
                }
                None
            }
        };
        if let Some(written) = written {
            *expr = written;
        }
    }

    fn definition(&mut self, owner: Owner, name: Name, room: &mut usize) -> Expr {
        let model = self.model;
        let Some(derived) = model.derived.get(&name).filter(|derived| is_right(derived)) else {
            return self.named(owner, name);
        };
        let size = size(&derived.value);
        if size > *room || (owner == Owner::Parent && !reads_attributes_only(&derived.value)) {
            return self.named(owner, name);
        }
        let written = self.write_out(&derived.value, &derived.uses, room);
        if owner == Owner::Parent { of_parent(written) } else { written }
    }

    fn named(&mut self, owner: Owner, name: Name) -> Expr {
        let at = self.defs.iter().position(|known| *known == name).unwrap_or_else(|| {
            self.defs.push(name);
            self.defs.len() - 1
        });
        Expr::Def(owner, u16::try_from(at).unwrap_or(u16::MAX))
    }

    fn history(&mut self, aggregate: &Aggregate) -> Expr {
        let at = self.features.iter().position(|known| known == aggregate).unwrap_or_else(|| {
            self.features.push(aggregate.clone());
            self.features.len() - 1
        });
        Expr::History(u16::try_from(at).unwrap_or(u16::MAX))
    }

    fn derived_field(&mut self, owner: Owner, name: Name, uses: &Uses, room: &mut usize) -> Option<Expr> {
        let model = self.model;
        let entity = match owner {
            Owner::Subject => self.subject,
            Owner::Parent => self.parent?,
        };
        let value = model.entities.get(&entity)?.field(name)?.value.as_ref()?;
        // A ring of fields is reported; here it must only end.
        *room = room.checked_sub(size(value) + 1)?;
        if owner == Owner::Parent {
            return reads_attributes_only(value).then(|| of_parent(value.clone()));
        }
        Some(self.write_out(value, uses, room))
    }
}

/// Whether there is a value to look into: a definition with a mistake has none.
pub(super) fn is_right(derived: &Derived) -> bool {
    derived.sound && derived.ty != Type::Error
}

fn size(expr: &Expr) -> usize {
    1 + expr.parts().into_iter().map(size).sum::<usize>()
}

/// Whether the expression means the same when it is asked of a child about its parent.
fn reads_attributes_only(expr: &Expr) -> bool {
    let itself = match expr {
        Expr::Attr(owner, _) | Expr::Tag(owner, _) => *owner == Owner::Subject,
        Expr::Const(_)
        | Expr::Not(_)
        | Expr::Neg(_)
        | Expr::Binary(..)
        | Expr::Known(..)
        | Expr::Otherwise(..)
        | Expr::List(_)
        | Expr::Range(..)
        | Expr::Today
        | Expr::Now => true,
        _ => false,
    };
    itself && expr.parts().into_iter().all(reads_attributes_only)
}

fn of_parent(mut expr: Expr) -> Expr {
    if let Expr::Attr(owner, _) | Expr::Tag(owner, _) = &mut expr {
        *owner = Owner::Parent;
    }
    for part in expr.parts_mut() {
        let inner = std::mem::replace(part, Expr::Now);
        *part = of_parent(inner);
    }
    expr
}

/// Whether the expression keeps its value while an instance waits.
pub(super) fn is_frozen(expr: &Expr) -> bool {
    let changes = matches!(
        expr,
        Expr::Attr(..)
            | Expr::Def(..)
            | Expr::Tag(..)
            | Expr::Element
            | Expr::Now
            | Expr::Today
            | Expr::Span { .. }
            | Expr::Aggregate(_)
            | Expr::History(_)
            | Expr::Call(..)
            | Expr::Shift { .. }
            | Expr::At(..)
            | Expr::SpanOf { .. }
    );
    !changes && expr.parts().into_iter().all(is_frozen)
}

/// Whether the expression, or anything in it, satisfies `test`.
pub(super) fn any(expr: &Expr, test: &dyn Fn(&Expr) -> bool) -> bool {
    test(expr) || expr.parts().into_iter().any(|part| any(part, test))
}

/// The filter of an entry pattern, said of the event that entered.
pub(super) fn of_entry(mut expr: Expr) -> Expr {
    if expr == Expr::Element {
        return Expr::Entry;
    }
    for part in expr.parts_mut() {
        let inner = std::mem::replace(part, Expr::Now);
        *part = of_entry(inner);
    }
    expr
}

/// Whether `inside` never reaches further back than `outside`.
pub(super) fn reaches(inside: Option<&Window>, outside: Option<&Window>) -> bool {
    use crate::value::{CivilUnit, Length};
    match (inside, outside) {
        (inside, outside) if inside == outside => true,
        (Some(_), Some(Window::Ever)) => true,
        (Some(Window::Last(Length::Elapsed(short))), Some(Window::Last(Length::Elapsed(long)))) => {
            short <= long
        }
        (
            Some(Window::Last(Length::Civil { count, unit })),
            Some(Window::Last(Length::Civil { count: most, unit: other })),
        ) => {
            // In days, at most and at least. A last month is never longer than 31 days nor shorter than 28.
            let days = |count: i32, unit: CivilUnit| {
                let count = i64::from(count);
                match unit {
                    CivilUnit::Day => Some((count, count)),
                    CivilUnit::Week => Some((count * 7, count * 7)),
                    CivilUnit::Month => Some((count * 31, count * 28)),
                    CivilUnit::Year => Some((count * 366, count * 365)),
                    CivilUnit::Workday => None,
                }
            };
            let months = |count: i32, unit: CivilUnit| match unit {
                CivilUnit::Month => Some(count),
                CivilUnit::Year => count.checked_mul(12),
                _ => None,
            };
            if unit == other {
                return count <= most;
            }
            if let (Some(short), Some(long)) = (months(*count, *unit), months(*most, *other)) {
                return short <= long;
            }
            match (days(*count, *unit), days(*most, *other)) {
                (Some((most_days, _)), Some((_, least_days))) => most_days <= least_days,
                _ => false,
            }
        }
        // What since the entry event or this step means changes with the step.
        _ => false,
    }
}
