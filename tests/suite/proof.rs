//! What the proof finds: plans that do other things than they say. Event triggers see to it that there are some.

use reconcile::plan::file::Plan;

use crate::{
    commands::superusers_database,
    project::{Project, Run},
};

const BEFORE: &str = "CREATE SCHEMA app;
CREATE TABLE app.t (id int PRIMARY KEY, note text NOT NULL);
CREATE TABLE app.u (id int);
";

/// What somebody has put on the database: this happens after each ALTER TABLE that the plan executes.
fn meddling(body: &str) -> String {
    format!(
        "CREATE FUNCTION app.meddle() RETURNS event_trigger LANGUAGE plpgsql AS $$BEGIN {body} END$$;
        CREATE EVENT TRIGGER meddle ON ddl_command_end WHEN TAG IN ('ALTER TABLE') EXECUTE FUNCTION app.meddle();"
    )
}

/// Plans a change of both tables on a database where event triggers meddle.
fn planned(body: &str) -> Run {
    let database = superusers_database();
    let project = Project::new().on(&database).schema(&format!("{BEFORE}{}", meddling(body)));
    database.connect().unwrap().batch_execute(&project.read("schema.sql")).unwrap();
    let after = project.read("schema.sql").replace("app.u (id int)", "app.u (id int, more int)");
    let project = project.schema(&after.replace("id int PRIMARY KEY", "id bigint PRIMARY KEY"));
    let run = project.run(["plan"]);
    assert_eq!(project.names("plans"), Vec::<String>::new());
    run
}

/// The plan is a bug of the program: it is shown whole, and not written.
fn is_a_bug(run: Run) -> Run {
    let run = run.code(1).stdout_is_empty().stderr_has("error: this is a bug in reconcile: ");
    let run = run.stderr_has("\nthe steps:\n  1. ").stderr_has("ALTER TABLE app.u ADD COLUMN more integer\n");
    run.stderr_has("hint: please report it").stderr_has("hint: nothing was written and nothing was changed; --no-proof")
}

#[test]
fn what_remains_different_is_told_with_the_steps() {
    let run = is_a_bug(planned("COMMENT ON TABLE app.t IS 'meddled'; CREATE TABLE IF NOT EXISTS app.v (id int);"));
    let run = run.stderr_has("the plan does not lead to the desired state; what remains different:\n");
    let run = run.stderr_has("\n  COMMENT ON TABLE app.t is still there\n");
    run.stderr_has("\n  TABLE app.v is still there\n").never_says("app.u.more");
    let run = is_a_bug(planned(
        "IF EXISTS (SELECT FROM pg_attribute WHERE attrelid = 'app.u'::regclass AND attname = 'more')
        THEN ALTER TABLE app.u DROP COLUMN more; END IF;",
    ));
    run.stderr_has("\n  COLUMN app.u.more is missing\n");
}

#[test]
fn rows_that_are_lost_or_changed_in_silence_are_found() {
    for (body, lost) in [
        ("DELETE FROM app.t;", "table app.t had 3 rows and has 0"),
        ("UPDATE app.t SET note = note || '!';", "the values of column app.t.note have changed"),
    ] {
        let run = is_a_bug(planned(body));
        run.stderr_has(&format!("the plan loses rows without saying so:\n{lost}\n"));
    }
}

#[test]
fn a_step_that_fails_is_told_with_what_postgresql_says() {
    let run = is_a_bug(planned("RAISE 'not today' USING ERRCODE = '42000', HINT = 'come again';"));
    let run = run.stderr_has(" failed on a copy of the current state: not today (SQLSTATE 42000)");
    run.stderr_has("hint: come again").stderr_has("of 2 failed");
}

#[test]
fn a_table_without_rows_is_named() {
    let database = superusers_database();
    let project = Project::new().on(&database);
    let before = "CREATE SCHEMA app; CREATE TABLE app.roomy (id int); CREATE TABLE app.odd (id int CHECK (id > 9 AND id < 3) NOT NULL);
        CREATE TABLE app.needs (id int NOT NULL UNIQUE, CHECK (false))";
    database.connect().unwrap().batch_execute(before).unwrap();
    let project = project.schema(&before.replace("app.roomy (id int)", "app.roomy (id int, more int)"));
    let run = project.run(["plan", "-o", "plan.json"]).code(2).stdout_has("3 rows in 1 table survived");
    let run = run.stdout_has("app.odd").stdout_has("app.needs");
    run.stdout_has("odd_id_check");
    let plan = Plan::from_json(&project.read("plan.json")).unwrap();
    assert_eq!(plan.proof.rows.keys().collect::<Vec<_>>(), ["app.roomy"]);
    assert_eq!(plan.proof.without_rows.keys().collect::<Vec<_>>(), ["app.needs", "app.odd"]);
}
