//! The catalog: one flat, typed model of what a database holds, and how it is read.

mod definition;
mod equality;
mod fingerprint;
mod id;
pub mod kinds;
mod model;
mod read;
mod resolve;
pub mod secret;
mod step;

pub use definition::{Alteration, At, Concern, Definition, Detour, Gathering, Manner, Shape, Slot, Space, Transfer};
pub use equality::Kept;
pub use fingerprint::{Digest, Fingerprint};
pub use id::{ObjectId, Words};
pub use kinds::{Kind, Object, database, member, new_database, role};
pub use model::{Catalog, Server, Tie, Unmodelled};
pub use read::{Extent, ReadError, read, read_within};
pub use secret::{Encoding, Visit};
pub use step::{Guard, Hazard, Step, Transaction};
