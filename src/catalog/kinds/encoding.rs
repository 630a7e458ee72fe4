//! Conversions between character encodings.

use serde::{Deserialize, Serialize};

use crate::{
    catalog::{At, Definition, Step},
    sql,
};

/// How text in one encoding becomes text in another.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Conversion {
    /// Whether PostgreSQL uses it by itself.
    default: bool,
    from: String,
    to: String,
    function: String,
}

impl Definition for Conversion {
    const KEYWORD: &'static str = "CONVERSION";
    const PRESENT: &'static str = "EXISTS (SELECT oid FROM pg_catalog.pg_conversion WHERE oid >= 16384)";
    const QUERY: &'static str = "
        SELECT c.tableoid AS classid, c.oid AS objid, 0 AS objsubid, ARRAY[n.nspname, c.conname] AS names,
            c.condefault AS default, pg_catalog.pg_encoding_to_char(c.conforencoding) AS from,
            pg_catalog.pg_encoding_to_char(c.contoencoding) AS to, c.conproc::text AS function
        FROM pg_catalog.pg_conversion c JOIN pg_catalog.pg_namespace n ON n.oid = c.connamespace WHERE c.oid >= 16384";

    fn create(&self, at: &At) -> Vec<Step> {
        let Self { default, from, to, function } = self;
        let default = if *default { " DEFAULT" } else { "" };
        let (from, to) = (sql::literal(from), sql::literal(to));
        vec![Step::new(format!("CREATE{default} {} FOR {from} TO {to} FROM {function}", at.id))]
    }
}
