//! Attempts of a schema.sql to get power by the roles that it creates: none of its code may ever run with it.

use super::Place;
use crate::{project::Project, server::majors};

/// A file that the servers can read, and files may not.
fn secret() -> tempfile::NamedTempFile {
    use std::io::Write as _;
    use std::os::unix::fs::PermissionsExt as _;
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(b"t0ps3cret").unwrap();
    file.as_file().set_permissions(std::fs::Permissions::from_mode(0o644)).unwrap();
    file
}

/// The start of every attempt: a role with all the power there is, of which everybody is a member.
const BOSS: &str = "CREATE ROLE boss SUPERUSER LOGIN CREATEROLE REPLICATION BYPASSRLS PASSWORD '${BOSS}';
GRANT boss TO CURRENT_USER WITH ADMIN OPTION;
GRANT pg_read_server_files, pg_write_server_files, pg_execute_server_program TO boss, CURRENT_USER;
CREATE TABLE public.t (a text);
";

/// What reads the file, if whoever executes it may.
const ATTEMPTS: &[&str] = &[
    "SET ROLE boss; CREATE TABLE public.x AS SELECT pg_read_file('FILE') AS a; RESET ROLE;",
    "SET SESSION AUTHORIZATION boss; CREATE TABLE public.x AS SELECT pg_read_file('FILE') AS a; RESET SESSION AUTHORIZATION;",
    "CREATE TABLE public.x AS SELECT pg_read_file('FILE') AS a;",
    "DO $$ BEGIN COPY public.t FROM PROGRAM 'cat FILE'; END $$;",
    "DO $$ BEGIN SET ROLE boss; COPY public.t FROM 'FILE'; END $$;",
    "CREATE FUNCTION public.f() RETURNS text LANGUAGE sql IMMUTABLE SECURITY DEFINER AS $$ SELECT pg_read_file('FILE') $$;
     ALTER FUNCTION public.f() OWNER TO boss;
     CREATE MATERIALIZED VIEW public.x AS SELECT public.f() AS a;",
    "CREATE FUNCTION public.f() RETURNS text LANGUAGE sql IMMUTABLE SECURITY DEFINER AS $$ SELECT pg_read_file('FILE') $$;
     ALTER FUNCTION public.f() OWNER TO boss;
     SELECT public.f();",
];

/// What would tell the file if it ran with power, and is otherwise nothing but a definition.
const HARMLESS: &[&str] = &[
    "CREATE FUNCTION public.f() RETURNS event_trigger LANGUAGE plpgsql SECURITY DEFINER AS $$ BEGIN
        RAISE '%', pg_read_file('FILE'); END $$;
     ALTER FUNCTION public.f() OWNER TO boss;
     CREATE EVENT TRIGGER e ON ddl_command_start EXECUTE FUNCTION public.f();
     CREATE TABLE public.x (a text);",
    "CREATE FUNCTION public.f() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$ BEGIN
        IF pg_has_role('pg_read_server_files', 'USAGE') THEN RAISE '%', pg_read_file('FILE'); END IF; RETURN NEW; END $$;
     ALTER FUNCTION public.f() OWNER TO boss;
     CREATE TRIGGER g BEFORE INSERT OR UPDATE ON public.t FOR EACH ROW EXECUTE FUNCTION public.f();",
    "ALTER DATABASE CURRENT_DATABASE SET session_preload_libraries = '/tmp/evil.so';
     ALTER DATABASE CURRENT_DATABASE SET search_path = evil, pg_catalog;
     ALTER ROLE ALL IN DATABASE CURRENT_DATABASE SET role = boss;
     ALTER ROLE boss SET session_preload_libraries = '/tmp/evil.so';
     ALTER DATABASE CURRENT_DATABASE OWNER TO boss;",
];

#[test]
fn no_code_of_a_file_gets_the_power_of_a_role_that_the_file_creates() {
    let file = secret();
    for major in majors() {
        let mut place = Place::new(major);
        // Whoever connects to the target may read the file; whoever loads may not.
        assert_eq!(place.value(&format!("pg_read_file('{}')", file.path().display())), "t0ps3cret");
        let project = place.project().variable("BOSS", "x");
        for attempt in ATTEMPTS {
            let attempt = attempt.replace("FILE", &file.path().display().to_string());
            project.write("schema.sql", &format!("{BOSS}{attempt}"));
            let run = project.run(["plan"]).code(1).never_says("t0ps3cret");
            let said = run.stderr();
            assert!(said.contains("permission denied") || said.contains("must be superuser"), "{attempt}: {said}");
        }
        for attempt in HARMLESS {
            let attempt = attempt.replace("FILE", &file.path().display().to_string());
            project.write("schema.sql", &format!("{BOSS}{attempt}"));
            project.run(["plan"]).code(2).never_says("t0ps3cret").stdout_has("Proved on");
        }
    }
}

