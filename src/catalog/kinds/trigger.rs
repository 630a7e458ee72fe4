//! Triggers, of tables and of views.

use serde::{Deserialize, Serialize};

use crate::{
    catalog::{Alteration, At, Definition, Kept, Kind, Shape, Step},
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
    const PRESENT: &'static str = "EXISTS (SELECT oid FROM pg_catalog.pg_trigger)";
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
        // On a partitioned table, the state goes down to every partition, and theirs has to be set again.
        let all = |steps| Alteration::Around(steps, &[Kind::PartitionTrigger]);
        if self.definition == *definition {
            return all(switch(at, state, &self.state).into_iter().collect());
        }
        // PostgreSQL replaces no constraint trigger in place, neither by one nor by an ordinary trigger.
        let ordinary = |definition: &'_ str| definition.strip_prefix("CREATE TRIGGER ").map(str::to_owned);
        match (ordinary(&self.definition), ordinary(definition)) {
            (Some(_), Some(rest)) => all(
                // The replacement fires again, whatever state the old trigger was in.
                std::iter::once(Step::new(format!("CREATE OR REPLACE TRIGGER {rest}")))
                    .chain(switch(at, state, "ENABLE"))
                    .collect(),
            ),
            _ => Alteration::Replace,
        }
    }
}

impl Trigger {
    /// Whether an event (`DELETE`) may fire it: a name that says so does no harm.
    pub(super) fn fires_on(&self, event: &str) -> bool {
        self.definition.split(" ON ").next().is_some_and(|head| head.contains(event))
    }
}

/// The state of a trigger in a partition, where it is not that of the partitioned table, from which the trigger comes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PartitionTrigger {
    state: String,
    /// The state in the partitioned table.
    above: Kept<String>,
}

impl Definition for PartitionTrigger {
    const KEYWORD: &'static str = "TRIGGER STATE";
    const SHAPE: Shape = Shape::OnRelation;
    const PRESENT: &'static str = "EXISTS (SELECT inhrelid FROM pg_catalog.pg_inherits)";
    const QUERY: &'static str = "
        SELECT 'pg_catalog.pg_trigger'::regclass::oid AS classid, t.oid AS objid, 0 AS objsubid,
            ARRAY[n.nspname, c.relname, t.tgname] AS names,
            CASE t.tgenabled WHEN 'D' THEN 'DISABLE' WHEN 'R' THEN 'ENABLE REPLICA' WHEN 'A' THEN 'ENABLE ALWAYS'
                ELSE 'ENABLE' END AS state,
            CASE p.tgenabled WHEN 'D' THEN 'DISABLE' WHEN 'R' THEN 'ENABLE REPLICA' WHEN 'A' THEN 'ENABLE ALWAYS'
                ELSE 'ENABLE' END AS above,
            ARRAY[ARRAY['pg_catalog.pg_trigger'::regclass::oid::int8, p.oid::int8, 0],
                ARRAY['pg_catalog.pg_inherits'::regclass::oid::int8, c.oid::int8, 0]] AS needs
        FROM pg_catalog.pg_trigger t JOIN pg_catalog.pg_trigger p ON p.oid = t.tgparentid
            JOIN pg_catalog.pg_class c ON c.oid = t.tgrelid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
        WHERE t.tgenabled <> p.tgenabled AND NOT EXISTS (SELECT FROM pg_catalog.pg_constraint k
            WHERE k.oid = t.tgconstraint AND k.contype = 'f')";

    fn create(&self, at: &At) -> Vec<Step> {
        let Self { state, above: Kept(above) } = self;
        switch(at, state, above).into_iter().collect()
    }

    fn alter(&self, to: &Self, at: &At) -> Alteration {
        let Self { state, above: _ } = to;
        let steps = switch(at, state, &self.state).into_iter().collect();
        Alteration::Around(steps, &[Kind::PartitionTrigger])
    }

    fn drop(&self, at: &At) -> Vec<Step> {
        let Self { state, above: Kept(above) } = self;
        switch(at, above, state).into_iter().collect()
    }
}

fn switch(at: &At, state: &str, from: &str) -> Option<Step> {
    let name = sql::ident(at.id.name());
    (state != from).then(|| Step::new(format!("ALTER TABLE {} {state} TRIGGER {name}", at.id.relation())))
}
