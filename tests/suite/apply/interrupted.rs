//! Connections that end between two instants of applying a plan, and what the next attempt makes of it.

use reconcile::{
    apply::{Committed, Error, Holder, Options, Progress, apply, holder},
    engine::Scratch,
    history::{Ledger, Outcome},
    plan::file::Plan,
};

use super::{applied, attempt, database, outcomes, there, value};
use crate::handmade::{Handmade, changed};

/// Ends the session of the `apply` that it listens to at one instant.
struct Ending<'a> {
    database: &'a Scratch,
    at: At,
}

#[derive(Clone, Copy, PartialEq, Debug)]
enum At {
    Begin,
    Step(usize),
    Verifying(usize),
}

impl Ending<'_> {
    fn reached(&self, at: At) {
        if at == self.at {
            let mut admin = self.database.admin().unwrap();
            let Holder { pid, .. } = holder(&mut admin).unwrap().unwrap();
            admin.execute("SELECT pg_terminate_backend($1, 10000)", &[&pid]).unwrap();
        }
    }
}

impl Progress for Ending<'_> {
    fn begin(&mut self, _: usize, _: usize) {
        self.reached(At::Begin);
    }
    fn step(&mut self, number: usize, _: usize, _: &str) {
        self.reached(At::Step(number));
    }
    fn verifying(&mut self, number: usize) {
        self.reached(At::Verifying(number));
    }
}

fn interrupted(database: &Scratch, plan: &Plan, at: At) -> Error {
    apply(&database.target(), plan, &Options::default(), &mut Ending { database, at }).unwrap_err()
}

#[test]
fn a_plan_of_several_transactions_goes_on_after_the_last_committed_one() {
    let instants = [
        (At::Begin, 0),
        (At::Step(1), 0),
        (At::Step(2), 0),
        (At::Verifying(2), 0),
        (At::Step(3), 2),
        (At::Verifying(3), 2),
        (At::Step(4), 3),
        (At::Verifying(5), 3),
    ];
    for (at, resumed) in instants {
        let database = database("CREATE SCHEMA app; CREATE TABLE app.count (n integer)");
        let plan = Handmade::new(&database)
            .step("CREATE TABLE app.a ()")
            .commit_after("INSERT INTO app.count VALUES (2)")
            .commit_after("DROP TABLE app.a")
            .step("CREATE TABLE app.b ()")
            .step("INSERT INTO app.count VALUES (5)")
            .plan();
        interrupted(&database, &plan, at);
        assert_eq!(there(&database, "app.a"), resumed == 2, "{at:?}");
        assert_eq!(applied(&database, &plan).resumed, resumed, "{at:?}");
        assert_eq!(value(&database, "SELECT string_agg(n::text, ' ') FROM app.count"), "2 5", "{at:?}");
        assert_eq!(outcomes(&database).len(), 1, "{at:?}");
    }
}

#[test]
fn a_connection_that_breaks_says_that_the_end_is_not_known() {
    let database = database("CREATE SCHEMA app");
    let plan = Handmade::new(&database).commit_after("CREATE TABLE app.a ()").step("CREATE TABLE app.b ()").plan();
    let error = interrupted(&database, &plan, At::Step(2));
    let Error::Failed(failed) = &error else { panic!("{error}") };
    assert_eq!(failed.committed, Committed::Unknown(1));
    assert!(failed.unrecorded.is_some());
    assert!(error.hints().concat().contains("apply the same plan again"), "{:?}", error.hints());
    assert_eq!(outcomes(&database), [(Outcome::Running, 1)]);
}

/// A plan with a step outside of transactions in its middle and at its end.
fn with_outside(database: &Scratch) -> Plan {
    Handmade::new(database)
        .step("CREATE TABLE app.a (id integer)")
        .outside("ALTER TABLE app.a ADD COLUMN b integer")
        .step("ALTER TABLE app.a ADD COLUMN c integer")
        .outside("ALTER TABLE app.a DROP COLUMN id")
        .plan()
}

#[test]
fn a_step_outside_of_transactions_is_done_once_whether_its_end_was_recorded_or_not() {
    let instants = [(At::Step(2), 1), (At::Verifying(2), 2), (At::Step(4), 3), (At::Verifying(4), 4)];
    for (at, resumed) in instants {
        let database = database("CREATE SCHEMA app");
        let plan = with_outside(&database);
        interrupted(&database, &plan, at);
        assert_eq!(outcomes(&database), [(Outcome::Running, 1)], "{at:?}");
        assert_eq!(applied(&database, &plan).resumed, resumed, "{at:?}");
        assert_eq!(outcomes(&database), [(Outcome::Done, 2)], "{at:?}");
        let columns = "SELECT string_agg(attname, ' ' ORDER BY attnum) FROM pg_attribute \
            WHERE attrelid = 'app.a'::regclass AND attnum > 0 AND NOT attisdropped";
        assert_eq!(value(&database, columns), "b c", "{at:?}");
        let entry = Ledger::new("reconcile").get(&mut database.connect().unwrap(), &plan.revision).unwrap();
        assert!(!entry.steps.iter().any(|step| step.outcome == Outcome::Running), "{at:?}");
    }
}

