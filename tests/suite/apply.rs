//! Plans are applied: exactly once, or not at all, and the ledger says so.

mod failing;
mod gates;
mod interrupted;
mod killed;
mod pooled;

use std::time::Duration;

use reconcile::{
    apply::{Applied, Error, Notice, Options, Outcome, Progress, apply},
    catalog,
    engine::{Scratch, Spec},
    history::{self, Ledger, Revision},
    plan::{file::Plan, locks},
};

use crate::{
    handmade::{Handmade, changed},
    server::{majors, server},
};

/// A database with this in it, on the newest of the servers.
fn database(sql: &str) -> Scratch {
    on(*majors().last().unwrap(), sql)
}

fn on(major: u32, sql: &str) -> Scratch {
    let database = server(major).database(&Spec { role: "owner".into(), ..Spec::default() }).unwrap();
    database.connect().unwrap().batch_execute(sql).unwrap();
    database
}

fn attempt(database: &Scratch, plan: &Plan) -> Result<Outcome, Error> {
    apply(&database.target(), plan, &Options::default(), &mut ())
}

fn applied(database: &Scratch, plan: &Plan) -> Applied {
    match attempt(database, plan) {
        Ok(Outcome::Applied(applied)) => applied,
        Ok(other) => panic!("{other:?}"),
        Err(error) => panic!("{error}"),
    }
}

fn revisions(database: &Scratch) -> Vec<Revision> {
    Ledger::new("reconcile").list(&mut database.connect().unwrap()).unwrap()
}

fn outcomes(database: &Scratch) -> Vec<(history::Outcome, i32)> {
    revisions(database).iter().map(|revision| (revision.outcome, revision.attempts)).collect()
}

/// The one value that a query returns, as text.
fn value(database: &Scratch, query: &str) -> String {
    let row = database.connect().unwrap().query_one(&format!("SELECT ({query})::text"), &[]).unwrap();
    row.get::<_, Option<String>>(0).unwrap_or_default()
}

fn there(database: &Scratch, relation: &str) -> bool {
    value(database, &format!("to_regclass('{relation}') IS NOT NULL")) == "true"
}

#[test]
fn a_plan_is_applied_and_recorded_on_every_major_version() {
    for major in majors() {
        let database = on(major, "CREATE SCHEMA app");
        let plan = Handmade::new(&database)
            .step("CREATE TABLE app.a (id integer PRIMARY KEY, at timestamptz DEFAULT now())")
            .step("ALTER TABLE app.a ADD COLUMN name text")
            .plan();
        let done = applied(&database, &plan);
        assert_eq!((&done.revision, done.steps, done.resumed, done.notices), (&plan.revision, 2, 0, vec![]));
        let entry = Ledger::new("reconcile").get(&mut database.connect().unwrap(), &plan.revision).unwrap();
        assert_eq!(entry.plan, plan);
        assert_eq!(entry.revision.fingerprint_after.as_ref(), Some(&plan.desired.all));
        assert_eq!((entry.revision.outcome, entry.revision.who.as_str()), (history::Outcome::Done, "owner"));
        let steps: Vec<_> = entry.steps.iter().map(|step| (step.number, step.statement.as_str())).collect();
        assert_eq!(steps, [(1, plan.steps[0].sql.as_str()), (2, plan.steps[1].sql.as_str())]);

        let Ok(Outcome::AlreadyApplied(head)) = attempt(&database, &plan) else { panic!("applied twice") };
        assert_eq!(head.id, plan.revision);
        assert_eq!(outcomes(&database), [(history::Outcome::Done, 1)], "nothing is recorded for it");
    }
}

#[test]
fn a_revision_follows_the_one_before() {
    let database = database("CREATE SCHEMA app");
    let first = Handmade::new(&database).step("CREATE TABLE app.a ()").plan();
    applied(&database, &first);
    let second = Handmade::new(&database).step("DROP TABLE app.a").plan();
    let second = changed(&second, |plan| plan.parent = Some(first.revision.clone()));
    applied(&database, &second);
    let found = revisions(&database);
    assert_eq!(found[0].parent.as_ref(), Some(&first.revision));
    assert_eq!(found[0].fingerprint_before, found[1].fingerprint_after.clone().unwrap());
    let error = attempt(&database, &first).unwrap_err();
    assert!(matches!(error, Error::Overtaken { .. }), "{error}");
    assert!(!there(&database, "app.a"), "a plan is not applied again, although the database is as it was");
}

