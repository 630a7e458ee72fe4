//! Places inside the bodies of routines.

use super::cursor::text_of;
use super::statement::Statement;
use super::token::{Token, TokenKind};
use postgres::error::{DbError, ErrorPosition};

/// The string that holds a routine's body.
pub(super) fn token(statement: &Statement, body: &str) -> Option<Token> {
    let text = &statement.file.text;
    let strings = || statement.tokens.iter().filter(|token| matches!(token.kind, TokenKind::Text | TokenKind::Dollar));
    strings().find(|token| text_of(**token, text).as_deref() == Some(body)).or_else(|| last_resort(statement)).copied()
}

/// With escapes in it, the body is the string after AS.
fn last_resort(statement: &Statement) -> Option<&Token> {
    let mut cursor = statement.cursor().from(statement.head.after);
    cursor.seek(&["AS"]).then(|| statement.tokens.get(cursor.at + 1)).flatten()
}

/// The byte in the file that an error in a body points at.
pub(super) fn offset(statement: &Statement, body: &str, error: &DbError) -> Option<usize> {
    let token = token(statement, body)?;
    let at = match error.position() {
        Some(ErrorPosition::Internal { position, query }) => {
            let character = (*position as usize).saturating_sub(1);
            let inner = query.char_indices().nth(character).map_or(query.len(), |(at, _)| at);
            // What PostgreSQL parsed is the body, or an expression in it.
            body.find(query.as_str()).map(|start| start + inner)
        }
        _ => None,
    };
    let at = at.or_else(|| line(error.where_()?).map(|line| line_start(body, line)))?;
    Some(in_string(statement, token, at))
}

/// The line that a context speaks of: `compilation of PL/pgSQL function "f" near line 3`.
fn line(context: &str) -> Option<usize> {
    let (_, rest) = context.split_once("near line ")?;
    rest.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
}

fn line_start(body: &str, line: usize) -> usize {
    let start = body.split_inclusive('\n').take(line.saturating_sub(1)).map(str::len).sum::<usize>();
    let rest = body.get(start..).unwrap_or_default();
    start + (rest.len() - rest.trim_start().len())
}

/// Where a byte of a string's value stands in the file.
fn in_string(statement: &Statement, token: Token, at: usize) -> usize {
    let text = token.of(&statement.file.text);
    let start = token.start as usize;
    match token.kind {
        TokenKind::Dollar => start + text[1..].find('$').map_or(0, |tag| tag + 2) + at,
        _ => {
            let Some(open) = text.find('\'') else { return start };
            let mut value = 0;
            let mut chars = text[open + 1..].char_indices();
            while let Some((here, c)) = chars.next() {
                if value >= at {
                    return start + open + 1 + here;
                }
                // A quote is doubled in the file.
                if c == '\'' {
                    chars.next();
                }
                value += c.len_utf8();
            }
            start
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Error, read_text};
    use super::*;

    #[test]
    fn bytes_of_a_body_are_found_in_its_string() -> Result<(), Error> {
        for sql in ["CREATE FUNCTION f() AS $x$SELECT 'é'; WRONG$x$", "CREATE FUNCTION f() AS 'SELECT ''é''; WRONG'"]
        {
            let source = read_text("s.sql", sql)?;
            let statement = &source.statements[0];
            let body = "SELECT 'é'; WRONG";
            let found =
                token(statement, body).map(|token| in_string(statement, token, body.find("WRONG").unwrap_or(0)));
            assert_eq!(found, sql.find("WRONG"), "{sql}");
        }
        Ok(())
    }

    #[test]
    fn lines_of_a_context_are_counted_in_the_body() {
        assert_eq!(line("compilation of PL/pgSQL function \"f\" near line 3"), Some(3));
        assert_eq!(line_start("\nBEGIN\n  x;\nEND", 3), 9);
    }
}
