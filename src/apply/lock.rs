//! The advisory lock that lets one `apply` at a time work on a database.

use std::{
    fmt,
    time::{Duration, Instant},
};

use postgres::Client;

use super::{Error, Progress};

/// The lock's key. PostgreSQL keeps advisory locks apart by database, so that a constant is enough: the first eight bytes of
/// the SHA-256 of "reconcile apply".
const KEY: i64 = 0x0be4_2c12_4f93_8848;

/// How long to sleep between two attempts.
const PAUSE: Duration = Duration::from_millis(100);

/// Who holds the lock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holder {
    /// The server process.
    pub pid: i32,
    /// What the session calls itself.
    pub application_name: String,
    /// The role.
    pub user: String,
    /// Since when it has been connected, in UTC.
    pub since: String,
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { pid, application_name, user, since } = self;
        write!(f, "{application_name} (pid {pid}, role {user}, connected since {since})")
    }
}

/// Takes the lock for the rest of the session, which PostgreSQL ends together with whatever it was executing.
pub(super) fn take(client: &mut Client, wait: Duration, progress: &mut dyn Progress) -> Result<(), Error> {
    let begun = Instant::now();
    let mut told = false;
    loop {
        let row = client.query_one("SELECT pg_catalog.pg_try_advisory_lock($1)", &[&KEY]);
        if row.map_err(Error::postgres("take the lock"))?.get(0) {
            return Ok(());
        }
        let waited = begun.elapsed();
        if waited >= wait {
            return Err(Error::Busy { holder: holder(client)?, waited });
        }
        if !told && let Some(holder) = holder(client)? {
            progress.waiting(&holder);
            told = true;
        }
        std::thread::sleep(PAUSE.min(wait - waited));
    }
}

/// Gives the lock back at once; the end of the session would do so a moment later.
pub(super) fn release(client: &mut Client) {
    let _ = client.execute("SELECT pg_catalog.pg_advisory_unlock($1)", &[&KEY]);
}

/// Who is applying a plan to the database, if anybody is.
///
/// # Errors
/// When the connection breaks.
pub fn holder(client: &mut Client) -> Result<Option<Holder>, Error> {
    const QUERY: &str = "SELECT l.pid, coalesce(a.application_name, ''), coalesce(a.usename::text, ''), \
        coalesce(pg_catalog.to_char(a.backend_start AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS'), '') \
        FROM pg_catalog.pg_locks l LEFT JOIN pg_catalog.pg_stat_activity a ON a.pid = l.pid \
        JOIN pg_catalog.pg_database d ON d.oid = l.database AND d.datname = pg_catalog.current_database() \
        WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1 \
        AND (l.classid::int8 << 32) | l.objid::int8 = $1";
    let row = client.query_opt(QUERY, &[&KEY]).map_err(Error::postgres("ask who holds the lock"))?;
    Ok(row.map(|row| Holder { pid: row.get(0), application_name: row.get(1), user: row.get(2), since: row.get(3) }))
}
