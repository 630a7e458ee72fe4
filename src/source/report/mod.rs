//! What failed, for people: every statement with its place, a caret, what PostgreSQL says and what we know better.

mod caret;
mod hints;
mod render;
mod suggest;

pub use hints::lacking;

use super::Source;
use super::load::{Outcome, Refused, Trouble};
use super::order::Order;
use super::statement::{File, Location, Statement};
use std::ops::Range;
use std::sync::Arc;

/// Why the desired state does not load.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LoadError {
    /// Statements failed: those that are wrong by themselves first, then those that only lack what the others make.
    #[error("{}", render::all(.0, false))]
    Statements(Vec<Failure>),
    /// The scratch server refused what loading itself does.
    #[error("the scratch server does not allow the load: {0}")]
    Server(String),
    /// The scratch server does not answer any more.
    #[error("the connection to the scratch server broke off: {0}")]
    Lost(#[source] postgres::Error),
}

impl LoadError {
    pub(super) fn failed(mut failures: Vec<Failure>) -> Self {
        failures.sort_by_key(|failure| (failure.consequence_of.is_some(), failure.order));
        Self::Statements(failures)
    }

    pub(super) fn from_trouble(trouble: Trouble) -> Self {
        match trouble {
            Trouble::Refused(refused) => {
                Self::Server(format!("{} (SQLSTATE {})", refused.error.message(), refused.error.code().code()))
            }
            Trouble::Lost(error) => Self::Lost(error),
        }
    }

    /// How many statements failed.
    pub fn count(&self) -> usize {
        self.failures().len().max(1)
    }

    /// The statements that failed.
    pub fn failures(&self) -> &[Failure] {
        match self {
            Self::Statements(failures) => failures,
            Self::Server(_) | Self::Lost(_) => &[],
        }
    }

    /// The whole message, in colour or without.
    pub fn render(&self, color: bool) -> String {
        match self {
            Self::Statements(failures) => render::all(failures, color),
            Self::Server(_) | Self::Lost(_) => self.to_string(),
        }
    }
}

/// A statement that failed.
#[derive(Debug)]
pub struct Failure {
    /// The statement's command and name: `CREATE TABLE app.users`.
    pub title: String,
    /// Where PostgreSQL pointed, or what comes closest.
    pub location: Location,
    /// PostgreSQL's code for the error: `42P01`.
    pub sqlstate: String,
    /// PostgreSQL's message.
    pub message: String,
    /// PostgreSQL's detail.
    pub detail: Option<String>,
    /// PostgreSQL's hint, and ours.
    pub hints: Vec<String>,
    /// Where PostgreSQL was, when the error lies deeper: `PL/pgSQL function f() line 3`.
    pub context: Option<String>,
    /// The failure that this one goes back to.
    pub consequence_of: Option<Location>,
    file: Arc<File>,
    statement: Range<usize>,
    caret: Range<usize>,
    /// The statement's place among all.
    order: usize,
}

impl Failure {
    /// Every unit that did not run.
    pub(super) fn all(source: &Source, order: &Order, outcomes: &[Outcome]) -> Vec<Self> {
        let mut out: Vec<Self> = Vec::new();
        for (unit, outcome) in outcomes.iter().enumerate() {
            let Some(refused) = outcome.refused() else { continue };
            let at = order.units[unit].statement;
            // The parts of one statement fail together.
            if out.iter().any(|failure| failure.order == at) {
                continue;
            }
            let mut failure = Self::new(source, at, refused, refused.offset);
            failure.consequence_of = root(source, order, outcomes, unit).map(|root| {
                let root = &order.units[root];
                let statement = &source.statements[root.statement];
                statement.location()
            });
            out.push(failure);
        }
        out
    }

    /// A routine whose body is wrong.
    pub(super) fn of_body(source: &Source, at: usize, body: &str, refused: &Refused) -> Self {
        let offset = super::body::offset(&source.statements[at], body, &refused.error);
        Self::new(source, at, refused, offset)
    }

    fn new(source: &Source, at: usize, refused: &Refused, offset: Option<usize>) -> Self {
        let statement = &source.statements[at];
        let error = &refused.error;
        let caret = caret::find(statement, error, offset);
        Self {
            title: statement.title(),
            location: statement.file.location(caret.start),
            sqlstate: error.code().code().to_owned(),
            message: error.message().to_owned(),
            detail: error.detail().map(str::to_owned),
            hints: error.hint().map(str::to_owned).into_iter().chain(hints::ours(source, at, refused)).collect(),
            context: error.where_().map(str::to_owned),
            consequence_of: None,
            file: Arc::clone(&statement.file),
            statement: statement.span.clone(),
            caret,
            order: at,
        }
    }
}

/// The failed unit that a failed unit needs and that made it fail, followed to the first one.
fn root(source: &Source, order: &Order, outcomes: &[Outcome], unit: usize) -> Option<usize> {
    let mut seen = vec![unit];
    let mut at = unit;
    while let Some(next) = cause(source, order, outcomes, at).filter(|next| !seen.contains(next)) {
        seen.push(next);
        at = next;
    }
    (at != unit).then_some(at)
}

fn cause(source: &Source, order: &Order, outcomes: &[Outcome], unit: usize) -> Option<usize> {
    let refused = outcomes[unit].refused()?;
    // Undefined tables, columns, functions and objects, and schemas that are not there.
    if !["42P01", "42703", "42883", "42704", "3F000"].contains(&refused.error.code().code()) {
        return None;
    }
    let missing = caret::quoted(refused.error.message())?;
    let missing = missing.split('(').next().unwrap_or_default();
    let name = missing.rsplit('.').next()?.trim_matches('"').trim_end_matches("[]").to_lowercase();
    let makes = |other: &&usize| {
        let other: &Statement = &source.statements[order.units[**other].statement];
        let cursor = other.cursor();
        (0..cursor.len()).any(|at| cursor.from(at).name().is_some_and(|word| word.to_lowercase() == name))
    };
    let failed = order.needs[unit].iter().filter(|other| outcomes[**other].refused().is_some());
    failed.filter(makes).min().copied()
}
