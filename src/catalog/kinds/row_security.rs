//! Row security that also holds for a table's owner.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::Object;
use crate::catalog::{At, Definition, Kind, ObjectId, Shape, Step};

/// `FORCE ROW LEVEL SECURITY`, an object about its table.
///
/// PostgreSQL checks a new foreign key with a query of the owner's, from which forced row security hides rows. So this
/// comes after the table's foreign keys, and is lifted while one is added.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ForcedRowSecurity {}

impl Definition for ForcedRowSecurity {
    const KEYWORD: &'static str = "FORCED ROW SECURITY OF";
    const SHAPE: Shape = Shape::About;
    const QUERY: &'static str = "
        SELECT 'pg_catalog.pg_class'::regclass::oid AS classid, c.oid AS objid, 0 AS objsubid,
            (SELECT json_agg(json_build_array('pg_catalog.pg_constraint'::regclass::oid::int8, k.oid::int8, 0))
                FROM pg_catalog.pg_constraint k
                WHERE k.contype = 'f' AND c.oid IN (k.conrelid, k.confrelid)) AS needs
        FROM pg_catalog.pg_class c
        WHERE c.relkind IN ('r', 'p') AND c.oid >= 16384 AND c.relforcerowsecurity AND c.relpersistence <> 't'";

    fn create(&self, at: &At) -> Vec<Step> {
        let Self {} = self;
        at.id.of.iter().map(|table| force(table)).collect()
    }

    fn drop(&self, at: &At) -> Vec<Step> {
        at.id.of.iter().map(|table| lift(table)).collect()
    }
}

fn force(table: &ObjectId) -> Step {
    Step::new(format!("ALTER {table} FORCE ROW LEVEL SECURITY"))
}

/// Lifts forced row security, which hides rows from the owner.
pub(super) fn lift(table: &ObjectId) -> Step {
    Step::new(format!("ALTER {table} NO FORCE ROW LEVEL SECURITY"))
}

/// Puts steps that read the rows of tables between lifting and forcing the row security of those on which it is forced
/// before and after.
pub(super) fn lifted(at: &At, steps: Vec<Step>) -> Vec<Step> {
    let read = at.desired.referenced(at.id).map(|(id, _)| id.names.get(..2).unwrap_or_default().to_vec());
    let mut tables: Vec<Vec<String>> = read.collect();
    tables.sort();
    tables.dedup();
    let forced: Vec<ObjectId> = tables
        .into_iter()
        .map(|names| ObjectId::new(Kind::Table, names))
        .filter(|table| {
            // A table that is made anew is not forced to it yet.
            at.persists(&ObjectId::about(Kind::ForcedRowSecurity, table))
        })
        .collect();
    forced.iter().map(lift).chain(steps).chain(forced.iter().map(force)).collect()
}

/// Has a statement that makes an object read what its role may see of tables with row security, as it does outside of plans,
/// whose other statements fail rather than miss rows.
pub(super) fn seen(at: &At, step: Step) -> Vec<Step> {
    if !reads_guarded(at) {
        return vec![step];
    }
    let set = |value: &str| Step::new(format!("SET row_security = {value}"));
    vec![set("on"), step, set("off")]
}

/// Whether an object reads a table with row security, or calls a function that may do so.
fn reads_guarded(at: &At) -> bool {
    let guarded = |object: &Object| matches!(object, Object::Table(table) if table.has_row_security());
    if !at.desired.iter().any(|(_, object)| guarded(object)) {
        return false;
    }
    let mut next = vec![at.id];
    let mut seen = BTreeSet::new();
    while let Some(id) = next.pop() {
        if id.kind == Kind::Function || at.desired.get(id).is_some_and(guarded) {
            return true;
        }
        next.extend(at.desired.referenced(id).map(|(it, _)| it).filter(|it| seen.insert(*it)));
    }
    false
}
