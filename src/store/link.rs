//! Short names of links, and whom a commit forgets.
//!
//! What a name stands for is sealed by whoever writes it: the store only keeps it under its name.

use super::Stored;

/// A short name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LinkRow {
    pub group: u16,
    pub name: String,
    /// A hash of whose it is: by this it is forgotten.
    pub whom: i64,
    pub body: Vec<u8>,
}

/// Reading short names, of all groups.
pub trait Links: Send + Sync {
    /// Those of `names`, each in its group, that there are; in any order.
    fn links<'a>(&'a self, names: &'a [(u16, String)]) -> Stored<'a, Vec<LinkRow>>;
}

/// A root that is forgotten: its short names go, and its rows in the directory of work no longer say whom they are about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Erased {
    pub group: u16,
    /// [`LinkRow::whom`].
    pub whom: i64,
    /// Its names lie between these, the second excluded.
    pub names: (String, String),
    /// The ids of its tasks as well.
    pub tasks: (String, String),
    pub entity: String,
    /// As the second part of a task's key has it.
    pub root: String,
    /// As it is.
    pub id: String,
}
