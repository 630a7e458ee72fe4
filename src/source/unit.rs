//! What is sent for a statement: all of it, or the parts of a table apart from its foreign keys.

use super::cursor::Cursor;
use super::notes;
use super::parts::{What, parts};
use super::statement::Statement;
use std::ops::Range;

/// Something to run, which stands in one statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Unit {
    /// The statement's index in the source.
    pub(super) statement: usize,
    pub(super) part: Part,
}

/// Which part of its statement a unit is; ranges count tokens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// The statement, without a word such as CONCURRENTLY that says how to run it.
    Whole,
    /// The statement without clauses that other units add.
    Without(Vec<Range<usize>>),
    /// A clause that is added afterwards; a foreign key of a column comes with the column's token and its own name.
    Clause { clause: Range<usize>, column: Option<usize>, name: Option<Range<usize>> },
}

/// Text to send, and where its parts stand in the file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Text {
    pub(super) sql: String,
    /// Where a piece starts in the text, where in the file, and its length.
    pieces: Vec<(usize, usize, usize)>,
}

impl Text {
    /// Text that stands in no file.
    pub(super) fn of_ours(sql: String) -> Self {
        Self { sql, pieces: Vec::new() }
    }

    fn own(&mut self, text: &str) {
        self.sql.push_str(text);
    }

    fn source(&mut self, statement: &Statement, tokens: Range<usize>) {
        let (Some(first), Some(last)) =
            (statement.tokens.get(tokens.start), tokens.end.checked_sub(1).and_then(|last| statement.tokens.get(last)))
        else {
            return;
        };
        let (start, end) = (first.start as usize, last.end as usize);
        if start < end {
            self.pieces.push((self.sql.len(), start, end - start));
            self.sql.push_str(&statement.file.text[start..end]);
        }
    }

    /// The byte in the file that a byte of this text stands for.
    pub(super) fn offset(&self, at: usize) -> Option<usize> {
        let after = self.pieces.partition_point(|(start, ..)| *start <= at);
        let (start, offset, length) = after.checked_sub(1).and_then(|last| self.pieces.get(last))?;
        Some(offset + (at - start).min(*length))
    }
}

impl Unit {
    pub(super) fn whole(statement: usize) -> Self {
        Self { statement, part: Part::Whole }
    }

    /// The text to send.
    pub(super) fn text(&self, statement: &Statement) -> Text {
        let mut text = Text::default();
        let all = statement.tokens.len();
        match &self.part {
            Part::Whole => without(&mut text, statement, &meaningless(statement)),
            Part::Without(left_out) => without(&mut text, statement, left_out),
            Part::Clause { clause, column, name } => {
                text.own(if statement.head.kind == "SEQUENCE" { "ALTER SEQUENCE " } else { "ALTER TABLE " });
                text.source(statement, name_tokens(statement));
                text.own(if statement.head.kind == "SEQUENCE" { " " } else { " ADD " });
                if let Some(name) = name {
                    text.source(statement, name.clone());
                    text.own(" ");
                }
                if let Some(column) = column {
                    text.own("FOREIGN KEY (");
                    text.source(statement, *column..column + 1);
                    text.own(") ");
                }
                text.source(statement, clause.start..clause.end.min(all));
            }
        }
        text
    }

    /// The statement without one of its tokens.
    pub(super) fn without_token(statement: &Statement, token: usize) -> Text {
        let mut text = Text::default();
        without(&mut text, statement, std::slice::from_ref(&(token..token + 1)));
        text
    }

    /// Takes a table apart from its foreign keys, or a sequence from its owner, so that objects that need each other can
    /// be made one after the other. Nothing when there is nothing to take apart.
    pub(super) fn apart(&self, statement: &Statement) -> Option<Vec<Self>> {
        if self.part != Part::Whole {
            return None;
        }
        let clauses = match (statement.head.verb.as_str(), statement.head.kind) {
            ("CREATE", "TABLE") => foreign_keys(statement),
            ("CREATE", "SEQUENCE") => owner(statement),
            _ => return None,
        };
        let mut left_out = Vec::new();
        let mut added = Vec::new();
        for (range, part) in clauses {
            left_out.push(range);
            added.push(Self { statement: self.statement, part });
        }
        if left_out.is_empty() {
            return None;
        }
        added.insert(0, Self { statement: self.statement, part: Part::Without(left_out) });
        Some(added)
    }
}

