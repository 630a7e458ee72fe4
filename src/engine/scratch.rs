//! Scratch databases: made as the target's is, copied, and dropped when they are no longer needed.

use super::roles::make_roles;
use super::server::{Server, refused};
use super::signals::{self, Registration};
use super::tablespaces::make_tablespaces;
use super::{Backend, Error, Inner, Spec, SuperuserLender, Trust};
use crate::connect::Target;
use crate::sql::ident;
use postgres::{Client, error::SqlState};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// A scratch database; dropping it drops the database.
pub struct Scratch {
    engine: Arc<Inner>,
    name: String,
    role: String,
    notes: Vec<String>,
    signal: Option<Registration>,
}

impl Scratch {
    pub(super) fn create(engine: &Arc<Inner>, spec: &Spec) -> Result<Self, Error> {
        let role = engine.with_admin(|admin| match &engine.backend {
            Backend::Own(cluster) => {
                make_tablespaces(admin, spec)?;
                make_roles(admin, spec, cluster.password(), engine.trust)
            }
            Backend::Server(_) => Server::role(admin, &spec.role),
        })?;
        let mut scratch = Self::named(engine, role, Vec::new())?;
        let missing = engine.with_admin(|admin| {
            let wanted = scratch.statement("template0", &spec.options(engine.major));
            let Err(error) = admin.batch_execute(&wanted) else { return Ok(None) };
            // This machine may lack the target's locale, or these programs its provider. Types, names and definitions are
            // the same in any locale; only the order of text is not.
            let plain = scratch.statement("template0", &spec.with_c().options(engine.major));
            admin.batch_execute(&plain).map_err(refused)?;
            Ok(Some(error.as_db_error().map_or_else(|| error.to_string(), |error| error.message().to_owned())))
        })?;
        scratch.notes.extend(missing.map(|why| format!("the scratch database has the locale C: {why}")));
        scratch.own_public(spec)?;
        Ok(scratch)
    }

    /// Chooses a name and sees to it that the database goes away again, before there is one.
    fn named(engine: &Arc<Inner>, role: String, notes: Vec<String>) -> Result<Self, Error> {
        let name = engine.backend.next_name();
        let signal = match &engine.backend {
            Backend::Own(_) => None,
            Backend::Server(server) => {
                engine.with_admin(|admin| Server::claim(admin, &name))?;
                Some(server.drop_on_signal(&name))
            }
        };
        Ok(Self { engine: Arc::clone(engine), name, role, notes, signal })
    }

    fn statement(&self, template: &str, options: &str) -> String {
        // 15 and later would write every page to the log. Copying files flushes everything first, which costs nothing where
        // nothing is flushed; it takes a quarter of the time.
        let copy = match &self.engine.backend {
            Backend::Own(_) if self.engine.major >= 15 => "STRATEGY file_copy",
            _ => "",
        };
        let (name, role, template) = (ident(&self.name), ident(&self.role), ident(template));
        format!("CREATE DATABASE {name} OWNER {role} TEMPLATE {template} {copy} {options}")
    }

    /// Gives schema `public` the owner that it has on the target; before 15 that is an ordinary role.
    fn own_public(&mut self, spec: &Spec) -> Result<(), Error> {
        let owner = match &spec.public_owner {
            Some(owner) if owner == "pg_database_owner" && self.engine.major >= 15 => return Ok(()),
            Some(owner) => owner,
            None if self.engine.major >= 15 => return Ok(()),
            None => &spec.role,
        };
        let statement = format!("ALTER SCHEMA public OWNER TO {}", ident(owner));
        match (self.admin()?.batch_execute(&statement), &self.engine.backend) {
            (Ok(()), _) => Ok(()),
            (Err(error), Backend::Own(_)) => Err(Error::server("set the owner of schema public")(error)),
            (Err(error), Backend::Server(_)) => {
                let why = error.as_db_error().map_or_else(|| error.to_string(), |error| error.message().to_owned());
                self.notes.push(format!("schema public of the scratch database is not owned by {owner}: {why}"));
                Ok(())
            }
        }
    }

    /// Makes a copy, with everything that is committed in this one. Connections to this database must be closed.
    ///
    /// # Errors
    /// [`Error::InUse`] when one stays open.
    pub fn copy(&self) -> Result<Self, Error> {
        let copy = Self::named(&self.engine, self.role.clone(), self.notes.clone())?;
        self.engine.with_admin(|admin| {
            wait_until_unused(admin, &self.name)?;
            admin.batch_execute(&copy.statement(&self.name, "")).map_err(refused)
        })?;
        Ok(copy)
    }

