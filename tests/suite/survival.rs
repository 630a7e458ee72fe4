//! Whether rows survive a migration, row by row: a check of its own beside the proof's sums.

use std::collections::{BTreeMap, BTreeSet};

use postgres::Client;
use reconcile::plan::{describe, file::Plan};
use serde_json::{Map, Value};

/// What each table holds, by name; nothing is said of those whose rows are elsewhere.
pub struct Rows(BTreeMap<String, Option<Table>>);

#[derive(Default)]
struct Table {
    /// The table itself, or the partitioned one at the top.
    root: String,
    /// Whether the rows are in partitions.
    partitioned: bool,
    /// The columns that hold values of their own, with their types.
    columns: BTreeMap<String, String>,
    /// Generated columns.
    generated: BTreeSet<String>,
    rows: Vec<Map<String, Value>>,
}

/// The tables, with the types of their columns and what is under domains; the rows of one that has foreign tables as partitions
/// are not all here.
const TABLES: &str = "SELECT c.oid::regclass::text,
        coalesce(CASE WHEN c.relispartition THEN pg_partition_root(c.oid) END, c.oid)::regclass::text,
        CASE c.relkind WHEN 'r' THEN 'ONLY ' ELSE '' END, coalesce(
            (SELECT json_agg(json_build_array(quote_ident(a.attname), a.attname, format_type(a.atttypid, a.atttypmod) ||
                CASE WHEN a.atttypid >= 16384 THEN (WITH RECURSIVE under(oid) AS (
                    SELECT coalesce(nullif(t.typelem, 0), t.oid) FROM pg_type t WHERE t.oid = a.atttypid UNION ALL
                    SELECT b.typbasetype FROM under u JOIN pg_type b ON b.oid = u.oid AND b.typtype = 'd')
                    SELECT ' of ' || string_agg(format_type(u.oid, NULL), ' ') FROM under u) ELSE '' END, a.attgenerated <> '', a.atttypid >= 16384))
            FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped), '[]')::text,
        c.relkind = 'p' AND EXISTS (
            SELECT FROM pg_partition_tree(c.oid) t JOIN pg_class f ON f.oid = t.relid WHERE f.relkind = 'f')
    FROM pg_class c WHERE c.oid >= 16384 AND c.relnamespace::regnamespace::text <> 'reconcile' AND c.relkind IN ('r', 'p')";

impl Rows {
    /// Reads every row of every table. The client may read all of them.
    pub fn read(client: &mut Client) -> Result<Self, String> {
        let failed = |error: postgres::Error| describe(&error);
        client.batch_execute("SET search_path = ''; SET extra_float_digits = 3").map_err(failed)?;
        let mut tables = BTreeMap::new();
        for row in client.query(TABLES, &[]).map_err(failed)? {
            let (name, root, only): (String, String, String) = (row.get(0), row.get(1), row.get(2));
            if row.get(4) {
                tables.insert(name, None);
                continue;
            }
            let columns: Vec<(String, String, String, bool, bool)> = serde_json::from_str(row.get(3)).unwrap();
            // As text, which every type has; what PostgreSQL refers to by number is kept as the number. Attributes that a
            // composite type gains are null in the rows that are there.
            let value = |(quoted, column, data_type, _, own): &(String, String, String, bool, bool)| {
                let value = match data_type.strip_prefix("reg") {
                    Some(rest) if rest.ends_with("[]") => format!("{quoted}::oid[]::text"),
                    Some(_) => format!("{quoted}::oid::text"),
                    None if *own => format!("jsonb_strip_nulls(to_jsonb({quoted}))"),
                    None => format!("{quoted}::text"),
                };
                format!("{}, {value}", reconcile::sql::literal(column))
            };
            let (generated, plain): (Vec<_>, Vec<_>) = columns.into_iter().partition(|column| column.3);
            // A function takes a hundred arguments.
            let pieces: Vec<String> = plain
                .chunks(40)
                .map(|some| format!("jsonb_build_object({})", some.iter().map(value).collect::<Vec<_>>().join(", ")))
                .collect();
            let object = if pieces.is_empty() { "'{}'::jsonb".to_owned() } else { pieces.join(" || ") };
            let query = format!("SELECT ({object})::text FROM {only}{name}");
            let rows = client.query(&query, &[]).map_err(|error| format!("{query}: {}", describe(&error)))?;
            let rows = rows.iter().map(|row| serde_json::from_str(row.get(0)).unwrap()).collect();
            let columns = plain.into_iter().map(|(_, name, data_type, _, _)| (name, data_type)).collect();
            let generated = generated.into_iter().map(|column| column.1).collect();
            tables.insert(name, Some(Table { root, partitioned: only.is_empty(), columns, generated, rows }));
        }
        Ok(Self(tables))
    }

