//! How a column of a table is stored and analysed.

use serde::{Deserialize, Serialize};

use super::{
    lineage,
    options::{self, Options},
};
use crate::{
    catalog::{Alteration, At, Catalog, Definition, Kept, Kind, Object, ObjectId, Shape, Step},
    sql,
};

/// The settings of a column, where they are not all that its type and the server choose; an object about the column.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ColumnSettings {
    /// `PLAIN`, `MAIN`, `EXTERNAL`, `EXTENDED`, where it is not what the column's type chooses.
    storage: Option<String>,
    /// What the column's type chooses.
    usual_storage: Kept<String>,
    /// `pglz`, `lz4`
    compression: Option<String>,
    /// How much `ANALYZE` collects.
    statistics: Option<i16>,
    /// `n_distinct`, `n_distinct_inherited`
    options: Options,
}

impl Definition for ColumnSettings {
    const KEYWORD: &'static str = "SETTINGS OF";
    const SHAPE: Shape = Shape::About;
    /// Options whose names start with `pg_` are PostgreSQL's own notes: minors of 2026 keep a `pg_attver` for every column, which
    /// nobody can set.
    const QUERY: &'static str = "
        SELECT 'pg_catalog.pg_class'::regclass::oid AS classid, a.attrelid AS objid, a.attnum AS objsubid,
            CASE WHEN a.attstorage <> t.typstorage THEN
                CASE a.attstorage WHEN 'p' THEN 'PLAIN' WHEN 'm' THEN 'MAIN' WHEN 'e' THEN 'EXTERNAL' ELSE 'EXTENDED' END
                END AS storage,
            CASE t.typstorage WHEN 'p' THEN 'PLAIN' WHEN 'm' THEN 'MAIN' WHEN 'e' THEN 'EXTERNAL' ELSE 'EXTENDED' END
                AS usual_storage,
            CASE a.attcompression WHEN 'p' THEN 'pglz' WHEN 'l' THEN 'lz4' END AS compression,
            nullif(a.attstattarget, -1) AS statistics,
            (SELECT coalesce(pg_catalog.json_object_agg(o.option_name, o.option_value), '{}')
                FROM pg_catalog.pg_options_to_table(a.attoptions) o
                WHERE o.option_name !~ '^pg_') AS options
        FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_class c ON c.oid = a.attrelid
            JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
        WHERE c.relkind IN ('r', 'p', 'f') AND c.oid >= 16384 AND c.relpersistence <> 't' AND a.attnum > 0
            AND NOT a.attisdropped AND (a.attstorage <> t.typstorage OR a.attcompression <> ''
                OR coalesce(a.attstattarget, -1) <> -1 OR EXISTS (
                    SELECT FROM pg_catalog.pg_options_to_table(a.attoptions) o WHERE o.option_name !~ '^pg_'))";

    fn create(&self, at: &At) -> Vec<Step> {
        self.untouched().changes(self, at)
    }

    fn alter(&self, to: &Self, at: &At) -> Alteration {
        Alteration::InPlace(self.changes(to, at))
    }

    fn drop(&self, at: &At) -> Vec<Step> {
        self.changes(&self.untouched(), at)
    }
}

impl ColumnSettings {
    fn untouched(&self) -> Self {
        let usual_storage = self.usual_storage.clone();
        Self { storage: None, usual_storage, compression: None, statistics: None, options: Options::new() }
    }

    fn changes(&self, to: &Self, at: &At) -> Vec<Step> {
        let Self { storage, usual_storage, compression, statistics, options } = to;
        let mut actions = Vec::new();
        if self.storage != *storage {
            actions.push(format!("SET STORAGE {}", storage.as_ref().unwrap_or(&usual_storage.0)));
        }
        if self.compression != *compression {
            actions.push(format!("SET COMPRESSION {}", compression.as_deref().unwrap_or("default")));
        }
        if self.statistics != *statistics {
            actions.push(format!("SET STATISTICS {}", statistics.unwrap_or(-1)));
        }
        actions.extend(options::actions(&self.options, options));
        let Some(column) = at.id.of.as_deref() else { return Vec::new() };
        let below = [at.current, at.desired].iter().any(|it| lineage::has_children(it, lineage::relation(column)));
        actions.into_iter().map(|action| set(column, below, &action)).collect()
    }
}

/// What brings back the settings that PostgreSQL resets when the type of a column changes.
pub(super) fn after_type_change(column: &ObjectId, desired: &Catalog) -> Vec<Step> {
    let about = ObjectId::about(Kind::ColumnSettings, column);
    let mut steps = Vec::new();
    if let Some(Object::ColumnSettings(settings)) = desired.get(&about) {
        let storage = settings.storage.iter().map(|it| format!("SET STORAGE {it}"));
        let compression = settings.compression.iter().map(|it| format!("SET COMPRESSION {it}"));
        let below = lineage::has_children(desired, lineage::relation(column));
        steps.extend(storage.chain(compression).map(|action| set(column, below, &action)));
    }
    steps.extend(index_targets(column, desired));
    steps
}

/// What lets the columns follow that leave the storage to their type, the one at `at`, which has changed it: they keep what it
/// was when they were made.
pub(super) fn after_storage_change(storage: &str, at: &At) -> Vec<Step> {
    let follows = |id: &&ObjectId| {
        let about = ObjectId::about(Kind::ColumnSettings, id);
        let chosen = |catalog: &Catalog| matches!(catalog.get(&about), Some(Object::ColumnSettings(settings)) if settings.storage.is_some());
        // Arrays have a storage of their own.
        let direct = matches!(at.current.get(id), Some(Object::Column(column)) if !column.data_type().ends_with(']'));
        direct && at.persists(id) && !chosen(at.current) && !chosen(at.desired)
    };
    let columns = at.current.dependents(at.id).map(|(id, _)| id).filter(follows);
    let below = |id: &ObjectId| lineage::has_children(at.current, lineage::relation(id));
    columns.map(|id| set(id, below(id), &format!("SET STORAGE {}", storage.to_uppercase()))).collect()
}

/// What brings back the statistics targets of the indexes of a column, which are made anew when its values are, but for
/// those that have stepped aside.
pub(super) fn index_targets(column: &ObjectId, desired: &Catalog) -> Vec<Step> {
    let targets = |id: &ObjectId| match desired.get(id) {
        Some(Object::Index(index)) => index.targets(&format!("INDEX IF EXISTS {}", id.address())),
        _ => Vec::new(),
    };
    desired.dependents(column).flat_map(|(dependent, _)| targets(dependent)).collect()
}

/// Those of the columns below are their own.
pub(super) fn set(column: &ObjectId, below: bool, action: &str) -> Step {
    let (only, name) = (if below { "ONLY " } else { "" }, sql::ident(column.name()));
    Step::new(format!("ALTER TABLE {only}{} ALTER COLUMN {name} {action}", column.relation()))
}
