//! Casts.

use serde::{Deserialize, Serialize};

use crate::{
    catalog::{At, Definition, ObjectId, Step},
    sql,
};

/// How one type becomes another.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cast {
    /// `WITH FUNCTION …`, `WITH INOUT`, `WITHOUT FUNCTION`
    method: String,
    /// `AS ASSIGNMENT`, `AS IMPLICIT`, or only where it is spelled.
    context: Option<String>,
}

impl Definition for Cast {
    const KEYWORD: &'static str = "CAST";
    const IN_SCHEMA: bool = false;
    const PRESENT: &'static str = "EXISTS (SELECT oid FROM pg_catalog.pg_cast WHERE oid >= 16384)";
    const QUERY: &'static str = "
        SELECT tableoid AS classid, oid AS objid, 0 AS objsubid,
            ARRAY[pg_catalog.format_type(castsource, NULL), pg_catalog.format_type(casttarget, NULL)] AS args,
            CASE castmethod WHEN 'f' THEN 'WITH FUNCTION ' || castfunc::regprocedure::text WHEN 'i' THEN 'WITH INOUT'
                ELSE 'WITHOUT FUNCTION' END AS method,
            CASE castcontext WHEN 'a' THEN 'AS ASSIGNMENT' WHEN 'i' THEN 'AS IMPLICIT' END AS context
        FROM pg_catalog.pg_cast c
        -- The cast from a range type to its multirange type comes and goes with them.
        WHERE oid >= 16384 AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d
            WHERE d.classid = c.tableoid AND d.objid = c.oid AND d.deptype = 'i')";

    fn address(id: &ObjectId) -> String {
        format!("({})", sql::join(&id.args, " AS "))
    }

    fn create(&self, at: &At) -> Vec<Step> {
        let Self { method, context } = self;
        let context = context.as_ref().map(|text| format!(" {text}")).unwrap_or_default();
        vec![Step::new(format!("CREATE {} {method}{context}", at.id))]
    }
}
