//! Random schemas for property tests: whatever comes out is SQL that PostgreSQL 14 to 18 accept.
//!
//! [`schema`] grows a schema step by step, [`mutate`] changes one, [`rows`] fills its tables; printing a schema gives its
//! SQL. Grants name the role `app_reader`, which must exist. The rows of a schema fit into each of its mutations.

mod alter;
mod carry;
mod dice;
mod drop;
mod grow;
mod kinds;
mod model;
mod names;
mod print;
mod rows;
mod settle;
mod types;
mod valid;

use proptest::collection::vec;
use proptest::num::u64;
use proptest::strategy::Strategy;

use crate::fixtures::with_name;
use dice::Dice;
use kinds::Other;
pub use model::{Schema, Server};

/// Schemas of up to a few dozen objects; a failing one shrinks by leaving out steps of its growth.
pub fn schema(server: Server) -> impl Strategy<Value = Schema> {
    vec(u64::ANY.no_shrink(), 3..80).prop_map(move |seeds| grown(server, &seeds))
}

/// The schema that grows in one step for each seed.
pub fn grown(server: Server, seeds: &[u64]) -> Schema {
    let mut schema = Schema { server, ..Schema::default() };
    schema.namespaces.push(grow::namespace("app"));
    for seed in seeds {
        let mut dice = Dice::new(*seed);
        grow::step(&mut schema, &mut dice);
        schema.settle();
    }
    schema
}

/// Another schema that the database can become without losing what both have a place for: some objects are added, some
/// dropped, some changed.
pub fn mutate(schema: &Schema, seed: u64) -> Schema {
    let mut dice = Dice::new(seed);
    let mut after = schema.clone();
    let mut left = 2 + dice.below(10);
    for _ in 0..100 {
        match dice.below(10) {
            0..=2 => grow::step(&mut after, &mut dice),
            3..=4 => drop::step(&mut after, &mut dice),
            _ => alter::step(&mut after, &mut dice),
        }
        after.settle();
        left = left.saturating_sub(1);
        if left == 0 {
            after.carry(schema);
            if after != *schema {
                break;
            }
            left = 1;
        }
    }
    after
}

/// The schema without what changes or shows more of a database than itself, so that others can be beside it.
pub fn beside_others(schema: &Schema) -> Schema {
    let mut schema = schema.clone();
    schema.others.retain(|other| !other.reaches_out());
    schema
}

/// SQL in which everything that has a name outside all schemas, and the schemas, have names of their own.
pub fn apart(sql: &str, number: usize) -> String {
    let wide = kinds::WIDE.iter().flat_map(|word| (0..kinds::NUMBERS).map(move |number| format!("{word}_{number}")));
    let words = names::NAMESPACES.iter().map(|name| (*name).to_owned()).chain(wide);
    words.fold(sql.to_owned(), |sql, word| with_name(&sql, &word, &format!("{word}_x{number:03}")))
}

/// For each attribute of each kind, its name, a schema, and the same with another value of that attribute.
pub fn changes(server: Server, seed: u64) -> Vec<(String, Schema, Schema)> {
    // Superusers are for what only they may have.
    let owner = |other: &Other| Server { superuser: other.needs_superuser(), ..server };
    let schema = |other: Other| Schema { server: owner(&other), others: vec![other], ..grown(server, &[]) };
    let changes = kinds::changes(server, &mut Dice::new(seed));
    changes.into_iter().map(|(before, after)| (before.name(), schema(before), schema(after))).collect()
}

/// SQL that puts rows into the tables that can be filled.
pub fn rows(schema: &Schema) -> String {
    schema.rows()
}
