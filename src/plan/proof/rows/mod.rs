//! Rows for the copy: values that satisfy types, domains, checks and keys, found by trying and by what PostgreSQL answers.

mod tables;
mod values;

use std::collections::{BTreeMap, BTreeSet};

use postgres::{
    Client, SimpleQueryMessage,
    error::{DbError, SqlState},
};

use crate::plan::rehearsal::describe;
use crate::sql;
use tables::{Column, Table};

/// How many rows a table gets.
const ROWS: usize = 3;
/// How many times a row is tried with other values before it is given up.
const TRIES: usize = 80;

/// Which tables have rows, how many, and which could get none.
#[derive(Debug, Default)]
pub(super) struct Filled {
    /// The number of rows of each table, by its quoted name.
    pub rows: BTreeMap<String, u64>,
    /// The tables without rows, with the reason.
    pub without: BTreeMap<String, String>,
}

/// Puts rows into every table but those to be left out. User triggers are off and forced row security is lifted meanwhile.
///
/// A hint is a statement that mentions values which the rows of a table had better have.
pub(super) fn fill(
    client: &mut Client,
    leave_out: &BTreeSet<String>,
    hints: &BTreeMap<String, String>,
) -> Result<Filled, postgres::Error> {
    let tables = tables::read(client)?;
    let mut filled = Filled::default();
    for table in tables::parents_first(&tables) {
        // What refers to a table without rows may still refer to nothing.
        if leave_out.contains(&table.name) {
            continue;
        }
        client.batch_execute(&table.prepare())?;
        let hint = hints.get(&table.name);
        // Of what a hint mentions, the first value is the likeliest: the lower bound of a partition, which belongs to it.
        let rows = if hint.is_some() { 1 } else { ROWS };
        let mut filling = Filling { table, rows, literals: values::literals(table, hint), references: BTreeMap::new() };
        let outcome = filling.fill(client)?;
        client.batch_execute(&table.restore())?;
        match outcome {
            Ok(rows) => drop(filled.rows.insert(table.name.clone(), rows)),
            Err(why) => drop(filled.without.insert(table.name.clone(), why)),
        }
    }
    Ok(filled)
}

struct Filling<'a> {
    table: &'a Table,
    /// How many rows the table gets.
    rows: usize,
    /// The values to try for each column, the likeliest first.
    literals: BTreeMap<&'a str, Vec<String>>,
    /// For each foreign key, the rows that can be referred to, as lists of literals.
    references: BTreeMap<&'a str, Vec<Vec<String>>>,
}

impl<'a> Filling<'a> {
    fn fill(&mut self, client: &mut Client) -> Result<Result<u64, String>, postgres::Error> {
        for key in &self.table.references {
            let rows = key.rows(client, ROWS)?;
            if rows.is_empty() && key.to != self.table.name && self.must_refer(&key.columns) {
                return Ok(Err(format!("it must refer to {}, which has no rows", key.to)));
            }
            self.references.insert(&key.name, rows);
        }
        let mut rows = 0;
        let mut why = String::new();
        for number in 0..self.rows {
            match self.row(client, number)? {
                Ok(()) => rows += 1,
                Err(error) => why = error,
            }
        }
        Ok(if rows > 0 { Ok(rows) } else { Err(why) })
    }

    fn must_refer(&self, columns: &[String]) -> bool {
        let columns = self.table.columns.iter().filter(|column| columns.contains(&column.name));
        columns.into_iter().all(|column| column.not_null)
    }

    /// Tries to insert one row, with other values for whatever PostgreSQL objects to.
    fn row(&self, client: &mut Client, number: usize) -> Result<Result<(), String>, postgres::Error> {
        let mut choice: BTreeMap<&str, usize> =
            self.table.columns.iter().map(|column| (column.name.as_str(), number)).collect();
        let mut why = String::new();
        for attempt in 0..TRIES {
            let insert = self.insert(&choice, number);
            let Err(error) = client.batch_execute(&insert) else { return Ok(Ok(())) };
            let Some(db) = error.as_db_error() else { return Err(error) };
            why = describe(&error);
            if !self.choose_again(&mut choice, db, attempt) {
                break;
            }
        }
        Ok(Err(why))
    }

