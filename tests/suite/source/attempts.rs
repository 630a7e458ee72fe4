//! A file that comes from anybody reads no file, runs no program and gets no superuser.

use super::{ROLE, load, majors, read, scratch, scratch_on, value};
use reconcile::engine::Scratch;
use reconcile::source::{self, Beyond, Session};
use std::collections::BTreeSet;

use crate::{migration::Migration, server::server};

/// Loads what must not load, and looks that nothing came of it.
#[track_caller]
fn refused(sql: &str) {
    for major in oldest_and_newest() {
        let scratch = scratch_on(major);
        let result = load(&scratch, sql);
        let Err(error) = result else { panic!("{major}: {sql} loaded") };
        assert!(!error.failures().is_empty(), "{error}");
        harmless(&scratch, sql);
    }
}

/// What is refused in these two is refused in those between.
fn oldest_and_newest() -> BTreeSet<u32> {
    majors().into_iter().min().into_iter().chain(majors().into_iter().max()).collect()
}

/// The loading role has no more power than it should.
#[track_caller]
fn harmless(scratch: &Scratch, sql: &str) {
    let power = format!(
        "SELECT bool_or(rolsuper OR rolcreaterole OR rolreplication OR rolbypassrls OR pg_has_role('{ROLE}', oid, 'MEMBER') \
         AND rolname IN ('pg_read_server_files', 'pg_write_server_files', 'pg_execute_server_program')) \
         FROM pg_roles WHERE rolname = '{ROLE}' OR rolname ~ '^pg_'"
    );
    assert_eq!(value(scratch, &power), "false", "{sql}");
    let mut client = scratch.connect().unwrap();
    for try_ in
        ["SELECT pg_read_file('PG_VERSION')", "COPY (SELECT 1) TO PROGRAM 'true'", "SELECT * FROM pg_catalog.pg_authid"]
    {
        assert!(client.batch_execute(try_).is_err(), "{sql}");
    }
}

/// Whether a cluster of this version has an extension.
fn has(major: u32, extension: &str) -> bool {
    let sql = format!("SELECT count(*) FROM pg_available_extensions WHERE name = '{extension}'");
    value(&scratch_on(major), &sql) == "1"
}

#[test]
fn files_are_not_read() {
    refused("CREATE TABLE t AS SELECT pg_read_file('/etc/passwd') AS a");
    refused("DO $$ BEGIN PERFORM pg_read_file('/etc/passwd'); END $$");
    refused("SELECT pg_ls_dir('/')");
    refused("SELECT lo_import('/etc/passwd')");
    refused("CREATE MATERIALIZED VIEW v AS SELECT pg_read_binary_file('/etc/passwd')");
    refused("DO $$ BEGIN CREATE TEMP TABLE t (a text); COPY t FROM '/etc/passwd'; END $$");
    // Rows are not loaded at all.
    let scratch = scratch();
    load(&scratch, "CREATE TABLE t (a text); COPY t FROM '/etc/passwd'").unwrap();
    assert_eq!(value(&scratch, "SELECT count(*) FROM t"), "0");
}

#[test]
fn programs_are_not_run() {
    refused("DO $$ BEGIN EXECUTE 'COPY (SELECT 1) TO PROGRAM ''touch /tmp/reconcile-was-here'''; END $$");
    refused("CREATE FUNCTION f() RETURNS int LANGUAGE c AS '/tmp/evil.so', 'f'");
    refused("CREATE FUNCTION f() RETURNS int LANGUAGE c AS '$libdir/../../../tmp/evil', 'f'");
    refused("CREATE FUNCTION f(cstring) RETURNS int LANGUAGE c STRICT AS 'libc.so.6', 'system'");
    refused("LOAD 'auto_explain'; CREATE FUNCTION f() RETURNS int LANGUAGE c AS 'evil/../x', 'f'");
    assert!(!std::path::Path::new("/tmp/reconcile-was-here").exists());
}

