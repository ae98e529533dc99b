//! The trees of all files, in the order of their numbers: one list that everybody looks at, made once.

use crate::syntax::ast;
use crate::text::FileId;

#[derive(Clone, Copy)]
pub struct Trees<'t, 'a>(&'t [(FileId, &'a ast::File)]);

impl<'t, 'a> Trees<'t, 'a> {
    /// Of files that stand in the order of their numbers.
    #[must_use]
    pub fn new(sorted: &'t [(FileId, &'a ast::File)]) -> Self {
        Self(sorted)
    }

    #[must_use]
    pub fn get(self, file: FileId) -> Option<&'a ast::File> {
        let at = self.0.binary_search_by_key(&file, |(file, _)| *file).ok()?;
        self.0.get(at).map(|(_, tree)| *tree)
    }

    pub fn iter(self) -> impl Iterator<Item = &'a ast::File> + use<'t, 'a> {
        self.0.iter().map(|(_, tree)| *tree)
    }
}
