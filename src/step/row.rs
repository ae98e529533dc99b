//! Reading and writing the sorted vectors of a state.

use std::sync::Arc;

use jiff::Timestamp;

use super::input::RootKey;
use super::scene::ROOT;
use super::state::{Child, State, SubjectRef};
use super::symbols::Sym;
use super::world::World;
use crate::name::Name;
use crate::value::Value;

type Tags = Vec<(Sym, Option<Timestamp>)>;

impl State {
    pub(super) fn attribute(&self, subject: &SubjectRef, name: Sym) -> Option<&Value> {
        let attributes = match &subject.0 {
            None => &self.attributes,
            Some((entity, id)) => &self.child(*entity, id)?.attributes,
        };
        let at = attributes.binary_search_by_key(&name, |(known, _)| *known).ok()?;
        attributes.get(at).map(|(_, value)| value)
    }

    /// Sets, or with `Missing` removes, an attribute, and returns what it was.
    pub(super) fn set_attribute(&mut self, subject: &SubjectRef, name: Sym, value: Value) -> Value {
        let attributes = match &subject.0 {
            None => &mut self.attributes,
            Some((entity, id)) => &mut self.child_mut(*entity, id).attributes,
        };
        match (attributes.binary_search_by_key(&name, |(known, _)| *known), value) {
            (Ok(at), Value::Missing) => attributes.remove(at).1,
            (Ok(at), value) => {
                attributes.get_mut(at).map_or(Value::Missing, |slot| std::mem::replace(&mut slot.1, value))
            }
            (Err(_), Value::Missing) => Value::Missing,
            (Err(at), value) => {
                attributes.insert(at, (name, value));
                Value::Missing
            }
        }
    }

    /// Whether the tag was given, and until when.
    #[allow(clippy::option_option)]
    pub(super) fn tag(&self, subject: &SubjectRef, name: Sym) -> Option<Option<Timestamp>> {
        let tags = match &subject.0 {
            None => &self.tags,
            Some((entity, id)) => &self.child(*entity, id)?.tags,
        };
        let at = tags.binary_search_by_key(&name, |(known, _)| *known).ok()?;
        tags.get(at).map(|(_, until)| *until)
    }

    pub(super) fn set_tag(
        &mut self,
        subject: &SubjectRef,
        name: Sym,
        until: Option<Timestamp>,
        now: Timestamp,
    ) {
        let tags = self.tags_mut(subject);
        tags.retain(|(known, until)| *known != name && until.is_none_or(|until| until > now));
        let at = tags.partition_point(|(known, _)| *known < name);
        tags.insert(at, (name, until));
    }

    pub(super) fn remove_tag(&mut self, subject: &SubjectRef, name: Sym) {
        self.tags_mut(subject).retain(|(known, _)| *known != name);
    }

    pub(super) fn child(&self, entity: Sym, id: &str) -> Option<&Child> {
        let at = self.child_at(entity, id).ok()?;
        self.children.get(at)
    }

    fn tags_mut(&mut self, subject: &SubjectRef) -> &mut Tags {
        match &subject.0 {
            None => &mut self.tags,
            Some((entity, id)) => &mut self.child_mut(*entity, id).tags,
        }
    }

    /// The child, made if it is not known yet.
    #[allow(clippy::indexing_slicing)] // The index was found, or inserted, one line above.
    fn child_mut(&mut self, entity: Sym, id: &Arc<str>) -> &mut Child {
        let at = self.child_at(entity, id).unwrap_or_else(|at| {
            let child = Child { entity, id: id.clone(), attributes: Vec::new(), tags: Vec::new() };
            self.children.insert(at, child);
            at
        });
        &mut self.children[at]
    }

    fn child_at(&self, entity: Sym, id: &str) -> Result<usize, usize> {
        self.children.binary_search_by(|child| (child.entity, &*child.id).cmp(&(entity, id)))
    }
}

impl World {
    /// Whose tag this is: the subject's own, or its parent's.
    pub(super) fn tag_home<'s>(&self, tag: Name, subject: &'s SubjectRef, root: &RootKey) -> &'s SubjectRef {
        let of_root = self.index().tags.get(&tag).is_none_or(|tag| tag.subject == root.entity);
        if of_root { &ROOT } else { subject }
    }
}
