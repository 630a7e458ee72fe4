//! Tablespaces of a cluster of ours: those that schema.sql may name, and the definitions of what is on the target.

use super::{Error, Spec};
use crate::sql::ident;
use postgres::Client;
use std::collections::BTreeSet;

/// Makes the tablespaces that are missing, within the cluster's own folder, for everybody.
///
/// Their names are all that matters here. `CREATE TABLESPACE` stands in no transaction, hence one statement at a time.
pub(super) fn make_tablespaces(admin: &mut Client, spec: &Spec) -> Result<(), Error> {
    let query = "SELECT spcname::text FROM pg_catalog.pg_tablespace";
    let rows = admin.query(query, &[]).map_err(Error::server("read the tablespaces"))?;
    let existing: BTreeSet<String> = rows.iter().map(|row| row.get(0)).collect();
    for name in spec.tablespaces.iter().filter(|name| !existing.contains(*name)) {
        let name = ident(name);
        let create = format!("CREATE TABLESPACE {name} LOCATION ''");
        let grant = format!("GRANT CREATE ON TABLESPACE {name} TO PUBLIC");
        for statement in ["SET allow_in_place_tablespaces = on", &create, &grant] {
            admin.batch_execute(statement).map_err(Error::server("create the tablespaces"))?;
        }
    }
    Ok(())
}
