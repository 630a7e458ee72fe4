//! `apply` in a process of its own, which is killed at instants that nobody chose.

use std::{
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use reconcile::{apply::Outcome, engine::Scratch, history, plan::file::Plan};

use super::{attempt, database, outcomes, value};
use crate::handmade::{Handmade, changed};

const ROUNDS: u32 = 20;

fn spawn(database: &Scratch, plan: &Plan, folder: &tempfile::TempDir) -> Child {
    let path = folder.path().join(format!("{}.json", database.name()));
    std::fs::write(&path, plan.to_json()).unwrap();
    Command::new(env!("CARGO_BIN_EXE_reconcile"))
        .args(["apply", "--yes"])
        .arg(path)
        .current_dir(folder)
        .envs(database.target().variables())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

fn plan(database: &Scratch) -> Plan {
    Handmade::new(database)
        .step("CREATE TABLE app.a (id integer)")
        .commit_after("INSERT INTO app.count VALUES (2)")
        .commit_after("ALTER TABLE app.a ADD COLUMN b integer")
        .outside("CREATE INDEX CONCURRENTLY a_id ON app.a (id)")
        .step("ALTER TABLE app.a ADD COLUMN c integer")
        .commit_after("INSERT INTO app.count VALUES (6)")
        .outside("CREATE UNIQUE INDEX CONCURRENTLY a_b ON app.a (b)")
        .step("ALTER TABLE app.a ADD COLUMN d integer")
        .step("INSERT INTO app.count VALUES (9)")
        .plan()
}

#[test]
fn whenever_it_is_killed_a_second_apply_finishes_the_work_exactly_once() {
    let base = database("CREATE SCHEMA app; CREATE TABLE app.count (n integer)");
    let plan = plan(&base);
    let folder = tempfile::tempdir().unwrap();
    let (mut untouched, mut resumed) = (0, 0);
    let mut whole = Duration::ZERO;
    for round in 0..=ROUNDS {
        let database = base.copy().unwrap();
        let plan = changed(&plan, |plan| plan.target.database = database.name().to_owned());
        let begun = Instant::now();
        let mut child = spawn(&database, &plan, &folder);
        if round == 0 {
            // How long it takes when nobody disturbs it.
            assert!(child.wait().unwrap().success());
            whole = begun.elapsed();
        } else {
            std::thread::sleep(whole * round / ROUNDS);
            child.kill().unwrap();
            child.wait().unwrap();
        }
        match attempt(&database, &plan) {
            Ok(Outcome::Applied(applied)) if applied.resumed == 0 => untouched += 1,
            Ok(Outcome::Applied(_)) => resumed += 1,
            Ok(Outcome::AlreadyApplied(_)) => {}
            other => panic!("round {round}: {other:?}"),
        }
        assert_eq!(value(&database, "SELECT string_agg(n::text, ' ') FROM app.count"), "2 6 9", "round {round}");
        let valid = "SELECT count(*) FROM pg_index WHERE indrelid = 'app.a'::regclass AND indisvalid";
        assert_eq!(value(&database, valid), "2", "round {round}");
        let found = outcomes(&database);
        assert!(matches!(found.as_slice(), [(history::Outcome::Done, _)]), "round {round}: {found:?}");
        assert!(matches!(attempt(&database, &plan), Ok(Outcome::AlreadyApplied(_))), "round {round}");
    }
    assert!(untouched > 0 && resumed > 0, "killed before anything {untouched} times, in between {resumed} times");
}

#[test]
fn a_killed_apply_does_not_keep_the_lock_for_as_long_as_its_statement_would_take() {
    let database = database("CREATE SCHEMA app");
    let folder = tempfile::tempdir().unwrap();
    let slow = Handmade::new(&database).step("CREATE TABLE app.slow ()").step("SELECT 1").plan();
    let slow = changed(&slow, |plan| plan.steps[1].sql = "SELECT pg_catalog.pg_sleep(1000)".into());
    let other = Handmade::new(&database).step("CREATE TABLE app.other ()").plan();
    let mut child = spawn(&database, &slow, &folder);
    let begun = Instant::now();
    let sleeping = "SELECT count(*) FROM pg_stat_activity WHERE query ~ '^SELECT pg_catalog.pg_sleep'";
    while value(&database, sleeping) != "1" {
        assert!(begun.elapsed() < Duration::from_secs(30), "it never gets to its second step");
        std::thread::sleep(Duration::from_millis(20));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(matches!(attempt(&database, &other), Ok(Outcome::Applied(_))));
}
