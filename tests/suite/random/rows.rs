//! Rows for a random schema: three for each table that can be filled, numbered so that every reference finds its row.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use reconcile::sql;

use super::kinds::Other;
use super::model::{Name, Rule, Schema, Table};

/// How many rows a table gets.
const ROWS: usize = 3;

impl Schema {
    /// The tables that get rows: not those whose row security holds for their owner, nor what refers to such a table.
    pub fn filled(&self) -> BTreeSet<Name> {
        let mut filled: BTreeSet<Name> =
            self.tables.iter().filter(|table| !table.forced).map(|table| table.name.clone()).collect();
        loop {
            let stranded = self.tables.iter().filter(|table| filled.contains(&table.name)).find(|table| {
                table.constraints.iter().any(
                    |constraint| matches!(&constraint.rule, Rule::Foreign(foreign) if !filled.contains(&foreign.table)),
                )
            });
            match stranded {
                Some(table) => filled.remove(&table.name),
                None => return filled,
            };
        }
    }

    /// One statement that fills the tables; all at once, because tables may refer to each other. Empty without tables.
    pub fn rows(&self) -> String {
        let filled = self.filled();
        let mut out = String::new();
        for (i, table) in self.tables.iter().filter(|table| filled.contains(&table.name)).enumerate() {
            let _ = write!(out, "{} rows{i} AS (\n    {}\n)", if i == 0 { "WITH" } else { "," }, self.insert(table));
        }
        if !out.is_empty() {
            out.push_str("\nSELECT 1;\n");
        }
        out.extend(self.others.iter().map(Other::rows));
        out
    }

    fn insert(&self, table: &Table) -> String {
        let columns: Vec<_> = table.columns.iter().filter(|column| !column.generated()).collect();
        let rows: Vec<String> = (1..=ROWS)
            .map(|k| {
                let values: Vec<String> = columns.iter().map(|column| self.value(&column.ty, k)).collect();
                format!("({})", sql::join(values, ", "))
            })
            .collect();
        format!(
            "INSERT INTO {} ({}) OVERRIDING SYSTEM VALUE VALUES {}",
            table.name,
            sql::idents(columns.iter().map(|column| &column.name)),
            sql::join(rows, ", ")
        )
    }
}
