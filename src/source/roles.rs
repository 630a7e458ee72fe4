//! The roles, schemas and versions that statements name.

use super::class::Class;
use super::cursor::Cursor;
use super::outer::{About, about};
use super::statement::{Location, Statement};
use super::{Source, token::TokenKind};
use std::collections::{BTreeMap, BTreeSet};

/// A role that a statement names, with the index of the token that does.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Named {
    pub(super) role: Role,
    pub(super) token: usize,
}

/// Who is named.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Role {
    Name(String),
    Public,
    /// `CURRENT_USER` and the like.
    Own,
}

impl Source {
    /// The roles that the statements name, each with the place where it is named first.
    ///
    /// Roles that only statements beyond the database name, such as `CREATE ROLE`, are not among them.
    pub fn roles(&self) -> BTreeMap<String, Location> {
        let mut out = BTreeMap::new();
        for statement in self.statements.iter().filter(|statement| statement.class != Class::Beyond) {
            for Named { role, token } in named(statement) {
                if let Role::Name(name) = role
                    && !out.contains_key(&name)
                {
                    let start = statement.tokens.get(token).map_or(statement.span.start, |token| token.start as usize);
                    out.insert(name, statement.file.location(start));
                }
            }
        }
        out
    }

    /// The names of [`Source::roles`], and an empty one when PUBLIC is granted or refused something; those that the
    /// statements create, where `roles` are managed, and what those about the `database` name, where that is.
    pub fn named_roles(&self, roles: bool, database: bool) -> BTreeSet<String> {
        let mut out: BTreeSet<String> = self.roles().into_keys().collect();
        if roles {
            out.extend(self.created_roles());
        }
        for statement in &self.statements {
            let beyond = statement.class == Class::Beyond;
            let counts = if beyond { database && about(statement) == About::Database } else { grants(statement) };
            out.extend(named(statement).into_iter().filter(|_| counts).filter_map(|named| match named.role {
                Role::Public => Some(String::new()),
                Role::Name(name) if beyond => Some(name),
                Role::Name(_) | Role::Own => None,
            }));
        }
        out
    }

    /// The extensions of which the statements name a version.
    pub fn extension_versions(&self) -> BTreeSet<String> {
        let names_one = |statement: &&Statement| {
            let mut cursor = statement.cursor();
            cursor.at = statement.head.after;
            match statement.head.verb.as_str() {
                "CREATE" => {
                    while cursor.seek(&["SCHEMA", "VERSION"]) && cursor.eat("SCHEMA") {
                        cursor.advance();
                    }
                    cursor.is("VERSION")
                }
                "ALTER" => cursor.eat("UPDATE") && cursor.eat("TO"),
                _ => false,
            }
        };
        let of_extensions = self.statements.iter().filter(|statement| statement.head.kind == "EXTENSION");
        of_extensions.filter(names_one).filter_map(|statement| statement.head.name.first().cloned()).collect()
    }

    /// The schemas that the statements create.
    pub fn schemas(&self) -> BTreeSet<String> {
        let created = self.statements.iter().filter(|statement| statement.head.is("CREATE", &["SCHEMA"]));
        created.filter_map(|statement| statement.head.name.first().cloned()).collect()
    }
}

fn grants(statement: &Statement) -> bool {
    matches!(statement.head.verb.as_str(), "GRANT" | "REVOKE") || statement.head.kind == "DEFAULT PRIVILEGES"
}

/// The roles that a statement names.
pub(super) fn named(statement: &Statement) -> Vec<Named> {
    let mut out = Vec::new();
    let head = &statement.head;
    let mut cursor = statement.cursor();
    if statement.class == Class::Beyond && about(statement) != About::Database {
        return out;
    }
    match (head.verb.as_str(), head.kind) {
        ("GRANT" | "REVOKE", _) => grantees(cursor, &mut out),
        ("ALTER", "DEFAULT PRIVILEGES") => {
            cursor.at = head.after;
            if cursor.eat("FOR") {
                cursor.advance();
                list(&mut cursor, &mut out);
            }
            if cursor.seek(&["GRANT", "REVOKE"]) {
                grantees(cursor, &mut out);
            }
        }
        ("CREATE", "SCHEMA") => after_word(cursor, "AUTHORIZATION", &mut out),
        ("CREATE" | "ALTER", "POLICY") => {
            cursor.at = head.after;
            if cursor.seek(&["TO", "USING", "WITH"]) && cursor.is("TO") && !cursor.from(cursor.at - 1).is("RENAME") {
                after(cursor, &mut out);
            }
        }
        ("CREATE" | "ALTER" | "DROP", "USER MAPPING") => after_word(cursor, "FOR", &mut out),
        ("ALTER", _) => {
            while cursor.seek(&["OWNER"]) {
                cursor.advance();
                if cursor.is("TO") {
                    after(cursor, &mut out);
                }
            }
        }
        ("REASSIGN" | "DROP", "") => {
            while cursor.seek(&["BY", "TO"]) {
                cursor.advance();
                list(&mut cursor, &mut out);
            }
        }
        ("SET", _) => {
            cursor.advance();
            let _ = cursor.eat("LOCAL") || cursor.is_all(&["SESSION", "ROLE"]) && cursor.eat("SESSION");
            let sets = cursor.eat("ROLE") || cursor.eat_all(&["SESSION", "AUTHORIZATION"]);
            if sets && !cursor.is_any(&["NONE", "DEFAULT"]) {
                list(&mut cursor, &mut out);
            }
        }
        _ => {}
    }
    out
}

