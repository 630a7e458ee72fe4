//! How many locks a transaction holds in the end, so that it never runs out of the server's lock table half-way.

use std::collections::BTreeSet;

use super::file::Step;
use crate::catalog::{Catalog, Kind, Shape};

/// The catalogs that reading takes locks on, the ledger with its indexes, and the transaction itself.
const ALWAYS: u64 = 100;
/// A relation that is written anew: the new files with their TOAST table and indexes.
const REWRITE: u64 = 8;

/// What happens to an object.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Action {
    Create,
    Change,
    Destroy,
}

/// An upper bound, within reason, for the locks that one transaction with these steps needs.
///
/// A lock stays until the transaction ends, so that one object counts once for each thing that is done to it.
pub fn needed(steps: &[Step]) -> u64 {
    let (mut done, mut locked, mut rewritten) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    for step in steps {
        done.extend(actions(step));
        locked.extend(step.observed.locks.keys());
        rewritten.extend(&step.observed.rewrites);
    }
    let objects: u64 = done.into_iter().map(|(action, object)| weight(action, object)).sum();
    ALWAYS + objects + count(locked.len()) + REWRITE * count(rewritten.len())
}

/// What one step adds to [`needed`], at most.
pub(super) fn of_step(step: &Step) -> u64 {
    let objects: u64 = actions(step).map(|(action, object)| weight(action, object)).sum();
    objects + count(step.observed.locks.len()) + REWRITE * count(step.observed.rewrites.len())
}

/// How many locks the server surely has for one transaction of a plan, beside those that reading the database back leaves
/// behind: on every relation that a view may refer to.
///
/// What the plan creates counts from the beginning, so that a plan that fits at first fits when it is resumed.
pub fn capacity(catalog: &Catalog, steps: &[Step]) -> u64 {
    let there = catalog.iter().filter(|(id, _)| has_rows(id.kind)).map(|(id, _)| id.to_string());
    let created = steps.iter().flat_map(|step| &step.creates);
    let created = created.filter(|object| Kind::of_address(object).is_some_and(has_rows)).cloned();
    let relations: BTreeSet<String> = there.chain(created).collect();
    catalog.server.lock_table.saturating_sub(count(relations.len()))
}

/// What is done to which object, without the parts of what is created: they are locked with the whole.
fn actions(step: &Step) -> impl Iterator<Item = (Action, &String)> {
    let with = |action| move |object| (action, object);
    let created = step.creates.iter().take(1).chain(step.creates.iter().skip(1).filter(|object| !is_part(object)));
    created
        .map(with(Action::Create))
        .chain(step.changes.iter().map(with(Action::Change)))
        .chain(step.destroys.iter().map(with(Action::Destroy)))
}

fn is_part(object: &str) -> bool {
    let shape = Kind::of_address(object).map(Kind::shape);
    matches!(shape, Some(Shape::Column | Shape::About | Shape::Granted))
}

fn has_rows(kind: Kind) -> bool {
    kind.holds_data() && kind.shape() == Shape::Plain
}

/// The locks that PostgreSQL takes for one object, with those that are tied to it alone: TOAST tables and their indexes,
/// row types, the triggers of a foreign key.
fn weight(action: Action, object: &str) -> u64 {
    let Some(kind) = Kind::of_address(object) else { return 4 };
    match (action, kind.shape()) {
        (_, Shape::About | Shape::Granted) => 1,
        (Action::Create, Shape::Column) => 3,
        // Its table may be written anew.
        (Action::Change, Shape::Column) => 3 + REWRITE,
        (Action::Destroy, Shape::Column) => 1,
        (Action::Destroy, Shape::Plain) if has_rows(kind) => 7,
        (_, Shape::Plain) if has_rows(kind) => 5,
        (Action::Destroy, Shape::OnRelation) => 6,
        (Action::Destroy, Shape::Plain | Shape::OnDomain | Shape::Routine) => 4,
        (_, Shape::Plain | Shape::OnRelation | Shape::OnDomain | Shape::Routine) => 2,
    }
}

fn count(number: usize) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}