#[test]
fn postgresqls_own_functions_cannot_be_had_under_another_name() {
    refused("CREATE FUNCTION f(text) RETURNS text LANGUAGE internal STRICT AS 'pg_read_file_all'");
    refused("CREATE FUNCTION f(text, text) RETURNS text LANGUAGE internal STRICT AS 'pg_read_file'");
    refused("CREATE FUNCTION f(text) RETURNS oid LANGUAGE internal STRICT AS 'be_lo_import'");
    // The right function with wrong types reads memory that is not its own.
    refused("CREATE FUNCTION f(int8) RETURNS cstring LANGUAGE internal STRICT AS 'textout'");
    refused("CREATE FUNCTION f(int4) RETURNS int4 LANGUAGE internal AS 'int4abs'");
    refused("CREATE FUNCTION f(internal) RETURNS text LANGUAGE internal STRICT AS 'textsend'");
    refused(
        "CREATE TYPE evil; CREATE FUNCTION i(cstring) RETURNS evil LANGUAGE internal IMMUTABLE STRICT AS 'int8in'; \
         CREATE FUNCTION o(evil) RETURNS cstring LANGUAGE internal IMMUTABLE STRICT AS 'textout'; \
         CREATE TYPE evil (INPUT = i, OUTPUT = o, INTERNALLENGTH = 8, PASSEDBYVALUE, ALIGNMENT = double)",
    );
    refused(
        "CREATE TYPE evil; CREATE FUNCTION i(cstring) RETURNS evil LANGUAGE internal IMMUTABLE STRICT AS 'int8in'; \
         CREATE FUNCTION o(evil) RETURNS cstring LANGUAGE internal IMMUTABLE STRICT AS 'int8out'; \
         CREATE FUNCTION p(evil) RETURNS text LANGUAGE internal IMMUTABLE STRICT AS 'lower'; \
         CREATE TYPE evil (INPUT = i, OUTPUT = o, LIKE = int8)",
    );
    refused(
        "CREATE TYPE evil; CREATE FUNCTION i(cstring) RETURNS evil LANGUAGE internal IMMUTABLE STRICT AS 'textin'; \
         CREATE FUNCTION o(evil) RETURNS cstring LANGUAGE internal IMMUTABLE STRICT AS 'textout'; \
         CREATE TYPE evil (INPUT = i, OUTPUT = o)",
    );
    refused("CREATE CAST (bytea AS jsonb) WITHOUT FUNCTION");
    refused("CREATE CAST (int8 AS text) WITHOUT FUNCTION");
}

#[test]
fn rights_and_owners_that_lead_further_are_not_given() {
    refused(&format!("GRANT EXECUTE ON FUNCTION pg_catalog.pg_read_file(text) TO {ROLE}"));
    refused("GRANT EXECUTE ON FUNCTION pg_catalog.pg_ls_dir(text) TO PUBLIC");
    refused("GRANT SELECT ON pg_catalog.pg_authid TO PUBLIC");
    refused(&format!("ALTER FUNCTION pg_catalog.pg_read_file(text) OWNER TO {ROLE}"));
    refused(&format!("ALTER TABLE pg_catalog.pg_authid OWNER TO {ROLE}"));
    refused(
        "CREATE FUNCTION f() RETURNS text LANGUAGE sql SECURITY DEFINER AS 'SELECT 1::text'; ALTER FUNCTION f() OWNER TO pg_read_server_files",
    );
    refused("CREATE VIEW v AS SELECT 1 AS a; ALTER VIEW v OWNER TO pg_execute_server_program");
    refused("ALTER SCHEMA public OWNER TO pg_write_server_files");
    refused("SET ROLE pg_read_server_files; CREATE TABLE t (a int)");
    refused("DO $$ BEGIN EXECUTE format('GRANT pg_read_server_files TO %I', session_user); END $$");
    refused("DO $$ BEGIN EXECUTE format('ALTER ROLE %I SUPERUSER', session_user); END $$");
    let scratch = scratch();
    let sql = format!(
        "GRANT pg_read_server_files TO {ROLE}; ALTER ROLE {ROLE} SUPERUSER; CREATE ROLE source_strong SUPERUSER; \
        GRANT source_strong TO {ROLE}; CREATE FUNCTION f() RETURNS int LANGUAGE sql SECURITY DEFINER AS 'SELECT 1'; \
        ALTER FUNCTION f() OWNER TO source_strong"
    );
    assert_eq!(load(&scratch, &sql).unwrap().beyond.len(), 4);
    harmless(&scratch, &sql);
}

#[test]
fn a_superuser_of_the_cluster_gets_nothing() {
    for major in majors() {
        let scratch = scratch_on(major);
        let superuser = value(&scratch, "SELECT rolname FROM pg_roles WHERE oid = 10");
        let sql = format!(
            "CREATE FUNCTION f() RETURNS text LANGUAGE sql SECURITY DEFINER AS 'SELECT pg_read_file(''PG_VERSION'')'; \
             ALTER FUNCTION f() OWNER TO {superuser}"
        );
        assert!(load(&scratch, &sql).is_err());
        assert!(scratch.connect().unwrap().batch_execute("SELECT f()").is_err());
        assert!(load(&scratch, &format!("SET ROLE {superuser}; COMMENT ON SCHEMA pg_catalog IS 'x'")).is_err());
    }
}

