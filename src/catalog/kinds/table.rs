//! Tables; what stands in them are objects of their own.

use serde::{Deserialize, Serialize};

use super::{
    Kind, Object, foreign_key, gather, inheritance, inherited_not_null,
    options::{self, Options},
    partition, row_type, transfer, typed_table,
};
use crate::{
    catalog::{Alteration, At, Catalog, Definition, Hazard, Kept, Manner, ObjectId, Slot, Space, Step, Transfer},
    sql,
};

/// An ordinary or a partitioned table.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Table {
    /// Not crash-safe, not replicated.
    unlogged: bool,
    /// `ENABLE ROW LEVEL SECURITY`
    row_security: bool,
    /// Where it is not `heap`.
    access_method: Option<String>,
    /// With those of the table that holds long values: `toast.autovacuum_enabled`.
    options: Options,
    /// Where it is not the database's own.
    tablespace: Option<String>,
    /// Of a partitioned table, whose rows are in its partitions: `RANGE (at)`.
    partition_key: Option<String>,
    /// The columns that the partition key names or uses, whose types cannot change.
    key_columns: Kept<Vec<String>>,
}

impl Definition for Table {
    const KEYWORD: &'static str = "TABLE";
    const HOLDS_DATA: bool = true;
    const SWAPS: bool = true;
    // Beside it, there would be two tables with rows.
    const IN_THE_WAY: bool = true;
    const QUERY: &'static str = "
        SELECT 'pg_catalog.pg_class'::regclass::oid AS classid, c.oid AS objid, 0 AS objsubid,
            ARRAY[n.nspname, c.relname] AS names, c.relpersistence = 'u' AS unlogged,
            c.relrowsecurity AS row_security, pg_catalog.pg_get_partkeydef(c.oid) AS partition_key,
            ARRAY(SELECT a.attname FROM pg_catalog.pg_depend d
                JOIN pg_catalog.pg_attribute a ON a.attrelid = d.objid AND a.attnum = d.objsubid
                WHERE d.classid = 'pg_catalog.pg_class'::regclass AND d.objid = c.oid AND d.objsubid > 0
                    AND d.refclassid = d.classid AND d.refobjid = d.objid AND d.refobjsubid = 0 AND d.deptype = 'i'
                ORDER BY a.attnum) AS key_columns,
            CASE WHEN c.relkind = 'p' OR am.amname <> 'heap' THEN am.amname END AS access_method, s.spcname AS tablespace,
            (SELECT coalesce(pg_catalog.json_object_agg(o.option_name, o.option_value), '{}') FROM (
                SELECT * FROM pg_catalog.pg_options_to_table(c.reloptions) UNION ALL
                SELECT 'toast.' || option_name, option_value FROM pg_catalog.pg_options_to_table(x.reloptions)) o) AS options
        FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
            LEFT JOIN pg_catalog.pg_am am ON am.oid = c.relam
            LEFT JOIN pg_catalog.pg_tablespace s ON s.oid = c.reltablespace
            LEFT JOIN pg_catalog.pg_class x ON x.oid = c.reltoastrelid
        WHERE c.relkind IN ('r', 'p') AND c.oid >= 16384 AND c.relpersistence <> 't'";

    fn create(&self, at: &At) -> Vec<Step> {
        let Self { unlogged, row_security, access_method, options, tablespace, partition_key, key_columns: _ } = self;
        let unlogged = if *unlogged { "UNLOGGED " } else { "" };
        let mut text = format!("CREATE {unlogged}{}{}", at.id, body(at));
        if let Some(key) = partition_key {
            text.push_str(&format!(" PARTITION BY {key}"));
        }
        if let Some(method) = access_method {
            text.push_str(&format!(" USING {}", sql::ident(method)));
        }
        text.push_str(&options::with(options));
        if let Some(tablespace) = tablespace {
            text.push_str(&format!(" TABLESPACE {}", sql::ident(tablespace)));
        }
        let mut steps = vec![Step::new(text)];
        steps.extend(security(at, *row_security, false));
        steps
    }

    fn alter(&self, to: &Self, at: &At) -> Alteration {
        let Self { unlogged, row_security, access_method, options, tablespace, partition_key, key_columns: _ } = to;
        if self.partition_key != *partition_key {
            return Alteration::Replace;
        }
        let mut steps = options::change(&self.options, options, at);
        if self.access_method != *access_method {
            if at.desired.server.major < 15 {
                return Alteration::Replace;
            }
            let method = access_method.as_deref().map(sql::ident);
            // A partitioned table without one leaves the choice to its partitions.
            let none = if partition_key.is_some() { "DEFAULT" } else { "heap" };
            let method = method.as_deref().unwrap_or(none);
            steps.push(Step::new(format!("ALTER {} SET ACCESS METHOD {method}", at.id)));
        }
        if self.tablespace != *tablespace {
            let tablespace = tablespace.as_deref().unwrap_or("pg_default");
            steps.push(Step::new(format!("ALTER {} SET TABLESPACE {}", at.id, sql::ident(tablespace))));
        }
        if self.unlogged != *unlogged {
            let word = if *unlogged { "UNLOGGED" } else { "LOGGED" };
            steps.push(Step::new(format!("ALTER {} SET {word}", at.id)));
        }
        steps.extend(security(at, *row_security, self.row_security));
        Alteration::InPlace(steps)
    }

