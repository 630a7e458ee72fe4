//! What must not stay in the catalogs when it was written with superuser: each rule finds rows of the current transaction.

use super::effects::NEW;
use super::libraries::ALIKE;
use crate::sql::literal;

/// One query whose rows say what may not stay.
pub(super) fn all() -> String {
    let rules = [
        ("a cast without a function between types of different form", binary_casts()),
        ("a cast between types of PostgreSQL's own would run its function in every query, a superuser's too", casts()),
        (
            "a trigger on logins would run for every superuser too",
            format!("FROM pg_catalog.pg_event_trigger WHERE {NEW} AND evtevent = 'login'"),
        ),
        (
            "the handler of a foreign-data wrapper decides what is checked, so only extensions bring one along",
            wrappers(),
        ),
        ("servers of this foreign-data wrapper may read files or run programs", servers()),
        ("the handler of an access method must be PostgreSQL's own or an extension's", access_methods()),
        ("the functions of a text search parser or template belong together", text_search()),
        ("a base type must have the form and the functions of one that is there (LIKE)", base_types()),
        ("an operator class that PostgreSQL cannot check for itself", operator_classes()),
    ];
    let parts: Vec<_> =
        rules.iter().map(|(why, from)| format!("SELECT {}::pg_catalog.text {from}", literal(why))).collect();
    parts.join(" UNION ALL ")
}

/// Numbers of the same length are as good as each other; text is text, and bytes.
fn binary_casts() -> String {
    let textual = |t: &str| {
        format!(
            "({t}.typlen = -1 AND (SELECT i.prosrc FROM pg_catalog.pg_proc i WHERE i.oid = {t}.typinput) \
             IN ('textin', 'varcharin', 'bpcharin', 'citextin'))"
        )
    };
    format!(
        "FROM pg_catalog.pg_cast c JOIN pg_catalog.pg_type s ON s.oid = c.castsource \
         JOIN pg_catalog.pg_type t ON t.oid = c.casttarget WHERE c.{NEW} AND c.castmethod = 'b' AND NOT (\
         s.typtype = 'b' AND t.typtype = 'b' AND (s.typbyval AND t.typbyval AND s.typlen = t.typlen \
         OR {} AND ({} OR t.oid = 'pg_catalog.bytea'::pg_catalog.regtype)))",
        textual("s"),
        textual("t")
    )
}

fn casts() -> String {
    format!(
        "FROM pg_catalog.pg_cast c JOIN pg_catalog.pg_proc f ON f.oid = c.castfunc \
         JOIN pg_catalog.pg_roles r ON r.oid = f.proowner WHERE c.{NEW} AND NOT r.rolsuper"
    )
}

fn wrappers() -> String {
    format!(
        "FROM pg_catalog.pg_foreign_data_wrapper WHERE {NEW} AND (fdwhandler <> 0 \
         OR fdwvalidator NOT IN (0, 'pg_catalog.postgresql_fdw_validator'::pg_catalog.regproc))"
    )
}

/// The wrappers of PostgreSQL's own check the options that matter again, for the user who gives them.
fn servers() -> String {
    format!(
        "FROM pg_catalog.pg_foreign_server s JOIN pg_catalog.pg_foreign_data_wrapper w ON w.oid = s.srvfdw \
         LEFT JOIN pg_catalog.pg_proc h ON h.oid = w.fdwhandler WHERE s.{NEW} AND w.fdwhandler <> 0 \
         AND NOT coalesce(h.probin IN ('$libdir/postgres_fdw', '$libdir/file_fdw'), false)"
    )
}

fn access_methods() -> String {
    format!(
        "FROM pg_catalog.pg_am m JOIN pg_catalog.pg_proc h ON h.oid = m.amhandler \
         JOIN pg_catalog.pg_roles r ON r.oid = h.proowner WHERE m.{NEW} AND NOT r.rolsuper"
    )
}

/// Their functions pass pointers to each other.
fn text_search() -> String {
    let all = format!(
        "(SELECT pg_catalog.concat_ws(',', prsstart, prstoken, prsend, prsheadline, prslextype) AS functions, {NEW} AS new \
         FROM pg_catalog.pg_ts_parser \
         UNION ALL SELECT pg_catalog.concat_ws(',', tmplinit, tmpllexize), {NEW} FROM pg_catalog.pg_ts_template)"
    );
    format!(
        "FROM {all} AS t WHERE t.new AND NOT EXISTS (SELECT FROM {all} AS k WHERE NOT k.new AND k.functions = t.functions)"
    )
}

fn base_types() -> String {
    format!(
        "FROM pg_catalog.pg_type t WHERE t.{NEW} AND t.typtype = 'b' AND t.typisdefined \
         AND NOT EXISTS (SELECT FROM pg_catalog.pg_type e WHERE e.typarray = t.oid) \
         AND NOT EXISTS (SELECT FROM pg_catalog.pg_type b WHERE {ALIKE})"
    )
}

/// Functions that take the types that they are given for, of the access methods whose functions take no pointers.
fn operator_classes() -> String {
    format!(
        "FROM pg_catalog.pg_opfamily f JOIN pg_catalog.pg_am m ON m.oid = f.opfmethod \
         LEFT JOIN pg_catalog.pg_amproc s ON s.amprocfamily = f.oid AND s.{NEW} \
         LEFT JOIN pg_catalog.pg_amop o ON o.amopfamily = f.oid AND o.{NEW} \
         LEFT JOIN pg_catalog.pg_opclass c ON c.opcfamily = f.oid AND c.{NEW} \
         LEFT JOIN pg_catalog.pg_proc p ON p.oid = s.amproc \
         WHERE (f.{NEW} OR s.oid IS NOT NULL OR o.oid IS NOT NULL OR c.oid IS NOT NULL) \
         AND (m.amname NOT IN ('btree', 'hash') AND (s.oid IS NOT NULL OR o.oid IS NOT NULL OR c.oid IS NOT NULL) \
           OR c.opckeytype <> 0 \
           OR (SELECT r.rolsuper FROM pg_catalog.pg_roles r WHERE r.oid = f.opfowner) \
           OR s.oid IS NOT NULL AND NOT CASE pg_catalog.concat(m.amname, s.amprocnum) \
             WHEN 'btree1' THEN p.proargtypes[0] = s.amproclefttype AND p.proargtypes[1] = s.amprocrighttype \
             WHEN 'btree3' THEN p.proargtypes[0] = s.amproclefttype AND p.proargtypes[1] = s.amproclefttype \
               AND p.proargtypes[2] = s.amprocrighttype \
             WHEN 'btree4' THEN p.proargtypes[0] = 'pg_catalog.oid'::pg_catalog.regtype \
             WHEN 'hash1' THEN p.proargtypes[0] = s.amproclefttype \
             WHEN 'hash2' THEN p.proargtypes[0] = s.amproclefttype AND p.proargtypes[1] = 'pg_catalog.int8'::pg_catalog.regtype \
             ELSE false END)"
    )
}
