//! Collations: how text is ordered and compared.

use serde::{Deserialize, Serialize};

use super::swap;
use crate::{
    catalog::{At, Definition, Step},
    sql,
};

/// A collation. The version of the library that provides it is no part of its definition.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Collation {
    /// `libc`, `icu`, `builtin`
    provider: String,
    /// Whether only equal bytes are equal.
    deterministic: bool,
    /// Where it decides both the order and the classes of characters.
    locale: Option<String>,
    /// Of `libc`, where the two differ.
    lc_collate: Option<String>,
    lc_ctype: Option<String>,
    /// Of `icu`, from 16.
    rules: Option<String>,
}

impl Definition for Collation {
    const KEYWORD: &'static str = "COLLATION";
    const SWAPS: bool = true;
    const PRESENT: &'static str = "EXISTS (SELECT oid FROM pg_catalog.pg_collation WHERE oid >= 16384)";
    const QUERY: &'static str = "
        SELECT c.tableoid AS classid, c.oid AS objid, 0 AS objsubid, ARRAY[n.nspname, c.collname] AS names,
            CASE c.collprovider WHEN 'c' THEN 'libc' WHEN 'i' THEN 'icu' WHEN 'b' THEN 'builtin' ELSE 'default' END
                AS provider,
            c.collisdeterministic AS deterministic, coalesce(
                c.colllocale, -- 17+
                c.colliculocale, -- 15+ -- <17
                CASE WHEN c.collcollate = c.collctype THEN c.collcollate END) AS locale,
            CASE WHEN c.collcollate <> c.collctype THEN c.collcollate END AS lc_collate,
            CASE WHEN c.collcollate <> c.collctype THEN c.collctype END AS lc_ctype,
            c.collicurules AS rules -- 16+
            NULL AS rules -- <16
        FROM pg_catalog.pg_collation c JOIN pg_catalog.pg_namespace n ON n.oid = c.collnamespace WHERE c.oid >= 16384";

    fn create(&self, at: &At) -> Vec<Step> {
        let Self { provider, deterministic, locale, lc_collate, lc_ctype, rules } = self;
        let mut options = vec![format!("provider = {provider}")];
        for (option, value) in [("locale", locale), ("lc_collate", lc_collate), ("lc_ctype", lc_ctype)] {
            options.extend(value.iter().map(|value| format!("{option} = {}", sql::literal(value))));
        }
        if !deterministic {
            options.push("deterministic = false".to_owned());
        }
        options.extend(rules.iter().map(|rules| format!("rules = {}", sql::literal(rules))));
        vec![Step::new(format!("CREATE {} ({})", at.id, sql::join(options, ", ")))]
    }

    fn aside(&self, at: &At) -> Vec<Step> {
        swap::aside(at)
    }

    fn finish(&self, at: &At) -> Vec<Step> {
        swap::finish(at)
    }
}
