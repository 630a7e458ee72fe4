//! Triggers, of tables and of views.

use serde::{Deserialize, Serialize};

use crate::{
    catalog::{Alteration, At, Definition, Shape, Step},
    sql,
};

/// A trigger that a user made; those that implement constraints are internal.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Trigger {
    /// As `pg_get_triggerdef` writes it.
    definition: String,
    /// When it fires, as `ALTER TABLE` says it: `ENABLE`, `DISABLE`, `ENABLE REPLICA`, `ENABLE ALWAYS`.
    state: String,
}

impl Definition for Trigger {
    const KEYWORD: &'static str = "TRIGGER";
    const SHAPE: Shape = Shape::OnRelation;
    const QUERY: &'static str = "
        SELECT 'pg_catalog.pg_trigger'::regclass::oid AS classid, t.oid AS objid, 0 AS objsubid,
            ARRAY[n.nspname, c.relname, t.tgname] AS names, pg_catalog.pg_get_triggerdef(t.oid) AS definition,
            CASE t.tgenabled WHEN 'D' THEN 'DISABLE' WHEN 'R' THEN 'ENABLE REPLICA' WHEN 'A' THEN 'ENABLE ALWAYS'
                ELSE 'ENABLE' END AS state
        FROM pg_catalog.pg_trigger t JOIN pg_catalog.pg_class c ON c.oid = t.tgrelid
            JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
        WHERE t.oid >= 16384 AND NOT t.tgisinternal AND t.tgparentid = 0 AND c.relpersistence <> 't'";

    fn create(&self, at: &At) -> Vec<Step> {
        let Self { definition, state } = self;
        std::iter::once(Step::new(definition.clone())).chain(switch(at, state, "ENABLE")).collect()
    }

    fn alter(&self, to: &Self, at: &At) -> Alteration {
        let Self { definition, state } = to;
        if self.definition == *definition {
            return Alteration::InPlace(switch(at, state, &self.state).into_iter().collect());
        }
        // PostgreSQL replaces no constraint trigger in place, neither by one nor by an ordinary trigger.
        let ordinary = |definition: &'_ str| definition.strip_prefix("CREATE TRIGGER ").map(str::to_owned);
        match (ordinary(&self.definition), ordinary(definition)) {
            (Some(_), Some(rest)) => Alteration::InPlace(
                // The replacement fires again, whatever state the old trigger was in.
                std::iter::once(Step::new(format!("CREATE OR REPLACE TRIGGER {rest}")))
                    .chain(switch(at, state, "ENABLE"))
                    .collect(),
            ),
            _ => Alteration::Replace,
        }
    }
}

fn switch(at: &At, state: &str, from: &str) -> Option<Step> {
    let name = sql::ident(at.id.name());
    (state != from).then(|| Step::new(format!("ALTER TABLE {} {state} TRIGGER {name}", at.id.relation())))
}
