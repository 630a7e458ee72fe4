//! What can be wrong with the files themselves, before any statement runs.

use super::statement::Location;
use std::path::PathBuf;

/// Why the desired state could not be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A file or folder could not be read.
    #[error("cannot read {path}: {source}")]
    Read {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// An included file could not be read.
    #[error("{at}: cannot read {path}: {source}")]
    Include {
        /// Where it is included.
        at: Location,
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A file includes itself, directly or through others.
    #[error("{at}: {path} includes itself: {}", chain.join(" -> "))]
    Cycle {
        /// Where the circle closes.
        at: Location,
        /// The file.
        path: String,
        /// The files from the first inclusion to the last.
        chain: Vec<String>,
    },
    /// A folder holds no SQL.
    #[error("{path} holds no file that ends in .sql")]
    Empty {
        /// The folder.
        path: PathBuf,
    },
    /// A file is not text in UTF-8.
    #[error("{at}: {what}")]
    NotText {
        /// The first byte that is wrong.
        at: Location,
        /// What is wrong, and what to do.
        what: String,
    },
    /// A string, comment or quoted name that never ends.
    #[error("{at}: this {what} has no end")]
    Unterminated {
        /// Where it starts.
        at: Location,
        /// What it is.
        what: &'static str,
    },
    /// A psql command that decides what is run.
    #[error("{at}: \\{command} {why}")]
    Command {
        /// Where it stands.
        at: Location,
        /// The command.
        command: String,
        /// Why it cannot be carried out.
        why: &'static str,
    },
    /// A file of more bytes than spans can count.
    #[error("{path} is larger than {} MiB", super::disk::LARGEST >> 20)]
    TooLarge {
        /// The file.
        path: PathBuf,
    },
}
