//! Guards: queries that must return no row before a step runs.

use std::fmt;

use postgres::{Client, GenericClient, SimpleQueryMessage};

use super::Error;
use crate::{
    catalog::Guard,
    plan::file::{Plan, Step},
};

/// How many rows are shown.
const SHOWN: usize = 20;

/// Rows that stand in the way of a step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// The step's number, from 1.
    pub number: usize,
    /// The step's statement.
    pub sql: String,
    /// What must hold, in one sentence.
    pub requires: String,
    /// The names of the columns of the rows.
    pub columns: Vec<String>,
    /// The rows, as text; `None` is null.
    pub rows: Vec<Vec<Option<String>>>,
}

impl fmt::Display for Standing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut table = comfy_table::Table::new();
        table.load_style(comfy_table::presets::ASCII_MARKDOWN).set_header(&self.columns);
        for row in self.rows.iter().take(SHOWN) {
            table.add_row(row.iter().map(|value| value.as_deref().unwrap_or("(null)")));
        }
        write!(f, "rows stand in the way of step {}: {}\n{table}", self.number, self.requires)?;
        match self.rows.len().checked_sub(SHOWN) {
            Some(more) if more > 0 => write!(f, "\n… and {more} more"),
            _ => Ok(()),
        }
    }
}

/// Checks the guards of all steps that are still to be done, before anything is changed.
///
/// One that cannot be asked yet, because it speaks of what an earlier step makes, is asked right before its step.
pub(super) fn before(client: &mut Client, plan: &Plan, done: usize) -> Result<(), Error> {
    for (number, step) in plan.steps.iter().enumerate().skip(done) {
        for guard in &step.guards {
            let mut transaction = client
                .build_transaction()
                .read_only(true)
                .start()
                .map_err(Error::postgres("check what the steps require"))?;
            let asked = ask(&mut transaction, guard);
            drop(transaction);
            match asked {
                Ok(None) => {}
                Ok(Some(found)) => return Err(standing(number + 1, step, guard, found)),
                Err(error) if error.is_closed() => return Err(Error::postgres("check what the steps require")(error)),
                Err(_) => {}
            }
        }
    }
    Ok(())
}

/// What went wrong right before a step.
pub(super) enum Refused {
    /// Rows stand in the way.
    Rows(Error),
    /// The query failed.
    Query(String, postgres::Error),
}

/// Checks the guards of one step.
pub(super) fn of(client: &mut impl GenericClient, number: usize, step: &Step) -> Result<(), Refused> {
    for guard in &step.guards {
        match ask(client, guard) {
            Ok(None) => {}
            Ok(Some(found)) => return Err(Refused::Rows(standing(number, step, guard, found))),
            Err(error) => return Err(Refused::Query(guard.query.clone(), error)),
        }
    }
    Ok(())
}

type Found = (Vec<String>, Vec<Vec<Option<String>>>);

fn ask(client: &mut impl GenericClient, guard: &Guard) -> Result<Option<Found>, postgres::Error> {
    let mut found: Found = Default::default();
    for message in client.simple_query(&guard.query)? {
        if let SimpleQueryMessage::Row(row) = message {
            if found.0.is_empty() {
                found.0 = row.columns().iter().map(|column| column.name().to_owned()).collect();
            }
            found.1.push((0..row.len()).map(|at| row.get(at).map(str::to_owned)).collect());
        }
    }
    Ok(Some(found).filter(|(_, rows)| !rows.is_empty()))
}

fn standing(number: usize, step: &Step, guard: &Guard, (columns, rows): Found) -> Error {
    let (sql, requires) = (step.sql.clone(), guard.requires.clone());
    Error::Guard(Box::new(Standing { number, sql, requires, columns, rows }))
}
