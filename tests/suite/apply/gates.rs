//! What is refused before anything is changed.

use std::time::{Duration, Instant};

use reconcile::{
    apply::{Change, Error, Holder, Options, Outcome, Progress, apply, holder},
    engine::Scratch,
    plan::file::Plan,
};

use super::{applied, attempt, database, there, value};
use crate::handmade::{Handmade, changed};

/// A plan that creates a table.
fn simple(database: &Scratch) -> Plan {
    Handmade::new(database).step("CREATE TABLE app.new (id integer)").plan()
}

fn untouched(database: &Scratch) {
    assert!(!there(database, "app.new"));
    assert_eq!(value(database, "to_regnamespace('reconcile')"), "", "nothing is recorded");
}

#[test]
fn a_plan_that_was_edited() {
    let database = database("CREATE SCHEMA app");
    let mut plan = simple(&database);
    plan.steps[0].sql.push_str("; DROP SCHEMA public");
    let error = attempt(&database, &plan).unwrap_err();
    assert!(matches!(error, Error::Edited { .. }), "{error}");
    untouched(&database);
}

#[test]
fn a_plan_whose_groups_are_not_its_steps() {
    let database = database("CREATE SCHEMA app");
    let plan = simple(&database);
    let wrong: [fn(&mut Plan); 4] = [
        |plan| plan.groups[0].count = 2,
        |plan| plan.groups[0].first = 1,
        |plan| plan.groups.clear(),
        |plan| {
            plan.steps.push(plan.steps[0].clone());
            plan.groups[0].count = 2;
            plan.groups[0].transaction = false;
        },
    ];
    for change in wrong {
        let error = attempt(&database, &changed(&plan, change)).unwrap_err();
        assert!(matches!(error, Error::Malformed(_)), "{error}");
    }
    untouched(&database);
}

#[test]
fn losses_that_are_not_allowed_by_name() {
    let database = database("CREATE SCHEMA app; CREATE TABLE app.it (id integer); CREATE TABLE app.old ()");
    let plan = Handmade::new(&database)
        .step("DROP TABLE app.old")
        .losing("TABLE app.old")
        .step("DROP TABLE app.it")
        .losing("TABLE app.\"it's\"")
        .plan();
    let allowing = |what: &[&str]| {
        let options = Options { allow_loss: what.iter().map(|it| (*it).to_owned()).collect(), ..Options::default() };
        apply(&database.target(), &plan, &options, &mut ())
    };
    let error = allowing(&[]).unwrap_err();
    assert_eq!(error.to_string(), "the plan loses data:\n  TABLE app.\"it's\"\n  TABLE app.old");
    let hint = r#"to accept exactly this: --allow-loss 'TABLE app."it'\''s"' --allow-loss 'TABLE app.old'"#;
    assert_eq!(error.hints()[0], hint);
    let error = allowing(&["TABLE app.old"]).unwrap_err();
    assert_eq!(error.to_string(), "the plan loses data:\n  TABLE app.\"it's\"");
    assert!(there(&database, "app.old"));
    allowing(&["TABLE app.old", "TABLE app.\"it's\""]).unwrap();
    assert!(!there(&database, "app.old"));
}

#[test]
fn all_losses_are_allowed_by_one_word() {
    let database = database("CREATE SCHEMA app; CREATE TABLE app.old ()");
    let plan = Handmade::new(&database).step("DROP TABLE app.old").losing("TABLE app.old").plan();
    let options = Options { allow_loss: ["all".to_owned()].into(), ..Options::default() };
    apply(&database.target(), &plan, &options, &mut ()).unwrap();
}

