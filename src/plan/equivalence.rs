//! Equality of definitions up to another round trip through PostgreSQL, whose deparsed text is not a fixed point.

use std::collections::BTreeMap;

use crate::catalog::{Catalog, Object, ObjectId};

/// How a catalog reads after having been loaded from its own definitions: what reads differently, of a large database a
/// few objects.
#[derive(Debug)]
pub(super) struct Reread(BTreeMap<ObjectId, Object>);

impl Reread {
    /// What of `copy` reads differently from the `original` from which it was made.
    pub fn new(original: &Catalog, copy: &Catalog) -> Self {
        let differs = |(id, object): &(&ObjectId, &Object)| original.get(id) != Some(*object);
        Self(copy.iter().filter(differs).map(|(id, object)| (id.clone(), object.clone())).collect())
    }

    /// How an object reads, given how it did in the original.
    pub fn get<'a>(&'a self, id: &ObjectId, original: &'a Object) -> &'a Object {
        self.0.get(id).unwrap_or(original)
    }
}

/// How both sides of a plan read after having been loaded once more.
#[derive(Clone, Copy)]
pub(super) struct Equivalence<'a> {
    /// The current state.
    pub current: Option<&'a Reread>,
    /// The desired state.
    pub desired: Option<&'a Reread>,
}

impl Equivalence<'_> {
    /// Whether a current and a desired definition are the same, directly or after a round trip of either.
    pub fn same(&self, id: &ObjectId, current: &Object, desired: &Object) -> bool {
        let befores = [Some(current), self.current.filter(|_| current.is_sound()).map(|it| it.get(id, current))];
        let afters = [Some(desired), self.desired.map(|it| it.get(id, desired))];
        befores.iter().flatten().any(|before| afters.iter().flatten().any(|after| before == after))
    }
}
