//! What a statement makes, which objects it is about, and which names it mentions, as far as its words show.

use crate::source::class::Class;
use crate::source::cursor::{Cursor, text_of};
use crate::source::head::Head;
use crate::source::parts::{What, parts};
use crate::source::statement::Statement;
use crate::source::token::{Lexer, Token, TokenKind};
use crate::source::unit::{Part, leaves_out};
use std::collections::BTreeSet;

/// A name that a statement makes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Made {
    /// The schema, where one is written or set.
    pub(super) schema: Option<String>,
    pub(super) name: String,
    pub(super) sort: Sort,
}

/// How a made name can be mentioned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sort {
    Schema,
    /// Mentioned before a parenthesis, mostly.
    Routine,
    /// A column that is added to the table of that name; the schema is the table's.
    Column,
    /// What a foreign key may refer to.
    Unique,
    /// A value of an enum.
    Value,
    /// Anything else.
    Other,
}

/// What one statement makes and mentions.
#[derive(Debug, Default)]
pub(super) struct Refs {
    pub(super) makes: Vec<Made>,
    /// Names as they are mentioned, with what stands before them.
    pub(super) mentions: BTreeSet<Mention>,
    /// The objects that the statement is about; statements about the same object keep their order.
    pub(super) subjects: Vec<String>,
    /// Whether a name before a parenthesis is needed to mention a routine.
    pub(super) calls_only: bool,
    /// The table that parts are added to.
    pub(super) table: Option<String>,
}

/// A mentioned name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Mention {
    /// A name with its parts, and whether a parenthesis follows.
    Name(Vec<String>, bool),
    Operator(String),
    Text(String),
    /// A table whose key a foreign key needs.
    Key(Vec<String>),
}

/// Kinds whose definitions name functions without a parenthesis.
const NAME_FUNCTIONS: &[&str] = &[
    "ACCESS METHOD",
    "AGGREGATE",
    "CONVERSION",
    "FOREIGN DATA WRAPPER",
    "LANGUAGE",
    "OPERATOR",
    "OPERATOR CLASS",
    "TEXT SEARCH PARSER",
    "TEXT SEARCH TEMPLATE",
    "TYPE",
];

impl Refs {
    pub(super) fn of(statement: &Statement, part: &Part) -> Self {
        let head = &statement.head;
        let mut refs = Self {
            calls_only: head.verb == "CREATE" && !NAME_FUNCTIONS.contains(&head.kind),
            subjects: subjects(statement),
            ..Self::default()
        };
        let tokens = mentioning(statement, part);
        let cursor = Cursor::new(&statement.file.text, &tokens);
        if matches!(part, Part::Clause { .. }) {
            refs.mentions.insert(Mention::Name(head.name.clone(), false));
            refs.mention(cursor);
            return refs;
        }
        refs.make(statement);
        if head.verb == "CREATE" {
            refs.mention_scope(&head.name);
            refs.mentions.insert(Mention::Name(head.on.clone(), false));
            refs.mention(cursor.from(head.after));
        } else if head.verb != "DROP" {
            refs.mention(cursor.from(1));
        }
        if head.verb == "DO" {
            refs.look_into(statement);
        }
        refs
    }

    /// `CREATE TABLE app.t` needs the schema, and nothing else that its name may look like.
    fn mention_scope(&mut self, names: &[String]) {
        if let [scope @ .., _] = names
            && !scope.is_empty()
        {
            self.mentions.insert(Mention::Name(vec![scope[0].clone(), String::new()], false));
        }
    }

    fn add(&mut self, schema: Option<&String>, name: &str, sort: Sort) {
        self.makes.push(Made { schema: schema.cloned(), name: name.to_owned(), sort });
    }

