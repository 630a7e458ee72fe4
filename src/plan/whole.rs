//! What objects are made of, and what they are a part of.

use std::collections::BTreeSet;

use crate::catalog::{Catalog, ObjectId, Shape, Tie};

/// The types of which an object is made, and those of which these are made.
pub(super) fn types<'a>(catalog: &'a Catalog, id: &'a ObjectId) -> BTreeSet<&'a ObjectId> {
    let (mut found, mut left) = (BTreeSet::new(), vec![id]);
    while let Some(next) = left.pop() {
        for (needed, _) in catalog.referenced(next).filter(|(id, tie)| *tie == Tie::Needs && id.kind.swaps()) {
            if found.insert(needed) {
                let parts = catalog.dependents(needed).filter(|(id, _)| id.kind.shape() == Shape::Column);
                left.push(needed);
                left.extend(parts.filter(|(_, tie)| *tie == Tie::Belongs).map(|(part, _)| part));
            }
        }
    }
    found
}

/// An object, and everything that it is a part of.
pub(super) fn wholes<'a>(catalog: &'a Catalog, id: &'a ObjectId) -> Vec<&'a ObjectId> {
    let mut found = vec![id];
    let mut next = 0;
    while let Some(part) = found.get(next).copied() {
        let owners = catalog.referenced(part).filter(|(_, tie)| *tie != Tie::Needs).map(|(owner, _)| owner);
        let new: Vec<&ObjectId> = owners.filter(|owner| !found.contains(owner)).collect();
        found.extend(new);
        next += 1;
    }
    found
}