#[test]
fn a_step_outside_of_transactions_is_not_mistaken_for_what_somebody_else_did() {
    let database = database("CREATE SCHEMA app");
    let plan = with_outside(&database);
    interrupted(&database, &plan, At::Verifying(2));
    database.connect().unwrap().batch_execute("CREATE TABLE app.foreign_one ()").unwrap();
    let error = attempt(&database, &plan).unwrap_err();
    let Error::Stale { differences, resuming: true, .. } = &error else { panic!("{error}") };
    let names: Vec<&str> = differences.iter().map(|it| it.object.as_str()).collect();
    assert!(names.contains(&"TABLE app.foreign_one") && !names.contains(&"COLUMN app.a.b"), "{error}");
    database.connect().unwrap().batch_execute("DROP TABLE app.foreign_one").unwrap();
    assert_eq!(applied(&database, &plan).resumed, 2);
}

#[test]
fn a_step_outside_of_transactions_that_fails_can_be_repeated() {
    let database = database("CREATE SCHEMA app; CREATE TABLE app.a (id integer)");
    let plan = Handmade::new(&database)
        .step("CREATE TABLE app.b ()")
        .outside("CREATE UNIQUE INDEX CONCURRENTLY a_id ON app.a (id)")
        .step("CREATE TABLE app.c ()")
        .plan();
    database.connect().unwrap().batch_execute("INSERT INTO app.a VALUES (1), (1)").unwrap();
    let error = attempt(&database, &plan).unwrap_err();
    let Error::Failed(failed) = &error else { panic!("{error}") };
    assert_eq!((failed.number, failed.sqlstate(), failed.committed), (2, Some("23505"), Committed::Steps(1)));
    assert!(!there(&database, "app.a_id"), "the invalid index is not left behind");
    assert_eq!(outcomes(&database), [(Outcome::Failed, 1)]);
    database.connect().unwrap().batch_execute("DELETE FROM app.a").unwrap();
    assert_eq!(applied(&database, &plan).resumed, 1);
    assert!(there(&database, "app.a_id") && there(&database, "app.c"));
}

#[test]
fn an_index_that_could_not_be_cleaned_up_at_once_is_cleaned_up_later() {
    let database = database("CREATE SCHEMA app; CREATE TABLE app.a (id integer)");
    let plan = Handmade::new(&database)
        .step("CREATE TABLE app.b ()")
        .outside("CREATE UNIQUE INDEX CONCURRENTLY a_id ON app.a (id)")
        .plan();
    let mut client = database.connect().unwrap();
    client.batch_execute("INSERT INTO app.a VALUES (1), (1)").unwrap();
    attempt(&database, &plan).unwrap_err();
    // The same failure, as it would be left by a clean-up that failed too.
    client.batch_execute(&plan.steps[1].sql).unwrap_err();
    assert!(there(&database, "app.a_id"));
    client.batch_execute("DELETE FROM app.a").unwrap();
    assert_eq!(applied(&database, &plan).resumed, 1);
}

#[test]
fn an_index_that_a_killed_build_left_invalid_is_built_again() {
    let database = database("CREATE SCHEMA app; CREATE TABLE app.a (id integer)");
    let plan = Handmade::new(&database).outside("CREATE UNIQUE INDEX CONCURRENTLY a_id ON app.a (id)").plan();
    interrupted(&database, &plan, At::Step(1));
    let mut client = database.connect().unwrap();
    client.batch_execute("INSERT INTO app.a VALUES (1), (1)").unwrap();
    client.batch_execute(&plan.steps[0].sql).unwrap_err();
    client.batch_execute("DELETE FROM app.a").unwrap();
    assert!(there(&database, "app.a_id"));
    applied(&database, &plan);
    assert_eq!(value(&database, "SELECT indisvalid FROM pg_index WHERE indexrelid = 'app.a_id'::regclass"), "true");
}

#[test]
fn a_last_step_outside_of_transactions_that_leads_elsewhere_is_told() {
    let database = database("CREATE SCHEMA app; CREATE TABLE app.a ()");
    let plan = Handmade::new(&database).outside("ALTER TABLE app.a ADD COLUMN b integer").plan();
    let plan = changed(&plan, |plan| plan.steps[0].sql = "ALTER TABLE app.a ADD COLUMN b bigint".into());
    let error = attempt(&database, &plan).unwrap_err();
    assert!(matches!(error, Error::Mismatch { rolled_back: false, committed: Committed::Steps(1), .. }), "{error}");
    assert_eq!(outcomes(&database), [(Outcome::Failed, 1)]);
}
