//! Rows for the copy: values that satisfy types, domains, checks and keys, found by trying and by what PostgreSQL answers.

mod dial;
mod pattern;
mod tables;
mod values;

use std::collections::{BTreeMap, BTreeSet};

use postgres::{
    Client,
    error::{DbError, SqlState},
};

use crate::plan::rehearsal::describe;
use crate::sql;
use dial::Dial;
use tables::Table;

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
/// A hint is a statement that other rows of a table did not fit: it gets one, with values that the statement mentions.
pub(super) fn fill(
    client: &mut Client,
    leave_out: &BTreeSet<String>,
    hints: &BTreeMap<String, String>,
) -> Result<Filled, postgres::Error> {
    let tables = tables::read(client)?;
    // All of them: rows of one table are read for what refers to it.
    for table in &tables {
        client.batch_execute(&table.prepare())?;
    }
    let filled = fill_all(client, &tables, leave_out, hints)?;
    for table in &tables {
        client.batch_execute(&table.restore())?;
    }
    Ok(filled)
}

fn fill_all(
    client: &mut Client,
    tables: &[Table],
    leave_out: &BTreeSet<String>,
    hints: &BTreeMap<String, String>,
) -> Result<Filled, postgres::Error> {
    let mut filled = Filled::default();
    // What refers to a table without rows may still refer to nothing.
    let mut left: Vec<&Table> = tables::parents_first(tables);
    left.retain(|table| !leave_out.contains(&table.name));
    // Of tables that refer to each other, one may have to wait for the other.
    loop {
        let before = left.len();
        let mut waiting = Vec::new();
        for table in left {
            match fill_one(client, table, hints.get(&table.name))? {
                Ok(rows) => {
                    filled.without.remove(&table.name);
                    filled.rows.insert(table.name.clone(), rows);
                }
                Err(empty) => {
                    filled.without.insert(table.name.clone(), empty.to_string());
                    if matches!(empty, Empty::Refers(_)) {
                        waiting.push(table);
                    }
                }
            }
        }
        if waiting.is_empty() || waiting.len() == before {
            return Ok(filled);
        }
        left = waiting;
    }
}

/// Why a table has no rows.
#[derive(Debug, thiserror::Error)]
enum Empty {
    /// It must refer to another table.
    #[error("it must refer to {0}, which has no rows")]
    Refers(String),
    /// PostgreSQL refuses every row.
    #[error("{0}")]
    Refused(String),
}

/// Puts rows into one table, and says how many.
fn fill_one(client: &mut Client, table: &Table, hint: Option<&String>) -> Result<Result<u64, Empty>, postgres::Error> {
    let mut dials = Vec::new();
    for key in &table.references {
        let dial = Dial::of_key(table, key, key.rows(client, ROWS)?);
        if dial.options.is_empty() {
            return Ok(Err(Empty::Refers(key.to.clone())));
        }
        dials.push(dial);
    }
    // Keys that share columns agree with the smaller ones.
    dials.sort_by_key(|dial| dial.columns.len());
    let chosen = table.columns.iter().filter(|column| !column.generated && !column.identity);
    dials.extend(chosen.map(|column| Dial::of_column(column, values::literals(table, column, hint))));
    // Of what a hint mentions, the first value is the likeliest: the lower bound of a partition, which belongs to it.
    let wanted = if hint.is_some() { 1 } else { ROWS };
    let mut filling = Filling { table, dials, narrowed: false };
    let mut rows = 0;
    let mut why = String::new();
    for number in 0..wanted {
        match filling.row(client, number)? {
            Ok(()) => rows += 1,
            Err(error) => why = error,
        }
    }
    Ok(if rows > 0 { Ok(rows) } else { Err(Empty::Refused(why)) })
}

struct Filling<'a> {
    table: &'a Table,
    /// What can be chosen, foreign keys first.
    dials: Vec<Dial<'a>>,
    /// Whether PostgreSQL has been asked which values satisfy the checks.
    narrowed: bool,
}

impl<'a> Filling<'a> {
    /// Tries to insert one row, with other values for whatever PostgreSQL objects to.
    fn row(&mut self, client: &mut Client, number: usize) -> Result<Result<(), String>, postgres::Error> {
        let mut choice = vec![number; self.dials.len()];
        let mut why = String::new();
        for attempt in 0..TRIES {
            let Err(error) = client.batch_execute(&self.insert(&choice, number)) else { return Ok(Ok(())) };
            let Some(db) = error.as_db_error() else { return Err(error) };
            why = describe(&error);
            let class = db.code().code().get(..2).unwrap_or_default();
            if class != "22" && class != "23" {
                break;
            }
            if !self.narrowed && (class == "22" || *db.code() == SqlState::CHECK_VIOLATION) {
                self.narrowed = true;
                dial::narrow(&mut self.dials, &self.table.checks, client)?;
                choice = vec![number; self.dials.len()];
            } else {
                self.choose_again(&mut choice, db, attempt);
            }
        }
        Ok(Err(why))
    }

    /// Moves on to other values for the columns that an error is about.
    fn choose_again(&self, choice: &mut [usize], error: &DbError, attempt: usize) {
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
        let about = |dial: &Dial| dial.columns.iter().any(|column| named.contains(&column.name.as_str()));
        let all = !self.dials.iter().any(about);
        // An odometer over the dials in question: the first turns each time, the next when it has come round.
        for (at, dial) in choice.iter_mut().zip(&self.dials).filter(|(_, dial)| all || about(dial)) {
            *at += 1;
            if !at.is_multiple_of(dial.options.len().max(1)) || attempt == 0 {
                return;
            }
        }
    }

    fn insert(&self, choice: &[usize], number: usize) -> String {
        let mut row: BTreeMap<&str, &str> = BTreeMap::new();
        for (dial, chosen) in self.dials.iter().zip(choice) {
            // The first row takes the defaults, unless they have been refused.
            if !(dial.has_default && number == 0 && *chosen == 0 && !self.narrowed) {
                dial.choose(*chosen, &mut row);
            }
        }
        if row.is_empty() {
            return format!("INSERT INTO {} DEFAULT VALUES", self.table.name);
        }
        let (names, values) = (sql::join(row.keys().map(|name| sql::ident(name)), ", "), sql::join(row.values(), ", "));
        format!("INSERT INTO {} ({names}) OVERRIDING SYSTEM VALUE VALUES ({values})", self.table.name)
    }
}
