//! Tables that stand in for a parent for a moment, because PostgreSQL has no other way to change who declares a column.
//!
//! A column that a table has from its parents alone comes about only by inheriting it, and becomes the table's own when
//! the last of those parents is let go.

use std::collections::BTreeSet;

use super::{Kind, Object, column_inherited, inheritance::Inheritance, inherited_not_null, lineage, swap};
use crate::{
    catalog::{At, Catalog, ObjectId, Shape, Step},
    sql,
};

/// Whether a column or check of a table that stays is to be inherited, and comes about neither by inheriting from what stays
/// above nor by what the table declares itself now.
pub(super) fn is_renewed(at: &At) -> bool {
    let relation = lineage::relation(at.id);
    let stays = lineage::tables(relation).iter().any(|table| at.persists(table));
    // What a partition has becomes its own when it is detached.
    let was_partition = lineage::is_partition(at.current, relation);
    let own = if at.current.contains(at.id) {
        was_partition || !lineage::is_only_inherited(at.current, at.id)
    } else {
        lineage::carrier(at).is_none()
    };
    let inherits = !lineage::is_partition(at.desired, relation) && lineage::is_only_inherited(at.desired, at.id);
    stays && own && inherits && at.desired.contains(at.id)
}

/// The columns and checks of a relation that are renewed.
pub(super) fn renewed(at: &At, relation: &[String], inheritance: &Inheritance) -> Vec<ObjectId> {
    parts(relation, inheritance).filter(|part| is_renewed(&At { id: part, ..*at })).collect()
}

/// What a table has from parents alone before and after, none of which stays: something must hold it meanwhile.
fn held(at: &At, relation: &[String], before: &Inheritance) -> Vec<ObjectId> {
    let kept = lineage::persisting(at, relation);
    let stays = lineage::tables(relation).iter().any(|table| at.persists(table));
    let above = |part: &ObjectId| kept.iter().map(|parent| lineage::under(part, parent)).any(|up| at.persists(&up));
    let inherits = !lineage::is_partition(at.desired, relation);
    let is_held = |part: &ObjectId| {
        stays && inherits && at.persists(part) && lineage::is_only_inherited(at.desired, part) && !above(part)
    };
    let mut held: Vec<ObjectId> = parts(relation, before).filter(is_held).collect();
    for id in inherited_not_null::columns(at, relation) {
        if stays && inherited_not_null::is_held(&At { id: &id, ..*at }, &kept) && !held.contains(&id) {
            held.push(id);
        }
    }
    held
}

/// The statements that let a stand-in hold what would become the table's own.
pub(super) fn hold(at: &At, relation: &[String], before: &Inheritance) -> Vec<Step> {
    let held = held(at, relation, before);
    if held.is_empty() {
        return Vec::new();
    }
    let clause = |part: &ObjectId| {
        let at = At { id: part, parts: &[], ..*at };
        match at.current.get(part)? {
            // NOT NULL that is the table's own, or becomes so, is to be taken away, or gets another name.
            Object::Column(column) => Some(column_inherited::held(column, &at)),
            object => object.clause(&at),
        }
    };
    let name = name(at, relation, PARENT);
    let body = sql::join(held.iter().filter_map(clause), ", ");
    vec![Step::new(format!("CREATE TABLE {name} ({body})")), inherit(relation, "INHERIT", &name)]
}

/// The stand-in that holds a column.
pub(super) fn holder(at: &At) -> Option<String> {
    let relation = lineage::relation(at.id);
    let link = lineage::links(at.current, relation).into_iter().find(|link| at.goes(link))?;
    let Some(Object::Inheritance(before)) = at.current.get(&link) else { return None };
    held(at, relation, before).contains(at.id).then(|| name(at, relation, PARENT))
}

/// What the stand-in that holds parts of a relation is called after, and the one that makes columns NOT NULL.
const PARENT: &str = "parent";
const NOT_NULL: &str = "not_null";

/// Makes the stand-in by which columns become NOT NULL that do not declare it, and tells its name.
pub(super) fn strict(at: &At, relation: &[String], columns: &[ObjectId], steps: &mut Vec<Step>) -> String {
    let name = name(at, relation, NOT_NULL);
    let clause = |id: &ObjectId| match at.desired.get(id)? {
        Object::Column(column) => Some(format!("{} {}", sql::ident(id.name()), column.spelled_type())),
        _ => None,
    };
    let body = sql::join(columns.iter().filter_map(clause), ", ");
    steps.extend([Step::new(format!("CREATE TABLE {name} ({body})")), inherit(relation, "INHERIT", &name)]);
    name
}

/// The statements that take every stand-in away again.
pub(super) fn release(at: &At, relation: &[String], before: Option<&Inheritance>, after: &Inheritance) -> Vec<Step> {
    let held = before.is_some_and(|before| !held(at, relation, before).is_empty());
    let held = held.then(|| name(at, relation, PARENT));
    let strict = (!inherited_not_null::left(at, relation).is_empty()).then(|| name(at, relation, NOT_NULL));
    let renewed = renewed(at, relation, after).into_iter().map(|part| name(at, relation, part.name()));
    let names: Vec<String> = held.into_iter().chain(strict).chain(renewed).collect();
    names
        .iter()
        .flat_map(|name| [inherit(relation, "NO INHERIT", name), Step::new(format!("DROP TABLE {name}"))])
        .collect()
}