#[test]
fn another_apply_at_work() {
    struct Waiting(Option<Holder>);
    impl Progress for Waiting {
        fn waiting(&mut self, holder: &Holder) {
            self.0 = Some(holder.clone());
        }
    }
    let database = database("CREATE SCHEMA app");
    let slow = Handmade::new(&database).step("CREATE TABLE app.slow ()").step("SELECT 1").plan();
    let slow = changed(&slow, |plan| plan.steps[1].sql = "SELECT pg_catalog.pg_sleep(1000)".into());
    let plan = simple(&database);
    let mut admin = database.admin().unwrap();
    assert_eq!(holder(&mut admin).unwrap(), None);
    std::thread::scope(|scope| {
        let other = scope.spawn(|| attempt(&database, &slow));
        let begun = Instant::now();
        let found = loop {
            assert!(begun.elapsed() < Duration::from_secs(20), "nobody takes the lock");
            match holder(&mut admin).unwrap() {
                Some(found) => break found,
                None => std::thread::sleep(Duration::from_millis(5)),
            }
        };
        assert_eq!((found.user.as_str(), found.application_name.as_str()), ("owner", "reconcile"));
        let options = Options { wait: Duration::from_millis(300), ..Options::default() };
        let mut waiting = Waiting(None);
        let error = apply(&database.target(), &plan, &options, &mut waiting).unwrap_err();
        assert!(error.to_string().contains(&format!("reconcile (pid {}, role owner", found.pid)), "{error}");
        assert_eq!(waiting.0.as_ref(), Some(&found));
        admin.execute("SELECT pg_terminate_backend($1)", &[&found.pid]).unwrap();
        assert!(other.join().unwrap().is_err());
    });
    untouched(&database);
    applied(&database, &plan);
}

#[test]
fn another_database() {
    let database = database("CREATE SCHEMA app");
    let plan = changed(&simple(&database), |plan| {
        plan.target.database = "other".into();
        plan.target.system_identifier = "42".into();
    });
    let error = attempt(&database, &plan).unwrap_err();
    let text = error.to_string();
    assert!(text.contains(&format!("database: planned for other, found {}", database.name())), "{text}");
    assert!(text.contains("system identifier: planned for 42, found") && !text.contains("PostgreSQL:"), "{text}");
    let plan = changed(&simple(&database), |plan| plan.target.major = 9);
    assert!(attempt(&database, &plan).unwrap_err().to_string().contains("PostgreSQL: planned for 9"));
    untouched(&database);
}

#[test]
fn a_transaction_that_is_too_large_for_the_lock_table() {
    let database = database("CREATE SCHEMA app");
    let plan = changed(&simple(&database), |plan| {
        plan.steps[0].creates = (0..70_000).map(|number| format!("TABLE app.t{number}")).collect();
    });
    let error = attempt(&database, &plan).unwrap_err();
    let Error::LockTable { group: 1, needed, available } = error else { panic!("{error}") };
    assert!(needed > 70_000 && needed > available, "{error}");
    assert!(error.hints()[0].contains("max_locks_per_transaction"));
    untouched(&database);
}

#[test]
fn a_plan_made_after_another_revision() {
    let database = database("CREATE SCHEMA app");
    let plan = changed(&simple(&database), |plan| plan.parent = Some("aaaaaaaaaaaa".into()));
    let error = attempt(&database, &plan).unwrap_err();
    let expected = "the plan is stale: it was made after revision aaaaaaaaaaaa, and none is recorded";
    assert_eq!(error.to_string(), expected);
    untouched(&database);
    let first = Handmade::new(&database).step("CREATE TABLE app.a ()").plan();
    applied(&database, &first);
    let error = attempt(&database, &plan).unwrap_err();
    assert!(error.to_string().ends_with(&format!("and the last one is {}", first.revision)), "{error}");
}

#[test]
fn a_plan_that_was_applied_before_others() {
    let database = database("CREATE SCHEMA app");
    let first = Handmade::new(&database).step("CREATE TABLE app.a ()").plan();
    applied(&database, &first);
    let second = Handmade::new(&database).step("CREATE TABLE app.b ()").plan();
    let second = changed(&second, |plan| plan.parent = Some(first.revision.clone()));
    applied(&database, &second);
    applied(&database, &Handmade::new(&database).step("DROP TABLE app.b").plan());
    let error = attempt(&database, &second).unwrap_err();
    assert!(error.to_string().starts_with("the plan was applied at 2"), "{error}");
}