/// Copies a statement without some of its tokens.
fn without(text: &mut Text, statement: &Statement, left_out: &[Range<usize>]) {
    let mut start = 0;
    for range in left_out {
        text.source(statement, start..range.start);
        text.own(" ");
        start = range.end;
    }
    text.source(statement, start..statement.tokens.len());
}

/// What a statement says that is not about the state.
fn meaningless(statement: &Statement) -> Vec<Range<usize>> {
    let cursor = statement.cursor();
    let notes = notes::among(&statement.head, cursor);
    if notes.is_empty() {
        return concurrently(statement);
    }
    notes.into_iter().map(|note| with_comma(cursor, note.start, note.end)).collect()
}

/// The word that asks for a way of building that cannot be part of a transaction, and changes nothing about the outcome.
fn concurrently(statement: &Statement) -> Vec<Range<usize>> {
    let head = &statement.head;
    let cursor = statement.cursor();
    let may = head.kind == "INDEX"
        || head.verb == "REFRESH"
        || head.is("ALTER", &["TABLE"]) && cursor.from(head.after).is("DETACH");
    let at = (1..cursor.len()).find(|at| cursor.is_at(*at, "CONCURRENTLY"));
    at.filter(|_| may).map(|at| at..at + 1).into_iter().collect()
}

/// The tokens of the object's name.
fn name_tokens(statement: &Statement) -> Range<usize> {
    let head = &statement.head;
    head.after.saturating_sub((2 * head.name.len()).saturating_sub(1))..head.after
}

/// The foreign keys of a table: the tokens to leave out, and the part that adds them.
fn foreign_keys(statement: &Statement) -> Vec<(Range<usize>, Part)> {
    let cursor = statement.cursor();
    let mut out = Vec::new();
    for part in parts(statement) {
        let (start, end) = part.tokens;
        let mut inner = cursor.from(start);
        match part.what {
            What::Constraint(_) => {
                let named = inner.eat("CONSTRAINT");
                inner.at += usize::from(named);
                if inner.is("FOREIGN") {
                    out.push((
                        with_comma(cursor, start, end),
                        Part::Clause { clause: start..end, column: None, name: None },
                    ));
                }
            }
            What::Column(_) => {
                while inner.seek(&["REFERENCES"]) && inner.at < end {
                    let clause = inner.at..reference(inner, end);
                    let named = inner.at >= start + 3 && cursor.is_at(inner.at - 2, "CONSTRAINT");
                    let name = named.then(|| inner.at - 2..inner.at);
                    let first = name.as_ref().map_or(clause.start, |name| name.start);
                    inner.at = clause.end;
                    out.push((first..clause.end, Part::Clause { clause, column: Some(start), name }));
                }
            }
            What::Like => {}
        }
    }
    out
}

/// An element of a list goes with the comma before it, or with the one after it when it is the first.
fn with_comma(cursor: Cursor<'_>, start: usize, end: usize) -> Range<usize> {
    if cursor.text_at(start - 1) == "," {
        start - 1..end
    } else if cursor.text_at(end) == "," {
        start..end + 1
    } else {
        start..end
    }
}

/// Where the clause that starts with REFERENCES ends.
fn reference(mut cursor: Cursor<'_>, end: usize) -> usize {
    cursor.advance();
    cursor.names();
    if cursor.is_mark("(") {
        cursor.skip();
    }
    while cursor.at < end {
        let words: &[usize] = if cursor.is("MATCH") || cursor.is("INITIALLY") {
            &[2]
        } else if cursor.is_all(&["ON", "DELETE"]) || cursor.is_all(&["ON", "UPDATE"]) {
            if cursor.is_at(cursor.at + 2, "NO") || cursor.is_at(cursor.at + 2, "SET") { &[4] } else { &[3] }
        } else if cursor.is_all(&["NOT", "DEFERRABLE"]) || cursor.is_all(&["NOT", "ENFORCED"]) {
            &[2]
        } else if cursor.is_any(&["DEFERRABLE", "ENFORCED"]) {
            &[1]
        } else {
            break;
        };
        let sets = cursor.is_at(cursor.at + 2, "SET");
        cursor.at += words[0];
        if sets && cursor.is_mark("(") {
            cursor.skip();
        }
    }
    cursor.at.min(end)
}

