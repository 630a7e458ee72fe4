//! The start of a statement: its verb, the kind of object that it is about, and that object's name.

use super::cursor::Cursor;
use super::token::TokenKind;

/// What the first words of a statement say; a statement of another form has a verb and nothing more.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Head {
    /// The first word: `CREATE`.
    pub(super) verb: String,
    /// The kind of object, without what may stand around it: `TABLE` for `CREATE UNLOGGED TABLE IF NOT EXISTS`.
    pub(super) kind: &'static str,
    /// The object's name, with its schema where one is written.
    pub(super) name: Vec<String>,
    /// The table that a trigger, policy, rule, index or constraint is on.
    pub(super) on: Vec<String>,
    /// The index of the first token after the name.
    pub(super) after: usize,
    /// Whether words stand before the kind that make another statement of it: `OR REPLACE`, `TEMPORARY`, `TRUSTED`.
    pub(super) modifiers: Vec<String>,
}

/// Every kind, those of several words first.
const KINDS: &[&[&str]] = &[
    &["TEXT", "SEARCH", "CONFIGURATION"],
    &["TEXT", "SEARCH", "DICTIONARY"],
    &["TEXT", "SEARCH", "PARSER"],
    &["TEXT", "SEARCH", "TEMPLATE"],
    &["FOREIGN", "DATA", "WRAPPER"],
    &["ACCESS", "METHOD"],
    &["DEFAULT", "PRIVILEGES"],
    &["EVENT", "TRIGGER"],
    &["FOREIGN", "TABLE"],
    &["LARGE", "OBJECT"],
    &["MATERIALIZED", "VIEW"],
    &["OPERATOR", "CLASS"],
    &["OPERATOR", "FAMILY"],
    &["USER", "MAPPING"],
    &["AGGREGATE"],
    &["CAST"],
    &["COLLATION"],
    &["COLUMN"],
    &["CONSTRAINT"],
    &["CONVERSION"],
    &["DATABASE"],
    &["DOMAIN"],
    &["EXTENSION"],
    &["FUNCTION"],
    &["GROUP"],
    &["INDEX"],
    &["LANGUAGE"],
    &["OPERATOR"],
    &["POLICY"],
    &["PROCEDURE"],
    &["PUBLICATION"],
    &["ROLE"],
    &["ROUTINE"],
    &["RULE"],
    &["SCHEMA"],
    &["SEQUENCE"],
    &["SERVER"],
    &["STATISTICS"],
    &["SUBSCRIPTION"],
    &["SYSTEM"],
    &["TABLE"],
    &["TABLESPACE"],
    &["TRANSFORM"],
    &["TRIGGER"],
    &["TYPE"],
    &["USER"],
    &["VIEW"],
];

/// The kinds as one text each, in the same order.
const NAMES: &[&str] = &[
    "TEXT SEARCH CONFIGURATION",
    "TEXT SEARCH DICTIONARY",
    "TEXT SEARCH PARSER",
    "TEXT SEARCH TEMPLATE",
    "FOREIGN DATA WRAPPER",
    "ACCESS METHOD",
    "DEFAULT PRIVILEGES",
    "EVENT TRIGGER",
    "FOREIGN TABLE",
    "LARGE OBJECT",
    "MATERIALIZED VIEW",
    "OPERATOR CLASS",
    "OPERATOR FAMILY",
    "USER MAPPING",
    "AGGREGATE",
    "CAST",
    "COLLATION",
    "COLUMN",
    "CONSTRAINT",
    "CONVERSION",
    "DATABASE",
    "DOMAIN",
    "EXTENSION",
    "FUNCTION",
    "GROUP",
    "INDEX",
    "LANGUAGE",
    "OPERATOR",
    "POLICY",
    "PROCEDURE",
    "PUBLICATION",
    "ROLE",
    "ROUTINE",
    "RULE",
    "SCHEMA",
    "SEQUENCE",
    "SERVER",
    "STATISTICS",
    "SUBSCRIPTION",
    "SYSTEM",
    "TABLE",
    "TABLESPACE",
    "TRANSFORM",
    "TRIGGER",
    "TYPE",
    "USER",
    "VIEW",
];