#[test]
fn an_empty_plan_records_nothing() {
    let database = database("CREATE SCHEMA app");
    let plan = Handmade::new(&database).plan();
    assert_eq!(attempt(&database, &plan).unwrap(), Outcome::Nothing);
    assert_eq!(value(&database, "to_regnamespace('reconcile')"), "");
}

#[test]
fn an_unproved_plan_is_applied_with_a_notice() {
    let database = database("CREATE SCHEMA app");
    let plan = Handmade::new(&database).step("CREATE TABLE app.a ()").plan();
    let plan = changed(&plan, |plan| plan.proof.proved = false);
    assert_eq!(applied(&database, &plan).notices, [Notice::Unproved]);
}

#[test]
fn statements_mean_what_they_meant_whatever_the_defaults_of_the_role() {
    let database = database("CREATE SCHEMA app; CREATE TABLE app.a (t timestamptz)");
    let plan = Handmade::new(&database)
        .step("ALTER TABLE app.a ALTER COLUMN t SET DEFAULT '2024-02-01 00:00:00+00'::timestamptz")
        .step("CREATE FUNCTION app.later() RETURNS int LANGUAGE sql AS 'SELECT missing FROM app.nowhere'")
        .step("SELECT pg_catalog.pg_sleep(0.5)")
        .plan();
    database
        .admin()
        .unwrap()
        .batch_execute(&format!(
            "ALTER DATABASE {name} SET search_path = app, public; ALTER DATABASE {name} SET DateStyle = 'SQL, DMY';
             ALTER DATABASE {name} SET TimeZone = 'Asia/Tokyo'; ALTER DATABASE {name} SET default_transaction_read_only = on;
             ALTER DATABASE {name} SET default_transaction_isolation = 'serializable';
             ALTER DATABASE {name} SET statement_timeout = '300ms'; {transaction}",
            name = database.name(),
            transaction = if *majors().last().unwrap() >= 17 {
                format!("ALTER DATABASE {} SET transaction_timeout = '300ms'", database.name())
            } else {
                String::new()
            }
        ))
        .unwrap();
    applied(&database, &plan);
}

#[test]
fn two_at_once_apply_a_plan_once() {
    let database = database("CREATE SCHEMA app");
    let plan = Handmade::new(&database).step("CREATE TABLE app.a ()").step("SELECT pg_catalog.pg_sleep(0.5)").plan();
    let outcomes: Vec<Outcome> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..3).map(|_| scope.spawn(|| attempt(&database, &plan).unwrap())).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    let applied = outcomes.iter().filter(|outcome| matches!(outcome, Outcome::Applied(_))).count();
    let found = outcomes.iter().filter(|outcome| matches!(outcome, Outcome::AlreadyApplied(_))).count();
    assert_eq!((applied, found, revisions(&database).len()), (1, 2, 1));
}

#[test]
fn progress_is_heard() {
    #[derive(Default)]
    struct Heard(Vec<String>);
    impl Progress for Heard {
        fn begin(&mut self, done: usize, of: usize) {
            self.0.push(format!("begin {done} {of}"));
        }
        fn step(&mut self, number: usize, of: usize, sql: &str) {
            self.0.push(format!("step {number} {of} {sql}"));
        }
        fn done(&mut self, number: usize, elapsed: Duration) {
            self.0.push(format!("done {number} {}", elapsed < Duration::from_secs(60)));
        }
        fn verifying(&mut self, number: usize) {
            self.0.push(format!("verifying {number}"));
        }
    }
    let database = database("CREATE SCHEMA app");
    let plan = Handmade::new(&database).commit_after("CREATE TABLE app.a ()").step("DROP TABLE app.a").plan();
    let mut heard = Heard::default();
    apply(&database.target(), &plan, &Options::default(), &mut heard).unwrap();
    let expected = [
        "begin 0 2",
        "step 1 2 CREATE TABLE app.a ()",
        "done 1 true",
        "verifying 1",
        "step 2 2 DROP TABLE app.a",
        "done 2 true",
        "verifying 2",
    ];
    assert_eq!(heard.0, expected);
}

