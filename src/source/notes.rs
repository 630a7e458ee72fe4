//! Options of columns that are PostgreSQL's own notes: newer minor versions keep a `pg_attver` for every column, pg_dump
//! writes it down, and older ones refuse it.

use std::ops::Range;

use super::cursor::Cursor;
use super::head::Head;

/// Where each option stands in `ALTER TABLE … ALTER COLUMN … SET (…)`, and whether it is such a note.
fn options(head: &Head, cursor: Cursor<'_>) -> Vec<(Range<usize>, bool)> {
    let mut inner = cursor.from(head.after);
    let set = head.verb == "ALTER" && inner.eat("ALTER") && {
        inner.eat("COLUMN");
        inner.name().is_some() && inner.eat("SET")
    };
    let elements = if set { inner.elements() } else { Vec::new() };
    let note = |at: usize| cursor.from(at).name().is_some_and(|name| name.starts_with("pg_"));
    elements.into_iter().map(|(start, end)| (start..end, note(start))).collect()
}

/// Whether a statement sets such notes and nothing else.
pub(super) fn only(head: &Head, cursor: Cursor<'_>) -> bool {
    let options = options(head, cursor);
    !options.is_empty() && options.iter().all(|(_, note)| *note)
}

/// Where the notes stand among other options.
pub(super) fn among(head: &Head, cursor: Cursor<'_>) -> Vec<Range<usize>> {
    options(head, cursor).into_iter().filter(|(_, note)| *note).map(|(range, _)| range).collect()
}
