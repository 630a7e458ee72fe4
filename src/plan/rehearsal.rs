//! Runs scripts of our own on scratch databases.

use postgres::{
    Client,
    error::{DbError, SqlState},
};

use super::script::statements;
use crate::{
    catalog::{self, Catalog},
    engine::{Engine, Scratch, Spec, SuperuserLender},
    source::{NotLent, TOGETHER},
};

/// Why something could not be rehearsed on a scratch database.
#[derive(Debug, thiserror::Error)]
pub enum RehearsalError {
    /// The scratch server failed.
    #[error(transparent)]
    Engine(#[from] crate::engine::Error),
    /// A catalog could not be read.
    #[error(transparent)]
    Read(#[from] catalog::ReadError),
    /// The connection broke.
    #[error("the scratch server: {}", describe(.0))]
    Postgres(#[from] postgres::Error),
    /// A statement of ours failed.
    #[error("{what}, this statement failed: {sql}: {error}")]
    Statement {
        /// What was being done, in words.
        what: &'static str,
        /// The statement.
        sql: String,
        /// What PostgreSQL said.
        error: StatementError,
    },
    /// The statements could not be ordered.
    #[error(transparent)]
    Cycle(#[from] super::Cycle),
}

/// Why a statement did not run on a scratch database.
#[derive(Debug, thiserror::Error)]
pub enum StatementError {
    /// PostgreSQL refused it.
    #[error("{}", spelled(.0))]
    Refused(Box<DbError>),
    /// PostgreSQL wants a superuser, and superuser is not lent for this.
    #[error("{}; superuser is not lent for this: {why}", spelled(.error))]
    NotLent {
        /// What PostgreSQL said.
        error: Box<DbError>,
        /// Why not.
        why: String,
    },
    /// A role cannot be dropped, because objects of the database need it.
    #[error("the role is still needed: {}", .0.join(", "))]
    Needed(Vec<String>),
    /// A role could not be made on the copy as well.
    #[error("{0}")]
    Beside(String),
    /// The connection broke.
    #[error("the scratch server: {}", describe(.0))]
    Lost(postgres::Error),
}

impl StatementError {
    /// What to do where PostgreSQL refused it because the scratch server lacks something that the target has.
    pub fn lacking(&self) -> Option<String> {
        match self {
            Self::Refused(error) => crate::source::lacking(error.message()),
            Self::NotLent { .. } | Self::Needed(_) | Self::Beside(_) | Self::Lost(_) => None,
        }
    }
}

impl From<postgres::Error> for StatementError {
    fn from(error: postgres::Error) -> Self {
        match error.as_db_error() {
            Some(refused) => Self::Refused(Box::new(refused.clone())),
            None => Self::Lost(error),
        }
    }
}

impl StatementError {
    /// What PostgreSQL said, where it is still there.
    pub fn db(&self) -> Option<&DbError> {
        match self {
            Self::Refused(error) | Self::NotLent { error, .. } => Some(error),
            Self::Needed(_) | Self::Beside(_) | Self::Lost(_) => None,
        }
    }
}

/// What PostgreSQL said, with its SQLSTATE, detail and hint.
pub fn describe(error: &postgres::Error) -> String {
    error.as_db_error().map_or_else(|| error.to_string(), spelled)
}

fn spelled(db: &DbError) -> String {
    let mut text = format!("{} (SQLSTATE {})", db.message(), db.code().code());
    for (label, more) in [("detail", db.detail()), ("hint", db.hint()), ("where", db.where_())] {
        if let Some(more) = more {
            text.push_str(&format!("; {label}: {more}"));
        }
    }
    text
}

/// Settings under which every statement of a plan is meant.
pub const SETTINGS: &str = "SET search_path = ''; SET check_function_bodies = off; SET client_min_messages = error; \
    SET DateStyle = 'ISO, YMD'; SET IntervalStyle = 'postgres'; SET TimeZone = 'UTC'; SET extra_float_digits = 3; \
    SET standard_conforming_strings = on; SET row_security = off";

/// A connection to a scratch database on which superuser is lent where DDL needs it.
pub(super) struct Session {
    pub client: Client,
    lender: Option<SuperuserLender>,
    role: String,
}

/// How a statement ran.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ran {
    /// In the session.
    Here,
    /// By itself, with superuser; a transaction that was open has ended before it, and another one is open.
    Lent,
}

impl Session {
    /// Connects as the loading role.
    pub fn open(scratch: &Scratch) -> Result<Self, RehearsalError> {
        let mut client = scratch.connect()?;
        client.batch_execute(SETTINGS)?;
        Ok(Self { client, lender: scratch.lender()?, role: scratch.role().to_owned() })
    }

    /// Runs one statement; where PostgreSQL wants a superuser for a kind of DDL that may be lent one, again with it.
    ///
    /// `within` says that a transaction is open. It is committed before superuser is lent: an event trigger that only it
    /// can see could not be turned off, and would run as superuser.
    pub fn run(&mut self, sql: &str, within: bool) -> Result<Ran, StatementError> {
        let lender = self.lender.as_mut().filter(|_| crate::source::lendable(sql));
        let Some(lender) = lender else { return Ok(self.client.batch_execute(sql).map(|()| Ran::Here)?) };
        if within {
            self.client.batch_execute("SAVEPOINT lent")?;
        }
        let Err(error) = self.client.batch_execute(sql) else { return Ok(Ran::Here) };
        let refused = match error.as_db_error() {
            Some(refused) if refused.code() == &SqlState::INSUFFICIENT_PRIVILEGE => Box::new(refused.clone()),
            _ => return Err(error.into()),
        };
        if within {
            self.client.batch_execute("ROLLBACK TO SAVEPOINT lent; COMMIT")?;
        }
        crate::source::lend(lender, &self.role, sql).map_err(|not| match not {
            NotLent::Failed(error) => StatementError::Refused(error),
            NotLent::Denied(why) => StatementError::NotLent { error: refused, why },
            NotLent::Lost(error) => StatementError::Lost(error),
        })?;
        if within {
            self.client.batch_execute("BEGIN")?;
        }
        Ok(Ran::Lent)
    }

    /// Runs statements: many in one message where that works, otherwise one by one.
    pub fn run_all(&mut self, statements: &[String], what: &'static str) -> Result<(), RehearsalError> {
        for some in statements.chunks(TOGETHER) {
            if self.client.batch_execute(&some.join(";\n")).is_ok() {
                continue;
            }
            for sql in some {
                self.run(sql, false).map_err(|error| RehearsalError::Statement { what, sql: sql.clone(), error })?;
            }
        }
        Ok(())
    }
}

/// A scratch database that holds a catalog, made from its definitions where only `empty` is there; and the catalog as it
/// reads there.
pub(super) fn copy(
    engine: &Engine,
    spec: &Spec,
    empty: &Catalog,
    of: &Catalog,
    ledger: &str,
    what: &'static str,
) -> Result<(Scratch, Catalog), RehearsalError> {
    let scratch = engine.database(spec)?;
    let mut session = Session::open(&scratch)?;
    session.run_all(&statements(empty, &of.inside())?, what)?;
    let read = catalog::read(&mut session.client, ledger)?;
    drop(session);
    Ok((scratch, read))
}
