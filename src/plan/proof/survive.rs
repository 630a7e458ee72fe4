//! Whether rows survive: what tables hold is summed up before a plan and after it.

use std::collections::{BTreeMap, BTreeSet};

use postgres::Client;

use super::{answer::rows, rows::Filled};
use crate::sql;

/// What tables hold, as sums that do not depend on the order of rows.
#[derive(Debug)]
pub(super) struct Snapshot {
    tables: BTreeMap<String, Table>,
}

#[derive(Debug)]
struct Table {
    /// The table itself, or the partitioned table at the top of those to which it belongs.
    root: String,
    /// Whether the rows are in partitions.
    partitioned: bool,
    rows: u64,
    /// The columns that have values of their own.
    columns: BTreeMap<String, Column>,
}

#[derive(Debug, Default)]
struct Column {
    /// The type, with all that its values are made of.
    data_type: String,
    /// How many values there are.
    values: u64,
    /// The sum over the values.
    sum: String,
}

/// The rows of foreign tables are elsewhere, and so are some of those of a partitioned table that has them as partitions.
///
/// Table, the table at the top, whether it is partitioned, column, and its type with all that its values are made of, by which one can tell whether they are written alike.
const COLUMNS: &str = "SELECT pg_catalog.quote_ident(n.nspname) || '.' || pg_catalog.quote_ident(c.relname),
        coalesce((SELECT pg_catalog.quote_ident(m.nspname) || '.' || pg_catalog.quote_ident(r.relname)
            FROM pg_catalog.pg_class r JOIN pg_catalog.pg_namespace m ON m.oid = r.relnamespace
            WHERE c.relispartition AND r.oid = pg_catalog.pg_partition_root(c.oid)),
            pg_catalog.quote_ident(n.nspname) || '.' || pg_catalog.quote_ident(c.relname)), c.relkind = 'p',
        a.attname, pg_catalog.concat_ws(' ', pg_catalog.format_type(a.atttypid, a.atttypmod),
            CASE WHEN a.atttypid >= 16384 THEN (
                WITH RECURSIVE inside(type, what) AS (
                    SELECT a.atttypid, '' COLLATE \"C\" UNION
                    SELECT part.type, part.what FROM inside JOIN pg_catalog.pg_type t ON t.oid = inside.type, LATERAL (
                        SELECT t.typelem, '' WHERE t.typelem <> 0 UNION ALL
                        SELECT t.typbasetype, pg_catalog.format_type(t.typbasetype, t.typtypmod) WHERE t.typbasetype <> 0
                        UNION ALL SELECT r.rngsubtype, pg_catalog.format_type(r.rngsubtype, NULL)
                            FROM pg_catalog.pg_range r WHERE t.oid IN (r.rngtypid, r.rngmultitypid) UNION ALL
                        SELECT b.atttypid, pg_catalog.concat_ws(' ', t.typname, b.attnum, b.attname,
                                pg_catalog.format_type(b.atttypid, b.atttypmod))
                            FROM pg_catalog.pg_attribute b
                            WHERE b.attrelid = t.typrelid AND b.attnum > 0 AND NOT b.attisdropped) part(type, what))
                SELECT pg_catalog.string_agg(inside.what, ',' ORDER BY inside.what) FROM inside) END)
    FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
        LEFT JOIN pg_catalog.pg_attribute a
            ON c.oid = a.attrelid AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
    WHERE c.relkind IN ('r', 'p') AND c.oid >= 16384 AND NOT EXISTS (
        SELECT FROM pg_catalog.pg_partition_tree(CASE WHEN c.relkind = 'p' THEN c.oid END) t
            JOIN pg_catalog.pg_class f ON f.oid = t.relid WHERE f.relkind = 'f')
    ORDER BY c.oid, a.attnum";

impl Snapshot {
    /// Sums up the tables that have rows, with their partitions.
    pub fn take(client: &mut Client, filled: &Filled) -> Result<Self, postgres::Error> {
        Self::of(client, &filled.rows.keys().collect())
    }

