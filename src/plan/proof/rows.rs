//! Rows for the copy: values that satisfy types, domains, checks and keys.

use std::collections::{BTreeMap, BTreeSet};

use postgres::{Client, SimpleQueryMessage};

/// Which tables have rows, how many, and which could get none.
#[derive(Debug, Default)]
pub(super) struct Filled {
    /// The number of rows of each table, by its quoted name.
    pub rows: BTreeMap<String, u64>,
    /// The tables without rows, with the reason.
    pub without: BTreeMap<String, String>,
}

/// Puts rows into every table but those to be left out.
pub(super) fn fill(client: &mut Client, leave_out: &BTreeSet<String>) -> Result<Filled, postgres::Error> {
    let tables = client.simple_query(
        "SELECT pg_catalog.quote_ident(n.nspname) || '.' || pg_catalog.quote_ident(c.relname)
        FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
        WHERE c.relkind = 'r' AND c.oid >= 16384 ORDER BY c.oid",
    )?;
    let mut filled = Filled::default();
    for message in tables {
        let SimpleQueryMessage::Row(row) = message else { continue };
        let table = row.get(0).unwrap_or_default().to_owned();
        if leave_out.contains(&table) {
            continue;
        }
        match client.batch_execute(&format!("INSERT INTO {table} DEFAULT VALUES")) {
            Ok(()) => drop(filled.rows.insert(table, 1)),
            Err(error) => drop(filled.without.insert(table, super::describe(&error))),
        }
    }
    Ok(filled)
}
