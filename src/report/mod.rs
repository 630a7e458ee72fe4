//! A plan for people: on a terminal, and as an SQL script; a database as schema.sql.

mod address;
mod changes;
mod diff;
mod family;
mod locks;
mod paint;
mod schema;
mod sql;
mod steps;
mod table;
mod terminal;

pub use address::plural;
pub use paint::Paint;
pub use schema::{MARK, files, schema};
pub use sql::sql;
pub use table::Table;
pub use terminal::{human, losses, summary};
