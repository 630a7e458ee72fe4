//! Which C functions are known to be safe: those that PostgreSQL or an extension of this server declares the same way and
//! lets everybody call.
//!
//! PostgreSQL believes whatever a declaration says about a C function. Under other types it reads and writes memory that
//! is not its own, and under another name it escapes the `REVOKE` that guards it: `pg_read_file` is just such a function.

use super::Lender;
use super::loan::{REFUSED_EXTENSIONS, is_own_library, plain_text};
use crate::source::Source;
use crate::source::statement::Statement;
use crate::sql::{ident, literal};
use postgres::{Client, Error};
use std::collections::{BTreeSet, HashMap};

/// Declarations that are known, by library and symbol.
#[derive(Debug, Default)]
pub(super) struct Libraries {
    known: HashMap<(String, String), Vec<Declaration>>,
}

/// How a C function is declared; types are named so that they can be compared between databases.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Declaration {
    pub(super) name: String,
    library: String,
    symbol: String,
    arguments: Vec<String>,
    result: String,
    strict: bool,
    set: bool,
    kind: String,
    everybody: bool,
}

/// That type `t` has the form and the functions of type `b`, which is PostgreSQL's own or an extension's.
pub(super) const ALIKE: &str = "
    b.typtype = 'b' AND b.oid <> t.oid AND b.typlen = t.typlen AND b.typbyval = t.typbyval AND b.typalign = t.typalign
    AND t.typelem IN (0, b.typelem) AND (SELECT rolsuper FROM pg_catalog.pg_roles WHERE oid = b.typowner)
    AND NOT EXISTS (
      SELECT FROM (VALUES (t.typinput, b.typinput, true), (t.typoutput, b.typoutput, true), (t.typreceive, b.typreceive, false),
                          (t.typsend, b.typsend, false), (t.typmodin, b.typmodin, false), (t.typmodout, b.typmodout, false),
                          (t.typanalyze, b.typanalyze, false), (t.typsubscript, b.typsubscript, false)) AS f(own, other, must)
      LEFT JOIN pg_catalog.pg_proc o ON o.oid = f.own LEFT JOIN pg_catalog.pg_proc k ON k.oid = f.other
      WHERE (f.must OR f.own <> 0)
        AND (o.prosrc, o.prolang, o.probin) IS DISTINCT FROM (k.prosrc, k.prolang, k.probin))";

impl Libraries {
    /// Learns what the libraries that a source names hold, in a database in which nothing of the source is.
    pub(super) fn learn(lender: &mut dyn Lender, source: &Source) -> Result<Self, Error> {
        let mut libraries = Self::default();
        let Some(named) = named(source) else { return Ok(libraries) };
        // Without such a database no library is known.
        let Ok(mut admin) = lender.elsewhere() else { return Ok(libraries) };
        let admin = &mut admin;
        admin.batch_execute("SET search_path = pg_catalog, pg_temp")?;
        libraries.read(admin, "l.lanname = 'internal' AND n.nspname = 'pg_catalog'")?;
        for library in &named {
            admin.batch_execute("BEGIN")?;
            let tried = install(admin, library).and_then(|()| {
                libraries.read(
                    admin,
                    "l.lanname = 'c' AND r.rolsuper AND EXISTS (SELECT FROM pg_catalog.pg_depend d WHERE d.deptype = 'e' \
                     AND d.objid = p.oid AND d.classid = 'pg_catalog.pg_proc'::pg_catalog.regclass)",
                )
            });
            admin.batch_execute("ROLLBACK")?;
            // An extension that cannot be installed leaves its library unknown.
            if let Err(error) = tried
                && error.as_db_error().is_none()
            {
                return Err(error);
            }
        }
        Ok(libraries)
    }

    fn read(&mut self, admin: &mut Client, which: &str) -> Result<(), Error> {
        for declaration in declarations(admin, which)? {
            let all = self.known.entry((declaration.library.clone(), declaration.symbol.clone())).or_default();
            if !all.contains(&declaration) {
                all.push(declaration);
            }
        }
        Ok(())
    }

    /// Whether a function is declared as it is known.
    pub(super) fn knows(&self, new: &Declaration) -> bool {
        let all = self.known.get(&(new.library.clone(), new.symbol.clone()));
        all.into_iter().flatten().any(|known| {
            known.everybody
                && (new.strict || !known.strict)
                && new.set == known.set
                && new.kind == known.kind
                && same(&new.result, &known.result)
                && new.arguments.len() == known.arguments.len()
                && new.arguments.iter().zip(&known.arguments).all(|(new, known)| same(new, known))
        })
    }
}

/// A type that is not defined yet may turn out to be the right one, which is looked at again when it is defined.
fn same(new: &str, known: &str) -> bool {
    new == known && new != "!" || new == "?" && !matches!(known, "internal" | "cstring")
}

