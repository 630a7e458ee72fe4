//! What makes a column a generated column.

use serde::{Deserialize, Serialize};

use super::{
    Kind, Object,
    column_settings::{index_targets, set},
    lineage,
};
use crate::catalog::{At, Catalog, ObjectId, Step};

/// How the values of a column come about.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Generated {
    expression: String,
    /// Stored, or (from 18) computed when read.
    stored: bool,
}

impl Generated {
    /// The clause of a column's definition.
    pub fn spelled(&self) -> String {
        let Self { expression, stored } = self;
        format!("GENERATED ALWAYS AS ({expression}) {}", if *stored { "STORED" } else { "VIRTUAL" })
    }

    /// Whether the column has values of its own once it is generated no longer.
    pub fn is_stored(&self) -> bool {
        self.stored
    }

    /// The steps by which the values come about in another way; `None` where the column has to be made anew.
    pub fn change(&self, to: &Self, at: &At) -> Option<Vec<Step>> {
        let Self { expression, stored } = to;
        let possible = at.desired.server.major >= 17 && self.stored == *stored && (*stored || is_free(at));
        if !possible {
            return None;
        }
        // What is below the column has an expression of its own.
        let below = [at.current, at.desired].iter().any(|it| lineage::has_children(it, lineage::relation(at.id)));
        let step = set(at.id, below, &format!("SET EXPRESSION AS ({expression})"));
        Some(std::iter::once(step).chain(index_targets(at.id, at.desired)).collect())
    }
}

/// Whether PostgreSQL gives a virtual column another expression: the table has no CHECK constraint, and no publication has it.
fn is_free(at: &At) -> bool {
    [at.current, at.desired].into_iter().all(|catalog| {
        let table = ObjectId::new(Kind::Table, lineage::relation(at.id).iter().cloned());
        let parts: Vec<&ObjectId> = catalog.dependents(&table).map(|(id, _)| id).collect();
        let columns = parts.iter().filter(|id| id.kind == Kind::Column);
        let mut all =
            columns.flat_map(|column| catalog.dependents(column).map(|(id, _)| id)).chain(parts.iter().copied());
        !all.any(|id| id.kind == Kind::PublicationTable || is_check(catalog, id))
    })
}

fn is_check(catalog: &Catalog, id: &ObjectId) -> bool {
    matches!(catalog.get(id), Some(Object::Constraint(constraint)) if constraint.is_check())
}
