//! A unique index that becomes the index of a key of the same name, without being built again.

use super::{Kind, Object, constraint::Constraint, index::Index};
use crate::{
    catalog::{At, ObjectId},
    sql,
};

/// The index that a new key takes over.
pub(super) fn taken<'a>(at: &At<'a>, key: &Constraint) -> Option<&'a Index> {
    let [schema, _, name] = &*at.id.names else { return None };
    let id = ObjectId::new(Kind::Index, [schema, name].into_iter().cloned());
    let Some(Object::Index(index)) = at.current.get(&id) else { return None };
    passes(at, (&id, index), (at.id, key)).then_some(index)
}

/// Whether a key takes over an index that is there no longer.
pub(super) fn is_taken(at: &At, index: &Index) -> bool {
    let key = ObjectId::new(Kind::Constraint, index.relation().iter().chain(at.id.names.last()).cloned());
    let Some(Object::Constraint(constraint)) = at.desired.get(&key) else { return false };
    passes(at, (at.id, index), (&key, constraint))
}

/// Whether an index passes to a key: nothing that it is made of goes meanwhile, and nothing is said of it that would stay.
fn passes(at: &At, (id, index): (&ObjectId, &Index), (key, constraint): (&ObjectId, &Constraint)) -> bool {
    let new = !at.current.contains(key) && !at.desired.contains(id);
    let stays = || at.current.referenced(id).all(|(of, _)| at.persists(of));
    let silent = || at.current.dependents(id).all(|(dependent, _)| dependent.kind == Kind::ForeignKey);
    new && constraint.index_definition(key).is_some_and(|it| index.is_only(&it)) && stays() && silent()
}

/// As `pg_get_indexdef` writes the index of a key: `UNIQUE NULLS NOT DISTINCT (a) INCLUDE (b)`.
pub(super) fn spelled(key: &ObjectId, definition: &str) -> Option<String> {
    let (nulls, columns) = match definition.strip_prefix("UNIQUE NULLS NOT DISTINCT ") {
        Some(columns) => (" NULLS NOT DISTINCT", columns),
        None => ("", definition.strip_prefix("UNIQUE ").or_else(|| definition.strip_prefix("PRIMARY KEY "))?),
    };
    let (name, relation) = (sql::ident(key.name()), key.relation());
    Some(format!("CREATE UNIQUE INDEX {name} ON {relation} USING btree {columns}{nulls}"))
}