/// Words between a verb and a kind that do not change which kind it is.
const MODIFIERS: &[&str] = &[
    "OR",
    "REPLACE",
    "GLOBAL",
    "LOCAL",
    "TEMP",
    "TEMPORARY",
    "UNLOGGED",
    "RECURSIVE",
    "UNIQUE",
    "CONSTRAINT",
    "TRUSTED",
    "PROCEDURAL",
    "DEFAULT",
];

impl Head {
    /// Reads the start of a statement.
    pub(super) fn read(mut cursor: Cursor<'_>) -> Self {
        let mut head = Self { verb: cursor.text().to_ascii_uppercase(), ..Self::default() };
        cursor.advance();
        let has_kind = match head.verb.as_str() {
            "CREATE" | "ALTER" | "DROP" => true,
            "COMMENT" => cursor.eat("ON"),
            "REFRESH" => cursor.is("MATERIALIZED"),
            "SECURITY" => cursor.eat("LABEL") && cursor.seek(&["ON"]) && cursor.eat("ON"),
            _ => false,
        };
        if has_kind {
            head.read_kind(&mut cursor);
            head.read_name(&mut cursor);
        }
        head.after = cursor.at;
        head
    }

    /// The statement's command: `CREATE TABLE`, or just `SELECT`.
    pub(super) fn command(&self) -> String {
        if self.kind.is_empty() { self.verb.clone() } else { format!("{} {}", self.verb, self.kind) }
    }

    /// Whether this is the command.
    pub(super) fn is(&self, verb: &str, kinds: &[&str]) -> bool {
        self.verb == verb && kinds.contains(&self.kind)
    }

    fn read_kind(&mut self, cursor: &mut Cursor<'_>) {
        while cursor.is_any(MODIFIERS)
            && !cursor.is_all(&["DEFAULT", "PRIVILEGES"])
            && !self.ends_with_constraint(*cursor)
        {
            self.modifiers.push(cursor.text().to_ascii_uppercase());
            cursor.advance();
        }
        if let Some(at) = KINDS.iter().position(|words| cursor.eat_all(words)) {
            self.kind = NAMES[at];
        }
    }

    /// `COMMENT ON CONSTRAINT` is about a constraint, `CREATE CONSTRAINT TRIGGER` about a trigger.
    fn ends_with_constraint(&self, cursor: Cursor<'_>) -> bool {
        self.verb != "CREATE" && cursor.is("CONSTRAINT")
    }

    fn read_name(&mut self, cursor: &mut Cursor<'_>) {
        cursor.eat("CONCURRENTLY");
        let _ = cursor.eat_all(&["IF", "NOT", "EXISTS"]) || cursor.eat_all(&["IF", "EXISTS"]);
        cursor.eat("ONLY");
        match self.kind {
            "" | "CAST" | "TRANSFORM" | "DEFAULT PRIVILEGES" | "SYSTEM" | "LARGE OBJECT" => {}
            "SCHEMA" => {
                cursor.eat("AUTHORIZATION");
                self.name = cursor.names();
            }
            "USER MAPPING" => {
                cursor.eat("FOR");
                let role = cursor.names();
                cursor.eat("SERVER");
                self.name = cursor.names();
                self.name.extend(role);
            }
            "INDEX" | "STATISTICS" if self.verb == "CREATE" => {
                if !cursor.is("ON") {
                    self.name = cursor.names();
                }
                if self.kind == "INDEX" && cursor.eat("ON") {
                    cursor.eat("ONLY");
                    self.on = cursor.names();
                }
            }
            "OPERATOR" => self.name = operator(cursor),
            "TRIGGER" | "POLICY" | "RULE" | "CONSTRAINT" => {
                self.name = cursor.names();
                self.read_on(*cursor);
            }
            _ => self.name = cursor.names(),
        }
    }

