//! The tables of the copy, as far as their rows are concerned.

use std::collections::{BTreeMap, BTreeSet};

use postgres::Client;
use serde::Deserialize;

use crate::{plan::proof::answer::texts, sql};

/// A table to be filled.
#[derive(Debug, Deserialize)]
pub(super) struct Table {
    /// Quoted and qualified.
    pub name: String,
    /// `FORCE ROW LEVEL SECURITY`, which holds for the owner as well.
    forced: bool,
    pub columns: Vec<Column>,
    /// The columns that decide into which partition a row goes.
    pub key_columns: Vec<String>,
    pub references: Vec<Reference>,
    /// The columns of each constraint and unique index, by name.
    pub constraints: BTreeMap<String, Vec<String>>,
    /// The expressions of its checks and of its columns' domains.
    pub checks: Vec<Check>,
    /// Its user triggers and those of its partitions, whose states need not be the same: the table, quoted and qualified,
    /// the trigger, and the word that brings it back to its state.
    triggers: Vec<(String, String, String)>,
}

/// A column.
#[derive(Debug, Deserialize)]
pub(super) struct Column {
    pub name: String,
    /// As DDL writes it.
    pub data_type: String,
    pub base: BaseType,
    pub not_null: bool,
    pub has_default: bool,
    pub identity: bool,
    pub generated: bool,
}

/// What is under a type's domains, and under its array.
#[derive(Debug, Deserialize)]
pub(super) struct BaseType {
    /// `pg_type.typname`.
    pub name: String,
    /// `pg_type.typtype`: base, composite, enum, range, multirange.
    pub kind: String,
    pub array: bool,
    /// The longest text, or the number of bits, where limited.
    pub length: Option<usize>,
    /// The labels of an enum.
    pub labels: Vec<String>,
    /// The types of the attributes of a composite type that is not inside another one.
    #[serde(default)]
    pub attributes: Vec<BaseType>,
    /// The subtype's `typname` of a range.
    pub subtype: Option<String>,
}

/// A check, and which of the columns it speaks of.
#[derive(Debug, Deserialize)]
pub(super) struct Check {
    /// What must hold for a row of the table; or, of a domain or a partition, the definition.
    pub expression: String,
    pub columns: Vec<String>,
    /// Whether it is about a row of the table.
    pub on_table: bool,
}

/// A foreign key.
#[derive(Debug, Deserialize)]
pub(super) struct Reference {
    pub columns: Vec<String>,
    /// The referenced table, quoted and qualified.
    pub to: String,
    pub to_columns: Vec<String>,
}

impl Reference {
    /// Rows of the referenced table, each as the literals of the referenced columns.
    pub fn rows(&self, client: &mut Client, limit: usize) -> Result<Vec<Vec<String>>, postgres::Error> {
        let values = self.to_columns.iter().map(|name| format!("quote_nullable({}::text)", sql::ident(name)));
        let list = sql::join(values, ", ");
        let query = format!("SELECT json_build_array({list}) FROM {} ORDER BY ctid LIMIT {limit}", self.to);
        let rows = texts(client, &query)?;
        Ok(rows.iter().filter_map(|row| serde_json::from_str(row).ok()).collect())
    }
}

impl Table {
    /// Turns off what would keep rows out for reasons that are no definitions of rows.
    pub fn prepare(&self) -> String {
        let mut statements = Vec::new();
        if self.forced {
            statements.push(format!("ALTER TABLE {} NO FORCE ROW LEVEL SECURITY", self.name));
        }
        let off = |(table, trigger, _): &(String, String, String)| {
            format!("ALTER TABLE ONLY {table} DISABLE TRIGGER {}", sql::ident(trigger))
        };
        statements.extend(self.triggers.iter().map(off));
        sql::join(statements, "; ")
    }

    /// Undoes [`Table::prepare`].
    pub fn restore(&self) -> String {
        let mut statements = Vec::new();
        if self.forced {
            statements.push(format!("ALTER TABLE {} FORCE ROW LEVEL SECURITY", self.name));
        }
        let on = |(table, trigger, word): &(String, String, String)| {
            format!("ALTER TABLE ONLY {table} {word} TRIGGER {}", sql::ident(trigger))
        };
        statements.extend(self.triggers.iter().map(on));
        sql::join(statements, "; ")
    }
}

/// What is under the type of the attribute `a`: `b` under its domains, `t`, and `e` under its array.
const UNDER: &str = "JOIN base b ON b.top = a.atttypid JOIN pg_catalog.pg_type t ON t.oid = b.oid
            LEFT JOIN base be ON be.top = t.typelem AND t.typcategory = 'A'
            JOIN pg_catalog.pg_type e ON e.oid = coalesce(be.oid, t.oid)";

