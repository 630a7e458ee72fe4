//! The commands that work on a database, from end to end.

use std::process::Command;

use reconcile::{
    engine::{Scratch, Spec},
    plan::file::Plan,
};
use serde_json::Value;

use crate::{
    project::Project,
    server::{majors, server, trusting_server},
};

/// A schema with a table and a view on it.
const BEFORE: &str = "CREATE SCHEMA app;
CREATE TABLE app.users (id bigint PRIMARY KEY, email varchar(50) NOT NULL);
CREATE TABLE app.old (id bigint PRIMARY KEY);
CREATE VIEW app.mails AS SELECT email FROM app.users;
";
/// The same without a table, with a column of another type, and with a new one.
const AFTER: &str = "CREATE SCHEMA app;
CREATE TABLE app.users (id bigint PRIMARY KEY, email text NOT NULL, nick text);
CREATE VIEW app.mails AS SELECT email FROM app.users;
";

/// An empty database whose owner is no superuser, as in production.
fn database() -> Scratch {
    server(*majors().last().unwrap()).database(&Spec { role: "app_owner".into(), ..Spec::default() }).unwrap()
}

/// An empty database whose owner may do everything.
pub fn superusers_database() -> Scratch {
    let spec = Spec { role: "app_owner".into(), ..Spec::default() };
    trusting_server(*majors().last().unwrap()).database(&spec).unwrap()
}

/// A project whose database is what schema.sql says.
fn applied(database: &Scratch, schema: &str) -> Project {
    let project = Project::new().schema(schema).on(database);
    project.run(["apply", "--yes"]).code(0).stdout_has("Applied revision");
    project
}

/// The only plan in the folder of plans, and its path.
fn only_plan(project: &Project) -> (String, Plan) {
    let names = project.names("plans");
    let [name] = names.as_slice() else { panic!("one plan expected: {names:?}") };
    let path = format!("plans/{name}");
    let plan = Plan::from_json(&project.read(&path)).unwrap();
    assert_eq!(*name, format!("{}.json", plan.revision));
    (path, plan)
}

#[test]
fn a_plan_is_made_shown_applied_and_recorded() {
    let database = database();
    let project = Project::new().schema(BEFORE).on(&database);
    let run = project.run(["plan", "-m", "first steps"]).code(2).stdout_has("+ TABLE app.users");
    let run = run.stdout_has("  first steps\n").stdout_has("Proved on PostgreSQL");
    let (path, plan) = only_plan(&project);
    run.stdout_has(&format!("Apply it with: reconcile apply {path}\n"));
    project.run(["show", &plan.revision, "--format", "sql"]).code(0).stdout_has("CREATE TABLE app.users");

    let of = plan.steps.len();
    let run = project.run(["apply", &path, "--yes"]).code(0).stdout_has(&format!("Applied revision {}", plan.revision));
    run.stderr_has(&format!("[1/{of}] CREATE SCHEMA app (")).stderr_has(&format!("[{of}/{of}] "));
    project.run(["plan"]).code(0).stdout_has("Nothing to do").never_says("plans/");
    assert_eq!(project.names("plans").len(), 1);

    project.run(["log"]).code(0).stdout_has(&plan.revision).stdout_has("first steps").stdout_has("done");
    let run = project.run(["log", &plan.revision[..5]]).code(0).stdout_has("CREATE TABLE app.users");
    run.stdout_has("app_owner@");
    let log = project.run(["log", "--format", "json"]).code(0).stdout();
    let log: Value = serde_json::from_str(&log).unwrap();
    assert_eq!((&log[0]["id"], &log[0]["outcome"]), (&plan.revision.as_str().into(), &"done".into()));
    let entry = project.run(["log", &plan.revision, "--format", "json"]).code(0).stdout();
    let entry: Value = serde_json::from_str(&entry).unwrap();
    assert_eq!(entry["steps"].as_array().map(Vec::len), Some(of));
    project.run(["log", "ffffffff"]).code(1).stderr_has("no revision ffffffff").stderr_has("hint: `reconcile log`");

    let run = project.run(["apply", &path, "--yes"]).code(0);
    run.stdout_has(&format!("Revision {} has been applied already", plan.revision));
}

