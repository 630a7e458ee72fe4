//! Columns of views and materialized views: they exist through the query, and carry what can be set on them.

use serde::{Deserialize, Serialize};

use super::options::{self, Options};
use crate::{
    catalog::{Alteration, At, Definition, Kept, Shape, Step},
    sql,
};

/// A column of a view; all but `position` can differ from the defaults in a materialized view only.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ViewColumn {
    position: Kept<i16>,
    /// How much `ANALYZE` collects, where it is not the server's default.
    statistics: Option<i16>,
    /// `PLAIN`, `MAIN`, `EXTERNAL`, `EXTENDED`
    storage: String,
    /// What the column's type chooses.
    usual_storage: Kept<String>,
    /// `pglz`, `lz4`, where it is not the server's default.
    compression: Option<String>,
    /// `n_distinct`, `n_distinct_inherited`
    options: Options,
}

impl Definition for ViewColumn {
    const KEYWORD: &'static str = "COLUMN";
    const SHAPE: Shape = Shape::Column;
    /// Options whose names start with `pg_` are PostgreSQL's own notes: minors of 2026 keep a `pg_attver` for every column, which
    /// nobody can set.
    const QUERY: &'static str = "
        SELECT 'pg_catalog.pg_class'::regclass::oid AS classid, a.attrelid AS objid, a.attnum AS objsubid,
            ARRAY[n.nspname, c.relname, a.attname] AS names, a.attnum AS position,
            nullif(a.attstattarget, -1) AS statistics,
            CASE a.attstorage WHEN 'p' THEN 'PLAIN' WHEN 'm' THEN 'MAIN' WHEN 'e' THEN 'EXTERNAL' ELSE 'EXTENDED'
                END AS storage,
            CASE t.typstorage WHEN 'p' THEN 'PLAIN' WHEN 'm' THEN 'MAIN' WHEN 'e' THEN 'EXTERNAL' ELSE 'EXTENDED'
                END AS usual_storage,
            CASE a.attcompression WHEN 'p' THEN 'pglz' WHEN 'l' THEN 'lz4' END AS compression,
            (SELECT coalesce(pg_catalog.json_object_agg(o.option_name, o.option_value), '{}')
                FROM pg_catalog.pg_options_to_table(a.attoptions) o
                WHERE o.option_name !~ '^pg_') AS options
        FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_class c ON c.oid = a.attrelid
            JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
            JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
        WHERE c.relkind IN ('v', 'm') AND c.oid >= 16384 AND c.relpersistence <> 't' AND a.attnum > 0
            AND NOT a.attisdropped";

    fn create(&self, at: &At) -> Vec<Step> {
        let untouched = Self {
            position: Kept(0),
            statistics: None,
            storage: self.usual_storage.0.clone(),
            usual_storage: Kept::default(),
            compression: None,
            options: Options::new(),
        };
        untouched.changes(self, at)
    }

    fn alter(&self, to: &Self, at: &At) -> Alteration {
        Alteration::InPlace(self.changes(to, at))
    }

    /// The column goes when the view does, or when its query no longer gives it.
    fn drop(&self, _: &At) -> Vec<Step> {
        Vec::new()
    }

    fn position(&self) -> i16 {
        self.position.0
    }
}

impl ViewColumn {
    fn changes(&self, to: &Self, at: &At) -> Vec<Step> {
        let Self { position: _, statistics, storage, usual_storage: _, compression, options } = to;
        let mut actions = Vec::new();
        if self.statistics != *statistics {
            actions.push(format!("SET STATISTICS {}", statistics.unwrap_or(-1)));
        }
        if self.storage != *storage {
            actions.push(format!("SET STORAGE {storage}"));
        }
        if self.compression != *compression {
            actions.push(format!("SET COMPRESSION {}", compression.as_deref().unwrap_or("default")));
        }
        actions.extend(options::actions(&self.options, options));
        let column = sql::ident(at.id.name());
        let relation = at.id.relation();
        let step = |action| Step::new(format!("ALTER MATERIALIZED VIEW {relation} ALTER COLUMN {column} {action}"));
        actions.into_iter().map(step).collect()
    }
}