/// The statements that make a column anew as one that is inherited, with its values, which are of the type `from` and become
/// those of the type `to`; where it inherits NOT NULL as well, by a constraint of this quoted name.
pub(super) fn renew_column(at: &At, (from, to): (&str, &str), using: &str, not_null: Option<&str>) -> Vec<Step> {
    let relation = lineage::relation(at.id);
    let stand_in = name(at, relation, at.id.name());
    let column = sql::ident(at.id.name());
    let old = sql::ident(&swap::shortened(at.id.name(), "__reconcile_old"));
    let mut steps = vec![
        Step::new(format!("CREATE TABLE {stand_in} ({column} {from})")),
        inherit(relation, "INHERIT", &stand_in),
        Step::new(format!("ALTER TABLE {stand_in} RENAME COLUMN {column} TO {old}")),
        Step::new(format!("ALTER TABLE {stand_in} ADD COLUMN {column} {to}")),
    ];
    if !at.current.contains(&ObjectId::new(Kind::ForeignTable, relation.iter().cloned())) {
        let using = using.replacen("{}", &old, 1);
        steps.push(Step::new(format!("ALTER TABLE {stand_in} ALTER COLUMN {column} TYPE {to} USING {using}")));
    }
    steps.push(Step::new(format!("ALTER TABLE {stand_in} DROP COLUMN {old}")));
    steps.push(Step::new(format!("ALTER TABLE {} DROP COLUMN {old}", sql::qualified(relation))));
    let constraint = |name| Step::new(format!("ALTER TABLE {stand_in} ADD CONSTRAINT {name} NOT NULL {column}"));
    steps.extend(not_null.map(constraint));
    steps
}

/// The statements that make a new column, spelled like this, as one that is inherited.
pub(super) fn bring_column(at: &At, spelled: &str) -> Vec<Step> {
    let relation = lineage::relation(at.id);
    let stand_in = name(at, relation, at.id.name());
    vec![
        Step::new(format!("CREATE TABLE {stand_in} ({})", columns_of(at))),
        inherit(relation, "INHERIT", &stand_in),
        Step::new(format!("ALTER TABLE {stand_in} ADD COLUMN {spelled}")),
    ]
}

/// The statements that make a check anew as one that is inherited.
pub(super) fn renew_check(at: &At, definition: &str) -> Vec<Step> {
    let relation = lineage::relation(at.id);
    let stand_in = name(at, relation, at.id.name());
    let check = sql::ident(at.id.name());
    vec![
        Step::new(format!("CREATE TABLE {stand_in} ({})", columns_of(at))),
        inherit(relation, "INHERIT", &stand_in),
        Step::new(format!("ALTER TABLE {stand_in} ADD CONSTRAINT {check} {definition}")),
    ]
}

/// The columns on which the expression of a part depends.
fn columns_of(at: &At) -> String {
    let columns = at.desired.referenced(at.id).filter_map(|(id, _)| match at.desired.get(id) {
        Some(Object::Column(column)) => Some(format!("{} {}", sql::ident(id.name()), column.spelled_type())),
        _ => None,
    });
    sql::join(columns.collect::<BTreeSet<String>>(), ", ")
}

fn parts<'a>(relation: &'a [String], inheritance: &'a Inheritance) -> impl Iterator<Item = ObjectId> + 'a {
    let part = |kind| move |name: &'a String| ObjectId::new(kind, relation.iter().chain([name]).cloned());
    let columns = inheritance.columns().iter().map(part(Kind::Column));
    columns.chain(inheritance.checks().iter().map(part(Kind::Constraint)))
}

fn inherit(relation: &[String], action: &str, parent: &str) -> Step {
    Step::new(format!("ALTER TABLE {} {action} {parent}", sql::qualified(relation)))
}

/// The qualified name of a stand-in, which neither side uses.
fn name(at: &At, relation: &[String], what: &str) -> String {
    let schema = relation.first().map_or("", String::as_str);
    let table = relation.last().map_or("", String::as_str);
    let taken: BTreeSet<&str> = [at.current, at.desired]
        .into_iter()
        .flat_map(Catalog::iter)
        .filter(|(id, _)| id.kind.shape() == Shape::Plain && id.names.first().is_some_and(|it| it == schema))
        .map(|(id, _)| id.name())
        .collect();
    let mut suffix = "__reconcile".to_owned();
    while taken.contains(swap::shortened(&format!("{table}_{what}"), &suffix).as_str()) {
        suffix.push('_');
    }
    sql::qualified([schema, &swap::shortened(&format!("{table}_{what}"), &suffix)])
}

/// The parents from which a table cannot go on inheriting while what it declares itself changes.
pub(super) fn is_in_the_way(
    at: &At,
    relation: &[String],
    parent: &[String],
    before: &Inheritance,
    after: &Inheritance,
) -> bool {
    let has = |catalog: &Catalog, part: &ObjectId| catalog.contains(&lineage::under(part, parent));
    let renewed = parts(relation, after)
        .filter(|part| at.current.contains(part) && !before.only_inherits(part))
        .any(|part| has(at.current, &part));
    let released = parts(relation, before)
        .filter(|part| part.kind == Kind::Column && at.desired.contains(part) && !after.only_inherits(part))
        .any(|part| has(at.current, &part) && has(at.desired, &part));
    renewed || released
}
