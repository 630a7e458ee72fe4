//! The plan: changes become ordered steps, are proved on a copy, and are written to a file.

mod decide;
mod draft;
mod dropped;
mod equivalence;
pub mod file;
mod fold;
mod graph;
mod group;
mod held;
mod load;
pub mod locks;
mod make;
mod moved;
mod order;
mod proof;
mod rehearsal;
mod rights;
mod scope;
mod script;
pub mod secrets;
mod surroundings;
mod whole;
mod write;

pub use draft::{Draft, Planned, draft};
pub use fold::Cycle;
pub use make::{Made, Manage, PlanError, Request, make};
pub use proof::ProofError;
pub use rehearsal::{RehearsalError, SETTINGS, describe};
pub use scope::touched;
pub use script::script;
pub use surroundings::SurroundingsError;
