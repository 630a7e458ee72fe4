//! What a statement does beyond its purpose: locks, rewrites and scans, measured inside its transaction.

use std::collections::BTreeMap;

use postgres::Client;

use super::answer;
use crate::plan::file::Observed;

const QUERY: &str = "SELECT c.oid, pg_catalog.quote_ident(n.nspname) || '.' || pg_catalog.quote_ident(c.relname),
        l.modes, pg_catalog.pg_relation_filenode(c.oid), pg_catalog.pg_stat_get_xact_numscans(c.oid)
    FROM (SELECT relation, pg_catalog.string_agg(mode, ' ') AS modes FROM pg_catalog.pg_locks
            WHERE locktype = 'relation' AND pid = pg_catalog.pg_backend_pid() AND granted GROUP BY relation) l
        JOIN pg_catalog.pg_class c ON c.oid = l.relation
        JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p', 'm') AND c.oid >= 16384";

const FILES: &str = "SELECT oid, pg_catalog.pg_relation_filenode(oid) FROM pg_catalog.pg_class
    WHERE relkind IN ('r', 'p', 'm') AND oid >= 16384";

const SCANS: &str = "SELECT oid, pg_catalog.pg_stat_get_xact_numscans(oid) FROM pg_catalog.pg_class
    WHERE relkind IN ('r', 'p', 'm') AND oid >= 16384";

/// PostgreSQL's lock modes, weakest first.
const MODES: &[&str] = &[
    "AccessShareLock",
    "RowShareLock",
    "RowExclusiveLock",
    "ShareUpdateExclusiveLock",
    "ShareLock",
    "ShareRowExclusiveLock",
    "ExclusiveLock",
    "AccessExclusiveLock",
];

/// Watches the relations that are there before a plan.
pub(super) struct Observer {
    /// The file of each relation, by OID.
    files: BTreeMap<String, String>,
    /// The strongest lock that the open transaction holds on each.
    held: BTreeMap<String, usize>,
    /// The scans that the open transaction has made of each.
    scans: BTreeMap<String, u64>,
}

impl Observer {
    /// Takes note of the relations that are there.
    pub fn new(client: &mut Client) -> Result<Self, postgres::Error> {
        let files = rows(client, FILES)?.into_iter().map(|[oid, file, ..]| (oid, file)).collect();
        Ok(Self { files, held: BTreeMap::new(), scans: BTreeMap::new() })
    }

    /// Forgets what the last transaction held. To be called in the new one.
    pub fn begin(&mut self, client: &mut Client) -> Result<(), postgres::Error> {
        self.held.clear();
        // What earlier transactions counted is still there until PostgreSQL has passed it on, which it does now and then.
        let counts = rows(client, SCANS)?.into_iter();
        self.scans = counts.map(|[oid, scans, ..]| (oid, scans.parse().unwrap_or_default())).collect();
        Ok(())
    }

    /// What has come about since the last call, in the open transaction.
    pub fn step(&mut self, client: &mut Client) -> Result<Observed, postgres::Error> {
        let mut observed = Observed::default();
        for [oid, name, modes, file, scans] in rows(client, QUERY)? {
            // A relation that this plan has made has no readers to wait for.
            let Some(before) = self.files.get_mut(&oid) else { continue };
            let strongest = modes.split(' ').filter_map(|mode| MODES.iter().position(|it| *it == mode)).max();
            if let Some(mode) = strongest.filter(|mode| self.held.get(&oid).is_none_or(|held| held < mode)) {
                self.held.insert(oid.clone(), mode);
                // Reading the catalogs of a table takes the weakest lock, which blocks only its drop.
                if mode > 0 {
                    observed.locks.insert(name.clone(), MODES[mode].to_owned());
                }
            }
            if *before != file {
                *before = file;
                observed.rewrites.insert(name.clone());
            }
            let scans: u64 = scans.parse().unwrap_or_default();
            if self.scans.insert(oid, scans).unwrap_or_default() < scans {
                observed.scans.insert(name);
            }
        }
        Ok(observed)
    }
}

/// The rows of a query of up to five columns.
fn rows(client: &mut Client, query: &str) -> Result<Vec<[String; 5]>, postgres::Error> {
    let row = |row: Vec<String>| {
        let mut row = row.into_iter();
        std::array::from_fn(|_| row.next().unwrap_or_default())
    };
    Ok(answer::rows(client, query)?.into_iter().map(row).collect())
}