/// The libraries that functions of the source name; none when it has no C function at all.
fn named(source: &Source) -> Option<BTreeSet<String>> {
    let routines = source.statements.iter().filter(|statement| is_c(statement));
    let mut out = None;
    for statement in routines {
        let mut cursor = statement.cursor().from(statement.head.after);
        cursor.skip();
        let libraries = out.get_or_insert_with(BTreeSet::new);
        if cursor.seek(&["AS"]) {
            cursor.advance();
            let path = plain_text(cursor).filter(|path| is_own_library(path));
            libraries.extend(path.map(|path| path.trim_start_matches("$libdir/").to_owned()));
        }
    }
    out
}

fn is_c(statement: &Statement) -> bool {
    let mut cursor = statement.cursor();
    statement.head.is("CREATE", &["FUNCTION", "PROCEDURE"]) && cursor.seek(&["LANGUAGE"]) && {
        let language = cursor.text_at(cursor.at + 1).trim_matches('\'').to_ascii_lowercase();
        language == "c" || language == "internal"
    }
}

/// Installs the extension that a library is named after (`postgis-3` belongs to `postgis`), unless it is there.
fn install(admin: &mut Client, library: &str) -> Result<(), Error> {
    let base = library.trim_end_matches(|c: char| c.is_ascii_digit() || matches!(c, '.' | '-'));
    let names = [library, base].map(literal).join(", ");
    let query = format!(
        "SELECT a.name::text FROM pg_catalog.pg_available_extensions a WHERE a.name IN ({names}) \
         AND a.installed_version IS NULL ORDER BY 1"
    );
    for row in admin.query(&query, &[])? {
        let name: String = row.get(0);
        if !REFUSED_EXTENSIONS.contains(&name.as_str()) {
            admin.batch_execute(&format!(
                "CREATE SCHEMA reconcile_look; SET LOCAL search_path = reconcile_look; CREATE EXTENSION {} CASCADE; \
                 SET LOCAL search_path = pg_catalog, pg_temp",
                ident(&name)
            ))?;
        }
    }
    Ok(())
}

/// Reads the declarations of the C functions that a condition selects: `p` is the function, `l` its language, `n` its
/// schema, `r` its owner.
pub(super) fn declarations(admin: &mut Client, which: &str) -> Result<Vec<Declaration>, Error> {
    let types = types(admin)?;
    let named = |oid: &u32| types.get(oid).cloned().unwrap_or_else(|| "!".to_owned());
    let rows = admin.query(
        &format!(
            "SELECT p.proname::text, CASE l.lanname WHEN 'c' THEN pg_catalog.replace(p.probin, '$libdir/', '') ELSE '' END,
               p.prosrc, p.proargtypes::oid[], p.prorettype, p.proisstrict, p.proretset, p.prokind::text,
               pg_catalog.has_function_privilege('public', p.oid, 'EXECUTE')
             FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_language l ON l.oid = p.prolang
             JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace JOIN pg_catalog.pg_roles r ON r.oid = p.proowner
             WHERE l.lanname IN ('c', 'internal') AND ({which}) ORDER BY p.oid"
        ),
        &[],
    )?;
    Ok(rows
        .iter()
        .map(|row| Declaration {
            name: row.get(0),
            library: row.get(1),
            symbol: row.get(2),
            arguments: row.get::<_, Vec<u32>>(3).iter().map(named).collect(),
            result: named(&row.get(4)),
            strict: row.get(5),
            set: row.get(6),
            kind: row.get(7),
            everybody: row.get(8),
        })
        .collect())
}

/// What each type is called here: PostgreSQL's own by its name, one of an extension with `@`; one of the file's own is called
/// as the type whose functions it uses, `?` while it is not defined yet, and `!` otherwise.
fn types(admin: &mut Client) -> Result<HashMap<u32, String>, Error> {
    let sql = format!(
        "SELECT t.oid, CASE
           WHEN NOT t.typisdefined THEN '?'
           WHEN n.nspname = 'pg_catalog' THEN t.typname::text
           WHEN r.rolsuper AND EXISTS (SELECT FROM pg_catalog.pg_depend d WHERE d.deptype = 'e' AND d.objid = t.oid
             AND d.classid = 'pg_catalog.pg_type'::pg_catalog.regclass) THEN '@' || t.typname::text
           WHEN t.typtype = 'b' THEN coalesce((SELECT pg_catalog.min(b.typname::text) FROM pg_catalog.pg_type b
             WHERE {ALIKE}), '!')
           ELSE '!' END
         FROM pg_catalog.pg_type t JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace
         JOIN pg_catalog.pg_roles r ON r.oid = t.typowner"
    );
    Ok(admin.query(&sql, &[])?.iter().map(|row| (row.get(0), row.get(1))).collect())
}