/// `OWNED BY` in the definition of a sequence.
fn owner(statement: &Statement) -> Vec<(Range<usize>, Part)> {
    let mut cursor = statement.cursor().from(statement.head.after);
    if !cursor.seek(&["OWNED"]) || !cursor.is_all(&["OWNED", "BY"]) || cursor.is_at(cursor.at + 2, "NONE") {
        return Vec::new();
    }
    let start = cursor.at;
    cursor.at += 2;
    cursor.names();
    let clause = start..cursor.at;
    vec![(clause.clone(), Part::Clause { clause, column: None, name: None })]
}

/// Whether a token is left out of a unit, or stands outside its clause.
pub(super) fn leaves_out(part: &Part, token: usize) -> bool {
    match part {
        Part::Whole => false,
        Part::Without(ranges) => ranges.iter().any(|range| range.contains(&token)),
        Part::Clause { clause, .. } => !clause.contains(&token),
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Error, read_text};
    use super::*;

    fn texts(sql: &str) -> Result<Vec<String>, Error> {
        let source = read_text("s.sql", sql)?;
        let statement = &source.statements[0];
        let whole = Unit::whole(0);
        let units = whole.apart(statement).unwrap_or_else(|| vec![whole]);
        Ok(units.iter().map(|unit| unit.text(statement).sql).collect())
    }

    #[test]
    fn foreign_keys_are_taken_out_of_tables() -> Result<(), Error> {
        assert_eq!(
            texts(
                "CREATE TABLE app.a (id int PRIMARY KEY, \"B\" int NOT NULL CONSTRAINT k REFERENCES app.b (id) \
                 ON DELETE SET NULL (\"B\") ON UPDATE NO ACTION DEFERRABLE INITIALLY DEFERRED NOT NULL, \
                 c int REFERENCES c, CONSTRAINT f FOREIGN KEY (c) REFERENCES c (id) MATCH FULL, CHECK (true))"
            )?,
            [
                "CREATE TABLE app.a (id int PRIMARY KEY, \"B\" int NOT NULL NOT NULL, c int  , CHECK (true))",
                "ALTER TABLE app.a ADD CONSTRAINT k FOREIGN KEY (\"B\") REFERENCES app.b (id) ON DELETE SET NULL (\"B\") \
                 ON UPDATE NO ACTION DEFERRABLE INITIALLY DEFERRED",
                "ALTER TABLE app.a ADD FOREIGN KEY (c) REFERENCES c",
                "ALTER TABLE app.a ADD CONSTRAINT f FOREIGN KEY (c) REFERENCES c (id) MATCH FULL",
            ]
        );
        assert_eq!(texts("CREATE TABLE a (FOREIGN KEY (x) REFERENCES b, x int)")?[0], "CREATE TABLE a ( x int)");
        Ok(())
    }

    #[test]
    fn sequences_are_made_before_their_owner() -> Result<(), Error> {
        assert_eq!(
            texts("CREATE SEQUENCE s START 5 OWNED BY app.t.id CACHE 2")?,
            ["CREATE SEQUENCE s START 5 CACHE 2", "ALTER SEQUENCE s OWNED BY app.t.id"]
        );
        assert_eq!(texts("CREATE SEQUENCE s OWNED BY NONE")?, ["CREATE SEQUENCE s OWNED BY NONE"]);
        Ok(())
    }

    #[test]
    fn what_newer_minors_note_is_left_out() -> Result<(), Error> {
        let set = "ALTER TABLE ONLY app.t ALTER COLUMN c SET";
        let spaced = |text: &str| text.replace("  ", " ");
        assert_eq!(
            spaced(&texts(&format!("{set} (pg_attver=12, n_distinct=5)"))?[0]),
            format!("{set} ( n_distinct=5)")
        );
        assert_eq!(
            spaced(&texts(&format!("{set} (n_distinct=5, pg_attver=12)"))?[0]),
            format!("{set} (n_distinct=5 )")
        );
        Ok(())
    }

    #[test]
    fn concurrently_is_left_out_and_places_stay() -> Result<(), Error> {
        assert_eq!(texts("CREATE INDEX CONCURRENTLY i ON t (concurrently)")?, ["CREATE INDEX i ON t (concurrently)"]);
        assert_eq!(texts("REFRESH MATERIALIZED VIEW CONCURRENTLY v")?, ["REFRESH MATERIALIZED VIEW v"]);
        let source = read_text("s.sql", "CREATE INDEX CONCURRENTLY i ON t (a)")?;
        let text = Unit::whole(0).text(&source.statements[0]);
        assert_eq!(text.sql.find("ON t").and_then(|at| text.offset(at)), source.statements[0].sql().find("ON t"));
        Ok(())
    }
}