/// The members of a [`BaseType`] but for its attributes.
const PLAIN: &str = "'name', e.typname, 'kind', e.typtype, 'array', t.oid <> e.oid,
                'length', CASE WHEN greatest(a.atttypmod, b.typmod) > 0 THEN CASE
                    WHEN e.typname IN ('varchar', 'bpchar') THEN greatest(a.atttypmod, b.typmod) - 4
                    WHEN e.typname IN ('bit', 'varbit') THEN greatest(a.atttypmod, b.typmod) END END,
                'labels', ARRAY(SELECT enumlabel FROM pg_catalog.pg_enum WHERE enumtypid = e.oid ORDER BY enumsortorder),
                'subtype', (SELECT s.typname FROM pg_catalog.pg_range r JOIN pg_catalog.pg_type s ON s.oid = r.rngsubtype
                    WHERE e.oid IN (r.rngtypid, r.rngmultitypid))";

const QUERY: &str = "
WITH RECURSIVE under AS (
    SELECT t.oid AS top, t.oid, t.typbasetype, t.typtype, -1 AS typmod FROM pg_catalog.pg_type t
    UNION ALL
    SELECT u.top, t.oid, t.typbasetype, t.typtype, d.typtypmod
    FROM under u JOIN pg_catalog.pg_type d ON d.oid = u.oid JOIN pg_catalog.pg_type t ON t.oid = u.typbasetype
    WHERE u.typtype = 'd'
), base AS (SELECT top, oid, typmod FROM under WHERE typtype <> 'd'
), keys AS (
    SELECT d.objid AS oid, a.attname AS name
    FROM pg_catalog.pg_depend d JOIN pg_catalog.pg_attribute a ON a.attrelid = d.objid AND a.attnum = d.objsubid
    WHERE d.classid = 'pg_catalog.pg_class'::regclass AND d.refclassid = d.classid AND d.refobjid = d.objid
        AND d.objsubid > 0 AND d.refobjsubid = 0 AND d.deptype = 'i'
), names AS (
    SELECT c.oid, pg_catalog.quote_ident(n.nspname) || '.' || pg_catalog.quote_ident(c.relname) AS name, c.relforcerowsecurity
    FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND c.oid >= 16384
        AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d WHERE d.classid = 'pg_catalog.pg_class'::regclass
            AND d.objid = c.oid AND d.deptype = 'e')
)
SELECT json_build_object('name', c.name, 'forced', c.relforcerowsecurity,
    'columns', (SELECT coalesce(json_agg(json_build_object(
            'name', a.attname, 'data_type', pg_catalog.format_type(a.atttypid, a.atttypmod), 'not_null', a.attnotnull,
            'has_default', a.atthasdef, 'identity', a.attidentity <> '', 'generated', a.attgenerated <> '',
            'base', {whole}) ORDER BY a.attnum), '[]')
        FROM pg_catalog.pg_attribute a {under}
        WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped),
    'key_columns', (SELECT coalesce(json_agg(DISTINCT k.name), '[]') FROM keys k JOIN pg_catalog.pg_partition_tree(c.oid) t
        ON t.relid = k.oid),
    'references', (SELECT coalesce(json_agg(json_build_object('to', r.name,
            'columns', ARRAY(SELECT a.attname FROM unnest(k.conkey) WITH ORDINALITY u(n, i) JOIN pg_catalog.pg_attribute a
                ON a.attrelid = k.conrelid AND a.attnum = u.n ORDER BY u.i),
            'to_columns', ARRAY(SELECT a.attname FROM unnest(k.confkey) WITH ORDINALITY u(n, i) JOIN pg_catalog.pg_attribute a
                ON a.attrelid = k.confrelid AND a.attnum = u.n ORDER BY u.i)) ORDER BY k.conname), '[]')
        FROM pg_catalog.pg_constraint k JOIN names r ON r.oid = k.confrelid WHERE k.conrelid = c.oid AND k.contype = 'f'),
    'constraints', (SELECT coalesce(json_object_agg(k.name, k.columns), '{}') FROM (
        SELECT k.conname AS name, ARRAY(SELECT a.attname FROM pg_catalog.pg_attribute a
            WHERE a.attrelid = c.oid AND a.attnum = ANY (k.conkey)) AS columns
        FROM pg_catalog.pg_constraint k WHERE k.conrelid = c.oid
        UNION
        SELECT i.relname, ARRAY(SELECT a.attname FROM pg_catalog.pg_attribute a
            WHERE a.attrelid = c.oid AND a.attnum = ANY (x.indkey))
        FROM pg_catalog.pg_index x JOIN pg_catalog.pg_class i ON i.oid = x.indexrelid
        WHERE x.indrelid = c.oid AND x.indisunique AND NOT EXISTS (
            SELECT FROM pg_catalog.pg_constraint k WHERE k.conrelid = c.oid AND k.conname = i.relname)) k),
    'checks', (SELECT coalesce(json_agg(json_build_object('expression', k.expression, 'columns', k.columns,
            'on_table', k.on_table)), '[]') FROM (
        SELECT pg_catalog.pg_get_expr(k.conbin, k.conrelid) AS expression, ARRAY(SELECT a.attname FROM pg_catalog.pg_attribute a
            WHERE a.attrelid = c.oid AND a.attnum = ANY (k.conkey)) AS columns, true AS on_table
        FROM pg_catalog.pg_constraint k WHERE k.conrelid = c.oid AND k.contype = 'c'
        UNION ALL
        SELECT pg_catalog.pg_get_constraintdef(k.oid), ARRAY[a.attname], false
        FROM pg_catalog.pg_attribute a JOIN under u ON u.top = a.atttypid
            JOIN pg_catalog.pg_constraint k ON k.contypid = u.oid
        WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
        UNION ALL
        SELECT pg_catalog.pg_get_expr(p.relpartbound, p.oid), ARRAY(SELECT k.name FROM keys k WHERE k.oid = t.parentrelid), false
        FROM pg_catalog.pg_partition_tree(c.oid) t JOIN pg_catalog.pg_class p ON p.oid = t.relid AND p.relispartition
        ORDER BY 1) k),
    'triggers', (SELECT coalesce(json_agg(json_build_array(
            pg_catalog.quote_ident(n.nspname) || '.' || pg_catalog.quote_ident(r.relname), t.tgname,
            CASE t.tgenabled WHEN 'O' THEN 'ENABLE' WHEN 'R' THEN 'ENABLE REPLICA' ELSE 'ENABLE ALWAYS' END)
            ORDER BY n.nspname, r.relname, t.tgname), '[]')
        FROM pg_catalog.pg_trigger t JOIN pg_catalog.pg_class r ON r.oid = t.tgrelid
            JOIN pg_catalog.pg_namespace n ON n.oid = r.relnamespace
        WHERE (r.oid = c.oid OR r.oid IN (SELECT relid FROM pg_catalog.pg_partition_tree(c.oid)))
            AND (NOT t.tgisinternal OR t.tgparentid <> 0) AND t.tgenabled <> 'D'
            AND NOT EXISTS (SELECT FROM pg_catalog.pg_constraint k WHERE k.oid = t.tgconstraint AND k.contype = 'f')))
