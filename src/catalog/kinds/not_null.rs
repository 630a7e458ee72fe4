//! NOT NULL constraints of columns that say more than that: from 18, they have names and can be left unchecked.

use serde::{Deserialize, Serialize};

use super::{Kind, Object, column_above::is_not_null, inherited_not_null, lineage};
use crate::{
    catalog::{Alteration, At, Catalog, Definition, Hazard, ObjectId, Shape, Step},
    sql,
};

/// Whether the constraint `k` of the column `a` has a name of the form that PostgreSQL chooses: with the name of a table, and
/// with a number where another one has the name.
macro_rules! is_usual {
    () => {
        "(pg_catalog.right(pg_catalog.rtrim(k.conname, '0123456789'), pg_catalog.length(a.attname) + 10)
            = pg_catalog.concat('_', a.attname, '_not_null'))"
    };
}
pub(super) use is_usual;

/// What is not as usual about the NOT NULL constraint of a column, an object about the column.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NotNull {
    /// Where it is not of the form that PostgreSQL chooses: with the name of the table, or of one of which that was a
    /// partition, and with a number where another table has the name.
    name: Option<String>,
    no_inherit: bool,
    /// Where it is not, the column itself does not count as NOT NULL.
    valid: bool,
    comment: Option<String>,
}

impl Definition for NotNull {
    const KEYWORD: &'static str = "NOT NULL OF";
    const SHAPE: Shape = Shape::About;
    const PRESENT: &'static str = "pg_catalog.current_setting('server_version_num')::int >= 180000";
    const QUERY: &'static str = concat!(
        "SELECT c.tableoid AS classid, c.oid AS objid, a.attnum AS objsubid,
            CASE WHEN NOT u.usual THEN k.conname END AS name, k.connoinherit AS no_inherit, k.convalidated AS valid,
            pg_catalog.obj_description(k.oid, 'pg_constraint') AS comment
        FROM pg_catalog.pg_constraint k JOIN pg_catalog.pg_class c ON c.oid = k.conrelid
            JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum = k.conkey[1],
            LATERAL (SELECT ",
        is_usual!(),
        " AS usual) u
        WHERE k.contype = 'n' AND k.conislocal AND c.oid >= 16384 AND c.relpersistence <> 't'
            AND (NOT u.usual OR k.connoinherit OR NOT k.convalidated
                OR pg_catalog.obj_description(k.oid, 'pg_constraint') IS NOT NULL)"
    );

    fn create(&self, at: &At) -> Vec<Step> {
        let Some(column) = at.id.of.as_deref() else { return Vec::new() };
        if !self.valid {
            return [add(column, self)].into_iter().chain(self.comment_step(column)).collect();
        }
        // The column has been made with it, or has become NOT NULL by it.
        if at.is_made(column) || !is_not_null(at.current, column) {
            return self.comment_step(column).into_iter().collect();
        }
        self.reshaped(at, USUAL)
    }

    fn alter(&self, to: &Self, at: &At) -> Alteration {
        let Some(column) = at.id.of.as_deref() else { return Alteration::Replace };
        // The column lets go of the old one as it becomes nullable; one that is checked now has been so by the column.
        let steps = match (self.valid, to.valid) {
            (true, false) => [add(column, to)].into_iter().chain(to.comment_step(column)).collect(),
            _ => to.reshaped(at, self),
        };
        Alteration::InPlace(steps)
    }

