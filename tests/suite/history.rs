//! The ledger: reading what is not there, recording, resuming, versions.

use std::{collections::BTreeMap, time::Duration};

use postgres::Client;
use reconcile::{
    catalog::Digest,
    engine::{Scratch, Spec},
    history::{Error, Ledger, Opening, Outcome, Step},
    plan::file::{Group, Plan},
};

use crate::{
    plans,
    server::{majors, server},
};

/// A database on the newest of the servers.
fn database() -> Scratch {
    server(*majors().last().unwrap()).database(&Spec { role: "owner".into(), ..Spec::default() }).unwrap()
}

/// Connects as a role that has no privileges but those of `PUBLIC`.
fn stranger(database: &Scratch) -> Client {
    let role = format!("stranger_of_{}", database.name());
    let mut client = database.admin().unwrap();
    client.batch_execute(&format!("DROP ROLE IF EXISTS {role}; CREATE ROLE {role}; SET ROLE {role}")).unwrap();
    client
}

/// A plan of two groups.
fn plan(revision: &str) -> Plan {
    let message = Some("it's \"new\"".into());
    let groups = vec![Group { first: 0, count: 1, transaction: true }; 2];
    Plan { revision: revision.into(), message, groups, ..plans::empty() }.sealed()
}

fn opening(plan: &Plan) -> Opening<'_> {
    Opening { plan, parent: None, earlier: None, host: "here" }
}

#[test]
fn a_ledger_that_does_not_exist_is_empty() {
    let database = database();
    let ledger = Ledger::new("reconcile");
    for mut client in [database.connect().unwrap(), stranger(&database)] {
        assert_eq!(ledger.head(&mut client).unwrap(), None);
        assert_eq!(ledger.list(&mut client).unwrap(), []);
        assert_eq!(ledger.scope(&mut client).unwrap(), None);
        assert_eq!(ledger.unfinished(&mut client, &Digest::of("p")).unwrap(), None);
        assert!(matches!(ledger.get(&mut client, "abc"), Err(Error::Unknown(_))));
    }
    let left = database.connect().unwrap().query_one("SELECT to_regnamespace('reconcile') IS NULL", &[]).unwrap();
    assert!(left.get::<_, bool>(0), "reading creates nothing");
}

#[test]
fn a_role_without_privileges_is_told_what_it_lacks() {
    let database = database();
    let ledger = Ledger::new("reconcile");
    let plan = plan("aaa");
    let mut stranger = stranger(&database);
    let error = ledger.open(&mut stranger, &opening(&plan)).unwrap_err();
    assert!(error.to_string().contains("SQLSTATE 42501"), "{error}");
    assert!(error.hints().concat().contains("CREATE on the database"), "{error:?}");

    ledger.open(&mut database.connect().unwrap(), &opening(&plan)).unwrap();
    let error = ledger.head(&mut stranger).unwrap_err();
    assert!(error.hints().concat().contains("GRANT USAGE ON SCHEMA reconcile"), "{error:?}");
}

#[test]
fn a_schema_made_beforehand_needs_no_right_to_create_schemas() {
    let database = database();
    let mut stranger = stranger(&database);
    let roles = stranger.query_one("SELECT current_user::text, session_user::text", &[]).unwrap();
    let (role, login): (String, String) = (roles.get(0), roles.get(1));
    let schema = format!("CREATE SCHEMA \"My Ledger\" AUTHORIZATION {role}");
    database.admin().unwrap().batch_execute(&schema).unwrap();
    let ledger = Ledger::new("My Ledger");
    ledger.open(&mut stranger, &opening(&plan("aaa"))).unwrap();
    let listed = ledger.list(&mut stranger).unwrap();
    assert_eq!((&listed[0].who, &listed[0].login, listed[0].outcome), (&role, &login, Outcome::Running));
}

