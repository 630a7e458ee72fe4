//! What a statement left behind that ran with superuser, and whether it may stay.

use super::libraries::{Libraries, declarations};
use super::rules::all as rules;
use postgres::{Client, Error};
use std::collections::{BTreeMap, BTreeSet};

/// A row that the statement wrote: its catalog and its OID.
pub(super) type Touched = BTreeSet<(String, u32)>;

/// Rows as they were before the statement, with their owner (0: none).
pub(super) type Before = BTreeMap<(String, u32), u32>;

/// Catalogs with the column that holds the owner, or none.
const CATALOGS: &[(&str, &str)] = &[
    ("pg_am", "0"),
    ("pg_amop", "0"),
    ("pg_amproc", "0"),
    ("pg_attrdef", "0"),
    ("pg_cast", "0"),
    ("pg_class", "relowner"),
    ("pg_collation", "collowner"),
    ("pg_constraint", "0"),
    ("pg_conversion", "conowner"),
    ("pg_default_acl", "0"),
    ("pg_event_trigger", "evtowner"),
    ("pg_extension", "extowner"),
    ("pg_foreign_data_wrapper", "fdwowner"),
    ("pg_foreign_server", "srvowner"),
    ("pg_language", "lanowner"),
    ("pg_namespace", "nspowner"),
    ("pg_opclass", "opcowner"),
    ("pg_operator", "oprowner"),
    ("pg_opfamily", "opfowner"),
    ("pg_policy", "0"),
    ("pg_proc", "proowner"),
    ("pg_publication", "pubowner"),
    ("pg_rewrite", "0"),
    ("pg_statistic_ext", "stxowner"),
    ("pg_subscription", "subowner"),
    ("pg_transform", "0"),
    ("pg_trigger", "0"),
    ("pg_ts_config", "cfgowner"),
    ("pg_ts_dict", "dictowner"),
    ("pg_ts_parser", "0"),
    ("pg_ts_template", "0"),
    ("pg_type", "typowner"),
];

/// Rows that the current transaction wrote.
pub(super) const NEW: &str = "xmin = pg_catalog.pg_current_xact_id()::pg_catalog.xid";

/// Roles that come with PostgreSQL and lead to no file, program or other database. Whoever owns the database is a member of
/// the first one.
const HARMLESS: &str = "'pg_database_owner', 'pg_checkpoint', 'pg_maintain', 'pg_monitor', 'pg_read_all_data', \
    'pg_read_all_settings', 'pg_read_all_stats', 'pg_signal_autovacuum_worker', 'pg_signal_backend', 'pg_stat_scan_tables', \
    'pg_use_reserved_connections', 'pg_write_all_data'";

/// That a role (an expression) has no power beyond its own objects, and cannot get any.
pub(super) fn plain(role: &str) -> String {
    format!(
        "NOT EXISTS (SELECT FROM pg_catalog.pg_roles r WHERE (r.rolsuper OR r.rolcreaterole OR r.rolreplication \
         OR r.rolname ~ '^pg_' AND r.rolname NOT IN ({HARMLESS})) AND pg_catalog.pg_has_role({role}, r.oid, 'MEMBER'))"
    )
}

/// The rows that the current transaction wrote, except those of event triggers that were only silenced.
pub(super) fn touched(admin: &mut Client, silenced: &[u32]) -> Result<Touched, Error> {
    let parts: Vec<_> = CATALOGS
        .iter()
        .map(|(catalog, _)| format!("SELECT '{catalog}'::pg_catalog.text, oid FROM pg_catalog.{catalog} WHERE {NEW}"))
        .collect();
    let rows = admin.query(&parts.join(" UNION ALL "), &[])?;
    let rows = rows.iter().map(|row| (row.get::<_, String>(0), row.get::<_, u32>(1)));
    Ok(rows.filter(|(catalog, oid)| catalog != "pg_event_trigger" || !silenced.contains(oid)).collect())
}

/// Those of the rows that are there without the statement.
pub(super) fn before(admin: &mut Client, touched: &Touched) -> Result<Before, Error> {
    let owner = |catalog: &str| CATALOGS.iter().find(|(name, _)| *name == catalog).map_or("0", |(_, owner)| owner);
    let catalogs: BTreeSet<&str> = touched.iter().map(|(catalog, _)| catalog.as_str()).collect();
    let mut out = Before::new();
    for catalog in catalogs {
        let oids: Vec<u32> = touched.iter().filter(|(name, _)| name == catalog).map(|(_, oid)| *oid).collect();
        let sql = format!("SELECT oid, {}::oid FROM pg_catalog.{catalog} WHERE oid = ANY ($1)", owner(catalog));
        let rows = admin.query(&sql, &[&oids])?;
        out.extend(rows.iter().map(|row| ((catalog.to_owned(), row.get(0)), row.get(1))));
    }
    Ok(out)
}

