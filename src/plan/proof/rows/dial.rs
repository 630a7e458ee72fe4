//! What can be chosen for a row: the values of columns that are chosen together, and which of them satisfy the checks.

use std::collections::BTreeMap;

use postgres::Client;

use super::tables::{Check, Column, Reference, Table};
use crate::{plan::proof::answer::texts, sql};

/// How many combinations of values PostgreSQL looks at to find some that satisfy the checks.
const COMBINATIONS: usize = 5_000;
/// How many combinations are kept.
const KEPT: usize = 24;

/// Columns whose values are chosen together: one column, those of a foreign key, those of which a check speaks.
#[derive(Debug)]
pub(super) struct Dial<'a> {
    pub columns: Vec<&'a Column>,
    /// What the columns can be, the likeliest first: a literal for each column.
    pub options: Vec<Vec<String>>,
    /// Whether there is a default to be tried first.
    pub has_default: bool,
    /// Whether all options are values that are there.
    valid: bool,
}

impl<'a> Dial<'a> {
    pub fn of_column(column: &'a Column, literals: Vec<String>) -> Self {
        let options = literals.into_iter().map(|literal| vec![literal]).collect();
        Self { columns: vec![column], options, has_default: column.has_default, valid: false }
    }

    /// The rows that a foreign key can refer to, and no row at all where it may be null. Whoever may refer to itself leaves the
    /// choice to the columns.
    pub fn of_key(table: &'a Table, key: &Reference, rows: Vec<Vec<String>>) -> Self {
        let find = |name: &String| table.columns.iter().find(|column| column.name == *name);
        let columns: Vec<&Column> = key.columns.iter().filter_map(find).collect();
        let typed = |literal: String, column: &&Column| format!("{literal}::{}", column.data_type);
        let mut options: Vec<Vec<String>> = rows
            .into_iter()
            .map(|row| row.into_iter().zip(&columns).map(|(it, column)| typed(it, column)).collect())
            .collect();
        let nullable: Vec<&Column> = columns.iter().filter(|column| !column.not_null).copied().collect();
        if options.is_empty() && nullable.is_empty() && key.to == table.name {
            return Self { columns: Vec::new(), options: vec![Vec::new()], has_default: false, valid: true };
        }
        if nullable.len() == columns.len() {
            options.push(columns.iter().map(|column| typed("NULL".to_owned(), column)).collect());
        } else if options.is_empty() && !nullable.is_empty() {
            // One null is enough, and the rest is free.
            let options = vec![nullable.iter().map(|column| typed("NULL".to_owned(), column)).collect()];
            return Self { columns: nullable, options, has_default: false, valid: true };
        }
        Self { columns, options, has_default: false, valid: true }
    }

    /// Puts an option into a row: the chosen one, or the next one that agrees with what the row has by now.
    pub fn choose<'b>(&'b self, chosen: usize, row: &mut BTreeMap<&'b str, &'b str>) {
        let options = self.options.iter().cycle().skip(chosen % self.options.len().max(1)).take(self.options.len());
        let named = |option: &'b Vec<String>| self.columns.iter().map(|it| it.name.as_str()).zip(option);
        let agrees = |option: &&'b Vec<String>| {
            named(option).all(|(name, literal)| row.get(name).is_none_or(|other| other == literal))
        };
        if let Some(option) = options.clone().find(agrees).or_else(|| options.clone().next()) {
            for (name, literal) in named(option) {
                row.entry(name).or_insert(literal);
            }
        }
    }

    /// Leaves only the options that PostgreSQL takes for values of their types.
    fn keep_valid(&mut self, client: &mut Client) -> Result<(), postgres::Error> {
        if std::mem::replace(&mut self.valid, true) {
            return Ok(());
        }
        let mut takes = |options: &[Vec<String>]| {
            let query = format!("SELECT {}", sql::join(options.iter().flatten(), ", "));
            answered(client.batch_execute(&query)).map(|answer| answer.is_some())
        };
        if takes(&self.options)? {
            return Ok(());
        }
        let mut kept = Vec::new();
        for option in &self.options {
            if takes(std::slice::from_ref(option))? {
                kept.push(option.clone());
            }
        }
        if !kept.is_empty() {
            self.options = kept;
        }
        Ok(())
    }
}

