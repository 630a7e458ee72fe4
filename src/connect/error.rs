//! What can go wrong before and while connecting, without ever repeating a password.

use std::path::PathBuf;

/// A connection that could not be described or made.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The connection string is not one. The text is not repeated, since it may hold a password.
    #[error("cannot read the connection string: {0}")]
    Syntax(String),
    /// A parameter has a value that it cannot have.
    #[error("connection parameter {name}: {what}")]
    Parameter {
        /// The parameter, by libpq's name.
        name: &'static str,
        /// What is wrong with its value.
        what: String,
    },
    /// No file defines the service.
    #[error("no definition of service \"{service}\" in {}", list(files))]
    Service {
        /// The wanted service.
        service: String,
        /// The files that were looked at.
        files: Vec<PathBuf>,
    },
    /// A service file has a line that means nothing.
    #[error("{}:{line}: {what}", path.display())]
    ServiceSyntax {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// What is wrong.
        what: String,
    },
    /// A file that a parameter names cannot be used.
    #[error("cannot read {what} {}: {source}", path.display())]
    Read {
        /// What the file is for.
        what: &'static str,
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The TLS settings do not go together, or one of their files is not what it should be.
    #[error("TLS: {0}")]
    Tls(String),
    /// The server did not let us in, or could not be reached.
    #[error(transparent)]
    Connect(Box<Refusal>),
}

/// A server that did not let us in, or could not be reached.
#[derive(Debug, thiserror::Error)]
#[error(
    "cannot connect to database \"{database}\" as user \"{user}\" at {place}: {message}{}",
    code(sqlstate.as_deref())
)]
pub struct Refusal {
    /// Host and port, or the socket.
    pub place: String,
    /// The wanted database.
    pub database: String,
    /// The user.
    pub user: String,
    /// The server's code, when the server answered.
    pub sqlstate: Option<String>,
    /// The server's or the operating system's message.
    pub message: String,
    /// What to do about it.
    pub hints: Vec<String>,
}

impl Error {
    pub(super) fn syntax(what: impl Into<String>) -> Self {
        Self::Syntax(what.into())
    }

    pub(super) fn parameter(name: &'static str, what: impl Into<String>) -> Self {
        Self::Parameter { name, what: what.into() }
    }

    /// What the user can do about it.
    pub fn hints(&self) -> Vec<String> {
        match self {
            Self::Connect(refusal) => refusal.hints.clone(),
            Self::Syntax(_) => vec![
                "write it as postgres://user@host:5432/database, or as: host=… port=… user=… dbname=…".into(),
                "keep the password out of it: PGPASSWORD, ~/.pgpass or pg_service.conf".into(),
            ],
            Self::Service { .. } => {
                vec!["name the file in PGSERVICEFILE, or add a section [service] to ~/.pg_service.conf".into()]
            }
            Self::Parameter { .. } | Self::ServiceSyntax { .. } | Self::Read { .. } | Self::Tls(_) => Vec::new(),
        }
    }

    /// The server's code, when the server answered.
    pub fn sqlstate(&self) -> Option<&str> {
        match self {
            Self::Connect(refusal) => refusal.sqlstate.as_deref(),
            _ => None,
        }
    }
}

fn list(files: &[PathBuf]) -> String {
    crate::sql::join(files.iter().map(|file| file.display().to_string()), ", ")
}

fn code(sqlstate: Option<&str>) -> String {
    sqlstate.map(|code| format!(" (SQLSTATE {code})")).unwrap_or_default()
}
