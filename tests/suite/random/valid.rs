//! PostgreSQL accepts every random schema, its rows, and its mutations.

use std::collections::BTreeMap;

use proptest::num::u64;
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestRng, TestRunner};
use reconcile::engine::{Scratch, Spec};
use reconcile::plan::describe;

use super::model::{Base, Column, Constraint, Foreign, Name, Notes, Rule, Source, Table, Type};
use super::{Schema, Server, dice::Dice, grown, kinds, mutate, rows, schema};
use crate::server::{majors, trusting_server};

/// A database of a superuser.
fn database(major: u32) -> Scratch {
    let roles = vec!["app_reader".to_owned(), "app_writer".to_owned()];
    let spec = Spec { role: "random_owner".to_owned(), roles, ..Spec::default() };
    trusting_server(major).database(&spec).unwrap()
}

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
        let database = database(major);
        let client = std::cell::RefCell::new(database.connect().unwrap());
        let config = Config { cases: 40, failure_persistence: None, ..Config::default() };
        let mut runner = TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha));
        let outcome = runner.run(&(schema(Server { major, superuser: true }), u64::ANY), |(before, seed)| {
            let after = mutate(&before, seed);
            assert_ne!(after, before, "a mutation changes something");
            assert_eq!(after, mutate(&before, seed), "and always the same");
            load(&mut client.borrow_mut(), &before)?;
            load(&mut client.borrow_mut(), &after)
        });
        assert!(outcome.is_ok(), "on {major}: {}", outcome.unwrap_err());
    }
}

#[test]
fn every_template_loads_whatever_is_chosen() {
    for major in majors() {
        let server = Server { major, superuser: true };
        let database = database(major);
        let mut client = database.connect().unwrap();
        let mut failures = BTreeMap::new();
        for seed in 0..40 {
            for other in kinds::each(server, &mut Dice::new(seed)) {
                let schema = Schema { server, others: vec![other], ..grown(server, &[]) };
                if let Err(TestCaseError::Fail(why)) = load(&mut client, &schema) {
                    failures.insert(why.message().lines().next().unwrap_or_default().to_owned(), why);
                }
            }
        }
        let failures: Vec<String> = failures.values().map(ToString::to_string).collect();
        assert!(failures.is_empty(), "on {major}: {}", failures.join("\n"));
    }
}

#[test]
fn columns_that_refer_to_each_other_crosswise_come_to_rest() {
    let column = |name: &str, ty| Column {
        name: name.to_owned(),
        ty: Type { base: Base::Builtin(ty), array: false },
        not_null: true,
        source: Source::Nothing,
        collate_c: false,
        statistics: None,
        comment: None,
    };
    let names = |names: [&str; 2]| names.map(str::to_owned).to_vec();
    let constraint = |name: &str, rule| Constraint { name: name.to_owned(), rule, comment: None };
    let name = Name { schema: "app".to_owned(), name: "t".to_owned() };
    let (columns, key) = (names(["b", "a"]), "key".to_owned());
    let crosswise = Foreign { columns, table: name.clone(), key, on_delete: 0, deferrable: false, valid: true };
    let table = Table {
        name,
        unlogged: false,
        fillfactor: None,
        replica_identity_full: false,
        columns: vec![column("a", "integer"), column("b", "text")],
        constraints: vec![
            constraint("key", Rule::Primary(names(["a", "b"]))),
            constraint("crosswise", Rule::Foreign(crosswise)),
        ],
        indexes: Vec::new(),
        row_security: false,
        forced: false,
        policies: Vec::new(),
        notes: Notes::default(),
    };
    let mut schema = grown(Server { major: 16, superuser: true }, &[]);
    schema.tables.push(table);
    schema.settle();
    assert_eq!(schema.tables[0].constraints.len(), 1, "{schema}");
}
