//! Statements and the places where they stand.

use super::class::Class;
use super::cursor::Cursor;
use super::head::Head;
use super::settings::Settings;
use super::token::Token;
use std::fmt;
use std::ops::Range;
use std::sync::{Arc, OnceLock};

/// A file that was read, or standard input.
#[derive(Debug)]
pub struct File {
    /// The path as people see it.
    pub path: String,
    /// The whole text.
    pub text: String,
    lines: OnceLock<Vec<usize>>,
}

impl File {
    pub(super) fn new(path: String, text: String) -> Self {
        Self { path, text, lines: OnceLock::new() }
    }

    /// The place of a byte in the text.
    pub fn location(&self, offset: usize) -> Location {
        let lines = self.lines.get_or_init(|| {
            let breaks = self.text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n');
            std::iter::once(0).chain(breaks.map(|(at, _)| at + 1)).collect()
        });
        let line = lines.partition_point(|start| *start <= offset).max(1);
        let start = lines.get(line - 1).copied().unwrap_or(0);
        let before = self.text.get(start..offset).unwrap_or_default().trim_start_matches('\u{feff}');
        Location { path: self.path.clone(), line, column: before.chars().count() + 1 }
    }
}

/// A place in a file: line and column count from 1, columns in characters.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
pub struct Location {
    /// The path as people see it.
    pub path: String,
    /// The line.
    pub line: usize,
    /// The character in the line.
    pub column: usize,
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.path, self.line, self.column)
    }
}

/// Something that people should know, and that does not stand in the way.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Warning {
    /// Where it stands.
    pub location: Location,
    /// What it is.
    pub message: String,
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.location, self.message)
    }
}

/// One statement of the desired state.
#[derive(Debug)]
pub struct Statement {
    /// The file that holds it.
    pub file: Arc<File>,
    /// Where it stands there, in bytes, without its semicolon.
    pub span: Range<usize>,
    /// What it is to a desired state.
    pub class: Class,
    pub(super) tokens: Box<[Token]>,
    pub(super) head: Head,
    /// The session's settings at this place.
    pub(super) settings: Arc<Settings>,
}

impl Statement {
    /// The statement's text, byte for byte.
    pub fn sql(&self) -> &str {
        self.file.text.get(self.span.clone()).unwrap_or_default()
    }

    /// Where the statement starts.
    pub fn location(&self) -> Location {
        self.file.location(self.span.start)
    }

    /// The command without options: `CREATE TABLE` also for `CREATE UNLOGGED TABLE IF NOT EXISTS`.
    pub fn command(&self) -> String {
        self.head.command()
    }

    /// The command and the name that it is about: `CREATE TABLE app.users`.
    pub fn title(&self) -> String {
        let name = crate::sql::qualified(&self.head.name);
        let mut title = match self.head.verb.as_str() {
            "COMMENT" => format!("COMMENT ON {}", self.head.kind),
            "SECURITY" => format!("SECURITY LABEL ON {}", self.head.kind),
            _ => self.head.command(),
        };
        for (joint, name) in [(" ", name), (" ON ", crate::sql::qualified(&self.head.on))] {
            if !name.is_empty() {
                title.push_str(joint);
                title.push_str(&name);
            }
        }
        title
    }

    pub(super) fn cursor(&self) -> Cursor<'_> {
        Cursor::new(&self.file.text, &self.tokens)
    }
}
