//! The database itself, as far as it is no matter of its server.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{
    Kind, Object,
    owner::Owner,
    settings::{Settings, settings},
};
use crate::catalog::{Alteration, At, Catalog, Concern, Definition, ObjectId, Step, Visit};

/// The database that is read; its owner, comment and grants are objects of their own.
///
/// Its address has no name: what is said about it is the same wherever the database stands, under whatever name.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Database {
    /// How many sessions there can be; -1 for as many as the server takes.
    connection_limit: i32,
    /// Whether everybody who may create databases may copy it.
    template: bool,
    /// What sessions start with.
    settings: Settings,
}

impl Definition for Database {
    const KEYWORD: &'static str = "DATABASE";
    const IN_SCHEMA: bool = false;
    const CONCERN: Concern = Concern::Database;
    const HAS_OPTIONS: bool = true;
    const QUERY: &'static str = concat!(
        "
        SELECT d.tableoid AS classid, d.oid AS objid, 0 AS objsubid, d.datconnlimit AS connection_limit,
            d.datistemplate AS template,
            ",
        settings!("s.setdatabase = d.oid AND s.setrole = 0"),
        " AS settings
        FROM pg_catalog.pg_database d WHERE d.datname = pg_catalog.current_database()"
    );

    /// It is there; what it should be is what it becomes.
    fn create(&self, at: &At) -> Vec<Step> {
        Self::default().changes(self, at)
    }

    fn alter(&self, to: &Self, at: &At) -> Alteration {
        Alteration::InPlace(self.changes(to, at))
    }

    /// It stays.
    fn drop(&self, _: &At) -> Vec<Step> {
        Vec::new()
    }

    fn visit_options(&mut self, visit: &mut Visit) {
        self.settings.visit("", visit);
    }
}

/// What `CREATE DATABASE` makes.
impl Default for Database {
    fn default() -> Self {
        Self { connection_limit: -1, template: false, settings: Settings::default() }
    }
}

impl Database {
    fn changes(&self, to: &Self, at: &At) -> Vec<Step> {
        let Self { connection_limit, template, settings } = to;
        let of = format!("ALTER {}", at.spelled(at.id));
        let mut steps = Vec::new();
        if self.connection_limit != *connection_limit {
            steps.push(Step::new(format!("{of} CONNECTION LIMIT {connection_limit}")));
        }
        if self.template != *template {
            steps.push(Step::new(format!("{of} IS_TEMPLATE {template}")));
        }
        steps.extend(self.settings.change(settings, &of));
        steps
    }
}

/// The address of the database.
pub fn database() -> ObjectId {
    ObjectId::new(Kind::Database, [""; 0])
}

/// A new database and its owner, where a catalog holds the database.
pub(super) fn new(catalog: &Catalog) -> Vec<(ObjectId, Object)> {
    let id = database();
    if !catalog.contains(&id) {
        return Vec::new();
    }
    let about = ObjectId { of: Some(Arc::new(id.clone())), ..ObjectId::new(Kind::Owner, [""; 0]) };
    let owner = Owner::new(&catalog.server.user);
    vec![(id, Object::Database(Arc::new(Database::default()))), (about, Object::Owner(Arc::new(owner)))]
}
