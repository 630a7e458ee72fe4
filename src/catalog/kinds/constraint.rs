//! Table constraints: PRIMARY KEY, UNIQUE, CHECK, EXCLUDE; foreign keys, which reach over to another table.

use serde::{Deserialize, Serialize};

use super::row_security::lifted;
use crate::{
    catalog::{Alteration, At, Definition, Hazard, ObjectId, Shape, Slot, Space, Step},
    sql,
};

/// What each constraint query selects, up to the choice of types; also on domains, hence `contypid`.
macro_rules! query {
    ($types:literal) => {
        concat!(
            "SELECT 'pg_catalog.pg_constraint'::regclass::oid AS classid, k.oid AS objid, 0 AS objsubid,
                ARRAY[n.nspname, c.relname, k.conname] AS names, k.convalidated AS valid,
                pg_catalog.regexp_replace(pg_catalog.pg_get_constraintdef(k.oid), ' NOT VALID$', '') AS definition
            FROM pg_catalog.pg_constraint k JOIN pg_catalog.pg_class c ON c.oid = k.conrelid
                JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
            WHERE k.oid >= 16384 AND c.relpersistence <> 't' AND k.contype IN (",
            $types,
            ")"
        )
    };
}

/// A constraint on the rows of one table.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Constraint {
    /// As `pg_get_constraintdef` writes it, without `NOT VALID`.
    definition: String,
    valid: bool,
}

impl Definition for Constraint {
    const KEYWORD: &'static str = "CONSTRAINT";
    const SHAPE: Shape = Shape::OnRelation;
    const QUERY: &'static str = query!("'p', 'u', 'c', 'x'");

    fn create(&self, at: &At) -> Vec<Step> {
        let Self { definition, valid } = self;
        vec![add(at, definition, *valid)]
    }

    fn alter(&self, to: &Self, at: &At) -> Alteration {
        let Self { definition, valid } = to;
        if self.definition == *definition && *valid {
            Alteration::InPlace(vec![validate(at)])
        } else {
            Alteration::Replace
        }
    }

    fn drop(&self, at: &At) -> Vec<Step> {
        vec![remove(at)]
    }

    fn clause(&self, at: &At) -> Option<String> {
        let Self { definition, valid } = self;
        valid.then(|| format!("CONSTRAINT {} {definition}", sql::ident(at.id.name())))
    }

    fn slots(&self, id: &ObjectId) -> Vec<Slot> {
        let mut slots = vec![Slot(Space::Constraint, id.names.clone())];
        if !self.definition.starts_with("CHECK") {
            // The index of a key has the constraint's name, in the table's schema.
            let names = id.names.iter().step_by(2).cloned().collect();
            slots.push(Slot(Space::Relation, names));
        }
        if self.definition.starts_with("PRIMARY KEY") {
            slots.push(Slot(Space::PrimaryKey, id.names.iter().take(2).cloned().collect()));
        }
        slots
    }
}

/// A foreign key.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ForeignKey {
    /// As `pg_get_constraintdef` writes it, without `NOT VALID`.
    definition: String,
    valid: bool,
}

impl Definition for ForeignKey {
    const KEYWORD: &'static str = "CONSTRAINT";
    const SHAPE: Shape = Shape::OnRelation;
    const QUERY: &'static str = query!("'f'");

    fn create(&self, at: &At) -> Vec<Step> {
        let Self { definition, valid } = self;
        lifted(at, vec![add(at, definition, *valid)])
    }

    fn alter(&self, to: &Self, at: &At) -> Alteration {
        let Self { definition, valid } = to;
        if self.definition == *definition && *valid {
            return Alteration::InPlace(lifted(at, vec![validate(at)]));
        }
        let (before, after) = (Timing::split(&self.definition), Timing::split(definition));
        if before.0 == after.0 && self.valid == *valid {
            let name = sql::ident(at.id.name());
            let relation = at.id.relation();
            let timing = after.1.words();
            return Alteration::InPlace(vec![Step::new(format!(
                "ALTER TABLE {relation} ALTER CONSTRAINT {name} {timing}"
            ))]);
        }
        Alteration::Replace
    }

    fn drop(&self, at: &At) -> Vec<Step> {
        vec![remove(at)]
    }

    fn slots(&self, id: &ObjectId) -> Vec<Slot> {
        vec![Slot(Space::Constraint, id.names.clone())]
    }
}

/// When a constraint is checked.
enum Timing {
    Immediate,
    Deferrable,
    Deferred,
}

impl Timing {
    fn split(definition: &str) -> (&str, Self) {
        if let Some(rest) = definition.strip_suffix(" DEFERRABLE INITIALLY DEFERRED") {
            (rest, Self::Deferred)
        } else if let Some(rest) = definition.strip_suffix(" DEFERRABLE") {
            (rest, Self::Deferrable)
        } else {
            (definition, Self::Immediate)
        }
    }

    fn words(&self) -> &'static str {
        match self {
            Self::Immediate => "NOT DEFERRABLE",
            Self::Deferrable => "DEFERRABLE INITIALLY IMMEDIATE",
            Self::Deferred => "DEFERRABLE INITIALLY DEFERRED",
        }
    }
}

fn add(at: &At, definition: &str, valid: bool) -> Step {
    let not_valid = if valid { "" } else { " NOT VALID" };
    let name = sql::ident(at.id.name());
    let step = Step::new(format!("ALTER TABLE {} ADD CONSTRAINT {name} {definition}{not_valid}", at.id.relation()));
    let table_is_new = !at.current.has_relation(&at.id.names);
    if table_is_new || !valid {
        return step;
    }
    step.hazard(Hazard::MayFail { why: "rows that are there must satisfy the constraint".to_owned() })
}

fn validate(at: &At) -> Step {
    Step::new(format!("ALTER TABLE {} VALIDATE CONSTRAINT {}", at.id.relation(), sql::ident(at.id.name())))
        .hazard(Hazard::MayFail { why: "rows that are there must satisfy the constraint".to_owned() })
}

fn remove(at: &At) -> Step {
    Step::new(format!("ALTER TABLE {} DROP CONSTRAINT {}", at.id.relation(), sql::ident(at.id.name())))
}
