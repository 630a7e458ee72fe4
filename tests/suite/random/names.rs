//! Names to choose from: few, so that what is dropped comes back, and some that need quotes.

use super::dice::Dice;
use super::model::{Name, Schema};

/// Schemas; the first is always there at the start.
pub const NAMESPACES: &[&str] = &["app", "shop", "My Schema"];
/// Tables and views, which share their names so that one can take the place of the other.
pub const RELATIONS: &[&str] =
    &["t0", "t1", "t2", "t3", "t4", "t5", "t6", "t7", "order", "Two Words", "it's", "quo\"te"];
/// Enums.
pub const ENUMS: &[&str] = &["e0", "e1", "e2", "State"];
/// Domains.
pub const DOMAINS: &[&str] = &["d0", "d1", "d2", "Email"];
/// Composite types.
pub const COMPOSITES: &[&str] = &["k0", "k1", "Address"];
/// Sequences.
pub const SEQUENCES: &[&str] = &["s0", "s1", "s2"];
/// Functions and procedures.
pub const ROUTINES: &[&str] = &["f0", "f1", "f2", "f3", "f4", "Do It"];
/// Trigger functions, none of which is overloaded.
pub const TRIGGER_FUNCTIONS: &[&str] = &["tf0", "tf1", "tf2"];
/// Columns.
pub const COLUMNS: &[&str] = &["c0", "c1", "c2", "c3", "c4", "c5", "c6", "Name", "user", "größe"];
/// Fields of composite types.
pub const FIELDS: &[&str] = &["f0", "f1", "f2", "f3"];
/// Arguments of routines.
pub const ARGUMENTS: &[&str] = &["a0", "a1", "a2", "Count"];
/// Labels of enums, besides the one that all have.
pub const LABELS: &[&str] = &["new", "done", "it's", "Big One", "x", "y"];
/// Triggers, policies and constraints of domains.
pub const PARTS: &[&str] = &["p0", "p1", "p2", "Part Three"];

/// One of the names that is not taken.
pub fn unused(dice: &mut Dice, pool: &[&str], taken: impl Fn(&str) -> bool) -> Option<String> {
    let free: Vec<&&str> = pool.iter().filter(|name| !taken(name)).collect();
    dice.pick(&free).map(|name| (**name).to_owned())
}

impl Schema {
    /// One of the names in one of the schemas, where neither a type nor a relation has it.
    pub fn unused(&self, dice: &mut Dice, pool: &[&str]) -> Option<Name> {
        let schema = dice.pick(&self.namespaces)?.name.clone();
        let name = unused(dice, pool, |name| self.takes(&schema, name))?;
        Some(Name { schema, name })
    }

    fn takes(&self, schema: &str, name: &str) -> bool {
        let is = |taken: &Name| taken.schema == schema && taken.name == name;
        self.tables.iter().any(|item| is(&item.name))
            || self.views.iter().any(|item| is(&item.name))
            || self.enums.iter().any(|item| is(&item.name))
            || self.domains.iter().any(|item| is(&item.name))
            || self.composites.iter().any(|item| is(&item.name))
            || self.sequences.iter().any(|item| is(&item.name))
    }
}
