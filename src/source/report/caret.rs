//! What to point at in a statement.

use crate::source::cursor::Cursor;
use crate::source::roles::{Role, named};
use crate::source::statement::Statement;
use postgres::error::{DbError, SqlState};
use std::ops::Range;

/// The bytes of the file to point at: where PostgreSQL pointed, the name that its message speaks of, or the first words.
pub(super) fn find(statement: &Statement, error: &DbError, offset: Option<usize>) -> Range<usize> {
    if let Some(offset) = offset {
        return word(statement, offset);
    }
    let named = quoted(error.message()).and_then(|name| {
        let role = error.code() == &SqlState::UNDEFINED_OBJECT && error.message().starts_with("role ");
        if role { role_token(statement, &name) } else { name_tokens(statement, &name) }
    });
    named.unwrap_or_else(|| command(statement))
}

/// The token at a place, or one character of a body.
fn word(statement: &Statement, offset: usize) -> Range<usize> {
    let text = &statement.file.text;
    let end = text.len();
    let inside = statement.tokens.iter().find(|token| (token.start as usize..token.end as usize).contains(&offset));
    match inside {
        Some(token) if token.start as usize == offset => offset..token.end as usize,
        // Inside a string, say a routine's body: the word there.
        Some(_) => {
            let length = text[offset..].find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(0);
            let one = text[offset..].chars().next().map_or(0, char::len_utf8);
            offset..offset + length.max(one)
        }
        None => {
            let last = statement.span.end.min(end);
            if offset >= last { last_token(statement) } else { offset..last.min(offset + 1) }
        }
    }
}

/// PostgreSQL points behind the end of a statement that ends too early.
fn last_token(statement: &Statement) -> Range<usize> {
    statement.tokens.last().map_or(statement.span.clone(), |token| token.start as usize..token.end as usize)
}

/// The name in quotes in a message: `relation "app.users" does not exist`; functions and types come without quotes.
pub(super) fn quoted(message: &str) -> Option<String> {
    if let Some((_, rest)) = message.split_once('"') {
        return rest.split_once('"').map(|(name, _)| name.to_owned());
    }
    ["function ", "type ", "procedure ", "column "].iter().find_map(|kind| {
        let (_, rest) = message.split_once(kind)?;
        Some(rest.split([' ', '(']).next()?.to_owned())
    })
}

fn name_tokens(statement: &Statement, name: &str) -> Option<Range<usize>> {
    let cursor = statement.cursor();
    let last = name.split('(').next()?.rsplit('.').next()?;
    let found: Vec<usize> = (0..cursor.len()).filter(|at| cursor.from(*at).name().as_deref() == Some(last)).collect();
    let full = found.iter().find(|at| chain(cursor, **at) == name);
    let token = statement.tokens.get(*full.or(found.first())?)?;
    Some(token.start as usize..token.end as usize)
}

/// The names that end here, as messages write them.
fn chain(cursor: Cursor<'_>, at: usize) -> String {
    let mut start = at;
    while start >= 2 && cursor.text_at(start - 1) == "." {
        start -= 2;
    }
    cursor.from(start).names().join(".")
}

fn role_token(statement: &Statement, name: &str) -> Option<Range<usize>> {
    let named = named(statement).into_iter().find(|named| named.role == Role::Name(name.to_owned()))?;
    let token = statement.tokens.get(named.token)?;
    Some(token.start as usize..token.end as usize)
}

/// The words up to the statement's name.
fn command(statement: &Statement) -> Range<usize> {
    let last = statement.head.after.clamp(1, statement.tokens.len()) - 1;
    let end = statement.tokens.get(last).map_or(statement.span.end, |token| token.end as usize);
    let line = statement.file.text[statement.span.clone()]
        .find('\n')
        .map_or(statement.span.end, |at| statement.span.start + at);
    statement.span.start..end.min(line)
}
