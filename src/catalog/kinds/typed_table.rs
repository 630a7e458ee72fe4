//! That a table is of a composite type.

use serde::{Deserialize, Serialize};

use crate::{
    catalog::{At, Catalog, Definition, Kind, ObjectId, Shape, Step},
    sql,
};

/// The composite type whose attributes are the columns of a table; an object about the table.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TypedTable {
    /// Schema and name.
    of_type: Vec<String>,
}

impl Definition for TypedTable {
    const KEYWORD: &'static str = "TYPE OF";
    const SHAPE: Shape = Shape::About;
    const LINKS: bool = true;
    const PRESENT: &'static str = "EXISTS (SELECT oid FROM pg_catalog.pg_class WHERE oid >= 16384 AND reloftype <> 0)";
    // The attributes are needed beside their type: the table is let go while they change.
    const QUERY: &'static str = "
        SELECT 'pg_catalog.pg_class'::regclass::oid AS classid, c.oid AS objid, 0 AS objsubid,
            ARRAY[n.nspname, t.typname] AS of_type,
            (SELECT json_agg(json_build_array(row.class, row.id, row.column)) FROM (
                SELECT 'pg_catalog.pg_type'::regclass::oid::int8, t.oid::int8, 0
                UNION ALL SELECT 'pg_catalog.pg_class'::regclass::oid::int8, a.attrelid::int8, a.attnum
                    FROM pg_catalog.pg_attribute a
                    WHERE a.attrelid = t.typrelid AND a.attnum > 0 AND NOT a.attisdropped) row(class, id, \"column\")) AS needs
        FROM pg_catalog.pg_class c JOIN pg_catalog.pg_type t ON t.oid = c.reloftype
            JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace
        WHERE c.oid >= 16384 AND c.relpersistence <> 't'";

    fn create(&self, at: &At) -> Vec<Step> {
        let Self { of_type } = self;
        at.id.of.iter().map(|table| Step::new(format!("ALTER {table} OF {}", sql::qualified(of_type)))).collect()
    }

    fn drop(&self, at: &At) -> Vec<Step> {
        let Self { of_type: _ } = self;
        at.id.of.iter().map(|table| Step::new(format!("ALTER {table} NOT OF"))).collect()
    }

    fn clause(&self, _: &At) -> Option<String> {
        let Self { of_type } = self;
        Some(format!("{OF}{}", sql::qualified(of_type)))
    }
}

const OF: &str = "OF ";

/// What stands between a column of a typed table and what is said of it, which may be nothing.
pub(super) const OPTIONS: &str = " WITH OPTIONS";

/// Whether a table is made of a type.
pub(super) fn is_typed(catalog: &Catalog, relation: &[String]) -> bool {
    let table = ObjectId::new(Kind::Table, relation.iter().cloned());
    catalog.contains(&ObjectId::about(Kind::TypedTable, &table))
}

/// The clauses that stand inside the parentheses of a new table, and the one that says of which type it is, before them.
pub(super) fn apart(parts: Vec<&String>) -> (Vec<&String>, String) {
    // No column can begin like this: a name in capitals is quoted.
    let (before, inside): (Vec<&String>, Vec<&String>) = parts.into_iter().partition(|part| part.starts_with(OF));
    let says_something = |part: &&String| before.is_empty() || !part.ends_with(OPTIONS);
    (inside.into_iter().filter(says_something).collect(), before.iter().map(|clause| format!(" {clause}")).collect())
}
