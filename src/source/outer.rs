//! Statements about what stands beside the objects of the database: the server's roles, and the database itself.

use super::Source;
use super::class::Class;
use super::cursor::{Cursor, name_of, text_of};
use super::statement::{Location, Statement, Warning};
use crate::sql::ident;
use std::collections::{BTreeMap, BTreeSet};

/// What a statement beyond the objects of the database is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum About {
    /// A role, its settings, or who is a member of what.
    Roles,
    /// The database itself.
    Database,
    /// The server, or another database.
    Server,
}

/// What is managed beside the objects of a database, and where the statements are to be understood.
#[derive(Clone, Copy, Debug)]
pub struct Beside<'a> {
    /// Whether roles are.
    pub roles: bool,
    /// Whether the database itself is.
    pub database: bool,
    /// The database's name.
    pub name: &'a str,
    /// The role that connects.
    pub user: &'a str,
    /// The role that made the server's cluster.
    pub maker: &'a str,
}

/// The statements of a source about roles and the database, as a server understands them on which the database has its name.
#[derive(Debug, Default)]
pub struct Outer {
    /// The statements in the order in which they stand.
    pub statements: Vec<Apart>,
    /// The passwords that roles are given, as they are written; they are in no statement.
    pub passwords: BTreeMap<String, (String, Location)>,
    /// What is left out.
    pub warnings: Vec<Warning>,
}

/// A statement that stands apart from those about objects of the database.
#[derive(Debug)]
pub struct Apart {
    /// Its text, without a password.
    pub sql: String,
    /// What it is, for messages.
    pub title: String,
    /// Where it stands.
    pub location: Location,
}

/// Why a statement about a role or the database cannot be part of a desired state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// Where it stands.
    pub location: Location,
    /// Why not.
    pub why: String,
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.location, self.why)
    }
}

/// The name that stands for the database wherever it is applied.
const HERE: &str = "CURRENT_DATABASE";
/// Words for the role that connects.
const OWN: &[&str] = &["CURRENT_ROLE", "CURRENT_USER", "SESSION_USER"];
const ROLES: &[&str] = &["GROUP", "ROLE", "USER"];

/// What a statement beyond the database's objects is about.
pub(super) fn about(statement: &Statement) -> About {
    let head = &statement.head;
    match (head.verb.as_str(), head.kind) {
        ("ALTER", kind) if ROLES.contains(&kind) && for_everybody(statement) && in_database(statement).is_some() => {
            About::Database
        }
        ("CREATE" | "ALTER" | "DROP" | "COMMENT" | "SECURITY", kind) if ROLES.contains(&kind) => About::Roles,
        ("ALTER" | "COMMENT" | "SECURITY", "DATABASE") => About::Database,
        ("GRANT" | "REVOKE", _) => {
            let mut cursor = statement.cursor();
            match cursor.seek(&["ON", "TO", "FROM"]) {
                true if cursor.eat("ON") && cursor.is("DATABASE") => About::Database,
                true if !cursor.is_at(cursor.at.saturating_sub(1), "ON") => About::Roles,
                _ => About::Server,
            }
        }
        _ => About::Server,
    }
}

/// `ALTER ROLE ALL`
fn for_everybody(statement: &Statement) -> bool {
    statement.cursor().is_at(statement.head.after.saturating_sub(1), "ALL")
}

/// The token of the database in `ALTER ROLE … IN DATABASE …`.
fn in_database(statement: &Statement) -> Option<usize> {
    let mut cursor = statement.cursor().from(statement.head.after);
    (ROLES.contains(&statement.head.kind) && cursor.eat_all(&["IN", "DATABASE"])).then_some(cursor.at)
}

impl Source {
    /// The roles that the statements create.
    pub fn created_roles(&self) -> BTreeSet<String> {
        let created = self.statements.iter().filter(|statement| statement.head.is("CREATE", ROLES));
        created.filter_map(|statement| statement.head.name.first().cloned()).collect()
    }

    /// The statements about what is managed beside the objects of the database.
    ///
    /// # Errors
    /// Every statement that has no place in a desired state.
    pub fn outer(&self, beside: Beside<'_>) -> Result<Outer, Vec<Refusal>> {
        let created = self.created_roles();
        let mut reading = Reading { beside, created, outer: Outer::default(), refused: Vec::new() };
        for statement in self.statements.iter().filter(|statement| statement.class == Class::Beyond) {
            let managed = match about(statement) {
                About::Roles => beside.roles,
                About::Database => beside.database,
                About::Server => false,
            };
            if managed {
                reading.statement(statement);
            }
        }
        if reading.refused.is_empty() { Ok(reading.outer) } else { Err(reading.refused) }
    }
}

