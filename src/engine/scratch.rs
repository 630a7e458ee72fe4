//! Scratch databases: made as the target's is, copied, and dropped when they are no longer needed.

use super::cluster::SUPERUSER;
use super::{Backend, Error, Inner, Spec, SuperuserLender, Trust};
use crate::connect::Target;
use crate::sql::{ident, literal};
use postgres::Client;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// A scratch database; dropping it drops the database.
pub struct Scratch {
    engine: Arc<Inner>,
    name: String,
    role: String,
    locale_missing: Option<String>,
}

impl Scratch {
    pub(super) fn create(engine: &Arc<Inner>, spec: &Spec) -> Result<Self, Error> {
        let name = engine.backend.next_name();
        let role = match &engine.backend {
            Backend::Own(cluster) => {
                engine.with_admin(|admin| make_roles(admin, spec, cluster.password(), engine.trust))?;
                spec.role.clone()
            }
        };
        let create = |spec: &Spec| {
            let options = spec.options(engine.major);
            format!("CREATE DATABASE {} OWNER {} TEMPLATE template0 {options}", ident(&name), ident(&role))
        };
        let locale_missing = engine.with_admin(|admin| match admin.batch_execute(&create(spec)) {
            Ok(()) => Ok(None),
            // This machine may lack the target's locale, or these programs its provider. Types, names and definitions are
            // the same in any locale; only the order of text is not.
            Err(error) => {
                admin.batch_execute(&create(&spec.with_c())).map_err(Error::server("create a database"))?;
                Ok(Some(error.as_db_error().map_or_else(|| error.to_string(), |error| error.message().to_owned())))
            }
        })?;
        let scratch = Self { engine: Arc::clone(engine), name, role, locale_missing };
        scratch.own_public(spec)?;
        Ok(scratch)
    }

    /// Gives schema `public` the owner that it has on the target; before 15 that is an ordinary role.
    fn own_public(&self, spec: &Spec) -> Result<(), Error> {
        let owner = match &spec.public_owner {
            Some(owner) if owner == "pg_database_owner" => return Ok(()),
            Some(owner) => owner,
            None if self.engine.major >= 15 => return Ok(()),
            None => &spec.role,
        };
        let statement = format!("ALTER SCHEMA public OWNER TO {}", ident(owner));
        self.admin()?.batch_execute(&statement).map_err(Error::server("set the owner of schema public"))
    }

    /// Makes a copy, with everything that is committed in this one. Connections to this database must be closed.
    ///
    /// # Errors
    /// [`Error::InUse`] when one stays open.
    pub fn copy(&self) -> Result<Self, Error> {
        let name = self.engine.backend.next_name();
        let (to, role, from) = (ident(&name), ident(&self.role), ident(&self.name));
        self.engine.with_admin(|admin| {
            wait_until_unused(admin, &self.name)?;
            admin
                .batch_execute(&format!("CREATE DATABASE {to} OWNER {role} TEMPLATE {from}"))
                .map_err(Error::server("copy a database"))
        })?;
        Ok(Self {
            engine: Arc::clone(&self.engine),
            name,
            role: self.role.clone(),
            locale_missing: self.locale_missing.clone(),
        })
    }

    /// The database's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The role that loads and owns.
    pub fn role(&self) -> &str {
        &self.role
    }

    /// Where the database is, for the loading role.
    pub fn target(&self) -> Target {
        match &self.engine.backend {
            Backend::Own(cluster) => cluster.target(&self.role, &self.name),
        }
    }

    /// Where the database is, for the superuser of a cluster of ours; elsewhere the same as [`Scratch::target`].
    pub fn admin_target(&self) -> Target {
        match &self.engine.backend {
            Backend::Own(cluster) => cluster.admin(&self.name),
        }
    }

    /// Connects as the loading role.
    ///
    /// # Errors
    /// When the server is gone.
    pub fn connect(&self) -> Result<Client, Error> {
        Ok(self.target().connect()?)
    }