    fn make(&mut self, statement: &Statement) {
        let head = &statement.head;
        let Some((name, schema)) = qualified(statement, &head.name) else {
            self.make_unnamed(statement);
            return;
        };
        let schema = schema.as_ref();
        match (head.verb.as_str(), head.kind) {
            ("CREATE", "SCHEMA") => self.add(None, &name, Sort::Schema),
            ("CREATE", "FUNCTION" | "PROCEDURE" | "AGGREGATE") => self.add(schema, &name, Sort::Routine),
            // These have no schema of their own: any mention will do.
            ("CREATE", "TRIGGER" | "POLICY" | "RULE" | "EXTENSION" | "LANGUAGE" | "SERVER") => {
                self.add(None, &name, Sort::Other);
            }
            ("CREATE", "TABLE" | "FOREIGN TABLE") => {
                self.add(schema, &name, Sort::Other);
                self.add(schema, &format!("{name}_pkey"), Sort::Other);
                self.make_parts(statement, schema, &name);
            }
            ("CREATE", "INDEX") => {
                let of_table = qualified(statement, &head.on).and_then(|(_, schema)| schema);
                self.add(of_table.as_ref(), &name, Sort::Other);
            }
            ("CREATE", _) => self.add(schema, &name, Sort::Other),
            ("ALTER", "TABLE" | "FOREIGN TABLE") => {
                self.table = Some(name.clone());
                self.make_parts(statement, schema, &name);
            }
            _ => {}
        }
        self.make_unnamed(statement);
        if head.verb == "ALTER" {
            self.make_altered(statement.cursor().from(head.after), schema, &name);
        }
    }

    /// A unique index is what foreign keys may refer to.
    fn make_unnamed(&mut self, statement: &Statement) {
        let head = &statement.head;
        if head.is("CREATE", &["INDEX"])
            && head.modifiers.iter().any(|word| word == "UNIQUE")
            && let Some((table, schema)) = qualified(statement, &head.on)
        {
            self.add(schema.as_ref(), &table, Sort::Unique);
        }
    }

    fn make_parts(&mut self, statement: &Statement, schema: Option<&String>, table: &str) {
        let adds = statement.head.verb == "ALTER";
        for part in parts(statement) {
            match part.what {
                What::Column(column) => {
                    self.add(schema, &format!("{table}_{column}_seq"), Sort::Other);
                    self.add(schema, &format!("{table}_{column}_key"), Sort::Other);
                    if adds {
                        self.add(schema, &column, Sort::Column);
                    }
                }
                What::Constraint(name) => {
                    if let Some(name) = name {
                        self.add(schema, &name, Sort::Other);
                    }
                    let mut cursor = statement.cursor().from(part.tokens.0);
                    if adds && cursor.seek(&["UNIQUE", "PRIMARY"]) && cursor.at < part.tokens.1 {
                        self.add(schema, table, Sort::Unique);
                    }
                }
                What::Like => {}
            }
        }
    }

    /// `RENAME TO`, `SET SCHEMA`, `ADD VALUE`.
    fn make_altered(&mut self, mut cursor: Cursor<'_>, schema: Option<&String>, name: &str) {
        if cursor.eat_all(&["RENAME", "TO"]) {
            if let Some(name) = cursor.name() {
                self.add(schema, &name, Sort::Other);
            }
        } else if cursor.eat_all(&["SET", "SCHEMA"]) {
            let schema = cursor.name();
            self.add(schema.as_ref(), name, Sort::Other);
        } else if cursor.eat_all(&["ADD", "VALUE"]) {
            cursor.eat_all(&["IF", "NOT", "EXISTS"]);
            if let Some(value) = cursor.token().and_then(|token| text_of(token, cursor.source())) {
                self.add(None, &value, Sort::Value);
            }
        }
    }

    fn mention(&mut self, mut cursor: Cursor<'_>) {
        let mut refers = false;
        while let Some(token) = cursor.token() {
            match token.kind {
                TokenKind::Word | TokenKind::Quoted => {
                    let is_key = std::mem::replace(&mut refers, cursor.is("REFERENCES"));
                    let names = cursor.names();
                    if is_key {
                        self.mentions.insert(Mention::Key(names.clone()));
                    }
                    self.mentions.insert(Mention::Name(names, cursor.is_mark("(")));
                    continue;
                }
                TokenKind::Operator => {
                    self.mentions.insert(Mention::Operator(cursor.text().to_owned()));
                }
                TokenKind::Text => {
                    if let Some(text) = text_of(token, cursor.source()) {
                        self.mention_text(text);
                    }
                }
                _ => {}
            }
            cursor.advance();
        }
    }