    /// Moves on to other values for the columns that an error is about; false when no value can help.
    fn choose_again(&self, choice: &mut BTreeMap<&'a str, usize>, error: &DbError, attempt: usize) -> bool {
        let class = error.code().code().get(..2).unwrap_or_default();
        if class != "22" && class != "23" {
            return false;
        }
        let constraint = error.constraint().and_then(|name| self.table.constraints.get(name));
        let named: Vec<&str> = match (error.column(), constraint) {
            (Some(column), _) => vec![column],
            (None, Some(columns)) => columns.iter().map(String::as_str).collect(),
            // No partition takes the row.
            (None, None) if *error.code() == SqlState::CHECK_VIOLATION => {
                self.table.key_columns.iter().map(String::as_str).collect()
            }
            _ => Vec::new(),
        };
        let mut columns: Vec<&'a str> = self
            .table
            .columns
            .iter()
            .map(|column| column.name.as_str())
            .filter(|name| named.is_empty() || named.contains(name))
            .collect();
        if columns.is_empty() {
            columns = self.table.columns.iter().map(|column| column.name.as_str()).collect();
        }
        // An odometer over the columns in question: the first turns each time, the next when it has come round.
        for name in columns {
            let values = self.literals.get(name).map_or(1, Vec::len).max(1);
            let at = choice.entry(name).or_default();
            *at += 1;
            if !at.is_multiple_of(values) || attempt == 0 {
                return true;
            }
        }
        true
    }

    fn insert(&self, choice: &BTreeMap<&str, usize>, number: usize) -> String {
        let mut names = Vec::new();
        let mut values = Vec::new();
        for column in &self.table.columns {
            let chosen = choice.get(column.name.as_str()).copied().unwrap_or_default();
            if let Some(value) = self.value(column, chosen, number) {
                names.push(sql::ident(&column.name));
                values.push(value);
            }
        }
        if names.is_empty() {
            return format!("INSERT INTO {} DEFAULT VALUES", self.table.name);
        }
        let (names, values) = (sql::join(names, ", "), sql::join(values, ", "));
        format!("INSERT INTO {} ({names}) OVERRIDING SYSTEM VALUE VALUES ({values})", self.table.name)
    }

    /// The value of a column; nothing where PostgreSQL makes it.
    fn value(&self, column: &Column, chosen: usize, number: usize) -> Option<String> {
        if column.generated || column.identity {
            return None;
        }
        for key in &self.table.references {
            if let Some(at) = key.columns.iter().position(|name| *name == column.name) {
                let rows = self.references.get(key.name.as_str()).filter(|rows| !rows.is_empty());
                let value = rows.and_then(|rows| rows[chosen % rows.len()].get(at).cloned());
                return Some(value.unwrap_or_else(|| "NULL".to_owned()));
            }
        }
        // The first row takes the defaults, unless they have been refused.
        if column.has_default && number == 0 && chosen == 0 {
            return None;
        }
        let values = self.literals.get(column.name.as_str()).filter(|values| !values.is_empty());
        Some(values.map_or_else(|| "NULL".to_owned(), |values| values[chosen % values.len()].clone()))
    }
}

/// Whether a statement mentions values.
pub(super) fn says_something(sql: &str) -> bool {
    !values::mentioned_in(sql).is_empty()
}

/// The first column of every row of a query, as text.
fn texts(client: &mut Client, query: &str) -> Result<Vec<String>, postgres::Error> {
    let messages = client.simple_query(query)?;
    Ok(messages
        .into_iter()
        .filter_map(|message| match message {
            SimpleQueryMessage::Row(row) => Some(row.get(0).unwrap_or_default().to_owned()),
            _ => None,
        })
        .collect())
}
