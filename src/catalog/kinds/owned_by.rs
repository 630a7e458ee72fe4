//! The column that owns a sequence (`OWNED BY`, `serial`).

use serde::{Deserialize, Serialize};

use crate::{
    catalog::{Alteration, At, Definition, Shape, Step},
    sql,
};

/// That a sequence goes along with a column.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OwnedBy {
    /// Schema, table and column.
    column: Vec<String>,
}

impl Definition for OwnedBy {
    const KEYWORD: &'static str = "OWNED BY OF";
    const SHAPE: Shape = Shape::About;
    const QUERY: &'static str = "
        SELECT d.classid, d.objid, 0 AS objsubid, ARRAY[n.nspname, c.relname, a.attname] AS \"column\",
            ARRAY[ARRAY[d.refclassid::int8, d.refobjid::int8, d.refobjsubid]] AS needs
        FROM pg_catalog.pg_depend d
            JOIN pg_catalog.pg_class s ON s.oid = d.objid AND s.relkind = 'S'
            JOIN pg_catalog.pg_class c ON c.oid = d.refobjid
            JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
            JOIN pg_catalog.pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
        WHERE d.classid = 'pg_catalog.pg_class'::regclass AND d.refclassid = 'pg_catalog.pg_class'::regclass
            AND d.objsubid = 0 AND d.deptype = 'a' AND d.objid >= 16384";

    fn create(&self, at: &At) -> Vec<Step> {
        let Self { column } = self;
        sequence(at, &sql::qualified(column))
    }

    fn alter(&self, to: &Self, at: &At) -> Alteration {
        Alteration::InPlace(to.create(at))
    }

    fn drop(&self, at: &At) -> Vec<Step> {
        sequence(at, "NONE")
    }
}

fn sequence(at: &At, column: &str) -> Vec<Step> {
    at.id.of.iter().map(|of| Step::new(format!("ALTER {of} OWNED BY {column}"))).collect()
}
