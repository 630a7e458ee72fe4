//! Roles and the database itself: they are loaded, and their changes rehearsed, on a server of their own.
//!
//! All databases of a server share its roles, so that those of both sides of a plan would be one there; and a role of the
//! desired state may be a superuser, whom no code of the same desired state must be able to become. So this server holds
//! nothing else. The scratch server has the same roles by name, without any of their rights.

use std::cell::RefCell;
use std::collections::BTreeSet;

use postgres::Client;

use super::{
    load::Desired,
    make::{Manage, PlanError, Request},
    rehearsal::{RehearsalError, SETTINGS, StatementError, describe},
    script::statements,
};
use crate::{
    catalog::{self, Catalog, Concern, Extent, ObjectId},
    engine::{self, Engine, Outer, Spec},
    source::{self, Source},
    sql,
};

/// The server, and what is on it.
pub(super) struct Surroundings {
    outer: Outer,
    roles: bool,
    database: bool,
    /// The role that made the target's cluster, which is an ordinary one here.
    maker: String,
    /// What is there before anything is done.
    empty: Catalog,
}

/// What a source says about roles and the database.
pub(super) struct Surrounded {
    /// What was there before.
    pub baseline: Catalog,
    /// What is there afterwards.
    pub catalog: Catalog,
    /// What people should know.
    pub warnings: Vec<String>,
}

/// Why what a source says about roles and the database cannot be.
#[derive(Debug, thiserror::Error)]
pub enum SurroundingsError {
    /// Statements that have no place in a desired state, or that PostgreSQL refuses, each with its place.
    #[error("these statements about roles and the database cannot be carried out:\n  {}", refused.join("\n  "))]
    Statements {
        /// Each with its place, and why not.
        refused: Vec<String>,
        /// What to do where the server lacks something.
        hints: BTreeSet<String>,
    },
    /// The server failed.
    #[error(transparent)]
    Rehearsal(#[from] RehearsalError),
}

impl From<postgres::Error> for SurroundingsError {
    fn from(error: postgres::Error) -> Self {
        Self::Rehearsal(error.into())
    }
}

impl Surroundings {
    /// Starts the server, with roles of the names that the target has and that are not objects of it.
    pub fn start(engine: &Engine, current: &Catalog, extent: Extent) -> Result<Self, RehearsalError> {
        let mut outer = engine.outer(&current.server.database)?;
        let client = outer.client();
        client.batch_execute(SETTINGS)?;
        let there = names(client)?;
        let missing = |name: &&String| !there.contains(name) && !current.contains(&catalog::role(name));
        let create = current.roles.iter().filter(missing).map(|name| format!("CREATE ROLE {}", sql::ident(name)));
        client.batch_execute(&sql::join(create, "; "))?;
        let Extent { ledger: _, roles, database } = extent;
        let maker = current.server.maker.clone();
        let mut surroundings = Self { outer, roles, database, maker, empty: Catalog::default() };
        surroundings.empty = surroundings.read()?;
        Ok(surroundings)
    }

    /// Opens a transaction, in which it becomes what the surroundings are in a catalog; one that was open is undone.
    pub fn become_like(&mut self, catalog: &Catalog) -> Result<(), RehearsalError> {
        self.outer.client().batch_execute("ROLLBACK; BEGIN")?;
        for sql in statements(&self.empty, catalog)? {
            let what = "while the roles and the database were copied";
            self.run(&sql).map_err(|error| RehearsalError::Statement { what, sql, error })?;
        }
        Ok(())
    }

    /// Runs a statement in the transaction.
    pub fn run(&mut self, sql: &str) -> Result<(), StatementError> {
        // Several statements in one text are refused this way.
        self.outer.client().query_typed(sql, &[])?;
        Ok(())
    }

    /// Reads the roles and the database as the transaction sees them.
    pub fn read(&mut self) -> Result<Catalog, RehearsalError> {
        let extent = Extent { ledger: "", roles: self.roles, database: self.database };
        let read = catalog::read_within(self.outer.client(), extent)?;
        let maker = catalog::role(&self.maker);
        Ok(read.filtered(|id| id.is_beside() && *id.root() != maker))
    }

