//! The rights that there are on an object, and whose it is.

use super::{Kind, Object, grant::Grant};
use crate::catalog::{At, Catalog, ObjectId, Shape, Tie};

/// The rights of every grantee on the same object, as they are.
pub(super) fn grants_there<'a>(at: &At<'a>) -> impl Iterator<Item = (&'a ObjectId, &'a Grant)> {
    at.id.of.as_deref().into_iter().flat_map(|of| grants_on(at.current, of))
}

/// The rights of every grantee on an object.
pub(super) fn grants_on<'a>(catalog: &'a Catalog, of: &ObjectId) -> impl Iterator<Item = (&'a ObjectId, &'a Grant)> {
    let said = catalog.dependents(of).map(|(id, _)| id).filter(move |id| id.of.as_deref() == Some(of));
    said.filter_map(|id| Some((id, rights_at(catalog, id)?)))
}

/// The rights at an address, if those are rights of one grantee on an object.
pub(super) fn rights_at<'a>(catalog: &'a Catalog, id: &ObjectId) -> Option<&'a Grant> {
    match catalog.get(id)? {
        Object::Grant(grant) => Some(grant),
        Object::SequenceGrant(grant) => Some(grant.said()),
        _ => None,
    }
}

/// The relation that a column is in, or whose column is numbered by a sequence; any other object itself.
pub(super) fn relation_of<'a>(catalog: &'a Catalog, id: &'a ObjectId) -> &'a ObjectId {
    let whole = catalog.referenced(id).find(|(it, tie)| *tie == Tie::Belongs && id.names.starts_with(&it.names));
    whole.filter(|_| id.kind.shape() == Shape::Column).map_or(id, |(whole, _)| relation_of(catalog, whole))
}

/// The owner of the object after the plan, where that is known.
pub(super) fn owner_of<'a>(at: &At<'a>) -> Option<&'a str> {
    owner(at.desired, at.id.of.as_deref()?)
}

/// The same; of a column, the owner of the relation that it is in.
pub(super) fn owner_of_whole<'a>(at: &At<'a>) -> Option<&'a str> {
    owner(at.desired, relation_of(at.desired, at.id.of.as_deref()?))
}

fn owner<'a>(catalog: &'a Catalog, of: &ObjectId) -> Option<&'a str> {
    match catalog.get(&ObjectId::about(Kind::Owner, of))? {
        Object::Owner(owner) => Some(owner.name()),
        _ => None,
    }
}

/// Whether anybody may pass on rights on the object; on a column, those on its relation count as well, which in turn
/// are revoked together with those on its columns.
pub(super) fn is_passed_on(at: &At) -> bool {
    let (current, of) = (at.current, at.id.of.as_deref());
    let whole = of.map(|of| relation_of(current, of));
    let columns = whole.into_iter().flat_map(|whole| current.dependents(whole)).map(|(id, _)| id);
    let touched = |id: &&ObjectId| id.kind.shape() == Shape::Column && (of == whole || of == Some(*id));
    let mut objects = columns.filter(touched).chain(whole).chain(of);
    objects.any(|of| grants_on(current, of).any(|(_, grant)| grant.may_be_passed_on()))
}
