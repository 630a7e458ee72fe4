//! Domains and their constraints.

use serde::{Deserialize, Serialize};

use super::{Kind, Object, row_type, swap};
use crate::{
    catalog::{Alteration, At, Catalog, Definition, Hazard, ObjectId, Shape, Slot, Space, Step},
    sql,
};

/// A domain; its constraints are objects of their own.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Domain {
    /// What it is a domain over, with modifiers.
    data_type: String,
    /// Where it is not the type's own.
    collation: Option<Vec<String>>,
    /// The expression, deparsed.
    default: Option<String>,
    /// From 17 it is a constraint.
    not_null: bool,
}

impl Definition for Domain {
    const KEYWORD: &'static str = "DOMAIN";
    const SWAPS: bool = true;
    const PRESENT: &'static str = "EXISTS (SELECT oid FROM pg_catalog.pg_type WHERE oid >= 16384 AND typtype = 'd')";
    const QUERY: &'static str = "
        SELECT 'pg_catalog.pg_type'::regclass::oid AS classid, t.oid AS objid, 0 AS objsubid,
            ARRAY[n.nspname, t.typname] AS names, pg_catalog.format_type(t.typbasetype, t.typtypmod) AS data_type,
            CASE WHEN t.typcollation <> b.typcollation THEN
                (SELECT ARRAY[m.nspname, l.collname] FROM pg_catalog.pg_collation l
                    JOIN pg_catalog.pg_namespace m ON m.oid = l.collnamespace WHERE l.oid = t.typcollation) END AS collation,
            t.typnotnull AND NOT EXISTS (SELECT FROM pg_catalog.pg_constraint k
                WHERE k.contypid = t.oid AND k.contype = 'n') AS not_null,
            pg_catalog.pg_get_expr(t.typdefaultbin, 'pg_catalog.pg_type'::regclass) AS \"default\"
        FROM pg_catalog.pg_type t JOIN pg_catalog.pg_type b ON b.oid = t.typbasetype
            JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace
        WHERE t.typtype = 'd' AND t.oid >= 16384";

    fn create(&self, at: &At) -> Vec<Step> {
        let Self { data_type, collation, default, not_null } = self;
        let mut text = format!("CREATE {} AS {data_type}", at.id);
        if let Some(collation) = collation {
            text.push_str(&format!(" COLLATE {}", sql::qualified(collation)));
        }
        if let Some(default) = default {
            text.push_str(&format!(" DEFAULT {default}"));
        }
        if *not_null {
            text.push_str(" NOT NULL");
        }
        for part in at.parts {
            text.push_str(&format!("\n    {part}"));
        }
        vec![Step::new(text)]
    }

    fn alter(&self, to: &Self, at: &At) -> Alteration {
        let Self { data_type, collation, default, not_null } = to;
        let rechecked = *not_null && !self.not_null;
        if self.data_type != *data_type
            || self.collation != *collation
            || rechecked && holders(at.current, at.id, false).next().is_some()
        {
            return Alteration::Replace;
        }
        let mut steps = Vec::new();
        if self.default != *default {
            let action = default.as_ref().map_or("DROP DEFAULT".to_owned(), |it| format!("SET DEFAULT {it}"));
            steps.push(Step::new(format!("ALTER {} {action}", at.id)));
        }
        if rechecked {
            let why = "no row may hold NULL in a column of the domain".to_owned();
            steps.push(Step::new(format!("ALTER {} SET NOT NULL", at.id)).hazard(Hazard::MayFail { why }));
        } else if self.not_null != *not_null {
            steps.push(Step::new(format!("ALTER {} DROP NOT NULL", at.id)));
        }
        Alteration::InPlace(steps)
    }

    fn aside(&self, at: &At) -> Vec<Step> {
        swap::aside(at)
    }

    fn finish(&self, at: &At) -> Vec<Step> {
        swap::finish(at)
    }

    fn slots(&self, id: &ObjectId) -> Vec<Slot> {
        vec![Slot(Space::Type, id.names.clone())]
    }
}

impl Domain {
    /// What it is a domain over, with modifiers.
    pub(super) fn data_type(&self) -> &str {
        &self.data_type
    }
}

/// A CHECK constraint of a domain, or from 17 a NOT NULL constraint.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DomainConstraint {
    /// As `pg_get_constraintdef` writes it, without `NOT VALID`.
    definition: String,
    valid: bool,
}

