//! The names behind the numbers in a journey's expressions.

use crate::expr::Aggregate;
use crate::expr::show::Names;
use crate::model::Journey;
use crate::name::Name;

impl Names for Journey {
    fn local(&self, slot: u16) -> Option<Name> {
        self.locals.get(usize::from(slot)).map(|(name, _)| *name)
    }

    fn def(&self, index: u16) -> Option<Name> {
        self.uses.defs.get(usize::from(index)).copied()
    }

    fn feature(&self, index: u16) -> Option<&Aggregate> {
        self.uses.features.get(usize::from(index))
    }

    fn parent(&self) -> Option<Name> {
        (self.root != self.subject).then_some(self.root)
    }
}
