//! Tables, and what hangs on them.

use std::collections::BTreeSet;

use super::super::model::{Base, Foreign, Index, Name, Rule, Schema, Source, Table, Type};
use super::super::types::Family;
use super::{Columns, type_in};

impl Schema {
    /// Settles tables; `adapting` says that columns may get the types of the keys to which they refer.
    pub(super) fn settle_tables(&mut self, adapting: bool) {
        let mut tables = std::mem::take(&mut self.tables);
        let names: BTreeSet<Name> = tables.iter().map(|table| table.name.clone()).collect();
        for table in &mut tables {
            self.settle_columns(table);
            self.settle_constraints(table);
            let columns = columns_of(table);
            let mut taken = BTreeSet::new();
            let distinct: BTreeSet<String> = self.distinct_columns(table).into_iter().collect();
            table.indexes.retain_mut(|index| {
                index.unique &= index.keys.iter().any(|key| key.derived.is_none() && distinct.contains(&key.column));
                taken.insert(index.name.clone()) && self.settle_index(index, &columns)
            });
            let mut taken = BTreeSet::new();
            table.policies.retain_mut(|policy| {
                if policy.exists.as_ref().is_some_and(|name| !names.contains(name)) {
                    policy.exists = None;
                }
                taken.insert(policy.name.clone()) && self.settle_condition(&mut policy.condition, &columns)
            });
            table.forced &= table.row_security;
        }
        tables.retain(|table| !table.columns.is_empty());
        self.tables = tables;
        self.settle_foreign_keys(adapting);
        self.settle_owners();
    }

    /// The columns of a table in which rows never repeat a value.
    pub fn distinct_columns(&self, table: &Table) -> Vec<String> {
        let distinct = table.columns.iter().filter(|column| !column.generated() && self.distinct(&column.ty));
        distinct.map(|column| column.name.clone()).collect()
    }

    fn settle_columns(&self, table: &mut Table) {
        let mut names = BTreeSet::new();
        table.columns.retain(|column| names.insert(column.name.clone()));
        for column in &mut table.columns {
            if !self.knows(&column.ty) {
                column.ty.base = Base::Builtin("text");
            }
        }
        let plain: Columns =
            table.columns.iter().filter(|c| !c.generated()).map(|c| (c.name.clone(), c.ty.clone())).collect();
        table.columns.retain_mut(|column| {
            let integer =
                matches!(&column.ty.base, Base::Builtin("smallint" | "integer" | "bigint")) && !column.ty.array;
            match &column.source {
                Source::Nothing | Source::Default(_) => {}
                Source::Sequence(name) => {
                    if !integer || self.sequences.iter().all(|sequence| sequence.name != *name) {
                        column.source = Source::Nothing;
                    }
                }
                Source::Call(signature) if !self.returns(signature, &column.ty) => column.source = Source::Nothing,
                Source::Identity { .. } if !integer => column.source = Source::Nothing,
                Source::Call(_) => {}
                Source::Identity { .. } => column.not_null = true,
                Source::Generated { from, form } => match type_in(&plain, from) {
                    Some(ty) => column.ty = self.derive("x", ty, *form).1,
                    None => return false,
                },
            }
            let text = matches!(column.ty.base, Base::Builtin(_)) && self.family(&column.ty) == Family::Text;
            column.collate_c &= text;
            true
        });
    }

    fn settle_constraints(&self, table: &mut Table) {
        let columns = columns_of(table);
        let distinct: BTreeSet<String> = self.distinct_columns(table).into_iter().collect();
        let generated: BTreeSet<String> =
            table.columns.iter().filter(|c| c.generated()).map(|c| c.name.clone()).collect();
        let fits = |keys: &mut Vec<String>| {
            let mut seen = BTreeSet::new();
            keys.retain(|key| {
                let sortable = type_in(&columns, key).is_some_and(|ty| self.sortable(ty));
                sortable && !generated.contains(key) && seen.insert(key.clone())
            });
            keys.iter().any(|key| distinct.contains(key))
        };
        let mut names = BTreeSet::new();
        let mut primary = false;
        // Of two constraints in one CREATE TABLE that ask for the same index, PostgreSQL makes one.
        let mut asked: BTreeSet<Vec<String>> = BTreeSet::new();
        table.constraints.retain_mut(|constraint| {
            names.insert(constraint.name.clone())
                && match &mut constraint.rule {
                    Rule::Primary(keys) => {
                        fits(keys) && !std::mem::replace(&mut primary, true) && asked.insert(keys.clone())
                    }
                    Rule::Unique { columns, .. } => fits(columns) && asked.insert(columns.clone()),
                    Rule::Check { condition, .. } => self.settle_condition(condition, &columns),
                    Rule::Exclude { column, .. } => {
                        distinct.contains(column) && asked.insert(vec!["EXCLUDE".to_owned(), column.clone()])
                    }
                    Rule::Foreign(_) => true,
                }
        });
    }