FROM names c ORDER BY c.name COLLATE \"C\"";

/// Reads every table that can be filled.
pub(super) fn read(client: &mut Client) -> Result<Vec<Table>, postgres::Error> {
    let whole = format!(
        "json_build_object({PLAIN}, 'attributes', (SELECT coalesce(json_agg(json_build_object({PLAIN}) ORDER BY a.attnum), '[]')
            FROM (SELECT e.typrelid) o JOIN pg_catalog.pg_attribute a ON a.attrelid = o.typrelid AND a.attnum > 0
                AND NOT a.attisdropped {UNDER}))"
    );
    let found = texts(client, &QUERY.replace("{whole}", &whole).replace("{under}", UNDER))?;
    Ok(found.iter().filter_map(|text| serde_json::from_str(text).ok()).collect())
}

/// The tables, each after those to which it refers, as far as they do not refer to each other in a ring.
pub(super) fn parents_first(tables: &[Table]) -> Vec<&Table> {
    let by_name: BTreeMap<&str, &Table> = tables.iter().map(|table| (table.name.as_str(), table)).collect();
    let mut seen = BTreeSet::new();
    let mut ordered = Vec::new();
    for table in tables {
        visit(table, &by_name, &mut seen, &mut ordered);
    }
    ordered
}

fn visit<'a>(
    table: &'a Table,
    by_name: &BTreeMap<&str, &'a Table>,
    seen: &mut BTreeSet<&'a str>,
    ordered: &mut Vec<&'a Table>,
) {
    if !seen.insert(&table.name) {
        return;
    }
    for parent in table.references.iter().filter_map(|key| by_name.get(key.to.as_str())) {
        visit(parent, by_name, seen, ordered);
    }
    ordered.push(table);
}
