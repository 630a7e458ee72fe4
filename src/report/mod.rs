//! A plan for people: on a terminal, and as an SQL script.

mod address;
mod changes;
mod diff;
mod locks;
mod paint;
mod sql;
mod steps;
mod table;
mod terminal;

pub use paint::Paint;
pub use sql::sql;
pub use table::Table;
pub use terminal::{human, losses, summary};