#[test]
fn two_runs_write_the_same_bytes_wherever_they_start() {
    let database = database();
    let project = Project::new().schema(BEFORE).config("plans: plans\n").file("sub/x", "").on(&database);
    let first = project.run(["plan", "-o", "-"]).code(2).stderr_has("+ TABLE app.users").stdout();
    let second = project.run_in("sub", "", &["plan", "-o", "-"]).code(2).stdout();
    assert_eq!(first, second);
    assert_eq!(project.names("plans"), Vec::<String>::new());
    project
        .run_in("sub", "", &["plan", "-o", "p.json", "--schema", "../schema.sql"])
        .code(2)
        .stdout_has("apply p.json");
    assert_eq!(project.read("sub/p.json"), first);
    assert!(first.contains("\"server\": \"PostgreSQL 1") && !first.contains(" from "), "{first}");
    assert!(first.contains("schema.sql:2:1") && !first.contains(&project.path(".").display().to_string()), "{first}");
}

#[test]
fn a_loss_is_refused_unless_it_is_allowed_by_name() {
    let database = database();
    let project = applied(&database, BEFORE).schema(AFTER);
    let run = project.run(["plan"]).code(2).stdout_has("--allow-loss 'TABLE app.old'");
    run.stdout_has("- TABLE app.old").stdout_has("data_type").stdout_has("VIEW app.mails");
    let (path, _) = only_plan(&project);
    let run =
        project.run(["apply", &path, "--yes"]).code(1).stderr_has("refused: the plan loses data:\n  TABLE app.old");
    run.stderr_has("hint: to accept exactly this: --allow-loss 'TABLE app.old'");
    let run = project.run(["apply", &path, "--yes", "--allow-loss", "TABLE app.users"]).code(1);
    run.stderr_has("the plan loses no TABLE app.users").stderr_has("refused: the plan loses data");
    project.run(["apply", &path, "--yes", "--allow-loss", "TABLE app.old"]).code(0).stdout_has("Applied revision");
    project.run(["plan"]).code(0);
    project.write("schema.sql", "CREATE SCHEMA app;");
    project.run(["apply", "--yes", "--allow-loss", "all"]).code(0).stdout_has("Applied revision");
    let log = project.run(["log"]).code(0).stdout();
    assert_eq!(log.matches("done").count(), 3, "{log}");
}

#[test]
fn apply_asks_and_where_it_cannot_ask_it_refuses() {
    let database = database();
    let project = Project::new().schema(BEFORE).on(&database);
    let run = project.run(["apply"]).code(1).stderr_has("refused: nobody can be asked");
    run.stderr_has("hint: --yes applies without asking");
    let said = project.answer("n\n", &["apply"]).code(0).stdout_has("Nothing was applied").stdout();
    assert!(said.contains("+ TABLE app.users") && said.contains("Apply this to scratch_"), "{said}");
    project.run(["log"]).code(0).stdout_is("No revision is recorded\n");
    project.answer("y\n", &["apply", "-m", "yes"]).code(0).stdout_has("Applied revision");
    project.run(["log"]).code(0).stdout_has("yes");
    let project = project.schema(AFTER);
    let run = project.answer("y\n", &["apply", "--allow-loss", "all"]).code(0).stdout_has("Applied revision");
    let said = run.stdout();
    let question = said.find("Apply this to").unwrap();
    assert!(said[..question].trim_end().ends_with("- 1 drop"), "{said}");
}

#[test]
fn a_stale_plan_is_refused_with_what_has_changed() {
    let database = database();
    let project = applied(&database, BEFORE).schema(&format!("{BEFORE}CREATE TABLE app.later ();"));
    project.run(["plan"]).code(2);
    let (path, _) = only_plan(&project);
    database.connect().unwrap().batch_execute("ALTER TABLE app.users ADD COLUMN sneaky int").unwrap();
    let run = project.run(["apply", &path, "--yes"]).code(1).stderr_has("refused: the plan is stale");
    run.stderr_has("COLUMN app.users.sneaky").stderr_has("hint: plan again");
    let edited = project.read(&path).replace("CREATE TABLE app.later", "CREATE TABLE app.sooner");
    project.write("edited.json", &edited);
    project.run(["apply", "edited.json", "--yes"]).code(1).stderr_has("has been changed after it was made");
    let other = server(*majors().last().unwrap()).database(&Spec::default()).unwrap();
    let elsewhere = Project::new().file("plan.json", &project.read(&path)).on(&other);
    elsewhere
        .run(["apply", "plan.json", "--yes"])
        .code(1)
        .stderr_has("refused: the plan was made for another database");
}

#[test]
fn a_plan_without_proof_says_so() {
    let database = database();
    let project = Project::new().schema(BEFORE).on(&database);
    project.run(["plan", "--no-proof"]).code(2).stdout_has("Not proved: made with --no-proof");
    let (path, plan) = only_plan(&project);
    assert!(!plan.proof.proved);
    project.run(["apply", &path, "--yes"]).code(0).stderr_has("warning: the plan was not proved");
}

