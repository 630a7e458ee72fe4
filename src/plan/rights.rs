//! The rights that PostgreSQL gives by itself to what a plan creates, by default privileges, and that are not desired.

use super::{
    draft::{Draft, draft},
    file::Scope,
    fold::Cycle,
};
use crate::catalog::{Catalog, Concern, ObjectId};

/// What is left to do about rights after a plan whose outcome is `after`.
///
/// No catalog tells it beforehand: default privileges work on what is created, and the plan may change them on its way.
pub(super) fn rights(scope: &Scope, current: &Catalog, desired: &Catalog, after: &Catalog) -> Result<Draft, Cycle> {
    let right = |id: &ObjectId| id.kind.concern() == Concern::Privilege;
    // A member of an extension is in no catalog.
    let wanted = |id: &ObjectId| right(id) && (after.contains(id.root()) || id.kind.of_members());
    // On a new object, the rights that are not managed are as they come; on one that stepped aside they stay as they were.
    let stays = |id: &ObjectId| {
        let managed = after.get(id).is_some_and(|object| scope.manages(id, object));
        !right(id) || !managed && !current.contains(id.root())
    };
    draft(after, &desired.merged(wanted, after, stays), |_, _, _| false)
}
