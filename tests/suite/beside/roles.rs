//! Roles: what they may do, what they are members of, and what goes with them.

use super::{Place, becomes};
use crate::server::majors;
use reconcile::engine::Trust;

/// Before roles are said anything about.
const PLAIN: &str = "CREATE TABLE public.t (a int);";

const SCHEMA: &str = "
    GRANT reader TO ann WITH ADMIN OPTION;
    CREATE TABLE public.t (a int);
    GRANT SELECT ON public.t TO reader;
    ALTER TABLE public.t ENABLE ROW LEVEL SECURITY;
    CREATE POLICY p ON public.t TO reader USING (true);
    CREATE TABLE public.hers (a int);
    ALTER TABLE public.hers OWNER TO ann;
    CREATE ROLE reader;
    CREATE USER ann PASSWORD NULL CONNECTION LIMIT 3 VALID UNTIL '2099-01-01 00:00:00+02' IN ROLE pg_monitor;
    CREATE ROLE boss SUPERUSER CREATEDB CREATEROLE REPLICATION BYPASSRLS NOINHERIT ADMIN keeper;
    CREATE GROUP everybody;
    ALTER GROUP everybody ADD USER ann, outsider;
    GRANT reader TO CURRENT_USER GRANTED BY CURRENT_USER;
    ALTER ROLE ann SET search_path = app, public;
    ALTER ROLE ann SET work_mem = '7MB';
    ALTER ROLE ann IN DATABASE CURRENT_DATABASE SET work_mem TO '8MB';
    COMMENT ON ROLE ann IS 'hers';
    ALTER DEFAULT PRIVILEGES FOR ROLE ann GRANT SELECT ON TABLES TO reader;
";

/// The same roles, each with something else; one is gone, and so is what she had.
const CHANGED: &str = "
    CREATE TABLE public.t (a int);
    CREATE TABLE public.hers (a int);
    CREATE ROLE reader NOLOGIN NOINHERIT;
    CREATE ROLE boss LOGIN CONNECTION LIMIT 1 VALID UNTIL 'infinity';
    CREATE GROUP everybody;
    GRANT reader TO boss;
    GRANT everybody TO outsider WITH ADMIN OPTION;
    ALTER ROLE boss SET search_path = '';
    COMMENT ON ROLE boss IS 'his';
";

#[test]
fn roles_become_what_the_file_says_and_back() {
    for major in majors() {
        let mut place = Place::new(major);
        place.execute(super::AROUND);
        let project = place.project();
        becomes(&project, PLAIN);
        let plain = place.state();
        let said = becomes(&project, SCHEMA);
        assert!(said.contains("+ ROLE ann") && said.contains("schema.sql:10:5"), "{said}");
        let full = place.state();
        assert_eq!(full["roles"].len(), plain["roles"].len() + 4);
        assert_eq!(full, place.by_hand(major, SCHEMA), "on {major}");
        becomes(&project, CHANGED);
        assert_eq!(place.state(), place.by_hand(major, CHANGED), "on {major}");
        becomes(&project, SCHEMA);
        assert_eq!(place.state(), full, "on {major}");
        becomes(&project, PLAIN);
        assert_eq!(place.state(), plain, "on {major}");
    }
}

#[test]
fn who_may_create_roles_needs_not_be_a_superuser() {
    for major in majors() {
        let mut place = Place::with(major, Trust::Restricted);
        place.execute("ALTER ROLE keeper CREATEROLE; CREATE ROLE outsider");
        let project = place.project();
        becomes(&project, PLAIN);
        let plain = place.state();
        let schema = "CREATE TABLE public.t (a int);
            CREATE ROLE reader;
            CREATE ROLE ann LOGIN CONNECTION LIMIT 2;
            ALTER ROLE ann SET work_mem = '7MB';
            ALTER ROLE ann IN DATABASE CURRENT_DATABASE SET jit = off;
            GRANT reader TO ann;
            GRANT reader TO outsider WITH ADMIN OPTION;
            GRANT ann TO CURRENT_USER;
            GRANT SELECT ON public.t TO reader;
            COMMENT ON ROLE reader IS 'reads';";
        becomes(&project, schema);
        let admin = place.value(
            "string_agg(concat_ws(' ', member::regrole, admin_option), ',' ORDER BY member::regrole::text) FROM pg_auth_members
            WHERE roleid = 'reader'::regrole AND member <> 'keeper'::regrole",
        );
        assert_eq!(admin, "ann f,outsider t");
        becomes(
            &project,
            &schema.replace("GRANT reader TO ann;", "").replace(" WITH ADMIN OPTION", "").replace("'7MB'", "'8MB'"),
        );
        becomes(&project, PLAIN);
        assert_eq!(place.state(), plain, "on {major}");
    }
}