/// Narrows the choice to values of the types, and to combinations of them that satisfy the checks, wherever some do.
pub(super) fn narrow(dials: &mut Vec<Dial>, checks: &[Check], client: &mut Client) -> Result<(), postgres::Error> {
    for dial in dials.iter_mut() {
        dial.keep_valid(client)?;
    }
    // Dials of which one check speaks are chosen together, and so are those that share one with them.
    let mut together: Vec<(Vec<usize>, Vec<&str>)> = Vec::new();
    for check in checks.iter().filter(|check| check.on_table) {
        let owner =
            |name: &String| dials.iter().position(|dial| dial.columns.iter().any(|column| column.name == *name));
        let Some(mut numbers) = check.columns.iter().map(owner).collect::<Option<Vec<usize>>>() else { continue };
        let mut expressions = vec![check.expression.as_str()];
        together.retain_mut(|(others, theirs)| {
            let apart = !others.iter().any(|number| numbers.contains(number));
            if !apart {
                numbers.append(others);
                expressions.append(theirs);
            }
            apart
        });
        numbers.sort_unstable();
        numbers.dedup();
        together.push((numbers, expressions));
    }
    for (numbers, expressions) in together {
        let joined: Vec<&Dial> = numbers.iter().filter_map(|number| dials.get(*number)).collect();
        if let Some(dial) = combined(&joined, &expressions, client)? {
            // The first takes the place of all; numbers stay as they are.
            for number in numbers.iter().skip(1) {
                dials[*number] =
                    Dial { columns: Vec::new(), options: vec![Vec::new()], has_default: false, valid: true };
            }
            if let Some(first) = numbers.first() {
                dials[*first] = dial;
            }
        }
    }
    dials.retain(|dial| !dial.columns.is_empty());
    // What has been found to satisfy the checks comes before what may be chosen freely.
    dials.sort_by_key(|dial| dial.columns.len() < 2);
    Ok(())
}

/// One dial in the place of several: combinations that satisfy the expressions. Nothing where PostgreSQL finds none.
fn combined<'a>(
    dials: &[&Dial<'a>],
    expressions: &[&str],
    client: &mut Client,
) -> Result<Option<Dial<'a>>, postgres::Error> {
    let mut options: Vec<Vec<&Vec<String>>> = dials.iter().map(|dial| dial.options.iter().collect()).collect();
    while options.iter().map(Vec::len).product::<usize>() > COMBINATIONS {
        // The last one says that there is no value.
        let Some(longest) = options.iter_mut().max_by_key(|options| options.len()) else { break };
        let keep = longest.len() / 2;
        longest.drain(keep..longest.len() - 1);
    }
    let mut from = Vec::new();
    let mut columns: Vec<(&'a Column, String)> = Vec::new();
    let mut agreements = vec!["true".to_owned()];
    for (number, (dial, options)) in dials.iter().zip(&options).enumerate() {
        let rows = options.iter().enumerate().map(|(at, option)| format!("({at}, {})", sql::join(option.iter(), ", ")));
        let names = (0..dial.columns.len()).map(|at| format!("c{at}"));
        from.push(format!("(VALUES {}) d{number}(i, {})", sql::join(rows, ", "), sql::join(names, ", ")));
        for (at, column) in dial.columns.iter().enumerate() {
            let value = format!("d{number}.c{at}");
            match columns.iter().find(|(other, _)| other.name == column.name) {
                Some((_, other)) => agreements.push(format!("{value} IS NOT DISTINCT FROM {other}")),
                None => columns.push((column, value)),
            }
        }
    }
    let picks = sql::join((0..dials.len()).map(|number| format!("d{number}.i")), ", ");
    let values = columns.iter().map(|(column, value)| format!("{value} AS {}", sql::ident(&column.name)));
    let nulls = columns.iter().map(|(_, value)| format!("{value} IS NULL")).map(|it| format!("({it})::int"));
    let satisfied = expressions.iter().map(|expression| format!("({expression}) IS NOT FALSE"));
    // Few nulls first, and among the others no order: one of every sort is better than many of one.
    let query = format!(
        "SELECT \"reconcile picks\" FROM (
            SELECT json_build_array({picks}) AS \"reconcile picks\", {} AS \"reconcile nulls\", {}
            FROM {} WHERE {}) r
        WHERE {}
        ORDER BY \"reconcile nulls\", md5(\"reconcile picks\"::text) LIMIT {KEPT}",
        sql::join(nulls, " + "),
        sql::join(values, ", "),
        sql::join(from, ", "),
        sql::join(agreements, " AND "),
        sql::join(satisfied, " AND "),
    );
    let found = answered(texts(client, &query))?.unwrap_or_default();
    let combination = |text: &String| -> Option<Vec<String>> {
        let picks: Vec<usize> = serde_json::from_str(text).ok()?;
        let mut row = BTreeMap::new();
        for ((dial, options), pick) in dials.iter().zip(&options).zip(picks) {
            for (column, literal) in dial.columns.iter().zip(options.get(pick)?.iter()) {
                row.entry(column.name.as_str()).or_insert(literal);
            }
        }
        columns.iter().map(|(column, _)| row.get(column.name.as_str()).map(|literal| (*literal).clone())).collect()
    };
    let options: Vec<Vec<String>> = found.iter().filter_map(combination).collect();
    let columns = columns.into_iter().map(|(column, _)| column).collect();
    Ok((!options.is_empty()).then_some(Dial { columns, options, has_default: false, valid: true }))
}

/// The answer of a server; nothing where it has refused the question.
fn answered<T>(answer: Result<T, postgres::Error>) -> Result<Option<T>, postgres::Error> {
    match answer {
        Ok(answer) => Ok(Some(answer)),
        Err(error) if error.as_db_error().is_some() => Ok(None),
        Err(error) => Err(error),
    }
}
