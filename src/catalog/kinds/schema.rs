//! Schemas.

use serde::{Deserialize, Serialize};

use super::{Kind, comment::Comment, grant::Grant, owner::Owner};
use crate::catalog::{Alteration, At, Catalog, Definition, ObjectId, Step, Tie};

/// A schema; its owner, comment and grants are objects of their own.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Schema {}

impl Definition for Schema {
    const KEYWORD: &'static str = "SCHEMA";
    const QUERY: &'static str = "
        SELECT 'pg_catalog.pg_namespace'::regclass::oid AS classid, oid AS objid, 0 AS objsubid, ARRAY[nspname] AS names
        FROM pg_catalog.pg_namespace WHERE nspname !~ '^pg_' AND nspname <> 'information_schema'";

    fn create(&self, at: &At) -> Vec<Step> {
        let Self {} = self;
        vec![Step::new(format!("CREATE {}", at.id))]
    }

    fn alter(&self, _: &Self, _: &At) -> Alteration {
        let Self {} = self;
        Alteration::InPlace(Vec::new())
    }
}

/// What is in a new database of the same server: the schema `public`, and what initdb says about it; and the database
/// itself, where the catalog holds it.
pub fn new_database(catalog: &Catalog) -> Catalog {
    let public = ObjectId::new(Kind::Schema, ["public".to_owned()]);
    let owned_by_database = catalog.server.major >= 15;
    let privileges: &[&str] = if owned_by_database { &["USAGE"] } else { &["CREATE", "USAGE"] };
    let owner = ObjectId::about(Kind::Owner, &public);
    let everyone = ObjectId { names: vec![String::new()].into(), ..ObjectId::about(Kind::Grant, &public) };
    let mut objects = vec![
        (public.clone(), Schema {}.into()),
        (ObjectId::about(Kind::Comment, &public), Comment::new("standard public schema").into()),
        (everyone, Grant::new(privileges, "SCHEMA").into()),
    ];
    if owned_by_database {
        objects.push((owner, Owner::new("pg_database_owner").into()));
    } else if let Some(role) = catalog.get(&owner) {
        // Whoever made the cluster.
        objects.push((owner, role.clone()));
    }
    let ties: Vec<_> = objects.iter().skip(1).map(|(id, _)| (id.clone(), public.clone(), Tie::Belongs)).collect();
    let beside = super::database::new(catalog);
    let owned = beside.iter().skip(1).map(|(id, _)| (id.clone(), super::database(), Tie::Belongs));
    let ties: Vec<_> = ties.into_iter().chain(owned).collect();
    objects.extend(beside);
    Catalog { roles: catalog.roles.clone(), ..Catalog::new(catalog.server.clone(), objects, ties) }
}
