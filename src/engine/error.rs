//! What can go wrong while a scratch PostgreSQL is found, started and used.

use super::Way;
use std::path::PathBuf;

/// A scratch PostgreSQL that could not be had.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// None of the ways led to a server of the wanted version.
    #[error("no scratch PostgreSQL {major} could be had{}", each(attempts))]
    Missing {
        /// The wanted major version.
        major: u32,
        /// Each way that was tried, and why it led nowhere.
        attempts: Vec<Attempt>,
        /// What the user can do.
        hints: Vec<String>,
    },
    /// A scratch server has another version than the target.
    #[error("scratch server {place} is PostgreSQL {found}, but the target is PostgreSQL {wanted}")]
    Version {
        /// The server.
        place: String,
        /// Its major version.
        found: u32,
        /// The target's major version.
        wanted: u32,
    },
    /// A PostgreSQL program failed.
    #[error("{program} failed: {output}")]
    Program {
        /// The program's path.
        program: PathBuf,
        /// What it said.
        output: String,
    },
    /// A file or folder of the engine's could not be used.
    #[error("cannot {what} {}: {source}", path.display())]
    File {
        /// What was to be done.
        what: &'static str,
        /// With which file or folder.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// A server could not be reached.
    #[error(transparent)]
    Connect(#[from] crate::connect::Error),
    /// The scratch server refused something.
    #[error("scratch server: cannot {what}: {}", message(source))]
    Server {
        /// What was to be done.
        what: String,
        /// Why not.
        source: postgres::Error,
    },
    /// No programs of the wanted version are on this machine.
    #[error("no PostgreSQL {major} in any of these places")]
    NotFound {
        /// The wanted major version.
        major: u32,
        /// The places that were looked at, each with what was there.
        looked_at: Vec<String>,
    },
    /// Root has nobody to run PostgreSQL as.
    #[error("PostgreSQL does not run as root, and this system has neither a user `postgres` nor `nobody`")]
    NoAccount,
    /// The user of a scratch server may not create databases.
    #[error("cannot create a scratch database: {}", message(.0))]
    MayNotCreate(#[source] postgres::Error),
    /// A database that is to be copied is still in use.
    #[error("scratch database {0} is still in use, so it cannot be copied")]
    InUse(String),
    /// Roles cannot be created, nor databases changed, on a server that belongs to somebody.
    #[error("roles and the database itself are managed by way of a throw-away server, and this scratch server is none")]
    NotOurs,
    /// A signal ends the program.
    #[error("interrupted")]
    Interrupted,
    /// The project's own server is in use.
    #[error("the project's PostgreSQL in {} is in use by another run", .0.display())]
    Busy(PathBuf),
    /// No PostgreSQL could be downloaded.
    #[error("cannot download PostgreSQL {major}: {message}")]
    Download {
        /// The wanted major version.
        major: u32,
        /// Why not.
        message: String,
    },
    /// A setting of the engine means nothing.
    #[error("engine: {0}")]
    Setting(String),
}

/// One way to a scratch server that led nowhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// The way: `binaries on this machine`, `download`, …
    pub way: String,
    /// Why it led nowhere.
    pub why: String,
    /// The places that were looked at.
    pub looked_at: Vec<String>,
}

impl Attempt {
    pub(super) fn of(way: &Way, error: Error) -> Self {
        let why = error.to_string();
        let looked_at = if let Error::NotFound { looked_at, .. } = error { looked_at } else { Vec::new() };
        Self { way: way.to_string(), why, looked_at }
    }
}

impl Error {
    pub(super) fn file(what: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.into();
        move |source| Self::File { what, path, source }
    }

    pub(super) fn server(what: impl Into<String>) -> impl FnOnce(postgres::Error) -> Self {
        let what = what.into();
        move |source| Self::Server { what, source }
    }

    /// What the user can do about it.
    pub fn hints(&self) -> Vec<String> {
        match self {
            Self::Missing { hints, .. } => hints.clone(),
            Self::Connect(error) => error.hints(),
            Self::Version { wanted, .. } => {
                vec![format!("name a scratch server of version {wanted}, or let `--engine auto` find one")]
            }
            Self::MayNotCreate(_) => {
                vec![
                    "the user needs the right: ALTER ROLE … CREATEDB; or let `--engine auto` start a server".to_owned(),
                ]
            }
            Self::NotOurs => vec![
                "let one be started: --engine auto; or leave roles and the database to somebody else: manage: {roles: \
                 false, database: false}"
                    .to_owned(),
            ],
            Self::NoAccount => vec!["run as an ordinary user, or create a user `postgres`".to_owned()],
            _ => Vec::new(),
        }
    }
}

fn each(attempts: &[Attempt]) -> String {
    attempts.iter().fold(String::new(), |mut out, Attempt { way, why, looked_at }| {
        out.push_str(&format!("\n  {way}: {why}"));
        for place in looked_at {
            out.push_str(&format!("\n    {place}"));
        }
        out
    })
}

fn message(error: &postgres::Error) -> String {
    match error.as_db_error() {
        Some(error) => format!("{} (SQLSTATE {})", error.message(), error.code().code()),
        None => error.to_string(),
    }
}
