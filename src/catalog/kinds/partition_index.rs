//! Indexes of partitions, as parts of the index of a partitioned table.

use super::{Kind, Object, lineage};
use crate::{
    catalog::{At, Catalog, ObjectId, Step},
    sql,
};

/// The statement that makes a new index a part of one that is there all along; a new one finds its parts by itself, and a
/// table that is attached brings its own along.
pub(super) fn attach(at: &At, parent: &[String], index: &[String]) -> Option<Step> {
    let stays = of_catalog(at.desired, at, parent).is_some_and(|id| at.persists(&id)) && table_stays(at);
    let names = [parent, index].map(sql::qualified);
    stays.then(|| Step::new(format!("ALTER INDEX {} ATTACH PARTITION {}", names[0], names[1])))
}

/// The statements that give an index the parts that it has.
pub(super) fn take(at: &At, index: &[String]) -> Vec<Step> {
    let parts = at.desired.iter().filter(|(_, object)| match object {
        Object::Index(part) => part.parent().is_some_and(|parent| *parent == *index),
        _ => false,
    });
    let attach = |part: &ObjectId| format!("ALTER INDEX {} ATTACH PARTITION {}", sql::qualified(index), part.address());
    parts.map(|(part, _)| Step::new(attach(part))).collect()
}

/// What makes an index the part of another one, or of none; `None` where it has to be made anew, because it goes with the
/// index of which it is a part.
pub(super) fn change(
    at: &At,
    from: Option<&Vec<String>>,
    to: Option<&Vec<String>>,
    index: &[String],
) -> Option<Option<Step>> {
    if from == to || !table_stays(at) {
        return Some(None);
    }
    match (from, to) {
        (None, Some(parent)) => Some(attach(at, parent, index)),
        _ => None,
    }
}

/// The index or key of another name that a table has, on the other side, as its part of the same index above. Neither can
/// be dropped while that stays: the one takes the name of the other.
pub(super) fn namesake<'a>(at: &At<'a>, parent: Option<&Vec<String>>) -> Option<(&'a ObjectId, &'a Object)> {
    let parent = parent?;
    let is_new = !at.current.contains(at.id);
    let (here, other) = if is_new { (at.desired, at.current) } else { (at.current, at.desired) };
    let stays = of_catalog(here, at, parent).is_some_and(|above| at.persists(&above)) && table_stays(at);
    let table = ObjectId::new(Kind::Table, table(here, at.id).iter().cloned());
    let parts = other.dependents(&table).filter(|(id, _)| stays && !here.contains(id));
    let mut parts = parts.filter_map(|(id, _)| other.get_key_value(id));
    parts.find(|(_, object)| match object {
        Object::Index(index) => index.parent() == Some(parent),
        Object::Constraint(key) => key.parent() == Some(parent),
        _ => false,
    })
}

/// The step after which what was said of an index or key is not said of the one that has its place.
pub(super) fn unsaid(at: &At, before: &ObjectId) -> Option<Step> {
    let comment = |of| ObjectId::about(Kind::Comment, of);
    let left_over = at.current.contains(&comment(before)) && !at.desired.contains(&comment(at.id));
    left_over.then(|| Step::new(format!("COMMENT ON {} IS NULL", at.id)))
}

/// The index or key above with which one goes.
pub(super) fn remover(at: &At, parent: Option<&Vec<String>>) -> Option<ObjectId> {
    let above = of_catalog(at.current, at, parent?)?;
    (table_stays(at) && at.goes(&above)).then_some(above)
}

/// The index or key above, on either side, where it finds this one because the table is a partition all along.
pub(super) fn ids(at: &At, parent: Option<&Vec<String>>) -> Vec<ObjectId> {
    let Some(parent) = parent.filter(|_| table_stays(at)) else { return Vec::new() };
    [at.current, at.desired].into_iter().filter_map(|catalog| of_catalog(catalog, at, parent)).collect()
}

/// Whether the table of an index or key is a partition of the same table all along.
fn table_stays(at: &At) -> bool {
    [at.current, at.desired].iter().any(|catalog| !lineage::persisting(at, table(catalog, at.id)).is_empty())
}

fn table<'a>(catalog: &'a Catalog, id: &'a ObjectId) -> &'a [String] {
    match catalog.get(id) {
        Some(Object::Index(index)) => index.relation(),
        _ => lineage::relation(id),
    }
}

/// The index or key of these names of a table above.
fn of_catalog(catalog: &Catalog, at: &At, index: &[String]) -> Option<ObjectId> {
    let plain = ObjectId::new(Kind::Index, index.iter().cloned());
    if catalog.contains(&plain) {
        return Some(plain);
    }
    let above = lineage::parents(catalog, table(catalog, at.id)).iter();
    let key = |parent: &Vec<String>| ObjectId::new(Kind::Constraint, parent.iter().chain(index.last()).cloned());
    above.map(key).find(|id| catalog.contains(id))
}
