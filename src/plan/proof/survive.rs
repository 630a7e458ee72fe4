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
    /// The sum over the values, which is that of two tables where their rows come together.
    sum: i128,
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
        let found = rows(client, COLUMNS)?;
        let roots: BTreeSet<&String> = found
            .iter()
            .filter_map(|row| match row.as_slice() {
                [table, root, ..] if wanted.contains(table) => Some(root),
                _ => None,
            })
            .collect();
        for row in &found {
            if let [table, root, partitioned, column, data_type] = row.as_slice()
                && (wanted.contains(table) || wanted.contains(root) || roots.contains(root))
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
    /// Rows may leave one partition for another of the same table, one that was a table by itself among them, and a table may
    /// become partitioned.
    pub fn lost(&self, client: &mut Client, losses: &BTreeSet<String>) -> Result<Vec<String>, postgres::Error> {
        let roots = self.tables.values().map(|table| &table.root);
        let now = Self::of(client, &self.tables.keys().chain(roots).collect())?;
        let mut lost = Vec::new();
        for (name, before) in self.tables.iter().filter(|(_, table)| !table.partitioned) {
            let lacks = before.missing(name, &now, losses);
            if !lacks.is_empty() && !self.stays_together(name, &now, losses) {
                lost.extend(lacks);
            }
        }
        Ok(lost)
    }

    /// Whether the rows of a table and of those with which it makes up one table, before or after, are there as a whole.
    fn stays_together(&self, name: &str, now: &Snapshot, losses: &BTreeSet<String>) -> bool {
        let mut whole = BTreeSet::from([name]);
        loop {
            let known = whole.len();
            for (table, Table { root, .. }) in self.tables.iter().chain(&now.tables) {
                if whole.contains(table.as_str()) || whole.contains(root.as_str()) {
                    whole.extend([table.as_str(), root.as_str()]);
                }
            }
            if whole.len() == known {
                break;
            }
        }
        whole.retain(|table| !losses.contains(&format!("TABLE {table}")));
        let (before, after) = (self.total(&whole), now.total(&whole));
        whole.len() > 1 && before.compare(name, &after, &announced(&whole, name, losses)).is_empty()
    }

    /// What some tables hold together.
    fn total(&self, names: &BTreeSet<&str>) -> Table {
        let mut total = Table::new("", false);
        let tables = self.tables.iter().filter(|(name, table)| names.contains(name.as_str()) && !table.partitioned);
        for (_, table) in tables {
            total.rows += table.rows;
            for (name, column) in &table.columns {
                let sum = total.columns.entry(name.clone()).or_insert_with(|| column.empty());
                if sum.data_type != column.data_type {
                    // What is written in different ways has no sum.
                    sum.data_type.clear();
                }
                sum.values += column.values;
                sum.sum = sum.sum.wrapping_add(column.sum);
            }
        }
        total
    }
}

/// The columns whose loss was announced for any of some tables, as if it had been for one of them.
fn announced(whole: &BTreeSet<&str>, name: &str, losses: &BTreeSet<String>) -> BTreeSet<String> {
    let columns = losses.iter().filter_map(|loss| loss.strip_prefix("COLUMN "));
    let of_one = |column: &str| {
        let column = whole.iter().find_map(|table| column.strip_prefix(table)?.strip_prefix('.'))?;
        Some(format!("COLUMN {name}.{column}"))
    };
    columns.filter_map(of_one).collect()
}

impl Column {
    /// Whether values are written alike.
    fn is_like(&self, other: &Self) -> bool {
        !self.data_type.is_empty() && self.data_type == other.data_type
    }

    fn empty(&self) -> Self {
        Self { data_type: self.data_type.clone(), ..Self::default() }
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
                ", count({name}::text), sum(pg_catalog.hashtextextended({name}::text COLLATE \"C\", 0))"
            ));
        }
        query.push_str(&format!(" FROM {}{table}", if self.partitioned { "" } else { "ONLY " }));
        let mut found = rows(client, &query)?.into_iter().flatten();
        let mut next = || found.next().unwrap_or_default();
        self.rows = next().parse().unwrap_or_default();
        for column in self.columns.values_mut() {
            column.values = next().parse().unwrap_or_default();
            column.sum = next().parse().unwrap_or_default();
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
                Some(now) if now.is_like(before) && now.sum != before.sum => {
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
