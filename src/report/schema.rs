//! What a database holds, as text: one schema.sql, or one file per object.

use std::collections::BTreeMap;

use crate::{
    catalog::{Catalog, ObjectId, Tie},
    plan::{Draft, Planned},
};

/// The first words of every file that is written here.
pub const MARK: &str = "-- Made by reconcile inspect";

/// A file's text, with the settings under which its statements may stand in any order that PostgreSQL accepts.
fn headed(catalog: &Catalog, body: &str) -> String {
    let server = &catalog.server;
    // As pg_dump does: a body may refer to what comes later in the file.
    let settings = "SET check_function_bodies = false;";
    format!("{MARK} from {} on PostgreSQL {}\n\n{settings}\n{body}", server.database.escape_default(), server.major)
}

/// Everything as one schema.sql, in dependency order.
pub fn schema(catalog: &Catalog, draft: &Draft) -> String {
    let mut body = String::new();
    let mut last = None;
    for step in &draft.steps {
        let owner = about(step).map(|id| owner(catalog, id));
        append(&mut body, step, last == owner && last.is_some());
        last = owner;
    }
    headed(catalog, &body)
}

/// Everything as one file per object, by its path: what belongs to a table stands in the table's file.
pub fn files(catalog: &Catalog, draft: &Draft) -> BTreeMap<String, String> {
    let mut bodies: BTreeMap<String, String> = BTreeMap::new();
    // Names that differ in case alone are one file on some file systems.
    let mut spelled: BTreeMap<String, String> = BTreeMap::new();
    for step in &draft.steps {
        let path = about(step).map_or_else(|| "other.sql".to_owned(), |id| path(owner(catalog, id)));
        let path = spelled.entry(path.to_lowercase()).or_insert(path);
        let body = bodies.entry(path.clone()).or_default();
        append(body, step, false);
    }
    bodies.into_iter().map(|(path, body)| (path, headed(catalog, &body))).collect()
}

fn about(step: &Planned) -> Option<&ObjectId> {
    step.creates.iter().chain(&step.changes).chain(&step.destroys).next()
}

/// Adds a statement; `close` puts one-line statements about the same object side by side.
fn append(body: &mut String, step: &Planned, close: bool) {
    let sql = &step.step.sql;
    if !close || sql.contains('\n') {
        body.push('\n');
    }
    body.push_str(sql);
    body.push_str(";\n");
}

/// The object that an object is about, or to which it belongs, followed to its end.
fn owner<'a>(catalog: &'a Catalog, id: &'a ObjectId) -> &'a ObjectId {
    let mut id = id.root();
    // Ties that led in a circle could not have been ordered, but this must end in any case.
    for _ in 0..8 {
        let above = catalog.referenced(id).find(|(_, tie)| matches!(tie, Tie::Belongs | Tie::Owned));
        match above {
            Some((above, _)) => id = above.root(),
            None => break,
        }
    }
    id
}

/// `app/table/users.sql`, `extension/citext.sql`.
fn path(id: &ObjectId) -> String {
    let kind = id.kind.keyword().to_lowercase().replace(' ', "_");
    let name = plain(id.name());
    match &*id.names {
        // The database itself.
        [] => format!("{kind}.sql"),
        [schema, _, ..] => format!("{}/{kind}/{name}.sql", plain(schema)),
        _ => format!("{kind}/{name}.sql"),
    }
}

/// A name that every file system takes: what is not a letter, a digit or one of `_-` becomes `%` and digits.
fn plain(name: &str) -> String {
    let mut out = String::new();
    for c in name.chars() {
        if c.is_alphanumeric() || matches!(c, '_' | '-') {
            out.push(c);
        } else {
            c.encode_utf8(&mut [0; 4]).bytes().for_each(|byte| out.push_str(&format!("%{byte:02X}")));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::plain;

    #[test]
    fn names_become_file_names() {
        assert_eq!(plain("users"), "users");
        assert_eq!(plain("../Größe/ü"), "%2E%2E%2FGröße%2Fü");
        assert_eq!(plain("a.b c"), "a%2Eb%20c");
    }
}
