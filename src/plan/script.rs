//! A catalog as a script: the statements that make it from an empty database.

use super::{
    draft::{Draft, draft},
    fold::Cycle,
};
use crate::catalog::{Catalog, ObjectId};

/// The statements that make `catalog` from `empty`, in dependency order.
pub fn script(empty: &Catalog, catalog: &Catalog) -> Result<Draft, Cycle> {
    draft(empty, catalog, |_, _, _| false)
}

/// What a new database has of a catalog: the schema `public`, and what is said about it.
pub fn new_database(catalog: &Catalog) -> Catalog {
    let public = |id: &ObjectId| id.root().to_string() == "SCHEMA public";
    let mut empty = catalog.filtered(public);
    empty.unmodelled.clear();
    empty
}