    /// Adapts an index to the columns; false if nothing is left of it.
    pub(super) fn settle_index(&self, index: &mut Index, columns: &[(String, Type)]) -> bool {
        index.keys.retain(|key| {
            type_in(columns, &key.column).is_some_and(|ty| {
                let ty = key.derived.map_or_else(|| ty.clone(), |form| self.derive("x", ty, form).1);
                self.methods(&ty).contains(&index.method)
            })
        });
        if matches!(index.method, "hash" | "spgist") {
            index.keys.truncate(1);
        }
        if index.method != "btree" {
            index.unique = false;
            index.include.clear();
        }
        let keys: BTreeSet<&String> = index.keys.iter().map(|key| &key.column).collect();
        let mut seen = BTreeSet::new();
        index
            .include
            .retain(|name| type_in(columns, name).is_some() && !keys.contains(name) && seen.insert(name.clone()));
        if !index.predicate.as_mut().is_some_and(|predicate| self.settle_condition(predicate, columns)) {
            index.predicate = None;
        }
        if let Some(predicate) = &mut index.predicate {
            // A predicate may only call immutable functions.
            predicate.call = None;
        }
        !index.keys.is_empty()
    }

    fn settle_foreign_keys(&mut self, adapting: bool) {
        for at in 0..self.tables.len() {
            let mut constraints = std::mem::take(&mut self.tables[at].constraints);
            // A table may refer to itself, so its keys stay in sight while its foreign keys are looked at.
            self.tables[at].constraints = constraints.clone();
            let mut used = BTreeSet::new();
            constraints.retain_mut(|constraint| match &mut constraint.rule {
                Rule::Foreign(foreign) => {
                    foreign.columns.iter().all(|column| used.insert(column.clone()))
                        && self.settle_foreign(at, foreign, adapting)
                }
                _ => true,
            });
            self.tables[at].constraints = constraints;
        }
    }

    /// Gives the columns of a foreign key the types of the key; false if that cannot be.
    fn settle_foreign(&mut self, at: usize, foreign: &mut Foreign, adapting: bool) -> bool {
        let Some(target) = self.table(&foreign.table) else { return false };
        let Some(key) = target.key(&foreign.key).map(<[String]>::to_vec) else { return false };
        let types: Vec<Type> = key.iter().filter_map(|name| target.column(name)).map(|c| c.ty.clone()).collect();
        if types.len() != foreign.columns.len() || !types.iter().all(|ty| self.referable(ty)) {
            return false;
        }
        for (name, ty) in foreign.columns.iter().zip(&types) {
            let Some(column) = self.tables[at].columns.iter_mut().find(|column| column.name == *name) else {
                return false;
            };
            if column.ty != *ty {
                if !adapting || !matches!(column.source, Source::Nothing | Source::Default(_)) {
                    return false;
                }
                column.ty = ty.clone();
            }
            if column.generated() {
                return false;
            }
        }
        // A table that survives a crash cannot refer to one that does not.
        self.tables[at].unlogged = false;
        if let Some(target) = self.tables.iter_mut().find(|table| table.name == foreign.table) {
            target.unlogged = false;
        }
        true
    }

    /// A sequence belongs to a column of a table in its schema.
    fn settle_owners(&mut self) {
        let tables = &self.tables;
        for sequence in &mut self.sequences {
            let schema = &sequence.name.schema;
            let stands = |(name, column): &(Name, String)| {
                name.schema == *schema
                    && tables.iter().any(|table| {
                        table.name == *name
                            && table.column(column).is_some_and(|c| !matches!(c.source, Source::Identity { .. }))
                    })
            };
            if !sequence.owner.as_ref().is_some_and(stands) {
                sequence.owner = None;
            }
        }
    }
}

fn columns_of(table: &Table) -> Columns {
    table.columns.iter().map(|column| (column.name.clone(), column.ty.clone())).collect()
}
