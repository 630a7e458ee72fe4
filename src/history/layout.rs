//! The tables of the ledger, and their version, so that a later program can upgrade what an earlier one made.

use postgres::GenericClient;

use super::{Error, Ledger};
use crate::sql;

/// The version of the tables that this program makes.
pub const VERSION: i32 = 1;

/// The relations of the ledger.
const RELATIONS: [&str; 3] = ["ledger", "revision", "step"];

impl Ledger {
    /// The version of the tables, or `None` where nothing has been recorded.
    ///
    /// Asks the catalogs, so that a role without privileges on the schema gets an answer too.
    pub(super) fn version(&self, client: &mut impl GenericClient) -> Result<Option<i32>, Error> {
        if !self.relations(client)?.iter().any(|name| name == "ledger") {
            return Ok(None);
        }
        let query = format!("SELECT pg_catalog.max(version) FROM {}", self.table("ledger"));
        let row = client.query_one(&query, &[]).map_err(|source| self.failed("read", source))?;
        match row.get::<_, Option<i32>>(0) {
            Some(found) if found > VERSION => Err(Error::Newer { schema: self.schema.clone(), found }),
            version => Ok(version),
        }
    }

    /// Makes the tables where they do not exist. To be called in the transaction that records something.
    pub(super) fn ensure(&self, client: &mut impl GenericClient) -> Result<(), Error> {
        if self.version(client)?.is_some() {
            return Ok(());
        }
        if let Some(relation) = self.relations(client)?.into_iter().next() {
            return Err(Error::Taken { schema: self.schema.clone(), relation });
        }
        let failed = |source| self.failed("create", source);
        // `CREATE SCHEMA IF NOT EXISTS` asks for CREATE on the database even where the schema exists.
        let there = "SELECT FROM pg_catalog.pg_namespace WHERE nspname = $1";
        if client.query_opt(there, &[&self.schema]).map_err(failed)?.is_none() {
            client.batch_execute(&format!("CREATE SCHEMA {}", sql::ident(&self.schema))).map_err(failed)?;
        }
        client.batch_execute(&self.tables()).map_err(failed)?;
        let record = format!("INSERT INTO {} (version, program_version) VALUES ($1, $2)", self.table("ledger"));
        client.execute(&record, &[&VERSION, &env!("CARGO_PKG_VERSION")]).map_err(failed)?;
        Ok(())
    }

    fn relations(&self, client: &mut impl GenericClient) -> Result<Vec<String>, Error> {
        let query = "SELECT c.relname::text FROM pg_catalog.pg_class c
            JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
            WHERE n.nspname = $1 AND c.relname = ANY($2) ORDER BY 1";
        let rows = client.query(query, &[&self.schema, &&RELATIONS[..]]);
        Ok(rows.map_err(|source| self.failed("read", source))?.iter().map(|row| row.get(0)).collect())
    }

    pub(super) fn failed(&self, doing: &'static str, source: postgres::Error) -> Error {
        Error::Postgres { doing, schema: self.schema.clone(), source }
    }

    /// Version 1. The plan is `json`, not `jsonb`, because its id is a sum over its text.
    fn tables(&self) -> String {
        let [ledger, revision, step] = RELATIONS.map(|name| self.table(name));
        format!(
            "CREATE TABLE {ledger} (
    version integer PRIMARY KEY,
    program_version text NOT NULL,
    since timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp()
);
COMMENT ON TABLE {ledger} IS 'The versions that the tables of this ledger have had; the greatest is what they are.';
CREATE TABLE {revision} (
    number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id text NOT NULL,
    parent text,
    message text,
    plan_id text NOT NULL,
    plan json NOT NULL,
    outcome text NOT NULL CHECK (outcome IN ('running', 'done', 'failed')),
    error text,
    fingerprint_before text NOT NULL,
    fingerprint_after text,
    who text NOT NULL DEFAULT current_user,
    login text NOT NULL DEFAULT session_user,
    host text NOT NULL,
    program_version text NOT NULL,
    started timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
    finished timestamptz,
    duration_ms bigint NOT NULL DEFAULT 0,
    attempts integer NOT NULL DEFAULT 1,
    groups_done integer NOT NULL DEFAULT 0,
    groups integer NOT NULL,
    progress jsonb NOT NULL DEFAULT '{{}}'
);
CREATE UNIQUE INDEX revision_done_once ON {revision} (plan_id) WHERE outcome = 'done';
COMMENT ON TABLE {revision} IS 'Each plan that was applied to this database, or was begun.';
COMMENT ON COLUMN {revision}.progress IS
    'In what the managed state differs from the one before, after groups_done groups: sums by address, null for what is gone.';
CREATE TABLE {step} (
    revision bigint NOT NULL REFERENCES {revision},
    attempt integer NOT NULL,
    number integer NOT NULL,
    statement text NOT NULL,
    outcome text NOT NULL CHECK (outcome IN ('running', 'done', 'failed')),
    duration_ms bigint,
    sqlstate text,
    error text,
    PRIMARY KEY (revision, attempt, number)
);
COMMENT ON TABLE {step} IS 'Each statement of a revision, as each attempt executed it.'"
        )
    }
}