    fn read_on(&mut self, mut cursor: Cursor<'_>) {
        let word = if self.is("CREATE", &["RULE"]) { "TO" } else { "ON" };
        if cursor.seek(&[word]) {
            cursor.advance();
            cursor.eat("DOMAIN");
            self.on = cursor.names();
        }
    }
}

/// The kind that a text names.
pub(super) fn kind_of(text: &str) -> Option<&'static str> {
    NAMES.iter().find(|name| **name == text).copied()
}

/// Reads an operator's name: `app.===`.
pub(super) fn operator(cursor: &mut Cursor<'_>) -> Vec<String> {
    let mut names = Vec::new();
    while cursor.kind() != Some(TokenKind::Operator) {
        let Some(name) = cursor.name() else { return names };
        names.push(name);
        cursor.eat_mark(".");
    }
    names.push(cursor.text().to_owned());
    cursor.advance();
    names
}

#[cfg(test)]
mod tests {
    use super::super::token::{Lexer, Unterminated};
    use super::*;

    fn head(text: &str) -> Result<Head, Unterminated> {
        let mut lexer = Lexer::new(text);
        let mut tokens = Vec::new();
        while let Some(token) = lexer.next()? {
            tokens.push(token);
        }
        Ok(Head::read(Cursor::new(text, &tokens)))
    }

    #[track_caller]
    fn reads(text: &str, command: &str, name: &[&str], on: &[&str]) {
        let head = head(text).unwrap_or_default();
        assert_eq!(head.command(), command, "{text}");
        assert_eq!(head.name, name, "{text}");
        assert_eq!(head.on, on, "{text}");
    }

    #[test]
    fn kinds_and_names_are_found_behind_every_modifier() {
        assert!(KINDS.iter().zip(NAMES).all(|(words, name)| words.join(" ") == *name) && KINDS.len() == NAMES.len());
        reads("CREATE UNLOGGED TABLE IF NOT EXISTS App.\"Users\" ()", "CREATE TABLE", &["app", "Users"], &[]);
        reads("create or replace recursive view v as", "CREATE VIEW", &["v"], &[]);
        reads("CREATE UNIQUE INDEX CONCURRENTLY i ON ONLY app.t (a)", "CREATE INDEX", &["i"], &["app", "t"]);
        reads("CREATE INDEX ON t (a)", "CREATE INDEX", &[], &["t"]);
        reads("CREATE SCHEMA IF NOT EXISTS AUTHORIZATION joe", "CREATE SCHEMA", &["joe"], &[]);
        reads("CREATE OPERATOR app.=== (", "CREATE OPERATOR", &["app", "==="], &[]);
        reads("CREATE TRUSTED PROCEDURAL LANGUAGE l", "CREATE LANGUAGE", &["l"], &[]);
        reads("ALTER DEFAULT PRIVILEGES IN SCHEMA a GRANT", "ALTER DEFAULT PRIVILEGES", &[], &[]);
        reads("CREATE USER MAPPING FOR joe SERVER s", "CREATE USER MAPPING", &["s", "joe"], &[]);
        reads("SELECT 1", "SELECT", &[], &[]);
    }

    #[test]
    fn what_stands_on_a_table_names_it() {
        reads("CREATE CONSTRAINT TRIGGER x AFTER UPDATE OF a ON app.t FOR", "CREATE TRIGGER", &["x"], &["app", "t"]);
        reads("CREATE RULE r AS ON INSERT TO app.t DO NOTHING", "CREATE RULE", &["r"], &["app", "t"]);
        reads("COMMENT ON CONSTRAINT c ON DOMAIN app.d IS 'x'", "COMMENT CONSTRAINT", &["c"], &["app", "d"]);
        reads("DROP POLICY IF EXISTS p ON t", "DROP POLICY", &["p"], &["t"]);
        reads("CREATE EVENT TRIGGER e ON ddl_command_end", "CREATE EVENT TRIGGER", &["e"], &[]);
        reads("COMMENT ON COLUMN app.t.c IS NULL", "COMMENT COLUMN", &["app", "t", "c"], &[]);
    }
}