#[test]
fn extensions_open_no_way() {
    for major in majors().into_iter().filter(|major| has(*major, "file_fdw")) {
        let files = "CREATE EXTENSION file_fdw; CREATE SERVER s FOREIGN DATA WRAPPER file_fdw";
        for more in [
            "CREATE FOREIGN TABLE t (a text) SERVER s OPTIONS (filename '/etc/passwd')",
            "ALTER FOREIGN DATA WRAPPER file_fdw NO VALIDATOR",
            "CREATE OR REPLACE FUNCTION file_fdw_validator(text[], oid) RETURNS void LANGUAGE sql AS ''",
            "CREATE FOREIGN DATA WRAPPER w HANDLER file_fdw_handler",
            "DROP FUNCTION file_fdw_validator(text[], oid)",
            "ALTER EXTENSION file_fdw DROP FUNCTION file_fdw_validator(text[], oid)",
            "ALTER FUNCTION file_fdw_validator(text[], oid) OWNER TO source_loader",
        ] {
            let scratch = scratch_on(major);
            assert!(load(&scratch, &format!("{files}; {more}")).is_err(), "{major}: {more}");
            harmless(&scratch, more);
        }
    }
    for major in majors().into_iter().filter(|major| has(*major, "dblink")) {
        let scratch = scratch_on(major);
        load(&scratch, "CREATE EXTENSION dblink").unwrap();
        let reach = "SELECT dblink('dbname=' || current_database(), 'SELECT 1')";
        assert!(scratch.connect().unwrap().batch_execute(reach).is_err());
        assert!(load(&scratch, "GRANT EXECUTE ON FUNCTION dblink_connect_u(text) TO PUBLIC").is_err());
    }
    for major in majors() {
        for language in ["plperlu", "plpython3u", "pltclu"] {
            if has(major, language) {
                let sql =
                    format!("CREATE EXTENSION {language}; CREATE FUNCTION f() RETURNS text LANGUAGE {language} AS 'x'");
                let scratch = scratch_on(major);
                assert!(load(&scratch, &sql).is_err());
                harmless(&scratch, &sql);
            }
        }
    }
    refused("CREATE TRUSTED LANGUAGE evil HANDLER plpgsql_call_handler");
}

/// Code of the file would run as a superuser if an extension's script met it, or an event trigger fired for it.
#[test]
fn code_of_the_file_never_runs_as_a_superuser() {
    for major in majors() {
        let scratch = scratch_on(major);
        let sql = "CREATE TABLE seen (who text, super bool);
            CREATE FUNCTION watch() RETURNS event_trigger LANGUAGE plpgsql AS $$
            BEGIN
                INSERT INTO seen SELECT current_user, rolsuper FROM pg_roles WHERE rolname = current_user;
            END $$;
            CREATE EVENT TRIGGER watch_start ON ddl_command_start EXECUTE FUNCTION watch();
            CREATE EVENT TRIGGER watch_end ON ddl_command_end EXECUTE FUNCTION watch();
            ALTER EVENT TRIGGER watch_end ENABLE ALWAYS";
        load(&scratch, sql).unwrap();
        load(
            &scratch,
            "CREATE PUBLICATION p FOR ALL TABLES; COMMENT ON SCHEMA pg_catalog IS 'x'; CREATE TABLE later ()",
        )
        .unwrap();
        load(&scratch, "CREATE EXTENSION pageinspect").unwrap();
        assert_eq!(value(&scratch, "SELECT count(*) FROM seen WHERE super"), "0");
        assert_ne!(value(&scratch, "SELECT count(*) FROM seen"), "0");
        assert_eq!(
            value(&scratch, "SELECT string_agg(evtenabled::text, '' ORDER BY evtname) FROM pg_event_trigger"),
            "AO"
        );
    }
}

