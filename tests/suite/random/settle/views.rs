//! Views, materialized views, and the triggers of views and tables.

use std::collections::BTreeSet;

use super::super::model::{Does, Name, Schema, Shape, Trigger, Type, View};
use super::{Columns, type_in};

/// The last column of a grouped view.
pub const GROUP_SIZE: &str = "total";

impl Schema {
    /// The columns of a table or a view; none if there is no such relation.
    pub fn columns_of(&self, name: &Name) -> Columns {
        if let Some(table) = self.table(name) {
            return table.columns.iter().map(|column| (column.name.clone(), column.ty.clone())).collect();
        }
        self.view(name).map(|view| self.columns_of_view(view)).unwrap_or_default()
    }

    fn columns_of_view(&self, view: &View) -> Columns {
        let from = self.columns_of(&view.from);
        let join = view.join.as_ref().map(|name| self.columns_of(name)).unwrap_or_default();
        let mut columns = Columns::new();
        for column in &view.columns {
            if let Some(ty) = type_in(if column.joined { &join } else { &from }, &column.column) {
                let ty = column.derived.map_or_else(|| ty.clone(), |form| self.derive("x", ty, form).1);
                columns.push((column.name.clone(), ty));
            }
        }
        if view.shape == Shape::Grouped && !columns.is_empty() {
            columns.push((GROUP_SIZE.to_owned(), Type::builtin("bigint")));
        }
        columns
    }

    pub(super) fn settle_views(&mut self) {
        for mut view in std::mem::take(&mut self.views) {
            if self.settle_view(&mut view) {
                self.views.push(view);
            }
        }
    }

    fn settle_view(&self, view: &mut View) -> bool {
        let from = self.columns_of(&view.from);
        let join = view.join.as_ref().map(|name| self.columns_of(name)).unwrap_or_default();
        if from.is_empty() {
            return false;
        }
        if join.is_empty() {
            view.join = None;
        }
        let mut names = BTreeSet::new();
        view.columns.retain(|column| {
            let ty = type_in(if column.joined { &join } else { &from }, &column.column);
            ty.is_some_and(|ty| {
                let ty = column.derived.map_or_else(|| ty.clone(), |form| self.derive("x", ty, form).1);
                let sorted = matches!(view.shape, Shape::Distinct | Shape::Grouped);
                let free = view.shape != Shape::Grouped || column.name != GROUP_SIZE;
                free && (!sorted || self.sortable(&ty)) && names.insert(column.name.clone())
            })
        });
        if !view.filter.as_mut().is_some_and(|filter| self.settle_condition(filter, &from)) {
            view.filter = None;
        }
        let simple = view.shape == Shape::Plain && view.join.is_none() && self.table(&view.from).is_some();
        // PostgreSQL takes a check option only where rows can be written through the view.
        view.check_option &= simple && !view.materialized && view.columns.iter().any(|c| c.derived.is_none());
        view.security_barrier &= !view.materialized;
        if view.materialized {
            view.columns.iter_mut().for_each(|column| column.default = None);
        } else {
            view.indexes.clear();
        }
        let columns = self.columns_of_view(view);
        let distinct = if simple { self.distinct_through(view) } else { BTreeSet::new() };
        let mut names = BTreeSet::new();
        view.indexes.retain_mut(|index| {
            index.unique &= index.keys.iter().any(|key| key.derived.is_none() && distinct.contains(&key.column));
            names.insert(index.name.clone()) && self.settle_index(index, &columns)
        });
        !view.columns.is_empty()
    }

    /// The columns of a plain view on a table that never repeat a value.
    fn distinct_through(&self, view: &View) -> BTreeSet<String> {
        let below = self.table(&view.from).map(|table| self.distinct_columns(table)).unwrap_or_default();
        let through = view.columns.iter().filter(|column| column.derived.is_none() && below.contains(&column.column));
        through.map(|column| column.name.clone()).collect()
    }

    pub(super) fn settle_triggers(&mut self) {
        let mut names = BTreeSet::new();
        for mut trigger in std::mem::take(&mut self.triggers) {
            if names.insert((trigger.on.clone(), trigger.name.clone())) && self.settle_trigger(&mut trigger) {
                self.triggers.push(trigger);
            }
        }
    }

    fn settle_trigger(&self, trigger: &mut Trigger) -> bool {
        let serves = |does: &Does| matches!(does, Does::Trigger);
        if !self.routines.iter().any(|routine| routine.name == trigger.function && serves(&routine.does)) {
            return false;
        }
        trigger.events = if trigger.events.is_multiple_of(8) { 1 } else { trigger.events % 8 };
        let Some(table) = self.table(&trigger.on) else {
            trigger.each_row = true;
            trigger.of = None;
            trigger.when = None;
            return self.view(&trigger.on).is_some_and(|view| !view.materialized);
        };
        let updates = trigger.events & 2 != 0;
        if !trigger.of.as_ref().is_some_and(|column| updates && table.column(column).is_some()) {
            trigger.of = None;
        }
        let columns: Columns =
            table.columns.iter().filter(|c| !c.generated()).map(|c| (c.name.clone(), c.ty.clone())).collect();
        // An insert has no old row and a delete no new one.
        let row = trigger.each_row && trigger.events & 5 != 5;
        if !trigger.when.as_mut().is_some_and(|when| row && self.settle_condition(when, &columns)) {
            trigger.when = None;
        }
        true
    }
}
