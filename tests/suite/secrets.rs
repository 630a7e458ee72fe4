//! Secrets come from the environment, and no output holds one.

use crate::{project::Project, server::trusting_server};
use postgres::Client;
use reconcile::engine::{Scratch, Spec};

/// What a shell, a string constant, a connection string and a URI each escape in another way.
const SECRET: &str = "hun'ter\\2 %@${ONE}";
const OTHER: &str = "0ther\"s3cret";

const SCHEMA: &str = "CREATE SCHEMA app;
CREATE FOREIGN DATA WRAPPER w;
CREATE SERVER there FOREIGN DATA WRAPPER w OPTIONS (host '${HOST}', port '5432');
CREATE USER MAPPING FOR PUBLIC SERVER there OPTIONS (\"user\" 'reader', password '${ONE}');
CREATE SUBSCRIPTION words CONNECTION 'host=nowhere password=${ONE}' PUBLICATION p WITH (connect = false, slot_name = NONE);
CREATE SUBSCRIPTION uri CONNECTION 'postgresql://me:${ONE}@nowhere/db' PUBLICATION p WITH (connect = false, slot_name = NONE);
";

fn database(major: u32) -> Scratch {
    trusting_server(major).database(&Spec { role: "keeper".to_owned(), ..Spec::default() }).unwrap()
}

fn project(database: &Scratch) -> Project {
    // Subscriptions are in a catalog that all databases share, so their names must be this test's own.
    let schema = SCHEMA.replace("SUBSCRIPTION ", &format!("SUBSCRIPTION {}_", database.name()));
    Project::new().on(database).file("schema.sql", &schema).variable("RECONCILE_TRUST", "full")
}

/// Everything that the program has written, but for what it is given: plans, and what stands in the ledger.
fn written(project: &Project, client: &mut Client) -> String {
    let plans = project.names("plans");
    let mut text: String = plans.iter().map(|name| project.read(&format!("plans/{name}"))).collect();
    for table in ["revision", "step"] {
        let query = format!("SELECT coalesce(string_agg(t::text, ' '), '') FROM reconcile.{table} t");
        text.push_str(client.query_one(&query, &[]).unwrap().get(0));
    }
    text
}

fn holds_no_secret(text: &str) {
    for piece in ["hun'ter", "hun''ter", "hun\\'ter", "hun%27ter", "0ther", "s3cret", "internal.example"] {
        assert!(!text.contains(piece), "a secret is told: {text}");
    }
}

fn password(client: &mut Client) -> String {
    let query = "SELECT string_agg(o, ' ' ORDER BY o) FROM pg_user_mappings, unnest(umoptions) o";
    client.query_one(query, &[]).unwrap().get(0)
}

fn connections(client: &mut Client) -> Vec<String> {
    let query = "SELECT subconninfo FROM pg_subscription
        WHERE subdbid = (SELECT oid FROM pg_database WHERE datname = current_database()) ORDER BY subname DESC";
    client.query(query, &[]).unwrap().iter().map(|row| row.get(0)).collect()
}

#[test]
fn secrets_come_from_the_environment_and_no_output_holds_one() {
    let database = database(16);
    let mut client = database.admin().unwrap();
    let project = project(&database).file("plans/.keep", "");
    let plan = project.run(["plan", "-o", "plans/first.json"]).code(2);
    let plan = plan.stdout_has("password '${ONE}'").stdout_has("host '${HOST}'");
    assert!(project.read("plans/first.json").contains("\"ONE\": \"uri\""), "{}", plan.stdout());
    // Every variable that is missing is told before anything starts.
    project.run(["apply", "plans/first.json", "--yes"]).code(1).stderr_has("ONE").stderr_has("HOST");
    assert!(client.query("SELECT FROM pg_namespace WHERE nspname = 'app'", &[]).unwrap().is_empty());
    let project = project.variable("ONE", SECRET).variable("HOST", "internal.example");
    let applied = project.run(["apply", "plans/first.json", "--yes"]).code(0);
    holds_no_secret(&(applied.stdout() + &applied.stderr() + &project.read("plans/first.json")));
    assert_eq!(password(&mut client), format!("password={SECRET} user=reader"));
    assert_eq!(
        connections(&mut client),
        [
            r"host=nowhere password='hun\'ter\\2 %@${ONE}'",
            "postgresql://me:hun%27ter%5C2%20%25%40%24%7BONE%7D@nowhere/db",
        ]
    );
    holds_no_secret(&written(&project, &mut client));
    let again = project.run(["plan"]).code(0);
    holds_no_secret(&(again.stdout() + &again.stderr()));
    let revision: String = client.query_one("SELECT id::text FROM reconcile.revision", &[]).unwrap().get(0);
    for arguments in [vec!["log"], vec!["log", &revision], vec!["show", "plans/first.json", "--format", "sql"]] {
        let run = project.run_in(".", "", &arguments).code(0);
        holds_no_secret(&(run.stdout() + &run.stderr()));
    }
    let inspected =
        project.run(["inspect"]).code(0).stdout_has("password '${USER_MAPPING_FOR_PUBLIC_SERVER_THERE_PASSWORD}'");
    let like_it =
        project_without(&project).file("schema.sql", &inspected.stdout().replace("'internal.example'", "'${HOST}'"));
    like_it.run(["plan"]).code(0);
    // Where nobody knows the variables, what is there is taken for them.
    project_without(&project).run(["plan"]).code(0).stderr_has("ONE is not set").never_says("hun");
}

/// The same project, where the secrets are not known.
fn project_without(project: &Project) -> Project {
    let mut copy = Project::new().file("schema.sql", &project.read("schema.sql"));
    for (name, value) in project.variables().filter(|(name, _)| !["ONE", "HOST"].contains(&name.as_str())) {
        copy = copy.variable(name, value);
    }
    copy
}

#[test]
fn a_secret_that_was_set_by_hand_is_set_again() {
    let database = database(15);
    let mut client = database.admin().unwrap();
    let project = project(&database).variable("ONE", SECRET).variable("HOST", "internal.example");
    project.run(["apply", "--yes"]).code(0);
    client
        .batch_execute(&format!("ALTER USER MAPPING FOR PUBLIC SERVER there OPTIONS (SET password '{OTHER}')"))
        .unwrap();
    let plan = project
        .run(["plan"])
        .code(2)
        .stdout_has("ALTER USER MAPPING FOR PUBLIC SERVER there OPTIONS (SET password '${ONE}')");
    holds_no_secret(&(plan.stdout() + &plan.stderr()));
    project.run(["apply", "--yes"]).code(0);
    assert_eq!(password(&mut client), format!("password={SECRET} user=reader"));
    holds_no_secret(&written(&project, &mut client));
    // A new secret is one, too.
    let project = project.variable("ONE", "next");
    project.run(["apply", "--yes"]).code(0);
    assert_eq!(password(&mut client), "password=next user=reader");
}

#[test]
fn what_postgresql_says_of_a_secret_is_not_repeated() {
    let database = database(17);
    let mut client = database.admin().unwrap();
    client.batch_execute("CREATE EXTENSION postgres_fdw").unwrap();
    let schema = "CREATE EXTENSION postgres_fdw; CREATE SCHEMA app;
        CREATE SERVER there FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host '${HOST}');
        CREATE TABLE app.t (a int)";
    let project = Project::new().on(&database).file("schema.sql", schema).variable("RECONCILE_TRUST", "full");
    project.run(["apply", "--yes"]).code(1).stderr_has("HOST");
    let project = project.variable("HOST", "internal.example");
    project.run(["apply", "--yes"]).code(0).never_says("internal");
    // PostgreSQL quotes a value that it refuses.
    let schema = schema.replace("host '${HOST}'", "host '${HOST}', fetch_size '${ONE}'");
    let project = project.file("schema.sql", &schema).variable("ONE", "0ther-s3cret");
    let failed = project.run(["apply", "--yes", "--no-proof"]).code(1);
    holds_no_secret(&(failed.stdout() + &failed.stderr()));
}

