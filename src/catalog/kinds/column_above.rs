//! What a change of a column of a parent does to the columns below, and what is left to do for these.

use super::{Kind, Object, column::change, inherited_not_null, lineage, not_null, stand_in};
use crate::{
    catalog::{At, Catalog, Hazard, ObjectId, Step},
    sql,
};

/// What a column has from the change of the one above it.
#[derive(Default)]
pub(super) struct Carried {
    /// Its type and collation.
    pub data_type: bool,
    /// That it is generated no longer.
    pub generated: bool,
    /// Whether it is NOT NULL, where that changed.
    pub not_null: Option<bool>,
}

/// What a column that is there all along has from the changes of those above it.
pub(super) fn carried(at: &At) -> Carried {
    let mut carried = Carried::default();
    for up in lineage::above(at).into_iter().filter(|up| at.persists(up)) {
        if let (Some(Object::Column(before)), Some(Object::Column(after))) = (at.current.get(&up), at.desired.get(&up))
        {
            let (typed, generated) = before.agrees(after);
            carried.data_type |= !typed;
            carried.generated |= !generated;
            let inherits = |catalog| not_null::is_inherited(catalog, &up);
            let stays = before.is_not_null() && after.is_not_null() && inherits(at.current);
            if inherits(at.current) != inherits(at.desired) && !stays && goes_down(&At { id: &up, ..*at }) {
                carried.not_null = Some(inherits(at.desired));
            }
        }
    }
    carried
}

/// The columns above with which this one is made.
pub(super) fn made_with(at: &At) -> Vec<ObjectId> {
    if lineage::comes_with_relation(at) {
        let relation = lineage::relation(at.id);
        let ups = lineage::parents(at.desired, relation).iter().map(|parent| lineage::under(at.id, parent));
        return ups.filter(|up| at.desired.contains(up)).collect();
    }
    lineage::carrier(at).into_iter().collect()
}

/// Whether a column moves over to the new definition of its type with one above it.
pub(super) fn follows(at: &At) -> bool {
    lineage::above(at).iter().any(|up| at.persists(up))
}

/// The statements that make a column NOT NULL, with those below.
pub(super) fn not_null(at: &At) -> Vec<Step> {
    let set = || {
        let step = set(at, "SET NOT NULL");
        step.hazard(Hazard::MayFail { why: "no row may hold NULL in the column".to_owned() })
    };
    let below = if not_null::is_inherited(at.desired, at.id) { not_null::renamed_below(at) } else { Vec::new() };
    // What is inherited comes about by what it is inherited from.
    let held = stand_in::holder(at).filter(|_| inherited_not_null::is_only_inherited(at.desired, at.id));
    let step = match held {
        Some(stand_in) => not_null::added_to(&stand_in, at),
        None => not_null::added(at, !below.is_empty()).unwrap_or_else(set),
    };
    below.into_iter().chain([step]).collect()
}

/// The statements that let a column hold NULL, with those below but for the ones that may not.
pub(super) fn nullable(at: &At) -> Vec<Step> {
    let mut steps = vec![set(at, "DROP NOT NULL")];
    if goes_down(at) {
        strict(at, &mut steps);
    }
    steps
}

/// The columns below that stay NOT NULL.
fn strict(at: &At, steps: &mut Vec<Step>) {
    for child in lineage::staying(at, lineage::relation(at.id)) {
        let below = lineage::under(at.id, &child);
        let at = At { id: &below, ..*at };
        if at.persists(&below) && is_not_null(at.desired, &below) {
            let kept = inherited_not_null::is_declared(at.current, &below);
            steps.extend(if kept { Vec::new() } else { not_null(&at) });
        } else {
            strict(&at, steps);
        }
    }
}

/// Whether a column becomes NOT NULL by itself before those above make it so, under the name that it has then.
pub(super) fn comes_first(at: &At) -> bool {
    let carried = carried(at);
    inherited_not_null::comes_first(at) && !carried.data_type && !carried.generated
}

/// Whether a column is NOT NULL.
pub(super) fn is_not_null(catalog: &Catalog, id: &ObjectId) -> bool {
    matches!(catalog.get(id), Some(Object::Column(column)) if column.is_not_null())
}

/// Whether a new column of a new table would take a default from above.
pub(super) fn has_default(at: &At) -> bool {
    let relation = lineage::relation(at.id);
    if lineage::is_partition(at.desired, relation) || !lineage::tables(relation).iter().any(|id| at.is_made(id)) {
        return false;
    }
    let ups = lineage::parents(at.desired, relation).iter().map(|parent| default(&lineage::under(at.id, parent)));
    ups.into_iter().any(|up| at.desired.contains(&up)) && !at.desired.contains(&default(at.id))
}

/// The statement that gives a column that came with those above the default that it has for itself.
pub(super) fn own_default(ups: &[ObjectId], at: &At) -> Vec<Step> {
    let of = |id: &ObjectId| at.desired.get(&default(id));
    let (own, inherited) = (of(at.id), ups.iter().find_map(of));
    if own == inherited {
        return Vec::new();
    }
    let action = at.parts.first().map_or_else(|| "DROP DEFAULT".to_owned(), |default| format!("SET {default}"));
    vec![only(at, &action)]
}

fn default(column: &ObjectId) -> ObjectId {
    ObjectId { kind: Kind::Default, ..column.clone() }
}

/// Whether NOT NULL of a parent is that of what is below it: before 18, only that of a partitioned table.
fn goes_down(at: &At) -> bool {
    let table = ObjectId::new(Kind::Table, lineage::relation(at.id).iter().cloned());
    let partitioned = matches!(at.desired.get(&table), Some(Object::Table(table)) if table.is_partitioned());
    partitioned || at.desired.server.major >= 18
}

fn set(at: &At, action: &str) -> Step {
    let alone = lineage::staying(at, lineage::relation(at.id)).is_empty();
    if alone || goes_down(at) { change(at, action) } else { only(at, action) }
}

fn only(at: &At, action: &str) -> Step {
    let (table, column) = (at.id.relation(), sql::ident(at.id.name()));
    Step::new(format!("ALTER TABLE ONLY {table} ALTER COLUMN {column} {action}"))
}