fn grantees(mut cursor: Cursor<'_>, out: &mut Vec<Named>) {
    let word = if cursor.is("GRANT") { "TO" } else { "FROM" };
    if cursor.seek(&["ON"]) && cursor.seek(&[word]) {
        cursor.advance();
        list(&mut cursor, out);
        if cursor.seek(&["GRANTED"]) {
            cursor.advance();
            after(cursor, out);
        }
    }
}

/// The roles after a keyword, if it stands anywhere.
fn after_word(mut cursor: Cursor<'_>, word: &str, out: &mut Vec<Named>) {
    if cursor.seek(&[word]) {
        after(cursor, out);
    }
}

/// The roles after the keyword here.
fn after(mut cursor: Cursor<'_>, out: &mut Vec<Named>) {
    cursor.advance();
    list(&mut cursor, out);
}

fn list(cursor: &mut Cursor<'_>, out: &mut Vec<Named>) {
    loop {
        if cursor.is("GROUP") && cursor.from(cursor.at + 1).kind().is_some_and(|kind| kind != TokenKind::Mark) {
            cursor.advance();
        }
        let token = cursor.at;
        let own = cursor.is_any(&["CURRENT_USER", "CURRENT_ROLE", "SESSION_USER", "USER"]);
        let written = cursor.token().filter(|token| token.kind == TokenKind::Text);
        let Some(name) =
            written.and_then(|token| super::cursor::text_of(token, cursor.source())).or_else(|| cursor.name())
        else {
            return;
        };
        if written.is_some() {
            cursor.advance();
        }
        let role = match name.as_str() {
            // Quoted, too, this is everybody.
            "public" => Role::Public,
            _ if own => Role::Own,
            _ => Role::Name(name),
        };
        out.push(Named { role, token });
        if !cursor.eat_mark(",") {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Error, read_text};

    #[test]
    fn roles_are_found_wherever_they_can_stand() -> Result<(), Error> {
        let source = read_text(
            "s.sql",
            "GRANT SELECT (a, b), UPDATE ON t TO r1, GROUP r2 WITH GRANT OPTION GRANTED BY r3;
             REVOKE ALL ON FUNCTION f(\"to\" int) FROM \"R 4\", PUBLIC CASCADE;
             ALTER TABLE t ADD COLUMN owner text, OWNER TO r5;
             CREATE SCHEMA s AUTHORIZATION r6;
             CREATE POLICY p ON t FOR ALL TO r7, CURRENT_USER USING (a = 'TO x');
             ALTER POLICY p ON t RENAME TO no;
             ALTER DEFAULT PRIVILEGES FOR ROLE r8, r9 IN SCHEMA s GRANT ALL ON TABLES TO r10;
             SET ROLE r11; SET SESSION AUTHORIZATION 'r12'; SET LOCAL ROLE NONE; SET search_path = role;
             CREATE USER MAPPING FOR r13 SERVER s; CREATE USER MAPPING FOR PUBLIC SERVER s;
             REASSIGN OWNED BY r14 TO r15; DROP OWNED BY r16;
             GRANT no TO no; CREATE ROLE no; ALTER TABLE t RENAME TO no;
             GRANT EXECUTE ON FUNCTION f(int) TO SESSION_USER, r1",
        )?;
        let roles = source.roles();
        let mut names: Vec<_> = roles.keys().map(String::as_str).collect();
        names.sort_by_key(|name| (name.len(), *name));
        let expected =
            ["r1", "r2", "r3", "r5", "r6", "r7", "r8", "r9", "R 4", "r10", "r11", "r12", "r13", "r14", "r15", "r16"];
        assert_eq!(names, expected);
        assert_eq!(roles.get("r1").map(ToString::to_string).as_deref(), Some("s.sql:1:37"));
        assert!(source.named_roles(false, false).contains(""));
        assert!(!source.named_roles(false, false).contains("no"));
        assert!(source.named_roles(true, false).contains("no"));
        let of_database = read_text(
            "s.sql",
            "REVOKE CONNECT ON DATABASE d FROM PUBLIC; GRANT TEMP ON DATABASE d TO r1; ALTER DATABASE d OWNER TO r2",
        )?;
        assert!(of_database.named_roles(true, false).is_empty());
        assert_eq!(of_database.named_roles(false, true), ["", "r1", "r2"].map(str::to_owned).into());
        assert!(source.schemas().contains("s"));
        let extensions =
            "CREATE EXTENSION a VERSION '1'; CREATE EXTENSION IF NOT EXISTS \"B\" WITH SCHEMA s VERSION \"2\";
            CREATE EXTENSION c SCHEMA version; ALTER EXTENSION d UPDATE TO '3'; ALTER EXTENSION e UPDATE";
        assert_eq!(read_text("s.sql", extensions)?.extension_versions(), ["B", "a", "d"].map(str::to_owned).into());
        let granted = read_text("s.sql", "CREATE POLICY p ON t TO PUBLIC; GRANT ALL ON t TO a")?;
        assert_eq!(granted.named_roles(true, true), ["a".to_owned()].into());
        Ok(())
    }
}
