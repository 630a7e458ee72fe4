//! How many locks a transaction holds in the end, so that it never runs out of the server's lock table half-way.

use std::collections::BTreeSet;

use super::file::Step;
use crate::catalog::{Catalog, Kind, Shape};

/// The catalogs that reading takes locks on, the ledger with its indexes, and the transaction itself.
const ALWAYS: u64 = 100;
/// A relation with rows: itself, its TOAST table with its index, and the types that are made and dropped with it.
const WITH_ROWS: u64 = 6;
/// A relation that is written anew: the new files with their TOAST table and indexes.
const REWRITE: u64 = 8;
/// Anything else: itself, and a relation or two to which it is tied.
const OTHER: u64 = 3;

/// An upper bound, within reason, for the locks that one transaction with these steps needs.
///
/// A lock stays until the transaction ends, and one object counts once for each kind of thing that is done to it.
pub fn needed(steps: &[Step]) -> u64 {
    let (mut created, mut changed, mut destroyed) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    let (mut locked, mut rewritten) = (BTreeSet::new(), BTreeSet::new());
    for step in steps {
        created.extend(&step.creates);
        changed.extend(&step.changes);
        destroyed.extend(&step.destroys);
        locked.extend(step.observed.locks.keys());
        rewritten.extend(&step.observed.rewrites);
    }
    let objects = created.into_iter().chain(changed).chain(destroyed).map(|object| weight(object)).sum::<u64>();
    let relations = locked.len() + rewritten.len() * usize::try_from(REWRITE).unwrap_or_default();
    ALWAYS + objects + u64::try_from(relations).unwrap_or(u64::MAX)
}

/// The locks that reading a catalog inside a transaction leaves behind: on every relation that a view may refer to.
pub fn of_reading(catalog: &Catalog) -> u64 {
    let relations = catalog.iter().filter(|(id, _)| id.kind.holds_data() && id.kind.shape() == Shape::Plain).count();
    u64::try_from(relations).unwrap_or(u64::MAX)
}

fn weight(address: &str) -> u64 {
    let Some(kind) = Kind::of_address(address) else { return OTHER };
    match kind.shape() {
        // A column is locked as its table; what is said about an object, as that object.
        Shape::Column | Shape::About | Shape::Granted => 1,
        Shape::Plain if kind.holds_data() => WITH_ROWS,
        Shape::Plain | Shape::OnRelation | Shape::OnDomain | Shape::Routine => OTHER,
    }
}