    /// What the plan has lost without saying so.
    pub fn lost(&self, after: &Self, plan: &Plan) -> Vec<String> {
        let losses = &plan.summary.losses;
        let lost = self.0.iter().filter_map(|(name, table)| {
            let table = table.as_ref().filter(|table| !table.partitioned && !table.rows.is_empty())?;
            let why = table.lost(name, after, losses)?;
            // Rows may leave one partition for another of the same table, which may have been a table by itself.
            let whole = self.whole(name, after);
            let merged = |rows: &Self| rows.merged(&whole, losses);
            let as_one = Self(BTreeMap::from([(name.clone(), Some(merged(after)))]));
            (whole.len() == 1 || merged(self).lost(name, &as_one, losses).is_some()).then_some(why)
        });
        lost.collect()
    }

    /// A table, and all with which it makes up one table before or after.
    fn whole(&self, name: &str, after: &Self) -> BTreeSet<String> {
        let mut whole = BTreeSet::from([name.to_owned()]);
        loop {
            let known = whole.len();
            for (name, table) in self.0.iter().chain(&after.0) {
                let Some(Table { root, .. }) = table else { continue };
                if whole.contains(name) || whole.contains(root) {
                    whole.extend([name.clone(), root.clone()]);
                }
            }
            if whole.len() == known {
                return whole;
            }
        }
    }

    /// What some tables hold together, but for those whose loss was announced, in the columns that all of them have.
    fn merged(&self, names: &BTreeSet<String>, losses: &BTreeSet<String>) -> Table {
        let stays = |name: &String| names.contains(name) && !losses.contains(&format!("TABLE {name}"));
        let tables = self.0.iter().filter(|(name, _)| stays(name)).filter_map(|(_, table)| table.as_ref());
        let mut merged: Option<Table> = None;
        for Table { root, columns, generated, rows, .. } in tables.filter(|table| !table.partitioned) {
            let merged = merged.get_or_insert_with(|| Table {
                root: root.clone(),
                columns: columns.clone(),
                generated: generated.clone(),
                ..Table::default()
            });
            let announced = |column: &String| {
                let column = reconcile::sql::ident(column);
                names.iter().any(|table| losses.contains(&format!("COLUMN {table}.{column}")))
            };
            merged.columns.retain(|name, data_type| columns.get(name) == Some(data_type) && !announced(name));
            merged.rows.extend(rows.iter().cloned());
        }
        merged.unwrap_or_default()
    }
}

impl Table {
    fn lost(&self, name: &str, after: &Rows, announced: &BTreeSet<String>) -> Option<String> {
        if announced.contains(&format!("TABLE {name}")) {
            return None;
        }
        let Some(now) = after.0.get(name) else { return Some(format!("table {name} is gone with its rows")) };
        let now = now.as_ref()?;
        if self.rows.len() != now.rows.len() {
            return Some(format!("{name} had {} rows and has {}", self.rows.len(), now.rows.len()));
        }
        let mut kept = Vec::new();
        for (column, data_type) in &self.columns {
            if announced.contains(&format!("COLUMN {name}.{}", reconcile::sql::ident(column))) {
                continue;
            }
            match now.columns.get(column) {
                Some(same) if same == data_type => kept.push(column),
                Some(other) => {
                    let values = |table: &Self| table.rows.iter().filter(|row| !row[column].is_null()).count();
                    if values(now) < values(self) {
                        return Some(format!("values of {name}.{column} are gone, now {other}"));
                    }
                }
                None if now.generated.contains(column) => {}
                None => return Some(format!("column {name}.{column} is gone")),
            }
        }
        let mut free: Vec<&Map<String, Value>> = now.rows.iter().collect();
        let gone = self.rows.iter().find(|row| {
            let same = |other: &&Map<String, Value>| kept.iter().all(|column| is_kept(&row[*column], &other[*column]));
            let at = free.iter().position(same);
            at.map(|at| free.swap_remove(at)).is_none()
        });
        gone.map(|row| format!("{name} has lost {row:?} and has {free:?}"))
    }
}

/// Whether a value is what it was. A composite one may have gained and lost attributes, and its numbers other types.
fn is_kept(before: &Value, now: &Value) -> bool {
    match (before, now) {
        (Value::Object(before), Value::Object(now)) => {
            before.iter().all(|(name, value)| now.get(name).is_none_or(|now| is_kept(value, now)))
        }
        (Value::Array(before), Value::Array(now)) => {
            before.len() == now.len() && before.iter().zip(now).all(|(before, now)| is_kept(before, now))
        }
        (Value::Number(_), Value::Number(_)) => true,
        (Value::Object(_) | Value::Array(_) | Value::Null, _)
        | (_, Value::Object(_) | Value::Array(_) | Value::Null) => before == now,
        // The same text, whatever type it is of.
        (before, now) => text(before) == text(now),
    }
}

/// What a value that has no parts is written as.
fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
