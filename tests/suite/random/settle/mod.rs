//! Makes a schema valid again after any change: what refers to something that is gone goes as well, or is adapted.

mod tables;
mod views;

pub use views::GROUP_SIZE;

use std::collections::BTreeSet;

use super::model::{Base, Condition, Does, Language, Name, Schema, Signature, Type};

/// The names and types of a relation's columns.
pub type Columns = Vec<(String, Type)>;

/// The type of the column of this name.
pub fn type_in<'a>(columns: &'a [(String, Type)], name: &str) -> Option<&'a Type> {
    columns.iter().find(|(column, _)| column == name).map(|(_, ty)| ty)
}

impl Schema {
    /// Removes or adapts whatever PostgreSQL would refuse.
    pub fn settle(&mut self) {
        // What goes can leave something else without what it needs, so this repeats until nothing moves.
        for round in 0..20 {
            let before = self.clone();
            self.settle_names();
            self.settle_types();
            self.settle_routines();
            // Columns that refer to each other crosswise would exchange their types forever.
            self.settle_tables(round < 10);
            self.settle_views();
            self.settle_triggers();
            if *self == before {
                return;
            }
        }
    }

    fn settle_names(&mut self) {
        let mut schemas = BTreeSet::new();
        self.namespaces.retain(|item| schemas.insert(item.name.clone()));
        // Relations have a type of their name, so types and relations share one set of names.
        let mut taken = BTreeSet::new();
        let mut free = |name: &Name| schemas.contains(&name.schema) && taken.insert(name.clone());
        self.tables.retain(|item| free(&item.name));
        self.views.retain(|item| free(&item.name));
        self.enums.retain(|item| free(&item.name));
        self.domains.retain(|item| free(&item.name));
        self.composites.retain(|item| free(&item.name));
        self.sequences.retain(|item| free(&item.name));
        self.routines.retain(|item| schemas.contains(&item.name.schema));
    }

    fn settle_types(&mut self) {
        for item in &mut self.enums {
            let mut labels = BTreeSet::new();
            item.labels.retain(|label| labels.insert(label.clone()));
        }
        let mut known: BTreeSet<Name> = self.enums.iter().map(|item| item.name.clone()).collect();
        for domain in &mut self.domains {
            if matches!(&domain.base, Base::Named(name) if !known.contains(name)) {
                domain.base = Base::Builtin("text");
            }
            let mut names = BTreeSet::new();
            domain.checks.retain(|(name, _)| names.insert(name.clone()));
        }
        known.extend(self.domains.iter().map(|item| item.name.clone()));
        for composite in &mut self.composites {
            let mut names = BTreeSet::new();
            composite.fields.retain(|(name, ty)| {
                names.insert(name.clone()) && !matches!(&ty.base, Base::Named(name) if !known.contains(name))
            });
            if composite.fields.is_empty() {
                composite.fields.push(("f0".to_owned(), Type::builtin("integer")));
            }
            known.insert(composite.name.clone());
        }
    }

    fn settle_routines(&mut self) {
        for mut routine in std::mem::take(&mut self.routines) {
            let mut names = BTreeSet::new();
            routine.arguments.retain(|(name, ty)| self.knows(ty) && names.insert(name.clone()));
            routine.defaults = routine.defaults.min(routine.arguments.len());
            match &mut routine.does {
                Does::Trigger => {
                    routine.arguments.clear();
                    routine.defaults = 0;
                    routine.language = Language::Plpgsql;
                }
                Does::Value(ty, _) if !self.knows(ty) => continue,
                Does::Value(ty, call) => {
                    if !call.as_ref().is_some_and(|signature| self.returns(signature, ty)) {
                        *call = None;
                    }
                }
                Does::Rows(from) if self.columns_of(from).is_empty() => continue,
                Does::Procedure(reads) if reads.as_ref().is_some_and(|name| self.table(name).is_none()) => {
                    *reads = None;
                }
                Does::Rows(_) | Does::Procedure(_) => {}
            }
            let signature = routine.signature();
            if !self.routines.iter().any(|it| it.signature().is_like(&signature)) {
                self.routines.push(routine);
            }
        }
    }

    /// Whether the signature is that of a function that gives a value of this type.
    fn returns(&self, signature: &Signature, ty: &Type) -> bool {
        self.routine(signature).is_some_and(|routine| matches!(&routine.does, Does::Value(returns, _) if returns == ty))
    }

    /// Adapts a condition to the columns; false if its column is gone.
    fn settle_condition(&self, condition: &mut Condition, columns: &[(String, Type)]) -> bool {
        let Some(ty) = type_in(columns, &condition.column) else { return false };
        let boolean = Type::builtin("boolean");
        let judges =
            |call: &Signature| call.arguments.len() == 1 && call.arguments[0] == *ty && self.returns(call, &boolean);
        if !condition.call.as_ref().is_some_and(judges) {
            condition.call = None;
        }
        true
    }
}
