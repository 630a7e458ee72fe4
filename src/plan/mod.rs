//! The plan: changes become ordered steps, are proved on a copy, and are written to a file.

mod decide;
mod draft;
pub mod file;
mod fold;
mod graph;
mod order;

pub use draft::{Draft, Planned, draft};
pub use fold::Cycle;
