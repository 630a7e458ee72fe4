//! The desired state: schema.sql, directories, standard input become statements with spans, and are loaded.

mod body;
mod class;
mod cursor;
mod disk;
mod error;
mod files;
mod head;
mod load;
mod locate;
mod notes;
mod order;
mod outer;
mod parts;
mod psql;
mod report;
mod roles;
mod settings;
mod split;
mod statement;
mod token;
mod unit;

pub use class::Class;
pub use error::Error;
pub use files::{read, read_text};
pub use load::{Beyond, Lender, Loaded, NotLent, Session, TOGETHER, lend, lendable, load};
pub use outer::{About, Apart, Beside, Outer, Refusal};
pub use report::{Failure, LoadError, lacking};
pub use statement::{File, Location, Statement, Warning};

use crate::catalog::Digest;
use std::sync::{Arc, OnceLock};

/// The desired state as it was read: every file, and every statement in order.
#[derive(Debug)]
pub struct Source {
    /// The files in the order in which they were read.
    pub files: Vec<Arc<File>>,
    /// The statements in the order in which they stand, included files in place.
    pub statements: Vec<Statement>,
    warnings: Vec<Warning>,
    sha256: Digest,
    index: OnceLock<locate::Index>,
}

impl Source {
    fn new(files: Vec<Arc<File>>, statements: Vec<Statement>, warnings: Vec<Warning>, sha256: Digest) -> Self {
        Self { files, statements, warnings, sha256, index: OnceLock::new() }
    }

    /// What is left out and people should know.
    pub fn warnings(&self) -> &[Warning] {
        &self.warnings
    }

    /// The SHA-256 of the file, or over those of all files.
    pub fn sha256(&self) -> Digest {
        self.sha256.clone()
    }
}
