//! Views and materialized views.

use serde::{Deserialize, Serialize};

use super::{
    options::{self, Options},
    row_security,
    table::relation_slots,
};
use crate::{
    catalog::{Alteration, At, Catalog, Definition, Kept, Object, ObjectId, Slot, Step},
    sql,
};

/// What both kinds select, up to their own columns and the `relkind`.
macro_rules! query {
    ($columns:literal, $kind:literal) => {
        concat!(
            "SELECT 'pg_catalog.pg_class'::regclass::oid AS classid, c.oid AS objid, 0 AS objsubid,
                ARRAY[n.nspname, c.relname] AS names,
                pg_catalog.regexp_replace(pg_catalog.pg_get_viewdef(c.oid), ';$', '') AS query,
                (SELECT coalesce(pg_catalog.json_object_agg(o.name, o.value), '{}') FROM (
                    SELECT r.option_name, r.option_value FROM pg_catalog.pg_options_to_table(c.reloptions) r
                    UNION ALL SELECT 'toast.' || r.option_name, r.option_value FROM pg_catalog.pg_class x,
                        pg_catalog.pg_options_to_table(x.reloptions) r WHERE x.oid = c.reltoastrelid
                    ) o (name, value)) AS options,
                (SELECT coalesce(pg_catalog.json_agg(pg_catalog.json_build_object('name', a.attname,
                    'data_type', pg_catalog.format_type(a.atttypid, a.atttypmod),
                    'collation', CASE WHEN a.attcollation <> t.typcollation THEN
                        (SELECT ARRAY[m.nspname, l.collname] FROM pg_catalog.pg_collation l
                            JOIN pg_catalog.pg_namespace m ON m.oid = l.collnamespace WHERE l.oid = a.attcollation) END)
                        ORDER BY a.attnum), '[]')
                    FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
                    WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped) AS columns",
            $columns,
            " FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
                LEFT JOIN pg_catalog.pg_am am ON am.oid = c.relam
                LEFT JOIN pg_catalog.pg_tablespace s ON s.oid = c.reltablespace
            WHERE c.oid >= 16384 AND c.relpersistence <> 't' AND c.relkind = '",
            $kind,
            "'"
        )
    };
}

/// A column that a query gives, which decides whether `CREATE OR REPLACE` is allowed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Given {
    name: String,
    data_type: String,
    collation: Option<Vec<String>>,
}

/// A view.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct View {
    /// As `pg_get_viewdef` writes it, without the semicolon.
    query: String,
    columns: Vec<Given>,
    /// `check_option`, `security_barrier`, `security_invoker`
    options: Options,
}

impl Definition for View {
    const KEYWORD: &'static str = "VIEW";
    const SWAPS: bool = true;
    const IN_THE_WAY: bool = true;
    const QUERY: &'static str = query!("", "v");

    fn create(&self, at: &At) -> Vec<Step> {
        vec![Step::new(format!("CREATE {}", self.spelled(at)))]
    }

    fn alter(&self, to: &Self, at: &At) -> Alteration {
        let Self { query, columns, options } = to;
        if self.query == *query && self.columns == *columns {
            Alteration::InPlace(options::change(&self.options, options, at))
        } else if columns.starts_with(&self.columns) {
            Alteration::InPlace(vec![Step::new(format!("CREATE OR REPLACE {}", to.spelled(at)))])
        } else {
            Alteration::Replace
        }
    }

    fn slots(&self, id: &ObjectId) -> Vec<Slot> {
        relation_slots(id)
    }
}

impl View {
    /// The names and types of its columns.
    pub(super) fn given(&self) -> Vec<(String, String)> {
        given(&self.columns)
    }

    fn spelled(&self, at: &At) -> String {
        let Self { query, columns: _, options } = self;
        // `CREATE OR REPLACE` drops the options that it does not name.
        format!("{}{} AS\n{query}", at.id, options::with(options))
    }
}

/// A materialized view; its indexes are objects of their own.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MaterializedView {
    /// As `pg_get_viewdef` writes it, without the semicolon.
    query: String,
    columns: Vec<Given>,
    options: Options,
    /// Where it is not `heap`.
    access_method: Option<String>,
    /// Where it is not the database's own.
    tablespace: Option<String>,
    /// Whether it can be read. `REFRESH` changes that as it changes rows, hence it is state and not definition.
    populated: Kept<bool>,
}

impl Definition for MaterializedView {
    const KEYWORD: &'static str = "MATERIALIZED VIEW";
    const SWAPS: bool = true;
    const IN_THE_WAY: bool = true;
    const PRESENT: &'static str = "EXISTS (SELECT oid FROM pg_catalog.pg_class WHERE oid >= 16384 AND relkind = 'm')";
    const QUERY: &'static str = query!(
        ", c.relispopulated AS populated, s.spcname AS tablespace,
        CASE WHEN am.amname <> 'heap' THEN am.amname END AS access_method",
        "m"
    );

    fn create(&self, at: &At) -> Vec<Step> {
        let Self { query, columns: _, options, access_method, tablespace, populated } = self;
        let method = access_method.as_ref().map(|name| format!(" USING {}", sql::ident(name))).unwrap_or_default();
        let space = tablespace.as_ref().map(|name| format!(" TABLESPACE {}", sql::ident(name))).unwrap_or_default();
        // pg_dump writes every one of them WITH NO DATA: one that holds rows now must come back with rows.
        let filled = populated.0 || Self::is_filled(at.id, at.current);
        let no_data = if filled { "" } else { "\nWITH NO DATA" };
        let with = options::with(options);
        let step = Step::new(format!("CREATE {}{method}{with}{space} AS\n{query}{no_data}", at.id));
        if filled { row_security::seen(at, step) } else { vec![step] }
    }

    fn alter(&self, to: &Self, at: &At) -> Alteration {
        let Self { query, columns, options, access_method, tablespace, populated: _ } = to;
        // Before 15 the access method of a relation could not change.
        let fixed = self.access_method != *access_method && at.desired.server.major < 15;
        if self.query != *query || self.columns != *columns || fixed {
            return Alteration::Replace;
        }
        let mut steps = options::change(&self.options, options, at);
        if self.access_method != *access_method {
            let method = access_method.as_deref().unwrap_or("heap");
            steps.push(Step::new(format!("ALTER {} SET ACCESS METHOD {}", at.id, sql::ident(method))));
        }
        if self.tablespace != *tablespace {
            let space = tablespace.as_deref().unwrap_or("pg_default");
            steps.push(Step::new(format!("ALTER {} SET TABLESPACE {}", at.id, sql::ident(space))));
        }
        Alteration::InPlace(steps)
    }

    fn slots(&self, id: &ObjectId) -> Vec<Slot> {
        relation_slots(id)
    }
}

fn given(columns: &[Given]) -> Vec<(String, String)> {
    columns.iter().map(|it| (it.name.clone(), it.data_type.clone())).collect()
}

impl MaterializedView {
    /// The names and types of its columns.
    pub(super) fn given(&self) -> Vec<(String, String)> {
        given(&self.columns)
    }

    fn is_filled(id: &ObjectId, catalog: &Catalog) -> bool {
        matches!(catalog.get(id), Some(Object::MaterializedView(view)) if view.populated.0)
    }
}
