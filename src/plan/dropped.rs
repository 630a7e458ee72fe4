//! Roles that are dropped: nothing that stays may need one.

use std::collections::{BTreeMap, BTreeSet};

use super::make::PlanError;
use crate::catalog::{self, Catalog, ObjectId};

/// The desired state without the memberships of roles that it is without; an error where something else needs one of them.
pub(super) fn released(current: &Catalog, desired: Catalog) -> Result<Catalog, PlanError> {
    let dropped: BTreeSet<&str> = current
        .iter()
        .map(|(id, _)| id)
        .filter(|id| **id == catalog::role(id.name()) && !desired.contains(id))
        .map(ObjectId::name)
        .collect();
    if dropped.is_empty() {
        return Ok(desired);
    }
    let (mut needed, mut gone) = (BTreeMap::<&str, Vec<String>>::new(), BTreeSet::new());
    for (id, object) in desired.iter() {
        for (role, _) in object.roles(id) {
            if let Some(role) = dropped.get(role) {
                if catalog::member(id).is_some() {
                    gone.insert(id.clone());
                } else {
                    needed.entry(role).or_default().push(id.to_string());
                }
            }
        }
    }
    match needed.into_iter().next() {
        Some((role, objects)) => Err(PlanError::RoleNeeded { role: crate::sql::ident(role), objects }),
        None => Ok(desired.filtered(|id| !gone.contains(id))),
    }
}
