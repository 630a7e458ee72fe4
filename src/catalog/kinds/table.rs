//! Tables; what stands in them are objects of their own.

use serde::{Deserialize, Serialize};

use crate::{
    catalog::{Alteration, At, Definition, Hazard, ObjectId, Slot, Space, Step},
    sql,
};

/// An ordinary table.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Table {
    /// Not crash-safe, not replicated.
    unlogged: bool,
    /// `ENABLE ROW LEVEL SECURITY`
    row_security: bool,
}

impl Definition for Table {
    const KEYWORD: &'static str = "TABLE";
    const HOLDS_DATA: bool = true;
    const QUERY: &'static str = "
        SELECT 'pg_catalog.pg_class'::regclass::oid AS classid, c.oid AS objid, 0 AS objsubid,
            ARRAY[n.nspname, c.relname] AS names, c.relpersistence = 'u' AS unlogged,
            c.relrowsecurity AS row_security
        FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
        WHERE c.relkind = 'r' AND c.oid >= 16384 AND c.relpersistence <> 't'";

    fn create(&self, at: &At) -> Vec<Step> {
        let Self { unlogged, row_security } = self;
        let unlogged = if *unlogged { "UNLOGGED " } else { "" };
        let body =
            if at.parts.is_empty() { String::new() } else { format!("\n    {}\n", sql::join(at.parts, ",\n    ")) };
        let mut steps = vec![Step::new(format!("CREATE {unlogged}{} ({body})", at.id))];
        steps.extend(security(at, *row_security, false));
        steps
    }

    fn alter(&self, to: &Self, at: &At) -> Alteration {
        let Self { unlogged, row_security } = to;
        let mut steps = Vec::new();
        if self.unlogged != *unlogged {
            let word = if *unlogged { "UNLOGGED" } else { "LOGGED" };
            steps.push(Step::new(format!("ALTER {} SET {word}", at.id)));
        }
        steps.extend(security(at, *row_security, self.row_security));
        Alteration::InPlace(steps)
    }

    fn drop(&self, at: &At) -> Vec<Step> {
        vec![Step::new(format!("DROP {}", at.id)).hazard(Hazard::Loss { what: at.id.to_string() })]
    }

    fn slots(&self, id: &ObjectId) -> Vec<Slot> {
        relation_slots(id)
    }
}

/// The names that a relation with a row type takes.
pub(super) fn relation_slots(id: &ObjectId) -> Vec<Slot> {
    vec![Slot(Space::Relation, id.names.clone()), Slot(Space::Type, id.names.clone())]
}

fn security(at: &At, to: bool, from: bool) -> Option<Step> {
    let word = if to { "ENABLE" } else { "DISABLE" };
    (to != from).then(|| Step::new(format!("ALTER {} {word} ROW LEVEL SECURITY", at.id)))
}
