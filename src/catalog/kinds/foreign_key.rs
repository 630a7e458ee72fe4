//! Foreign keys, which reach over to another table.

use serde::{Deserialize, Serialize};

use super::{
    Kind, Object,
    constraint::{add, change, may_fail, query, remove, validate},
    lineage,
    row_security::lifted,
};
use crate::catalog::{Alteration, At, Catalog, Definition, ObjectId, Shape, Slot, Space, Step};

/// A foreign key.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ForeignKey {
    /// As `pg_get_constraintdef` writes it, up to what the other fields say.
    definition: String,
    /// `DEFERRABLE`, `DEFERRABLE INITIALLY DEFERRED`
    deferrable: Option<String>,
    enforced: bool,
    valid: bool,
    /// That of a partition, which is there because the partitioned table has it.
    derived: bool,
}

impl Definition for ForeignKey {
    const KEYWORD: &'static str = "CONSTRAINT";
    const SHAPE: Shape = Shape::OnRelation;
    const QUERY: &'static str = query!(
        ", k.conparentid <> 0 AS derived, CASE WHEN k.conparentid <> 0 THEN
            ARRAY[ARRAY['pg_catalog.pg_constraint'::regclass::oid::int8, k.conparentid::int8, 0]] END AS needs",
        // What refers to a partitioned table has a row for each partition as well.
        "LEFT JOIN pg_catalog.pg_constraint above ON above.oid = k.conparentid AND above.conrelid = k.conrelid",
        "'f') AND (above.oid IS NULL"
    );

    fn create(&self, at: &At) -> Vec<Step> {
        let Self { definition, deferrable, enforced, valid, derived } = self;
        if *derived && !has_own_name(at) {
            return Vec::new();
        }
        let deferrable = deferrable.as_ref().map_or_else(String::new, |it| format!(" {it}"));
        let tail = match (enforced, valid) {
            (false, _) => " NOT ENFORCED",
            (true, false) => " NOT VALID",
            (true, true) => "",
        };
        lifted(at, vec![add(at, &format!("{definition}{deferrable}{tail}"), *enforced && *valid)])
    }

    fn alter(&self, to: &Self, at: &At) -> Alteration {
        let Self { definition, deferrable, enforced, valid, derived } = to;
        let stays = !lineage::persisting(at, lineage::relation(at.id)).is_empty();
        match (self.derived, *derived) {
            // It changes with the one above.
            (true, true) if stays => return Alteration::InPlace(Vec::new()),
            // It goes with the one above.
            (true, false) if stays => return Alteration::Replace,
            // The one above finds it only if it is the same.
            (_, true) if self.words() != to.words() => return Alteration::Replace,
            _ => {}
        }
        let becomes_valid = *valid && !self.valid;
        // `ENFORCED` checks the rows, and `NOT ENFORCED` forgets that they were checked.
        let checks = !self.enforced && *enforced;
        if self.definition != *definition || checks && !valid || !becomes_valid && *enforced && self.valid != *valid {
            return Alteration::Replace;
        }
        let mut steps = Vec::new();
        if self.deferrable != *deferrable {
            let timing = match deferrable.as_deref() {
                None => "NOT DEFERRABLE",
                Some("DEFERRABLE") => "DEFERRABLE INITIALLY IMMEDIATE",
                Some(timing) => timing,
            };
            steps.push(change(at, "ALTER CONSTRAINT", &format!(" {timing}")));
        }
        if checks {
            steps.push(may_fail(change(at, "ALTER CONSTRAINT", " ENFORCED")));
        } else if self.enforced != *enforced {
            steps.push(change(at, "ALTER CONSTRAINT", " NOT ENFORCED"));
        } else if becomes_valid {
            steps.push(validate(at));
        }
        Alteration::InPlace(if checks || becomes_valid { lifted(at, steps) } else { steps })
    }

    fn drop(&self, at: &At) -> Vec<Step> {
        let relation = lineage::relation(at.id);
        let table_goes = || lineage::tables(relation).iter().any(|table| at.goes(table));
        let goes_along = self.derived && (!lineage::persisting(at, relation).is_empty() || table_goes());
        match self.derived {
            true if goes_along => Vec::new(),
            // Before 15, a detached partition does not keep a key that refers to its own partitioned table.
            true if at.current.server.major < 15 => vec![change(at, "DROP CONSTRAINT IF EXISTS", "")],
            _ => vec![remove(at)],
        }
    }

    fn precedes(&self, at: &At) -> Vec<ObjectId> {
        // It is taken for that of the partitioned table when the table is attached.
        let is_there = self.derived && !comes_along(at);
        if is_there { lineage::links(at.desired, lineage::relation(at.id)) } else { Vec::new() }
    }

    fn incidental(&self) -> bool {
        self.derived
    }

    fn slots(&self, id: &ObjectId) -> Vec<Slot> {
        vec![Slot(Space::Constraint, id.names.clone())]
    }
}

impl ForeignKey {
    /// What must be the same for a key to be taken for that of the partitioned table.
    fn words(&self) -> (&str, Option<&str>, bool, bool) {
        let Self { definition, deferrable, enforced, valid, derived: _ } = self;
        (definition, deferrable.as_deref(), *enforced, *valid)
    }
}

/// Whether the key of a partition would come about with another name when a new table is attached.
fn has_own_name(at: &At) -> bool {
    of_new_table(at) && above(at).is_some_and(|above| above.name() != at.id.name())
}

/// Whether the key of a partition comes about as it is to be, when the table is attached or when the partitioned table gets it.
fn comes_along(at: &At) -> bool {
    of_new_table(at) && above(at).is_some_and(|above| above.name() == at.id.name())
}

/// The key of the partitioned table.
fn above<'a>(at: &At<'a>) -> Option<&'a ObjectId> {
    at.desired.referenced(at.id).map(|(id, _)| id).find(|id| id.kind == at.id.kind)
}

fn of_new_table(at: &At) -> bool {
    lineage::tables(lineage::relation(at.id)).iter().any(|table| at.is_made(table))
}

/// The foreign keys of a table, and those that refer to it.
pub(super) fn around<'a>(catalog: &'a Catalog, table: &ObjectId) -> impl Iterator<Item = &'a ObjectId> {
    let columns = catalog.dependents(table).map(|(id, _)| id).filter(|id| id.kind == Kind::Column);
    let keys = columns.flat_map(|column| catalog.dependents(column)).map(|(key, _)| key);
    keys.filter(|key| key.kind == Kind::ForeignKey)
}

/// The keys that a table has once it is attached.
pub(super) fn coming_along(at: &At, table: &ObjectId) -> Vec<ObjectId> {
    let derived = |key: &&ObjectId| matches!(at.desired.get(key), Some(Object::ForeignKey(it)) if it.derived);
    let own = around(at.desired, table).filter(|key| lineage::relation(key) == &*table.names).filter(derived);
    own.filter(|key| comes_along(&At { id: key, ..*at })).cloned().collect()
}
