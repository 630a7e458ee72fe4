//! NOT NULL that a column inherits: from 18, PostgreSQL keeps whether the table declares it as well, and under which name.

use std::collections::BTreeSet;

use super::{Kind, Object, column_above::is_not_null, inheritance::Inheritance, lineage, not_null, stand_in};
use crate::{
    catalog::{At, Catalog, ObjectId, Step},
    sql,
};

/// Whether a column is NOT NULL only because one above it is.
pub(super) fn is_only_inherited(catalog: &Catalog, column: &ObjectId) -> bool {
    of(catalog, column).is_some_and(|it| it.only_inherits_not_null(column.name()))
}

/// Whether a column that inherits NOT NULL declares it as well.
pub(super) fn is_declared(catalog: &Catalog, column: &ObjectId) -> bool {
    catalog.server.major >= 18
        && of(catalog, column).is_some_and(|it| !it.only_inherits_not_null(column.name()))
        && is_not_null(catalog, column)
        && inherits(catalog, column)
}

/// Whether a column has NOT NULL from one above it.
pub(super) fn inherits(catalog: &Catalog, column: &ObjectId) -> bool {
    lineage::parents(catalog, lineage::relation(column)).iter().any(|parent| gives(catalog, parent, column))
}

/// Whether a column becomes NOT NULL by itself, before those above it make it so.
pub(super) fn comes_first(at: &At) -> bool {
    at.persists(at.id) && !is_not_null(at.current, at.id) && is_declared(at.desired, at.id)
}

/// Whether a column that comes with those above it declares NOT NULL as well, and has not been made so with its table.
pub(super) fn is_declared_later(at: &At) -> bool {
    is_declared(at.desired, at.id) && !lineage::comes_with_relation(at)
}

/// What happens to the constraint of a column that is NOT NULL all along.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Turn {
    /// The table comes to declare it, under the name that it has.
    Declared,
    /// The table comes to declare it under another name, or changes that, which what is inherited cannot.
    Renamed,
    /// The table leaves it to those above.
    Left,
    /// Nothing above gives it any more, although the table still inherits.
    Freed,
}

/// What happens to the constraint of a column.
pub(super) fn turn(at: &At) -> Option<Turn> {
    let stays = at.persists(at.id) && is_not_null(at.current, at.id) && is_not_null(at.desired, at.id);
    let before = is_only_inherited(at.current, at.id);
    if stays && before && is_declared(at.desired, at.id) {
        let renamed = not_null::name(at.current, at.id) != not_null::name(at.desired, at.id);
        return Some(if renamed { Turn::Renamed } else { Turn::Declared });
    }
    if stays && before && of(at.desired, at.id).is_some() && !inherits(at.desired, at.id) {
        return Some(Turn::Freed);
    }
    if stays && is_declared(at.current, at.id) && is_declared(at.desired, at.id) {
        let name = |catalog| of(catalog, at.id).and_then(|it| it.not_null_names().get(at.id.name()));
        return (name(at.current) != name(at.desired)).then_some(Turn::Renamed);
    }
    // That of a primary key cannot be let go.
    let left = of(at.desired, at.id).is_some_and(|it| it.not_nulls().contains(at.id.name()));
    (stays && left && (!before || is_released(at))).then_some(Turn::Left)
}

/// Whether a column that the table comes to declare lets go of those above it, and of what it has from them.
fn is_released(at: &At) -> bool {
    lineage::is_only_inherited(at.current, at.id) && !lineage::is_only_inherited(at.desired, at.id)
}

/// The columns of a table that are NOT NULL only because those above them are, before or after, or by an unusual name.
pub(super) fn columns(at: &At, relation: &[String]) -> BTreeSet<ObjectId> {
    let links = [at.current, at.desired].into_iter().filter_map(|catalog| link(catalog, relation));
    let names = links.flat_map(|it| it.all_not_nulls().chain(it.not_null_names().keys()));
    names.map(|name| column(relation, name)).collect()
}

/// Those to which something happens.
fn turning(at: &At, relation: &[String]) -> impl Iterator<Item = (ObjectId, Turn)> {
    let turning = |id: ObjectId| turn(&At { id: &id, ..*at }).map(|turn| (id, turn));
    columns(at, relation).into_iter().filter_map(turning).collect::<Vec<_>>().into_iter()
}

/// Whether a table cannot go on inheriting from a parent while what it declares changes.
pub(super) fn is_in_the_way(at: &At, relation: &[String], parent: &[String]) -> bool {
    let cut = |turn| matches!(turn, Turn::Renamed | Turn::Left);
    turning(at, relation).any(|(column, turn)| cut(turn) && gives(at.current, parent, &column))
}

/// Whether a stand-in has to give a column NOT NULL while none of the parents does that stay.
pub(super) fn is_held(at: &At, kept: &[Vec<String>]) -> bool {
    let both = is_only_inherited(at.current, at.id) && is_only_inherited(at.desired, at.id) && !is_released(at);
    let stays = |parent: &Vec<String>| [at.current, at.desired].iter().all(|catalog| gives(catalog, parent, at.id));
    at.persists(at.id) && both && !kept.iter().any(stays)
}

