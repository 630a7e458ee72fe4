//! Equality of definitions up to another round trip through PostgreSQL, whose deparsed text is not a fixed point.

use crate::catalog::{Catalog, Object, ObjectId};

/// Both sides of a plan, each also as it reads after having been loaded once more.
#[derive(Clone, Copy)]
pub(super) struct Equivalence<'a> {
    /// The current state, loaded from its own definitions and read back.
    pub current: Option<&'a Catalog>,
    /// The desired state, loaded from its own definitions and read back.
    pub desired: Option<&'a Catalog>,
}

impl Equivalence<'_> {
    /// Whether a current and a desired definition are the same, directly or after a round trip of either.
    pub fn same(&self, id: &ObjectId, current: &Object, desired: &Object) -> bool {
        let befores = [Some(current), self.current.filter(|_| current.is_sound()).and_then(|it| it.get(id))];
        let afters = [Some(desired), self.desired.and_then(|it| it.get(id))];
        befores.iter().flatten().any(|before| afters.iter().flatten().any(|after| before == after))
    }
}
