//! The session settings that change what statements mean; they hold for a statement wherever it is loaded.

use super::cursor::{Cursor, text_of};
use crate::sql::literal;
use std::collections::BTreeMap;

/// Settings in force at one place of a file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Settings {
    /// How each setting is made, by the setting's name.
    set: BTreeMap<String, Setting>,
    /// Whether the file switched `check_function_bodies` off.
    pub(super) unchecked_bodies: bool,
    /// Whether the file switched `standard_conforming_strings` off.
    pub(super) backslash_escapes: bool,
    /// What settings made for one transaction were before it.
    local: BTreeMap<String, Option<Setting>>,
}

/// The statement that makes a setting, and its values as plain texts.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Setting {
    sql: String,
    values: Vec<String>,
}

/// What a SET statement did.
pub(super) enum Effect {
    /// This is no statement that sets anything.
    Other,
    /// Known, and kept if it matters.
    Done,
    /// A tablespace was named, which is not part of a database's state.
    Tablespace(String),
}

/// Settings that decide how names, constants and new tables are understood.
const KEPT: &[&str] = &[
    "array_nulls",
    "backslash_quote",
    "bytea_output",
    "datestyle",
    "default_table_access_method",
    "default_text_search_config",
    "default_toast_compression",
    "intervalstyle",
    "lc_monetary",
    "lc_numeric",
    "lc_time",
    "role",
    "search_path",
    "standard_conforming_strings",
    "timezone",
    "transform_null_equals",
    "xmlbinary",
    "xmloption",
];

/// A setting's name and new value as a statement says it.
struct Change {
    name: String,
    /// The statement that makes it; none to return to the session's own value.
    sql: Option<String>,
    /// The values as plain texts.
    values: Vec<String>,
    local: bool,
}

impl Settings {
    /// The statement that makes each setting, by the setting's name.
    pub(super) fn statements(&self) -> impl Iterator<Item = (&str, &str)> {
        self.set.iter().map(|(name, setting)| (name.as_str(), setting.sql.as_str()))
    }

    /// The role that statements run as, when the file sets it.
    pub(super) fn role(&self) -> Option<&str> {
        self.set.get("role").and_then(|setting| setting.values.first()).map(String::as_str)
    }

    /// The schemas of search_path, when the file sets it.
    pub(super) fn search_path(&self) -> Option<&[String]> {
        self.set.get("search_path").map(|setting| setting.values.as_slice())
    }

    /// Takes over what `SET`, `RESET`, `set_config` or the end of a transaction changes.
    pub(super) fn apply(&mut self, cursor: Cursor<'_>, sql: &str) -> Effect {
        if cursor.is_any(&["COMMIT", "END", "ROLLBACK", "ABORT"]) {
            self.end_transaction();
            return Effect::Other;
        }
        if cursor.is("DISCARD") || cursor.is_all(&["RESET", "ALL"]) {
            // The role stays on `RESET ALL`; nobody writes it into a schema file to rely on that.
            *self = Self::default();
            return Effect::Done;
        }
        let change = match cursor.text().to_ascii_uppercase().as_str() {
            "SET" => read_set(cursor, sql),
            "RESET" => read_reset(cursor),
            "SELECT" => read_set_config(cursor),
            _ => return Effect::Other,
        };
        match change {
            Some(change) => self.change(change),
            None if cursor.is("SELECT") => Effect::Other,
            None => Effect::Done,
        }
    }

    fn change(&mut self, change: Change) -> Effect {
        let value = change.values.first().map_or("", String::as_str);
        let off = change.sql.is_some() && ["off", "false", "no", "0"].contains(&value.to_ascii_lowercase().as_str());
        match change.name.as_str() {
            "check_function_bodies" => self.unchecked_bodies = off,
            "default_tablespace" if !value.is_empty() => return Effect::Tablespace(value.to_owned()),
            "standard_conforming_strings" => self.backslash_escapes = off,
            _ => {}
        }
        if !change.name.contains('.') && KEPT.binary_search(&change.name.as_str()).is_err() {
            return Effect::Done;
        }
        let before = self.set.get(&change.name).cloned();
        if change.local {
            self.local.entry(change.name.clone()).or_insert(before);
        } else {
            self.local.remove(&change.name);
        }
        let mut values = change.values;
        values.retain(|value| !value.is_empty());
        self.put(change.name, change.sql.map(|sql| Setting { sql, values }));
        Effect::Done
    }

    fn put(&mut self, name: String, setting: Option<Setting>) {
        match setting {
            Some(setting) => self.set.insert(name, setting),
            None => self.set.remove(&name),
        };
    }

    fn end_transaction(&mut self) {
        for (name, setting) in std::mem::take(&mut self.local) {
            self.put(name, setting);
        }
    }
}

/// `SET [SESSION | LOCAL] name { TO | = } value, …` and its special forms.
fn read_set(mut cursor: Cursor<'_>, sql: &str) -> Option<Change> {
    cursor.advance();
    let local = cursor.eat("LOCAL");
    if cursor.eat_all(&["SESSION", "AUTHORIZATION"]) {
        return Some(read_role(cursor, local));
    }
    if cursor.is_all(&["SESSION", "CHARACTERISTICS"]) || cursor.is_any(&["TRANSACTION", "CONSTRAINTS"]) {
        return None;
    }
    cursor.eat("SESSION");
    if cursor.eat("ROLE") {
        return Some(read_role(cursor, local));
    }
    let name = if cursor.eat_all(&["TIME", "ZONE"]) {
        "timezone".to_owned()
    } else if cursor.eat_all(&["XML", "OPTION"]) {
        "xmloption".to_owned()
    } else if cursor.eat("SCHEMA") {
        "search_path".to_owned()
    } else {
        let name = cursor.names().join(".");
        cursor.advance();
        name
    };
    let default = cursor.is_any(&["DEFAULT"]) || name == "timezone" && cursor.is("LOCAL");
    let sql = if local { plain(cursor) } else { sql.to_owned() };
    Some(Change { name, sql: (!default).then_some(sql), values: values(cursor), local })
}

