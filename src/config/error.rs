//! Why a configuration cannot be used; never with a value in it, since values may hold passwords.

use std::{
    io,
    path::{Path, PathBuf},
};

/// Why a configuration cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The current folder is gone.
    #[error("cannot tell the current folder: {0}")]
    Here(io::Error),
    /// The file cannot be read.
    #[error("cannot read {}: {why}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        why: io::Error,
    },
    /// The file has a key that means nothing.
    #[error("{}:{line}:{column}: unknown key `{key}`", path.display())]
    UnknownKey {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// The column, from 1.
        column: usize,
        /// The key.
        key: String,
        /// The keys that it could have been.
        known: Vec<String>,
    },
    /// The file is not YAML, or has a value of the wrong type.
    #[error("{}:{line}:{column}: {what}", path.display())]
    Syntax {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// The column, from 1.
        column: usize,
        /// What is wrong, or what was expected.
        what: String,
    },
    /// The file refers to an environment variable that is not set.
    #[error("{}: the environment variable {name} is not set", path.display())]
    Variable {
        /// The file.
        path: PathBuf,
        /// The variable.
        name: String,
    },
    /// An environment variable has a value that it cannot have.
    #[error("{name}: expected {expected}")]
    Value {
        /// The variable.
        name: String,
        /// What it can be.
        expected: String,
    },
}

impl Error {
    /// What YAML's reader says, without the values that it quotes.
    pub(super) fn yaml(path: &Path, why: &serde_yaml::Error) -> Self {
        let (line, column) = why.location().map_or((1, 1), |at| (at.line(), at.column()));
        let path = path.to_path_buf();
        let said = why.to_string();
        let said = said.split(" at line ").next().unwrap_or_default();
        if let Some((_, rest)) = said.split_once("unknown field `") {
            let mut names = rest.split('`').step_by(2).map(redacted);
            let key = names.next().unwrap_or_default();
            return Self::UnknownKey {
                path,
                line,
                column,
                key,
                known: names.filter(|name| !name.is_empty()).collect(),
            };
        }
        // serde quotes the value that it found before it says what it wanted.
        let what = match said.split_once("expected ") {
            Some((_, expected)) => format!("expected {expected}"),
            None => redacted(said),
        };
        Self::Syntax { path, line, column, what }
    }

    /// What the user can do about it.
    pub fn hints(&self) -> Vec<String> {
        match self {
            Self::UnknownKey { key, known, .. } => {
                let names: Vec<&str> = known.iter().map(String::as_str).collect();
                let near = similar::get_close_matches(key.as_str(), &names, 1, 0.6);
                let near = near.first().map(|name| format!("did you mean `{name}`?"));
                near.into_iter().chain([format!("known keys: {}", crate::sql::join(known, ", "))]).collect()
            }
            Self::Variable { name, .. } => vec![format!("set {name}, or give the connection with --db")],
            _ => Vec::new(),
        }
    }
}

/// Text with the passwords of connection strings in it masked.
pub fn redacted(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("://") {
        out.push_str(before);
        out.push_str("://");
        let end = after.find(|c: char| c.is_whitespace() || matches!(c, '/' | '?' | '"' | '\'')).unwrap_or(after.len());
        let (authority, tail) = after.split_at(end);
        match authority.rsplit_once('@') {
            Some((user, host)) if user.contains(':') => {
                let user = user.split(':').next().unwrap_or_default();
                out.push_str(&format!("{user}:…@{host}"));
            }
            _ => out.push_str(authority),
        }
        rest = tail;
    }
    out.push_str(rest);
    masked(&out)
}

/// Text with what follows `password=` masked.
fn masked(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("password=") {
        out.push_str(before);
        out.push_str("password=…");
        let end = match after.strip_prefix('\'') {
            Some(quoted) => quoted.find('\'').map_or(after.len(), |at| at + 2),
            None => after.find(|c: char| c.is_whitespace() || c == '&').unwrap_or(after.len()),
        };
        rest = after.get(end..).unwrap_or_default();
    }
    out.push_str(rest);
    out
}