struct Reading<'a> {
    beside: Beside<'a>,
    created: BTreeSet<String>,
    outer: Outer,
    refused: Vec<Refusal>,
}

/// What is to be done with a statement.
enum Verdict {
    Run,
    LeaveOut(String),
    Refuse(String),
}

impl Reading<'_> {
    fn statement(&mut self, statement: &Statement) {
        let verdict = match about(statement) {
            About::Database => database(statement),
            _ => self.role(statement),
        };
        let (location, title) = (statement.location(), title(statement));
        match verdict {
            Verdict::LeaveOut(why) => {
                self.outer.warnings.push(Warning { location, message: format!("{title} is left out: {why}") });
            }
            Verdict::Refuse(why) => self.refused.push(Refusal { location, why: format!("{title}: {why}") }),
            Verdict::Run => match self.text(statement) {
                Ok(sql) => self.outer.statements.push(Apart { sql, title, location }),
                Err(refusal) => self.refused.push(refusal),
            },
        }
    }

    /// What becomes of a statement about roles.
    fn role(&self, statement: &Statement) -> Verdict {
        let head = &statement.head;
        let Some(name) = head.name.first().map(|name| self.own(name)) else { return Verdict::Run };
        let after = statement.cursor().from(head.after);
        if head.verb == "DROP" {
            return Verdict::LeaveOut("what is managed and not created goes by itself".to_owned());
        }
        if head.verb == "ALTER" && for_everybody(statement) {
            return Verdict::Refuse("this reaches every database of the server".to_owned());
        }
        if head.is("ALTER", &["GROUP"]) && after.is_any(&["ADD", "DROP"]) {
            return Verdict::Run;
        }
        if [self.beside.user, self.beside.maker].contains(&name) {
            return Verdict::LeaveOut(
                "the role that connects, and the one that made the cluster, stay as they are".into(),
            );
        }
        if !self.created.contains(name) {
            return Verdict::Refuse(format!("role {} is not created here, so that it is not managed", ident(name)));
        }
        unclear(after)
    }

    /// A name, or that of the role that connects where a word stands for it.
    fn own<'n>(&'n self, name: &'n str) -> &'n str {
        if OWN.iter().any(|word| word.eq_ignore_ascii_case(name)) { self.beside.user } else { name }
    }

    /// The text of a statement with the names that words stand for, without a password, and without who grants.
    fn text(&mut self, statement: &Statement) -> Result<String, Refusal> {
        let mut edits: BTreeMap<usize, (usize, String)> = BTreeMap::new();
        let refuse = |at: usize, why: String| {
            let start = statement.tokens.get(at).map_or(statement.span.start, |token| token.start as usize);
            Refusal { location: statement.file.location(start), why: format!("{}: {why}", title(statement)) }
        };
        for at in databases(statement) {
            let token = statement.tokens.get(at).copied();
            let name = token.and_then(|token| name_of(token, &statement.file.text)).unwrap_or_default();
            if statement.cursor().is_at(at, HERE) {
                edits.insert(at, (at + 1, ident(self.beside.name)));
            } else if name != self.beside.name {
                let here = ident(self.beside.name);
                let why = format!("the database is {here}, not {}; {HERE} stands for its name anywhere", ident(&name));
                return Err(refuse(at, why));
            }
        }
        let cursor = statement.cursor();
        for at in (1..cursor.len()).filter(|at| OWN.iter().any(|word| cursor.is_at(*at, word))) {
            edits.insert(at, (at + 1, ident(self.beside.user)));
        }
        if matches!(statement.head.verb.as_str(), "GRANT" | "REVOKE") {
            let mut by = cursor;
            if by.seek(&["GRANTED"]) {
                edits.retain(|at, _| *at < by.at || *at >= by.at + 3);
                edits.insert(by.at, (by.at + 3, String::new()));
            }
        }
        if matches!(statement.head.verb.as_str(), "CREATE" | "ALTER") && ROLES.contains(&statement.head.kind) {
            self.passwords(statement, &mut edits)
                .map_err(|at| refuse(at, "a password is a string constant, or NULL".to_owned()))?;
        }
        Ok(edited(statement, &edits))
    }

    /// Takes passwords out of a statement; the error is the token that should be one and is not.
    fn passwords(&mut self, statement: &Statement, edits: &mut BTreeMap<usize, (usize, String)>) -> Result<(), usize> {
        let mut cursor = statement.cursor().from(statement.head.after);
        while cursor.seek(&["PASSWORD"]) {
            let start = if cursor.is_at(cursor.at - 1, "ENCRYPTED") { cursor.at - 1 } else { cursor.at };
            cursor.advance();
            let written = cursor.token().and_then(|token| text_of(token, cursor.source()));
            match written {
                Some(text) => {
                    let name = statement.head.name.first().cloned().unwrap_or_default();
                    self.outer.passwords.insert(name, (text, statement.location()));
                }
                None if cursor.is("NULL") => {}
                None => return Err(cursor.at - 1),
            }
            cursor.advance();
            edits.insert(start, (cursor.at, String::new()));
        }
        Ok(())
    }
}

