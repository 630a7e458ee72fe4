//! What needs a superuser by PostgreSQL's rules, and does no harm, loads without one.

use super::{load, majors, scratch, scratch_on, value};

#[track_caller]
fn loads(sql: &str) {
    for major in majors() {
        let scratch = scratch_on(major);
        load(&scratch, sql).unwrap_or_else(|error| panic!("{major}: {sql}\n{error}"));
        let owned = "SELECT count(*) FROM pg_proc WHERE oid >= 16384 AND pronamespace = 'public'::regnamespace \
            AND pg_get_userbyid(proowner) NOT IN ('source_loader', 'source_other') \
            AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = pg_proc.oid AND d.deptype = 'e')";
        assert_eq!(value(&scratch, owned), "0", "{sql}");
    }
}

#[test]
fn extensions_load() {
    loads(
        "CREATE SCHEMA ext; CREATE EXTENSION pageinspect WITH SCHEMA ext; COMMENT ON EXTENSION pageinspect IS 'pages'; \
        CREATE EXTENSION citext; CREATE TABLE t (a citext)",
    );
    loads(
        "SELECT pg_catalog.set_config('search_path', '', false); CREATE TABLE public.t (a public.citext); \
        CREATE EXTENSION postgres_fdw SCHEMA public; CREATE EXTENSION citext SCHEMA public; \
        CREATE SERVER s FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host 'localhost'); \
        CREATE FOREIGN TABLE public.f (a int) SERVER s",
    );
    loads("CREATE EXTENSION pg_stat_statements; GRANT SELECT ON pg_stat_statements TO source_other");
}

#[test]
fn casts_event_triggers_and_publications_load() {
    loads("CREATE CAST (int4 AS inet) WITH INOUT; CREATE CAST (varchar AS bytea) WITHOUT FUNCTION");
    loads(
        "CREATE FUNCTION e() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END'; \
        CREATE EVENT TRIGGER e ON ddl_command_end EXECUTE FUNCTION e(); COMMENT ON EVENT TRIGGER e IS 'x'",
    );
    loads("CREATE PUBLICATION p FOR ALL TABLES; COMMENT ON PUBLICATION p IS 'x'");
    loads("CREATE FOREIGN DATA WRAPPER w; CREATE SERVER s FOREIGN DATA WRAPPER w");
    loads(
        "CREATE ACCESS METHOD heap_too TYPE TABLE HANDLER heap_tableam_handler; CREATE TABLE t (a int) USING heap_too",
    );
}

#[test]
fn base_types_and_their_operator_classes_load() {
    loads(
        "CREATE TYPE amount;
         CREATE FUNCTION amount_in(cstring) RETURNS amount LANGUAGE internal IMMUTABLE STRICT AS 'int8in';
         CREATE FUNCTION amount_out(amount) RETURNS cstring LANGUAGE internal IMMUTABLE STRICT AS 'int8out';
         CREATE TYPE amount (INPUT = amount_in, OUTPUT = amount_out, LIKE = int8);
         CREATE FUNCTION amount_cmp(amount, amount) RETURNS int LANGUAGE internal IMMUTABLE STRICT AS 'btint8cmp';
         CREATE FUNCTION amount_lt(amount, amount) RETURNS bool LANGUAGE internal IMMUTABLE STRICT AS 'int8lt';
         CREATE OPERATOR < (FUNCTION = amount_lt, LEFTARG = amount, RIGHTARG = amount);
         CREATE OPERATOR CLASS amount_ops DEFAULT FOR TYPE amount USING btree AS OPERATOR 1 <, FUNCTION 1 amount_cmp(amount, amount);
         CREATE TABLE t (a amount); CREATE INDEX i ON t (a)",
    );
}

#[test]
fn c_functions_of_the_servers_own_libraries_load() {
    loads(
        "CREATE FUNCTION distance(text, text) RETURNS int LANGUAGE c IMMUTABLE STRICT AS '$libdir/fuzzystrmatch', 'levenshtein'; \
         CREATE FUNCTION upper_too(text) RETURNS text LANGUAGE internal IMMUTABLE STRICT AS 'upper'",
    );
}

#[test]
fn leakproof_functions_load() {
    loads(
        "CREATE FUNCTION same(int, int) RETURNS bool LEAKPROOF LANGUAGE sql IMMUTABLE AS 'SELECT $1 = $2'; \
        CREATE FUNCTION other() RETURNS int LANGUAGE sql AS 'SELECT 1'; ALTER FUNCTION other() LEAKPROOF",
    );
    let scratch = scratch();
    load(&scratch, "CREATE FUNCTION f() RETURNS int LANGUAGE sql LEAKPROOF AS 'SELECT 1'").unwrap();
    assert_eq!(value(&scratch, "SELECT proleakproof FROM pg_proc WHERE proname = 'f'"), "true");
}

#[test]
fn owners_without_rights_on_the_schema_load() {
    for major in majors() {
        let scratch = scratch_on(major);
        let sql = "REVOKE CREATE ON SCHEMA public FROM PUBLIC; CREATE TABLE t (a int); ALTER TABLE t OWNER TO source_other; \
            COMMENT ON TABLE t IS 'x'; GRANT SELECT ON t TO PUBLIC; CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'; \
            ALTER FUNCTION f() OWNER TO source_other; COMMENT ON SCHEMA public IS 'mine'; \
            CREATE FUNCTION g(int, int) RETURNS int LANGUAGE sql AS 'SELECT 1'; \
            CREATE AGGREGATE a (int) (SFUNC = g, STYPE = int); ALTER AGGREGATE a (int) OWNER TO source_other";
        load(&scratch, sql).unwrap_or_else(|error| panic!("{major}: {error}"));
        assert_eq!(
            value(&scratch, "SELECT pg_get_userbyid(relowner) FROM pg_class WHERE relname = 't'"),
            "source_other"
        );
    }
}
