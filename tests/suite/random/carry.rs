//! Keeps a changed schema reachable: the rows that the schema before it holds must fit into what becomes of their tables.

use std::collections::BTreeSet;

use super::model::{Column, Foreign, Name, Rule, Schema, Source, Table};

impl Schema {
    /// Takes back what rows of `before` would stand in the way of.
    pub fn carry(&mut self, before: &Schema) {
        for _ in 0..20 {
            let last = self.clone();
            let filled = before.filled();
            let mut tables = self.tables.clone();
            for table in &mut tables {
                if let Some(old) = before.table(&table.name) {
                    self.carry_columns(before, old, table);
                    self.carry_constraints(before, old, table, &filled);
                }
            }
            self.tables = tables;
            self.carry_views(before);
            self.settle();
            if *self == last {
                return;
            }
        }
    }

    fn carry_columns(&self, before: &Schema, old: &Table, table: &mut Table) {
        let new: BTreeSet<String> =
            table.columns.iter().filter(|column| old.column(&column.name).is_none()).map(|c| c.name.clone()).collect();
        table.columns.retain_mut(|column| {
            let Some(was) = old.column(&column.name) else {
                if !column.counts() && matches!(column.source, Source::Nothing | Source::Generated { .. }) {
                    column.not_null = false;
                }
                return true;
            };
            if matches!(&column.source, Source::Generated { from, .. } if new.contains(from)) {
                column.not_null = false;
            }
            if column.generated() || self.casts(before, &was.ty, &column.ty) {
                return true;
            }
            column.clone_from(was);
            self.knows(&was.ty) && self.casts(before, &was.ty, &was.ty)
        });
    }

    fn carry_constraints(&self, before: &Schema, old: &Table, table: &mut Table, filled: &BTreeSet<Name>) {
        let mut constraints = std::mem::take(&mut table.constraints);
        constraints.retain(|constraint| match &constraint.rule {
            Rule::Check { .. } => true,
            Rule::Primary(columns) => {
                let fills =
                    |name: &String| old.column(name).is_some() || table.column(name).is_some_and(Column::counts);
                columns.iter().all(fills) && columns.iter().any(|name| stays_distinct(before, old, table, name))
            }
            Rule::Unique { columns, .. } => columns.iter().any(|name| stays_distinct(before, old, table, name)),
            Rule::Exclude { column, .. } => stays_distinct(before, old, table, column),
            Rule::Foreign(foreign) => points_at_rows(before, old, foreign, self.table(&foreign.table), filled),
        });
        let keys: BTreeSet<String> = constraints
            .iter()
            .filter_map(|constraint| if let Rule::Primary(columns) = &constraint.rule { Some(columns) } else { None })
            .flatten()
            .cloned()
            .collect();
        for constraint in &constraints {
            let Rule::Foreign(foreign) = &constraint.rule else { continue };
            for column in &mut table.columns {
                if foreign.columns.contains(&column.name) && old.column(&column.name).is_none() {
                    column.source = Source::Nothing;
                    column.not_null = false;
                }
            }
        }
        constraints.retain(|constraint| {
            !matches!(&constraint.rule, Rule::Foreign(foreign)
                if foreign.columns.iter().any(|name| keys.contains(name) && old.column(name).is_none()))
        });
        table.constraints = constraints;
        let mut indexes = std::mem::take(&mut table.indexes);
        for index in &mut indexes {
            let plain = index.keys.iter().filter(|key| key.derived.is_none());
            index.unique &= plain.into_iter().any(|key| stays_distinct(before, old, table, &key.column));
        }
        table.indexes = indexes;
    }

    fn carry_views(&mut self, before: &Schema) {
        let mut views = std::mem::take(&mut self.views);
        for view in &mut views {
            let (Some(old), Some(table)) = (before.table(&view.from), self.table(&view.from)) else { continue };
            let columns = &view.columns;
            for index in &mut view.indexes {
                let below = index.keys.iter().filter(|key| key.derived.is_none());
                index.unique &= below
                    .filter_map(|key| columns.iter().find(|column| column.name == key.column))
                    .any(|column| column.derived.is_none() && stays_distinct(before, old, table, &column.column));
            }
        }
        self.views = views;
    }
}

/// Whether no value of the column repeats, in rows that were there before.
fn stays_distinct(before: &Schema, old: &Table, table: &Table, name: &str) -> bool {
    let Some(column) = table.column(name) else { return false };
    match old.column(name) {
        Some(was) => !was.generated() && !column.generated() && before.distinct(&was.ty),
        None => column.counts() || column.source == Source::Nothing,
    }
}

/// Whether each row that was there before finds a row to refer to, or refers to none.
fn points_at_rows(
    before: &Schema,
    old: &Table,
    foreign: &Foreign,
    target: Option<&Table>,
    filled: &BTreeSet<Name>,
) -> bool {
    let Some(key) = target.and_then(|target| target.key(&foreign.key)) else { return false };
    if !filled.contains(&old.name) || foreign.columns.iter().any(|name| old.column(name).is_none()) {
        return true;
    }
    let Some(was) = before.table(&foreign.table).filter(|was| filled.contains(&was.name)) else { return false };
    foreign.columns.iter().zip(key).all(|(from, to)| match (old.column(from), was.column(to)) {
        (Some(from), Some(to)) => from.ty == to.ty && !from.generated() && !to.generated(),
        _ => false,
    })
}