/// The plan of what is harmless on its way, and runs with power on the target, is rehearsed without.
#[test]
fn a_plan_is_rehearsed_without_the_power_that_it_gives() {
    let file = secret();
    let major = *majors().last().unwrap();
    let mut place = Place::new(major);
    let project = place.project();
    // The function does no harm until it belongs to a role that may read files, and a row is there.
    project.write(
        "schema.sql",
        &format!(
            "CREATE ROLE boss SUPERUSER;
             CREATE TABLE public.t (a int);
             CREATE FUNCTION public.f() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$ BEGIN
                IF (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) THEN
                    RAISE 'po%r: %', 'we', pg_read_file('{}'); END IF; RETURN NEW; END $$;
             ALTER FUNCTION public.f() OWNER TO boss;
             CREATE TRIGGER g BEFORE INSERT OR UPDATE ON public.t FOR EACH ROW EXECUTE FUNCTION public.f();",
            file.path().display()
        ),
    );
    project.run(["apply", "--yes"]).code(0).never_says("power:").stdout_has("Proved on");
    assert_eq!(place.value("rolsuper FROM pg_roles WHERE rolname = 'boss'"), "true");
    // Rows are made for the table on the copy of what is there now, where the trigger is the superuser's.
    place.execute("ALTER TABLE public.t ENABLE ALWAYS TRIGGER g");
    let run = project.run(["plan"]).code(2).never_says("power:").never_says("t0ps3cret");
    run.stdout_has("3 rows in 1 table survived");
}

#[test]
fn a_password_is_told_nobody() {
    let mut place = Place::new(*majors().last().unwrap());
    place.execute("CREATE ROLE there LOGIN PASSWORD 'old'");
    let project = place.project();
    let written = |project: &Project| -> String {
        project.names("plans").iter().map(|name| project.read(&format!("plans/{name}"))).collect()
    };
    // What is not there yet would have to stand in the plan.
    project.write("schema.sql", "CREATE ROLE ann LOGIN PASSWORD 's3cret';");
    let run = project.run(["plan"]).code(1).never_says("s3cret");
    run.stderr_has("schema.sql:1:1: the password of ROLE ann stands in clear").stderr_has("hint: write '${NAME}'");
    // A mistake in the statement shows nothing of it.
    for mistake in ["CREATE ROLE ann PASSWORD 's3cret' LOGIN BOGUS;", "CREATE ROLE ann LOGIN PASSWORD s3cret;"] {
        project.write("schema.sql", mistake);
        project.run(["plan"]).code(1).never_says("s3cret").stderr_has("schema.sql:1:");
    }
    project.write(
        "schema.sql",
        "CREATE ROLE ann LOGIN PASSWORD '${ANN}' VALID UNTIL '2099-01-01';
         CREATE ROLE there LOGIN; ALTER ROLE there PASSWORD 's3cret';",
    );
    let run = project.run(["plan"]).code(2).never_says("s3cret").stdout_has("LOGIN VALID UNTIL");
    run.stderr_has("schema.sql:2:35: the password of role there stands in clear").stdout_has("PASSWORD '${ANN}'");
    project.run(["apply", "--yes"]).code(1).stderr_has("ANN");
    let project = project.variable("ANN", "it's n3w \\");
    project.run(["apply", "--yes"]).code(0).never_says("n3w");
    assert!(!written(&project).contains("n3w"));
    for table in ["revision", "step"] {
        assert!(!place.value(&format!("string_agg(t::text, ' ') FROM reconcile.{table} t")).contains("n3w"));
    }
    let login = place.database.target().with_user("ann").with_password("it's n3w \\");
    login.connect().unwrap();
    project.run(["plan"]).code(0).never_says("s3cret");
    project.run(["inspect"]).code(0).stdout_has("CREATE ROLE ann LOGIN VALID UNTIL").never_says("SCRAM");
}