    fn drop(&self, at: &At) -> Vec<Step> {
        let Some(column) = at.id.of.as_deref() else { return Vec::new() };
        if is_not_null(at.desired, column) {
            // What is left to those above has gone.
            let left = inherited_not_null::is_only_inherited(at.desired, column);
            return if left { Vec::new() } else { USUAL.reshaped(at, self) };
        }
        let gone =
            (!self.valid).then(|| change(column, &format!("DROP CONSTRAINT {}", self.ident_in(at.current, column))));
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

    /// The quoted name in a catalog.
    fn ident_in(&self, catalog: &Catalog, column: &ObjectId) -> String {
        name(catalog, column).map_or_else(|| self.ident(column), |name| sql::ident(name))
    }

    /// The steps by which the constraint of a column that stays NOT NULL becomes this.
    fn reshaped(&self, at: &At, from: &Self) -> Vec<Step> {
        let Self { name, no_inherit, valid: _, comment: _ } = self;
        let Some(column) = at.id.of.as_deref() else { return Vec::new() };
        let before = from.ident_in(at.current, column);
        // What is not only inherited any more has got its name already.
        let named = inherited_not_null::turn(&At { id: column, ..*at }).is_some();
        let same = from.name == *name && !named;
        let ident = if same { before.clone() } else { self.ident_in(at.desired, column) };
        // In a partition, it has the name of the one above, and keeps it.
        let renaming = match ident != before {
            true if from.no_inherit || *no_inherit => {
                vec![change(column, &format!("RENAME CONSTRAINT {before} TO {ident}"))]
            }
            true => inherited_not_null::renamed(&At { id: column, ..*at }),
            false => Vec::new(),
        };
        let anew = renaming.len() > 1;
        let mut steps = if named { Vec::new() } else { renaming };
        if from.no_inherit != *no_inherit {
            let word = if *no_inherit { "NO INHERIT" } else { "INHERIT" };
            steps.push(change(column, &format!("ALTER CONSTRAINT {ident} {word}")));
        }
        if from.comment != self.comment || anew && self.comment.is_some() {
            steps.push(self.comment_on(column, &ident));
        }
        steps
    }

    fn comment_on(&self, column: &ObjectId, ident: &str) -> Step {
        let text = self.comment.as_ref().map_or_else(|| "NULL".to_owned(), |text| sql::literal(text));
        Step::new(format!("COMMENT ON CONSTRAINT {ident} ON {} IS {text}", column.relation()))
    }

    /// The comment on a new constraint.
    fn comment_step(&self, column: &ObjectId) -> Option<Step> {
        self.comment.as_ref().map(|_| self.comment_on(column, &self.ident(column)))
    }

    fn suffix(&self) -> &'static str {
        if self.no_inherit { " NO INHERIT" } else { "" }
    }
}

/// The clause that makes a new column NOT NULL.
pub(super) fn clause(at: &At) -> String {
    spelled(at, "")
}

/// The same for a column of which a new table has the rest from those above it.
pub(super) fn table_clause(at: &At) -> String {
    spelled(at, &format!(" {}", sql::ident(at.id.name())))
}

fn spelled(at: &At, column: &str) -> String {
    if let Some(it) = of(at.desired, at.id).filter(|it| it.valid) {
        return format!("CONSTRAINT {} NOT NULL{column}{}", it.ident(at.id), it.suffix());
    }
    let ident = USUAL.ident_in(at.desired, at.id);
    // PostgreSQL chooses the usual name unless another table of the schema has a constraint of that name: a partition, when
    // the partitioned table is made anew.
    let relation = lineage::relation(at.id);
    let anew = lineage::tables(relation).iter().any(|it| at.is_made(it) && at.current.contains(it));
    let chosen = ident == USUAL.ident(at.id) && !anew;
    let name = if chosen || at.desired.server.major < 18 { String::new() } else { format!("CONSTRAINT {ident} ") };
    format!("{name}NOT NULL{column}")
}

/// The statement that makes a column NOT NULL by a constraint that has not been checked yet, or that is not as usual.
///
/// Where others have the name by which PostgreSQL would call it, it is `named`.
pub(super) fn added(at: &At, named: bool) -> Option<Step> {
    let (before, after) = (of(at.current, at.id), of(at.desired, at.id));
    if let Some(before) = before.filter(|_| at.persists(at.id)) {
        // It has its usual name by now where that is desired.
        let renamed = after.is_none() && before.name.is_some();
        let ident = if renamed { desired_ident(at) } else { before.ident_in(at.current, at.id) };
        return (!before.valid).then(|| checked(change(at.id, &format!("VALIDATE CONSTRAINT {ident}"))));
    }
    if let Some(to) = after.filter(|it| it.valid) {
        return Some(add(at.id, to));
    }
    // PostgreSQL would name it after the table, and not after one of which that was a partition.
    let ident = desired_ident(at);
    let named = named || ident != USUAL.ident(at.id);
    (after.is_none() && at.desired.server.major >= 18 && named).then(|| added_to(&at.id.relation(), at))
}

