//! A second throw-away cluster, for what all databases of a server share: nothing of a file runs there but statements about
//! roles and the database itself, so that a role can be a superuser there without anybody's code being able to become it.

use super::Error;
use super::cluster::Cluster;
use crate::sql::ident;
use postgres::Client;

/// A superuser's session in an empty database of a cluster that is its own.
pub struct Outer {
    client: Client,
    /// Ends with the session.
    _cluster: Cluster,
}

impl Outer {
    pub(super) fn start(beside: &Cluster, database: &str) -> Result<Self, Error> {
        let cluster = beside.another()?;
        let mut admin = cluster.admin("postgres").connect()?;
        let query = "SELECT FROM pg_catalog.pg_database WHERE datname = $1::text";
        if admin.query(query, &[&database]).map_err(Error::server("look for a database"))?.is_empty() {
            let create = format!("CREATE DATABASE {} TEMPLATE template0", ident(database));
            admin.batch_execute(&create).map_err(Error::server("create a database"))?;
        }
        drop(admin);
        let client = cluster.admin(database).connect()?;
        Ok(Self { client, _cluster: cluster })
    }

    /// The session.
    pub fn client(&mut self) -> &mut Client {
        &mut self.client
    }
}
