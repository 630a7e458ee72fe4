//! The parts of a table's definition: its columns and its constraints.

use super::cursor::Cursor;
use super::statement::Statement;

/// A column or a constraint, by the tokens that define it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Part {
    pub(super) what: What,
    /// The first token and the one after the last.
    pub(super) tokens: (usize, usize),
}

/// What a part of a table's definition is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum What {
    Column(String),
    /// A constraint of the table, with its name where one is written.
    Constraint(Option<String>),
    /// `LIKE other`.
    Like,
}

const CONSTRAINTS: &[&str] = &["CHECK", "UNIQUE", "PRIMARY", "EXCLUDE", "FOREIGN"];

impl Part {
    fn read(cursor: Cursor<'_>, tokens: (usize, usize)) -> Self {
        let mut cursor = cursor.from(tokens.0);
        let what = if cursor.eat("CONSTRAINT") {
            What::Constraint(cursor.name())
        } else if cursor.is("LIKE") {
            What::Like
        } else if cursor.is_any(CONSTRAINTS) || cursor.is_all(&["NOT", "NULL"]) {
            What::Constraint(None)
        } else {
            cursor.name().map_or(What::Constraint(None), What::Column)
        };
        Self { what, tokens }
    }
}

/// The parts that a `CREATE TABLE` lists, or that an `ALTER TABLE` adds.
pub(super) fn parts(statement: &Statement) -> Vec<Part> {
    let head = &statement.head;
    let cursor = statement.cursor().from(head.after);
    if head.is("CREATE", &["TABLE", "FOREIGN TABLE"]) {
        return created(cursor);
    }
    if head.is("ALTER", &["TABLE", "FOREIGN TABLE", "DOMAIN"]) { added(cursor) } else { Vec::new() }
}

/// The list may stand after `OF type` or `PARTITION OF parent`, but not after AS.
fn created(mut cursor: Cursor<'_>) -> Vec<Part> {
    while !cursor.done() && !cursor.is_mark("(") {
        if cursor.is_any(&["AS", "FOR", "INHERITS", "PARTITION", "SERVER"]) && !cursor.is_all(&["PARTITION", "OF"]) {
            return Vec::new();
        }
        cursor.advance();
    }
    cursor.elements().into_iter().map(|tokens| Part::read(cursor, tokens)).collect()
}

/// `ADD [COLUMN] [IF NOT EXISTS] name …` or `ADD constraint`, between commas.
fn added(mut cursor: Cursor<'_>) -> Vec<Part> {
    let mut out = Vec::new();
    cursor.eat_mark("*");
    while !cursor.done() {
        let adds = cursor.eat("ADD");
        let column = adds && cursor.eat("COLUMN");
        let _ = adds && cursor.eat_all(&["IF", "NOT", "EXISTS"]);
        let start = cursor.at;
        while !cursor.done() && !cursor.is_mark(",") {
            cursor.skip();
        }
        if adds {
            let part = Part::read(cursor, (start, cursor.at));
            let name = cursor.from(start).name().filter(|_| column);
            out.push(name.map_or(part.clone(), |name| Part { what: What::Column(name), ..part }));
        }
        cursor.advance();
    }
    out
}

#[cfg(test)]
mod tests {
    use super::super::{Error, read_text};
    use super::*;

    #[track_caller]
    fn has(sql: &str, expected: &[&str]) -> Result<(), Error> {
        let source = read_text("s.sql", sql)?;
        let found: Vec<_> = source.statements.iter().flat_map(parts).map(|part| format!("{:?}", part.what)).collect();
        assert_eq!(found, expected, "{sql}");
        Ok(())
    }

    #[test]
    fn columns_and_constraints_are_told_apart() -> Result<(), Error> {
        has(
            "CREATE TABLE t (a int CHECK (a > 0), \"check\" text, CONSTRAINT c UNIQUE (a), FOREIGN KEY (a) REFERENCES u, LIKE v)",
            &["Column(\"a\")", "Column(\"check\")", "Constraint(Some(\"c\"))", "Constraint(None)", "Like"],
        )?;
        has("CREATE TABLE t OF ty (a WITH OPTIONS NOT NULL)", &["Column(\"a\")"])?;
        has("CREATE TABLE p PARTITION OF t (CHECK (true)) FOR VALUES IN (1)", &["Constraint(None)"])?;
        has("CREATE TABLE p PARTITION OF t FOR VALUES IN (1)", &[])?;
        has("CREATE TABLE t AS SELECT (1)", &[])
    }

    #[test]
    fn additions_are_found_between_commas() -> Result<(), Error> {
        has(
            "ALTER TABLE ONLY t ADD COLUMN IF NOT EXISTS a numeric(1, 2), DROP b, ADD c int, ADD CONSTRAINT d CHECK (true)",
            &["Column(\"a\")", "Column(\"c\")", "Constraint(Some(\"d\"))"],
        )?;
        has("ALTER TABLE t ADD PRIMARY KEY (a)", &["Constraint(None)"])
    }
}