    fn drop(&self, at: &At) -> Vec<Step> {
        let step = Step::new(format!("DROP {}", at.id));
        let fits = gather::all_go_over(at);
        let lost = if transfer::goes_over(at) {
            transfer::losses(at)
        } else if self.is_partitioned() || transfer::goes_up(at) || fits.is_some() {
            // The rows of a partitioned table are in its partitions.
            Vec::new()
        } else {
            vec![Hazard::Loss { what: at.id.to_string() }]
        };
        let step = lost.into_iter().fold(step, Step::hazard);
        let step = fits.into_iter().fold(step, Step::guard);
        partition::let_go(at).into_iter().chain([step]).collect()
    }

    /// A table that is logged may not refer to one that is not.
    fn waits_for(&self, to: &Self, at: &At) -> Vec<ObjectId> {
        if self.unlogged == to.unlogged {
            return Vec::new();
        }
        let table = |id: &ObjectId| ObjectId::new(Kind::Table, id.names.iter().take(2).cloned());
        let others = foreign_key::around(at.current, at.id).flat_map(|key| {
            if !at.desired.contains(key) {
                return vec![key.clone()];
            }
            let referenced = at.current.referenced(key).map(|(column, _)| table(column));
            if to.unlogged { vec![table(key)] } else { referenced.filter(|it| *it != table(key)).collect() }
        });
        others.filter(|other| other != at.id).collect()
    }

    /// The same goes for foreign keys that are made.
    fn precedes(&self, at: &At) -> Vec<ObjectId> {
        match at.current.get(at.id) {
            Some(Object::Table(from)) if from.unlogged != self.unlogged => {
                foreign_key::around(at.desired, at.id).filter(|key| at.is_made(key)).cloned().collect()
            }
            _ => Vec::new(),
        }
    }

    fn rewrites(&self, _: Manner, at: &At) -> bool {
        let Some(Object::Table(from)) = at.current.get(at.id) else { return false };
        !self.is_partitioned() && (self.unlogged != from.unlogged || self.access_method != from.access_method)
    }

    fn held_by(&self, at: &At, side: &Catalog) -> Vec<ObjectId> {
        if at.persists(at.id) { row_type::holders(side, at.id) } else { Vec::new() }
    }

    fn transfer(&self, at: &At) -> Option<Transfer> {
        transfer::transfer(at)
    }

    fn slots(&self, id: &ObjectId) -> Vec<Slot> {
        relation_slots(id)
    }
}

impl Table {
    /// Whether the partition key uses a column, so that its type cannot change.
    pub(super) fn has_key_column(&self, name: &str) -> bool {
        self.key_columns.0.iter().any(|column| column == name)
    }

    /// Whether policies decide who sees which rows.
    pub(super) fn has_row_security(&self) -> bool {
        self.row_security
    }

    /// Whether the table has partitions instead of rows.
    pub(super) fn is_partitioned(&self) -> bool {
        self.partition_key.is_some()
    }
}

/// What follows the name of a new table: its type, its columns and constraints, what it inherits.
pub(super) fn body(at: &At) -> String {
    let (inside, inherits) = inheritance::apart(at.parts);
    let declared = inherited_not_null::clauses(at);
    let inside = inside.into_iter().chain(&declared).collect();
    let (inside, of_type) = typed_table::apart(inside);
    let lines = sql::join(&inside, ",\n    ");
    match (inside.is_empty(), of_type.is_empty()) {
        (true, true) => format!(" (){inherits}"),
        (true, false) => of_type,
        (false, _) => format!("{of_type} (\n    {lines}\n){inherits}"),
    }
}

/// The names that a relation with a row type takes.
pub(super) fn relation_slots(id: &ObjectId) -> Vec<Slot> {
    vec![Slot(Space::Relation, id.names.clone()), Slot(Space::Type, id.names.clone())]
}

fn security(at: &At, to: bool, from: bool) -> Option<Step> {
    let word = if to { "ENABLE" } else { "DISABLE" };
    (to != from).then(|| Step::new(format!("ALTER {} {word} ROW LEVEL SECURITY", at.id)))
}