    /// Loads what a source says, beside the roles of the target that it does not create and that nobody managed.
    pub fn load(
        &mut self,
        source: &Source,
        current: &Catalog,
        was_managed: impl Fn(&ObjectId) -> bool,
    ) -> Result<Surrounded, SurroundingsError> {
        let server = &current.server;
        let beside = source::Beside {
            roles: self.roles,
            database: self.database,
            name: &server.database,
            user: &server.user,
            maker: &server.maker,
        };
        let said = source.outer(beside).map_err(|refused| SurroundingsError::Statements {
            refused: refused.iter().map(ToString::to_string).collect(),
            hints: BTreeSet::new(),
        })?;
        let created = source.created_roles();
        let kept = |name: &str| {
            [&server.user, &server.maker].iter().any(|it| *it == name)
                || !created.contains(name) && !was_managed(&catalog::role(name))
        };
        // Whoever owns the database owns it as long as nobody says something else.
        let owner = |id: &ObjectId| id.kind.concern() == Concern::Owner && id.is_beside();
        let owned = current.iter().any(|(id, object)| owner(id) && object.role(id).is_some_and(kept));
        let assumed = |id: &ObjectId| {
            let root = id.root();
            owner(id) && owned
                || root.kind.concern() == Concern::Role && catalog::member(root).is_none() && kept(root.name())
        };
        let base = self.empty.merged(|id| !(owner(id) && owned), current, assumed);
        self.become_like(&base)?;
        if !self.roles {
            self.create_plain(&created)?;
        }
        let baseline = self.read()?;
        self.execute(&said.statements)?;
        let mut catalog = self.read()?;
        self.outer.client().batch_execute("ROLLBACK")?;
        let unsaid = |id: &ObjectId| owner(id) && catalog.get(id) == self.empty.get(id);
        if catalog.iter().any(|(id, _)| unsaid(id)) {
            catalog = catalog.merged(|id| !unsaid(id), current, owner);
        }
        let mut warnings: Vec<String> = said.warnings.iter().map(ToString::to_string).collect();
        for (name, (password, location)) in said.passwords {
            // PostgreSQL keeps a sum over a password: whether it is another one cannot be told.
            if !current.contains(&catalog::role(&name)) {
                catalog.set_password(&name, password);
            } else if !catalog::secret::variables(&password).any(|_| true) {
                warnings.push(format!(
                    "{location}: the password of role {} stands in clear, and is not looked at: the role is there",
                    sql::ident(&name)
                ));
            }
        }
        Ok(Surrounded { baseline, catalog, warnings })
    }

    /// Creates the roles that only somebody else manages, as far as they are not there.
    fn create_plain<'n>(&mut self, wanted: impl IntoIterator<Item = &'n String>) -> Result<(), SurroundingsError> {
        let there = names(self.outer.client())?;
        let create = wanted.into_iter().filter(|name| !there.contains(name));
        let create = create.map(|name| format!("CREATE ROLE {}", sql::ident(name)));
        Ok(self.outer.client().batch_execute(&sql::join(create, "; "))?)
    }

    /// Executes statements of a source in their order, and what fails again after the others.
    fn execute(&mut self, statements: &[source::Apart]) -> Result<(), SurroundingsError> {
        let mut left: Vec<&source::Apart> = statements.iter().collect();
        loop {
            let (before, mut failed) = (left.len(), Vec::new());
            let (mut refused, mut hints) = (Vec::new(), BTreeSet::new());
            for statement in left {
                self.outer.client().batch_execute("SAVEPOINT one")?;
                match self.outer.client().query_typed(&statement.sql, &[]) {
                    Ok(_) => continue,
                    Err(error) if error.as_db_error().is_none() => return Err(error.into()),
                    Err(error) => {
                        refused.push(format!("{}: {}: {}", statement.location, statement.title, describe(&error)));
                        hints.extend(error.as_db_error().and_then(|error| source::lacking(error.message())));
                        failed.push(statement);
                    }
                }
                self.outer.client().batch_execute("ROLLBACK TO SAVEPOINT one")?;
            }
            match failed.len() {
                0 => return Ok(()),
                count if count == before => return Err(SurroundingsError::Statements { refused, hints }),
                _ => left = failed,
            }
        }
    }
}

impl Request<'_> {
    /// What of the server is read; an error where no server is at hand on which it could be rehearsed.
    pub(super) fn extent(&self) -> Result<Extent<'_>, PlanError> {
        let Manage { roles, database, .. } = *self.manage;
        if (roles || database) && !self.engine.owned() {
            return Err(engine::Error::NotOurs.into());
        }
        Ok(Extent { ledger: self.ledger, roles, database })
    }

    /// Whether the last revision managed an object that lives in no schema.
    pub(super) fn was_managed(&self, id: &ObjectId) -> bool {
        self.parent.as_ref().is_some_and(|(_, scope)| scope.global.contains(&id.to_string()))
    }

    /// The roles of the target that are there as far as the desired state is concerned.
    pub(super) fn remaining(&self, spec: &Spec) -> Vec<String> {
        let created = self.source.created_roles();
        let goes = |name: &String| {
            self.manage.roles && *name != spec.role && !created.contains(name) && self.was_managed(&catalog::role(name))
        };
        spec.roles.iter().filter(|name| !goes(name)).cloned().collect()
    }
}

/// Adds to what was loaded what the source says about roles and the database; the server on which that was loaded.
pub(super) fn surround(
    request: &Request,
    extent: Extent,
    current: &Catalog,
    loaded: &mut Desired,
) -> Result<Option<RefCell<Surroundings>>, PlanError> {
    if !(extent.roles || extent.database) {
        return Ok(None);
    }
    let mut server = Surroundings::start(request.engine, current, extent)?;
    let said = server.load(request.source, current, |id| request.was_managed(id))?;
    loaded.baseline = loaded.baseline.beside(&said.baseline);
    loaded.catalog = loaded.catalog.beside(&said.catalog);
    loaded.warnings.extend(said.warnings);
    Ok(Some(RefCell::new(server)))
}

/// The names of all roles.
fn names(client: &mut Client) -> Result<Vec<String>, postgres::Error> {
    let rows = client.query("SELECT rolname::text FROM pg_catalog.pg_roles", &[])?;
    Ok(rows.iter().map(|row| row.get(0)).collect())
}
