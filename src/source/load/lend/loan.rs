//! The named list: which statements superuser may be lent to, when PostgreSQL refuses them for the lack of it.
//!
//! schema.sql may come from anybody. So a statement is on the list only when PostgreSQL itself carries it out and nothing
//! that the file brought along runs on the way; what it leaves behind is looked at afterwards, by `effects`.

use crate::source::cursor::{Cursor, text_of};
use crate::source::statement::Statement;
use crate::source::token::TokenKind;

/// How superuser is lent to a statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Loan {
    /// A superuser runs it: what an extension brings along must not belong to the loading role, which could replace it.
    /// Scripts of extensions run only while nothing of the file is there that they could be led to.
    Extension { script: bool },
    /// The loading role runs it, as a superuser for this one statement; only these catalogs may change.
    Role(&'static [&'static str]),
    /// The loading role creates the function without the word, and then has it added.
    Leakproof,
}

/// Extensions that hand files or programs to every user once they exist.
pub(super) const REFUSED_EXTENSIONS: &[&str] =
    &["http", "jdbc_fdw", "multicorn", "ogr_fdw", "plsh", "steampipe_postgres_fdw"];

/// Everything that has an owner, except extensions, languages and subscriptions.
const OWNED: &[&str] = &[
    "pg_class",
    "pg_collation",
    "pg_conversion",
    "pg_event_trigger",
    "pg_foreign_data_wrapper",
    "pg_foreign_server",
    "pg_namespace",
    "pg_opclass",
    "pg_operator",
    "pg_opfamily",
    "pg_proc",
    "pg_publication",
    "pg_statistic_ext",
    "pg_ts_config",
    "pg_ts_dict",
    "pg_type",
];

const NOT_LISTED: &str = "statements of this kind run without superuser";

impl Loan {
    /// The loan that a statement may have, or why it may have none.
    pub(super) fn of(statement: &Statement) -> Result<Self, &'static str> {
        let head = &statement.head;
        let cursor = statement.cursor().from(head.after);
        match (head.verb.as_str(), head.kind) {
            (_, "EXTENSION") => extension(statement, cursor),
            ("CREATE", "LANGUAGE") if !cursor.has("HANDLER") => Ok(Self::Extension { script: true }),
            ("CREATE", "LANGUAGE") => Err("a language's handler decides what its functions may do"),
            ("CREATE", "CAST") => Ok(Self::Role(&["pg_cast"])),
            ("CREATE", "EVENT TRIGGER") if cursor.is_all(&["ON", "LOGIN"]) => {
                Err("a trigger on logins would run for every superuser too")
            }
            ("CREATE", "EVENT TRIGGER") => Ok(Self::Role(&["pg_event_trigger"])),
            ("CREATE", "OPERATOR CLASS" | "OPERATOR FAMILY") => Ok(Self::Role(OPERATOR_CLASS)),
            ("ALTER", "OPERATOR FAMILY") if cursor.has("ADD") || cursor.has("DROP") => Ok(Self::Role(OPERATOR_CLASS)),
            ("CREATE", "TYPE") if cursor.done() || cursor.is_mark("(") => Ok(Self::Role(&["pg_type"])),
            ("ALTER", "TYPE") if cursor.is("SET") && cursor.text_at(cursor.at + 1) == "(" => {
                Ok(Self::Role(&["pg_type"]))
            }
            ("CREATE", "FOREIGN DATA WRAPPER") => Ok(Self::Role(&["pg_foreign_data_wrapper"])),
            ("ALTER", "FOREIGN DATA WRAPPER") if cursor.is("OPTIONS") => Ok(Self::Role(&["pg_foreign_data_wrapper"])),
            ("CREATE", "SERVER") => Ok(Self::Role(&["pg_foreign_server"])),
            ("CREATE", "ACCESS METHOD") => Ok(Self::Role(&["pg_am"])),
            ("CREATE" | "ALTER", "PUBLICATION") if !cursor.has("WHERE") && !cursor.has("OWNER") => {
                Ok(Self::Role(&["pg_publication"]))
            }
            ("CREATE", "TEXT SEARCH PARSER" | "TEXT SEARCH TEMPLATE") => {
                Ok(Self::Role(&["pg_ts_parser", "pg_ts_template"]))
            }
            ("CREATE", "FUNCTION" | "PROCEDURE") => routine(cursor),
            ("ALTER", "FUNCTION" | "PROCEDURE" | "ROUTINE") if is_leakproof(cursor) => Ok(Self::Role(&["pg_proc"])),
            ("ALTER", kind) if kind != "SUBSCRIPTION" && is_owner(cursor) => Ok(Self::Role(OWNED)),
            ("COMMENT", _) => Ok(Self::Role(&[])),
            ("GRANT" | "REVOKE", _) => grant(statement.cursor()),
            _ => Err(NOT_LISTED),
        }
    }
}

