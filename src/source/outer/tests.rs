//! What is read of statements about roles and the database.

#![allow(clippy::unwrap_used)]

use super::*;
use crate::source::{Error, read_text};

const BESIDE: Beside<'_> = Beside { roles: true, database: true, name: "My Shop", user: "me", maker: "postgres" };

fn outer(sql: &str) -> Result<Result<Vec<String>, Vec<String>>, Error> {
    let text = |refusal: &Refusal| refusal.to_string();
    Ok(match read_text("s.sql", sql)?.outer(BESIDE) {
        Ok(outer) => Ok(outer.statements.into_iter().map(|it| it.sql).collect()),
        Err(refused) => Err(refused.iter().map(text).collect()),
    })
}

#[test]
fn names_stand_for_what_they_mean_here() -> Result<(), Error> {
    for (written, read) in [
        ("ALTER DATABASE CURRENT_DATABASE SET a.b = 'x'", "ALTER DATABASE \"My Shop\" SET a.b = 'x'"),
        ("COMMENT ON DATABASE \"My Shop\" IS 'x'", "COMMENT ON DATABASE \"My Shop\" IS 'x'"),
        (
            "GRANT CONNECT ON DATABASE current_database, \"My Shop\" TO CURRENT_USER",
            "GRANT CONNECT ON DATABASE \"My Shop\", \"My Shop\" TO me",
        ),
        (
            "ALTER ROLE ALL IN DATABASE current_database SET work_mem = 1",
            "ALTER ROLE ALL IN DATABASE \"My Shop\" SET work_mem = 1",
        ),
        ("GRANT a TO SESSION_USER GRANTED BY postgres", "GRANT a TO me"),
        ("REVOKE a FROM b GRANTED BY CURRENT_USER CASCADE", "REVOKE a FROM b  CASCADE"),
        (
            "SECURITY LABEL FOR x ON DATABASE CURRENT_DATABASE IS 'y'",
            "SECURITY LABEL FOR x ON DATABASE \"My Shop\" IS 'y'",
        ),
    ] {
        assert_eq!(outer(written)?, Ok(vec![read.to_owned()]), "{written}");
    }
    Ok(())
}

#[test]
fn passwords_are_in_no_statement() -> Result<(), Error> {
    let source = read_text(
        "s.sql",
        "CREATE ROLE a LOGIN ENCRYPTED PASSWORD 's3cret' NOINHERIT;
         CREATE USER b PASSWORD $$${B}$$; ALTER ROLE b PASSWORD NULL; CREATE ROLE c PASSWORD E's3c\\'ret'",
    )?;
    let outer = source.outer(BESIDE).unwrap_or_default();
    let texts: Vec<&str> = outer.statements.iter().map(|it| it.sql.as_str()).collect();
    assert_eq!(texts, ["CREATE ROLE a LOGIN  NOINHERIT", "CREATE USER b", "ALTER ROLE b", "CREATE ROLE c"]);
    let written = |name: &str| outer.passwords.get(name).map(|(text, at)| (text.as_str(), at.line));
    assert_eq!((written("a"), written("b")), (Some(("s3cret", 1)), Some(("${B}", 2))));
    for sql in ["CREATE ROLE a PASSWORD s3cret", "CREATE ROLE a PASSWORD", "CREATE ROLE a PASSWORD 12345"] {
        let refused = read_text("s.sql", sql)?.outer(BESIDE).unwrap_err();
        let text = refused.first().map(ToString::to_string).unwrap_or_default();
        assert_eq!(text, "s.sql:1:15: CREATE ROLE a: a password is a string constant, or NULL", "{sql}");
    }
    Ok(())
}

#[test]
fn what_is_not_managed_is_refused_with_its_place() -> Result<(), Error> {
    for (sql, why) in [
        (
            "ALTER DATABASE other SET x.y = 1",
            "s.sql:1:16: ALTER DATABASE other: the database is \"My Shop\", not other",
        ),
        ("GRANT ALL ON DATABASE \"My Shop\", b TO a", "s.sql:1:34: GRANT"),
        ("CREATE ROLE a; ALTER ROLE a IN DATABASE b SET x.y = 1", "s.sql:1:41: ALTER ROLE a: the database is"),
        ("ALTER DATABASE CURRENT_DATABASE RENAME TO x", "s.sql:1:1: ALTER DATABASE current_database: this is done"),
        ("ALTER DATABASE CURRENT_DATABASE SET TABLESPACE x", "this is done to a database"),
        ("ALTER DATABASE CURRENT_DATABASE WITH ALLOW_CONNECTIONS false", "ALLOW_CONNECTIONS is not managed"),
        ("ALTER DATABASE CURRENT_DATABASE SET work_mem FROM CURRENT", "FROM CURRENT depends on the session"),
        ("ALTER ROLE nobody SUPERUSER", "s.sql:1:1: ALTER ROLE nobody: role nobody is not created here"),
        ("COMMENT ON ROLE nobody IS 'x'", "role nobody is not created here"),
        ("ALTER ROLE ALL SET work_mem = 1", "reaches every database"),
        ("CREATE ROLE a; ALTER ROLE a RENAME TO b", "under its new name"),
    ] {
        let refused = outer(sql)?.unwrap_err();
        assert!(refused.first().is_some_and(|text| text.contains(why)), "{sql}: {refused:?}");
    }
    Ok(())
}

#[test]
fn what_is_the_servers_stays_as_it_is() -> Result<(), Error> {
    for sql in [
        "CREATE ROLE postgres; ALTER ROLE postgres NOSUPERUSER",
        "ALTER USER CURRENT_USER SET work_mem = 1; COMMENT ON ROLE me IS 'x'",
        "DROP ROLE IF EXISTS a; DROP USER me",
    ] {
        let outer = read_text("s.sql", sql)?.outer(BESIDE).unwrap_or_default();
        assert_eq!((outer.statements.len(), outer.warnings.len()), (0, 2), "{sql}");
    }
    for sql in [
        "CREATE DATABASE x",
        "ALTER SYSTEM SET x = 1",
        "GRANT SET ON PARAMETER x TO a",
        "GRANT CREATE ON TABLESPACE x TO a",
    ] {
        assert!(read_text("s.sql", sql)?.outer(BESIDE).unwrap_or_default().statements.is_empty(), "{sql}");
    }
    Ok(())
}