    /// Makes a role on a cluster of ours, without any rights, of which the loading role is a member.
    ///
    /// # Errors
    /// When the server is not ours, or has the role already.
    pub fn make_role(&self, name: &str) -> Result<(), Error> {
        if !self.owned() {
            return Err(Error::NotOurs);
        }
        self.engine.with_admin(|admin| super::roles::make_role(admin, name, &self.role))
    }

    /// The database's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The role that loads and owns.
    pub fn role(&self) -> &str {
        &self.role
    }

    /// The server's major version.
    pub fn major(&self) -> u32 {
        self.engine.major
    }

    /// Whether the server is a throw-away cluster of ours.
    pub fn owned(&self) -> bool {
        matches!(self.engine.backend, Backend::Own(_))
    }

    /// Where the database is, for the loading role.
    pub fn target(&self) -> Target {
        match &self.engine.backend {
            Backend::Own(cluster) => cluster.target(&self.role, &self.name),
            Backend::Server(server) => server.target(&self.role, &self.name),
        }
    }

    /// Where the database is, for the superuser of a cluster of ours; elsewhere for the user that the connection names.
    pub fn admin_target(&self) -> Target {
        match &self.engine.backend {
            Backend::Own(cluster) => cluster.admin(&self.name),
            Backend::Server(server) => server.place().with_database(&self.name),
        }
    }

    /// Connects as the loading role.
    ///
    /// # Errors
    /// When the server is gone.
    pub fn connect(&self) -> Result<Client, Error> {
        Ok(self.target().connect()?)
    }

    /// Connects as the superuser of a cluster of ours; elsewhere as the user that the connection names.
    ///
    /// # Errors
    /// When the server is gone.
    pub fn admin(&self) -> Result<Client, Error> {
        Ok(self.admin_target().connect()?)
    }

    /// What lends superuser to the loading role; nothing where the server is not ours, or where the role has it anyway.
    ///
    /// # Errors
    /// When the server is gone.
    pub fn lender(&self) -> Result<Option<SuperuserLender>, Error> {
        match (&self.engine.backend, self.engine.trust) {
            (Backend::Own(cluster), Trust::Restricted) => {
                Ok(Some(SuperuserLender::new(self.admin()?, cluster.admin("postgres"))))
            }
            (Backend::Own(_), Trust::Full) | (Backend::Server(_), _) => Ok(None),
        }
    }

    /// The database as a URL for messages.
    pub fn url(&self) -> String {
        self.target().url()
    }

    /// In what the database is not as wanted, each in one sentence: a locale that this machine lacks.
    pub fn notes(&self) -> &[String] {
        &self.notes
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // What stays is deleted with the cluster, or by a later run.
        let _ = self.engine.with_admin(|admin| drop_database(admin, &self.name));
        if let Some(signal) = &self.signal {
            signals::forget(signal);
        }
    }
}

impl std::fmt::Debug for Scratch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Scratch").field("name", &self.name).field("role", &self.role).finish_non_exhaustive()
    }
}

/// Drops a database, whoever uses it.
pub(super) fn drop_database(admin: &mut Client, name: &str) -> Result<(), Error> {
    // FORCE would end the sessions too, and then wait for 100 ms. It is still said, for what this role may not end.
    let end = "SELECT pg_catalog.pg_terminate_backend(pid) FROM pg_catalog.pg_stat_activity WHERE datname = $1::text";
    if admin.query(end, &[&name]).is_ok() {
        let _ = wait_until_unused(admin, name);
    }
    let drop = format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", ident(name));
    let first = admin.batch_execute(&drop);
    if first.as_ref().is_err_and(|error| error.code() == Some(&SqlState::OBJECT_IN_USE)) {
        // Subscriptions keep it. Ours were never connected to anything, so that nothing else has to be undone.
        let forget = "DELETE FROM pg_catalog.pg_subscription
            WHERE subdbid = (SELECT oid FROM pg_catalog.pg_database WHERE datname = $1::text)";
        let _ = admin.execute(forget, &[&name]);
        return admin.batch_execute(&drop).map_err(Error::server("drop a database"));
    }
    first.map_err(Error::server("drop a database"))
}

/// Waits for sessions to end: a closed connection's backend lives on for a moment, and `CREATE DATABASE` itself looks only
/// every 100 ms.
fn wait_until_unused(admin: &mut Client, name: &str) -> Result<(), Error> {
    let start = Instant::now();
    let query = "SELECT pg_catalog.count(*) FROM pg_catalog.pg_stat_activity WHERE datname = $1::text";
    loop {
        let row = admin.query_one(query, &[&name]).map_err(Error::server("look for sessions"))?;
        if row.get::<_, i64>(0) == 0 {
            return Ok(());
        }
        if start.elapsed() > Duration::from_secs(5) {
            return Err(Error::InUse(name.to_owned()));
        }
        std::thread::sleep(Duration::from_millis(1));
    }
}
