//! Loads the desired state into a scratch database.

use super::Source;

/// Why the desired state does not load.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct LoadError(String);

impl LoadError {
    /// How many statements failed.
    pub fn count(&self) -> usize {
        1
    }
}

/// Lends superuser.
pub trait Lender {}

impl Lender for crate::engine::SuperuserLender {}

/// Where to load.
pub struct Session<'a> {
    /// The connection of the loading role.
    pub client: &'a mut postgres::Client,
    /// What lends superuser.
    pub lender: Option<&'a mut dyn Lender>,
    /// What to do with statements beyond the database.
    pub beyond: Beyond,
}

/// What to do with statements beyond the database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Beyond {
    /// Creates roles.
    Run,
    /// Leaves them out.
    Skip,
}

/// What was loaded.
#[derive(Debug)]
pub struct Loaded {
    /// What people should know.
    pub warnings: Vec<String>,
}

/// Whether superuser may be lent to a statement.
pub fn lendable(sql: &str) -> bool {
    sql.starts_with("CREATE EXTENSION")
}

/// Loads.
///
/// # Errors
/// What PostgreSQL says.
pub fn load(source: &Source, session: Session<'_>) -> Result<Loaded, LoadError> {
    let client = session.client;
    for file in &source.files {
        client.batch_execute(&file.text).map_err(|error| LoadError(crate::plan::describe(&error)))?;
    }
    Ok(Loaded { warnings: Vec::new() })
}