    /// A text may be a value of an enum, or a name: `nextval('app.s')`, `'app.t'::regclass`.
    fn mention_text(&mut self, text: String) {
        let plain = |c: char| c.is_alphanumeric() || matches!(c, '_' | '.' | '"' | '$' | '(' | ')' | ',');
        if text.len() < 140 && text.chars().all(plain) {
            with_tokens(&text, |mut cursor| {
                let names = cursor.names();
                if !names.is_empty() {
                    self.mentions.insert(Mention::Name(names, true));
                }
            });
        }
        self.mentions.insert(Mention::Text(text));
    }

    /// The body of a DO may create what others need.
    fn look_into(&mut self, statement: &Statement) {
        for token in &statement.tokens {
            let Some(body) = text_of(*token, &statement.file.text) else { continue };
            with_tokens(&body, |cursor| {
                self.mention(cursor);
                for at in (0..cursor.len()).filter(|at| cursor.is_at(*at, "CREATE")) {
                    let head = Head::read(cursor.from(at));
                    if let Some((name, scope)) = head.name.split_last() {
                        self.add(scope.last(), name, if head.kind == "SCHEMA" { Sort::Schema } else { Sort::Other });
                    }
                }
            });
        }
    }
}

/// Reads a text as SQL, if it can be.
fn with_tokens(text: &str, read: impl FnOnce(Cursor<'_>)) {
    let mut lexer = Lexer::new(text);
    let mut tokens: Vec<Token> = Vec::new();
    while let Ok(Some(token)) = lexer.next() {
        tokens.push(token);
    }
    read(Cursor::new(text, &tokens));
}

/// The tokens that may mention something: in a table's definition, the names of its columns do not.
fn mentioning(statement: &Statement, part: &Part) -> Vec<Token> {
    let defined = match part {
        Part::Clause { .. } => Vec::new(),
        _ if statement.head.verb == "CREATE" => parts(statement),
        _ => Vec::new(),
    };
    let columns: BTreeSet<_> =
        defined.iter().filter(|part| matches!(part.what, What::Column(_))).map(|part| part.tokens.0).collect();
    let kept = statement.tokens.iter().enumerate();
    kept.filter(|(at, _)| !leaves_out(part, *at) && !columns.contains(at)).map(|(_, token)| *token).collect()
}

/// A name and its schema: the one written, or the first one of search_path.
pub(super) fn qualified(statement: &Statement, names: &[String]) -> Option<(String, Option<String>)> {
    let (name, scope) = names.split_last()?;
    let first = || statement.settings.search_path().map_or(Some("public"), |path| path.first().map(String::as_str));
    Some((name.clone(), scope.last().cloned().or_else(|| first().map(str::to_owned))))
}

/// The objects that a statement is about, as keys.
fn subjects(statement: &Statement) -> Vec<String> {
    let head = &statement.head;
    if matches!(head.verb.as_str(), "GRANT" | "REVOKE") {
        let mut cursor = statement.cursor();
        cursor.seek(&["ON"]);
        let start = cursor.at;
        cursor.seek(&["TO", "FROM"]);
        let words: Vec<_> = (start..cursor.at).map(|at| cursor.text_at(at).to_ascii_lowercase()).collect();
        return vec![words.join(" ")];
    }
    if statement.class != Class::Definition {
        return Vec::new();
    }
    let (group, names) = match head.kind {
        "TRIGGER" | "POLICY" | "RULE" if !head.on.is_empty() => (head.kind, [head.on.as_slice(), &head.name].concat()),
        "CONSTRAINT" => ("TABLE", head.on.clone()),
        "COLUMN" => ("TABLE", head.name[..head.name.len().saturating_sub(1)].to_vec()),
        "INDEX" | "VIEW" | "MATERIALIZED VIEW" | "FOREIGN TABLE" | "SEQUENCE" | "TABLE" => ("TABLE", head.name.clone()),
        "TYPE" | "DOMAIN" => ("TYPE", head.name.clone()),
        "FUNCTION" | "PROCEDURE" | "AGGREGATE" | "ROUTINE" => ("FUNCTION", head.name.clone()),
        kind => (kind, head.name.clone()),
    };
    let Some((name, schema)) = qualified(statement, &names) else { return Vec::new() };
    let mut key = format!("{group} {}.{name}", schema.unwrap_or_default());
    if group == "FUNCTION" {
        let arguments = statement.cursor().from(head.after);
        let mut end = arguments;
        end.skip();
        for at in arguments.at..end.at {
            key.push_str(&arguments.text_at(at).to_ascii_lowercase());
        }
    }
    vec![key]
}