#[test]
fn a_stale_plan_with_the_list_of_what_changed() {
    let database = database(
        "CREATE SCHEMA app; CREATE SCHEMA other; CREATE TABLE app.gone (); CREATE TABLE app.changed (a integer)",
    );
    let plan = simple(&database);
    let change = "DROP TABLE app.gone; CREATE TABLE app.added (); ALTER TABLE app.changed ALTER a TYPE bigint;
        CREATE TABLE other.unmanaged ()";
    database.connect().unwrap().batch_execute(change).unwrap();
    let error = attempt(&database, &plan).unwrap_err();
    let Error::Stale { differences, already: false, resuming: false } = &error else { panic!("{error}") };
    let found = |object: &str| differences.iter().find(|it| it.object == object).map(|it| it.change);
    assert_eq!(found("TABLE app.added"), Some(Change::Added));
    assert_eq!(found("COLUMN app.changed.a"), Some(Change::Changed));
    assert_eq!(found("TABLE app.gone"), Some(Change::Gone));
    assert!(!differences.iter().any(|it| it.object.contains("unmanaged")), "{error}");
    assert!(error.to_string().contains("\n  added    TABLE app.added"), "{error}");
    untouched(&database);
}

#[test]
fn a_stale_plan_whose_work_somebody_did_by_hand() {
    let database = database("CREATE SCHEMA app");
    let plan = simple(&database);
    database.connect().unwrap().batch_execute("CREATE TABLE app.new (id integer)").unwrap();
    let error = attempt(&database, &plan).unwrap_err();
    assert!(matches!(error, Error::Stale { already: true, .. }), "{error}");
    assert!(error.hints()[0].contains("already what the plan leads to"), "{:?}", error.hints());
}

#[test]
fn rows_that_stand_in_the_way() {
    let database = database("CREATE SCHEMA app; CREATE TABLE app.t (id integer, note text)");
    let plan = Handmade::new(&database)
        .step("CREATE TABLE app.new ()")
        .step("ALTER TABLE app.t ALTER COLUMN note SET NOT NULL")
        .guarded("column note of app.t holds no null", "SELECT id, note FROM app.t WHERE note IS NULL LIMIT 10")
        .plan();
    database.connect().unwrap().batch_execute("INSERT INTO app.t VALUES (7, NULL), (8, 'x'), (9, NULL)").unwrap();
    let error = attempt(&database, &plan).unwrap_err();
    let expected = "rows stand in the way of step 2: column note of app.t holds no null\n\
        | id | note   |\n|----|--------|\n| 7  | (null) |\n| 9  | (null) |";
    assert_eq!(error.to_string(), expected);
    untouched(&database);
    database.connect().unwrap().batch_execute("UPDATE app.t SET note = ''").unwrap();
    assert!(matches!(attempt(&database, &plan).unwrap(), Outcome::Applied(_)));
}

#[test]
fn a_role_that_may_not_create_the_ledger() {
    let database = database("CREATE SCHEMA app");
    let admin = format!(
        "DROP ROLE IF EXISTS apply_stranger; CREATE ROLE apply_stranger; GRANT USAGE, CREATE ON SCHEMA app TO apply_stranger;
         GRANT apply_stranger TO owner; ALTER ROLE owner IN DATABASE {} SET role = 'apply_stranger'",
        database.name()
    );
    database.admin().unwrap().batch_execute(&admin).unwrap();
    let plan = simple(&database);
    let error = attempt(&database, &plan).unwrap_err();
    assert!(matches!(error, Error::Ledger(_)), "{error}");
    assert!(error.hints()[0].contains("CREATE on the database"), "{:?}", error.hints());
    let mut admin = database.admin().unwrap();
    admin.batch_execute("REVOKE ALL ON SCHEMA app FROM apply_stranger; REVOKE apply_stranger FROM owner").unwrap();
    assert!(!there(&database, "app.new"));
}
