//! The difference of two catalogs: one merge of two sorted maps, which names no kind.

use std::cmp::Ordering;

use crate::catalog::{Catalog, Object, ObjectId};

/// One object that differs: absent before (created), absent after (dropped), or different.
#[derive(Clone, Copy, Debug)]
pub struct Change<'a> {
    /// The object's address.
    pub id: &'a ObjectId,
    /// Its definition in the current state.
    pub before: Option<&'a Object>,
    /// Its definition in the desired state.
    pub after: Option<&'a Object>,
}

/// The objects that differ, sorted by address; `same` may hold two definitions that are not equal for the same.
pub fn diff<'a>(
    current: &'a Catalog,
    desired: &'a Catalog,
    same: impl Fn(&ObjectId, &Object, &Object) -> bool,
) -> Vec<Change<'a>> {
    let mut changes = Vec::new();
    let (mut before, mut after) = (current.iter().peekable(), desired.iter().peekable());
    loop {
        let order = match (before.peek(), after.peek()) {
            (None, None) => return changes,
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (Some((left, _)), Some((right, _))) => left.cmp(right),
        };
        let left = if order.is_le() { before.next() } else { None };
        let right = if order.is_ge() { after.next() } else { None };
        match (left, right) {
            (Some((_, left)), Some((id, right))) if left == right || same(id, left, right) => {}
            (Some((id, _)), _) | (None, Some((id, _))) => {
                changes.push(Change { id, before: left.map(|(_, it)| it), after: right.map(|(_, it)| it) });
            }
            (None, None) => {}
        }
    }
}
