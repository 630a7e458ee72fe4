//! The ledger: which revisions a database has been through, kept in a schema of that database.

mod error;
mod layout;
mod read;
mod revision;
mod write;

pub use error::Error;
pub use layout::VERSION;
pub use revision::{Entry, Outcome, Resumable, Revision, Step};
pub use write::{Attempt, Opening};

use crate::sql;

/// The ledger of a database, by the name of the schema that holds it.
///
/// Nothing is created until something is recorded; reading what does not exist finds nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ledger {
    schema: String,
}

impl Ledger {
    /// The ledger in this schema.
    pub fn new(schema: impl Into<String>) -> Self {
        Self { schema: schema.into() }
    }

    /// The schema that holds it.
    pub fn schema(&self) -> &str {
        &self.schema
    }

    fn table(&self, name: &str) -> String {
        sql::qualified([self.schema.as_str(), name])
    }
}
