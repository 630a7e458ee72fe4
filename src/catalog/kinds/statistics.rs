//! Extended statistics: what the planner knows of columns and expressions together.

use serde::{Deserialize, Serialize};

use crate::{
    catalog::{Alteration, At, Definition, Step},
    sql,
};

/// A statistics object.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Statistics {
    /// Schema and name of the table.
    relation: Vec<String>,
    /// `ndistinct`, `dependencies`, `mcv`; none where it is about one expression alone.
    kinds: Vec<String>,
    /// The columns and expressions, as PostgreSQL writes them.
    columns: String,
    /// How much `ANALYZE` collects, where it is not what the columns choose.
    target: Option<i16>,
}

impl Definition for Statistics {
    const KEYWORD: &'static str = "STATISTICS";
    const PRESENT: &'static str = "EXISTS (SELECT oid FROM pg_catalog.pg_statistic_ext)";
    const QUERY: &'static str = "
        SELECT s.tableoid AS classid, s.oid AS objid, 0 AS objsubid, ARRAY[n.nspname, s.stxname] AS names,
            ARRAY[m.nspname, c.relname] AS relation,
            ARRAY(SELECT CASE k.kind WHEN 'd' THEN 'ndistinct' WHEN 'f' THEN 'dependencies' ELSE 'mcv' END
                FROM unnest(s.stxkind) k(kind) WHERE k.kind <> 'e' ORDER BY k.kind) AS kinds,
            pg_catalog.pg_get_statisticsobjdef_columns(s.oid) AS columns, nullif(s.stxstattarget, -1) AS target
        FROM pg_catalog.pg_statistic_ext s JOIN pg_catalog.pg_namespace n ON n.oid = s.stxnamespace
            JOIN pg_catalog.pg_class c ON c.oid = s.stxrelid JOIN pg_catalog.pg_namespace m ON m.oid = c.relnamespace
        WHERE s.oid >= 16384";

    fn create(&self, at: &At) -> Vec<Step> {
        let Self { relation, kinds, columns, target } = self;
        let kinds = if kinds.is_empty() { String::new() } else { format!(" ({})", sql::join(kinds, ", ")) };
        let create = format!("CREATE {}{kinds} ON {columns} FROM {}", at.id, sql::qualified(relation));
        std::iter::once(Step::new(create)).chain(target.map(|_| target_step(at, *target))).collect()
    }

    fn alter(&self, to: &Self, at: &At) -> Alteration {
        let Self { relation, kinds, columns, target } = to;
        if self.relation != *relation || self.kinds != *kinds || self.columns != *columns {
            return Alteration::Replace;
        }
        Alteration::InPlace(vec![target_step(at, *target)])
    }
}

fn target_step(at: &At, target: Option<i16>) -> Step {
    let usual = if at.desired.server.major < 17 { "-1" } else { "DEFAULT" };
    let target = target.map_or_else(|| usual.to_owned(), |it| it.to_string());
    Step::new(format!("ALTER {} SET STATISTICS {target}", at.id))
}