    fn of(client: &mut Client, wanted: &BTreeSet<&String>) -> Result<Self, postgres::Error> {
        let mut tables: BTreeMap<String, Table> = BTreeMap::new();
        for row in rows(client, COLUMNS)? {
            if let [table, root, partitioned, column, data_type] = row.as_slice()
                && (wanted.contains(table) || wanted.contains(root))
            {
                let table = tables.entry(table.clone()).or_insert_with(|| Table::new(root, partitioned == "t"));
                if !column.is_empty() {
                    table.columns.insert(column.clone(), Column { data_type: data_type.clone(), ..Column::default() });
                }
            }
        }
        for (name, table) in &mut tables {
            table.sum_up(client, name)?;
        }
        Ok(Self { tables })
    }

    /// What has become of the rows, where it is not among the losses that were announced.
    ///
    /// Rows may leave one partition for another of the same table, and a table may become partitioned.
    pub fn lost(&self, client: &mut Client, losses: &BTreeSet<String>) -> Result<Vec<String>, postgres::Error> {
        let roots = self.tables.values().map(|table| &table.root);
        let now = Self::of(client, &self.tables.keys().chain(roots).collect())?;
        let mut lost = Vec::new();
        for (name, before) in self.tables.iter().filter(|(_, table)| !table.partitioned) {
            let whole = self.tables.get(&before.root).filter(|_| before.root != *name);
            let lacks = before.missing(name, &now, losses);
            if !lacks.is_empty() && whole.is_none_or(|whole| !whole.missing(&before.root, &now, losses).is_empty()) {
                lost.extend(lacks);
            }
        }
        Ok(lost)
    }
}

impl Table {
    fn new(root: &str, partitioned: bool) -> Self {
        Self { root: root.to_owned(), partitioned, rows: 0, columns: BTreeMap::new() }
    }

    fn sum_up(&mut self, client: &mut Client, table: &str) -> Result<(), postgres::Error> {
        let mut query = "SELECT count(*)".to_owned();
        for (column, Column { data_type, .. }) in &self.columns {
            // What PostgreSQL refers to by number is written as the name that it has at the moment.
            let name = match data_type.strip_prefix("reg").map(|rest| rest.ends_with("[]")) {
                None => sql::ident(column),
                Some(false) => format!("{}::oid", sql::ident(column)),
                Some(true) => format!("{}::oid[]", sql::ident(column)),
            };
            query.push_str(&format!(
                ", count({name}::text), md5(string_agg({name}::text, ',' ORDER BY {name}::text COLLATE \"C\"))"
            ));
        }
        query.push_str(&format!(" FROM {}{table}", if self.partitioned { "" } else { "ONLY " }));
        let mut found = rows(client, &query)?.into_iter().flatten();
        let mut next = || found.next().unwrap_or_default();
        self.rows = next().parse().unwrap_or_default();
        for column in self.columns.values_mut() {
            column.values = next().parse().unwrap_or_default();
            column.sum = next();
        }
        Ok(())
    }

    /// What has become of the rows of the table, where it is not announced.
    fn missing(&self, name: &str, now: &Snapshot, losses: &BTreeSet<String>) -> Vec<String> {
        match now.tables.get(name) {
            _ if losses.contains(&format!("TABLE {name}")) => Vec::new(),
            None if self.rows == 0 => Vec::new(),
            None => vec![format!("table {name} is gone with {} rows", self.rows)],
            Some(after) => self.compare(name, after, losses),
        }
    }

    fn compare(&self, table: &str, after: &Self, losses: &BTreeSet<String>) -> Vec<String> {
        let mut lost = Vec::new();
        if self.rows != after.rows {
            lost.push(format!("table {table} had {} rows and has {}", self.rows, after.rows));
        }
        for (name, before) in &self.columns {
            let column = |table: &str| format!("{table}.{}", sql::ident(name));
            let announced = |table: &str| losses.contains(&format!("COLUMN {}", column(table)));
            // The values of a partition's column are those of the partitioned table's.
            if announced(table) || announced(&self.root) {
                continue;
            }
            let column = column(table);
            match after.columns.get(name) {
                Some(now) if now.data_type == before.data_type && now.sum != before.sum => {
                    lost.push(format!("the values of column {column} have changed"));
                }
                Some(now) if now.values < before.values => {
                    lost.push(format!("column {column} had {} values and has {}", before.values, now.values));
                }
                Some(_) => {}
                None => lost.push(format!("column {column} is gone with {} values", before.values)),
            }
        }
        lost
    }
}
