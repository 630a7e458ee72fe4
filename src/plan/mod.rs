//! The plan: changes become ordered steps, are proved on a copy, and are written to a file.

pub mod file;
