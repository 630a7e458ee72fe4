//! The sample schema: from nothing, from its older version with rows in it, and back.

use crate::{migration::Texts, server::majors};

const NOW: &str = include_str!("../../schema.sql");
const OLDER: &str = include_str!("../../fixtures/sample/before.sql");
const ROWS: &str = include_str!("../../fixtures/sample/rows.sql");

/// Workers of other tests migrate beside these.
const WORKER: usize = 200;

#[test]
fn the_sample_and_its_older_version_become_each_other_with_rows_and_without() {
    for major in majors() {
        let migrate = |start: &str, rows: &str, goal: &str| {
            let texts = Texts { start: start.to_owned(), goal: goal.to_owned(), rows: rows.to_owned() };
            texts.migrate(major, false, WORKER).unwrap_or_else(|error| panic!("on {major}: {error}"))
        };
        let plan = migrate(OLDER, ROWS, NOW);
        assert!(plan.proof.rows.len() >= 20 && plan.proof.without_rows.is_empty(), "on {major}: {:?}", plan.proof);
        // On one version, also back, and from and to nothing.
        if Some(&major) == majors().last() {
            migrate(NOW, "", OLDER);
            migrate("", "", NOW);
            migrate(NOW, "", "");
        }
    }
}