/// What becomes of a statement about the database.
fn database(statement: &Statement) -> Verdict {
    if statement.head.verb != "ALTER" {
        return Verdict::Run;
    }
    let after = statement.cursor().from(in_database(statement).map_or(statement.head.after, |at| at + 1));
    let options = ["ALLOW_CONNECTIONS", "TABLESPACE"].into_iter().find(|word| {
        // A parameter may be called so, too.
        after.has(word) && !after.is("SET") && !after.is("RESET")
    });
    if let Some(word) = options {
        return Verdict::Refuse(format!("{word} is not managed"));
    }
    if after.is("RENAME") || after.is("REFRESH") || after.is_all(&["SET", "TABLESPACE"]) {
        return Verdict::Refuse("this is done to a database, and not a part of what it is".to_owned());
    }
    unclear(after)
}

/// Refuses what means something else wherever it is executed.
fn unclear(after: Cursor<'_>) -> Verdict {
    if after.is("RENAME") {
        return Verdict::Refuse("create the role under its new name instead".to_owned());
    }
    let last = after.len().saturating_sub(2);
    if after.from(last).is_all(&["FROM", "CURRENT"]) {
        return Verdict::Refuse("FROM CURRENT depends on the session; write the value".to_owned());
    }
    Verdict::Run
}

/// The tokens that name databases.
fn databases(statement: &Statement) -> Vec<usize> {
    let head = &statement.head;
    if head.kind == "DATABASE" {
        return vec![head.after.saturating_sub(1)];
    }
    if let Some(at) = in_database(statement) {
        return vec![at];
    }
    let mut cursor = statement.cursor();
    let mut found = Vec::new();
    if matches!(head.verb.as_str(), "GRANT" | "REVOKE") && cursor.seek(&["ON"]) && cursor.is_all(&["ON", "DATABASE"]) {
        cursor.at += 2;
        while cursor.name().is_some() {
            found.push(cursor.at - 1);
            if !cursor.eat_mark(",") {
                break;
            }
        }
    }
    found
}

/// A statement with other text in the place of some of its tokens: where each piece starts, and where it ends.
fn edited(statement: &Statement, edits: &BTreeMap<usize, (usize, String)>) -> String {
    let start_of = |token: usize| statement.tokens.get(token).map(|token| token.start as usize);
    let mut out = String::new();
    let mut from = start_of(0).unwrap_or(statement.span.start);
    for (start, (end, text)) in edits {
        let until = start_of(*start).unwrap_or(statement.span.end);
        out.push_str(statement.file.text.get(from..until).unwrap_or_default());
        out.push_str(text);
        let last = end.checked_sub(1).and_then(|last| statement.tokens.get(last));
        from = last.map_or(statement.span.end, |token| token.end as usize);
    }
    out.push_str(statement.file.text.get(from..statement.span.end).unwrap_or_default());
    out.trim_end().to_owned()
}

/// A statement for messages; never all of it where it may hold a password.
pub(super) fn title(statement: &Statement) -> String {
    match statement.head.verb.as_str() {
        "GRANT" | "REVOKE" => statement.sql().split_whitespace().collect::<Vec<_>>().join(" "),
        _ => statement.title(),
    }
}

#[cfg(test)]
mod tests;
