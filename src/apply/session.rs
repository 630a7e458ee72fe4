//! The settings of the session in which a plan is executed.

use std::time::Duration;

use postgres::Client;

use super::{Error, Options};
use crate::plan;

/// What a role's or a database's own defaults could change beyond [`plan::SETTINGS`]; and no limit of the server's own on a
/// long migration.
const DEFAULTS: &str = "SET client_min_messages = warning; SET xmloption = 'content'; SET transform_null_equals = off; \
    SET default_tablespace = ''; SET default_table_access_method = 'heap'; \
    SET default_transaction_isolation = 'read committed'; SET default_transaction_read_only = off; \
    SET default_transaction_deferrable = off; SET idle_in_transaction_session_timeout = 0";

/// PostgreSQL 17 and later limit whole transactions too.
const TRANSACTIONS: &str = "SELECT pg_catalog.set_config(name, '0', false) FROM pg_catalog.pg_settings \
    WHERE name = 'transaction_timeout'";

/// Makes the server notice within a second that this program is gone, so that its lock and its statement end with it.
/// Not every operating system can, which the server says by refusing.
const NOTICE: &str = "SET client_connection_check_interval = '1s'";

/// Prepares a session.
pub(super) fn prepare(client: &mut Client, options: &Options) -> Result<(), Error> {
    let limit = |limit: Option<Duration>| limit.map_or(0, |limit| limit.as_millis().max(1));
    let limits = format!(
        "{}; {DEFAULTS}; {TRANSACTIONS}; SET lock_timeout = {}; SET statement_timeout = {}",
        plan::SETTINGS,
        limit(options.lock_timeout),
        limit(options.statement_timeout)
    );
    client.batch_execute(&limits).map_err(Error::postgres("prepare the session"))?;
    let _ = client.batch_execute(NOTICE);
    Ok(())
}