#[test]
fn only_what_is_managed_is_compared() {
    let database = database();
    database.connect().unwrap().batch_execute("CREATE SCHEMA other; CREATE TABLE other.t ()").unwrap();
    let project = Project::new().schema(BEFORE).on(&database);
    project.run(["plan"]).code(2).stdout_has("outside the managed scope").never_says("other.t");
    project.run(["plan", "--manage", "all"]).code(2).stdout_has("- TABLE other.t").never_says("outside the managed");
    project.write("reconcile.yaml", "manage: { ignore: ['other.*', other] }\n");
    project.run(["plan", "--manage", "all"]).code(2).never_says("other.t");
    project.write("reconcile.yaml", "manage: { schemas: [other] }\n");
    project.run(["plan"]).code(2).stdout_has("- TABLE other.t").never_says("app.users");
}

#[test]
fn what_inspect_prints_is_what_the_database_is() {
    let database = database();
    let project = applied(&database, BEFORE);
    let text = project.run(["inspect"]).code(0).stdout_has("CREATE VIEW app.mails").stdout();
    assert!(text.find("CREATE TABLE app.users") < text.find("CREATE VIEW app.mails"), "{text}");
    assert!(!text.contains("OWNER TO") && !text.contains("reconcile.revision"), "{text}");
    project.run(["inspect", "-o", "schema.sql"]).code(0).stdout_is_empty();
    assert_eq!(project.read("schema.sql"), text);
    project.run(["plan"]).code(0).stdout_has("Nothing to do");
    project.run_with(&text, ["plan", "--schema", "-"]).code(0).stdout_has("Nothing to do");

    project.run(["inspect", "--dir", "db"]).code(0);
    assert_eq!(project.names("db/app/table"), ["old.sql", "users.sql"]);
    assert!(project.read("db/app/table/users.sql").contains("CREATE TABLE app.users"));
    project.run(["plan", "--schema", "db"]).code(0).stdout_has("Nothing to do");
    project.run(["inspect", "--dir", "db"]).code(1).stderr_has("refused: db has SQL in it").stderr_has("--force");
    database.connect().unwrap().batch_execute("DROP TABLE app.old").unwrap();
    project.run(["inspect", "--dir", "db", "--force"]).code(0);
    assert_eq!(project.names("db/app/table"), ["users.sql"]);
    project.write("db/app/table/users.sql", "-- mine");
    project.run(["inspect", "--dir", "db", "--force"]).code(1).stderr_has("was not written by inspect");
    assert_eq!(project.read("db/app/table/users.sql"), "-- mine");
    project.run(["inspect", "--manage", "public"]).code(0).never_says("app.users");
}

#[test]
fn inspect_prints_what_was_changed_about_schema_public() {
    for major in majors() {
        let spec = Spec { role: "owner".into(), ..Spec::default() };
        let database = server(major).database(&spec).unwrap();
        let project = Project::new().on(&database);
        project.run(["inspect", "-o", "schema.sql"]).code(0);
        assert!(!project.read("schema.sql").contains("SCHEMA public"), "{major}: {}", project.read("schema.sql"));
        let change = "ALTER SCHEMA public OWNER TO owner; COMMENT ON SCHEMA public IS 'ours'; \
            REVOKE USAGE ON SCHEMA public FROM PUBLIC";
        database.admin().unwrap().batch_execute(change).unwrap();
        database.connect().unwrap().batch_execute("CREATE TABLE public.t (a int)").unwrap();
        project.run(["inspect", "-o", "schema.sql"]).code(0);
        let text = project.read("schema.sql");
        assert!(
            text.contains("COMMENT ON SCHEMA public IS 'ours'") && text.contains("ON SCHEMA public FROM PUBLIC"),
            "{text}"
        );
        project.run(["plan", "--manage", "all"]).code(0).stdout_has("Nothing to do");
    }
}

#[test]
fn init_writes_the_schema_of_a_database_and_no_password() {
    let database = database();
    applied(&database, BEFORE);
    let target = database.target();
    let project = Project::new().on(&database);
    let url = target.url();
    project.run(["init", "--db", &url]).code(0).stderr_has("wrote schema.sql").stderr_has("wrote reconcile.yaml");
    assert!(project.read("schema.sql").contains("CREATE VIEW app.mails"));
    let yaml = project.read("reconcile.yaml");
    assert!(yaml.contains(&format!("db: {url}\n")) || yaml.contains(&format!("db: '{url}'\n")), "{yaml}");
    for (_, secret) in target.variables().into_iter().filter(|(name, _)| *name == "PGPASSWORD") {
        assert!(!yaml.contains(&secret));
    }
    project.run(["plan"]).code(0).stdout_has("Nothing to do");
    project.run(["init", "--db", &url]).code(1).stderr_has("refused: ");
}