/// Why a statement may not change what is there; nothing when it may.
///
/// What belongs to a superuser stays as it is, except that `rights` may be given on schema public, on relations of
/// extensions, and on functions that everybody may call anyway.
pub(super) fn denied_before(
    admin: &mut Client,
    touched: &Touched,
    before: &Before,
    catalogs: &[&str],
    rights: bool,
) -> Result<Option<String>, Error> {
    if let Some((catalog, _)) = touched.iter().find(|(catalog, _)| !catalogs.contains(&catalog.as_str())) {
        return Ok(Some(format!("it also changes {catalog}")));
    }
    for ((catalog, oid), owner) in before {
        let may = match catalog.as_str() {
            _ if !rights => "false",
            "pg_namespace" => "c.nspname = 'public'",
            "pg_class" => {
                "EXISTS (SELECT FROM pg_catalog.pg_depend d WHERE d.deptype = 'e' AND d.objid = c.oid \
                 AND d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass)"
            }
            "pg_proc" => "pg_catalog.has_function_privilege('public', c.oid, 'EXECUTE')",
            _ => "false",
        };
        let plain = if *owner == 0 { "false".to_owned() } else { plain(&format!("{owner}::oid")) };
        let sql = format!("SELECT FROM pg_catalog.{catalog} c WHERE c.oid = {oid} AND ({plain} OR {may})");
        if admin.query(&sql, &[])?.is_empty() {
            return Ok(Some(format!("it changes what belongs to a superuser (in {catalog})")));
        }
    }
    Ok(None)
}

fn owned() -> impl Iterator<Item = &'static (&'static str, &'static str)> {
    CATALOGS.iter().filter(|(_, owner)| *owner != "0")
}

/// Why what the current transaction wrote may not stay; nothing when it may. Runs after superuser was taken back.
pub(super) fn denied_after(
    admin: &mut Client,
    touched: &Touched,
    before: &Before,
    libraries: &Libraries,
) -> Result<Option<String>, Error> {
    let parts: Vec<_> = owned()
        .filter(|(catalog, _)| touched.iter().any(|(touched, _)| touched == catalog))
        .map(|(catalog, owner)| {
            format!("SELECT '{catalog}'::pg_catalog.text, oid, {owner} FROM pg_catalog.{catalog} WHERE {NEW}")
        })
        .collect();
    if !parts.is_empty() {
        for row in admin.query(&parts.join(" UNION ALL "), &[])? {
            let (catalog, oid, owner): (String, u32, u32) = (row.get(0), row.get(1), row.get(2));
            // Rights on what belongs to a superuser do not change its owner.
            if before.get(&(catalog, oid)) == Some(&owner) {
                continue;
            }
            let sql = format!("SELECT WHERE {}", plain(&format!("{owner}::oid")));
            if admin.query(&sql, &[])?.is_empty() {
                return Ok(Some("it would give an object to a role that has more power".to_owned()));
            }
        }
    }
    if touched.is_empty() {
        return Ok(None);
    }
    if let Some(row) = admin.query(&rules(), &[])?.first() {
        return Ok(Some(row.get(0)));
    }
    functions(admin, touched, libraries)
}

/// New functions in C, and those that use a type which is defined only now, must be declared as they are known.
fn functions(admin: &mut Client, touched: &Touched, libraries: &Libraries) -> Result<Option<String>, Error> {
    if !touched.iter().any(|(catalog, _)| catalog == "pg_proc" || catalog == "pg_type") {
        return Ok(None);
    }
    let member = "EXISTS (SELECT FROM pg_catalog.pg_depend d WHERE d.deptype = 'e' AND d.objid = p.oid \
        AND d.classid = 'pg_catalog.pg_proc'::pg_catalog.regclass)";
    let of_new_type = format!(
        "EXISTS (SELECT FROM pg_catalog.pg_type t WHERE t.{NEW} AND (t.oid = p.prorettype OR t.oid = ANY (p.proargtypes)))"
    );
    // An aggregate stands in the catalog as an internal function that nobody can call.
    let which = format!(
        "n.nspname <> 'pg_catalog' AND p.prokind <> 'a' AND NOT {member} AND NOT r.rolsuper AND (p.{NEW} OR {of_new_type})"
    );
    let unknown = declarations(admin, &which)?.into_iter().find(|declaration| !libraries.knows(declaration));
    Ok(unknown.map(|declaration| {
        format!(
            "no extension of this server, nor PostgreSQL itself, declares the C function {} like this for everybody",
            declaration.name
        )
    }))
}
