//! Access methods of tables and indexes.

use serde::{Deserialize, Serialize};

use crate::catalog::{At, Definition, Step};

/// A way to store rows or index entries.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AccessMethod {
    /// `INDEX` or `TABLE`
    stores: String,
    handler: String,
}

impl Definition for AccessMethod {
    const KEYWORD: &'static str = "ACCESS METHOD";
    const IN_SCHEMA: bool = false;
    const PRESENT: &'static str = "EXISTS (SELECT oid FROM pg_catalog.pg_am WHERE oid >= 16384)";
    const QUERY: &'static str = "
        SELECT tableoid AS classid, oid AS objid, 0 AS objsubid, ARRAY[amname] AS names, amhandler::text AS handler,
            CASE amtype WHEN 'i' THEN 'INDEX' ELSE 'TABLE' END AS stores
        FROM pg_catalog.pg_am WHERE oid >= 16384";

    fn create(&self, at: &At) -> Vec<Step> {
        let Self { stores, handler } = self;
        vec![Step::new(format!("CREATE {} TYPE {stores} HANDLER {handler}", at.id))]
    }
}
