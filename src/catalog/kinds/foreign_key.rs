//! Foreign keys, which reach over to another table.

use serde::{Deserialize, Serialize};

use super::{
    constraint::{add, change, may_fail, query, remove, validate},
    row_security::lifted,
};
use crate::catalog::{Alteration, At, Definition, ObjectId, Shape, Slot, Space, Step};

/// A foreign key.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ForeignKey {
    /// As `pg_get_constraintdef` writes it, up to what the other fields say.
    definition: String,
    /// `DEFERRABLE`, `DEFERRABLE INITIALLY DEFERRED`
    deferrable: Option<String>,
    enforced: bool,
    valid: bool,
}

impl Definition for ForeignKey {
    const KEYWORD: &'static str = "CONSTRAINT";
    const SHAPE: Shape = Shape::OnRelation;
    const QUERY: &'static str = query!("", "", "'f'");

    fn create(&self, at: &At) -> Vec<Step> {
        let Self { definition, deferrable, enforced, valid } = self;
        let deferrable = deferrable.as_ref().map_or_else(String::new, |it| format!(" {it}"));
        let tail = match (enforced, valid) {
            (false, _) => " NOT ENFORCED",
            (true, false) => " NOT VALID",
            (true, true) => "",
        };
        lifted(at, vec![add(at, &format!("{definition}{deferrable}{tail}"), *enforced && *valid)])
    }

    fn alter(&self, to: &Self, at: &At) -> Alteration {
        let Self { definition, deferrable, enforced, valid } = to;
        let becomes_valid = *valid && !self.valid;
        // `ENFORCED` checks the rows, and `NOT ENFORCED` forgets that they were checked.
        let checks = !self.enforced && *enforced;
        if self.definition != *definition || checks && !valid || !becomes_valid && *enforced && self.valid != *valid {
            return Alteration::Replace;
        }
        let mut steps = Vec::new();
        if self.deferrable != *deferrable {
            let timing = match deferrable.as_deref() {
                None => "NOT DEFERRABLE",
                Some("DEFERRABLE") => "DEFERRABLE INITIALLY IMMEDIATE",
                Some(timing) => timing,
            };
            steps.push(change(at, "ALTER CONSTRAINT", &format!(" {timing}")));
        }
        if checks {
            steps.push(may_fail(change(at, "ALTER CONSTRAINT", " ENFORCED")));
        } else if self.enforced != *enforced {
            steps.push(change(at, "ALTER CONSTRAINT", " NOT ENFORCED"));
        } else if becomes_valid {
            steps.push(validate(at));
        }
        Alteration::InPlace(if checks || becomes_valid { lifted(at, steps) } else { steps })
    }

    fn drop(&self, at: &At) -> Vec<Step> {
        vec![remove(at)]
    }

    fn slots(&self, id: &ObjectId) -> Vec<Slot> {
        vec![Slot(Space::Constraint, id.names.clone())]
    }
}
