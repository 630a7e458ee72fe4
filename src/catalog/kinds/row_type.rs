//! The row types of tables and views: who holds values of them, and how those are written.

use std::collections::BTreeSet;

use super::{
    Kind, Object,
    column::{self, Column},
    lineage, stand_in,
};
use crate::catalog::{At, Catalog, ObjectId, Tie};

/// What has a row type.
const RELATIONS: [Kind; 4] = [Kind::Table, Kind::ForeignTable, Kind::View, Kind::MaterializedView];

/// What stores values of the row type of a relation, be it inside other values: columns of tables, and materialized views.
pub(super) fn holders(catalog: &Catalog, relation: &ObjectId) -> Vec<ObjectId> {
    let (mut found, mut seen) = (BTreeSet::new(), BTreeSet::from([relation]));
    let mut next: Vec<&ObjectId> = seen.iter().copied().collect();
    while let Some(of) = next.pop() {
        let dependents = catalog.dependents(of).filter(|(_, tie)| *tie == Tie::Needs).map(|(id, _)| id);
        for dependent in dependents.collect::<Vec<_>>() {
            found.extend(storage(catalog, dependent));
            let through = match dependent.kind {
                Kind::Domain | Kind::Composite | Kind::Range => Some(dependent),
                Kind::Column | Kind::ViewColumn => whole(catalog, dependent),
                _ => None,
            };
            next.extend(through.filter(|id| seen.insert(id)));
        }
    }
    found.into_iter().collect()
}

/// What stores the values of a column.
fn storage(catalog: &Catalog, column: &ObjectId) -> Option<ObjectId> {
    let whole = whole(catalog, column)?;
    match whole.kind {
        Kind::Table => Some(column.clone()),
        Kind::MaterializedView => Some(whole.clone()),
        _ => None,
    }
}

/// The relation of a column.
fn whole<'a>(catalog: &'a Catalog, column: &ObjectId) -> Option<&'a ObjectId> {
    let kinds: &[Kind] = match column.kind {
        Kind::Column => &[Kind::Table, Kind::ForeignTable],
        Kind::ViewColumn => &[Kind::View, Kind::MaterializedView],
        _ => &[],
    };
    let relation = |kind: &Kind| ObjectId::new(*kind, lineage::relation(column).iter().cloned());
    kinds.iter().find_map(|kind| catalog.get_key_value(&relation(kind))).map(|(id, _)| id)
}

/// What holds values of the row type of the relation of a column, where that is there all along.
pub(super) fn held_by(column: &ObjectId, at: &At, side: &Catalog) -> Vec<ObjectId> {
    // Where a database is made from nothing, every column asks.
    let may_stay = RELATIONS.iter().any(|kind| at.current.holds(*kind));
    let relation = may_stay.then(|| whole(side, column)).flatten();
    relation.filter(|id| at.persists(id)).map(|id| holders(side, id)).unwrap_or_default()
}

/// Whether rows hold values of the row type of the relation of a column.
pub(super) fn is_held(catalog: &Catalog, column: &ObjectId) -> bool {
    whole(catalog, column).is_some_and(|id| !holders(catalog, id).is_empty())
}

/// Whether PostgreSQL would compute the values of a new column, be they all the same, and not leave them out.
pub(super) fn is_filled(at: &At) -> bool {
    let relation = ObjectId::new(Kind::Table, lineage::relation(at.id).iter().cloned());
    let stores = matches!(at.desired.get(&relation), Some(Object::Table(table)) if !table.is_partitioned());
    let ups = lineage::above(at);
    let mut columns = ups.iter().chain([at.id]);
    let has = |column: &ObjectId, kind| at.desired.contains(&ObjectId { kind, ..column.clone() });
    // A domain may have a default, or not take NULL.
    let of_domain = || at.desired.referenced(at.id).any(|(id, _)| id.kind == Kind::Domain);
    stores && (columns.any(|column| has(column, Kind::Default) || has(column, Kind::Identity)) || of_domain())
}

/// The columns that are made anew in a relation that stays, in the order in which they are made.
fn made<'a>(at: &At<'a>, relation: &ObjectId) -> Vec<(&'a ObjectId, &'a Column)> {
    let mut left = columns(at.desired, relation);
    left.retain(|(id, _)| at.is_made(id));
    let mut ordered: Vec<(&ObjectId, &Column)> = Vec::new();
    // One that is computed from others comes after these, whatever its place is.
    while let Some(next) = left.iter().position(|(id, _)| {
        !at.desired.referenced(id).any(|(other, _)| other != *id && left.iter().any(|(it, _)| *it == other))
    }) {
        ordered.push(left.remove(next));
    }
    ordered
}

/// The new column that is to follow another, so that values of the row type are written in the order that is expected.
pub(super) fn next(at: &At) -> Option<ObjectId> {
    let relation = whole(at.desired, at.id).filter(|id| at.persists(id) && at.is_made(at.id))?;
    if holders(at.desired, relation).is_empty() {
        return None;
    }
    let mut made = made(at, relation).into_iter().map(|(id, _)| id).skip_while(|id| *id != at.id);
    made.nth(1).cloned()
}

/// The columns of a relation in the order in which they stand.
fn columns<'a>(catalog: &'a Catalog, relation: &ObjectId) -> Vec<(&'a ObjectId, &'a Column)> {
    let mut columns: Vec<_> = column::columns(catalog, relation).collect();
    columns.sort_by_key(|(id, column)| (column.place(), *id));
    columns.dedup_by_key(|(id, _)| *id);
    columns
}

/// The names and types of what a value of the row type of a relation is made of, before the plan.
pub(super) fn before(at: &At, relation: &ObjectId) -> Option<Vec<(String, String)>> {
    fields(at.current, relation, |relation| columns(at.current, relation))
}

/// The same after the plan: what stays is where it was, and what is made stands behind it.
pub(super) fn after(at: &At, relation: &ObjectId) -> Option<Vec<(String, String)>> {
    fields(at.desired, relation, |relation| {
        if !at.persists(relation) {
            return columns(at.desired, relation);
        }
        let old = columns(at.current, relation).into_iter().map(|(id, _)| id);
        let stays = old.filter(|id| at.persists(id) && !stand_in::is_renewed(&At { id, ..*at }));
        let stays = stays.filter_map(|id| match at.desired.get_key_value(id)? {
            (id, Object::Column(column)) => Some((id, &**column)),
            _ => None,
        });
        stays.chain(made(at, relation)).collect()
    })
}

fn fields<'a>(
    catalog: &'a Catalog,
    relation: &ObjectId,
    columns: impl Fn(&ObjectId) -> Vec<(&'a ObjectId, &'a Column)>,
) -> Option<Vec<(String, String)>> {
    match catalog.get(relation)? {
        Object::Table(_) | Object::ForeignTable(_) => {
            let columns = columns(relation).into_iter();
            Some(columns.map(|(id, column)| (id.name().to_owned(), column.data_type().to_owned())).collect())
        }
        Object::View(view) => Some(view.given()),
        Object::MaterializedView(view) => Some(view.given()),
        _ => None,
    }
}