#[test]
fn what_stands_in_the_way_is_told_with_what_to_do() {
    let project = Project::new().variable("RECONCILE_DB", "postgres://app:s3cret@127.0.0.1:1/shop");
    project.run(["plan"]).code(1).stderr_has("cannot read schema.sql").stderr_has("reconcile inspect --db");
    let project = project.schema("SELECT 'open");
    project.run(["plan"]).code(1).stderr_has("error: schema.sql:1:8: this string has no end");
    let project = project.schema(BEFORE);
    for command in ["plan", "log", "inspect"] {
        let run = project.run([command]).code(1).stderr_has("127.0.0.1:1").stderr_has("\"shop\" as user \"app\"");
        run.never_says("s3cret");
    }
    project.run(["plan", "--db", "postgres://a:s3cret@h:x/d"]).code(1).stderr_has("error: ").never_says("s3cret");
    project.run(["plan", "--engine", "cloud"]).code(1).stderr_has("expected `auto`, `target`");
    let database = database();
    let project = Project::new().schema("CREATE SCHEMA app;\nCREATE TABLE app.t (c nothing);").on(&database);
    let run = project.run(["plan"]).code(1).stderr_has("type \"nothing\" does not exist");
    run.stderr_has("schema.sql:2").never_says("\u{1b}[");
    project.run(["plan", "--color", "always"]).code(1).stderr_has("\u{1b}[");
    assert_eq!(project.names("plans"), Vec::<String>::new());
}

#[test]
fn the_scratch_server_can_be_another_database_server() {
    let database = database();
    let place = database.admin_target();
    let project = place.variables().into_iter().fold(Project::new(), |it, (name, value)| it.variable(name, &value));
    let project = project.schema(BEFORE);
    let url = place.url();
    project.run(["plan", "--db", &database.target().url(), "--engine", &url]).code(2).stdout_has("+ TABLE app.users");
    project.run(["plan", "--db", &url, "--engine", "target"]).code(2).stdout_has("+ TABLE app.users");
}

#[test]
fn a_plan_names_the_commit_of_an_unchanged_source() {
    let database = database();
    let project = Project::new().schema(BEFORE).on(&database);
    let git = |arguments: &[&str]| {
        let who = ["-c", "user.name=a", "-c", "user.email=a@b.example", "-c", "commit.gpgsign=false"];
        let output = Command::new("git").current_dir(project.path(".")).args(who).args(arguments).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    };
    let commit = || {
        let plan = project.run(["plan", "-o", "-"]).code(2).stdout();
        Plan::from_json(&plan).unwrap().source.commit
    };
    assert_eq!(commit(), None);
    git(&["init", "-q"]);
    assert_eq!(commit(), None);
    git(&["add", "schema.sql"]);
    git(&["commit", "-qm", "schema"]);
    let head = git(&["rev-parse", "HEAD"]);
    assert_eq!(commit(), Some(head.clone()));
    project.write("plans/x.json", "{}");
    git(&["add", "plans"]);
    git(&["commit", "-qm", "a plan"]);
    assert_eq!(commit(), Some(head));
    project.write("schema.sql", &format!("{BEFORE}-- changed\n"));
    assert_eq!(commit(), None);
}

#[test]
fn a_project_without_a_database_has_its_own() {
    let project = Project::new().schema(BEFORE);
    project.run(["log"]).code(0).stdout_is("No revision is recorded\n");
    project.run(["db", "status"]).code(0).stdout_has("There is none yet");
    project.run(["db", "url"]).code(1).stderr_has("is not running").stderr_has("hint: `reconcile db start`");
    assert_eq!(project.names(".reconcile"), Vec::<String>::new());

    let run = project.run(["plan"]).code(2).stderr_has("no database is configured; using PostgreSQL");
    run.stderr_has("postgres://").stdout_has("+ TABLE app.users");
    project.run(["db", "status"]).code(0).stdout_is("Stopped\n");
    let url = project.run(["db", "start"]).code(0).stdout_has("postgres://").stdout();
    project.run(["db", "url"]).code(0).stdout_is(&url);
    project.run(["db", "status"]).code(0).stdout_has("Running, kept up").stdout_has(url.trim());
    project.run(["apply", "--yes"]).code(0).stdout_has("Applied revision");
    project.run(["db", "stop"]).code(0).stdout_is("Stopped\n");
    project.run(["db", "stop"]).code(0).stdout_is("It was not running\n");
    project.run(["log"]).code(0).stdout_has("done");
    project.run(["plan"]).code(0).stdout_has("Nothing to do");
}

