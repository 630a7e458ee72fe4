//! Orders that names do not show: statements about the same object, and statements whose position matters to all.

use super::graph::{BARRIER, Edge, NEEDS, SAME_OBJECT};
use super::refs::Refs;
use crate::source::class::Class;
use crate::source::statement::Statement;
use std::collections::BTreeMap;

/// Keeps statements about the same object in their order; what makes it comes first, unless something takes it away.
pub(super) fn chains(refs: &[Refs], statements: &[&Statement], edges: &mut Vec<Edge>) {
    let mut about: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (unit, refs) in refs.iter().enumerate() {
        for subject in &refs.subjects {
            about.entry(subject).or_default().push(unit);
        }
    }
    let mut link = |units: &[usize], strength| {
        edges.extend(units.windows(2).map(|pair| Edge { from: pair[0], to: pair[1], strength }));
    };
    for units in about.values() {
        if units.iter().any(|unit| takes_away(statements[*unit])) {
            link(units, NEEDS);
        } else {
            let (makers, others): (Vec<_>, Vec<_>) =
                units.iter().partition(|unit| statements[**unit].head.verb == "CREATE");
            link(&makers, SAME_OBJECT);
            link(&others, SAME_OBJECT);
        }
    }
}

fn takes_away(statement: &Statement) -> bool {
    let cursor = statement.cursor().from(statement.head.after);
    statement.head.verb == "DROP"
        || statement.head.verb == "ALTER" && (cursor.is_all(&["RENAME", "TO"]) || cursor.is_all(&["SET", "SCHEMA"]))
}

/// Keeps what acts on everything that is there, or on everything that comes after, in its place.
pub(super) fn barriers(statements: &[&Statement], edges: &mut Vec<Edge>) {
    let mut last = None;
    let mut since = Vec::new();
    let mut edge = |from, to| edges.push(Edge { from, to, strength: BARRIER });
    for (unit, statement) in statements.iter().enumerate() {
        if let Some(barrier) = last {
            edge(barrier, unit);
        }
        if acts_on_all(statement) {
            since.drain(..).for_each(|before| edge(before, unit));
            last = Some(unit);
        } else {
            since.push(unit);
        }
    }
}

fn acts_on_all(statement: &Statement) -> bool {
    let head = &statement.head;
    match head.verb.as_str() {
        _ if statement.class == Class::Call => true,
        "GRANT" | "REVOKE" => {
            let mut cursor = statement.cursor();
            cursor.seek(&["ON"]) && cursor.is_at(cursor.at + 1, "ALL")
        }
        "REASSIGN" => true,
        "DROP" => statement.cursor().is_at(1, "OWNED"),
        _ => head.kind == "DEFAULT PRIVILEGES",
    }
}
