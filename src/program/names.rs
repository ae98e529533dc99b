//! The names behind the numbers in a program's expressions, for traces and `why`.

use super::Program;
use crate::expr::Aggregate;
use crate::expr::show::Names;
use crate::name::Name;

impl Names for Program {
    fn local(&self, slot: u16) -> Option<Name> {
        self.locals.get(usize::from(slot)).copied()
    }

    fn def(&self, index: u16) -> Option<Name> {
        self.defs.get(usize::from(index)).map(|def| def.name)
    }

    fn feature(&self, index: u16) -> Option<&Aggregate> {
        self.features.get(usize::from(index)).map(|feature| &feature.aggregate)
    }

    fn parent(&self) -> Option<Name> {
        (self.root != self.subject).then_some(self.root)
    }
}

/// The attribute in which a subject's arm of an experiment is kept.
#[must_use]
pub fn arm_of(experiment: Name) -> Name {
    Name::new(&format!("wayfare.arm.{experiment}"))
}

/// The identity of a step's message in the rounds with these numbers: `lesson#3`, `offer.push#2.1`.
#[must_use]
pub fn in_rounds(step: Name, numbers: &[i64]) -> Name {
    if numbers.is_empty() {
        return step;
    }
    let numbers: Vec<String> = numbers.iter().map(ToString::to_string).collect();
    Name::new(&format!("{step}#{}", numbers.join(".")))
}
