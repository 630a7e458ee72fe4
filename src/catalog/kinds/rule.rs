//! Rewrite rules; the rule that makes a view is the view's own.

use serde::{Deserialize, Serialize};

use crate::{
    catalog::{Alteration, At, Definition, Shape, Step},
    sql,
};

/// A rule on a table or view.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// As `pg_get_ruledef` writes it, without the semicolon.
    definition: String,
    /// When it applies, as `ALTER TABLE` says it: `ENABLE`, `DISABLE`, `ENABLE REPLICA`, `ENABLE ALWAYS`.
    state: String,
}

impl Definition for Rule {
    const KEYWORD: &'static str = "RULE";
    const SHAPE: Shape = Shape::OnRelation;
    const PRESENT: &'static str =
        "EXISTS (SELECT oid FROM pg_catalog.pg_rewrite WHERE oid >= 16384 AND rulename <> '_RETURN')";
    const QUERY: &'static str = "
        SELECT 'pg_catalog.pg_rewrite'::regclass::oid AS classid, r.oid AS objid, 0 AS objsubid,
            ARRAY[n.nspname, c.relname, r.rulename] AS names,
            pg_catalog.regexp_replace(pg_catalog.pg_get_ruledef(r.oid), ';$', '') AS definition,
            CASE r.ev_enabled WHEN 'D' THEN 'DISABLE' WHEN 'R' THEN 'ENABLE REPLICA' WHEN 'A' THEN 'ENABLE ALWAYS'
                ELSE 'ENABLE' END AS state
        FROM pg_catalog.pg_rewrite r JOIN pg_catalog.pg_class c ON c.oid = r.ev_class
            JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
        WHERE r.oid >= 16384 AND r.ev_type <> '1' AND c.relpersistence <> 't'";

    fn create(&self, at: &At) -> Vec<Step> {
        let Self { definition, state } = self;
        std::iter::once(Step::new(definition.clone())).chain(switch(at, state, "ENABLE")).collect()
    }

    fn alter(&self, to: &Self, at: &At) -> Alteration {
        let Self { definition, state } = to;
        let replaced = (self.definition != *definition)
            .then(|| Step::new(definition.replacen("CREATE RULE", "CREATE OR REPLACE RULE", 1)));
        // A replaced rule keeps its state.
        Alteration::InPlace(replaced.into_iter().chain(switch(at, state, &self.state)).collect())
    }
}

fn switch(at: &At, state: &str, from: &str) -> Option<Step> {
    let name = sql::ident(at.id.name());
    (state != from).then(|| Step::new(format!("ALTER TABLE {} {state} RULE {name}", at.id.relation())))
}
