//! Event triggers.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::{
    catalog::{Alteration, At, Definition, Kept, Step},
    sql,
};

/// A trigger on what happens to the database's schema.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EventTrigger {
    /// `ddl_command_end`
    event: String,
    /// The commands on which it fires; empty for all.
    tags: BTreeSet<String>,
    /// The same in the order in which they were said, which means nothing.
    tags_in_order: Kept<Vec<String>>,
    function: String,
    /// When it fires, as `ALTER EVENT TRIGGER` says it: `ENABLE`, `DISABLE`, `ENABLE REPLICA`, `ENABLE ALWAYS`.
    state: String,
}

impl Definition for EventTrigger {
    const KEYWORD: &'static str = "EVENT TRIGGER";
    const IN_SCHEMA: bool = false;
    const PRESENT: &'static str = "EXISTS (SELECT oid FROM pg_catalog.pg_event_trigger)";
    const QUERY: &'static str = "
        SELECT t.tableoid AS classid, t.oid AS objid, 0 AS objsubid, ARRAY[t.evtname] AS names, t.evtevent AS event,
            coalesce(t.evttags, '{}') AS tags, coalesce(t.evttags, '{}') AS tags_in_order, t.evtfoid::regproc::text AS function,
            CASE t.evtenabled WHEN 'D' THEN 'DISABLE' WHEN 'R' THEN 'ENABLE REPLICA' WHEN 'A' THEN 'ENABLE ALWAYS'
                ELSE 'ENABLE' END AS state
        FROM pg_catalog.pg_event_trigger t WHERE t.oid >= 16384";

    fn create(&self, at: &At) -> Vec<Step> {
        let Self { event, tags: _, tags_in_order: Kept(tags), function, state } = self;
        let when = if tags.is_empty() {
            String::new()
        } else {
            format!(" WHEN TAG IN ({})", sql::join(tags.iter().map(|tag| sql::literal(tag)), ", "))
        };
        let create = Step::new(format!("CREATE {} ON {event}{when} EXECUTE FUNCTION {function}()", at.id));
        std::iter::once(create).chain(switch(at, state, "ENABLE")).collect()
    }

    fn alter(&self, to: &Self, at: &At) -> Alteration {
        let Self { event, tags, tags_in_order: _, function, state } = to;
        if self.event == *event && self.tags == *tags && self.function == *function {
            Alteration::InPlace(switch(at, state, &self.state).into_iter().collect())
        } else {
            Alteration::Replace
        }
    }
}

fn switch(at: &At, state: &str, from: &str) -> Option<Step> {
    (state != from).then(|| Step::new(format!("ALTER {} {state}", at.id)))
}