impl Definition for DomainConstraint {
    const KEYWORD: &'static str = "CONSTRAINT";
    const SHAPE: Shape = Shape::OnDomain;
    const PRESENT: &'static str = "EXISTS (SELECT oid FROM pg_catalog.pg_type WHERE oid >= 16384 AND typtype = 'd')";
    const QUERY: &'static str = "
        SELECT 'pg_catalog.pg_constraint'::regclass::oid AS classid, k.oid AS objid, 0 AS objsubid,
            ARRAY[n.nspname, t.typname, k.conname] AS names, k.convalidated AS valid,
            pg_catalog.regexp_replace(pg_catalog.pg_get_constraintdef(k.oid), ' NOT VALID$', '') AS definition
        FROM pg_catalog.pg_constraint k JOIN pg_catalog.pg_type t ON t.oid = k.contypid
            JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace
        WHERE k.oid >= 16384 AND k.contype IN ('c', 'n')";

    fn create(&self, at: &At) -> Vec<Step> {
        let Self { definition, valid } = self;
        let not_valid = if *valid { "" } else { " NOT VALID" };
        let name = sql::ident(at.id.name());
        let step = change(at, &format!("ADD CONSTRAINT {name} {definition}{not_valid}"));
        let is_new = !at.current.contains(&domain(at.id));
        vec![if is_new || !valid { step } else { checked(step) }]
    }

    fn alter(&self, to: &Self, at: &At) -> Alteration {
        let Self { definition, valid } = to;
        if self.definition != *definition || !valid {
            return Alteration::Replace;
        }
        Alteration::InPlace(vec![checked(change(at, &format!("VALIDATE CONSTRAINT {}", sql::ident(at.id.name()))))])
    }

    fn drop(&self, at: &At) -> Vec<Step> {
        vec![change(at, &format!("DROP CONSTRAINT {}", sql::ident(at.id.name())))]
    }

    fn clause(&self, at: &At) -> Option<String> {
        let Self { definition, valid } = self;
        valid.then(|| format!("CONSTRAINT {} {definition}", sql::ident(at.id.name())))
    }

    /// New columns that hold the domain inside other values, for which PostgreSQL would refuse to add the constraint.
    fn precedes(&self, at: &At) -> Vec<ObjectId> {
        let domain = domain(at.id);
        let made = holders(at.desired, &domain, false).filter(|column| at.is_made(column)).cloned();
        if self.valid && at.persists(&domain) { made.collect() } else { Vec::new() }
    }

    /// Columns that go, for which PostgreSQL would refuse it as well.
    fn comes_after(&self, at: &At) -> Vec<ObjectId> {
        let goes = |column: &&ObjectId| !at.desired.contains(column);
        if self.valid { holders(at.current, &domain(at.id), false).filter(goes).cloned().collect() } else { Vec::new() }
    }

    fn rebuilds(&self, _: Option<&Self>, at: &At) -> Option<ObjectId> {
        let domain = domain(at.id);
        let stays = |column: &ObjectId| at.desired.contains(column);
        (self.valid && holders(at.current, &domain, false).any(stays)).then_some(domain)
    }

    fn slots(&self, id: &ObjectId) -> Vec<Slot> {
        // PostgreSQL takes a second NOT NULL for the first one, whatever its name is.
        let only = (self.definition == "NOT NULL").then(|| Slot(Space::NotNull, domain(id).names));
        std::iter::once(Slot(Space::Constraint, id.names.clone())).chain(only).collect()
    }
}

fn domain(constraint: &ObjectId) -> ObjectId {
    ObjectId::new(Kind::Domain, constraint.names.iter().take(2).cloned())
}

fn change(at: &At, what: &str) -> Step {
    Step::new(format!("ALTER DOMAIN {} {what}", at.id.relation()))
}

fn checked(step: Step) -> Step {
    step.hazard(Hazard::MayFail { why: "rows that are there must satisfy the constraint".to_owned() })
}

/// The columns whose rows hold values of a type inside arrays, composites or ranges, where PostgreSQL refuses to check them; or
/// hold them at all, where what is asked about is `inside` such already.
fn holders<'a>(catalog: &'a Catalog, id: &'a ObjectId, inside: bool) -> Box<dyn Iterator<Item = &'a ObjectId> + 'a> {
    let is_array = |data_type: &str| data_type.ends_with("[]");
    Box::new(catalog.dependents(id).flat_map(move |(dependent, _)| match catalog.get(dependent) {
        Some(Object::Column(column)) => {
            let holds = inside || is_array(column.data_type()) || row_type::is_held(catalog, dependent);
            Box::new(holds.then_some(dependent).into_iter())
        }
        Some(Object::Domain(domain)) => holders(catalog, dependent, inside || is_array(domain.data_type())),
        Some(Object::Composite(_) | Object::Range(_)) => holders(catalog, dependent, true),
        _ => Box::new(std::iter::empty()),
    }))
}

/// Whether rows hold values of a type, be it inside other values.
pub(super) fn is_stored(catalog: &Catalog, id: &ObjectId) -> bool {
    holders(catalog, id, true).next().is_some()
}