#[test]
fn a_secret_in_clear_is_refused_where_it_would_reach_a_plan() {
    let database = database(18);
    let schema = "CREATE SCHEMA app;
        CREATE FOREIGN DATA WRAPPER w;
        CREATE SERVER there FOREIGN DATA WRAPPER w;
        CREATE USER MAPPING FOR PUBLIC SERVER there OPTIONS (password '0ther-s3cret');";
    let project = Project::new().on(&database).file("schema.sql", schema).variable("RECONCILE_TRUST", "full");
    let refused = project.run(["plan"]).code(1).stderr_has("schema.sql:4").stderr_has("${NAME}");
    holds_no_secret(&(refused.stdout() + &refused.stderr()));
    assert!(project.names("plans").is_empty());
    // Where it is in the database already, there is nothing that a plan would have to hold.
    database.admin().unwrap().batch_execute(schema).unwrap();
    let warned = project.run(["plan"]).code(0).stderr_has("schema.sql:4").stderr_has("${NAME}");
    holds_no_secret(&(warned.stdout() + &warned.stderr()));
    // What would have to be made anew could not come back with it.
    let project = project.file("schema.sql", &schema.replace("SERVER there FOREIGN", "SERVER there TYPE 'b' FOREIGN"));
    let refused = project.run(["plan"]).code(1).stderr_has("password");
    holds_no_secret(&(refused.stdout() + &refused.stderr()));
}