#[test]
fn what_leaves_the_file_is_dropped_and_what_never_was_in_it_stays() {
    let database = superusers_database();
    let around = "CREATE SCHEMA other; CREATE TABLE other.t (id int PRIMARY KEY); CREATE EXTENSION citext;
        CREATE PUBLICATION theirs FOR TABLE other.t";
    database.connect().unwrap().batch_execute(around).unwrap();
    let stays = "CREATE SCHEMA app;
CREATE TABLE app.t (id int REFERENCES other.t, name public.citext);
";
    let leaves = "CREATE SCHEMA extra; CREATE TABLE extra.t (id int); CREATE PUBLICATION ours FOR TABLE extra.t;
CREATE EXTENSION hstore;
";
    let project = applied(&database, &format!("{stays}{leaves}"));
    project.run(["plan"]).code(0).stdout_has("Nothing to do");
    let project = project.schema(stays);
    let run = project.run(["plan", "-o", "plan.json"]).code(2);
    let run = ["SCHEMA extra", "TABLE extra.t", "PUBLICATION ours", "EXTENSION hstore"]
        .into_iter()
        .fold(run, |run, gone| run.stdout_has(&format!("- {gone}")));
    run.stdout_has("outside the managed scope").never_says("other.t").never_says("theirs").never_says("citext");
    project.run(["apply", "plan.json", "--yes", "--allow-loss", "all"]).code(0);
    project.run(["plan"]).code(0).stdout_has("Nothing to do");
    // Members of extensions come and go with them.
    let functions = "SELECT count(*) FROM pg_proc p JOIN pg_depend d ON d.objid = p.oid AND d.deptype = 'e'";
    let mut client = database.connect().unwrap();
    let count: i64 = client.query_one(functions, &[]).unwrap().get(0);
    assert!(count > 10, "the functions of citext: {count}");
    // Where everything is managed, nothing is left to refer to but what the file makes.
    project.run(["plan", "--manage", "all"]).code(1).stderr_has("type \"public.citext\" does not exist");
    let project = project.schema("CREATE SCHEMA app; CREATE TABLE app.t (id int);");
    let run = project.run(["plan", "--manage", "all"]).code(2).stdout_has("- TABLE other.t");
    run.stdout_has("- EXTENSION citext").stdout_has("- PUBLICATION theirs").never_says("- FUNCTION");
}

#[test]
fn the_ledger_may_have_another_name() {
    let database = database();
    let project = Project::new().config("ledger: \"History of it\"\n").schema(BEFORE).on(&database);
    project.run(["apply", "--yes", "-m", "first"]).code(0).stdout_has("Applied revision");
    project.run(["log"]).code(0).stdout_has("first");
    project.run(["plan", "--manage", "all"]).code(0).stdout_has("Nothing to do");
    let mut client = database.connect().unwrap();
    let schemas =
        "SELECT string_agg(nspname, ', ' ORDER BY nspname) FROM pg_namespace WHERE nspname !~ '^pg_|information_'";
    let schemas: String = client.query_one(schemas, &[]).unwrap().get(0);
    assert_eq!(schemas, "History of it, app, public");
}

#[test]
fn a_terminal_shows_which_step_of_how_many_is_at_work() {
    let database = database();
    // On a row, building the index takes a while.
    let slow = "CREATE SCHEMA app; CREATE FUNCTION app.slow(int) RETURNS int IMMUTABLE LANGUAGE plpgsql
        AS $$BEGIN PERFORM pg_sleep(1); RETURN $1; END$$; CREATE TABLE app.t (id int);";
    database.connect().unwrap().batch_execute(&format!("{slow} INSERT INTO app.t VALUES (1)")).unwrap();
    let index = "CREATE INDEX later ON app.t (app.slow(id)); COMMENT ON INDEX app.later IS 'x';";
    let project = Project::new().schema(&format!("{slow}{index}")).on(&database);
    project.run(["plan", "-o", "plan.json", "--no-proof"]).code(2);
    let said = project.answer("y\n", &["apply", "plan.json"]).code(0).stdout();
    assert!(said.contains("[0/2] 1s CREATE INDEX later ON app.t"), "{said}");
    assert!(!said.contains("\n[1/2] "), "lines are for what is no terminal: {said}");
}
