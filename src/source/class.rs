//! What a statement is to a desired state: part of it, silent about it, about rows, or beyond the database.

use super::cursor::Cursor;
use super::head::Head;
use super::notes;

/// What a statement is to a desired state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// DDL, which makes the state.
    Definition,
    /// `SELECT`, `CALL` or `DO`, which may make state by what they call.
    Call,
    /// Says nothing about the state: `SET`, `BEGIN`, `ANALYZE`.
    Silent,
    /// About rows, which are not managed: `INSERT`, `COPY`.
    Rows,
    /// About what stands outside any one database: roles, databases, tablespaces, the server's settings.
    Beyond,
}

/// Commands that leave no trace in the state of a database.
const SILENT: &[&str] = &[
    "ABORT",
    "ANALYSE",
    "ANALYZE",
    "BEGIN",
    "CHECKPOINT",
    "CLOSE",
    "COMMIT",
    "DEALLOCATE",
    "DECLARE",
    "DISCARD",
    "END",
    "EXECUTE",
    "EXPLAIN",
    "FETCH",
    "LISTEN",
    "LOAD",
    "LOCK",
    "MOVE",
    "NOTIFY",
    "PREPARE",
    "REINDEX",
    "RELEASE",
    "RESET",
    "ROLLBACK",
    "SAVEPOINT",
    "SET",
    "SHOW",
    "START",
    "UNLISTEN",
    "VACUUM",
];

const OUTSIDE: &[&str] = &["DATABASE", "GROUP", "ROLE", "SYSTEM", "TABLESPACE", "USER"];

impl Class {
    pub(super) fn of(head: &Head, cursor: Cursor<'_>) -> Self {
        if SILENT.binary_search(&head.verb.as_str()).is_ok() {
            return Self::Silent;
        }
        match head.verb.as_str() {
            "CREATE" | "ALTER" | "DROP" | "COMMENT" | "SECURITY" if OUTSIDE.contains(&head.kind) => Self::Beyond,
            "ALTER" if notes::only(head, cursor) => Self::Silent,
            "GRANT" | "REVOKE" => grant(cursor),
            "INSERT" | "UPDATE" | "DELETE" | "MERGE" | "TRUNCATE" | "COPY" => Self::Rows,
            // Marks the index that a table is ordered by; without a table it only rewrites files.
            "CLUSTER" if cursor.from(1).done() || cursor.from(1).is("VERBOSE") => Self::Silent,
            "SELECT" | "VALUES" | "TABLE" | "" => select(cursor),
            "WITH" => with(cursor),
            "CALL" | "DO" => Self::Call,
            _ => Self::Definition,
        }
    }
}

/// Rights on an object are part of the state; membership in a role, and rights on what is outside, are not.
fn grant(mut cursor: Cursor<'_>) -> Class {
    if !cursor.seek(&["ON", "TO", "FROM"]) || !cursor.eat("ON") || cursor.is_any(OUTSIDE) || cursor.is("PARAMETER") {
        return Class::Beyond;
    }
    Class::Definition
}

/// A call that sets a sequence's value is about rows; `SELECT INTO` makes a table.
fn select(cursor: Cursor<'_>) -> Class {
    let called = cursor.from(1).names();
    let outer = {
        let mut cursor = cursor;
        cursor.seek(&["INTO"])
    };
    match called.last().map(String::as_str) {
        Some("setval") => Class::Rows,
        _ if outer => Class::Definition,
        _ => Class::Call,
    }
}

fn with(mut cursor: Cursor<'_>) -> Class {
    let changes = ["INSERT", "UPDATE", "DELETE", "MERGE"];
    let inside = (1..cursor.len()).any(|at| cursor.text_at(at - 1) == "(" && cursor.from(at).is_any(&changes));
    if inside || cursor.seek(&changes) { Class::Rows } else { Class::Call }
}

#[cfg(test)]
mod tests {
    use super::super::token::{Lexer, Unterminated};
    use super::*;

    fn class(text: &str) -> Result<Class, Unterminated> {
        let mut lexer = Lexer::new(text);
        let mut tokens = Vec::new();
        while let Some(token) = lexer.next()? {
            tokens.push(token);
        }
        let cursor = Cursor::new(text, &tokens);
        Ok(Class::of(&Head::read(cursor), cursor))
    }

    #[test]
    fn every_statement_has_its_class() {
        for (class_, statements) in [
            (
                Class::Definition,
                [
                    "CREATE TABLE t ()",
                    "CREATE USER MAPPING FOR a SERVER s",
                    "GRANT SELECT ON t TO a",
                    "REVOKE ALL ON SCHEMA public FROM PUBLIC",
                    "SELECT 1 INTO t",
                    "REFRESH MATERIALIZED VIEW v",
                    "CLUSTER t USING i",
                    "COMMENT ON TABLE t IS 'x'",
                ]
                .as_slice(),
            ),
            (Class::Call, &["SELECT create_thing()", "DO $$$$", "CALL p()", "WITH a AS (SELECT 1) SELECT f() FROM a"]),
            (
                Class::Silent,
                &[
                    "ALTER TABLE ONLY a.t ALTER COLUMN c SET (pg_attver=12)",
                    "set x to 1",
                    "BEGIN",
                    "analyze t",
                    "VACUUM",
                    "CLUSTER",
                    "START TRANSACTION",
                ],
            ),
            (
                Class::Rows,
                &[
                    "INSERT INTO t VALUES (1)",
                    "COPY t FROM stdin",
                    "SELECT pg_catalog.setval('s', 1)",
                    "WITH a AS (DELETE FROM t RETURNING *) SELECT * FROM a",
                    "WITH a AS (SELECT 1) INSERT INTO t SELECT * FROM a",
                ],
            ),
            (
                Class::Beyond,
                &[
                    "CREATE ROLE a",
                    "ALTER USER a PASSWORD 'x'",
                    "DROP DATABASE d",
                    "ALTER SYSTEM SET x = 1",
                    "GRANT a TO b",
                    "GRANT ALL ON DATABASE d TO a",
                    "COMMENT ON ROLE a IS 'x'",
                    "CREATE TABLESPACE s LOCATION '/x'",
                ],
            ),
        ] {
            for statement in statements {
                assert_eq!(class(statement), Ok(class_), "{statement}");
            }
        }
        assert!(SILENT.is_sorted());
    }
}
