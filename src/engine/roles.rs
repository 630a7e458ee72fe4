//! Roles of a cluster of ours: the loading role, and those that schema.sql may name.

use super::cluster::SUPERUSER;
use super::{Error, Spec, Trust};
use crate::sql::{ident, join, literal};
use postgres::Client;
use std::collections::BTreeSet;

/// Makes the roles that are missing, and returns the loading role's name.
///
/// The loading role becomes a member of the others, so that it can give objects to them as the target's role can. It is no
/// superuser unless trusted: what it loads may come from anybody.
pub(super) fn make_roles(admin: &mut Client, spec: &Spec, password: &str, trust: Trust) -> Result<String, Error> {
    let Spec { encoding: _, locale: _, role, roles, tablespaces: _, public_owner } = spec;
    if role == SUPERUSER {
        return Err(Error::Setting(format!("role {SUPERUSER} is the engine's own, and cannot load")));
    }
    let query = "SELECT rolname::text FROM pg_catalog.pg_roles";
    let rows = admin.query(query, &[]).map_err(Error::server("read the roles"))?;
    let existing: BTreeSet<String> = rows.iter().map(|row| row.get(0)).collect();

    // Whether an existing role is a superuser is left alone: another database's load may just be lending it that.
    let verb = if existing.contains(role) { "ALTER" } else { "CREATE" };
    let superuser = if trust == Trust::Full { "SUPERUSER" } else { "" };
    let mut statements = vec![format!("{verb} ROLE {} LOGIN {superuser} PASSWORD {}", ident(role), literal(password))];
    let named: BTreeSet<&String> = roles.iter().chain(public_owner).collect();
    for name in named {
        let ours = [role, SUPERUSER].contains(&name.as_str());
        if ours || name.starts_with("pg_") {
            continue;
        }
        if !existing.contains(name) {
            statements.push(format!("CREATE ROLE {}", ident(name)));
        }
        statements.push(grant(name, role));
    }
    admin.batch_execute(&join(statements, "; ")).map_err(Error::server("create the roles"))?;
    Ok(role.clone())
}

/// Makes one more role without any rights, of which the loading role is a member.
pub(super) fn make_role(admin: &mut Client, name: &str, loading: &str) -> Result<(), Error> {
    let statements = format!("CREATE ROLE {}; {}", ident(name), grant(name, loading));
    admin.batch_execute(&statements).map_err(Error::server(format!("create the role {name}")))
}

/// Drops roles that nothing in any database needs any more.
pub(super) fn drop_roles(admin: &mut Client, names: &[&str]) -> Result<(), Error> {
    let drops = names.iter().map(|name| format!("DROP ROLE IF EXISTS {}", ident(name)));
    admin.batch_execute(&join(drops, "; ")).map_err(Error::server("drop roles"))
}

/// Grants membership, unless that would go in a circle: another database of this cluster may be loaded by that role.
fn grant(name: &str, role: &str) -> String {
    let grant = format!("GRANT {} TO {}", ident(name), ident(role));
    let (name, role) = (literal(name), literal(role));
    let body = format!(
        "BEGIN IF NOT pg_catalog.pg_has_role({name}, {role}, 'MEMBER') THEN EXECUTE {}; END IF; END",
        literal(&grant)
    );
    format!("DO {}", crate::sql::dollar(&body))
}
