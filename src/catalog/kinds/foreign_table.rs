//! Foreign tables, and the options of their columns.

use serde::{Deserialize, Serialize};

use super::{
    foreign_options::ForeignOptions,
    partition,
    table::{body, relation_slots},
};
use crate::{
    catalog::{Alteration, At, Definition, ObjectId, Shape, Slot, Step, Visit},
    sql,
};

/// A table whose rows are elsewhere.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ForeignTable {
    server: String,
    options: ForeignOptions,
}

impl Definition for ForeignTable {
    const KEYWORD: &'static str = "FOREIGN TABLE";
    const SWAPS: bool = true;
    const IN_THE_WAY: bool = true;
    const HAS_OPTIONS: bool = true;
    const PRESENT: &'static str = "EXISTS (SELECT ftrelid FROM pg_catalog.pg_foreign_table)";
    const QUERY: &'static str = "
        SELECT 'pg_catalog.pg_class'::regclass::oid AS classid, c.oid AS objid, 0 AS objsubid,
            ARRAY[n.nspname, c.relname] AS names, s.srvname AS server,
            (SELECT coalesce(pg_catalog.json_object_agg(o.option_name, o.option_value), '{}')
                FROM pg_catalog.pg_options_to_table(f.ftoptions) o) AS options
        FROM pg_catalog.pg_foreign_table f JOIN pg_catalog.pg_class c ON c.oid = f.ftrelid
            JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
            JOIN pg_catalog.pg_foreign_server s ON s.oid = f.ftserver
        WHERE c.oid >= 16384";

    fn create(&self, at: &At) -> Vec<Step> {
        let Self { server, options } = self;
        let (body, server) = (body(at), sql::ident(server));
        vec![Step::new(format!("CREATE {}{body} SERVER {server}{}", at.id, options.clause()))]
    }

    fn alter(&self, to: &Self, at: &At) -> Alteration {
        let Self { server, options } = to;
        if self.server != *server {
            return Alteration::Replace;
        }
        Alteration::InPlace(vec![Step::new(format!("ALTER {}{}", at.id, self.options.change(options)))])
    }

    fn drop(&self, at: &At) -> Vec<Step> {
        partition::let_go(at).into_iter().chain([Step::new(format!("DROP {}", at.id))]).collect()
    }

    fn slots(&self, id: &ObjectId) -> Vec<Slot> {
        relation_slots(id)
    }

    fn visit_options(&mut self, visit: &mut Visit) {
        self.options.visit(visit);
    }
}

/// The options of a column of a foreign table.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ColumnOptions {
    options: ForeignOptions,
}

impl Definition for ColumnOptions {
    const KEYWORD: &'static str = "OPTIONS OF";
    const HAS_OPTIONS: bool = true;
    const SHAPE: Shape = Shape::About;
    const PRESENT: &'static str = "EXISTS (SELECT ftrelid FROM pg_catalog.pg_foreign_table)";
    const QUERY: &'static str = "
        SELECT 'pg_catalog.pg_class'::regclass::oid AS classid, a.attrelid AS objid, a.attnum AS objsubid,
            (SELECT pg_catalog.json_object_agg(o.option_name, o.option_value)
                FROM pg_catalog.pg_options_to_table(a.attfdwoptions) o) AS options
        FROM pg_catalog.pg_attribute a
        WHERE a.attfdwoptions IS NOT NULL AND a.attnum > 0 AND NOT a.attisdropped";

    fn create(&self, at: &At) -> Vec<Step> {
        let Self { options } = self;
        change(at, &ForeignOptions::default().change(options))
    }

    fn alter(&self, to: &Self, at: &At) -> Alteration {
        let Self { options } = to;
        Alteration::InPlace(change(at, &self.options.change(options)))
    }

    fn drop(&self, at: &At) -> Vec<Step> {
        let Self { options } = self;
        change(at, &options.change(&ForeignOptions::default()))
    }

    fn visit_options(&mut self, visit: &mut Visit) {
        self.options.visit(visit);
    }
}

fn change(at: &At, options: &str) -> Vec<Step> {
    let statement = |of: &ObjectId| {
        let column = sql::ident(of.name());
        Step::new(format!("ALTER FOREIGN TABLE {} ALTER COLUMN {column}{options}", of.relation()))
    };
    at.id.of.as_deref().map(statement).into_iter().collect()
}
