//! What logical replication writes of the old versions of rows.

use serde::{Deserialize, Serialize};

use crate::{
    catalog::{Alteration, At, Definition, Shape, Step},
    sql,
};

/// The replica identity of a table, where it is not the primary key; an object about its table.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReplicaIdentity {
    /// The index whose columns are written.
    index: Option<String>,
    /// Whether all columns are written; neither these nor an index's: none.
    full: bool,
}

impl Definition for ReplicaIdentity {
    const KEYWORD: &'static str = "REPLICA IDENTITY OF";
    const SHAPE: Shape = Shape::About;
    // What names an index that is gone says nothing. An index must be there, and its columns be NOT NULL, before it is named.
    const QUERY: &'static str = "
        SELECT 'pg_catalog.pg_class'::regclass::oid AS classid, c.oid AS objid, 0 AS objsubid,
            i.relname AS index, c.relreplident = 'f' AS full,
            CASE WHEN i.oid IS NOT NULL THEN (
                SELECT json_agg(json_build_array('pg_catalog.pg_class'::regclass::oid::int8, row.id, row.column))
                FROM (SELECT i.oid::int8, 0 UNION ALL SELECT c.oid::int8, unnest(x.indkey)) row(id, \"column\")) END AS needs
        FROM pg_catalog.pg_class c
            LEFT JOIN pg_catalog.pg_index x ON x.indrelid = c.oid AND x.indisreplident AND c.relreplident = 'i'
            LEFT JOIN pg_catalog.pg_class i ON i.oid = x.indexrelid
        WHERE c.relkind IN ('r', 'p') AND c.oid >= 16384 AND c.relpersistence <> 't' AND c.relreplident <> 'd'";

    fn create(&self, at: &At) -> Vec<Step> {
        let Self { index, full } = self;
        let identity = match index {
            Some(index) => format!("USING INDEX {}", sql::ident(index)),
            None if *full => "FULL".to_owned(),
            None => "NOTHING".to_owned(),
        };
        identify(at, &identity)
    }

    fn alter(&self, to: &Self, at: &At) -> Alteration {
        Alteration::InPlace(to.create(at))
    }

    fn drop(&self, at: &At) -> Vec<Step> {
        identify(at, "DEFAULT")
    }
}

fn identify(at: &At, identity: &str) -> Vec<Step> {
    at.id.of.iter().map(|table| Step::new(format!("ALTER {table} REPLICA IDENTITY {identity}"))).collect()
}