#[test]
fn roles_that_nobody_manages_stay_as_they_are() {
    let mut place = Place::new(*majors().last().unwrap());
    place.execute(
        "CREATE ROLE stranger CREATEDB; CREATE ROLE hand; CREATE ROLE mine LOGIN; GRANT pg_monitor TO mine;
         GRANT mine TO stranger; GRANT stranger TO hand;
         SET ROLE keeper; CREATE TABLE public.t (a int); GRANT SELECT ON public.t TO stranger, mine; RESET ROLE",
    );
    let project = place.project();
    // What exists is taken over; a membership of a managed role is managed, one in it is not.
    becomes(&project, "CREATE TABLE public.t (a int); CREATE ROLE mine;");
    assert_eq!(place.value("rolcanlogin FROM pg_roles WHERE rolname = 'mine'"), "false");
    let members = "string_agg(concat_ws(' in ', member::regrole, roleid::regrole), ',' ORDER BY member::regrole::text) FROM pg_auth_members
        WHERE roleid >= 16384 AND member <> 'keeper'::regrole OR member >= 16384 AND member <> 'keeper'::regrole";
    assert_eq!(place.value(members), "hand in stranger,stranger in mine");
    let granted = "has_table_privilege('stranger', 'public.t', 'SELECT') || ' ' || has_table_privilege('mine', 'public.t', 'SELECT')";
    assert_eq!(place.value(granted), "true false");
    // Nor does a role go that the last revision did not manage; the memberships of one that did go with it.
    becomes(&project, "CREATE TABLE public.t (a int);");
    assert_eq!(
        place.value(
            "string_agg(rolname, ',' ORDER BY rolname) FROM pg_roles WHERE rolname IN ('mine', 'stranger', 'hand')"
        ),
        "hand,stranger"
    );
    assert_eq!(place.value(members), "hand in stranger");
    // Without the key, everything is as it always was.
    project.write("reconcile.yaml", "");
    project.write(
        "schema.sql",
        "CREATE TABLE public.t (a int); CREATE ROLE mine; DROP ROLE hand; GRANT stranger TO mine;",
    );
    let run = project.run(["plan"]).code(0);
    for (place, what) in [("1:32", "CREATE ROLE mine"), ("1:50", "DROP ROLE hand"), ("1:66", "GRANT stranger TO mine")]
    {
        let run = project.run(["plan"]).code(0);
        run.stderr_has(&format!("schema.sql:{place}: {what} is left out: it reaches beyond the database"));
    }
    run.never_says("ROLE mine  ");
}

#[test]
fn the_role_that_connects_stays_as_it_is() {
    let mut place = Place::new(*majors().last().unwrap());
    let before = place.state();
    let project = place.project();
    project.write(
        "schema.sql",
        "CREATE ROLE keeper; ALTER ROLE keeper NOSUPERUSER; ALTER USER CURRENT_USER SET work_mem = '1MB';
         CREATE ROLE reconcile_engine; DROP ROLE keeper;",
    );
    let run = project.run(["plan"]).code(0);
    run.stderr_has(
        "schema.sql:1:1: CREATE ROLE keeper is left out: the role that connects, and the one that made the cluster",
    )
    .stderr_has("schema.sql:2:10: CREATE ROLE reconcile_engine is left out")
    .stderr_has("schema.sql:2:40: DROP ROLE keeper is left out: what is managed and not created goes by itself");
    assert_eq!(place.state(), before);
}

