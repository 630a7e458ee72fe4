//! NOT NULL constraints of columns that say more than that: from 18, they have names and can be left unchecked.

use serde::{Deserialize, Serialize};

use super::{Kind, Object, column_above::is_not_null};
use crate::{
    catalog::{Alteration, At, Catalog, Definition, Hazard, ObjectId, Shape, Step},
    sql,
};

/// What is not as usual about the NOT NULL constraint of a column, an object about the column.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NotNull {
    /// Where it is not the one that PostgreSQL chooses.
    name: Option<String>,
    no_inherit: bool,
    /// Where it is not, the column itself does not count as NOT NULL.
    valid: bool,
    comment: Option<String>,
}

impl Definition for NotNull {
    const KEYWORD: &'static str = "NOT NULL OF";
    const SHAPE: Shape = Shape::About;
    const QUERY: &'static str = "
        SELECT c.tableoid AS classid, c.oid AS objid, a.attnum AS objsubid,
            nullif(k.conname, pg_catalog.concat(c.relname, '_', a.attname, '_not_null')) AS name, k.connoinherit AS no_inherit,
            k.convalidated AS valid, pg_catalog.obj_description(k.oid, 'pg_constraint') AS comment
        FROM pg_catalog.pg_constraint k JOIN pg_catalog.pg_class c ON c.oid = k.conrelid
            JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum = k.conkey[1]
        WHERE k.contype = 'n' AND k.conislocal AND c.oid >= 16384 AND c.relpersistence <> 't'
            AND (k.conname <> pg_catalog.concat(c.relname, '_', a.attname, '_not_null') OR k.connoinherit
                OR NOT k.convalidated OR pg_catalog.obj_description(k.oid, 'pg_constraint') IS NOT NULL)";

    fn create(&self, at: &At) -> Vec<Step> {
        let Some(column) = at.id.of.as_deref() else { return Vec::new() };
        if !self.valid {
            return [add(column, self)].into_iter().chain(self.comment_step(column, None)).collect();
        }
        // The column has been made with it, or has become NOT NULL by it.
        let done = at.is_made(column) || !is_not_null(at.current, column);
        self.reshaped(column, if done { self } else { USUAL }, None)
    }

    fn alter(&self, to: &Self, at: &At) -> Alteration {
        let Some(column) = at.id.of.as_deref() else { return Alteration::Replace };
        // The column lets go of the old one as it becomes nullable; one that is checked now has been so by the column.
        let steps = match (self.valid, to.valid) {
            (true, false) => [add(column, to)].into_iter().chain(to.comment_step(column, None)).collect(),
            _ => to.reshaped(column, self, self.comment.as_ref()),
        };
        Alteration::InPlace(steps)
    }

    fn drop(&self, at: &At) -> Vec<Step> {
        let Some(column) = at.id.of.as_deref() else { return Vec::new() };
        if is_not_null(at.desired, column) {
            return USUAL.reshaped(column, self, self.comment.as_ref());
        }
        let gone = (!self.valid).then(|| change(column, &format!("DROP CONSTRAINT {}", self.ident(column))));
        gone.into_iter().collect()
    }
}

/// The constraint of a column that is nothing but NOT NULL.
const USUAL: &NotNull = &NotNull { name: None, no_inherit: false, valid: true, comment: None };

impl NotNull {
    /// The quoted name.
    fn ident(&self, column: &ObjectId) -> String {
        let usual = || format!("{}_{}_not_null", column.names.get(1).map_or("", String::as_str), column.name());
        sql::ident(&self.name.clone().unwrap_or_else(usual))
    }

    /// The steps by which the constraint of a column that stays NOT NULL becomes this.
    fn reshaped(&self, column: &ObjectId, from: &Self, comment: Option<&String>) -> Vec<Step> {
        let Self { name, no_inherit, valid: _, comment: _ } = self;
        let ident = self.ident(column);
        let mut steps = Vec::new();
        if from.name != *name {
            steps.push(change(column, &format!("RENAME CONSTRAINT {} TO {ident}", from.ident(column))));
        }
        if from.no_inherit != *no_inherit {
            let word = if *no_inherit { "NO INHERIT" } else { "INHERIT" };
            steps.push(change(column, &format!("ALTER CONSTRAINT {ident} {word}")));
        }
        steps.extend(self.comment_step(column, comment));
        steps
    }

    fn comment_step(&self, column: &ObjectId, before: Option<&String>) -> Option<Step> {
        let text = self.comment.as_ref().map_or_else(|| "NULL".to_owned(), |text| sql::literal(text));
        let on = format!("COMMENT ON CONSTRAINT {} ON {} IS {text}", self.ident(column), column.relation());
        (before != self.comment.as_ref()).then(|| Step::new(on))
    }

    fn named(&self) -> String {
        self.name.as_ref().map_or_else(String::new, |name| format!("CONSTRAINT {} ", sql::ident(name)))
    }

    fn suffix(&self) -> &'static str {
        if self.no_inherit { " NO INHERIT" } else { "" }
    }
}

/// The clause that makes a new column NOT NULL.
pub(super) fn clause(at: &At) -> String {
    of(at.desired, at.id)
        .filter(|it| it.valid)
        .map_or_else(|| "NOT NULL".to_owned(), |it| format!("{}NOT NULL{}", it.named(), it.suffix()))
}

/// The statement that makes a column NOT NULL by a constraint that has not been checked yet, or that is not as usual.
pub(super) fn added(at: &At) -> Option<Step> {
    let (before, after) = (of(at.current, at.id), of(at.desired, at.id));
    if let Some(before) = before.filter(|_| at.persists(at.id)) {
        // It has its usual name by now where that is desired.
        let ident = after.map_or(USUAL, |_| before).ident(at.id);
        return (!before.valid).then(|| checked(change(at.id, &format!("VALIDATE CONSTRAINT {ident}"))));
    }
    after.filter(|it| it.valid).map(|to| add(at.id, to))
}

/// Whether a column that is NOT NULL makes those below it so.
pub(super) fn is_inherited(catalog: &Catalog, column: &ObjectId) -> bool {
    is_not_null(catalog, column) && of(catalog, column).is_none_or(|it| !it.no_inherit)
}

/// The object about a column.
pub(super) fn about(column: &ObjectId) -> ObjectId {
    ObjectId { of: Some(Box::new(column.clone())), ..ObjectId::new::<String>(Kind::NotNull, []) }
}

fn of<'a>(catalog: &'a Catalog, column: &ObjectId) -> Option<&'a NotNull> {
    match catalog.get(&about(column)) {
        Some(Object::NotNull(it)) => Some(it),
        _ => None,
    }
}

fn add(column: &ObjectId, to: &NotNull) -> Step {
    let not_valid = if to.valid { "" } else { " NOT VALID" };
    let name = sql::ident(column.name());
    let step = change(column, &format!("ADD {}NOT NULL {name}{}{not_valid}", to.named(), to.suffix()));
    if to.valid { checked(step) } else { step }
}

fn checked(step: Step) -> Step {
    step.hazard(Hazard::MayFail { why: "no row may hold NULL in the column".to_owned() })
}

fn change(column: &ObjectId, what: &str) -> Step {
    Step::new(format!("ALTER TABLE {} {what}", column.relation()))
}
