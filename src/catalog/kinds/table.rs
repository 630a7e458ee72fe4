//! Tables; what stands in them are objects of their own.

use serde::{Deserialize, Serialize};

use super::{
    Kind,
    options::{self, Options},
};
use crate::{
    catalog::{Alteration, At, Definition, Hazard, ObjectId, Slot, Space, Step},
    sql,
};

/// An ordinary table.
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
}

impl Definition for Table {
    const KEYWORD: &'static str = "TABLE";
    const HOLDS_DATA: bool = true;
    const QUERY: &'static str = "
        SELECT 'pg_catalog.pg_class'::regclass::oid AS classid, c.oid AS objid, 0 AS objsubid,
            ARRAY[n.nspname, c.relname] AS names, c.relpersistence = 'u' AS unlogged,
            c.relrowsecurity AS row_security, nullif(am.amname, 'heap') AS access_method, s.spcname AS tablespace,
            (SELECT coalesce(pg_catalog.json_object_agg(o.option_name, o.option_value), '{}') FROM (
                SELECT * FROM pg_catalog.pg_options_to_table(c.reloptions) UNION ALL
                SELECT 'toast.' || option_name, option_value FROM pg_catalog.pg_options_to_table(x.reloptions)) o) AS options
        FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
            LEFT JOIN pg_catalog.pg_am am ON am.oid = c.relam
            LEFT JOIN pg_catalog.pg_tablespace s ON s.oid = c.reltablespace
            LEFT JOIN pg_catalog.pg_class x ON x.oid = c.reltoastrelid
        WHERE c.relkind = 'r' AND c.oid >= 16384 AND c.relpersistence <> 't'";

    fn create(&self, at: &At) -> Vec<Step> {
        let Self { unlogged, row_security, access_method, options, tablespace } = self;
        let unlogged = if *unlogged { "UNLOGGED " } else { "" };
        let body =
            if at.parts.is_empty() { String::new() } else { format!("\n    {}\n", sql::join(at.parts, ",\n    ")) };
        let mut text = format!("CREATE {unlogged}{} ({body})", at.id);
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
        let Self { unlogged, row_security, access_method, options, tablespace } = to;
        let mut steps = options::change(&self.options, options, at);
        if self.access_method != *access_method {
            if at.desired.server.major < 15 {
                return Alteration::Replace;
            }
            let method = access_method.as_deref().unwrap_or("heap");
            steps.push(Step::new(format!("ALTER {} SET ACCESS METHOD {}", at.id, sql::ident(method))));
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
        vec![Step::new(format!("DROP {}", at.id)).hazard(Hazard::Loss { what: at.id.to_string() })]
    }

    /// A table that is logged may not refer to one that is not.
    fn waits_for(&self, to: &Self, at: &At) -> Vec<ObjectId> {
        if self.unlogged == to.unlogged {
            return Vec::new();
        }
        let columns = at.current.dependents(at.id).filter(|(id, _)| id.kind == Kind::Column);
        let keys = columns.flat_map(|(column, _)| at.current.dependents(column).map(|(key, _)| key));
        let keys = keys.filter(|key| key.kind == Kind::ForeignKey);
        let table = |id: &ObjectId| ObjectId::new(Kind::Table, id.names.iter().take(2).cloned());
        let others = keys.flat_map(|key| {
            let referenced = at.current.referenced(key).map(|(column, _)| table(column));
            if to.unlogged { vec![table(key)] } else { referenced.filter(|it| *it != table(key)).collect() }
        });
        others.filter(|other| other != at.id).collect()
    }

    fn slots(&self, id: &ObjectId) -> Vec<Slot> {
        relation_slots(id)
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