/// The locks that a transaction with these steps holds in the end, and what is estimated.
fn locks_of(database: &Scratch, plan: &Plan) -> (u64, u64) {
    let mut client = database.connect().unwrap();
    let mut transaction = client.transaction().unwrap();
    for step in &plan.steps {
        transaction.batch_execute(&step.sql).unwrap();
    }
    let count = "SELECT count(*) FROM pg_locks WHERE pid = pg_backend_pid()";
    let held = u64::try_from(transaction.query_one(count, &[]).unwrap().get::<_, i64>(0)).unwrap();
    (held, locks::needed(&plan.steps))
}

#[test]
fn a_plan_that_fits_the_lock_table_fits_it_when_it_is_resumed() {
    let database = database("CREATE SCHEMA app; CREATE TABLE app.old ()");
    let plan = Handmade::new(&database).step("CREATE TABLE app.a ()").step("DROP TABLE app.old").plan();
    let capacity =
        || locks::capacity(&catalog::read(&mut database.connect().unwrap(), "reconcile").unwrap(), &plan.steps);
    let at_first = capacity();
    database.connect().unwrap().batch_execute("CREATE TABLE app.a ()").unwrap();
    assert_eq!(capacity(), at_first);
    database.connect().unwrap().batch_execute("DROP TABLE app.old").unwrap();
    assert_eq!(capacity(), at_first + 1);
}

#[test]
fn no_transaction_holds_more_locks_than_estimated_and_not_many_less() {
    let create = |n: usize| {
        [
            format!(
                "CREATE TABLE app.t{n} (id integer PRIMARY KEY GENERATED ALWAYS AS IDENTITY, a text DEFAULT 'x', b text
                 CHECK (b <> ''), c timestamptz, d boolean NOT NULL, e numeric(9, 2), f date, p integer REFERENCES app.p)"
            ),
            format!("CREATE INDEX ON app.t{n} (a)"),
            format!("CREATE INDEX ON app.t{n} (b, c)"),
            format!("CREATE VIEW app.v{n} AS SELECT id, a, b FROM app.t{n}"),
            format!("CREATE FUNCTION app.f{n}() RETURNS integer LANGUAGE sql AS 'SELECT {n}'"),
            format!("CREATE TYPE app.e{n} AS ENUM ('a', 'b')"),
            format!("CREATE TYPE app.r{n} AS RANGE (subtype = integer)"),
            format!("CREATE DOMAIN app.d{n} AS integer CHECK (VALUE > 0)"),
            format!("CREATE TABLE app.s{n} (id integer PRIMARY KEY, t text)"),
            format!("COMMENT ON TABLE app.s{n} IS 'x'"),
        ]
    };
    let alter = |n: usize| {
        [
            format!("ALTER TABLE app.s{n} ADD COLUMN n text, ALTER t TYPE varchar(9)"),
            format!("ALTER TABLE app.t{n} ALTER d DROP NOT NULL"),
        ]
    };
    let drop = |n: usize| {
        let what = ["VIEW v", "TABLE t", "FUNCTION f", "TYPE e", "TYPE r", "DOMAIN d", "TABLE s"];
        what.map(|what| format!("DROP {}{n}", what.replace(' ', " app.")))
    };
    let base = database("CREATE SCHEMA app; CREATE TABLE app.p (id integer PRIMARY KEY)");
    let made = base.copy().unwrap();
    made.connect().unwrap().batch_execute(&(0..6).flat_map(create).collect::<Vec<_>>().join(";")).unwrap();
    let statements: [(&Scratch, Vec<String>); 3] = [
        (&base, (0..6).flat_map(create).collect()),
        (&made, (0..6).flat_map(alter).collect()),
        (&made, (0..6).flat_map(drop).collect()),
    ];
    for (database, statements) in statements {
        let making = statements.iter().fold(Handmade::new(database), |making, sql| making.step(sql));
        let (held, estimate) = locks_of(database, &making.plan());
        assert!((held..held * 2 + 100).contains(&estimate), "{}: {held} held, {estimate} estimated", statements[0]);
    }
}
