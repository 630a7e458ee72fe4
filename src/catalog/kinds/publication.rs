//! Publications, and what they publish.

use serde::{Deserialize, Serialize};

use crate::{
    catalog::{Alteration, At, Definition, ObjectId, Step},
    sql,
};

/// A publication; its tables and schemas are objects of their own.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Publication {
    /// `FOR ALL TABLES`
    all_tables: bool,
    /// The operations that are published: `insert`, `update`, `delete`, `truncate`.
    publish: Vec<String>,
    /// Whether changes of partitions are published as those of the partitioned table.
    via_root: bool,
    /// Which generated columns are published: `none`, `stored`.
    generated: String,
}

impl Definition for Publication {
    const KEYWORD: &'static str = "PUBLICATION";
    const IN_SCHEMA: bool = false;
    const PRESENT: &'static str = "EXISTS (SELECT oid FROM pg_catalog.pg_publication)";
    const QUERY: &'static str = "
        SELECT tableoid AS classid, oid AS objid, 0 AS objsubid, ARRAY[pubname] AS names, puballtables AS all_tables,
            pubviaroot AS via_root,
            CASE pubgencols WHEN 's' THEN 'stored' ELSE 'none' END AS generated, -- 18+
            'none' AS generated, -- <18
            pg_catalog.array_remove(ARRAY[CASE WHEN pubinsert THEN 'insert' END, CASE WHEN pubupdate THEN 'update' END,
                CASE WHEN pubdelete THEN 'delete' END, CASE WHEN pubtruncate THEN 'truncate' END], NULL) AS publish
        FROM pg_catalog.pg_publication WHERE oid >= 16384";

    fn create(&self, at: &At) -> Vec<Step> {
        let Self { all_tables, publish, via_root, generated } = self;
        let all = if *all_tables { " FOR ALL TABLES" } else { "" };
        let mut options = Vec::new();
        if publish.len() < 4 {
            options.push(published(publish));
        }
        if *via_root {
            options.push(rooted(*via_root));
        }
        if generated != "none" {
            options.push(format!("publish_generated_columns = {generated}"));
        }
        let with = if options.is_empty() { String::new() } else { format!(" WITH ({})", sql::join(options, ", ")) };
        vec![Step::new(format!("CREATE {}{all}{with}", at.id))]
    }

    fn alter(&self, to: &Self, at: &At) -> Alteration {
        let Self { all_tables, publish, via_root, generated } = to;
        if self.all_tables != *all_tables {
            return Alteration::Replace;
        }
        let mut options = Vec::new();
        if self.publish != *publish {
            options.push(published(publish));
        }
        if self.via_root != *via_root {
            options.push(rooted(*via_root));
        }
        if self.generated != *generated {
            options.push(format!("publish_generated_columns = {generated}"));
        }
        Alteration::InPlace(vec![Step::new(format!("ALTER {} SET ({})", at.id, sql::join(options, ", ")))])
    }
}

fn published(operations: &[String]) -> String {
    format!("publish = {}", sql::literal(&sql::join(operations, ", ")))
}

fn rooted(via_root: bool) -> String {
    format!("publish_via_partition_root = {via_root}")
}

/// A table of a publication.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PublicationTable {
    /// Where not all of them are published.
    columns: Option<Vec<String>>,
    /// The condition on rows that are published.
    filter: Option<String>,
}

impl Definition for PublicationTable {
    const KEYWORD: &'static str = "PUBLICATION TABLE";
    const IN_SCHEMA: bool = false;
    const PRESENT: &'static str = "EXISTS (SELECT oid FROM pg_catalog.pg_publication)";
    const QUERY: &'static str = "
        SELECT r.tableoid AS classid, r.oid AS objid, 0 AS objsubid, ARRAY[p.pubname, n.nspname, c.relname] AS names,
            CASE WHEN r.prattrs IS NOT NULL THEN ARRAY(SELECT a.attname FROM pg_catalog.pg_attribute a -- 15+
                WHERE a.attrelid = r.prrelid AND a.attnum = ANY (r.prattrs) ORDER BY a.attnum) END AS columns, -- 15+
            pg_catalog.pg_get_expr(r.prqual, r.prrelid) AS filter -- 15+
            NULL AS columns, NULL AS filter -- <15
        FROM pg_catalog.pg_publication_rel r JOIN pg_catalog.pg_publication p ON p.oid = r.prpubid
            JOIN pg_catalog.pg_class c ON c.oid = r.prrelid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace";

    fn address(id: &ObjectId) -> String {
        let (publication, table) = parts(id);
        format!("{table} IN {publication}")
    }

    fn create(&self, at: &At) -> Vec<Step> {
        let Self { columns, filter } = self;
        let (publication, table) = parts(at.id);
        let columns = columns.as_ref().map(|names| format!(" ({})", sql::idents(names))).unwrap_or_default();
        let filter = filter.as_ref().map(|text| format!(" WHERE ({text})")).unwrap_or_default();
        vec![Step::new(format!("ALTER PUBLICATION {publication} ADD TABLE ONLY {table}{columns}{filter}"))]
    }

    fn alter(&self, to: &Self, at: &At) -> Alteration {
        Alteration::InPlace([self.drop(at), to.create(at)].concat())
    }

    fn drop(&self, at: &At) -> Vec<Step> {
        let (publication, table) = parts(at.id);
        vec![Step::new(format!("ALTER PUBLICATION {publication} DROP TABLE ONLY {table}"))]
    }
}

/// A schema all of whose tables are published.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PublicationSchema {}

impl Definition for PublicationSchema {
    const KEYWORD: &'static str = "PUBLICATION SCHEMA";
    const IN_SCHEMA: bool = false;
    const PRESENT: &'static str = "EXISTS (SELECT oid FROM pg_catalog.pg_publication)";
    const QUERY: &'static str = "
        SELECT r.tableoid AS classid, r.oid AS objid, 0 AS objsubid, ARRAY[p.pubname, n.nspname] AS names -- 15+
        FROM pg_catalog.pg_publication_namespace r JOIN pg_catalog.pg_publication p ON p.oid = r.pnpubid -- 15+
            JOIN pg_catalog.pg_namespace n ON n.oid = r.pnnspid -- 15+
        SELECT 0 AS classid, 0 AS objid, 0 AS objsubid WHERE false -- <15";

    fn address(id: &ObjectId) -> String {
        let (publication, schema) = parts(id);
        format!("{schema} IN {publication}")
    }

    fn create(&self, at: &At) -> Vec<Step> {
        let Self {} = self;
        let (publication, schema) = parts(at.id);
        vec![Step::new(format!("ALTER PUBLICATION {publication} ADD TABLES IN SCHEMA {schema}"))]
    }

    fn drop(&self, at: &At) -> Vec<Step> {
        let (publication, schema) = parts(at.id);
        vec![Step::new(format!("ALTER PUBLICATION {publication} DROP TABLES IN SCHEMA {schema}"))]
    }
}

/// The publication, and what it publishes.
fn parts(id: &ObjectId) -> (String, String) {
    match id.names.split_first() {
        Some((publication, rest)) => (sql::ident(publication), sql::qualified(rest)),
        None => (String::new(), String::new()),
    }
}
