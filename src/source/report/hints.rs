//! What we know better than PostgreSQL, which sees one statement and not the files.

use super::caret::quoted;
use super::suggest::closest;
use crate::source::load::Refused;
use crate::source::parts::{What, parts};
use crate::source::statement::Statement;
use crate::source::{Class, Source};
use postgres::error::SqlState;

/// Our hints about a statement that failed.
pub(super) fn ours(source: &Source, at: usize, refused: &Refused) -> Vec<String> {
    let message = refused.error.message();
    let code = refused.error.code();
    let name = quoted(message).unwrap_or_default();
    let mut hints = Vec::new();
    if code == &SqlState::UNDEFINED_OBJECT && message.starts_with("role ") {
        hints.push(format!(
            "no database role is called {name}: create it on the target, or take it out of the files{}",
            maybe(closest(&name, source.roles().into_keys().filter(|other| *other != name)))
        ));
    } else if code == &SqlState::INVALID_SCHEMA_NAME {
        hints.push(format!(
            "add CREATE SCHEMA {}{}",
            crate::sql::ident(&name),
            maybe(closest(&name, source.schemas()))
        ));
    } else if [SqlState::UNDEFINED_TABLE, SqlState::UNDEFINED_FUNCTION, SqlState::UNDEFINED_OBJECT].contains(code) {
        hints.extend(
            closest(&name, made(source, message, name.contains('.'))).map(|other| format!("did you mean {other}?")),
        );
        hints.extend(brought_by(&name).map(|extension| format!("CREATE EXTENSION {extension} brings it")));
    } else if code == &SqlState::UNDEFINED_COLUMN && refused.error.hint().is_none() {
        hints.extend(
            closest(name.rsplit('.').next().unwrap_or(&name), columns(source))
                .map(|other| format!("did you mean {other}?")),
        );
    } else if [
        SqlState::DUPLICATE_TABLE,
        SqlState::DUPLICATE_OBJECT,
        SqlState::DUPLICATE_SCHEMA,
        SqlState::DUPLICATE_FUNCTION,
    ]
    .contains(code)
    {
        hints.extend(twin(source, at).map(|other| format!("it is made at {} too", other.location())));
    } else if let Some(hint) = lacking(message) {
        hints.push(hint);
    } else if code == &SqlState::OUT_OF_MEMORY || message.contains("shared memory") {
        hints.push("raise max_locks_per_transaction on the scratch server".to_owned());
    } else if code == &SqlState::SYNTAX_ERROR && has_variable(&source.statements[at]) {
        hints.push("variables of psql (:name) are not replaced".to_owned());
    }
    if let Some(why) = &refused.not_lent {
        hints.push(format!(
            "the files are loaded without superuser, which is lent to named kinds of DDL only; not here: {why}. \
             `engine.trust: full` in reconcile.yaml lifts this for files that you trust"
        ));
    }
    hints
}

/// What to do where PostgreSQL says that the scratch server lacks an extension, or the provider of a security label.
pub fn lacking(message: &str) -> Option<String> {
    if message.starts_with("extension ") && message.ends_with(" is not available") {
        let name = quoted(message).unwrap_or_default();
        return Some(format!(
            "install the package that brings extension {name} beside the scratch server's PostgreSQL, or name a server \
             that has it: --engine URL"
        ));
    }
    // It does not say in which library the provider is.
    let provider = message.starts_with("security label provider ") && message.ends_with(" is not loaded")
        || message.starts_with("no security label providers ");
    provider.then(|| {
        "name the library of the label provider, which the scratch server's PostgreSQL must be able to load, in \
         reconcile.yaml: engine: {preload: [LIBRARY]}; or name a server that has it: --engine URL"
            .to_owned()
    })
}

/// The extension that a type or a function is known from.
fn brought_by(name: &str) -> Option<&'static str> {
    let last = name.rsplit('.').next().unwrap_or(name);
    let (_, extension) = KNOWN.iter().find(|(known, _)| known.contains(&last))?;
    Some(extension)
}

const KNOWN: &[(&[&str], &str)] = &[
    (&["citext"], "citext"),
    (&["cube"], "cube"),
    (&["geography", "geometry", "st_distance", "st_makepoint"], "postgis"),
    (&["crypt", "digest", "gen_random_bytes", "gen_salt", "hmac"], "pgcrypto"),
    (&["gin_trgm_ops", "gist_trgm_ops", "similarity"], "pg_trgm"),
    (&["hstore"], "hstore"),
    (&["levenshtein", "soundex"], "fuzzystrmatch"),
    (&["ltree", "lquery"], "ltree"),
    (&["unaccent"], "unaccent"),
    (&["uuid_generate_v1", "uuid_generate_v4"], "\"uuid-ossp\""),
    (&["halfvec", "sparsevec", "vector"], "vector"),
];

fn maybe(other: Option<String>) -> String {
    other.map(|other| format!("; did you mean {other}?")).unwrap_or_default()
}

/// The names of that kind that the files make, as messages write them.
fn made(source: &Source, message: &str, qualified: bool) -> Vec<String> {
    let routine = message.starts_with("function ") || message.starts_with("procedure ");
    let fits = |statement: &&Statement| {
        let is_routine = matches!(statement.head.kind, "FUNCTION" | "PROCEDURE" | "AGGREGATE");
        statement.class == Class::Definition && statement.head.verb == "CREATE" && is_routine == routine
    };
    let names = source.statements.iter().filter(fits).map(|statement| &statement.head.name);
    names.filter_map(|name| if qualified { Some(name.join(".")) } else { name.last().cloned() }).collect()
}

fn columns(source: &Source) -> Vec<String> {
    let parts = source.statements.iter().flat_map(parts);
    parts.filter_map(|part| if let What::Column(name) = part.what { Some(name) } else { None }).collect()
}

/// Another statement that makes the same object.
fn twin(source: &Source, at: usize) -> Option<&Statement> {
    let head = &source.statements[at].head;
    if head.name.is_empty() {
        return None;
    }
    let others = source.statements.iter().enumerate().filter(|(other, _)| *other != at).map(|(_, other)| other);
    others.into_iter().find(|other| {
        other.head.verb == "CREATE"
            && other.head.kind == head.kind
            && other.head.name == head.name
            && other.head.on == head.on
    })
}

fn has_variable(statement: &Statement) -> bool {
    let cursor = statement.cursor();
    (1..cursor.len()).any(|at| {
        let text = cursor.text_at(at);
        cursor.text_at(at - 1) == ":" && text.starts_with(|c: char| c.is_alphabetic() || matches!(c, '\'' | '"'))
    })
}