#[test]
fn extensions_are_made_before_anything_of_the_file() {
    let sql = "CREATE FUNCTION public.hook(internal) RETURNS int LANGUAGE sql AS 'SELECT 1'";
    refused(sql);
    let scratch = scratch();
    // In the file the function comes first, in the database the extension does.
    load(&scratch, "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'; CREATE EXTENSION pageinspect").unwrap();
    let first = "SELECT (SELECT oid FROM pg_proc WHERE proname = 'f') > (SELECT oid FROM pg_extension WHERE extname = 'pageinspect')";
    assert_eq!(value(&scratch, first), "true");
    let owners = "SELECT count(*) FROM pg_proc WHERE proname ~ 'page' AND pg_get_userbyid(proowner) = 'source_loader'";
    assert_eq!(value(&scratch, owners), "0");
    // Behind a statement that cannot be seen through, it comes too late.
    let late = "DO $$ BEGIN CREATE SCHEMA made_late; END $$; CREATE EXTENSION pg_buffercache SCHEMA made_late";
    let error = load(&scratch, late).unwrap_err().to_string();
    assert!(error.contains("extensions have to be there before everything else"), "{error}");
}

#[test]
fn operators_and_casts_of_the_file_run_for_nobody_else() {
    let own = "CREATE FUNCTION own(int2) RETURNS text LANGUAGE sql AS 'SELECT ''x'''";
    refused(&format!("{own}; CREATE CAST (int2 AS text) WITH FUNCTION own(int2) AS IMPLICIT"));
    let less = "CREATE FUNCTION cmp(int4, text) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT 0'";
    refused(&format!(
        "{less}; ALTER OPERATOR FAMILY integer_ops USING btree ADD FUNCTION 1 (int4, text) cmp(int4, text)"
    ));
    refused(
        "CREATE OPERATOR CLASS c FOR TYPE text USING btree AS OPERATOR 1 < (text, text), FUNCTION 1 (text, text) btint4cmp(int4, int4)",
    );
    refused(
        "CREATE OPERATOR CLASS c FOR TYPE int8 USING btree AS FUNCTION 1 btint8cmp(int8, int8), FUNCTION 2 (int8, int8) bttextsortsupport(internal)",
    );
    refused(
        "CREATE OPERATOR CLASS c FOR TYPE bytea USING gist AS FUNCTION 1 gist_box_consistent(internal, box, smallint, oid, internal)",
    );
    refused("CREATE TEXT SEARCH TEMPLATE t (INIT = dispell_init, LEXIZE = dsnowball_lexize)");
}

#[test]
fn login_triggers_wait_for_no_superuser() {
    for major in majors().into_iter().filter(|major| *major >= 17) {
        let scratch = scratch_on(major);
        let function = "CREATE FUNCTION f() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END'";
        for event in ["login", "\"login\""] {
            assert!(
                load(&scratch, &format!("{function}; CREATE EVENT TRIGGER e ON {event} EXECUTE FUNCTION f()")).is_err()
            );
            scratch.connect().unwrap().batch_execute("DROP FUNCTION IF EXISTS f()").unwrap();
        }
    }
}

#[test]
fn without_a_lender_nothing_is_lent() {
    let scratch = scratch();
    let source = read("CREATE PUBLICATION p FOR ALL TABLES");
    let mut client = scratch.connect().unwrap();
    let session = Session { client: &mut client, lender: None, beyond: Beyond::Skip };
    assert!(source::load(&source, session).is_err());
}

/// The same holds while the plan is proved: what the proof lends for one step, an event trigger does not get hold of.
#[test]
fn event_triggers_get_no_superuser_in_a_proof() {
    let mark = tempfile::tempdir().unwrap().path().join("mark");
    let trigger = format!(
        "CREATE SCHEMA app; CREATE FUNCTION app.look() RETURNS event_trigger LANGUAGE plpgsql AS $$BEGIN
           IF (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) THEN
             COPY (SELECT 1) TO PROGRAM 'cat > {}';
           END IF;
         END$$;
         CREATE EVENT TRIGGER look ON ddl_command_end EXECUTE FUNCTION app.look();",
        mark.display()
    );
    let class = "CREATE OPERATOR CLASS app.ops FOR TYPE integer USING btree AS OPERATOR 1 <, OPERATOR 2 <=, OPERATOR 3 =, \
        OPERATOR 4 >=, OPERATOR 5 >, FUNCTION 1 btint4cmp(integer, integer);";
    for (start, goal) in [(String::new(), format!("{trigger}{class}")), (trigger.clone(), format!("{trigger}{class}"))]
    {
        for major in oldest_and_newest() {
            let migration = Migration {
                engine: server(major),
                worker: 0,
                start: start.clone(),
                rows: String::new(),
                goal: goal.clone(),
            };
            let plan = migration.plan_only().unwrap();
            assert!(plan.steps.iter().any(|step| step.sql.starts_with("CREATE OPERATOR CLASS")));
            assert!(plan.proof.proved);
        }
    }
    assert!(!mark.exists());
}
