//! A server that is not ours: one that the user names for scratch databases, or the target itself.

use super::{Error, signals};
use crate::connect::Target;
use crate::sql::{ident, literal};
use postgres::Client;
use postgres::error::SqlState;

/// Names of scratch databases start with this on servers that are not ours.
const PREFIX: &str = "reconcile_scratch_";

/// A reachable server of the wanted version.
#[derive(Debug)]
pub(super) struct Server {
    place: Target,
}

impl Server {
    /// Connects, compares the version, and drops what killed runs left behind.
    pub(super) fn open(place: &Target, major: u32) -> Result<(Self, Client), Error> {
        let mut client = place.connect()?;
        let found = super::server_major(&mut client).map_err(Error::server("read the version"))?;
        if found != major {
            return Err(Error::Version { place: place.url(), found, wanted: major });
        }
        drop_leftovers(&mut client)?;
        Ok((Self { place: place.clone() }, client))
    }

    /// The way to the database that the user named, from which others are made.
    pub(super) fn place(&self) -> &Target {
        &self.place
    }

    /// A name that says whose it is, and that no other run chooses.
    pub(super) fn next_name() -> String {
        format!("{PREFIX}{}_{:012x}", std::process::id(), super::random() & 0xffff_ffff_ffff)
    }

    /// Who shall load and own: the role of this name, if the server has it and the user may act as it, else the user.
    pub(super) fn role(client: &mut Client, wanted: &str) -> Result<String, Error> {
        let query = "SELECT current_user::text, \
            EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = $1::text AND pg_catalog.pg_has_role(oid, 'MEMBER'))";
        let row = client.query_one(query, &[&wanted]).map_err(Error::server("look for a role"))?;
        Ok(if row.get(1) { wanted.to_owned() } else { row.get(0) })
    }

    /// A role's way into a database.
    pub(super) fn target(&self, role: &str, database: &str) -> Target {
        let target = self.place.with_database(database);
        if role == target.user() { target } else { target.with_setting("role", role) }
    }

    /// Marks a name as in use, as long as this session lasts; to be done before the database exists.
    pub(super) fn claim(client: &mut Client, name: &str) -> Result<(), Error> {
        let lock = format!("SELECT pg_catalog.pg_advisory_lock(pg_catalog.hashtextextended({}, 0))", literal(name));
        client.batch_execute(&lock).map_err(Error::server("lock a name"))
    }

    /// Has the database dropped when a signal ends the program.
    pub(super) fn drop_on_signal(&self, name: &str) -> signals::Registration {
        let (place, name) = (self.place.clone(), name.to_owned());
        signals::register(move || {
            if let Ok(mut client) = place.connect() {
                let _ = super::scratch::drop_database(&mut client, &name);
            }
        })
    }
}

/// Explains why a database could not be made.
pub(super) fn refused(error: postgres::Error) -> Error {
    if error.code() == Some(&SqlState::INSUFFICIENT_PRIVILEGE) {
        Error::MayNotCreate(error)
    } else {
        Error::Server { what: "create a database".to_owned(), source: error }
    }
}

/// Drops databases of ours that nobody uses and whose name no session has locked. Locks belong to one database, but every
/// database shows all of them.
fn drop_leftovers(client: &mut Client) -> Result<(), Error> {
    let query = format!(
        "SELECT datname::text FROM pg_catalog.pg_database AS d \
         WHERE datname ~ '^{PREFIX}[0-9]+_[0-9a-f]{{12}}$' AND pg_catalog.pg_has_role(datdba, 'MEMBER') \
         AND NOT EXISTS (SELECT FROM pg_catalog.pg_stat_activity AS a WHERE a.datid = d.oid) \
         AND NOT EXISTS (SELECT FROM pg_catalog.pg_locks WHERE locktype = 'advisory' AND objsubid = 1 \
         AND (classid::int8 << 32) | objid::int8 = pg_catalog.hashtextextended(d.datname::text, 0))"
    );
    let rows = client.query(&query, &[]).map_err(Error::server("look for leftovers"))?;
    for row in rows {
        // Another run may be dropping it too.
        let _ = client.batch_execute(&format!("DROP DATABASE IF EXISTS {}", ident(row.get(0))));
    }
    Ok(())
}
