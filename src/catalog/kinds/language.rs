//! Procedural languages and transforms.

use serde::{Deserialize, Serialize};

use crate::{
    catalog::{Alteration, At, Definition, ObjectId, Step},
    sql,
};

/// A procedural language that no extension brings; of the others, the rights.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Language {
    trusted: bool,
    handler: String,
    inline: Option<String>,
    validator: Option<String>,
}

impl Definition for Language {
    const KEYWORD: &'static str = "LANGUAGE";
    const IN_SCHEMA: bool = false;
    const QUERY: &'static str = "
        SELECT tableoid AS classid, oid AS objid, 0 AS objsubid, ARRAY[lanname] AS names, lanpltrusted AS trusted,
            lanplcallfoid::regproc::text AS handler, CASE WHEN laninline <> 0 THEN laninline::regproc::text END AS inline,
            CASE WHEN lanvalidator <> 0 THEN lanvalidator::regproc::text END AS validator
        FROM pg_catalog.pg_language WHERE lanispl";

    fn create(&self, at: &At) -> Vec<Step> {
        self.spelled(at, "CREATE")
    }

    fn alter(&self, to: &Self, at: &At) -> Alteration {
        Alteration::InPlace(to.spelled(at, "CREATE OR REPLACE"))
    }
}

impl Language {
    fn spelled(&self, at: &At, verb: &str) -> Vec<Step> {
        let Self { trusted, handler, inline, validator } = self;
        let trusted = if *trusted { " TRUSTED" } else { "" };
        let inline = inline.as_ref().map(|name| format!(" INLINE {name}")).unwrap_or_default();
        let validator = validator.as_ref().map(|name| format!(" VALIDATOR {name}")).unwrap_or_default();
        vec![Step::new(format!("{verb}{trusted} {} HANDLER {handler}{inline}{validator}", at.id))]
    }
}

/// How values of a type reach a language, and come back.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Transform {
    from_sql: Option<String>,
    to_sql: Option<String>,
}

impl Definition for Transform {
    const KEYWORD: &'static str = "TRANSFORM";
    const IN_SCHEMA: bool = false;
    const PRESENT: &'static str = "EXISTS (SELECT oid FROM pg_catalog.pg_transform)";
    const QUERY: &'static str = "
        SELECT t.tableoid AS classid, t.oid AS objid, 0 AS objsubid, ARRAY[l.lanname] AS names,
            ARRAY[pg_catalog.format_type(t.trftype, NULL)] AS args,
            CASE WHEN t.trffromsql <> 0 THEN t.trffromsql::regprocedure::text END AS from_sql,
            CASE WHEN t.trftosql <> 0 THEN t.trftosql::regprocedure::text END AS to_sql
        FROM pg_catalog.pg_transform t JOIN pg_catalog.pg_language l ON l.oid = t.trflang WHERE t.oid >= 16384";

    fn address(id: &ObjectId) -> String {
        format!("FOR {} LANGUAGE {}", sql::join(&id.args, ", "), sql::idents(&id.names))
    }

    fn create(&self, at: &At) -> Vec<Step> {
        self.spelled(at, "CREATE")
    }

    fn alter(&self, to: &Self, at: &At) -> Alteration {
        Alteration::InPlace(to.spelled(at, "CREATE OR REPLACE"))
    }
}

impl Transform {
    fn spelled(&self, at: &At, verb: &str) -> Vec<Step> {
        let Self { from_sql, to_sql } = self;
        let from = from_sql.as_ref().map(|name| format!("FROM SQL WITH FUNCTION {name}"));
        let to = to_sql.as_ref().map(|name| format!("TO SQL WITH FUNCTION {name}"));
        vec![Step::new(format!("{verb} {} ({})", at.id, sql::join(from.into_iter().chain(to), ", ")))]
    }
}
