//! What tables inherit: which tables are above and below another, and whose change carries that of which.

use super::{Kind, Object};
use crate::catalog::{At, Catalog, ObjectId};

/// The tables from which a relation inherits, or whose partition it is.
pub(super) fn parents<'a>(catalog: &'a Catalog, relation: &[String]) -> &'a [Vec<String>] {
    match link(catalog, relation) {
        Some((_, Object::Partition(it))) => std::slice::from_ref(it.parent()),
        Some((_, Object::Inheritance(it))) => it.parents(),
        _ => &[],
    }
}

/// The address of the object that says what is above a relation.
pub(super) fn links(catalog: &Catalog, relation: &[String]) -> Vec<ObjectId> {
    link(catalog, relation).map(|(id, _)| id.clone()).into_iter().collect()
}

/// Whether a relation is a partition.
pub(super) fn is_partition(catalog: &Catalog, relation: &[String]) -> bool {
    matches!(link(catalog, relation), Some((_, Object::Partition(_))))
}

/// Whether a part of a relation is there only because it is inherited.
pub(super) fn is_only_inherited(catalog: &Catalog, part: &ObjectId) -> bool {
    match link(catalog, relation(part)) {
        Some((_, Object::Partition(it))) => catalog.contains(&under(part, it.parent())),
        Some((_, Object::Inheritance(it))) => it.only_inherits(part),
        _ => false,
    }
}

/// The parents that a relation has all along.
pub(super) fn persisting(at: &At, relation: &[String]) -> Vec<Vec<String>> {
    match (link(at.current, relation), link(at.desired, relation)) {
        (Some((id, Object::Partition(before))), Some((_, Object::Partition(after)))) => {
            let stays = before.parent() == after.parent() && at.persists(id);
            stays.then(|| after.parent().clone()).into_iter().collect()
        }
        (Some((_, Object::Inheritance(before))), Some((_, Object::Inheritance(after)))) => {
            let there = |names: &[String]| tables(names).iter().any(|id| at.persists(id));
            let kept = after.kept(before, relation, at).iter();
            kept.filter(|parent| there(parent) && there(relation)).cloned().collect()
        }
        _ => Vec::new(),
    }
}

/// The relations that are below another all along.
pub(super) fn staying(at: &At, relation: &[String]) -> Vec<Vec<String>> {
    let below = children(at.current, relation).into_iter();
    below.filter(|child| persisting(at, child).iter().any(|parent| parent == relation)).collect()
}

/// The parts of the same name above this one that are there, or come and go, while the relation stays below.
pub(super) fn above(at: &At) -> Vec<ObjectId> {
    persisting(at, relation(at.id)).iter().map(|parent| under(at.id, parent)).collect()
}

/// The part above that is made with this one in tow, or changes with it.
pub(super) fn carrier(at: &At) -> Option<ObjectId> {
    let made = at.is_made(at.id);
    if made && !is_only_inherited(at.desired, at.id) {
        return None;
    }
    above(at).into_iter().find(|up| if made { at.is_made(up) } else { at.persists(up) })
}

/// The part above with which this one goes.
pub(super) fn remover(at: &At) -> Option<ObjectId> {
    if !is_only_inherited(at.current, at.id) {
        return None;
    }
    above(at).into_iter().find(|up| at.goes(up) && !leaves(&At { id: up, ..*at }))
}

/// Whether a part that goes leaves behind what is below it, where that is desired to stay.
pub(super) fn leaves(at: &At) -> bool {
    staying(at, relation(at.id)).iter().map(|child| under(at.id, child)).any(|part| {
        let above =
            parents(at.desired, relation(&part)).iter().any(|parent| at.desired.contains(&under(&part, parent)));
        at.persists(&part) && is_only_inherited(at.current, &part) && !above
    })
}

/// The parts above that have to wait until this one is made, because they find it there, and that go before it.
pub(super) fn merged_into(at: &At) -> Vec<ObjectId> {
    let ups = above(at).into_iter();
    ups.filter(|up| !at.persists(up)).collect()
}

/// Whether a new relation inherits the part from the start.
pub(super) fn comes_with_relation(at: &At) -> bool {
    let relation = relation(at.id);
    let is_new = tables(relation).iter().any(|id| at.is_made(id));
    is_new && !is_partition(at.desired, relation) && is_only_inherited(at.desired, at.id)
}

/// Whether what happens to a part happens to all those below it as well, so that one statement does it all.
pub(super) fn is_uniform(at: &At) -> bool {
    staying(at, relation(at.id)).iter().map(|child| under(at.id, child)).all(|part| {
        let same = |catalog: &Catalog| catalog.get(&part) == catalog.get(at.id);
        same(at.current) && same(at.desired) && is_uniform(&At { id: &part, ..*at })
    })
}

/// The names of the relation of which an object is a part.
pub(super) fn relation(part: &ObjectId) -> &[String] {
    part.names.get(..2).unwrap_or(&part.names)
}

/// The part of the same name of another relation.
pub(super) fn under(part: &ObjectId, relation: &[String]) -> ObjectId {
    ObjectId::new(part.kind, relation.iter().chain(part.names.last()).cloned())
}

/// The table and the foreign table of these names.
pub(super) fn tables(relation: &[String]) -> [ObjectId; 2] {
    [Kind::Table, Kind::ForeignTable].map(|kind| ObjectId::new(kind, relation.iter().cloned()))
}

/// The object that says what is above a relation, with its address.
pub(super) fn link<'a>(catalog: &'a Catalog, relation: &[String]) -> Option<(&'a ObjectId, &'a Object)> {
    let links = [Kind::Partition, Kind::Inheritance].into_iter().filter(|kind| catalog.holds(*kind));
    let mut links = links.peekable();
    // Most databases know nothing of either, and every column asks.
    links.peek()?;
    let whole = tables(relation).into_iter().find(|id| catalog.contains(id))?;
    links.find_map(|kind| catalog.get_key_value(&ObjectId::about(kind, &whole)))
}

/// Whether anything is below a relation.
pub(super) fn has_children(catalog: &Catalog, relation: &[String]) -> bool {
    !children(catalog, relation).is_empty()
}

/// The relations right below another.
pub(super) fn children(catalog: &Catalog, relation: &[String]) -> Vec<Vec<String>> {
    let whole = tables(relation).into_iter().find(|id| catalog.contains(id));
    let dependents = whole.iter().flat_map(|id| catalog.dependents(id)).map(|(id, _)| id);
    let below = dependents.filter(|id| matches!(id.kind, Kind::Partition | Kind::Inheritance));
    below.map(|id| id.root().names.to_vec()).filter(|child| child != relation).collect()
}