/// The statements for a table that inherits from the same parents all along.
pub(super) fn in_place(at: &At, relation: &[String]) -> Vec<Step> {
    let step = |(column, turn): (ObjectId, Turn)| match turn {
        Turn::Declared => Some(change(&column, "SET NOT NULL")),
        // The change of the column above makes it so again.
        Turn::Left => Some(change(&column, "DROP NOT NULL")),
        Turn::Renamed | Turn::Freed => None,
    };
    turning(at, relation).filter_map(step).collect()
}

/// The statements for a table that has let go of parents, but for those `kept`, before it gets those that it is to have.
pub(super) fn between(at: &At, relation: &[String], kept: &[Vec<String>]) -> Vec<Step> {
    let steps = |(column, turn): (ObjectId, Turn)| {
        // By the change of the column above, it would be made anew.
        let goes = turn == Turn::Freed && kept.iter().any(|parent| gives(at.current, parent, &column));
        let cut = matches!(turn, Turn::Renamed | Turn::Freed);
        if cut && !goes { renamed(&At { id: &column, ..*at }) } else { Vec::new() }
    };
    let left = left(at, relation);
    let mut steps: Vec<Step> = turning(at, relation).flat_map(steps).collect();
    if !left.is_empty() {
        steps.extend(left.iter().map(|column| change(column, "DROP NOT NULL")));
        let stand_in = stand_in::strict(at, relation, &left, &mut steps);
        steps.extend(left.iter().map(|id| add(&stand_in, &At { id, ..*at })));
    }
    steps
}

/// The columns that a table leaves to those above.
pub(super) fn left(at: &At, relation: &[String]) -> Vec<ObjectId> {
    turning(at, relation).filter(|(_, turn)| *turn == Turn::Left).map(|(column, _)| column).collect()
}

/// What is made or changed only after that: the columns above, and what else is said of the constraints.
pub(super) fn next(at: &At, relation: &[String]) -> Vec<ObjectId> {
    let next = |(column, turn): (ObjectId, Turn)| match turn {
        Turn::Left if at.persists(at.id) => lineage::above(&At { id: &column, ..*at }),
        Turn::Left => Vec::new(),
        _ => vec![not_null::about(&column)],
    };
    turning(at, relation).flat_map(next).collect()
}

/// The clauses of a new table that declares what it inherits.
pub(super) fn clauses(at: &At) -> Vec<String> {
    let relation = &at.id.names;
    let Some(inheritance) = link(at.desired, relation) else { return Vec::new() };
    let columns = inheritance.columns().iter().map(|name| column(relation, name));
    let declared = columns.filter(|column| is_declared(at.desired, column));
    declared.map(|column| not_null::table_clause(&At { id: &column, ..*at })).collect()
}

/// The statements that give the constraint another name. It is made anew where tables below call theirs otherwise, because
/// PostgreSQL renames all or none.
pub(super) fn renamed(at: &At) -> Vec<Step> {
    let [before, after] = [at.current, at.desired].map(|catalog| not_null::name(catalog, at.id));
    let (Some(before), Some(after)) = (before, after) else { return Vec::new() };
    if before == after {
        return Vec::new();
    }
    if is_renamed_below(at, (before, after)) {
        let rename = format!("RENAME CONSTRAINT {} TO {}", sql::ident(before), sql::ident(after));
        return vec![Step::new(format!("ALTER TABLE {} {rename}", at.id.relation()))];
    }
    vec![change(at.id, "DROP NOT NULL"), add(&at.id.relation(), at)]
}

/// Whether all those below get the name as well.
fn is_renamed_below(at: &At, names: (&String, &String)) -> bool {
    let below = lineage::children(at.current, lineage::relation(at.id)).into_iter();
    below.map(|child| lineage::under(at.id, &child)).all(|id| {
        let is = |catalog, name| not_null::name(catalog, &id) == Some(name);
        is(at.current, names.0) && is(at.desired, names.1) && is_renamed_below(&At { id: &id, ..*at }, names)
    })
}

/// Adds the constraint to a relation that has the column, and with it to those below.
fn add(relation: &str, at: &At) -> Step {
    let (ident, column) = (not_null::desired_ident(at), sql::ident(at.id.name()));
    Step::new(format!("ALTER TABLE {relation} ADD CONSTRAINT {ident} NOT NULL {column}"))
}

/// Whether a parent makes the column of a table NOT NULL.
fn gives(catalog: &Catalog, parent: &[String], column: &ObjectId) -> bool {
    not_null::is_inherited(catalog, &lineage::under(column, parent))
}

fn of<'a>(catalog: &'a Catalog, column: &ObjectId) -> Option<&'a Inheritance> {
    link(catalog, lineage::relation(column))
}

fn link<'a>(catalog: &'a Catalog, relation: &[String]) -> Option<&'a Inheritance> {
    match lineage::link(catalog, relation) {
        Some((_, Object::Inheritance(it))) => Some(it),
        _ => None,
    }
}

fn column(relation: &[String], name: &str) -> ObjectId {
    ObjectId::new(Kind::Column, relation.iter().map(String::as_str).chain([name]))
}

fn change(column: &ObjectId, what: &str) -> Step {
    Step::new(format!("ALTER TABLE {} ALTER COLUMN {} {what}", column.relation(), sql::ident(column.name())))
}