#[test]
fn a_revision_is_opened_advanced_and_finished() {
    let database = database();
    let mut client = database.connect().unwrap();
    let (ledger, plan) = (Ledger::new("reconcile"), plan("abc123"));
    let mut transaction = client.transaction().unwrap();
    let attempt = ledger.open(&mut transaction, &opening(&plan)).unwrap();
    let steps = [
        Step::begun(attempt, 1, "CREATE SCHEMA app").done(Duration::from_millis(7)),
        Step::begun(attempt, 2, "CREATE TABLE app.t ()"),
    ];
    ledger.record(&mut transaction, attempt, &steps).unwrap();
    let progress = BTreeMap::from([("SCHEMA app".to_owned(), Some(Digest::of("x"))), ("SCHEMA b".to_owned(), None)]);
    ledger.advance(&mut transaction, attempt, 1, &progress, Duration::from_millis(10)).unwrap();
    transaction.commit().unwrap();

    let found = ledger.unfinished(&mut client, &plan.id).unwrap().unwrap();
    assert_eq!((found.progress, found.begun, found.revision.groups_done), (progress, Some(2), 1));
    assert_eq!(ledger.head(&mut client).unwrap(), None, "what runs is not the head");

    let again = Opening { earlier: Some(attempt.revision), ..opening(&plan) };
    let attempt = ledger.open(&mut client, &again).unwrap();
    let failed = Step::begun(attempt, 2, "CREATE TABLE app.t ()").failed(Duration::ZERO, Some("42P07"), "exists");
    ledger.record(&mut client, attempt, &[failed]).unwrap();
    ledger.fail(&mut client, attempt, "step 2 failed", Duration::from_millis(5)).unwrap();
    let listed = ledger.list(&mut client).unwrap();
    assert_eq!((listed[0].outcome, listed[0].error.as_deref()), (Outcome::Failed, Some("step 2 failed")));

    let attempt = ledger.open(&mut client, &again).unwrap();
    ledger.finish(&mut client, attempt, &plan.desired.all, Duration::from_millis(5)).unwrap();
    let head = ledger.head(&mut client).unwrap().unwrap();
    assert_eq!((head.id.as_str(), head.attempts, head.duration_ms), ("abc123", 3, 20));
    assert_eq!((head.outcome, head.error, head.groups_done), (Outcome::Done, None, 2));
    assert_eq!(head.fingerprint_after, Some(plan.desired.all.clone()));
    assert_eq!(ledger.scope(&mut client).unwrap(), Some(plan.scope.clone()));
    assert_eq!(ledger.unfinished(&mut client, &plan.id).unwrap(), None);
    let entry = ledger.get(&mut client, "abc").unwrap();
    assert_eq!(entry.plan, plan, "a plan comes back as it was");
    let outcomes: Vec<_> = entry.steps.iter().map(|step| (step.attempt, step.number, step.outcome.name())).collect();
    assert_eq!(outcomes, [(1, 1, "done"), (1, 2, "failed"), (2, 2, "failed")]);
    let json = serde_json::to_value(&entry).unwrap();
    assert_eq!((&json["id"], &json["outcome"]), (&"abc123".into(), &"done".into()));
    assert_eq!(json["started"].as_str().unwrap().len(), "2024-05-01T12:00:00.000000Z".len());
}

#[test]
fn a_revision_is_found_by_what_its_id_begins_with() {
    let database = database();
    let mut client = database.connect().unwrap();
    let ledger = Ledger::new("reconcile");
    for id in ["abc1", "abc2", "abd", "abd1"] {
        let plan = plan(id);
        let attempt = ledger.open(&mut client, &opening(&plan)).unwrap();
        ledger.finish(&mut client, attempt, &plan.desired.all, Duration::ZERO).unwrap();
    }
    assert_eq!(ledger.get(&mut client, "abc2").unwrap().revision.id, "abc2");
    assert_eq!(ledger.get(&mut client, "abd").unwrap().revision.id, "abd", "the whole id is not ambiguous");
    let error = ledger.get(&mut client, "abc").unwrap_err();
    assert_eq!(error.to_string(), "several revisions begin with abc: abc1, abc2");
    assert!(matches!(ledger.get(&mut client, ""), Err(Error::Unknown(_))));
    let listed = ledger.list(&mut client).unwrap();
    assert_eq!(listed.iter().map(|revision| revision.id.as_str()).collect::<Vec<_>>(), ["abd1", "abd", "abc2", "abc1"]);
}

#[test]
fn a_plan_is_done_once_and_an_interrupted_one_does_not_stay_running() {
    let database = database();
    let mut client = database.connect().unwrap();
    let ledger = Ledger::new("reconcile");
    let (one, two) = (plan("one"), plan("two"));
    ledger.open(&mut client, &opening(&one)).unwrap();
    let attempt = ledger.open(&mut client, &opening(&two)).unwrap();
    ledger.finish(&mut client, attempt, &two.desired.all, Duration::ZERO).unwrap();
    let listed = ledger.list(&mut client).unwrap();
    assert_eq!((listed[1].outcome, listed[1].error.as_deref()), (Outcome::Failed, Some("interrupted")));
    let attempt = ledger.open(&mut client, &opening(&two)).unwrap();
    let error = ledger.finish(&mut client, attempt, &two.desired.all, Duration::ZERO).unwrap_err();
    assert!(error.to_string().contains("23505"), "{error}");
}

#[test]
fn a_later_ledger_and_a_foreign_schema_are_refused() {
    let database = database();
    let mut client = database.connect().unwrap();
    client.batch_execute("CREATE SCHEMA other; CREATE TABLE other.step ()").unwrap();
    let error = Ledger::new("other").open(&mut client, &opening(&plan("aaa"))).unwrap_err();
    assert!(matches!(&error, Error::Taken { relation, .. } if relation == "step"), "{error}");

    let ledger = Ledger::new("reconcile");
    ledger.open(&mut client, &opening(&plan("aaa"))).unwrap();
    client.batch_execute("INSERT INTO reconcile.ledger VALUES (2, '9.9.9')").unwrap();
    let error = ledger.list(&mut client).unwrap_err();
    assert!(error.to_string().contains("has version 2, this program knows version 1"), "{error}");
}
