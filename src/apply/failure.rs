//! A statement that failed: what PostgreSQL said, where in the statement, and what is committed.

use std::{collections::BTreeMap, fmt, ops::Range};

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};
use postgres::error::{DbError, ErrorPosition, SqlState};

/// How many lines of a statement are shown where PostgreSQL points at none.
const LINES: usize = 20;

/// A statement of a plan that PostgreSQL refused.
#[derive(Debug)]
pub struct Failure {
    /// What was being done.
    pub doing: Doing,
    /// The step's number, from 1.
    pub number: usize,
    /// How many steps the plan has.
    pub of: usize,
    /// The statement.
    pub sql: String,
    /// The values of variables that were in it, by value: they are not shown.
    pub secrets: BTreeMap<String, String>,
    /// Where the desired state asks for it: `schema.sql:12`.
    pub asked_by: Option<String>,
    /// What PostgreSQL, or the connection, said.
    pub cause: postgres::Error,
    /// What stays.
    pub committed: Committed,
    /// Why the failure could not be recorded.
    pub unrecorded: Option<String>,
}

/// What was being done with a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Doing {
    /// It was executed.
    Step,
    /// What must hold before it was checked.
    Guard,
    /// The transaction that ends with it was committed.
    Commit,
}

/// How much of a plan is committed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Committed {
    /// Nothing.
    Nothing,
    /// The steps up to this number.
    Steps(usize),
    /// The steps up to this number, and of what followed it is not known.
    Unknown(usize),
}

impl Failure {
    /// PostgreSQL's code.
    pub fn sqlstate(&self) -> Option<&str> {
        self.cause.code().map(SqlState::code)
    }

    /// PostgreSQL's message with its code, in one line.
    pub fn message(&self) -> String {
        let message = match self.cause.as_db_error() {
            Some(db) => format!("{} (SQLSTATE {})", db.message(), db.code().code()),
            None => self.cause.to_string(),
        };
        self.without_secrets(message)
    }

    /// What the user can do about it.
    pub fn hints(&self) -> Vec<String> {
        let mut hints: Vec<String> =
            self.cause.as_db_error().and_then(DbError::hint).map(str::to_owned).into_iter().collect();
        if self.cause.code() == Some(&SqlState::LOCK_NOT_AVAILABLE) {
            hints.push("another session holds a lock on the object: try when it is less busy, or wait longer".into());
        }
        hints.push(match self.committed {
            Committed::Nothing => "nothing has been changed: remove the cause and apply again, or plan again".into(),
            Committed::Steps(steps) => format!(
                "steps 1 to {steps} are committed: remove the cause and apply the same plan again, which goes on after them; \
                 or plan again"
            ),
            Committed::Unknown(_) => "apply the same plan again: it finds out what is committed, and goes on".into(),
        });
        hints.into_iter().map(|hint| self.without_secrets(hint)).collect()
    }

    /// Text that PostgreSQL wrote, with the variables in the place of their values.
    fn without_secrets(&self, mut text: String) -> String {
        for (value, name) in &self.secrets {
            text = text.replace(value, &format!("${{{name}}}"));
        }
        text
    }

    /// The whole account, for people.
    pub fn rendered(&self, renderer: &Renderer) -> String {
        let what = match self.doing {
            Doing::Step => "step",
            Doing::Guard => "the check before step",
            Doing::Commit => "the commit after step",
        };
        let mut text = format!("{what} {} of {} failed: {}\n", self.number, self.of, self.message());
        if self.doing != Doing::Commit {
            let db = self.cause.as_db_error();
            let at = match db.and_then(DbError::position) {
                // With values in the place of variables, the place is another one.
                Some(ErrorPosition::Original(at)) if self.secrets.is_empty() => Some(*at),
                _ => None,
            };
            text.push_str(&shown(renderer, &self.sql, at));
            if let Some(ErrorPosition::Internal { position, query }) = db.and_then(DbError::position) {
                text.push_str("in this statement, which a function executed:\n");
                text.push_str(&shown(renderer, query, Some(*position)));
            }
        }
        let db = self.cause.as_db_error();
        if let Some(source) = &self.asked_by {
            text.push_str(&format!("asked for at {source}\n"));
        }
        for (label, more) in [("detail", db.and_then(DbError::detail)), ("context", db.and_then(DbError::where_))] {
            if let Some(more) = more {
                text.push_str(&format!("{label}: {more}\n"));
            }
        }
        if let Some(why) = &self.unrecorded {
            text.push_str(&format!("the failure could not be recorded: {why}\n"));
        }
        text.truncate(text.trim_end().len());
        self.without_secrets(text)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.rendered(&Renderer::plain()))
    }
}

impl std::error::Error for Failure {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.cause)
    }
}

/// A statement with a caret where PostgreSQL pointed, or as it is.
fn shown(renderer: &Renderer, sql: &str, position: Option<u32>) -> String {
    let Some(span) = position.and_then(|position| span(sql, position)) else {
        let mut lines: Vec<String> = sql.lines().take(LINES).map(|line| format!("    {line}\n")).collect();
        if sql.lines().nth(LINES).is_some() {
            lines.push("    …\n".to_owned());
        }
        return lines.concat();
    };
    let snippet = Snippet::source(sql).annotation(AnnotationKind::Primary.span(span));
    let body = renderer.render(&[Group::with_level(Level::ERROR).element(snippet)]);
    format!("{body}\n")
}

/// The bytes of the word at a position that PostgreSQL gives in characters, from 1.
fn span(sql: &str, position: u32) -> Option<Range<usize>> {
    let skipped = usize::try_from(position).ok()?.checked_sub(1)?;
    let (start, first) = sql.char_indices().nth(skipped)?;
    let word = |c: char| c.is_alphanumeric() || c == '_';
    let length =
        if word(first) { sql[start..].find(|c| !word(c)).unwrap_or(sql.len() - start) } else { first.len_utf8() };
    Some(start..start + length)
}

#[cfg(test)]
mod tests {
    use super::span;

    #[test]
    fn a_position_in_characters_becomes_the_bytes_of_a_word() {
        let sql = "SELECT 'ä', wrong";
        assert_eq!(span(sql, 13).map(|span| &sql[span]), Some("wrong"));
        assert_eq!(span(sql, 8).map(|span| &sql[span]), Some("'"));
        assert_eq!(span(sql, 99), None);
        assert_eq!(span(sql, 0), None);
    }
}
