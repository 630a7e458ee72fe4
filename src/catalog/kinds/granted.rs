//! The rights that there are on an object, and whose it is.

use super::{Kind, Object, grant::Grant};
use crate::catalog::{At, Catalog, ObjectId, Shape, Tie};

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

/// The columns of a relation.
pub(super) fn columns_of<'a>(catalog: &'a Catalog, of: &ObjectId) -> impl Iterator<Item = &'a ObjectId> {
    let parts = catalog.dependents(of).map(|(id, _)| id).filter(|id| id.kind.shape() == Shape::Column);
    parts.filter(move |id| id.names.starts_with(&of.names))
}

/// The owner of the object after the plan, where that is known.
pub(super) fn owner_of<'a>(at: &At<'a>) -> Option<&'a str> {
    owner(at.desired, at.id.of.as_deref()?)
}

/// The same; of a column, the owner of the relation that it is in, and of the sequence of a column likewise.
pub(super) fn owner_of_whole<'a>(at: &At<'a>) -> Option<&'a str> {
    let (desired, of) = (at.desired, at.id.of.as_deref()?);
    owner(desired, relation_of(desired, of)).or_else(|| {
        let (column, _) = desired.referenced(of).find(|(_, tie)| *tie == Tie::Owned)?;
        owner(desired, relation_of(desired, column))
    })
}

fn owner<'a>(catalog: &'a Catalog, of: &ObjectId) -> Option<&'a str> {
    match catalog.get(&ObjectId::about(Kind::Owner, of))? {
        Object::Owner(owner) => Some(owner.name()),
        _ => None,
    }
}

/// The schema of the object, where the role that connects can grant rights on it and this role has none by name.
pub(super) fn closed_to(at: &At, role: &str) -> Option<ObjectId> {
    let of = at.id.of.as_deref().filter(|of| of.kind != Kind::Schema)?;
    let schema = ObjectId::new(Kind::Schema, [of.schema()?]);
    let owner = owner(at.desired, &schema);
    let server = &at.current.server;
    let uses = |name: &str| {
        let names = vec![name.to_owned()].into();
        let id = ObjectId { names, ..ObjectId::about(Kind::Grant, &schema) };
        rights_at(at.desired, &id).is_some_and(|it| it.rights().held.contains("USAGE"))
    };
    let open = owner == Some(role) || uses(role) || uses("");
    let grants = server.superuser || owner == Some(&server.user);
    (!open && grants).then_some(schema)
}

/// Whether anybody may pass on rights on the object, before the plan or after it, or meanwhile by default privileges.
pub(super) fn is_passed_on(at: &At) -> bool {
    let Some(of) = at.id.of.as_deref() else { return false };
    let whole = relation_of(at.desired, of);
    passes_on(at.current, of) || passes_on(at.desired, of) || at.is_made(whole) && is_passed_on_by_default(at)
}

/// On a column, the rights on its relation count as well, which in turn are revoked together with those on its columns.
fn passes_on(catalog: &Catalog, of: &ObjectId) -> bool {
    let whole = relation_of(catalog, of);
    let columns = columns_of(catalog, whole).filter(|id| of == whole || of == *id);
    let mut objects = columns.chain([whole, of]);
    objects.any(|of| grants_on(catalog, of).any(|(_, grant)| grant.may_be_passed_on()))
}

/// Whether anybody may pass on rights on what the role that connects makes.
fn is_passed_on_by_default(at: &At) -> bool {
    let kinds = [Kind::DefaultPrivilege, Kind::SchemaDefaultPrivilege];
    let mut said = kinds.into_iter().flat_map(|kind| at.current.of_kind(kind).chain(at.desired.of_kind(kind)));
    said.any(|(id, object)| {
        let passed_on = match object {
            Object::DefaultPrivilege(it) => it.may_be_passed_on(),
            Object::SchemaDefaultPrivilege(it) => it.may_be_passed_on(),
            _ => false,
        };
        passed_on && id.names.first() == Some(&at.current.server.user)
    })
}