/// A setting of one transaction is repeated for each statement, so it is made for the session: without `LOCAL`, which is
/// the second word.
fn plain(cursor: Cursor<'_>) -> String {
    let written = |at: usize| cursor.from(at).token().map_or(0, |token| token.start as usize);
    let end = cursor.from(cursor.len().saturating_sub(1)).token().map_or(0, |token| token.end as usize);
    format!("SET {}", &cursor.source()[written(2)..end])
}

/// `SET SESSION AUTHORIZATION` needs superuser and has the same effect on what is created.
fn read_role(cursor: Cursor<'_>, local: bool) -> Change {
    let values = values(cursor);
    let none = cursor.is_any(&["NONE", "DEFAULT"]);
    let sql = values.first().filter(|_| !none).map(|role| format!("SET ROLE {}", crate::sql::ident(role)));
    Change { name: "role".to_owned(), sql, values, local }
}

fn read_reset(mut cursor: Cursor<'_>) -> Option<Change> {
    cursor.advance();
    let name = if cursor.eat_all(&["SESSION", "AUTHORIZATION"]) {
        "role".to_owned()
    } else if cursor.is_all(&["TIME", "ZONE"]) {
        "timezone".to_owned()
    } else {
        cursor.names().join(".")
    };
    Some(Change { name, sql: None, values: Vec::new(), local: false })
}

/// `SELECT [pg_catalog.]set_config('name', 'value', false)` and nothing else.
fn read_set_config(mut cursor: Cursor<'_>) -> Option<Change> {
    let text = |cursor: &mut Cursor<'_>| {
        let value = cursor.token().and_then(|token| text_of(token, cursor.source()));
        cursor.advance();
        value
    };
    cursor.advance();
    let called = cursor.names();
    // Another schema may have a function of that name, which is nobody's setting.
    let known = called == ["set_config"] || called == ["pg_catalog", "set_config"];
    if !known || !cursor.eat_mark("(") {
        return None;
    }
    let name = text(&mut cursor)?.to_ascii_lowercase();
    let value = cursor.eat_mark(",").then(|| text(&mut cursor))??;
    let local = cursor.eat_mark(",") && cursor.eat("true");
    if !local && !cursor.eat("false") || !cursor.eat_mark(")") || !cursor.done() {
        return None;
    }
    let values = match name.as_str() {
        "search_path" => value.split(',').map(|part| part.trim().trim_matches('"').to_owned()).collect(),
        _ => vec![value.clone()],
    };
    let sql = format!("SELECT pg_catalog.set_config({}, {}, false)", literal(&name), literal(&value));
    Some(Change { name, sql: Some(sql), values, local })
}

/// Names, texts and numbers up to the end.
fn values(mut cursor: Cursor<'_>) -> Vec<String> {
    let mut out = Vec::new();
    while let Some(token) = cursor.token() {
        if let Some(text) = text_of(token, cursor.source()) {
            out.push(text);
            cursor.advance();
        } else if let Some(name) = cursor.name() {
            out.push(name);
        } else {
            if !cursor.is_mark(",") {
                out.push(cursor.text().to_owned());
            }
            cursor.advance();
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::super::{Error, read_text};

    /// The settings at the end of a file.
    fn settings(sql: &str) -> Result<Vec<String>, Error> {
        let source = read_text("s.sql", &format!("{sql}; CREATE TABLE last ()"))?;
        let last = source.statements.last().map(|statement| statement.settings.clone()).unwrap_or_default();
        Ok(last.statements().map(|(name, sql)| format!("{name}: {sql}")).collect())
    }

    #[test]
    fn what_changes_the_meaning_of_statements_is_kept() -> Result<(), Error> {
        assert_eq!(
            settings("SET search_path TO a, b; SET lock_timeout = 0; SET client_encoding = 'UTF8'")?,
            ["search_path: SET search_path TO a, b"]
        );
        assert_eq!(
            settings("SELECT set_config('search_path', 'a, \"B\"', false)")?,
            ["search_path: SELECT pg_catalog.set_config('search_path', 'a, \"B\"', false)"]
        );
        assert_eq!(
            settings("SET SESSION AUTHORIZATION 'joe'; SET app.tenant = 1; SET LOCAL TIME ZONE 'UTC'")?,
            ["app.tenant: SET app.tenant = 1", "role: SET ROLE joe", "timezone: SET TIME ZONE 'UTC'",]
        );
        assert_eq!(settings("SET default_table_access_method = heap; SET XML OPTION document")?.len(), 2);
        Ok(())
    }

    #[test]
    fn settings_end_where_the_file_ends_them() -> Result<(), Error> {
        for sql in ["SET xmloption = content; RESET xmloption", "SET role x; RESET ROLE", "SET role x; SET ROLE NONE"] {
            assert_eq!(settings(sql)?, [""; 0], "{sql}");
        }
        assert_eq!(
            settings("SET search_path = a; BEGIN; SET LOCAL search_path = b; COMMIT")?,
            ["search_path: SET search_path = a"]
        );
        assert_eq!(settings("SET search_path = a; DISCARD ALL")?, [""; 0]);
        Ok(())
    }

    #[test]
    fn a_function_that_only_looks_like_a_setting_is_none() -> Result<(), Error> {
        assert_eq!(settings("SELECT evil.set_config('search_path', 'a', false)")?, [""; 0]);
        assert_eq!(settings("SELECT set_config('search_path', evil(), false)")?, [""; 0]);
        Ok(())
    }
}