    /// Connects as the superuser of a cluster of ours; elsewhere as the loading role.
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
            (Backend::Own(_), Trust::Restricted) => Ok(Some(SuperuserLender::new(self.admin()?, &self.role))),
            (Backend::Own(_), Trust::Full) => Ok(None),
        }
    }

    /// The database as a URL for messages.
    pub fn url(&self) -> String {
        self.target().url()
    }

    /// Why the database has the locale `C` instead of the wanted one, if so.
    pub fn locale_missing(&self) -> Option<&str> {
        self.locale_missing.as_deref()
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // What stays is deleted with the cluster, or by a later run.
        let _ = self.engine.with_admin(|admin| drop_database(admin, &self.name));
    }
}

impl std::fmt::Debug for Scratch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Scratch").field("name", &self.name).field("role", &self.role).finish_non_exhaustive()
    }
}

/// Makes the roles that are missing on a cluster of ours. The loading role becomes a member of the others, so that it can
/// give objects to them as the target's role can.
fn make_roles(admin: &mut Client, spec: &Spec, password: &str, trust: Trust) -> Result<(), Error> {
    let named =
        spec.roles.iter().chain(&spec.public_owner).filter(|name| !name.starts_with("pg_") && **name != spec.role);
    let others: std::collections::BTreeSet<&String> = named.collect();
    if spec.role == SUPERUSER {
        return Err(Error::Setting(format!("role {SUPERUSER} is the engine's own")));
    }
    let mut statements = Vec::new();
    let superuser = if trust == Trust::Full { "SUPERUSER" } else { "NOSUPERUSER" };
    let login = format!("LOGIN {superuser} PASSWORD {}", literal(password));
    let row = admin
        .query_one("SELECT ARRAY(SELECT rolname::text FROM pg_catalog.pg_roles)", &[])
        .map_err(Error::server("read the roles"))?;
    let existing: Vec<String> = row.get(0);
    let verb = if existing.contains(&spec.role) { "ALTER" } else { "CREATE" };
    statements.push(format!("{verb} ROLE {} {login}", ident(&spec.role)));
    for name in others {
        if !existing.contains(name) {
            statements.push(format!("CREATE ROLE {}", ident(name)));
        }
        // Another database of this cluster may have been loaded by that role: membership cannot go in a circle.
        statements.push(format!(
            "DO $$BEGIN IF NOT pg_catalog.pg_has_role({name}, {role}, 'MEMBER') THEN EXECUTE {grant}; END IF; END$$",
            name = literal(name),
            role = literal(&spec.role),
            grant = literal(&format!("GRANT {} TO {}", ident(name), ident(&spec.role))),
        ));
    }
    admin.batch_execute(&crate::sql::join(statements, "; ")).map_err(Error::server("create the roles"))
}

/// Drops a database, whoever uses it.
fn drop_database(admin: &mut Client, name: &str) -> Result<(), Error> {
    // FORCE would end the sessions too, and then wait for 100 ms.
    let end = "SELECT pg_catalog.pg_terminate_backend(pid) FROM pg_catalog.pg_stat_activity WHERE datname = $1::text";
    admin.query(end, &[&name]).map_err(Error::server("end sessions"))?;
    let _ = wait_until_unused(admin, name);
    admin
        .batch_execute(&format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", ident(name)))
        .map_err(Error::server("drop a database"))
}

/// Waits for sessions to end: a closed connection's backend lives on for a moment, and `CREATE DATABASE` itself looks only
/// every 100 ms.
fn wait_until_unused(admin: &mut Client, name: &str) -> Result<(), Error> {
    let start = Instant::now();
    loop {
        let row = admin
            .query_one("SELECT pg_catalog.count(*) FROM pg_catalog.pg_stat_activity WHERE datname = $1::text", &[&name])
            .map_err(Error::server("look for sessions"))?;
        if row.get::<_, i64>(0) == 0 {
            return Ok(());
        }
        if start.elapsed() > Duration::from_secs(5) {
            return Err(Error::InUse(name.to_owned()));
        }
        std::thread::sleep(Duration::from_millis(1));
    }
}
