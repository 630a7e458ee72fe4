//! PostgreSQL accepts every random schema, its rows, and its mutations.

use proptest::num::u64;
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestRng, TestRunner};
use reconcile::engine::Spec;
use reconcile::plan::describe;

use super::{Schema, mutate, rows, schema};
use crate::server::{majors, server};

/// Loads a schema and its rows, checks what is deferred, and takes it all back.
fn load(client: &mut postgres::Client, schema: &Schema) -> Result<(), TestCaseError> {
    let sql = format!("BEGIN;\n{schema}{}SET CONSTRAINTS ALL IMMEDIATE;\n", rows(schema));
    let result = client.batch_execute(&sql);
    client.batch_execute("ROLLBACK").unwrap();
    result.map_err(|error| TestCaseError::fail(format!("{}\n{sql}", describe(&error))))
}

#[test]
fn every_random_schema_and_mutation_loads() {
    for major in majors() {
        let spec = Spec { role: "random_owner".to_owned(), roles: vec!["app_reader".to_owned()], ..Spec::default() };
        let database = server(major).database(&spec).unwrap();
        let client = std::cell::RefCell::new(database.connect().unwrap());
        let config = Config { cases: 40, failure_persistence: None, ..Config::default() };
        let mut runner = TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha));
        let outcome = runner.run(&(schema(), u64::ANY), |(before, seed)| {
            let after = mutate(&before, seed);
            assert_ne!(after, before, "a mutation changes something");
            assert_eq!(after, mutate(&before, seed), "and always the same");
            load(&mut client.borrow_mut(), &before)?;
            load(&mut client.borrow_mut(), &after)
        });
        assert!(outcome.is_ok(), "on {major}: {}", outcome.unwrap_err());
    }
}
