//! The index by which `CLUSTER` orders a table.

use serde::{Deserialize, Serialize};

use crate::{
    catalog::{Alteration, At, Definition, Shape, Step},
    sql,
};

/// The index that `CLUSTER` uses; an object about its table or materialized view.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClusterOn {
    index: String,
}

impl Definition for ClusterOn {
    const KEYWORD: &'static str = "CLUSTER OF";
    const SHAPE: Shape = Shape::About;
    const PRESENT: &'static str =
        "EXISTS (SELECT indexrelid FROM pg_catalog.pg_index WHERE indexrelid >= 16384 AND indisclustered)";
    const QUERY: &'static str = "
        SELECT 'pg_catalog.pg_class'::regclass::oid AS classid, x.indrelid AS objid, 0 AS objsubid, c.relname AS index,
            ARRAY[ARRAY['pg_catalog.pg_class'::regclass::oid::int8, c.oid::int8, 0]] AS needs
        FROM pg_catalog.pg_index x JOIN pg_catalog.pg_class c ON c.oid = x.indexrelid
        WHERE x.indisclustered AND c.oid >= 16384 AND c.relpersistence <> 't'";

    fn create(&self, at: &At) -> Vec<Step> {
        let Self { index } = self;
        at.id.of.iter().map(|it| Step::new(format!("ALTER {it} CLUSTER ON {}", sql::ident(index)))).collect()
    }

    fn alter(&self, to: &Self, at: &At) -> Alteration {
        Alteration::InPlace(to.create(at))
    }

    fn drop(&self, at: &At) -> Vec<Step> {
        at.id.of.iter().map(|it| Step::new(format!("ALTER {it} SET WITHOUT CLUSTER"))).collect()
    }
}
