//! Steps that fail, and databases that do not become what the plan says.

use reconcile::{
    apply::{Committed, Doing, Error, Failure, Options, apply},
    catalog::Digest,
    engine::Scratch,
    history::{Ledger, Outcome},
    plan::file::Plan,
};

use super::{applied, attempt, database, outcomes, revisions, there, value};
use crate::handmade::{Handmade, changed};

fn failure(database: &Scratch, plan: &Plan) -> Box<Failure> {
    match attempt(database, plan) {
        Err(Error::Failed(failure)) => failure,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_step_of_the_first_transaction_takes_everything_back() {
    let database = database("CREATE SCHEMA app; CREATE TABLE app.t (id integer)");
    let plan = Handmade::new(&database)
        .step("CREATE TABLE app.new ()")
        .step("ALTER TABLE app.t\n    ADD CONSTRAINT positive\n    CHECK (id > 0)")
        .asked_at("schema.sql:3")
        .plan();
    database.connect().unwrap().batch_execute("INSERT INTO app.t VALUES (-1)").unwrap();
    let failed = failure(&database, &plan);
    assert_eq!((failed.number, failed.of, failed.sqlstate()), (2, 2, Some("23514")));
    assert_eq!((failed.doing, failed.committed, failed.unrecorded.as_deref()), (Doing::Step, Committed::Nothing, None));
    assert!(failed.hints().concat().contains("nothing has been changed"), "{:?}", failed.hints());
    assert!(!there(&database, "app.new"));
    let entry = Ledger::new("reconcile").get(&mut database.connect().unwrap(), &plan.revision).unwrap();
    assert_eq!(entry.revision.outcome, Outcome::Failed);
    let why = "check constraint \"positive\" of relation \"t\" is violated by some row (SQLSTATE 23514)";
    assert_eq!(entry.revision.error.as_deref(), Some(&*format!("step 2: {why}")));
    assert_eq!((entry.steps.len(), entry.steps[0].number, entry.steps[0].error.as_deref()), (1, 2, Some(why)));
    assert_eq!(entry.steps[0].sqlstate.as_deref(), Some("23514"));

    database.connect().unwrap().batch_execute("DELETE FROM app.t").unwrap();
    applied(&database, &plan);
    assert_eq!(outcomes(&database), [(Outcome::Done, 2)]);
    assert_eq!(revisions(&database)[0].error, None);
}

#[test]
fn a_step_of_a_later_transaction_leaves_the_earlier_ones() {
    let database = database("CREATE SCHEMA app; CREATE TABLE app.t (id integer)");
    let plan = Handmade::new(&database)
        .step("CREATE TABLE app.first ()")
        .commit_after("CREATE TABLE app.second ()")
        .step("CREATE TABLE app.third ()")
        .step("ALTER TABLE app.t ADD CONSTRAINT positive CHECK (id > 0)")
        .plan();
    database.connect().unwrap().batch_execute("INSERT INTO app.t VALUES (-1)").unwrap();
    let failed = failure(&database, &plan);
    assert_eq!((failed.number, failed.committed), (4, Committed::Steps(2)));
    assert!(failed.hints().concat().contains("steps 1 to 2 are committed"), "{:?}", failed.hints());
    assert!(there(&database, "app.second") && !there(&database, "app.third"));
    let found = &revisions(&database)[0];
    assert_eq!((found.outcome, found.groups_done, found.groups), (Outcome::Failed, 1, 2));

    // As long as the cause is there, it fails again at the same place.
    assert_eq!(failure(&database, &plan).committed, Committed::Steps(2));
    database.connect().unwrap().batch_execute("DELETE FROM app.t").unwrap();
    let done = applied(&database, &plan);
    assert_eq!((done.resumed, done.steps), (2, 2));
    assert_eq!(outcomes(&database), [(Outcome::Done, 3)]);
    let entry = Ledger::new("reconcile").get(&mut database.connect().unwrap(), &plan.revision).unwrap();
    let steps: Vec<_> = entry.steps.iter().map(|it| (it.attempt, it.number, it.outcome.name())).collect();
    assert_eq!(
        steps,
        [(1, 1, "done"), (1, 2, "done"), (1, 4, "failed"), (2, 4, "failed"), (3, 3, "done"), (3, 4, "done")]
    );
}

#[test]
fn a_plan_is_not_resumed_where_somebody_changed_things_in_between() {
    let database = database("CREATE SCHEMA app; CREATE TABLE app.t (id integer)");
    let plan = Handmade::new(&database)
        .commit_after("CREATE TABLE app.first ()")
        .step("ALTER TABLE app.t ADD CONSTRAINT positive CHECK (id > 0)")
        .plan();
    database.connect().unwrap().batch_execute("INSERT INTO app.t VALUES (-1)").unwrap();
    failure(&database, &plan);
    database.connect().unwrap().batch_execute("DELETE FROM app.t; ALTER TABLE app.first ADD a integer").unwrap();
    let error = attempt(&database, &plan).unwrap_err();
    assert!(
        error.to_string().starts_with("the plan is stale: the database has changed since the plan was interrupted")
    );
    let Error::Stale { differences, resuming: true, .. } = error else { panic!("{error}") };
    assert_eq!(differences.iter().map(|it| it.object.as_str()).collect::<Vec<_>>(), ["COLUMN app.first.a"]);
}

#[test]
fn another_plan_closes_what_was_interrupted() {
    let database = database("CREATE SCHEMA app; CREATE TABLE app.t (id integer)");
    let plan = Handmade::new(&database)
        .commit_after("CREATE TABLE app.first ()")
        .step("ALTER TABLE app.t ADD CONSTRAINT positive CHECK (id > 0)")
        .plan();
    database.connect().unwrap().batch_execute("INSERT INTO app.t VALUES (-1)").unwrap();
    failure(&database, &plan);
    database.connect().unwrap().batch_execute("UPDATE reconcile.revision SET outcome = 'running'").unwrap();
    applied(&database, &Handmade::new(&database).step("CREATE TABLE app.other ()").plan());
    assert_eq!(outcomes(&database), [(Outcome::Done, 1), (Outcome::Failed, 1)]);
    assert!(matches!(attempt(&database, &plan).unwrap_err(), Error::Stale { .. }));
}

#[test]
fn the_message_shows_where_postgresql_pointed() {
    let database = database("CREATE SCHEMA app");
    let wrong = "CREATE TABLE app.wrong (\n    id integer,\n    name txet NOT NULL\n)";
    let plan = Handmade::new(&database).step("CREATE TABLE app.new ()").asked_at("schema.sql:12").plan();
    let plan = changed(&plan, |plan| plan.steps[0].sql = wrong.into());
    let text = failure(&database, &plan).to_string();
    insta::assert_snapshot!(text, @r#"
    step 1 of 1 failed: type "txet" does not exist (SQLSTATE 42704)
      |
    3 |     name txet NOT NULL
      |          ^^^^
    asked for at schema.sql:12
    "#);
    let hidden = "DO $$ BEGIN\n EXECUTE 'CREATE TABLE app.x (id txet)';\nEND $$";
    let plan = changed(&plan, |plan| plan.steps[0].sql = hidden.into());
    insta::assert_snapshot!(failure(&database, &plan).to_string(), @r#"
    step 1 of 1 failed: type "txet" does not exist (SQLSTATE 42704)
        DO $$ BEGIN
         EXECUTE 'CREATE TABLE app.x (id txet)';
        END $$
    in this statement, which a function executed:
      |
    1 | CREATE TABLE app.x (id txet)
      |                        ^^^^
    asked for at schema.sql:12
    context: PL/pgSQL function inline_code_block line 2 at EXECUTE
    "#);
}

#[test]
fn a_lock_that_others_hold_is_waited_for_no_longer_than_allowed() {
    let database = database("CREATE SCHEMA app; CREATE TABLE app.t (id integer)");
    let plan = Handmade::new(&database).step("ALTER TABLE app.t ADD COLUMN a integer").plan();
    let mut other = database.connect().unwrap();
    let mut transaction = other.transaction().unwrap();
    transaction.batch_execute("LOCK TABLE app.t IN ACCESS SHARE MODE").unwrap();
    // The table's oid is looked up without a lock, so that only the step waits.
    let options = Options { lock_timeout: Some(std::time::Duration::from_millis(50)), ..Options::default() };
    let error = apply(&database.target(), &plan, &options, &mut ()).unwrap_err();
    let Error::Failed(failed) = error else { panic!("{error}") };
    assert_eq!(failed.sqlstate(), Some("55P03"));
    assert!(failed.hints()[0].contains("another session holds a lock"));
    drop(transaction);
    apply(&database.target(), &plan, &options, &mut ()).unwrap();
}

#[test]
fn a_guard_between_two_transactions_is_a_refusal_that_can_be_resumed() {
    let database = database("CREATE SCHEMA app");
    let plan = Handmade::new(&database)
        .commit_after("CREATE TABLE app.t AS SELECT 1 AS id")
        .step("ALTER TABLE app.t ADD CONSTRAINT c CHECK (id > 0)")
        .guarded("every id of app.t is positive", "SELECT id FROM app.t WHERE NOT (id > 0)")
        .plan();
    let plan = changed(&plan, |plan| plan.steps[0].sql = "CREATE TABLE app.t AS SELECT -1 AS id".into());
    let error = attempt(&database, &plan).unwrap_err();
    assert!(matches!(&error, Error::Guard(standing) if standing.number == 2), "{error}");
    assert_eq!(outcomes(&database), [(Outcome::Failed, 1)]);
    database.connect().unwrap().batch_execute("UPDATE app.t SET id = 1").unwrap();
    assert_eq!(applied(&database, &plan).resumed, 1);
}

#[test]
fn a_database_that_does_not_become_the_desired_one_is_taken_back() {
    let database = database("CREATE SCHEMA app");
    let plan = Handmade::new(&database)
        .commit_after("CREATE TABLE app.first ()")
        .step("CREATE TABLE app.second (a integer)")
        .plan();
    let plan = changed(&plan, |plan| plan.steps[1].sql = "CREATE TABLE app.second (a bigint, b text)".into());
    let error = attempt(&database, &plan).unwrap_err();
    let text = "the database did not become what the plan says; the last transaction has been rolled back:\n  \
        changed  COLUMN app.second.a\n  added    COLUMN app.second.b";
    assert_eq!(error.to_string(), text);
    assert!(matches!(error, Error::Mismatch { committed: Committed::Steps(1), rolled_back: true, .. }));
    assert!(there(&database, "app.first") && !there(&database, "app.second"));
    assert_eq!(outcomes(&database), [(Outcome::Failed, 1)]);
}

#[test]
fn an_object_may_have_an_equivalent_sum() {
    let database = database("CREATE SCHEMA app");
    let plan = Handmade::new(&database).step("CREATE TABLE app.t (a integer)").plan();
    let object = "COLUMN app.t.a".to_owned();
    let real = plan.desired.objects[&object].clone();
    let other = changed(&plan, |plan| {
        plan.desired.objects.insert(object.clone(), Digest::of("another spelling"));
    });
    assert!(matches!(attempt(&database, &other), Err(Error::Mismatch { .. })));
    let equivalent = changed(&other, |plan| {
        plan.equivalent.insert(object.clone(), [real.clone()].into());
    });
    applied(&database, &equivalent);
}

#[test]
fn what_fails_at_the_commit_is_told_as_such() {
    let database = database(
        "CREATE SCHEMA app; CREATE TABLE app.p (id integer PRIMARY KEY); CREATE TABLE app.c (
         p integer REFERENCES app.p DEFERRABLE INITIALLY DEFERRED)",
    );
    let plan = Handmade::new(&database).step("CREATE TABLE app.new ()").plan();
    let plan =
        changed(&plan, |plan| plan.steps[0].sql = "CREATE TABLE app.new (); INSERT INTO app.c VALUES (1)".into());
    let failed = failure(&database, &plan);
    assert_eq!((failed.doing, failed.sqlstate(), failed.committed), (Doing::Commit, Some("23503"), Committed::Nothing));
    assert!(failed.to_string().starts_with("the commit after step 1 of 1 failed: insert or update"), "{failed}");
    assert_eq!(value(&database, "SELECT count(*) FROM app.c"), "0");
    assert_eq!(outcomes(&database), [(Outcome::Failed, 1)]);
}