/// The statement that adds the constraint to a relation which has the column, and with it to those below.
pub(super) fn added_to(relation: &str, at: &At) -> Step {
    let (ident, column) = (desired_ident(at), sql::ident(at.id.name()));
    checked(Step::new(format!("ALTER TABLE {relation} ADD CONSTRAINT {ident} NOT NULL {column}")))
}

/// The statement that makes a column NOT NULL by itself, after it has come from those above.
pub(super) fn declared(at: &At) -> Step {
    if at.desired.server.major >= 18 {
        return added_to(&at.id.relation(), at);
    }
    checked(change(at.id, &format!("ALTER COLUMN {} SET NOT NULL", sql::ident(at.id.name()))))
}

/// The quoted name that the constraint of a column is to have.
pub(super) fn desired_ident(at: &At) -> String {
    of(at.desired, at.id).unwrap_or(USUAL).ident_in(at.desired, at.id)
}

/// The statements that give the constraints of a table that becomes a partition, or was one, the names that they have when
/// it is made so.
pub(super) fn renamed(at: &At, table: &ObjectId) -> Vec<Step> {
    let columns = at.desired.dependents(table).map(|(id, _)| id);
    columns.filter(|id| id.kind == Kind::Column).filter_map(|id| rename(&At { id, ..*at })).collect()
}

/// The statements that give the constraints of the columns below one that becomes NOT NULL the names that they have when they
/// are made with it: what is inherited cannot be renamed.
pub(super) fn renamed_below(at: &At) -> Vec<Step> {
    let below = lineage::staying(at, lineage::relation(at.id)).into_iter().map(|child| lineage::under(at.id, &child));
    below.filter_map(|id| rename(&At { id: &id, ..*at })).collect()
}

/// The name that the constraint of a column has.
pub(super) fn name<'a>(catalog: &'a Catalog, column: &ObjectId) -> Option<&'a String> {
    match catalog.get(column) {
        Some(Object::Column(column)) => column.not_null_name(),
        _ => None,
    }
}

/// Gives the constraint of a column that is there all along the name that it is to have.
fn rename(at: &At) -> Option<Step> {
    let name = |catalog| name(catalog, at.id).filter(|_| of(catalog, at.id).is_none());
    let (before, after) = (name(at.current)?, name(at.desired)?);
    let rename = || format!("RENAME CONSTRAINT {} TO {}", sql::ident(before), sql::ident(after));
    // What is left to those above goes, and comes with theirs.
    let left = inherited_not_null::is_only_inherited(at.desired, at.id);
    (at.persists(at.id) && before != after && !left).then(|| change(at.id, &rename()))
}

/// Whether a column that is NOT NULL makes those below it so.
pub(super) fn is_inherited(catalog: &Catalog, column: &ObjectId) -> bool {
    is_not_null(catalog, column) && of(catalog, column).is_none_or(|it| !it.no_inherit)
}

/// The object about a column.
pub(super) fn about(column: &ObjectId) -> ObjectId {
    ObjectId::about(Kind::NotNull, column)
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
    let step =
        change(column, &format!("ADD CONSTRAINT {} NOT NULL {name}{}{not_valid}", to.ident(column), to.suffix()));
    if to.valid { checked(step) } else { step }
}

fn checked(step: Step) -> Step {
    step.hazard(Hazard::MayFail { why: "no row may hold NULL in the column".to_owned() })
}

fn change(column: &ObjectId, what: &str) -> Step {
    Step::new(format!("ALTER TABLE {} {what}", column.relation()))
}