#[test]
fn what_cannot_be_is_refused_with_its_place() {
    let mut place = Place::new(*majors().last().unwrap());
    place.execute("CREATE ROLE stranger");
    let project = place.project();
    for (schema, error) in [
        ("ALTER ROLE stranger LOGIN;", "schema.sql:1:1: ALTER ROLE stranger: role stranger is not created here"),
        ("CREATE ROLE a;\nGRANT a TO nobody;", "schema.sql:2:1: GRANT a TO nobody: role \"nobody\" does not exist"),
        ("CREATE ROLE a;\nGRANT a TO b; CREATE ROLE b; GRANT b TO a;", "schema.sql:2:"),
        ("CREATE ROLE a; CREATE ROLE a;", "schema.sql:1:16: CREATE ROLE a: role \"a\" already exists"),
        (
            "CREATE ROLE a; ALTER ROLE a IN DATABASE postgres SET jit = off;",
            "schema.sql:1:41: ALTER ROLE a: the database is",
        ),
        ("CREATE ROLE a; ALTER ROLE a SET jit = perhaps;", "parameter \"jit\" requires a Boolean value"),
        ("COMMENT ON DATABASE postgres IS 'x';", "schema.sql:1:21: COMMENT ON DATABASE postgres: the database is"),
        ("GRANT CONNECT ON DATABASE CURRENT_DATABASE TO nobody;", "schema.sql:1:1: GRANT CONNECT"),
        ("CREATE TABLE t (a int);\nGRANT SELECT ON t TO nobody;", "role \"nobody\" does not exist"),
    ] {
        project.write("schema.sql", schema);
        project.run(["plan"]).code(1).stderr_has(error);
    }
}

#[test]
fn a_role_that_something_needs_cannot_go() {
    let mut place = Place::new(*majors().last().unwrap());
    let project = place.project();
    becomes(&project, "CREATE ROLE gone; CREATE TABLE public.t (a int); GRANT SELECT ON public.t TO gone;");
    // The file itself.
    project.write("schema.sql", "CREATE TABLE public.t (a int);\nGRANT SELECT ON public.t TO gone;");
    project.run(["plan"]).code(1).stderr_has("role \"gone\" does not exist").stderr_has("schema.sql:2:");
    // What nobody manages in the same database.
    place.execute("SET ROLE keeper; CREATE SCHEMA other; CREATE TABLE other.t (a int); GRANT SELECT ON other.t TO gone; RESET ROLE");
    project.write("schema.sql", "CREATE TABLE public.t (a int);");
    let run = project.run(["plan"]).code(1).stderr_has("role gone is not created any more, but what stays needs it");
    run.stderr_has("GRANT TO gone ON TABLE other.t").stderr_has("hint: create the role in schema.sql");
    // What is in another database, which nobody sees before the statement would run.
    place.execute("DROP SCHEMA other CASCADE");
    place.execute("CREATE DATABASE elsewhere");
    let mut elsewhere = place.database.admin_target().with_database("elsewhere").connect().unwrap();
    elsewhere.batch_execute("CREATE TABLE t (a int); GRANT SELECT ON t TO gone").unwrap();
    let run = project.run(["apply", "--yes"]).code(1);
    let run = run.stdout_has("! may fail: roles are the whole server's, and other databases may need this one");
    run.stderr_has("nothing in another database belongs to ROLE gone or gives it rights").stderr_has("elsewhere");
    assert!(place.value("has_table_privilege('gone', 'public.t', 'SELECT')").contains("true"), "nothing has been done");
    elsewhere.batch_execute("DROP TABLE t").unwrap();
    becomes(&project, "CREATE TABLE public.t (a int);");
}

#[test]
fn roles_and_the_database_need_a_server_of_ours() {
    let place = Place::new(*majors().last().unwrap());
    for key in ["roles", "database"] {
        let project = place.project().config(&format!("manage: {{{key}: true}}\n")).schema("CREATE TABLE t (a int);");
        for engine in ["target", &place.database.target().url()] {
            let run = project.run(["plan", "--engine", engine]).code(1);
            run.stderr_has("managed by way of a throw-away server")
                .stderr_has("hint: let one be started: --engine auto");
        }
        project.run(["plan"]).code(2).stdout_has("+ TABLE public.t");
    }
}
