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