const OPERATOR_CLASS: &[&str] = &["pg_amop", "pg_amproc", "pg_opclass", "pg_opfamily"];

fn extension(statement: &Statement, cursor: Cursor<'_>) -> Result<Loan, &'static str> {
    let name = statement.head.name.first().map_or("", String::as_str);
    match statement.head.verb.as_str() {
        "CREATE" if REFUSED_EXTENSIONS.contains(&name) => Err("this extension hands files or programs to every user"),
        "CREATE" => Ok(Loan::Extension { script: true }),
        "ALTER" if cursor.is("UPDATE") => Ok(Loan::Extension { script: true }),
        "ALTER" if cursor.is_all(&["SET", "SCHEMA"]) => Ok(Loan::Extension { script: false }),
        "DROP" if !cursor.has("CASCADE") => Ok(Loan::Extension { script: false }),
        "COMMENT" => Ok(Loan::Extension { script: false }),
        _ => Err("an extension's objects are trusted, so none can be added"),
    }
}

/// C functions of the server's own library folder, and PostgreSQL's own under another name; without expressions, which
/// could call what the file made.
fn routine(cursor: Cursor<'_>) -> Result<Loan, &'static str> {
    let mut options = cursor;
    options.skip();
    let mut language = options;
    let name = if language.seek(&["LANGUAGE"]) {
        language.advance();
        let quoted = language.token().and_then(|token| text_of(token, language.source()));
        quoted.or_else(|| language.name()).unwrap_or_default().to_ascii_lowercase()
    } else {
        "sql".to_owned()
    };
    if name != "c" && name != "internal" {
        let mut word = options;
        let leakproof = word.seek(&["LEAKPROOF"]) && !word.is_at(word.at - 1, "NOT");
        return if leakproof {
            Ok(Loan::Leakproof)
        } else {
            Err("functions in this language need a superuser of their own")
        };
    }
    let computes = (cursor.at..options.at).any(|at| cursor.is_at(at, "DEFAULT") || cursor.text_at(at) == "=");
    let mut extra = options;
    if computes || extra.seek(&["SET", "SUPPORT", "TRANSFORM", "RETURN", "BEGIN"]) {
        return Err("superuser is lent only to C functions without defaults and settings");
    }
    let mut body = options;
    let library = body.seek(&["AS"]) && {
        body.advance();
        plain_text(body).is_some_and(|text| is_own_library(&text))
    };
    if name == "c" && !library {
        return Err("the library is not in the server's own folder ($libdir)");
    }
    Ok(Loan::Role(&["pg_proc", "pg_type"]))
}

/// The text of a string without escapes. What `U&'…'` stands for depends on a word after it.
pub(super) fn plain_text(cursor: Cursor<'_>) -> Option<String> {
    let token = cursor.token()?;
    let written = cursor.text();
    let escapes = written.starts_with(|c: char| c.is_ascii_alphabetic());
    text_of(token, cursor.source()).filter(|_| !escapes)
}

/// `$libdir/name`, or a bare name, which PostgreSQL looks for there.
pub(super) fn is_own_library(path: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
    match path.strip_prefix("$libdir/") {
        Some(name) => !name.is_empty() && !name.contains("..") && name.chars().all(|c| plain(c) || c == '.'),
        None => !path.is_empty() && path.chars().all(plain),
    }
}

/// `f(…) [NOT] LEAKPROOF`, and nothing else.
fn is_leakproof(mut cursor: Cursor<'_>) -> bool {
    if cursor.is_mark("(") {
        cursor.skip();
    }
    cursor.eat("NOT");
    cursor.eat("LEAKPROOF") && cursor.done()
}

/// `… OWNER TO role`, and nothing else.
fn is_owner(mut cursor: Cursor<'_>) -> bool {
    if cursor.is_mark("(") {
        cursor.skip();
    }
    if cursor.eat("USING") {
        cursor.names();
    }
    cursor.eat_all(&["OWNER", "TO"]) && cursor.name().is_some() && cursor.done()
}

/// Rights on objects of extensions, and on schema public, which belong to a superuser.
fn grant(mut cursor: Cursor<'_>) -> Result<Loan, &'static str> {
    let mut columns = false;
    while !cursor.done() && !cursor.is("ON") {
        columns |= cursor.is_mark("(");
        cursor.skip();
    }
    cursor.eat("ON");
    let whole_schemas = cursor.is("ALL");
    let names = cursor.kind() == Some(TokenKind::Word) || cursor.kind() == Some(TokenKind::Quoted);
    if columns || whole_schemas || !names {
        return Err("superuser is lent only to grants on single objects");
    }
    Ok(Loan::Role(&["pg_class", "pg_namespace", "pg_proc", "pg_type"]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::read_text;

    fn loan(sql: &str) -> Result<Loan, String> {
        let source = read_text("s.sql", sql).map_err(|error| error.to_string())?;
        let statement = source.statements.first().ok_or("no statement")?;
        Loan::of(statement).map_err(str::to_owned)
    }

    #[test]
    fn what_runs_code_of_the_file_is_lent_nothing() {
        for sql in [
            "DO $$ BEGIN END $$",
            "SELECT pg_read_file('/etc/passwd')",
            "COPY t FROM '/etc/passwd'",
            "COPY t TO PROGRAM 'id'",
            "CREATE TABLE t AS SELECT pg_read_file('x')",
            "CREATE FUNCTION f() RETURNS int LANGUAGE plpython3u AS 'x'",
            "CREATE FUNCTION f() RETURNS int LANGUAGE plperlu AS 'x'",
            "CREATE FUNCTION f() RETURNS int AS '/tmp/evil', 'f' LANGUAGE c",
            "CREATE FUNCTION f() RETURNS int AS '$libdir/../evil', 'f' LANGUAGE C",
            "CREATE FUNCTION f() RETURNS int AS E'$libdir\\057evil', 'f' LANGUAGE c",
            "CREATE FUNCTION f() RETURNS int AS U&'\\002ftmp/evil', 'f' LANGUAGE c",
            "CREATE FUNCTION f() RETURNS int AS U&'_002ftmp_002fevil' UESCAPE '_', 'f' LANGUAGE c",
            "CREATE FUNCTION f() RETURNS int AS 'libc.so.6', 'system' LANGUAGE 'C'",
            "CREATE FUNCTION f(a int DEFAULT evil()) RETURNS int AS '$libdir/x', 'f' LANGUAGE c",
            "CREATE FUNCTION f(a int = evil()) RETURNS int AS '$libdir/x', 'f' LANGUAGE c",
            "CREATE FUNCTION f() RETURNS int AS '$libdir/x', 'f' LANGUAGE c SET search_path = a",
            "CREATE TRUSTED LANGUAGE evil HANDLER plperlu_call_handler",
            "ALTER EXTENSION file_fdw ADD FUNCTION evil()",
            "ALTER EXTENSION file_fdw DROP FUNCTION file_fdw_validator(text[], oid)",
            "ALTER FOREIGN DATA WRAPPER file_fdw NO VALIDATOR",
            "CREATE EVENT TRIGGER e ON login EXECUTE FUNCTION f()",
            "CREATE PUBLICATION p FOR TABLE t WHERE (evil())",
            "CREATE SUBSCRIPTION s CONNECTION '' PUBLICATION p",
            "CREATE USER MAPPING FOR a SERVER s OPTIONS (password_required 'false')",
            "CREATE FOREIGN TABLE t (a int) SERVER s OPTIONS (filename '/etc/passwd')",
            "ALTER TABLE t ADD COLUMN a int DEFAULT evil(), OWNER TO b",
            "ALTER FUNCTION f() SET search_path = x",
            "ALTER FUNCTION f() LEAKPROOF SET search_path = x",
            "GRANT SELECT (rolpassword) ON pg_authid TO me",
            "REFRESH MATERIALIZED VIEW v",
            "CREATE TRANSFORM FOR t LANGUAGE l (FROM SQL WITH FUNCTION f(internal))",
            "LOAD '/tmp/evil'",
        ] {
            assert!(loan(sql).is_err(), "{sql}");
        }
    }

    #[test]
    fn named_kinds_of_ddl_are_lent_what_they_need() {
        for sql in [
            "CREATE CAST (a AS b) WITH FUNCTION f(a)",
            "CREATE EVENT TRIGGER e ON sql_drop EXECUTE FUNCTION f()",
            "CREATE OPERATOR CLASS c FOR TYPE t USING btree AS OPERATOR 1 <",
            "CREATE TYPE t",
            "CREATE TYPE t (INPUT = i, OUTPUT = o, LIKE = int4)",
            "CREATE FOREIGN DATA WRAPPER w",
            "CREATE PUBLICATION p FOR ALL TABLES",
            "CREATE FUNCTION f(a int) RETURNS int AS '$libdir/x-3.4', 'f' LANGUAGE c STRICT",
            "CREATE FUNCTION f(cstring) RETURNS t AS 'int4in' LANGUAGE internal",
            "ALTER FUNCTION f(int) NOT LEAKPROOF",
            "ALTER OPERATOR CLASS c USING btree OWNER TO r",
            "ALTER TABLE t OWNER TO r",
            "COMMENT ON SCHEMA public IS 'x'",
            "GRANT USAGE ON SCHEMA public TO r",
        ] {
            assert!(matches!(loan(sql), Ok(Loan::Role(_))), "{sql}");
        }
        assert_eq!(loan("CREATE EXTENSION postgres_fdw"), Ok(Loan::Extension { script: true }));
        assert_eq!(loan("COMMENT ON EXTENSION x IS ''"), Ok(Loan::Extension { script: false }));
        assert_eq!(loan("CREATE FUNCTION f() RETURNS int LANGUAGE sql LEAKPROOF AS 'SELECT 1'"), Ok(Loan::Leakproof));
    }
}
