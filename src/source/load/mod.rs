//! Loads the desired state into a scratch database: as it stands where that works, otherwise in order and in rounds.

mod beyond;
mod bodies;
mod connection;
mod extensions;
mod grants;
mod lend;
mod rounds;

pub(super) use connection::{Refused, Trouble};
pub use lend::{Lender, NotLent, lend, lendable};
pub(super) use rounds::Outcome;

use super::Source;
use super::class::Class;
use super::report::{Failure, LoadError};
use super::unit::Unit;
use connection::Connection;
use lend::{Lent, Loans};
use postgres::error::SqlState;
use rounds::Rounds;

/// How many statements are one message, and so one transaction, at most: a transaction holds a lock on everything that it
/// makes, and PostgreSQL goes over all of them at the end of each statement.
pub const TOGETHER: usize = 256;

/// Where and how to load.
pub struct Session<'a> {
    /// The connection of the loading role, outside any transaction.
    pub client: &'a mut postgres::Client,
    /// What lends superuser to the loading role; only where the server is a throw-away one of ours.
    pub lender: Option<&'a mut dyn Lender>,
    /// What to do with statements that reach beyond the database.
    pub beyond: Beyond,
}

/// What to do with statements that reach beyond the database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Beyond {
    /// Creates the roles that they create, without any of their rights; for throw-away servers of ours.
    Run,
    /// Leaves them out.
    Skip,
}

/// What was loaded.
#[derive(Debug)]
pub struct Loaded {
    /// What people should know, with the places in the files.
    pub warnings: Vec<String>,
    /// Statements beyond the database that were left out, and what they are about.
    pub beyond: Vec<(super::About, super::Warning)>,
    /// Whether everything ran in the order of the files.
    pub in_one_go: bool,
}

/// Loads a source; on failure the database holds an unknown part of it.
///
/// # Errors
/// Every statement that fails, with its place and what PostgreSQL says.
pub fn load(source: &Source, session: Session<'_>) -> Result<Loaded, LoadError> {
    let Session { client, lender, beyond } = session;
    let lost = LoadError::from_trouble;
    let connection = Connection::open(client, source).map_err(lost)?;
    let role = connection.role().to_owned();
    let loans = lender.map(|lender| Loans::new(lender, role, source)).transpose().map_err(lost)?;
    let mut loader = Loader { source, connection, loans, clean: true };
    let result = loader.load(beyond);
    let closed = loader.connection.close();
    let loaded = result?;
    closed.map_err(lost)?;
    Ok(loaded)
}

/// One load.
pub(super) struct Loader<'a> {
    source: &'a Source,
    connection: Connection<'a>,
    loans: Option<Loans<'a>>,
    /// Whether nothing but schemas and extensions was made yet, so that no code of the files can run.
    clean: bool,
}

impl Loader<'_> {
    fn load(&mut self, policy: Beyond) -> Result<Loaded, LoadError> {
        let lost = LoadError::from_trouble;
        let beyond = self.beyond(policy).map_err(lost)?;
        let routines = self.routines().map_err(lost)?;
        let mut units: Vec<Unit> = self.units();
        self.extensions(&mut units).map_err(lost)?;
        let done = self.in_file_order(&units).map_err(lost)?;
        let in_one_go = done == units.len();
        if !in_one_go {
            self.rounds(units.split_off(done))?;
        }
        self.clean = false;
        let warnings = self.check_bodies(&routines)?;
        Ok(Loaded { warnings, beyond, in_one_go })
    }

    /// What makes the state, in the order of the files.
    fn units(&self) -> Vec<Unit> {
        let makes = |class| matches!(class, Class::Definition | Class::Call);
        let all = self.source.statements.iter().enumerate();
        all.filter(|(_, statement)| makes(statement.class)).map(|(at, _)| Unit::whole(at)).collect()
    }

    /// Runs units as they stand, as far as that works; how many are done.
    fn in_file_order(&mut self, units: &[Unit]) -> Result<usize, Trouble> {
        let mut done = 0;
        for chunk in units.chunks(TOGETHER) {
            match self.connection.run(&chunk.iter().collect::<Vec<_>>()) {
                Ok(()) => done += chunk.len(),
                Err(Trouble::Refused(_)) => break,
                Err(lost @ Trouble::Lost(_)) => return Err(lost),
            }
            self.clean = false;
        }
        Ok(done)
    }

    fn rounds(&mut self, units: Vec<Unit>) -> Result<(), LoadError> {
        let source = self.source;
        let lost = LoadError::from_trouble;
        let mut rounds = Rounds::new(self, units);
        rounds.run(self).map_err(lost)?;
        let failures = Failure::all(source, &rounds.order, &rounds.outcomes);
        if failures.is_empty() { Ok(()) } else { Err(LoadError::failed(failures)) }
    }

    /// Runs one unit by itself, with superuser when it is refused for the lack of it and may have it.
    fn run_alone(&mut self, unit: &Unit) -> Result<(), Trouble> {
        let statement = &self.source.statements[unit.statement];
        let clean = self.clean;
        // A procedure may have ended its transaction before it failed.
        self.clean &= extensions::is_plain(statement);
        let mut refused = match self.connection.run(&[unit]) {
            Ok(()) => return Ok(()),
            Err(Trouble::Refused(refused)) if refused.error.code() == &SqlState::INSUFFICIENT_PRIVILEGE => refused,
            Err(Trouble::Refused(refused)) if grants::is_of_a_grantee(statement, &refused) => {
                return self.grant_as_owner(unit, refused);
            }
            Err(trouble) => return Err(trouble),
        };
        let Some(loans) = self.loans.as_mut() else { return Err(Trouble::Refused(refused)) };
        let lent = match loans.lend(statement, &unit.text(statement), clean)? {
            Lent::Leakproof => {
                let function = self.connection.create_without_leakproof(unit)?;
                loans.make_leakproof(statement, function)?
            }
            lent => lent,
        };
        match lent {
            Lent::Done => Ok(()),
            Lent::Failed(other) => Err(Trouble::Refused(other)),
            Lent::Denied(why) => {
                refused.not_lent = Some(why);
                Err(Trouble::Refused(refused))
            }
            Lent::Leakproof => Err(Trouble::Refused(refused)),
        }
    }
}

impl Outcome {
    /// Why a unit did not run, if it did not.
    pub(in crate::source) fn refused(&self) -> Option<&Refused> {
        match self {
            Self::Failed(refused) => Some(refused),
            Self::Done | Self::Waiting => None,
        }
    }
}
